"""The loop: gather → decide → write → tell. The latency-critical core; everything else waits for it, never it.

Theory of operation. One thread owns the selector, the broker's sockets, the desk's sockets and the notebook. A turn
looks at the doors, decides what is urgent (calls, pins, orders), writes all changes in one transaction, and only then
tells: lamps, the doorbell to the screens, "written" and PUBACK to the device, answers to orders; the words for them are
put together while the disk writes (meanwhile.py). Group commit needs no timer: while one commit runs, arrivals gather.
Telemetry is read for a millisecond a turn, kept small in a lane of its own (telemetry.py) and decided in turns in which
nobody calls, or, on a slow disk, in the transaction of a call.

If the notebook cannot be written, nothing of the batch becomes state: its arrivals wait, in order, and are tried
again every second (held.py); staff are alarmed from memory (``written: false``), no lamp is lit, nothing is
acknowledged.

What each clever line is worth is in docs/measurements.md, "The loop".
"""

from __future__ import annotations

import logging
import selectors
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo

from devices.faults import NotWritten
from devices.messages import Pressed, Released, ShowCount
from devices.plan import Panel
from gateway import report
from gateway.arrival import Arrival
from gateway.deciding import Decider
from gateway.hall.parking_rows import WordOrder
from gateway.hall.rows import Path
from gateway.hall.state import Bay, Change, Decision, Device, HallState
from gateway.held import Held
from gateway.housekeeping import anything_to_tidy, tidy
from gateway.lanes import UrgentLane
from gateway.lateness import Lateness
from gateway.log import say
from gateway.long_orders import LongOrders
from gateway.notebook import CHECKPOINT_PAGES, Notebook
from gateway.panel_watch import PanelWatch
from gateway.parking_rounds import ParkingRounds
from gateway.presence import Presences
from gateway.rounds import Rounds
from gateway.settling import Settler
from gateway.store import load_state, write_changes
from gateway.telemetry import LONGEST_PAUSE_NS, Telemetry
from gateway.teller import Batch, Mouths, Teller
from gateway.timers import MISTAKES, Clock, Timers
from gateway.views import Json

#: Reading telemetry takes at most this long a turn; then the doors are looked at again. Some 50 messages.
READING_NS = 1_000_000
#: A disk whose commit costs more than this is slow: there telemetry travels in the transaction of a call rather than
#: making the next call wait for one of its own. (One commit here 0.2-0.5 ms, a good SD card 8, an old one 80.)
SLOW_COMMIT_NS = 2_000_000
#: Where there is never an idle moment, or never a quiet one, the log may grow to this (32 MiB) before it is moved.
BUSY_PAGES = 8 * CHECKPOINT_PAGES
#: A slow disk takes two syncs and more for a checkpoint: it waits until nobody has called for so long.
QUIET_NS = 200_000_000
#: The words of so many changes are put together while the disk writes: a press has six to ten. Of more, the lamp's
#: would come late if the screens' had to be ready too.
FEW_CHANGES = 32
#: How often a notebook that refused is tried again.
RETRY_S = 1.0


