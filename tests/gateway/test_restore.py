"""A gateway.db that cannot be read: the hall goes on with the newest good backup and all that can still be read."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway import notebook as notebook_module
from gateway.backup_sets import backups_of, sets_in
from gateway.notebook import copy_notebook, open_reader
from gateway.restore import JUMP
from tests.gateway.car_park import CarPark
from tests.gateway.held_hall import HeldClock, HeldHall
from tests.parts import gateway

PAGE = 4096


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def halls(tmp_path: Path, clock: HeldClock) -> Iterator[Callable[[], HeldHall]]:
    """Start the hall; start it again after it has died."""
    started: list[HeldHall] = []

    def start() -> HeldHall:
        started.append(HeldHall(tmp_path, clock))
        return started[-1]

    yield start
    for one in started:
        one.die()


def back_up(home: Path, number: int = 1, moment: str = "20261118T010000Z") -> Path:
    folder = home / "backups" / f"{number:06d}-{moment}"
    folder.mkdir(parents=True)
    copy_notebook(home / "gateway.db", folder / "gateway.db")
    return folder


def claim(hall: HeldHall, device: str, person: str) -> None:
    answer = hall.order("claim_device", device_id=device, kind="call_button", name=device, person=person)
    assert answer["ok"] is True


def spoil(path: Path, *pages: int) -> None:
    """Overwrite pages (the first is 1; page 1 holds the schema) with noise."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(random.Random(page).randbytes(PAGE))


def root_page(path: Path, table: str) -> int:
    reader = open_reader(path)
    try:
        return int(
            reader.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
        )
    finally:
        reader.close()


def calls(hall: HeldHall) -> dict[int, str]:
    return {call_id: call.state for call_id, call in sorted(hall.loop.state.calls.items())}


def a_day(hall: HeldHall, home: Path) -> None:
    """Two claims, a call taken, a backup; then another claim, the call closed, two more calls."""
    claim(hall, "btn-01", "张奶奶")
    hall.press("btn-01", "a:1")
    hall.order("accept_call", call_id=1, by="小李")
    hall.press("btn-02", "b:1")
    back_up(home)
    hall.after_s(1800)
    claim(hall, "btn-03", "王爷爷")
    hall.order("close_call", call_id=1, by="小李", outcome="helped")
    hall.press("btn-03", "c:1")
    hall.press("btn-04", "d:1")
    assert calls(hall) == {1: "CLOSED", 2: "HEARD", 3: "HEARD", 4: "HEARD"}


def test_the_header_is_gone_the_backup_takes_its_place_and_numbers_go_on(
    halls: Callable[[], HeldHall], tmp_path: Path
) -> None:
    """Nothing can be read by SQLite; the bytes still name the calls."""
    hall = halls()
    a_day(hall, tmp_path)
    epoch = hall.book.epoch
    hall.die()
    spoil(tmp_path / "gateway.db", 1)

    again = halls()
    assert calls(again) == {1: "COMING", 2: "HEARD"}, "as the backup knew them"
    assert again.loop.state.devices["btn-01"].person == "张奶奶", "and whose button it is"
    part = again.part("notebook")
    assert part["state"] == "degraded"
    assert "2026-11-18 09:00" in str(part["why_zh"]) and "2026-11-18 09:00" in str(part["why_en"])
    assert "others may be lost" in str(part["why_en"]) and "可能丢失" in str(part["why_zh"])
    assert f"begin at {4 + JUMP + 1}" in str(part["why_en"])
    assert again.book.epoch != epoch
    again.press("btn-05", "e:1")
    assert max(calls(again)) == 4 + JUMP + 1, "calls 3 and 4 were spoken of; nobody else gets their numbers"
    assert (tmp_path / again.book.quarantined).exists(), "kept: somebody may still save what is in it"


def test_a_page_of_the_journal_is_gone_and_no_call_is_lost(
    halls: Callable[[], HeldHall], tmp_path: Path
) -> None:
    hall = halls()
    a_day(hall, tmp_path)
    hall.die()
    spoil(tmp_path / "gateway.db", root_page(tmp_path / "gateway.db", "journal"))

    again = halls()
    assert calls(again) == {1: "CLOSED", 2: "HEARD", 3: "HEARD", 4: "HEARD"}
    assert again.loop.state.devices["btn-03"].person == "王爷爷", "a claim since the backup"
    again.press("btn-04", "d:1")
    assert calls(again)[4] == "HEARD" and again.loop.state.calls[4].presses == 1, "a repeat is still a repeat"
    assert 5 not in calls(again)
    again.press("btn-05", "e:1")
    assert 5 in calls(again), "every number that was given is known: no gap"
    again.after_s(60)
    assert again.overdue(3) and again.overdue(4), "their minutes have come with them"


