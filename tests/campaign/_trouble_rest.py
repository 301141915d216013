"""Faults of the machine and of ourselves: the wall clock jumps, memory is short, a codec of ours raises."""

from __future__ import annotations

import json
import resource
import threading
import time
from pathlib import Path

from tests.campaign._buttons import spread
from tests.campaign._trouble import Hall, Outcome, hall
from tests.campaign._units import rss_kb
from tests.flood import Flood
from tests.parts import Device, Seat

DAY_NS = 24 * 3600 * 10**9
#: What the flooded gateway may take on top of what it has (a Pi of 1 GB has as much to spare).
MORE_MEMORY = 64 << 20

#: A codec file of ours has a mistake: whatever zigbee2mqtt says, reading it raises one of these in turn.
RAISING = """
import itertools
import devices.codecs as codecs
class Odd(Exception): pass
wrong = itertools.cycle([ZeroDivisionError, KeyError, AttributeError, RecursionError, AssertionError, OSError, Odd,
                         NotImplementedError, StopIteration, UnicodeDecodeError, MemoryError])
def read(heard):
    kind = next(wrong)
    raise kind("utf-8", b"", 0, 1, "x") if kind is UnicodeDecodeError else kind("a mistake in a codec")
codecs._envelopes["zigbee2mqtt"] = read
"""


def wall_clock(folder: Path, given: dict[str, int]) -> Outcome:
    """The wall clock jumps a day ahead, two back, to 1970 and home, while the hall lives, and at restarts."""
    outcome = Outcome("")
    waits: list[float] = []
    with hall(folder) as one:
        seat = Seat(one.units.house.gateway_socket)
        order = {"device_id": "s1", "kind": "bay_sensor", "bay_id": "e1", "zone_id": "east", "by": "t"}
        seat.order("claim_device", **order)
        seat.order("claim_device", device_id="b0", kind="call_button", by="t")
        seat.close()
        life = Life(one.units.mqtt_port)
        # Home last: a hall whose clock was wrong must live on with the right one.
        jumps = {"+1 day": DAY_NS, "-1 day": -DAY_NS, "1970": -time.time_ns() + 10**9, "home": 0}
        for restarted in (False, True):
            for name, offset_ns in jumps.items():
                one.shim.set(wall_offset_ns=offset_ns)
                when = f"restarted at {name}" if restarted else name
                if restarted:
                    one.restart()
                pressing = one.press(20)
                outcome.expect(one.all_written(pressing), f"{when}: {len(pressing.unwritten)} never written")
                if not restarted:
                    waits += [press.waited_ms for press in pressing.written]
                _nothing_invented(one, when, outcome, overdue=not (restarted and offset_ns >= 0))
        outcome.expect(one.false_written() == 0, "called written and not there")
        outcome.expect(one.doubled() == 0, "a call counts a press twice")
        life.close()
    outcome.counts = f"4 jumps and 4 restarts after a jump; presses under way {spread(waits)}"
    return outcome


class Life(threading.Thread):
    """The bay s1 (taken) and the button b0 say a word every two seconds, and promise one a minute."""

    def __init__(self, port: int) -> None:
        super().__init__(name="life", daemon=True)
        self._device = Device(port)
        self._end = threading.Event()
        self.start()

    def run(self) -> None:
        seq = 0
        while not self._end.wait(2.0 if seq else 0.0):
            seq += 1
            self._device.say(
                "linli/v1/bay/s1/state", {"boot": "w", "seq": seq, "occupied": True, "every_s": 60}
            )
            self._device.say("linli/v1/button/b0/status", {"boot": "w", "every_s": 60})

    def close(self) -> None:
        self._end.set()
        self.join(30)
        self._device.close()


