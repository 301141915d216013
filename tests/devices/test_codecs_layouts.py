"""The frames of tests/data/layouts.py, made by hand from the makers' documents, and what no document foresees.

Captured messages say that a codec reads what was captured; these say that it reads what its maker describes.
"""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs import decode
from devices.codecs._milesight_lengths import LENGTHS
from devices.codecs._shared import BUTTON_CLASSES
from devices.codecs.milesight import _OF_TYPE
from devices.codecs.placepod import _LENGTH_BY_TYPE
from devices.reading import Heard, Reading
from tests.data.layouts import WORN as LARGE_FAMILIES
from tests.data.layouts import Case
from tests.data.layouts_counters import COUNTERS
from tests.data.layouts_others import OTHER_MAKERS, OTHER_PLACES
from tests.data.layouts_places import WATCHED as PLACES

WORN = LARGE_FAMILIES + OTHER_MAKERS
WATCHED = PLACES + OTHER_PLACES + COUNTERS


def raw(vendor: str, model: str, port: int | None, frame: str, cls: str = "button") -> Reading:
    heard = Heard(
        "", bytes.fromhex(frame), transport="raw_lorawan", vendor=vendor, model=model, cls=cls, fport=port
    )
    return decode(heard)


def must_mean(case: Case, cls: str) -> None:
    vendor, model, port, frame, event, alarm, more = case
    said = raw(vendor, model, port, frame, cls).as_json()
    assert (said["event"], said["alarm"]) == (event, alarm), said
    assert {key: said.get(key, "absent") for key in more} == more


def names(cases: list[Case]) -> list[str]:
    return [f"{model} p{port} {frame[:14]}" for _, model, port, frame, *_ in cases]


@pytest.mark.parametrize("case", WORN, ids=names(WORN))
def test_a_frame_of_something_people_press_means_what_its_document_says(case: Case) -> None:
    must_mean(case, "button")


@pytest.mark.parametrize("case", WATCHED, ids=names(WATCHED))
def test_a_frame_of_something_that_watches_a_place_means_what_its_document_says(case: Case) -> None:
    must_mean(case, "parking_sensor")


def test_no_frame_of_theirs_calls_where_it_watches_a_bay() -> None:
    called = [case[:4] for case in WORN if raw(*case[:4], cls="parking_sensor").alarm is not False]
    assert called == []


def test_what_was_stored_is_told_apart_from_what_is() -> None:
    """Stored records are the commonest false alarm there is: they come hours later, with the press still in them."""
    stored = [case for case in WORN + WATCHED if case[6].get("history") and "e065" not in case[3]]
    assert len(stored) >= 8
    assert {raw(*case[:4]).alarm for case in stored} == {False}


# -- what a device may say that nobody has described ----------------------------------------------------

#: Families whose frames are lists of channel, type and value; a frame of each, and a channel that no document knows.
LISTS = [
    ("Milesight", "WS101", 85, "01755cff2e03", "99aa"),
    ("Milesight", "VS330", 85, "01756202820f00038e01", "99aa"),
    ("Milesight", "EM310-UDL", 85, "01755c03824408040001", "99aa"),
    ("PNI", "PlacePod", 2, "376601026700d2", "77ee"),
    ("Elsys", "ERS Desk", 5, "0100e111020e012c", "fe"),
    ("Tektelic", "Smart Room PIR", 10, "0a00ff036700ec", "99aa"),
    ("Tektelic", "SEAL", 10, "00d355029501", "99aa"),
    ("Thermokon", "MCS LRW", 1, "544e855003", "7e"),
    ("Sensative", "Strips", 1, "ffff015f1201", "7f"),
]


@given(known=st.sampled_from(LISTS), tail=st.binary(max_size=12))
def test_an_unknown_channel_behind_known_ones_takes_nothing_away(
    known: tuple[str, str, int, str, str], tail: bytes
) -> None:
    """A city's parser refused the whole frame for one new channel, and five bays froze."""
    vendor, model, port, frame, stranger = known
    plain = raw(vendor, model, port, frame, cls="").as_json()
    longer = raw(vendor, model, port, frame + stranger + tail.hex(), cls="").as_json()
    longer.pop("unread", None)  # it may say what stopped it
    assert longer == plain


def test_every_channel_of_the_table_is_stepped_over_whatever_it_says() -> None:
    """Behind it comes the press, which no measurement of any kind may hide."""
    dice = random.Random(20261122)
    for (channel, kind), length in LENGTHS.items():
        frame = bytes((channel, kind)) + dice.randbytes(length) + bytes.fromhex("01755cff2e03")
        reading = raw("Milesight", "WS101", 85, frame.hex())
        assert (reading.event, reading.alarm, reading.battery_pct) == ("press", True, 92), frame.hex()


