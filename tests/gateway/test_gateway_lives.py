"""The gateway on real parts: a real mosquitto, a real notebook, its own process. Each test is a small history."""

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.parts import Gateway, gateway, wait_until

GATE = '[[panels]]\nid = "gate"\nvia = "mqtt"\n[[gpio.buttons]]\nid = "desk"\nname_zh = "服务台"\npin = 17\n'
LAMP = "linli/v1/lamp/btn-01/set"
WRITTEN = "linli/v1/button/btn-01/written"
PANEL = "linli/v1/panel/gate/text"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path / "hall", GATE) as running:
        yield running


def calls_on_disk(hall: Gateway) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{hall.home}/gateway.db?mode=ro", uri=True) as book:
        return book.execute("SELECT device_id, state, presses FROM calls ORDER BY call_id").fetchall()


def test_a_press_from_the_wire_to_the_lamp_and_back(hall: Gateway) -> None:
    button, seat = hall.device(LAMP, WRITTEN), hall.seat()

    button.press("btn-01", "9f", 1)
    call = seat.wait_fact("CallChanged", state="HEARD")
    assert call["written"] is True and calls_on_disk(hall) == [("btn-01", "HEARD", 1)]
    button.wait_heard(LAMP, light="blink")
    button.wait_heard(WRITTEN, boot="9f", seq=1)

    assert seat.order("accept_call", call_id=1, by="小李")["call"]["state"] == "COMING"
    button.wait_heard(LAMP, light="steady")
    assert seat.order("close_call", call_id=1, by="小李", outcome="helped")["written"] is True
    button.wait_heard(LAMP, light="off")
    assert calls_on_disk(hall) == [("btn-01", "CLOSED", 1)]


def test_the_button_that_did_not_hear_the_answer_is_answered_again_and_makes_no_second_call(
    hall: Gateway,
) -> None:
    button = hall.device(WRITTEN)
    for _ in range(3):
        button.press("btn-01", "9f", 1)
        button.wait_heard(WRITTEN, seq=1)
    assert calls_on_disk(hall) == [("btn-01", "HEARD", 1)]


def test_a_bay_fills_and_the_panel_follows(hall: Gateway) -> None:
    seat, sensor = hall.seat(), hall.device(PANEL)
    for number in (1, 2):
        order = {"device_id": f"s{number}", "kind": "bay_sensor", "bay_id": f"e{number}", "zone_id": "east"}
        assert seat.order("claim_device", **order)["ok"] is True
        sensor.say(f"linli/v1/bay/s{number}/state", {"boot": "1", "seq": 1, "occupied": False})
    assert sensor.wait_heard(PANEL, free=2)["text"] == "空位 2"
    sensor.say("linli/v1/bay/s1/state", {"boot": "1", "seq": 2, "occupied": True})
    assert sensor.wait_heard(PANEL, free=1, taken=1)["text"] == "空位 1"
    assert seat.wait_fact("ZoneChanged", zone_id="east", free=1, taken=1)["total"] == 2


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("nobody/speaks/here", b"hello"),
        ("zigbee2mqtt/0x01", b"\xff\xfe{not json"),
        ("zigbee2mqtt/0x01", b"x" * 1_000_000),
        ("linli/v1/bay/s1/state", b"[" * 30_000),
    ],
    ids=["unknown topic", "garbage", "a megabyte", "deep nesting"],
)
def test_rubbish_is_counted_and_named_once_and_never_a_call(
    hall: Gateway, topic: str, payload: bytes
) -> None:
    seat, button = hall.seat(), hall.device(WRITTEN)
    for _ in range(3):
        button.say(topic, payload)
    button.press("btn-01", "9f", 1)
    button.wait_heard(WRITTEN, seq=1)
    # The press has overtaken what waits on the other connections: that is counted in its own time.
    counted = ("unknown_topic", "garbage", "oversized")

    def rubbish() -> int:
        counts = seat.order("statistics")["statistics"]["counts"]
        return sum(counts.get(kind, 0) for kind in counted)

    wait_until(lambda: rubbish() >= 3, lambda: f"three pieces of rubbish are counted, not {rubbish()}")
    assert rubbish() == 3
    assert calls_on_disk(hall) == [("btn-01", "HEARD", 1)]
    assert sum("counted" in line for line in hall.process.lines) == 1


def test_a_message_that_the_library_calls_malformed_does_not_make_the_gateway_deaf(hall: Gateway) -> None:
    """An MQTT 5 property with U+FEFF passes the broker; a library that hangs up on it would meet it for ever."""
    properties = Properties(PacketTypes.PUBLISH)
    properties.UserProperty = [("name", "\ufeff")]
    stranger = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    stranger.connect("127.0.0.1", hall.broker.port)
    stranger.loop_start()
    stranger.publish("zigbee2mqtt/0x01", "{}", qos=1, properties=properties).wait_for_publish(20)
    stranger.disconnect()
    stranger.loop_stop()
    button = hall.device(WRITTEN)
    button.press("btn-01", "9f", 1)
    button.wait_heard(WRITTEN, seq=1)
    assert calls_on_disk(hall) == [("btn-01", "HEARD", 1)]


