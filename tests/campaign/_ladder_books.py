"""What the books must say of ladders after a trial: a walk through each call's journal beside a ladder on paper.

Independent of the rules: it knows only what was arranged (_ladder_hall.py), what docs/protocol.md says of ladders, and
when the gateway was dead. ``judge`` takes plain rows, so that a test can spoil them.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from herald import wording
from tests.campaign._ladder_hall import HELPERS, LADDERS, Ladder

#: A step may be this much early: clocks are read at two moments, and a row has whole milliseconds.
TICK_MS = 20
#: A step may be this late beside what the gateway was dead for; our bar for taking up again after a restart.
LATE_MS = 2_000
#: Two repetitions, and two messages to one address about one call, lie this far apart (docs/protocol.md).
AGAIN_MS = 60_000
STOPS = frozenset({"Accepted", "Arrived", "Closed"})
RINGS = frozenset({"Pressed", "AcceptanceExpired", "ReopenedUntaken", "PressedLater"})

Row = Mapping[str, Any]


@dataclass(slots=True)
class Life:
    """One death of a process: when it was killed, started again, and ready; wall time in ms."""

    dead_ms: int
    started_ms: int
    ready_ms: int


@dataclass(slots=True)
class Verdict:
    """What was wrong, with an example each, and how long steps waited."""

    wrong: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    #: steps that fell due while the gateway was dead: ms from its start, and from its being ready
    after_start_ms: list[float] = field(default_factory=list)
    after_ready_ms: list[float] = field(default_factory=list)
    #: all steps that followed another: ms late, dead time left out
    late_ms: list[float] = field(default_factory=list)
    told: int = 0
    skipped: int = 0
    rung_anew: int = 0
    repeated: int = 0

    def expect(self, held: bool, name: str, example: object = "") -> None:
        if not held:
            self.wrong[name] += 1
            self.examples.setdefault(name, str(example))


def is_empty(step: tuple[str, int, tuple[str, ...]]) -> str:
    """Why nobody can be reached on this step; "": somebody can. No console listens."""
    who, _, acts = step
    if "message" in acts and any(ways for _, ways in HELPERS.get(who, ())):
        return ""
    first = "no_console " if "console" in acts else ""
    return first + ("no_channel" if who in HELPERS else "nobody_on_duty")


def judge_steps(
    verdict: Verdict,
    calls: Iterable[Row],
    steps: Iterable[Row],
    journal: Iterable[tuple[int, str, str]],
    deaths: Sequence[Life],
    end_ms: int,
) -> None:
    """``journal``: (at_ms, event, subject) in its order."""
    of_call: dict[int, list[Row]] = defaultdict(list)
    for row in steps:
        of_call[int(row["call_id"])].append(row)
    told_of: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for at_ms, event, subject in journal:
        what, _, number = subject.partition(":")
        if what == "call" and (event in STOPS or event in RINGS or event == "Step"):
            told_of[int(number)].append((at_ms, event))
    for call in calls:
        call_id = int(call["call_id"])
        rows = sorted(of_call.pop(call_id, []), key=lambda row: (row["turn"], row["step"]))
        _walk(verdict, call, rows, told_of[call_id], deaths, end_ms)
    verdict.expect(not of_call, "steps of a call that is not there", list(of_call)[:3])


def _walk(
    verdict: Verdict,
    call: Row,
    rows: list[Row],
    told: list[tuple[int, str]],
    deaths: Sequence[Life],
    end_ms: int,
) -> None:
    """Each time the call rang, beside a ladder on paper."""
    name, ladder, turn, at = f"call {call['call_id']} ({call['kind']})", LADDERS[call["kind"]], 0, 0
    last = len(ladder) - 1
    rings = False
    for place, (at_ms, event) in enumerate(told):
        # A ladder's first line stands in the transaction of what made it ring, maybe before its line.
        begins = told[place + 1 : place + 2] and told[place + 1][1] in RINGS and told[place + 1][0] == at_ms
        verdict.expect(event != "Step" or rings or bool(begins), "told after somebody had come", name)
        rings = event in RINGS or (rings and event not in STOPS)
    for place, (began_ms, event) in enumerate(told):
        if event not in RINGS:
            continue
        stopped_ms = next((at_ms for at_ms, later in told[place + 1 :] if later in STOPS), None)
        until_ms = end_ms if stopped_ms is None else stopped_ms
        verdict.rung_anew += turn > 0
        turn, index, due_ms = turn + 1, 0, began_ms
        while True:
            # Empty steps are skipped in the moment in which somebody further up is told.
            expected = []
            while is_empty(ladder[index]):
                expected.append((turn, index, "skipped", is_empty(ladder[index])))
                index += 1
            expected.append((turn, index, "told", ""))
            mine, at = rows[at : at + len(expected)], at + len(expected)
            have = [(row["turn"], row["step"], row["state"], row["why"]) for row in mine]
            if have != expected:
                verdict.expect(False, "not the steps of the ladder", f"{name}: {have}, expected {expected}")
                return
            _one_step(verdict, name, ladder[index], mine, due_ms, deaths, follows=due_ms > began_ms)
            told_ms = int(mine[-1]["at_ms"])
            wait_ms = ladder[index][1] * 1000
            due_ms = told_ms + (max(wait_ms, AGAIN_MS) if index == last else wait_ms)
            next_row = rows[at] if at < len(rows) else None
            if next_row is None or _begins(next_row, turn, index, ladder) or due_ms - until_ms > LATE_MS:
                late = until_ms - due_ms - _dead_ms(deaths, due_ms, until_ms)
                verdict.expect(
                    late <= LATE_MS,
                    "a step is lost",
                    f"{name}: after {expected[-1]} the next was due {late} ms before it stopped ringing",
                )
                break
            if index == last:
                turn, verdict.repeated = turn + 1, verdict.repeated + 1
            else:
                index += 1
    verdict.expect(at >= len(rows), "a step too many", f"{name}: {[dict(row) for row in rows[at : at + 2]]}")


def _begins(row: Row, turn: int, index: int, ladder: Ladder) -> bool:
    """Whether this row is no sequel of a step, but of the ladder begun anew."""
    return bool(row["turn"] > turn and not (index == len(ladder) - 1 and row["step"] == index))


def _one_step(
    verdict: Verdict,
    name: str,
    step: tuple[str, int, tuple[str, ...]],
    mine: list[Row],
    due_ms: int,
    deaths: Sequence[Life],
    *,
    follows: bool,
) -> None:
    """The rows of one climb: all at one moment, at its time, to everybody who is on duty and nobody else."""
    told = mine[-1]
    at_ms = int(told["at_ms"])
    verdict.told, verdict.skipped = verdict.told + 1, verdict.skipped + len(mine) - 1
    verdict.expect(all(row["at_ms"] == at_ms for row in mine), "skipped at another time", f"{name}: {mine}")
    helpers = sorted(json.loads(told["helpers"]))
    wanted = sorted(helper_id for helper_id, _ in HELPERS.get(step[0], ()))
    verdict.expect(helpers == wanted, "not told to whoever is on duty", f"{name}: {helpers}, not {wanted}")
    late_ms = at_ms - due_ms
    verdict.expect(late_ms >= -TICK_MS, "a step too early", f"{name}: {-late_ms} ms, {dict(told)}")
    late_ms -= _dead_ms(deaths, due_ms, at_ms)
    verdict.expect(late_ms <= LATE_MS, "a step too late", f"{name}: {late_ms} ms, {dict(told)}")
    if not follows:
        return
    verdict.late_ms.append(max(0.0, late_ms))
    # The newest life before it: it may have died more than once while the step waited.
    death = next((one for one in reversed(deaths) if one.started_ms <= at_ms), None)
    if death is not None and due_ms <= death.ready_ms:
        verdict.after_start_ms.append(at_ms - death.started_ms)
        verdict.after_ready_ms.append(max(0.0, at_ms - death.ready_ms))


def judge_messages(
    verdict: Verdict,
    steps: Iterable[Row],
    messages: Iterable[Row],
    heard: Iterable[tuple[str, int]],
    herald_deaths_ms: Sequence[int],
    waited_ms: int,
) -> Counter[str]:
    """``heard``: ("<call>:<turn>:<helper>:<way>", wall ms) of all that came to telephones; ``waited_ms``: until when it
    was waited for them. A call that was left alone reminds on: what it said later may still be on its way.

    Returns how many messages are in which state.
    """
    by_id = {str(row["message_id"]): row for row in messages}
    wanted: set[str] = set()
    newest: dict[tuple[int, str, int], int] = {}
    for row in sorted(steps, key=lambda one: (one["at_ms"], one["turn"], one["step"])):
        if row["state"] != "told":
            continue
        acts = next(acts for who, _, acts in LADDERS[row["kind"]] if who == row["who"])
        for helper_id, ways in HELPERS[row["who"]] if "message" in acts else ():
            for way in range(ways):
                message_id = f"call:{row['call_id']}:{row['turn']}:{row['step']}:{helper_id}:{way}"
                about = (int(row["call_id"]), helper_id, way)
                # Whoever has only just got one about this call is left alone (a ladder that was begun anew).
                since_ms = row["at_ms"] - newest.get(about, -AGAIN_MS)
                if message_id not in by_id and since_ms < AGAIN_MS:
                    verdict.expect(
                        since_ms < AGAIN_MS - TICK_MS,
                        "a reminder is swallowed",
                        f"{message_id}: {since_ms} ms",
                    )
                    continue
                wanted.add(message_id)
                if message_id in by_id and by_id[message_id]["state"] != "void":
                    newest[about] = row["at_ms"]
    verdict.expect(not wanted - by_id.keys(), "a message is missing", sorted(wanted - by_id.keys())[:3])
    verdict.expect(not by_id.keys() - wanted, "a message too many", sorted(by_id.keys() - wanted)[:3])
    # A link names call, turn and helper, who stands on one step of a ladder.
    of_link = {
        f"{row['call_id']}:{row['turn']}:{row['helper_id']}:{name.rpartition(':')[2]}": name
        for name, row in by_id.items()
    }
    came: dict[str, list[int]] = defaultdict(list)
    for words, at_ms in heard:
        came[of_link.get(words, words)].append(at_ms)
    verdict.expect(
        not came.keys() - by_id.keys(), "a message from nowhere", list(came.keys() - by_id.keys())[:3]
    )
    states: Counter[str] = Counter()
    for message_id, row in by_id.items():
        state, times = row["state"], sorted(came[message_id])
        replaced = state == "failed" and row["why"] in (wording.REPLACED, wording.CALL_OVER)
        states["failed: replaced by a newer one, or its call was over" if replaced else state] += 1
        states["came twice, across a kill"] += len(times) > 1
        if state in ("sent", "answered"):
            verdict.expect(bool(times), f"called {state} and never came", message_id)
        on_its_way = state == "queued" and row["created_ms"] > waited_ms
        verdict.expect(state != "queued" or on_its_way, "still waiting at the end", dict(row))
        verdict.expect(state != "failed" or replaced, "failed though its telephone works", dict(row))
        for first_ms, second_ms in pairwise(times):
            verdict.expect(
                any(first_ms - TICK_MS <= dead_ms <= second_ms for dead_ms in herald_deaths_ms),
                "came twice without a kill",
                f"{message_id}: {second_ms - first_ms} ms apart",
            )
    return states


def judge_timers(calls: Iterable[Row], timers: Iterable[Row]) -> list[str]:
    """Open calls that nobody's timer watches. (A meal that is ordered has its day's end.)"""
    names = {str(row["timer_id"]) for row in timers}

    def is_watched(call: Row) -> bool:
        words = ("step",) if call["state"] == "HEARD" else ("coming", "meal")
        return any(f"call:{call['call_id']}:{word}" in names for word in words)

    return [
        f"call {call['call_id']} {call['state']}"
        for call in calls
        if call["state"] != "CLOSED" and not is_watched(call)
    ]


def _dead_ms(deaths: Sequence[Life], from_ms: int, to_ms: int) -> int:
    """How long the gateway was dead between two moments."""
    return sum(max(0, min(one.ready_ms, to_ms) - max(one.dead_ms, from_ms)) for one in deaths)