class Loop:
    """The hall's event loop.

    :param book: gateway.db; only this loop writes it. Where it could not be opened yet, the loop alarms from memory
        and begins with what the hall knew as soon as it can be read.
    :param hall_buttons: the buttons on our own pins, id → name: wiring, so nobody has to claim them.

    ``read_telemetry(until_ns)`` is the door of telemetry, set by ``__main__``: not opened by the selector but in its
    own time, when its wire has set ``telemetry_ready``. It says whether more is left to read.
    """

    def __init__(
        self,
        book: Notebook,
        panels: tuple[Panel, ...],
        hall_buttons: Mapping[str, str],
        mouths: Mouths,
        clock: Clock,
        zone: tzinfo = UTC,
        languages: tuple[str, ...] = ("zh",),
    ) -> None:
        self.selector = selectors.DefaultSelector()
        self.state = HallState(zone=zone, languages=languages)
        self.counts: Counter[str] = Counter()
        self.turns = 0
        self.presences = Presences()
        self.lateness = Lateness()
        self.teller = Teller(mouths, clock)
        self.timers = Timers(clock)
        self.urgent = UrgentLane()
        self.telemetry = Telemetry()
        self.held = Held(self.counts, self.teller)
        self.read_telemetry: Callable[[int], bool] = lambda _until_ns: False
        self.telemetry_ready = False
        #: told in the moment in which somebody calls, before anything is decided (awake.py)
        self.on_call: Callable[[int], None] = lambda _now_ns: None
        self._book = book
        self._decider = Decider(
            book, panels, clock, self.presences, self.counts, self.telemetry.waits_for
        )
        self._clock = clock
        self._commit_ns = 0.0
        #: a commit that is not accounted for yet: began, ended, how many changes
        self._commit: tuple[int, int, int] | None = None
        self._looked_ns = 0
        self._last_urgent_ns = 0
        #: since when telemetry that was due has been overtaken in every turn; 0: it was not
        self._overtaken_since_ns = 0
        self._disk_refuses = False
        #: the hall as it would be if what is held were written
        self._held_child: HallState | None = None
        #: since when it does, as those see it who are held, monotonic; 0: nobody had to wait
        self._refuses_since_ns = 0
        self._stopping = False
        self.timers.every(RETRY_S, self._retry)
        self.settler = Settler(self.timers, clock, self.take)
        self.rounds = Rounds(self, clock, hall_buttons, panels)
        self.parking = ParkingRounds(self, clock, panels)
        self.panels = PanelWatch(self, clock, panels)
        self.long_orders = LongOrders(self, clock)
        self._epoch = ""
        self._book_life = 0
        self._began_ms = clock.now_ms()
        self._book_is_open()

    def _begin(self, state: HallState) -> None:
        """Take up where the last commit left off, in a notebook that we have not read before."""
        was_down = "notebook" in self.teller.parts
        self._take_up(state)
        self._epoch = self._book.epoch
        # Numbers given from memory, before the notebook could be read, may be those of calls that are in it.
        self.held.provisional.clear()
        self._decider.forget()
        self._held_child = None
        self.rounds.begin()
        for count in state.shown.values():
            self.panels.told(count)
        self.long_orders.resume(state)
        self.teller.part_is("notebook", *self._book.standing)
        if was_down:
            self.teller.all_anew(self.snapshot())

    def _take_up(self, state: HallState) -> None:
        # What no notebook knows: where the hall is, and who is listening.
        known = self.state
        state.zone, state.languages, state.consoles = known.zone, known.languages, known.consoles
        state.settling = known.settling
        self.state = state

    def _book_is_open(self) -> bool:
        """False while the notebook cannot be opened. Whenever it was opened anew, what the hall knows is read anew."""
        wrong: NotWritten | None = None
        for _ in range(2):  # a damaged page that the reading itself brings to light is put aside at once
            if not self._book.try_open():
                wrong = NotWritten(self._book.trouble, self._book.trouble_zh)
                break
            if self._book_life == self._book.lives:
                return True
            try:
                state = self._book.read(lambda connection: load_state(connection, self._clock.now_ms()))
            except NotWritten as unreadable:
                wrong = unreadable
                continue
            self._book_life = self._book.lives
            if self._book.epoch == self._epoch:
                self._read_again(state)
            else:
                self._begin(state)
            return True
        assert wrong is not None
        self._notebook_is_down(wrong)
        return False

    def _read_again(self, state: HallState) -> None:
        """A commit that was refused may have happened after all (gateway/notebook.py says how): look."""
        before = self.state
        self._take_up(state)
        self._decider.forget()
        self._held_child = None
        self.rounds.resume()
        for device_id in state.devices:
            self.presences.changed(device_id)
        if state.calls != before.calls:
            self.teller.all_anew(self.snapshot())

    # ---------------------------------------------------------------- gather

    def take(self, arrival: Arrival) -> None:
        """A door hands something in: into its lane."""
        if arrival.urgent:
            if not self.long_orders.takes(arrival):
                self.urgent.put(arrival)
        else:
            self.telemetry.put(arrival)

    def stop(self) -> None:
        self._stopping = True

    def run(self, each_turn: Callable[[], None]) -> None:
        """Turn until :meth:`stop`; ``each_turn`` is the watchdog's beat."""
        while not self._stopping:
            self.turn()
            each_turn()
        # Nobody who has knocked is left standing: one more look at the doors, and all calls that are in the house.
        for key, mask in self.selector.select(0.0):
            key.data(mask)
        while self.urgent:
            self._handle(self.urgent.take())
        self._handle(self.settler.hurry(self.state.settling.values()))
        self.rounds.persist_seen(at_once=len(self.state.devices))
        self.parking.persist_vitals()
        self.parking.persist_words()

    def turn(self, longest_wait_s: float = 1.0) -> None:
        """One turn: look at the doors; calls and orders; a millisecond of reading telemetry, or a batch of it."""
        clock, spent = self._clock, self.lateness.spent
        wait_s = self._wait_s(longest_wait_s)
        began_ns = clock.monotonic_ns()
        if self._looked_ns:
            self.lateness.away.add((began_ns - self._looked_ns) / 1000)
        doors = self.selector.select(wait_s)
        self._looked_ns = looked_ns = clock.monotonic_ns()
        for key, mask in doors:
            key.data(mask)
        read_ns = clock.monotonic_ns()
        if doors:
            spent("read", looked_ns, read_ns)
        self.turns += 1
        if self.timers.run_due():
            spent("timers", read_ns, clock.monotonic_ns())
        if self.urgent:
            self.on_call(looked_ns)
            self._last_urgent_ns = looked_ns
            batch = self.urgent.take()
            if self._rides_along(looked_ns):
                batch += self._take_telemetry(looked_ns)
            self._handle(batch)
        elif self._telemetry_is_due() and not self._a_call_will_take_it(looked_ns):
            self._handle(self._take_telemetry(looked_ns))
        if self.telemetry_ready:
            began_ns = clock.monotonic_ns()
            self.telemetry_ready = self.read_telemetry(began_ns + READING_NS)
            spent("telemetry", began_ns, clock.monotonic_ns())
        if self.long_orders.waits:
            began_ns = clock.monotonic_ns()
            self.long_orders.step()
            spent("long order", began_ns, clock.monotonic_ns())
        if not self.urgent:
            self._rest(idle=not doors and not self.telemetry_ready)

    def _take_telemetry(self, now_ns: int) -> list[Arrival]:
        self._overtaken_since_ns = 0
        return self.telemetry.take(now_ns, self._commit_ns)

    def _rides_along(self, now_ns: int) -> bool:
        """Telemetry in the transaction of a call: on a slow disk; and where calls leave it no turn of its own."""
        if self.held or not self._telemetry_is_due():
            return False
        self._overtaken_since_ns = self._overtaken_since_ns or now_ns
        return self._commit_ns > SLOW_COMMIT_NS or now_ns - self._overtaken_since_ns >= LONGEST_PAUSE_NS

    def _a_call_will_take_it(self, now_ns: int) -> bool:
        """On a slow disk, while calls keep coming, telemetry waits a while for the next one's transaction."""
        return (
            self._commit_ns > SLOW_COMMIT_NS
            and now_ns - self._last_urgent_ns < QUIET_NS
            and not self.telemetry.waits_too_long(now_ns)
        )

    def _rest(self, *, idle: bool) -> None:
        """Move the write-ahead log into the file: between calls, and on a slow disk not soon after one."""
        began_ns = self._clock.monotonic_ns()
        slow = self._commit_ns > SLOW_COMMIT_NS
        quiet = idle and (not slow or began_ns - self._last_urgent_ns > QUIET_NS)
        if self._book.rest(CHECKPOINT_PAGES if quiet else BUSY_PAGES):
            self.lateness.spent("checkpoint", began_ns, self._clock.monotonic_ns())
        elif quiet:
            self._book.make_room()

    def _wait_s(self, longest_s: float) -> float:
        if self.urgent or self.telemetry_ready or self.long_orders.waits:
            return 0.0
        now_ns = self._clock.monotonic_ns()
        due_in_s = None if self._disk_refuses else self.telemetry.due_in_s(now_ns, self._commit_ns)
        if due_in_s == 0.0 and self._a_call_will_take_it(now_ns):
            due_in_s = 0.005
        return self.timers.wait_s(longest_s if due_in_s is None else min(longest_s, due_in_s))

    def _telemetry_is_due(self) -> bool:
        return (
            not self._disk_refuses
            and self.telemetry.due_in_s(self._clock.monotonic_ns(), self._commit_ns) == 0.0
        )

    # ---------------------------------------------------------------- decide

    def _handle(self, batch: list[Arrival]) -> None:
        if self.held:
            # What waits for the disk goes first: order is part of the truth.
            self._hold(batch)
            return
        try:
            written = self._write(batch)
        except MISTAKES as wrong:
            # A mistake of ours that one message brings out must not stop the hall, nor come back with every
            # redelivery: it is searched for by halves (some 16 commits in a batch of 256), and set aside aloud.
            if len(batch) > 1:
                self._handle(batch[: len(batch) // 2])
                self._handle(batch[len(batch) // 2 :])
            else:
                self.set_aside(batch[0], wrong)
            return
        if written is None:
            self._hold(batch)
        else:
            self._tell(written)

    def set_aside(self, arrival: Arrival, wrong: Exception) -> None:
        """A mistake of ours that this one brings out: said aloud, and not tried again; but a press still rings."""
        self.counts["set_aside"] += 1
        say(
            "set_aside",
            f"{arrival.what}: could not be decided ({type(wrong).__name__}: {wrong}); this is a fault of Linli, "
            "please report it with this line",
            level=logging.ERROR,
        )
        # Of some presses only the release arrives; one that merely says how things stand is never a press.
        presses = [
            fact
            for fact in arrival.facts
            if isinstance(fact, Pressed) or (isinstance(fact, Released) and not fact.level)
        ]
        if presses and not (isinstance(presses[0], Pressed) and presses[0].doubtful):
            # Whatever was odd about it, somebody pressed: the plainest press of that device must still ring.
            # With its number, where that is sound: then the button hears "written" and need not repeat it for ever.
            odd = presses[0]
            press_id = odd.press_id if isinstance(odd.press_id, str) else ""
            family = odd.family if press_id else "set aside"
            plain = Pressed(str(odd.device_id), press_id, doubtful=True, family=family)
            self._handle([replace(arrival, facts=(plain,))])
            return
        if presses:
            self.teller.part_is(
                "gateway",
                "degraded",
                f"{arrival.what}：这条呼叫没能处理，请马上去看一下",
                f"{arrival.what}: this call could not be handled, please go and look",
            )
        if arrival.answer is not None:
            arrival.answer(
                {
                    "ok": False,
                    "fault": "refused",
                    "why_zh": "这个指令没能执行，请告诉技术员",
                    "why_en": "this order could not be carried out, please tell the technician",
                }
            )
        if arrival.ack is not None:
            arrival.ack()

    def _write(self, arrivals: list[Arrival]) -> Batch | None:
        """Decide and write a batch. None: nothing of it was written, and it is not state either."""
        if not self._book_is_open():
            return None
        began_ns = self._clock.monotonic_ns()
        batch = Batch(arrivals, self._clock.now_ms())

        def decide() -> list[Change]:
            self._decider.batch(batch, self.state)
            batch.decided_ns = self._clock.monotonic_ns()
            self.lateness.spent("decide", began_ns, batch.decided_ns)
            return batch.changes

        if not self._attempt(decide, lambda: self.teller.put_together(batch)):
            self._decider.settling.clear()
            return None
        self.held.provisional.clear()
        return batch

    def _attempt(
        self, decide: Callable[[], list[Change]], meanwhile: Callable[[], None] | None = None
    ) -> bool:
        """Decide on the state and put it on disk. Where either fails, by a mistake of ours too, it is as it was."""
        on_disk = False
        self.state.begin()
        try:
            on_disk = self._put_on_disk(decide(), meanwhile)
        finally:
            if on_disk:
                self.state.keep()
            else:
                self.state.take_back()
        return on_disk

    def _put_on_disk(self, changes: list[Change], meanwhile: Callable[[], None] | None = None) -> bool:
        if not changes:
            return True
        began_ns = self._clock.monotonic_ns()
        try:
            self._book.write(
                lambda connection: write_changes(connection, changes, self._clock.now_ms()),
                meanwhile if len(changes) <= FEW_CHANGES else None,
            )
        except NotWritten as wrong:
            self._notebook_is_down(wrong)
            return False
        self._commit = (began_ns, self._clock.monotonic_ns(), len(changes))
        return True

    def _account_for_commit(self) -> None:
        """What follows from a commit that went well; nobody waits for it, so it is done after the lamps."""
        if self._commit is None:
            return
        (began_ns, ended_ns, count), self._commit = self._commit, None
        took_ns = ended_ns - began_ns
        # What a commit costs these days: the mean of about the last ten.
        self._commit_ns += (took_ns - self._commit_ns) / 10
        self.lateness.commits.add(took_ns / 1000, f"{count} changes", self._clock.now_ms())
        self.lateness.spent("commit", began_ns, ended_ns)
        self._disk_refuses = self.telemetry.squeezed = False
        if self._refuses_since_ns and not self.held:
            self.lateness.refused(self._refuses_since_ns, began_ns)
            self._refuses_since_ns = 0
        self.teller.part_is("notebook", *self._book.standing)

    def _notebook_is_down(self, wrong: NotWritten) -> None:
        self._disk_refuses = self.telemetry.squeezed = True
        self._refuses_since_ns = self._refuses_since_ns or self._clock.monotonic_ns()
        self.teller.part_is(
            "notebook",
            "down",
            f"呼叫记录写不进去（{wrong.why_zh}）：呼叫仍会响，但指示灯不亮、不算已收到",
            f"{wrong}. Calls still ring from memory, lamps stay dark, nothing is acknowledged",
        )

    def _tell(self, batch: Batch) -> None:
        written_ns = self._clock.monotonic_ns()
        self.teller.tell_devices(batch)
        self._account_for_commit()
        if self._decider.settling:
            self.settler.follow(self._decider.settling)
            self._decider.settling.clear()
        self.rounds.alarms.follow(batch.changes, batch.now_ms)
        for change in batch.changes:
            if isinstance(change, (Device, Bay)):
                # Whatever this device says next is looked at again.
                self.presences.changed(change.device_id)
            elif isinstance(change, Path):
                self.rounds.look_at_paths()
            elif isinstance(change, ShowCount):
                self.panels.told(change)
        self.teller.tell_people(batch, self.state)
        told_ns = self._clock.monotonic_ns()
        self.lateness.spent("tell", written_ns, told_ns)
        decided_ns = batch.decided_ns or written_ns
        for arrival in batch.arrivals:
            times_ns = (arrival.arrived_ns, decided_ns, written_ns, told_ns)
            late = self.lateness.told(arrival.lane, arrival.what, times_ns, batch.now_ms)
            if late is not None:
                told_ms, waited_for, waited_ms = late
                say(
                    "late",
                    f"told {told_ms:.0f} ms after arrival: {arrival.what} ({waited_ms:.0f} ms of it: {waited_for}; "
                    f"{len(batch.arrivals)} in the batch)",
                    level=logging.WARNING,
                )

    # ---------------------------------------------------------------- when the disk refuses

    def _hold(self, batch: list[Arrival]) -> None:
        """Keep what could not be written, and alarm staff from memory."""
        self.telemetry.put_back([arrival for arrival in batch if not arrival.urgent])
        self.held.keep([arrival for arrival in batch if arrival.urgent])
        for arrival in batch:
            live = arrival.fields.get("live") if arrival.order == "consoles" else None
            if type(live) is int and live >= 0:
                self.state.consoles = live  # who listens is nobody's memory: it is so, whatever the disk says
        # What is held is decided once: nothing else changes the state while the disk refuses.
        child, news = self._held_child, self.held.news()
        if child is None:
            child, news = self.state.child(), list(self.held)
            self._held_child = child
        odd: list[tuple[Arrival, Exception]] = []
        for arrival in news:
            try:
                for fact in arrival.facts:
                    child.put(self._decider.fact(fact, arrival, child))
            except MISTAKES as wrong:
                odd.append((arrival, wrong))
        self.held.alarm(self.state, child)
        for arrival, mistake in odd:
            # As in _handle: it must not stop the hall, least of all now.
            self.held.drop(arrival)
            self.set_aside(arrival, mistake)

    def _retry(self) -> None:
        if not self._book_is_open():
            return
        if not self._disk_refuses:
            # A reserve that was given up may be laid in again: no write need come for that to be said.
            self.teller.part_is("notebook", *self._book.standing)
        # Telemetry is tried with the next call, or by itself if nobody calls.
        self._disk_refuses = False
        waiting = self.held.take()
        self._held_child = None
        if not waiting:
            return
        self._handle(waiting)
        if not self.held:
            say(
                "notebook_back",
                f"the notebook is back: {len(waiting)} facts that waited are on disk",
                part="notebook",
            )

    # ---------------------------------------------------------------- what no arrival asked for

    def decide(self, rule: Callable[[HallState, int], Decision]) -> bool:
        """A decision that no arrival asked for: a timer's. False: it could not be written; ask again later."""
        if not self._book_is_open():
            return False
        now_ms = self._clock.now_ms()
        decision = Decision()

        def ask() -> list[Change]:
            nonlocal decision
            decision = rule(self.state, now_ms)
            self.state.put(decision)
            self._decider.panels_follow(decision, self.state, now_ms)
            self._decider.words_follow(decision, self.state)
            return decision.changes

        if not self._attempt(ask):
            return False
        if decision.changes:
            self._tell(Batch([], now_ms, decision.changes, decision.effects))
        return True

    def word_of(self, device_id: str) -> WordOrder | None:
        """Which of its words is its newest, where that is not on disk."""
        return self._decider.word_of(device_id, self.state)

    def write(self, changes: Callable[[], list[Change]]) -> bool:
        """Put on disk what is state already ("last seen"), as it is once the notebook is open. False: it refuses."""
        written = self._book_is_open() and self._put_on_disk(changes())
        self._account_for_commit()
        return written

    def tidy(self, timezone: str) -> bool:
        """One small step of housekeeping. False: there is nothing to tidy (for a long while)."""
        if not self._book_is_open():
            return True
        now_ms = self._clock.now_ms()
        try:
            if not self._book.read(lambda connection: anything_to_tidy(connection, now_ms)):
                return False
            self._book.write(lambda connection: tidy(connection, now_ms, timezone))
        except NotWritten as wrong:
            self._notebook_is_down(wrong)
        return True

    def snapshot(self) -> Json:
        """Everything a screen needs to begin with."""
        self.rounds.refresh_seen([device_id for device_id, _ in self.presences.unsaved()])
        return report.snapshot(self.state, self.held.provisional, self.teller, self._epoch, self._clock.now_ms())

    def statistics(self) -> Json:
        """docs/protocol.md, `statistics`, as far as the loop knows them."""
        return {
            "since_ms": self._began_ms,
            "now_ms": self._clock.now_ms(),
            "turns": self.turns,
            **report.process(),
            "counts": {**self.counts, "conflated": self.telemetry.conflated},
            "waiting": {"urgent": len(self.urgent), "telemetry": len(self.telemetry), "disk": len(self.held)},
            "timers": self.rounds.alarms.as_json(),
            "clock": {"known": self.rounds.believed.known, "why": self.rounds.believed.why},
            **self.lateness.as_json(),
        }
