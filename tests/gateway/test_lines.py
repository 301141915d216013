"""A line to the broker, and a broker that is slow, mad, mute or gone. No press is lost, none comes twice, nobody waits.

Where time matters the line is told what time it is; where a broker's own ways matter it is a real mosquitto.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plan import Broker as BrokerPlan
from gateway import __main__ as gateway_main
from gateway.arrival import ThreadDoor
from gateway.broker import PAUSE_S, STRANGERS_A_SECOND, Broker
from gateway.house import open_house
from gateway.mqtt_line import ASK_AFTER_S, GREETING_S, SILENT_S, MqttLine
from gateway.wire import Published
from tests.gateway.played_broker import (
    CONNACK,
    NOT_AUTHORISED,
    PINGREQ,
    PINGRESP,
    PRESS,
    STRANGER,
    Line,
    a_press,
    suback,
)
from tests.gateway.test_gateway_lives import calls_on_disk
from tests.gateway.test_wire import as_packet
from tests.parts import PATIENCE_S, Device, Gateway, Mosquitto, gateway, wait_until


@pytest.fixture
def line() -> Iterator[Line]:
    one = Line()
    yield one
    one.vanish()


# ---------------------------------------------------------------- a broker that does not answer


def test_a_listener_that_takes_the_connection_and_never_answers_is_given_up(line: Line) -> None:
    broker = line.open()
    opened_s = time.monotonic()
    line.line.tick(opened_s + GREETING_S - 0.5)
    assert broker.said_nothing() and line.line.fileno() is not None
    line.line.tick(opened_s + GREETING_S + 0.1)
    assert broker.fetch() == b"" and line.line.fileno() is None
    assert [up for up, _ in line.ups] == [False] and "does not answer" in line.ups[0][1]
    line.up()
    assert line.ups[-1] == (True, "")


def test_a_silent_line_is_asked_for_a_sign_of_life_and_given_up_where_none_comes(line: Line) -> None:
    broker = line.up()
    heard_s = line.line.heard_s()
    line.line.tick(heard_s + ASK_AFTER_S - 0.1)
    assert broker.said_nothing()
    line.line.tick(heard_s + ASK_AFTER_S + 0.1)
    line.line.tick(heard_s + ASK_AFTER_S + 0.2)
    assert broker.fetch() == PINGREQ, "asked once"
    broker.say(PINGRESP)
    line.line.tick(line.line.heard_s() + 0.1)
    heard_s = line.line.heard_s()
    line.line.tick(heard_s + ASK_AFTER_S + 0.1)
    assert broker.fetch() == PINGREQ
    line.line.tick(heard_s + SILENT_S - 0.1)
    assert line.line.up
    line.line.tick(heard_s + SILENT_S + 0.2)
    assert broker.fetch() == b"" and line.ups[-1][0] is False and "nothing has come" in line.ups[-1][1]


def test_a_gateway_that_was_deaf_itself_asks_before_it_blames_the_broker(line: Line) -> None:
    """Stopped for a minute by its disk or by the machine: in a quiet hall nothing has come, and nothing was asked."""
    broker = line.up()
    woken_s = line.line.heard_s() + 60
    line.line.tick(woken_s)
    assert broker.fetch() == PINGREQ
    line.line.tick(woken_s + 0.1)
    line.line.tick(woken_s + 1.0)
    assert line.line.up, "a broker has more than a tenth of a second to answer"
    line.line.tick(woken_s + SILENT_S)
    assert broker.fetch() == b"" and not line.line.up


def test_what_lies_in_the_kernel_is_a_sign_of_life(line: Line) -> None:
    broker = line.up()
    heard_s = line.line.heard_s()
    line.line.tick(heard_s + ASK_AFTER_S + 0.1)
    broker._far.sendall(a_press(7))  # it came, we did not look
    line.line.tick(heard_s + SILENT_S + 60)
    assert line.line.up
    line.line.read(time.monotonic_ns() + 10**9)
    assert line.payloads() == ["7"]


def test_a_long_backlog_before_the_subscription_is_confirmed_is_no_reason_to_hang_up(line: Line) -> None:
    """What was kept for us comes right after CONNACK; its PUBACKs and the lamps leave before SUBACK has come."""
    broker = line.open()
    opened_s = time.monotonic()
    broker.say(CONNACK)
    broker.fetch()
    told = b""
    for number in range(1, 3001):
        broker.say(a_press(number))
        if number % 100 == 0:
            line.line.tick(opened_s + GREETING_S + 0.3)
            line.line.publish("linli/v1/lamp/btn-01/set", "{}", qos=0, retain=True)
            told += broker.fetch_all()
    assert line.payloads() == [str(number) for number in range(1, 3001)] and line.ups == []
    assert told.count(b"linli/v1/lamp/btn-01/set") == 30
    assert told.replace(PINGREQ, b"").count(b"\x40\x02") >= 3000
    broker.say(suback())
    assert line.ups == [(True, "")]


def test_before_the_greeting_nothing_is_told_and_nothing_is_queued(line: Line) -> None:
    line.line.publish("t", "before", qos=0, retain=True)
    broker = line.open()
    line.line.publish("t", "before", qos=0, retain=True)
    broker.say(CONNACK)
    assert b"before" not in broker.fetch(), "all levels are told anew when the line is up"


# ---------------------------------------------------------------- a broker that refuses, or is none


@pytest.mark.parametrize(
    ("answers", "word"),
    [((NOT_AUTHORISED,), "refuses us"), ((CONNACK, suback(1, 0x80)), "refuses our subscription")],
    ids=["connection", "subscription"],
)
def test_a_broker_that_refuses_is_named_once_with_its_reason(
    line: Line, answers: tuple[bytes, ...], word: str, caplog: pytest.LogCaptureFixture
) -> None:
    pauses = []
    for attempt in range(5):
        broker = line.open()
        for answer in answers:
            if attempt and answer[0] == 0x90:
                answer = suback(1 + attempt, 0x80)
            broker.say(answer)
        line.line.tick(time.monotonic() + GREETING_S + 1)
        assert line.line.fileno() is None, "and tries again, on a new line"
        pauses.append(line.line._next_try_s - time.monotonic())
        broker.close()
    assert [up for up, _ in line.ups] == [False] and word in line.ups[0][1]
    assert sum("trying again" in message for message in caplog.messages) == 1
    assert pauses[-1] > 2 * pauses[0], "less and less often"


@pytest.mark.parametrize("wrong", ["password", "host"])
def test_a_mistake_in_how_the_broker_is_named_is_said_and_tried_again(tmp_path: Path, wrong: str) -> None:
    """Hall buttons, console and kiosk need no broker: its password file must not keep them from starting."""
    secret = tmp_path / "broker-password"
    secret.write_text("x" if wrong == "host" else "", encoding="utf-8")
    if wrong == "password":
        secret.unlink()
    host = "127.0.0.1" if wrong == "password" else f"{'x' * 70}.local"
    plan = BrokerPlan(host=host, port=1, username="gateway", password_file=str(secret))
    door, ups = ThreadDoor(), list[tuple[bool, str]]()
    line = MqttLine("calls", plan, "t", ("a",), door, lambda *_: None, lambda up, why: ups.append((up, why)))
    for attempt in (1, 2):
        line.tick(time.monotonic() + attempt)
        assert select.select([door], [], [], PATIENCE_S)[0], "the attempt has ended"
        door.open()
    [(up, why)] = ups
    assert not up and (str(secret) in why if wrong == "password" else "label" in why)
    door.close()


@pytest.mark.parametrize("greeted", [False, True], ids=["instead of CONNACK", "after it"])
@given(
    words=st.lists(
        st.one_of(st.binary(min_size=1, max_size=60), st.just(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        min_size=1,
        max_size=8,
    )
)
@settings(deadline=None, max_examples=150)
def test_whatever_a_listener_says_the_line_lives_and_finds_its_broker_again(
    greeted: bool, words: list[bytes]
) -> None:
    line = Line()
    broker = line.open()
    if greeted:
        broker.say(CONNACK)
    for one in words:
        if line.line.fileno() is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                broker.say(one)
    line.line.tick(time.monotonic() + GREETING_S + 0.1)
    line.line.tick(time.monotonic() + 2 * SILENT_S)
    line.line.tick(time.monotonic() + 4 * SILENT_S)
    assert line.line.fileno() is None, "half a packet is silence"
    broker.close()
    broker = line.up()
    broker.say(a_press(9))
    assert line.payloads()[-1] == "9"
    line.vanish()


def test_a_puback_belongs_to_the_line_that_brought_the_message(line: Line) -> None:
    line.acknowledge = False
    broker = line.up()
    broker.say(a_press(7))
    [old] = line.acks
    broker.close()
    line.line.read(time.monotonic_ns() + 10**9)
    again = line.up()
    assert old is not None
    old()
    assert again.said_nothing(), "number 7 may be another message there"
    again.say(a_press(7))
    new = line.acks[-1]
    assert new is not None
    new()
    assert again.fetch() == b"\x40\x02\x00\x07"


def test_strangers_who_flood_are_not_listened_to_for_a_minute_and_on_a_new_line_neither() -> None:
    door = ThreadDoor()
    heard: list[Published] = []
    take = heard.append
    broker = Broker(BrokerPlan(), door, lambda *_: None, lambda message, _ack: take(message), lambda *_: None)
    for line in (broker.calls, broker.telemetry):
        line.up = line._connecting = True  # those two are well; the third listens only then
    strangers = broker.strangers

    def flooded_line() -> socket.socket:
        ours, far = socket.socketpair()
        ours.setblocking(False)
        far.settimeout(PATIENCE_S)
        strangers._attempt_done(ours)
        strangers._connecting = True
        for words in (CONNACK + suback(qos=0), as_packet(STRANGER) * 3 * STRANGERS_A_SECOND):
            far.sendall(words)
            strangers.read(time.monotonic_ns() + 10**9)
        strangers.write()
        return far

    for lines in (1, 2):
        far = flooded_line()
        assert b"\xa2\x05" in far.recv(4096), "UNSUBSCRIBE"
        assert len(heard) == lines * 3 * STRANGERS_A_SECOND, "what has come already is counted"
        broker.tick(strangers.heard_s() + 1.0)
        assert not select.select([far], [], [], 0)[0]
        if lines == 1:
            far.close()
            strangers.read(time.monotonic_ns() + 10**9)
            broker.tick(time.monotonic())
    minute_s = strangers.heard_s() + PAUSE_S + 0.1
    strangers._asked_s = minute_s  # its broker has answered all the while
    broker.tick(minute_s)
    strangers.write()
    assert far.recv(4096)[0] == 0x82, "SUBSCRIBE"
    strangers._give_up("the test is over")
    far.close()
    door.close()


# ---------------------------------------------------------------- a real broker


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    one = Mosquitto(tmp_path / "mosquitto")
    yield one
    one.close()


@pytest.mark.parametrize(("lasting", "kept"), [(True, ["1", "2"]), (False, [])], ids=["calls", "strangers"])
def test_while_we_are_away_the_broker_keeps_calls_and_no_strangers_words(
    mosquitto: Mosquitto, lasting: bool, kept: list[str]
) -> None:
    first = Line(mosquitto.port, lasting=lasting)
    first.until(lambda: first.line.up)
    first.vanish()
    button = Device(mosquitto.port)
    for number in (1, 2):
        button.say(PRESS, str(number).encode())
    again = Line(mosquitto.port, lasting=lasting)
    again.until(lambda: again.line.up)
    button.say(PRESS, b"3")
    again.until(lambda: "3" in again.payloads())
    assert again.payloads() == [*kept, "3"]
    assert {message.qos for message in again.heard} == {1 if lasting else 0}
    button.close()
    again.vanish()


@pytest.mark.parametrize("pressed", [6, 7])
def test_of_what_a_killed_broker_kept_for_us_one_message_at_most_is_gone(
    mosquitto: Mosquitto, pressed: int
) -> None:
    """It saves at every second change: the last of an odd number may be the one. Our own buttons say it again."""
    first = Line(mosquitto.port)
    first.until(lambda: first.line.up)
    first.vanish()
    button = Device(mosquitto.port)
    said = [str(number) for number in range(pressed)]
    for number in said:
        button.say(PRESS, number.encode())
    mosquitto.kill()
    mosquitto.start()
    again = Line(mosquitto.port)
    again.until(lambda: again.line.up)
    after = Device(mosquitto.port)
    after.say(PRESS, b"after")
    again.until(lambda: "after" in again.payloads())
    assert again.payloads() in ([*said, "after"], [*said[:-1], "after"])
    button.close()
    after.close()
    again.vanish()


def test_what_was_not_acknowledged_comes_again_and_says_so(mosquitto: Mosquitto) -> None:
    first = Line(mosquitto.port)
    first.until(lambda: first.line.up)
    first.acknowledge = False
    button = Device(mosquitto.port)
    button.say(PRESS, b"1")
    first.until(lambda: first.payloads() == ["1"])
    first.vanish()
    again = Line(mosquitto.port)
    again.until(lambda: again.payloads() == ["1"])
    assert again.heard[0].dup is True
    button.close()
    again.vanish()


def test_a_broker_that_is_not_there_yet_is_found_when_it_comes(tmp_path: Path) -> None:
    mosquitto = Mosquitto(tmp_path / "mosquitto")
    mosquitto.kill()
    line = Line(mosquitto.port)
    line.until(lambda: len(line.ups) > 0)
    assert line.ups[0][0] is False and "refused" in line.ups[0][1]
    mosquitto.start()
    line.until(lambda: line.line.up)
    assert line.ups == [line.ups[0], (True, "")], "each is told once"
    line.vanish()
    mosquitto.close()


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path / "hall") as running:
        yield running


def test_a_broker_that_hangs_is_noticed_and_what_was_pressed_meanwhile_is_one_press_each(
    hall: Gateway,
) -> None:
    seat, button = hall.seat(), hall.device("linli/v1/button/+/written")
    button.press("btn-01", "9f", 1)
    button.wait_heard("linli/v1/button/btn-01/written", seq=1)
    assert hall.broker._process is not None
    os.kill(hall.broker._process.pid, signal.SIGSTOP)
    try:
        for seq in (2, 3):
            # into the kernel: nobody acknowledges it now
            button._client.publish(PRESS, f'{{"boot":"9f","seq":{seq},"press":"short"}}', qos=1)
        down = seat.wait_fact("PartChanged", part="broker", state="down")
        assert "mosquitto" in down["why_en"]
        call = seat.order("raise_call", device_id="screen:kiosk-1", kind="help", key="k")["call"]
        assert call["written"] is True, "orders go on meanwhile"
    finally:
        os.kill(hall.broker._process.pid, signal.SIGCONT)
    seat.wait_fact("PartChanged", part="broker", state="ready")
    wait_until(lambda: calls_on_disk(hall)[0][2] == 3, lambda: f"three presses, not {calls_on_disk(hall)}")
    watcher = hall.device("linli/v1/button/btn-02/written")
    watcher.press("btn-02", "aa", 1)
    watcher.wait_heard("linli/v1/button/btn-02/written", seq=1)
    calls = {one["device_id"]: one["presses"] for one in hall.seat().snapshot["calls"]}
    assert calls == {"btn-01": 3, "screen:kiosk-1": 1, "btn-02": 1}


# ---------------------------------------------------------------- the gateway's own reading


def test_presses_left_in_our_own_buffer_are_read_though_the_kernel_has_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A burst longer than calls may be read in one turn: the kernel knows nothing of what we have taken from it."""
    monkeypatch.setattr(gateway_main, "READING_CALLS_NS", 1)
    (tmp_path / "hall.toml").write_text("", encoding="utf-8")
    house = open_house(None, {"LINLI_HOME": str(tmp_path), "LINLI_HALL": str(tmp_path / "hall.toml")})
    whole = gateway_main.Gateway(house)
    ours, far = socket.socketpair()
    ours.setblocking(False)
    whole.broker.calls._attempt_done(ours)

    def turn() -> None:
        whole.loop.turn(longest_wait_s=0.0)
        whole._each_turn(lambda: None)

    far.sendall(CONNACK)
    for _ in range(5):
        turn()
    far.sendall(suback() + b"".join(_numbered(seq) for seq in range(1, 51)))
    for _ in range(500):
        turn()
    assert [call.presses for call in whole.loop.state.calls.values()] == [50]
    far.close()
    whole.loop.stop()
    assert whole.desk is not None
    whole.broker.calls._give_up("the test is over")
    whole.desk.close()
    whole.pins.close()
    whole.book.close()
    whole.door.close()
    whole.loop.selector.close()


def _numbered(seq: int) -> bytes:
    words = f'{{"boot":"9f","seq":{seq},"press":"short"}}'
    return as_packet(Published(PRESS.encode(), words.encode(), 1, False, False, seq))