#: Lists whose makers give a length to each type, whatever the channel: model, port, what is known, the types.
BY_TYPE = [
    ("Milesight", "WS101", 85, "01755cff2e03", _OF_TYPE),
    ("Milesight", "EM310-UDL", 85, "01755c03824408040001", _OF_TYPE),
    ("Milesight", "VS133", 85, "03d20a00000004d206000000", _OF_TYPE),
    ("PNI", "PlacePod", 2, "376601026700d2", _LENGTH_BY_TYPE),
]


@given(data=st.data())
def test_an_unknown_channel_before_known_ones_is_stepped_over_by_its_makers_table(data: st.DataObject) -> None:
    """Tomorrow's firmware has more channels: what it says in the old ones is heard all the same."""
    vendor, model, port, frame, lengths = data.draw(st.sampled_from(BY_TYPE))
    strangers = b""
    for _ in range(data.draw(st.integers(1, 3))):
        kind = data.draw(st.sampled_from(sorted(lengths)))
        taken = {channel for channel, _ in LENGTHS} | {0x37, 0x02, 0x01, 0x00} | set(range(0x1F))
        channel = data.draw(st.sampled_from(sorted(set(range(0x24, 0x7F)) - taken)))
        value = data.draw(st.binary(min_size=lengths[kind], max_size=lengths[kind]))
        strangers += bytes((channel, kind)) + value
    plain = raw(vendor, model, port, frame, cls="").as_json()
    assert raw(vendor, model, port, strangers.hex() + frame, cls="").as_json() == plain


def test_ten_thousand_damaged_frames_of_all_families_raise_nothing() -> None:
    dice = random.Random(20261122)
    for _ in range(10_000):
        vendor, model, port, frame, *_ = dice.choice(WORN + WATCHED)
        data = bytearray.fromhex(frame)
        for _ in range(dice.randint(0, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        data = (
            data[: dice.randint(0, len(data))]
            if dice.random() < 0.3
            else data + dice.randbytes(dice.choice((0, 0, 3)))
        )
        reading = raw(
            vendor,
            model,
            dice.choice((port, port, None, 85)),
            data.hex(),
            dice.choice(("", "button", "parking")),
        )
        json.dumps(reading.as_json(), allow_nan=False)
        assert reading.battery_pct is None or 0 <= reading.battery_pct <= 100


# -- whatever the hall calls it -------------------------------------------------------------------------

#: Frames that are a call or are none; the others are for the hall to judge.
JUDGED = [case for case in WORN if case[5] is not None]


@pytest.mark.parametrize("case", JUDGED, ids=names(JUDGED))
def test_what_a_thing_says_does_not_depend_on_which_kind_of_button_the_hall_calls_it(case: Case) -> None:
    """A desk's clerk who claims a pendant as a pull cord must neither lose its call nor be rung by its heartbeat."""
    vendor, model, port, frame, _, alarm, _ = case
    assert {raw(vendor, model, port, frame, cls).alarm for cls in BUTTON_CLASSES} == {alarm}


#: Where buttons answer, tell of themselves or replay what was stored: maker, model, port, how such a frame begins.
ANSWERING = [
    ("Netvox", "R312A", 7, "81"),
    ("Netvox", "R312", 13, "82"),
    ("Netvox", "R315", 7, "8a"),
    ("MOKOSmart", "LW006", 10, ""),
    ("MOKOSmart", "LW006", 7, ""),
    ("MOKOSmart", "LW004-PB", 14, ""),
    ("Dragino", "PB01", 3, ""),
    ("Dragino", "PB01", 5, ""),
    ("Dragino", "TrackerD", 4, ""),
    ("SenseCAP", "T1000-A", 192, ""),
    ("SenseCAP", "T1000-A", 5, "02"),
    ("Tektelic", "FINCH panic button", 100, ""),
    ("MerryIoT", "DW10", 204, ""),
    ("Milesight", "WS101", 85, "20ce"),
    ("Milesight", "WS101", 85, "ff74"),
    ("Radio Bridge", "RBS304-ABB", 2, "15ff"),
    ("Ascoel", "PB868LR", 10, ""),
    ("Swisscom", "Multisense", 100, ""),
    ("GlobalSat", "LT-501", 1, "8084"),
]


@pytest.mark.parametrize(
    "port", ANSWERING, ids=[f"{model} p{port} {head}" for _, model, port, head in ANSWERING]
)
def test_no_answer_and_no_stored_record_of_a_button_rings_whatever_it_says(
    port: tuple[str, str, int, str],
) -> None:
    vendor, model, fport, head = port
    dice = random.Random(20261123)
    for _ in range(200):
        frame = head + dice.randbytes(dice.choice((1, 9, 16))).hex()
        if model == "WS101" and ("ff2e" in frame or "ff34" in frame):
            continue  # a press behind an answer is a press
        assert raw(vendor, model, fport, frame).alarm is False, frame
