"""The hub and its streams: nobody waits for a slow screen, and nobody can take all the threads."""

from __future__ import annotations

import http.client
import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from devices.faults import NotWritten
from kiosk import line
from kiosk.core import Core
from kiosk.live import BEHIND_AT_MOST, Hub, TooManyListeners, sse


def rest(stream: object) -> list[bytes]:
    return list(stream)  # type: ignore[call-overload]


def test_a_listener_hears_first_what_is_then_what_happens() -> None:
    hub = Hub()
    stream = hub.stream("hall", [("state", {"waiting": 1})])
    hub.publish("hall", "called", {"number": "B001"})
    assert next(stream) == b'retry: 1000\n\nevent: state\ndata: {"waiting":1}\n\n'
    assert next(stream) == b'event: called\ndata: {"number":"B001"}\n\n'


def test_the_hall_never_hears_what_is_told_to_staff() -> None:
    hub = Hub()
    hall, staff = hub.stream("hall"), hub.stream(["staff", "hall"])
    hub.publish("staff", "call", {"person": "张奶奶"})
    hub.publish("hall", "zone", {"free": 3})
    hub.close()
    assert b"\xe5\xbc\xa0" not in b"".join(rest(hall))
    assert staff.channels == {"staff", "hall"}


def test_a_text_with_newlines_cannot_forge_an_event() -> None:
    assert (
        sse("call", {"note": "a\n\nevent: evil"}) == b'event: call\ndata: {"note":"a\\n\\nevent: evil"}\n\n'
    )


def test_a_screen_that_is_too_slow_is_dropped_and_the_others_hear_everything() -> None:
    hub = Hub()
    slow, quick = hub.stream("hall"), hub.stream("hall")
    next(quick)
    heard = 0
    for count in range(BEHIND_AT_MOST + 1):
        hub.publish("hall", "zone", {"count": count})
        heard += next(quick) == sse("zone", {"count": count})
    assert heard == BEHIND_AT_MOST + 1
    assert (hub.dropped, hub.listeners) == (1, 1)
    with pytest.raises(StopIteration):
        next(slow)


def test_what_became_known_together_is_never_cut_in_two() -> None:
    """Five hundred bays after a power cut are one word. Who has not even fetched that one is too slow for another."""
    hub = Hub()
    stream = hub.stream("staff")
    next(stream)
    bays = [("bay", {"bay_id": number}) for number in range(2 * BEHIND_AT_MOST)]
    hub.publish_all("staff", bays)
    assert next(stream) == b"".join(sse(event, bay) for event, bay in bays)
    hub.publish_all("staff", bays)
    assert hub.dropped == 0
    hub.publish("staff", "call", {"call_id": 7})
    assert hub.dropped == 1


def test_a_quiet_stream_beats() -> None:
    hub = Hub(heartbeat_s=0.01)
    stream = hub.stream("hall")
    next(stream)
    assert next(stream) == b"event: heartbeat\ndata: {}\n\n"


def test_who_has_signed_out_hears_nothing_more() -> None:
    hub = Hub()
    signed_in = True
    stream = hub.stream("staff", guard=lambda: signed_in)
    next(stream)
    hub.publish("staff", "call", {"person": "张奶奶"})
    signed_in = False
    assert rest(stream) == []
    assert hub.listeners == 0


def test_their_number_is_bounded_and_a_stream_never_begun_gives_its_place_back() -> None:
    hub = Hub(listeners_at_most=2)
    first, _second = hub.stream("hall"), hub.stream("hall")
    with pytest.raises(TooManyListeners):
        hub.stream("hall")
    first.close()
    assert hub.stream("hall") is not None


def test_the_thirty_third_screen_is_asked_to_poll(core: Core, client: FlaskClient) -> None:
    streams = [core.hub.stream(channel) for channel in ("hall", "staff") for _ in range(16)]
    answer = client.get("/live", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "too_many_listeners")
    assert client.get("/api/state").status_code == 200
    assert len(streams) == 32


def test_strangers_cannot_take_the_places_of_the_consoles(core: Core, client: FlaskClient) -> None:
    """Anybody may open /live; the seventeenth is asked to poll, and sixteen consoles still ring."""
    strangers = [core.hub.stream("hall") for _ in range(16)]
    assert client.get("/live").status_code == 503
    consoles = [core.hub.stream("staff") for _ in range(16)]
    core.hub.publish("staff", "call", {"call_id": 7})
    assert all(b'"call_id":7' in (next(one), next(one))[1] for one in consoles)
    strangers[0].close()
    consoles[0].close()
    live = client.get("/live", buffered=False)
    assert live.status_code == 200
    live.close()


def test_a_live_line_that_could_not_begin_keeps_no_place(
    core: Core, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notebook cannot be read: each try is answered with an error, and none of them holds a place."""
    app.testing = False

    def unreadable(_core: Core) -> None:
        raise NotWritten("notebook kiosk.db (unable to open database file)")

    monkeypatch.setattr(line, "board", unreadable)
    for _ in range(3):
        assert app.test_client().get("/live").status_code == 503
    assert core.hub.listeners == 0
    monkeypatch.undo()
    live = app.test_client().get("/live", buffered=False)
    assert (live.status_code, core.hub.listeners) == (200, 1)
    live.close()


def test_closing_ends_all_streams_at_once() -> None:
    hub = Hub()
    streams = [hub.stream("hall") for _ in range(3)]
    for stream in streams:
        next(stream)
    hub.close()
    assert [rest(stream) for stream in streams] == [[], [], []]
    with pytest.raises(TooManyListeners):
        hub.stream("hall")


@pytest.mark.slow
def test_a_call_comes_over_the_wire(address: str, core: Core) -> None:
    door = http.client.HTTPConnection(address.removeprefix("http://"), timeout=5)
    door.request("GET", "/live")
    answer = door.getresponse()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    heard: list[tuple[str, object]] = []

    def until(event: str) -> object:
        name = ""
        while True:
            told = answer.readline().decode().rstrip("\n")
            if told.startswith("event: "):
                name = told[7:]
            elif told.startswith("data: "):
                heard.append((name, json.loads(told[6:])))
                if name == event:
                    return heard[-1][1]

    until("state")
    line.take_ticket(core, "ZW-01", "abcdefgh", "zh", "kiosk-1")
    line.call_next(core, "W2", "li")
    called = until("called")
    assert isinstance(called, dict)
    assert (called["number"], called["window_zh"], called["calls"]) == ("B001", "民生保障窗口", 1)
    door.close()
