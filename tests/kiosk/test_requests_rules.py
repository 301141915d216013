"""The rules of requests: which there are, what may be asked, how one lives, by when somebody answers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.catalogue import Catalogue, FirstResponse
from kiosk.rules import request_life as life
from kiosk.rules.hours import Book, HallDay, Week
from kiosk.rules.request_life import CLOSED, LIFE, OPEN, STATE_WORDS, Event, State, StepRefused
from kiosk.rules.request_notes import NoteWrong, read_note
from kiosk.rules.request_slip import compose_request
from kiosk.rules.requests import (
    EXTRA,
    FIELD_WORDS,
    FIELDS,
    KINDS,
    PLACES,
    SIGNS,
    Both,
    FieldNotAsked,
    RequestWrong,
    clean,
    kinds_of,
    locked_ms,
    masked_name,
    masked_phone,
    may_ask,
    must_ask,
    not_asked,
    note_wrong,
)
from tests.kiosk.note_samples import ogg, png, webm

TODAY = date(2026, 11, 22)  # a Sunday
SHANGHAI = timezone(timedelta(hours=8))
OFFICE = Book(Week(dict.fromkeys(range(1, 6), ((9 * 60, 12 * 60), (14 * 60, 17 * 60)))))


def ms(day: str, clock: str = "10:00") -> int:
    return round(datetime.fromisoformat(f"{day}T{clock}:00+08:00").timestamp() * 1000)


# ---------------------------------------------------------------- kinds and fields


def test_every_item_that_residents_ask_for_has_a_kind_and_no_other_has(catalogue: Catalogue) -> None:
    for service in catalogue.services:
        assert bool(kinds_of(service.code)) == (service.kind in ("request", "report")), service.code


def test_a_kind_asks_only_what_its_item_may_ask_and_every_word_of_the_catalogue_is_known(catalogue: Catalogue) -> None:
    known = frozenset().union(*FIELDS.values())
    for service in catalogue.services:
        assert set(service.kiosk_fields) <= known, service.code
        for kind in kinds_of(service.code):
            assert not_asked(service.kiosk_fields, kind.fields) == (), kind.code
            assert set(kind.places) <= set(PLACES)
            assert kind.zh
            assert kind.en
            assert not kind.urgent or (kind.first is not None and service.time_limit.first_response.urgent_minutes)
            assert all(number in ("110", "119", "120") for number in kind.dial), "only what is a fact everywhere"


@pytest.mark.parametrize("name", FIELDS)
def test_no_item_takes_a_field_that_it_may_not_ask_for(name: str, catalogue: Catalogue) -> None:
    """All 31 items: those with tickets may ask for nothing at all."""
    asking = {one.code for one in catalogue.services if may_ask(one.kiosk_fields, name)}
    for service in catalogue.services:
        assert (not_asked(service.kiosk_fields, [name]) == ()) == (service.code in asking)
        assert service.code not in asking or not service.needs_ticket
        for kind in kinds_of(service.code):
            if service.code in asking or name in ("voice", "drawing"):
                continue
            field = {"extra": {name: "x"}} if name in EXTRA else {name: "x"}
            with pytest.raises(FieldNotAsked) as refused:
                clean(kind, service.kiosk_fields, {"place": (kind.places or ("",))[0], **field}, TODAY)
            assert refused.value.field == name
            assert FIELD_WORDS[name].zh in refused.value.why_zh
            assert FIELD_WORDS[name].en in refused.value.why_en


GOOD = {
    "place": "home", "building": "3栋", "unit": "2", "room": "502",
    "name": "张大伟", "phone": "138 1234-5678", "words": "漏",
}  # fmt: skip


def test_what_is_given_is_taken_as_it_is_meant(catalogue: Catalogue) -> None:
    fields = catalogue.service("WY-01").kiosk_fields  # type: ignore[union-attr]
    asked = clean(KINDS["leak"], fields, GOOD, TODAY)
    assert (asked.building, asked.phone, asked.name, asked.words) == ("3栋", "13812345678", "张大伟", "漏")
    day = clean(
        KINDS["health_day"], catalogue.service("ZW-14").kiosk_fields,  # type: ignore[union-attr]
        {"name": "王", "phone": "0851-12345678", "extra": {"birth_year": 1948, "preferred_day": "2026-11-30"}}, TODAY,
    )  # fmt: skip
    assert day.extra == {"birth_year": "1948", "preferred_day": "2026-11-30"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"building": ""}, "building"),
        ({"place": "moon"}, "place"),
        ({"place": ""}, "place"),
        ({"phone": "12"}, "phone"),
        ({"phone": "１３８１２３４５６７８"}, "phone"),
        ({"name": "长" * 21}, "name"),
        ({"words": "长" * 501}, "words"),
        ({"words": "half a sign \ud800"}, "words"),
        ({"words": "a\0b"}, "words"),
        ({"name": "\u202egnp.exe"}, "name"),
        ({"words": "我的身份证 52010319480101123X"}, "words"),
        ({"building": "<script>"}, "building"),
        ({"words": ["a"]}, "words"),
        ({"extra": "x"}, "extra"),
        ({"id_card": "1"}, "id_card"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_its_field_in_both_languages(
    wrong: dict[str, object], field: str, catalogue: Catalogue
) -> None:
    fields = catalogue.service("WY-01").kiosk_fields  # type: ignore[union-attr]
    with pytest.raises(RequestWrong) as refused:
        clean(KINDS["leak"], fields, {**GOOD, **wrong}, TODAY)
    assert refused.value.field == field
    (refused.value.why_zh + refused.value.why_en).encode()  # can be told
    assert refused.value.why_zh != refused.value.why_en


def test_a_lift_may_not_ask_for_words_but_its_own_sentences_are_no_personal_field(catalogue: Catalogue) -> None:
    fields = catalogue.service("WY-02").kiosk_fields  # type: ignore[union-attr]
    where = {"place": "lift", "building": "3"}
    assert clean(KINDS["trapped"], fields, {**where, "words": "有人困在电梯里"}, TODAY).words == "有人困在电梯里"
    with pytest.raises(FieldNotAsked):
        clean(KINDS["trapped"], fields, {**where, "words": "我叫张伟"}, TODAY)
    own = (Both("卡在三楼", "Stuck on the third floor"),)
    assert clean(KINDS["trapped"], fields, {**where, "words": "卡在三楼"}, TODAY, own).words == "卡在三楼"


def test_what_is_needed_is_named(catalogue: Catalogue) -> None:
    meal = catalogue.service("ZW-15").kiosk_fields  # type: ignore[union-attr]
    assert [name for name in KINDS["meal"].fields if must_ask(KINDS["meal"], meal, name)] == [
        "building", "name", "phone", "meal_choice",
    ]  # fmt: skip
    leak = catalogue.service("WY-01").kiosk_fields  # type: ignore[union-attr]
    assert must_ask(KINDS["leak"], leak, "building", "home")
    assert not must_ask(KINDS["leak"], leak, "building", "yard")
    assert not must_ask(KINDS["leak"], leak, "phone", "home"), "the catalogue calls it optional"


@pytest.mark.parametrize(
    ("name", "masked"),
    [("", ""), ("伟", "伟"), ("张伟", "张*"), ("张大伟", "张*伟"), ("欧阳小明", "欧**明"), ("Johnathan", "J***n")],
)
def test_a_name_is_masked(name: str, masked: str) -> None:
    assert masked_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("", ""), ("13812345678", "138****5678"), ("085112345678", "085****5678"), ("8612345", "****45")],
)
def test_a_phone_is_masked(phone: str, masked: str) -> None:
    assert masked_phone(phone) == masked


# ---------------------------------------------------------------- the life of a request


def test_the_table_says_everything_of_every_step() -> None:
    assert set(STATE_WORDS) == set(get_args(State)) == OPEN | CLOSED
    assert set(LIFE) | {"received", "undo"} == set(get_args(Event))
    for row in LIFE.values():
        assert row.console.zh
        assert row.console.en
        assert row.event == "note" or (row.told.zh and row.told.en), "its resident reads what happens"
        assert row.needs_words == ("{words}" in row.told.zh or row.event == "note")


@pytest.mark.parametrize(
    ("events", "answered_ms"),
    [
        (["received"], None),
        (["received", "say", "note"], None),
        (["received", "accept", "undo"], None),
        (["received", "accept", "undo", "say", "refer"], 4),
        (["received", "say", "accept", "start", "undo", "done"], 2),
    ],
)
def test_a_request_is_answered_by_a_step_that_stands(events: list[str], answered_ms: int | None) -> None:
    assert life.answered_ms((event, number) for number, event in enumerate(events)) == answered_ms


@settings(max_examples=100)
@given(st.lists(st.sampled_from([*LIFE, "undo"]), max_size=12))
def test_however_staff_touch_it_a_request_stands_where_its_steps_say(touched: Sequence[str]) -> None:
    """Walk over the table: what is refused changes nothing, what is undone is as before, nothing leads out of it."""
    state: State = "RECEIVED"
    done: list[str] = []
    for event in touched:
        if event == "undo":
            if done and done[-1] != "undo" and LIFE[done[-1]].to is not None:  # type: ignore[index]
                state = life.state_before(done[:-1])
                done.append("undo")
            continue
        if event not in [one.event for one in life.steps_from(state)]:
            with pytest.raises(StepRefused, match=STATE_WORDS[state].en):
                life.step(state, event)
            continue
        state = life.step(state, event).to or state
        done.append(event)
        assert life.state_before(done) == state
    assert state in STATE_WORDS
    assert (state in OPEN) == bool({"refer", "cancel"} & {one.event for one in life.steps_from(state)})
    assert life.steps_from(state), "from everywhere there is a way on"


def test_undo_holds_for_a_minute_and_for_no_clock_that_was_set_back() -> None:
    assert life.may_undo("done", 1_000_000, 1_060_000)
    assert not life.may_undo("done", 1_000_000, 1_060_001)
    assert not life.may_undo("done", 1_000_000, 999_999)
    assert not life.may_undo("say", 1_000_000, 1_000_000)
    assert not life.may_undo("undo", 1_000_000, 1_000_000)


# ---------------------------------------------------------------- by when somebody answers


@pytest.mark.parametrize(
    ("first", "urgent", "made", "by"),
    [
        # minutes and hours go through nights and holidays
        (FirstResponse("hours", 24, 30), False, ("2026-11-22", "23:00"), ("2026-11-23", "23:00")),
        (FirstResponse("hours", 24, 30), True, ("2026-11-22", "23:00"), ("2026-11-22", "23:30")),
        (FirstResponse("minutes", 30), False, ("2026-11-20", "10:00"), ("2026-11-20", "10:30")),
        # Friday: the day itself does not count, nor does the weekend
        (FirstResponse("working_days", 1), False, ("2026-11-20", "10:00"), ("2026-11-23", "17:00")),
        # what comes in on a Sunday counts from Monday: that is the first day, and does not count
        (FirstResponse("working_days", 1), False, ("2026-11-22", "10:00"), ("2026-11-24", "17:00")),
        (FirstResponse("working_days", 3), False, ("2026-11-18", "10:00"), ("2026-11-23", "17:00")),
        (FirstResponse("calendar_days", 1), False, ("2026-11-20", "10:00"), ("2026-11-22", "00:00")),
    ],
)
def test_an_answer_is_due_as_the_catalogue_says(
    first: FirstResponse, urgent: bool, made: tuple[str, str], by: tuple[str, str]
) -> None:
    assert life.answer_by(first, urgent, ms(*made), OFFICE, SHANGHAI) == ms(*by)


def test_holidays_put_it_off_and_a_working_sunday_does_not() -> None:
    national = {f"2026-10-{day:02d}": HallDay((), "国庆节") for day in range(1, 9)}
    book = Book(OFFICE.hall, {**national, "2026-10-10": HallDay(((540, 1020),), "调休")})
    one = FirstResponse("working_days", 1)
    assert life.answer_by(one, False, ms("2026-09-30"), book, SHANGHAI) == ms("2026-10-09", "17:00")
    assert life.answer_by(one, False, ms("2026-10-09"), book, SHANGHAI) == ms("2026-10-10", "17:00")


def test_a_hall_without_hours_works_monday_to_friday_and_a_closed_one_promises_nothing() -> None:
    one = FirstResponse("working_days", 1)
    assert life.answer_by(one, False, ms("2026-11-20"), Book(), SHANGHAI) == ms("2026-11-24", "00:00")
    shut = Book(OFFICE.hall, {(TODAY + timedelta(days=n)).isoformat(): HallDay(()) for n in range(200)})
    assert life.answer_by(one, False, ms("2026-11-22"), shut, SHANGHAI) is None


def test_what_nobody_has_confirmed_is_said_as_usual_and_not_as_a_promise() -> None:
    due, now_ms = ms("2026-11-23", "17:00"), ms("2026-11-22")
    assert life.answer_words(due, now_ms, SHANGHAI, confirmed=True).zh == "明天 17:00 前有人答复"
    usual = life.answer_words(due, now_ms, SHANGHAI, confirmed=False)
    assert usual.zh == "一般明天 17:00 前有人答复（以窗口答复为准）"
    assert "tomorrow at 17:00" in usual.en
    # A hall without hours works until the end of the day: that day's name is said, not the next one's at 0:00.
    whole = life.answer_words(ms("2026-11-27", "00:00"), now_ms, SHANGHAI, confirmed=True)
    assert (whole.zh, whole.en) == ("周四（11月26日）23:59 前有人答复", "Answer by: Thursday, 26 November, at 23:59")
    assert life.answer_words(None, now_ms, SHANGHAI, confirmed=True).en


def test_late_is_what_nobody_has_answered_in_time() -> None:
    assert life.is_overdue("RECEIVED", 10, 11)
    assert not life.is_overdue("ACCEPTED", 10, 11), "somebody has answered"
    assert not life.is_overdue("RECEIVED", None, 11)


# ---------------------------------------------------------------- wrong codes


def test_five_wrong_codes_lock_for_a_minute_and_then_five_more_are_free() -> None:
    five = [1000 * n for n in range(5)]
    assert locked_ms(five[:4], 4000) == 0
    assert locked_ms(five, 4000) == 60_000
    assert locked_ms(five, 63_999) == 1
    assert locked_ms(five, 64_000) == 0
    assert locked_ms([*five, 65_000, 66_000, 67_000, 68_000], 68_000) == 0
    assert locked_ms([*five, *range(65_000, 70_000, 1000)], 70_000) == 59_000


def test_old_mistakes_and_those_of_a_clock_that_ran_ahead_lock_nobody() -> None:
    assert locked_ms([0, 1, 2, 3, 700_000], 700_000) == 0
    assert locked_ms([10**9 + n for n in range(9)], 1000) == 0


# ---------------------------------------------------------------- notes


def test_a_minute_of_opus_is_taken_from_either_container() -> None:
    assert read_note("voice", ogg(59.5)).long_s == pytest.approx(59.5)
    assert read_note("voice", webm(60)).long_s == pytest.approx(59.5)
    assert read_note("drawing", png()).mime == "image/png"


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("voice", b"", "empty"),
        ("voice", b"RIFF....WAVE", "kind"),
        ("voice", png(), "kind"),
        ("voice", ogg(3, b"\x01vorbis!"), "kind"),
        ("voice", webm(3, b"A_VORBIS"), "kind"),
        ("voice", webm(0), "empty"),
        ("voice", ogg(3)[:-9], "broken"),
        ("voice", webm(3)[:-9], "broken"),
        ("voice", ogg(63), "too_long"),
        ("voice", webm(64), "too_long"),
        ("voice", b"OggS" + bytes(1_000_000), "too_large"),
        ("drawing", ogg(3), "kind"),
        ("drawing", b"\x89PNG\r\n\x1a\n", "broken"),
        ("drawing", png()[:-1], "broken"),
        ("drawing", png() + b"<script>", "broken"),
        ("drawing", png(5000, 10), "kind"),
        ("drawing", png().replace(b"IDAT", b"IDAX"), "broken"),
    ],
)
def test_what_is_no_note_is_refused_with_words_that_say_the_request_is_safe(kind: str, data: bytes, why: str) -> None:
    with pytest.raises(NoteWrong) as refused:
        read_note(kind, data)
    assert refused.value.why == why
    zh, en = note_wrong(kind, why)
    assert "不用重来" in zh
    assert "safe" in en


def test_a_voice_that_nests_a_thousand_times_costs_no_more_than_its_bytes() -> None:
    """Each element that is opened was copied to its end: a megabyte of them held the whole kiosk for seconds."""
    copied = 0

    class Counted(bytes):
        def __getitem__(self, at: Any) -> Any:
            nonlocal copied
            found = super().__getitem__(at)
            copied += len(found) if isinstance(found, bytes) else 0
            return found

    nested = bytes.fromhex("a0100d0000") * 1000
    data = Counted(webm(0) + nested + bytes(900_000 - len(nested)))
    with pytest.raises(NoteWrong):
        read_note("voice", data)
    assert copied < 2 * len(data)


@pytest.mark.parametrize("name", ["2ad7b1", "e7"])
def test_a_voice_with_a_number_that_no_recorder_writes_is_refused(name: str) -> None:
    bent = bytes.fromhex(name + "100000c8") + b"\xff" * 200
    with pytest.raises(NoteWrong) as refused:
        read_note("voice", webm(0) + bent + webm(2))
    assert refused.value.why == "broken"


@settings(max_examples=100)
@given(
    st.sampled_from([ogg(2), webm(2), png()]),
    st.integers(0, 400),
    st.binary(max_size=6),
    st.sampled_from(["voice", "drawing"]),
)
def test_bytes_that_somebody_has_bent_are_taken_or_refused_and_never_break_the_reader(
    sample: bytes, at: int, held: bytes, kind: str
) -> None:
    said: object
    try:
        said = read_note(kind, sample[:at] + held + sample[at + len(held) :])
    except NoteWrong as refused:
        said = note_wrong(kind, refused.why)
    assert said


# ---------------------------------------------------------------- the slip


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("url", ["", "http://192.168.1.10:8090/progress/7KQ2M9XA?phone=1"])
def test_the_slip_says_the_code_and_nothing_of_a_person(lang: str, url: str) -> None:
    from devices.plan import Hall

    made = round(datetime(2026, 11, 22, 2, tzinfo=UTC).timestamp() * 1000)
    body = compose_request(Hall(), KINDS["gas"], "1122-01", "7KQ2M9XA", made, "…", SHANGHAI, lang, url)
    said = [one.get("text", "") + one.get("right", "") for one in body["blocks"]]
    assert "7KQ2 M9XA" in said
    assert "1122-01" in said
    assert "2026-11-22 10:00" in said
    assert [one["data"] for one in body["blocks"] if one["t"] == "qr"] == [url or "7KQ2M9XA"]
    assert KINDS["gas"].first is not None
    assert KINDS["gas"].first.say(lang) in said
    assert set("7KQ2M9XA") <= set(SIGNS)
