"""Effectively once: a slip is interrupted at its every byte: the bridge dies, the power is cut, the paper ends.

First with the clock held, at every single offset of five slips (tests/firmware_bridge/held_printer.py). Then with real
processes on pseudo-terminals: `jobs` slips, each of them interrupted, offset after offset, and a slip waiting behind
each. Counted: confirmed, UNSURE, marked 补打; unmarked duplicates, confirmed and not on paper, missing without a word,
stray bytes: all four must be 0; the time until it goes again: at most 5 s, starting the bridge anew included.

``make campaign ARGS="paper jobs=500 halls=2 held=1"``: about ten minutes on two cores. A machine that is busy with
other things starts the bridge late: the load is told beside the times.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.campaign._words import parameters
from tests.firmware_bridge.held_printer import Tally, Trial
from tests.firmware_bridge.paper_hall import TICKET, Hall, slip
from tests.firmware_bridge.test_every_offset import HARMS, checkers, rare

#: issue's bar, and what a turn of the loop may add to it.
AGAIN_MS = 5000
BAUD = 19200
#: How long the printer's power is off: longer than the shortest that a printer needs to wake up.
OFF_S = 0.8
ENDS = ("PRINTED", "UNSURE")


def main(words: list[str]) -> int:
    given = parameters(words, jobs=500, halls=2, held=1)
    worst = _held() if given["held"] else 0
    return max(worst, _real(int(given["jobs"]), int(given["halls"])))


def ticket(words: str) -> dict[str, Any]:
    """A whole ticket with this number."""
    text = json.dumps(TICKET, ensure_ascii=False).replace("政务 B031", words)
    body: dict[str, Any] = json.loads(text)
    return body


# ---------------------------------------------------------------- the clock held


def _held() -> int:
    # A trial interrupts thousands of slips: each would be said.
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    worst = 0
    try:
        for profile, baud, body, what in (
            ("generic80", 9600, slip, "short slip, GS r"),
            ("generic80", 9600, ticket, "ticket, GS r"),
            ("epson-tm-t82", 9600, ticket, "ticket, GS ( H"),
            ("generic80", 19200, rare, "raster, GS r"),
            ("epson-tm-t82", 19200, rare, "raster, GS ( H"),
        ):
            for harm, (harms, heals) in HARMS.items():
                with tempfile.TemporaryDirectory(prefix="linli-paper-") as folder:
                    trial = Trial(Path(folder), body, profile=profile, baud=baud, draw=checkers)
                    length = trial.learn()
                    for offset in range(1, length):
                        trial.run(offset, harms, heals)
                    trial.close()
                bad = not trial.tally.clean or max(trial.tally.again_ms) > AGAIN_MS
                worst = max(worst, int(bad))
                print(f"  held, {what}, {harm}: {trial.tally}{'   WRONG' if bad else ''}", flush=True)
                _tell(trial.tally)
    finally:
        logging.disable(before)
    return worst


def _tell(tally: Tally) -> None:
    for name in ("unmarked_twice", "false_word", "lost", "strays"):
        for one in getattr(tally, name)[:3]:
            print(f"    {name}: {one[:300]}")


# ---------------------------------------------------------------- real processes


class Bench:
    """One hall of the trial. Each `one` interrupts one slip."""

    def __init__(self, home: Path, profile: str, body: Callable[[str], dict[str, Any]]) -> None:
        self.hall = Hall(home, profile=profile, baud=BAUD)
        self.body = body
        self.tally = Tally()
        #: The longest until it went again, ms, by what had happened.
        self.slowest: dict[str, int] = {}
        self.seen = 0
        self.hall.printer.start()
        self.hall.panel.start()
        self.hall.printer.do("slow", bps=BAUD)
        self.hall.start_bridge()
        self.hall.wait_for(self.hall.printer_row, state="ready")
        before = self.hall.printer.state()["received"]
        self.hall.wait_job(self.hall.order(self.body("政务 A0000")), "PRINTED", 20)
        self.length = self.hall.printer.state()["received"] - before
        (self.expected,) = self._new_pieces()

    def _new_pieces(self) -> list[str]:
        """The texts that came out since the last time; the virtual printer keeps the last 200."""
        printed = self.hall.printer.state()["printed"]
        folder = self.hall.printer.paper_dir
        texts = [(folder / f"{n}.txt").read_text(encoding="utf-8") for n in range(self.seen + 1, printed + 1)]
        self.seen = printed
        return texts

    def one(self, number: int, harm: str) -> None:
        """``harm``: kill, power, paper."""
        offset = 12 + number * 7 % self.length
        name, other = f"政务 B{number:04}", f"政务 C{number:04}"
        printer, hall = self.hall.printer, self.hall
        received = printer.state()["received"]
        if harm == "power":
            printer.do("power_off", after_bytes=offset)
        elif harm == "paper":
            printer.do("paper_out", after_bytes=offset)
        first, second = hall.order(self.body(name)), hall.order(self.body(other))
        printer.wait_until(lambda state: state["received"] >= received + offset, 20)
        if harm == "kill":
            hall.stop_bridge(signal.SIGKILL)
            well = time.monotonic()
            hall.start_bridge()
        else:
            threading.Event().wait(OFF_S)
            well = time.monotonic()
            printer.do("power_on" if harm == "power" else "paper_in")
        # Going again: the next slip goes out, the one behind or the same one marked.
        hall.wait_for(lambda: {"goes": self._goes(first, second, harm)}, 30, goes=True)
        self.tally.again_ms.append(int((time.monotonic() - well) * 1000))
        states = [self._end(slip_id) for slip_id in (first, second)]
        printer.wait_until(lambda state: state["in_buffer"] == 0, 10)
        texts = self._new_pieces()
        self.slowest[harm] = max(self.slowest.get(harm, 0), self.tally.again_ms[-1])
        # Where the first was over already, it was the one behind it that was hit.
        hit = name if states[0] != "PRINTED" or any("补打" in text for text in texts) else other
        for words, state in zip((name, other), states, strict=True):
            self._judge(f"{harm} at {offset}", words, state, texts, words == hit)
        self.tally.offsets += 1

    def _goes(self, first: int, second: int, harm: str) -> bool:
        if self.hall.job(second).get("state", "QUEUED") != "QUEUED":
            return True
        return harm == "paper" and self.hall.job(first).get("attempts", 0) > 1

    def _end(self, slip_id: int) -> str:
        def ended() -> dict[str, Any]:
            state = self.hall.job(slip_id).get("state", "")
            return {"state": state, "ended": state in ENDS}

        return str(self.hall.wait_for(ended, 40, ended=True)["state"])

    def _judge(self, where: str, words: str, state: str, texts: list[str], hit: bool) -> None:
        self.tally.states[state] += 1
        whole = self.expected.replace("政务 A0000", words).strip()
        plain = sum(text.strip() == whole for text in texts)
        again = sum("补打" in text and text.strip().endswith(whole) for text in texts)
        self.tally.marked += again
        told = f"{where}: {words} {state} {plain}+{again} {texts}"
        if plain > 1:
            self.tally.unmarked_twice.append(told)
        if state == "PRINTED" and not plain + again:
            near = any(words in text for text in texts)
            (self.tally.strays if near else self.tally.false_word).append(told)
        if state not in ENDS:
            self.tally.lost.append(told)
        if not hit and (state != "PRINTED" or plain != 1):
            self.tally.strays.append(told)

    def close(self) -> None:
        self.hall.close()


#: What each hall of the real trial is, in turn.
KINDS: list[tuple[str, Callable[[str], dict[str, Any]]]] = [
    ("generic80", ticket),
    ("epson-tm-t82", rare),
    ("epson-tm-t82", ticket),
    ("generic80", rare),
]


def _real(jobs: int, halls: int) -> int:
    benches: list[Bench] = []
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="linli-paper-") as folder:
        try:
            for number in range(halls):
                benches.append(Bench(Path(folder) / str(number), *KINDS[number % len(KINDS)]))  # noqa: PERF401  # closed below

            def trial(place: int) -> None:
                # Every job is one of a pair: the interrupted one, and the one behind it.
                for number in range(place, jobs // 2, halls):
                    try:
                        benches[place].one(number, ("power", "kill", "paper")[number // halls % 3])
                    except (TimeoutError, OSError, AssertionError) as wrong:
                        faults.append(f"hall {place}, pair {number}: {wrong!r:.600}")
                        return

            threads = [threading.Thread(target=trial, args=(place,)) for place in range(halls)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            for bench in benches:
                bench.close()
    worst = 0
    print(f"  (the machine's load at the end: {os.getloadavg()[0]:.1f}; a bridge that is started anew takes its part)")
    for (profile, body), bench in zip(KINDS * halls, benches, strict=False):
        bad = not bench.tally.clean or max(bench.tally.again_ms, default=0) > AGAIN_MS
        worst = max(worst, int(bad))
        words = f"{profile}, {body.__name__}, {bench.length} bytes"
        print(f"  real, {words}: {bench.tally} {bench.slowest}{'   WRONG' if bad else ''}", flush=True)
        _tell(bench.tally)
    for fault in faults:
        print(f"  NOT ENDED: {fault}", file=sys.stderr)
    return 1 if faults else worst