def _nothing_invented(one: Hall, when: str, outcome: Outcome, *, overdue: bool) -> None:
    """No device is called silent and no call overdue because a clock was moved. The sweep comes every 5 s.

    ``overdue``: a call of the last half minute must not be. (Started again with a clock that is ahead nobody can tell
    from a night without power, and a call that rings louder too soon does no harm.)
    """
    threading.Event().wait(5.5)
    seat = Seat(one.units.house.gateway_socket)
    ill = [
        device["device_id"]
        for device in seat.snapshot["devices"]
        if device["health"] in ("silent", "offline")
    ]
    bays = {bay["bay_id"]: bay["state"] for bay in seat.snapshot["bays"]}
    newest = {press.device for press in one.buttons[-1].presses.values()}
    loud = [
        call["device_id"]
        for call in seat.snapshot["calls"]
        if call["overdue"] and call["device_id"] in newest
    ]
    seat.close()
    outcome.expect(not set(ill) & {"s1", "b0"}, f"{when}: called silent {ill}")
    outcome.expect(bays.get("e1") == "taken", f"{when}: the bay is {bays.get('e1')}")
    outcome.expect(not (overdue and loud), f"{when}: called overdue {loud}")


def short_memory(folder: Path, given: dict[str, int]) -> Outcome:
    """The gateway may take 64 MiB more and not a byte beyond, and is flooded (10,000/s, then rubbish names)."""
    outcome = Outcome("")
    with hall(folder) as one:
        one.all_written(one.press(5))
        pid = one.units.pid("gateway")
        size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (size + MORE_MEMORY, size + MORE_MEMORY))
        before = rss_kb(pid)
        waits: list[float] = []
        for words in (("--bays", "500"), ("--bays", "20000", "--prefix", "odd")):
            flood = Flood(one.units.mqtt_port, 10_000, *words)
            pressing = one.press(given["depth"] * 50, 10.0)
            lived = one.all_written(pressing, 30.0 + given["depth"] * 5)
            outcome.expect(
                lived, f"{len(pressing.unwritten)} presses never written under the flood of {words}"
            )
            flood.stop()
            waits += [press.waited_ms for press in pressing.written]
        outcome.expect(one.units.pid("gateway") == pid, "the gateway died")
        grown = rss_kb(one.units.pid("gateway")) - before
        outcome.counts = f"resident {before} KiB + {grown} KiB; presses under the floods {spread(waits)}"
        return outcome


def raising_codec(folder: Path, given: dict[str, int]) -> Outcome:
    """A codec of ours raises at every message of its family: counted, named, and nobody else notices."""
    outcome, said = Outcome(""), 44
    with hall(folder, boot=RAISING) as one:
        device = Device(one.units.mqtt_port)
        pressing = one.press(40)
        for number in range(said):
            device.say(f"zigbee2mqtt/0x{number % 7}", {"action": "single", "n": number})
        outcome.expect(one.all_written(pressing), f"{len(pressing.unwritten)} presses never written")
        lives = sum("gateway ready" in line for line in one.units.lines["gateway"])
        if lives > 1 or not one.wait_part("gateway", "ready", patience_s=3.0):
            device.close()
            outcome.expect(False, f"the gateway died of it, {lives} lives so far: {_last_words(one)}")
            return outcome
        seat = Seat(one.units.house.gateway_socket)
        counts = seat.order("statistics")["statistics"]["counts"]
        seat.close()
        device.close()
        # What a codec is known to stumble over is rubbish; what nobody expected of it is a fault of ours.
        counted = counts.get("garbage", 0) + counts.get("codec_failed", 0)
        outcome.expect(counted == said, f"counted {counted} of {said}")
        named = sum("zigbee2mqtt/0x" in line for line in one.units.lines["gateway"])
        outcome.expect(named >= 7, f"only {named} of 7 sources are named")
        waits = [press.waited_ms for press in pressing.written]
        outcome.counts = f"{said} messages that raise: {json.dumps(counts)}; presses {spread(waits)}"
        return outcome


def _last_words(one: Hall) -> str:
    return " | ".join(line.strip() for line in one.units.lines["gateway"][-2:])