def test_a_retained_press_is_a_memory_and_never_a_call(hall: Gateway) -> None:
    """The broker hands out what it remembers to everybody who subscribes: here to a gateway that comes back."""
    hall.process.stop()
    button = hall.device(WRITTEN)
    button.say("linli/v1/button/btn-09/press", {"boot": "9f", "seq": 1, "press": "short"}, retain=True)
    button.say("zigbee2mqtt/0x01", {"action": "emergency"}, retain=True)
    button.say("node/binary_sensor/sos/state", "ON", retain=True)
    hall.forget_session()
    hall.start()
    button.press("btn-01", "aa", 1)
    button.wait_heard(WRITTEN, seq=1)
    assert hall.seat().order("statistics")["statistics"]["counts"]["retained"] >= 3
    assert calls_on_disk(hall) == [("btn-01", "HEARD", 1)]


def test_the_broker_dies_and_comes_back_and_orders_go_on_meanwhile(hall: Gateway) -> None:
    seat = hall.seat()
    hall.broker.kill()
    seat.wait_fact("PartChanged", part="broker", state="down")
    call = seat.order("raise_call", device_id="screen:kiosk-1", kind="help", place_zh="自助机", key="k1")[
        "call"
    ]
    assert seat.order("accept_call", call_id=call["call_id"], by="小李")["written"] is True

    hall.broker.start()
    seat.wait_fact("PartChanged", part="broker", state="ready")
    button = hall.device(LAMP, WRITTEN)
    button.press("btn-01", "9f", 1)
    button.wait_heard(WRITTEN, seq=1)


def test_kill_9_and_the_hall_is_as_it_was_and_every_lamp_is_told_anew(hall: Gateway) -> None:
    button = hall.device(LAMP, WRITTEN)
    button.press("btn-01", "9f", 1)
    button.wait_heard(WRITTEN, seq=1)
    hall.process.kill()
    button.press("btn-01", "9f", 2)  # pressed while nobody is there: the broker keeps it for us
    hall.start()
    button.wait_heard(LAMP, light="blink")
    button.wait_heard(WRITTEN, seq=2)
    assert calls_on_disk(hall) == [("btn-01", "HEARD", 2)]


def test_the_disk_is_full_staff_are_alarmed_from_memory_and_the_lamp_stays_dark(hall: Gateway) -> None:
    """The limit on the process's file size is a full disk that can be emptied again (prlimit, EFBIG)."""
    button, seat = hall.device(LAMP, WRITTEN), hall.seat()
    pid, whole = hall.process.pid, resource.RLIM_INFINITY
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, whole))

    button.press("btn-01", "9f", 1)
    assert seat.wait_fact("CallChanged", device_id="btn-01")["written"] is False
    down = next(part for part in hall.seat().snapshot["parts"] if part["part"] == "notebook")
    assert down["state"] == "down" and "lamps stay dark" in down["why_en"]
    assert seat.order("accept_call", call_id=1, by="小李")["fault"] in ("not_written", "refused")
    assert button.heard == [] and calls_on_disk(hall) == []

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (whole, whole))
    assert seat.wait_fact("CallChanged", device_id="btn-01", written=True)["state"] == "HEARD"
    button.wait_heard(LAMP, light="blink")
    button.wait_heard(WRITTEN, seq=1)
    assert calls_on_disk(hall) == [("btn-01", "HEARD", 1)]


def test_a_hall_button_on_a_pin_enters_by_the_same_door(hall: Gateway) -> None:
    seat = hall.seat()
    assert seat.order("press_pin", pin_id="desk")["ok"] is True
    call = seat.wait_fact("CallChanged", device_id="gpio-desk")
    assert (call["kind"], call["place"], call["claimed"]) == ("help", "服务台", True)
    assert seat.order("statistics")["statistics"]["beacon"] == "blink"
    seat.order("accept_call", call_id=call["call_id"], by="小李")
    assert seat.order("statistics")["statistics"]["beacon"] == "steady"


def test_a_visitor_who_speaks_nonsense_is_told_so_and_the_others_do_not_notice(hall: Gateway) -> None:
    seat, other = hall.seat(), hall.seat()
    for line in ("not json", "[]", '{"order": 7}', '{"no": "order"}'):
        seat.send(line)
        assert seat._read()["fault"] == "bad_order"
    assert seat.order("fly_to_the_moon")["why_en"] == "there is no order 'fly_to_the_moon'"
    assert other.order("ping")["ok"] is True


def test_a_gateway_with_a_wrong_hall_toml_refuses_and_names_the_line(hall: Gateway, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[htpp]\n", encoding="utf-8")
    environ = {
        **hall.environ,
        "LINLI_HALL": str(wrong),
        "LINLI_HOME": str(tmp_path / "other"),
        "PATH": "/usr/bin",
    }
    answer = subprocess.run(
        [sys.executable, "-m", "gateway"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert answer.returncode == 2
    assert f"{wrong}, line 1: htpp: unknown key; did you mean 'http'?" in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
