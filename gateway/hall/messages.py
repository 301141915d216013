"""What becomes of a message, and the one who answers it. The herald's process sends them; the ladder writes them.

Rule 1. queued → sent | failed | void; sent → answered. Nothing else; an illegal word is refused and changes nothing.
Rule 2. The herald may say "queued" of a queued message: it still tries, so often, and this is what stands in its way.
Rule 3. Words that come late change nothing and are no mistake: the same word again, any word about a void message (its
        call was taken while the herald was sending), and any about one that memory has let go with its call.
Rule 4. Who answers by the link of a message accepts the call under the helper's name, once, by an order; opening the
        link does nothing (chat programs look at links by themselves).
Rule 5. The page of a link shows name and flat to whom this order says yes. So it says by which telephone (``key``), and
        once the call is taken only the telephone that took it hears yes again: a link may stand in a group.
"""

from __future__ import annotations

import re
from dataclasses import replace

from devices.faults import OrderRefused
from gateway.hall import calls, links
from gateway.hall.fields import Fields
from gateway.hall.rows import Helper, Message
from gateway.hall.state import Decision, HallState, JournalLine, OrderKey

#: (before, the herald's word)
STEPS = frozenset({("queued", "queued"), ("queued", "sent"), ("queued", "failed"), ("sent", "answered")})
WORDS = ("queued", "sent", "failed", "answered")
LONGEST_WHY = 300
#: As the ladder and the visits name a message: what it is about, and at the end a number.
_NAME = re.compile(r"[a-z]+:.+:[0-9]+")


def told(state: HallState, message_id: str, word: str, attempts: int, why: str, now_ms: int) -> Decision:
    """The herald's word about one message."""
    message = state.table(Message).get(message_id)
    if message is None:
        if _NAME.fullmatch(message_id):
            return Decision()
        raise OrderRefused(f"没有“{message_id}”这条消息", f"there is no message {message_id!r}")
    if message.state == "void" or (message.state == word and word != "queued"):
        return Decision()
    if (message.state, word) not in STEPS:
        raise OrderRefused(
            f"消息已是“{message.state}”，不能改为“{word}”",
            f"the message is {message.state}, it cannot become {word}",
        )
    after = replace(message, state=word, attempts=attempts, changed_ms=now_ms, why=why[:LONGEST_WHY])
    if replace(after, changed_ms=message.changed_ms) == message:
        return Decision()
    decision = Decision(changes=[after])
    if word != "queued":
        event = {"sent": "MessageSent", "failed": "MessageFailed", "answered": "MessageAnswered"}[word]
        decision.changes.append(_line(message, event, now_ms))
    return decision


def accepted_by_link(state: HallState, token: str, now_ms: int, key: str | None = None) -> Decision:
    """Whoever holds this link comes. Refused with the reason; the one who was first is named.

    :param key: names the telephone on which the link was opened ("": it keeps no cookies); None: the answer came by SMS
        and goes back to the helper's own number.
    """
    link = links.read(state.link_secret, token)
    if link is None:
        raise OrderRefused(
            "链接无效，请从最新的消息里打开", "this is no link of this hall: open the newest message"
        )
    if now_ms > link.expires_ms:
        raise OrderRefused("链接已过期，请看最新的消息", "this link is too old: look for the newest message")
    helper = state.table(Helper).get(link.helper_id)
    if helper is None or not helper.active:
        raise OrderRefused(
            "您已不在值班名单里，请联系服务大厅", "you are not on the list any more: ask the hall"
        )
    call = state.calls.get(link.call_id)
    if call is None or call.state == "CLOSED":
        by = call.closed_by if call is not None and call.closed_by else ""
        raise OrderRefused(
            f"这个呼叫已经由 {by} 办结" if by else "这个呼叫已经办结",
            f"{by} has already closed this call" if by else "this call is closed already",
        )
    phone = f"link:{key}" if key else ""
    decision = calls.accepted(state, call.call_id, helper.name, now_ms)
    if key is not None and decision.duplicate and state.order_keys.get(phone) != call.call_id:
        raise OrderRefused(f"{helper.name} 已接单", f"{helper.name} has taken this call already")
    if phone and not decision.duplicate:
        decision.changes.append(OrderKey(phone, call.call_id, now_ms))
    decision.changes += _answered(state, link, now_ms)
    return decision


def _answered(state: HallState, link: links.Link, now_ms: int) -> list[Message | JournalLine]:
    """What brought this helper: the messages of that turn. One that nobody has called sent yet arrived after all."""
    changes: list[Message | JournalLine] = []
    for message in state.table(Message).values():
        same = (message.call_id, message.helper_id, message.turn) == (link.call_id, link.helper_id, link.turn)
        if same and message.state in ("queued", "sent"):
            changes += [
                replace(message, state="answered", changed_ms=now_ms, why=""),
                _line(message, "MessageAnswered", now_ms),
            ]
    return changes


def _line(message: Message, event: str, now_ms: int) -> JournalLine:
    # The scheme alone: what stands behind it may be a key.
    scheme = message.channel.partition(":")[0]
    return JournalLine(
        now_ms, event, f"call:{message.call_id}", message.helper_id, f"{message.message_id} {scheme}"
    )


def _told(state: HallState, fields: Fields, now_ms: int) -> Decision:
    return told(
        state,
        fields.name("message_id"),
        fields.choice("state", WORDS),
        fields.number("attempts", 0),
        fields.text("why", ""),
        now_ms,
    )


def _by_link(state: HallState, fields: Fields, now_ms: int) -> Decision:
    key = fields.text("key", longest=64) if "key" in fields else None
    return accepted_by_link(state, fields.name("token"), now_ms, key)


ORDERS = {"message_state": _told, "accept_by_link": _by_link}
