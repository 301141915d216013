"""The herald: messages to those who are not in the hall. A process of its own, because an SMS gateway may hang.

Lives here: sending by apprise and by the hall's own modem, patience, what is told to the gateway about it, answers that
come back by SMS. Must not live here: whom a call tells and when (gateway/hall/ladder.py writes the messages), what an
acceptance means (gateway/hall/messages.py), the page behind the link (kiosk/link_page.py).

**At least once.** An attempt is written down before it is made, its end after; killed in between, the herald sends that
message again: a doubled SMS is better than a lost one. What it has written down as sent it never sends twice.

Begin reading at office.py.
"""