def test_the_table_of_calls_is_torn_and_what_is_on_both_sides_of_the_tear_is_found(
    halls: Callable[[], HeldHall], tmp_path: Path
) -> None:
    hall = halls()
    claim(hall, "btn-01", "张奶奶")
    back_up(tmp_path)
    for number in range(1, 201):
        hall.press("btn-01", f"a:{number}")
        hall.order("close_call", call_id=number, by="小李", outcome="test", note="一" * 60)
    hall.press("btn-01", "a:999")
    hall.die()
    raw = (tmp_path / "gateway.db").read_bytes()
    marks = [
        at // PAGE + 1 for at in range(0, len(raw), PAGE) if raw[at : at + PAGE].count("一".encode() * 60) > 5
    ]
    spoil(tmp_path / "gateway.db", marks[len(marks) // 2])

    again = halls()
    (found,) = again.book.connection.execute("SELECT count(*) FROM calls").fetchone()
    assert 150 < found < 201
    assert again.loop.state.calls[201].state == "HEARD", "the newest, which rings, is there"
    assert again.part("notebook")["state"] == "degraded"
    again.order("close_call", call_id=201, by="小李", outcome="test")
    again.press("btn-01", "a:1000")
    assert max(calls(again)) == 201 + JUMP + 1


def test_the_newest_backup_is_bad_and_the_one_before_it_is_taken(
    halls: Callable[[], HeldHall], tmp_path: Path
) -> None:
    hall = halls()
    claim(hall, "btn-01", "张奶奶")
    back_up(tmp_path, 9, "20361118T010000Z")  # taken while the clock was ten years ahead
    newest = back_up(tmp_path, 10, "20261118T020000Z")
    hall.die()
    spoil(newest / "gateway.db", 2, 3, 4, 5)
    (tmp_path / "gateway.db").write_bytes(b"rotten" * 9000)
    again = halls()
    assert again.loop.state.devices["btn-01"].person == "张奶奶"
    assert "2036-11-18" in str(again.part("notebook")["why_en"])


def test_without_any_backup_it_begins_with_what_can_be_read_and_says_so(
    halls: Callable[[], HeldHall], tmp_path: Path
) -> None:
    hall = halls()
    claim(hall, "btn-01", "张奶奶")
    for number in range(1, 30):
        hall.press("btn-01", f"a:{number}")
        hall.order("close_call", call_id=number, by="小李", outcome="test")
    hall.die()
    spoil(tmp_path / "gateway.db", root_page(tmp_path / "gateway.db", "journal"))
    again = halls()
    assert "no good backup" in str(again.part("notebook")["why_en"])
    assert "没有可用的自动备份" in str(again.part("notebook")["why_zh"])
    assert again.loop.state.devices["btn-01"].person == "张奶奶" and max(calls(again)) == 29
    again.press("btn-02", "b:1")
    assert max(calls(again)) == 30


def test_a_page_turns_out_damaged_while_the_hall_runs_and_it_mends_itself(
    halls: Callable[[], HeldHall], tmp_path: Path, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large notebook is not read whole at start: the damage comes to light with a press. It rings from memory,
    and a second later from the restored notebook; nobody restarts anything."""
    monkeypatch.setattr(notebook_module, "CHECK_WHOLE_BYTES", 0)
    hall = halls()
    a_day(hall, tmp_path)
    hall.die()
    spoil(tmp_path / "gateway.db", root_page(tmp_path / "gateway.db", "presses"))
    again = halls()
    assert again.book.quarantined == "" and calls(again)[4] == "HEARD"
    again.press("btn-05", "e:1")
    rung = [one["call"] for one in again.told if one["fact"] == "CallChanged"]
    assert [(call["device_id"], call["written"]) for call in rung] == [("btn-05", False)]  # type: ignore[index]
    again.after_s(1.1)
    again.turn()
    assert again.part("notebook")["state"] == "degraded" and again.book.quarantined
    assert calls(again) == {1: "CLOSED", 2: "HEARD", 3: "HEARD", 4: "HEARD", 5: "HEARD"}
    assert again.waiting_for_disk == 0
    assert any(one["fact"] == "Snapshot" and one["epoch"] == again.book.epoch for one in again.told)


@pytest.mark.parametrize("step", ["put_back", "salvage"])
def test_the_power_goes_in_the_middle_of_a_rescue_and_it_is_done_again(
    halls: Callable[[], HeldHall], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    hall = halls()
    a_day(hall, tmp_path)
    hall.die()
    spoil(tmp_path / "gateway.db", root_page(tmp_path / "gateway.db", "journal"))

    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(f"gateway.restore.GatewayRescue.{step}", cut)
        with pytest.raises(PowerCut):
            halls()
    again = halls()
    assert calls(again) == {1: "CLOSED", 2: "HEARD", 3: "HEARD", 4: "HEARD"}
    assert len(list(tmp_path.glob("*.corrupt-*[0-9]"))) == 1
    assert not list(tmp_path.glob("*.rescuing")) + list(tmp_path.glob("*.restoring"))


@pytest.mark.parametrize("how", ["emptied", "deleted"])
def test_a_notebook_that_is_empty_or_gone_is_a_loss_and_not_a_new_hall(
    halls: Callable[[], HeldHall], tmp_path: Path, how: str
) -> None:
    hall = halls()
    assert hall.part("notebook")["state"] == "ready", "a new hall begins with nothing, and that is no loss"
    a_day(hall, tmp_path)
    hall.die()
    if how == "emptied":
        (tmp_path / "gateway.db").write_bytes(b"")
    else:
        (tmp_path / "gateway.db").unlink()
    again = halls()
    assert again.part("notebook")["state"] == "degraded"
    assert calls(again) == {1: "COMING", 2: "HEARD"}
    again.press("btn-05", "e:1")
    assert max(calls(again)) > 1000


def test_a_meal_that_is_ordered_still_waits_for_its_days_end_and_a_call_that_was_taken_still_expires(
    halls: Callable[[], HeldHall], tmp_path: Path
) -> None:
    """The timers of calls that are open come along, and one whose page was lost is set anew: no meal rings at two."""
    hall = halls()
    claim(hall, "btn-01", "张奶奶")
    hall.press("btn-01", "a:1")
    hall.order("accept_call", call_id=1, by="小李")
    for person_id in ("p-1", "p-2"):
        assert hall.order("put_person", person_id=person_id, name="王爷爷", by="小李")["ok"]
    day = "2026-11-19"
    hall.order("put_menu", day=day, meal="lunch", dish="鱼", price_fen=1200, cutoff_min=600, by="周")
    hall.order("order_meal", person_id="p-1", day=day, meal="lunch", by="小李")
    hall.order("order_meal", person_id="p-2", day=day, meal="lunch", by="小李")
    hall.press("btn-02", "b:1")
    hall.order("close_call", call_id=4, by="小李", outcome="test")
    waiting = hall.loop.state.timers
    assert {"call:1:coming", "call:2:meal", "call:3:meal"} <= set(waiting)
    due_ms, expires_ms = waiting["call:2:meal"].due_ms, waiting["call:1:coming"].due_ms
    hall.after_s(300)
    hall.book.write(
        lambda db: (
            db.execute("DELETE FROM timers WHERE timer_id = 'call:3:meal'"),
            db.execute(
                "INSERT INTO timers(timer_id, kind, subject, set_ms, after_ms, due_ms)"
                " VALUES ('call:4:step', 'step', 'call:4', 0, 1, 1), ('call:9:meal', 'meal', 'call:9', 0, 1, 1)"
            ),
        )
    )
    back_up(tmp_path)
    hall.die()
    spoil(tmp_path / "gateway.db", 1)

    again = halls().loop.state
    assert again.timers["call:1:coming"].due_ms == expires_ms, "not five minutes later"
    assert again.timers["call:3:meal"].due_ms == due_ms == again.timers["call:2:meal"].due_ms
    assert not {"call:2:coming", "call:3:coming", "call:4:step", "call:9:meal"} & set(again.timers)


def test_zones_count_their_bays_again(halls: Callable[[], HeldHall], tmp_path: Path) -> None:
    hall = halls()
    hall.order("claim_device", device_id="s1", kind="bay_sensor", bay_id="e1", zone_id="east")
    back_up(tmp_path)
    hall.order("claim_device", device_id="s2", kind="bay_sensor", bay_id="e2", zone_id="east")
    hall.die()
    spoil(tmp_path / "gateway.db", root_page(tmp_path / "gateway.db", "bays"))
    again = halls()
    zone = again.loop.state.zones["east"]
    bays = [bay for bay in again.loop.state.bays.values() if bay.zone_id == "east"]
    assert (zone.total, zone.unknown) == (len(bays), len(bays))


def test_bays_of_a_backup_are_unknown_until_their_sensors_speak(tmp_path: Path) -> None:
    park = CarPark(tmp_path)
    for number in range(3):
        park.bay(f"s{number}", f"e{number}")
        park.ours(f"s{number}", number > 0)
    park.done("close_bay", bay_id="e2")
    park.turn()
    back_up(tmp_path)
    park.ours("s0", True)
    park.turn()
    park.die()
    spoil(tmp_path / "gateway.db", root_page(tmp_path / "gateway.db", "bays"))
    park.begin()
    assert park.counts() == (0, 0, 2, 1) and park.panel().text == "空位 --", "not free, as it was an hour ago"
    park.ours("s0", True)
    park.ours("s1", True)
    park.turn()
    assert park.counts() == (0, 2, 0, 1)
    park.adds_up()
    park.die()


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [range(32), pytest.param(range(32, 200), marks=pytest.mark.long)], ids=str)
@pytest.mark.parametrize("check_up_to", [0, notebook_module.CHECK_WHOLE_BYTES], ids=["large", "small"])
def test_damage_of_any_kind_ends_in_a_hall_that_hears_a_press(
    tmp_path: Path, clock: HeldClock, monkeypatch: pytest.MonkeyPatch, check_up_to: int, seeds: range
) -> None:
    """Notebooks, each damaged in another way by a held seed; checked whole at start, and not."""
    monkeypatch.setattr(notebook_module, "CHECK_WHOLE_BYTES", check_up_to)
    source = tmp_path / "source"
    source.mkdir()
    hall = HeldHall(source, clock)
    a_day(hall, source)
    hall.die()
    clock.pass_s(60)
    whole = (source / "gateway.db").read_bytes()
    newest = []
    for seed in seeds:
        chance = random.Random(seed)
        home = tmp_path / str(seed)
        shutil.copytree(source, home)
        data = bytearray(whole)
        match seed % 4:
            case 0:  # torn off
                data = data[: chance.randrange(len(data))]
            case 1:  # pages of noise
                for _ in range(chance.randint(1, 6)):
                    at = chance.randrange(len(data) // PAGE) * PAGE
                    data[at : at + PAGE] = chance.randbytes(PAGE)
            case 2:  # pages of nothing: a card that has forgotten
                for _ in range(chance.randint(1, 6)):
                    at = chance.randrange(len(data) // PAGE) * PAGE
                    data[at : at + PAGE] = bytes(PAGE)
            case 3:  # single bytes
                for _ in range(200):
                    data[chance.randrange(len(data))] = chance.randrange(256)
        (home / "gateway.db").write_bytes(data)
        again = HeldHall(home, clock)
        again.press("btn-09", "z:1")
        again.after_s(1.1)
        again.turn()
        rings = [call for call in again.loop.state.calls.values() if call.device_id == "btn-09"]
        assert [(call.state, call.presses) for call in rings] == [("HEARD", 1)], seed
        assert again.part("notebook")["state"] in ("ready", "degraded"), seed
        verdict = again.book.connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        assert verdict == "ok" or not again.book.quarantined, seed
        newest.append(rings[0].call_id)
        again.die()
    assert min(newest) >= 3


def test_where_backups_are_and_what_is_none(tmp_path: Path) -> None:
    assert backups_of(tmp_path, {}) == tmp_path / "backups"
    assert backups_of(tmp_path, {"LINLI_BACKUPS": "/mnt/stick"}) == Path("/mnt/stick")
    for name in ("000002-20261118T010000Z", "000010-20251118T010000Z", ".part-000011", "holiday", "000003"):
        (tmp_path / name).mkdir()
    assert [one.number for one in sets_in(tmp_path)] == [10, 2]
    assert sets_in(tmp_path / "nowhere") == []


@pytest.mark.slow
def test_the_gateway_itself_starts_on_a_rotten_notebook_and_a_button_is_heard(tmp_path: Path) -> None:
    with gateway(tmp_path / "home") as hall:
        hall.seat().order(
            "claim_device", device_id="btn-01", kind="call_button", name="3栋302", person="张奶奶"
        )
        back_up(hall.home)
        hall.process.stop()
        (hall.home / "gateway.db").write_bytes(os.urandom(50_000))
        hall.start()
        button = hall.device("linli/v1/button/btn-01/written", "linli/v1/lamp/btn-01/set")
        button.press("btn-01", "9f3a77c0d1e2b4f5", 1)
        button.wait_heard("linli/v1/button/btn-01/written", seq=1)
        snapshot = hall.seat().snapshot
        (part,) = [one for one in snapshot["parts"] if one["part"] == "notebook"]
        assert part["state"] == "degraded" and "gateway.db.corrupt-" in part["why_zh"]
        assert [call["person"] for call in snapshot["calls"]] == ["张奶奶"]
