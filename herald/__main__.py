"""The herald's process: chooses the real things, turns, and goes when asked.

    python -m herald [--hall FILE]

Exit status 2: hall.toml is wrong, starting again changes nothing.
"""

from __future__ import annotations

import argparse
import logging
import os
import queue
import signal
import sys

from devices.clock import mono_s, wall_ms
from devices.faults import HallFileFault, NotWritten
from gateway.house import House, open_house
from gateway.log import begin_log, end_log, say
from gateway.notebook import Notebook
from gateway.service import Notifier, begin_notifier
from herald import apprise_post
from herald.desk_line import DeskLine
from herald.modem_post import ModemPost
from herald.office import Event, Office
from herald.sendings import SCHEMA, Sendings

#: The watchdog and the look at the notebook wait for a turn no longer than this.
TURN_S = 1.0
#: Asked to go: attempts under way may end within this, so that they need not be made twice.
LAST_WORDS_S = 1.0


def main(argv: list[str] | None = None) -> int:
    words = argparse.ArgumentParser(prog="python -m herald", description="The hall's messages.")
    words.add_argument("--hall", help="another hall.toml")
    asked = words.parse_args(argv)
    begin_log("herald")
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        # SimpleQueue.put may be called in a signal handler (its documentation says so).
        signal.signal(number, lambda *_: events.put("stop"))
    notifier = begin_notifier()
    try:
        house = open_house(asked.hall)
        house.home.mkdir(parents=True, exist_ok=True)
        # Patient: a disk that refuses must not keep a message from going out.
        _run(house, Notebook(house.herald_db, SCHEMA, patient=True), events, notifier)
        return 0
    except HallFileFault as wrong:
        say("hall_file_wrong", str(wrong), level=logging.ERROR)
        return 2
    except (NotWritten, OSError) as wrong:
        say("cannot_start", str(wrong), level=logging.ERROR)
        return 1
    finally:
        end_log()


def _run(house: House, book: Notebook, events: queue.SimpleQueue[Event], notifier: Notifier) -> None:
    port = house.plan.sms.port
    modem = ModemPost(house.serial_port("modem", port)) if port else None
    line = DeskLine(
        house.gateway_socket,
        on_up=lambda: events.put("up"),
        on_bell=lambda: events.put("bell"),
        on_answer=lambda order_id, answer: events.put((order_id, answer)),
    )
    office = Office(
        house.plan,
        house.gateway_db,
        Sendings(book, _wall_ms),
        line,
        apprise_post.send,
        modem,
        mono_s,
        _wall_ms,
        os.getpid(),
        events,
        apprise_post.make_ready,
    )
    line.start()
    notifier.ready()
    say("herald_ready", f"ready: {'short messages by ' + port if port else 'no modem'}")
    while not office.stopping:
        office.turn(TURN_S)
        notifier.beat()
        notifier.status(office.status())
    notifier.stopping()
    until_s = mono_s() + LAST_WORDS_S
    while office.lanes.busy() and (left_s := until_s - mono_s()) > 0:
        office.finish(min(left_s, 0.1))
    line.stop()
    if modem is not None:
        modem.close()
    book.close()
    say("herald_stopped", "stopped")


def _wall_ms() -> int:
    return wall_ms()


if __name__ == "__main__":
    sys.exit(main())
