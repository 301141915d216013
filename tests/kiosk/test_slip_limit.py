"""Paper for everybody: a queue of people is never refused, a script or a child is, and staff see where it stands."""

from __future__ import annotations

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk.console import picture
from kiosk.core import Core
from kiosk.slip_limit import AT_ONCE, ONE_IN_MS, SlipLimit, TooManySlips
from tests.kiosk.conftest import HeldClock

LEAK = {"kind": "leak", "place": "home", "building": "3", "unit": "2", "room": "501"}
SCRIPT = {"REMOTE_ADDR": "192.168.1.66"}


def test_people_never_find_it_empty_and_a_script_does():
    limit, now_ms = SlipLimit(), 1_000_000
    for _ in range(AT_ONCE):  # who waited at the door
        limit.check("kiosk-1", now_ms)
        limit.spend("kiosk-1", now_ms)
    for _ in range(1_500):  # and then a whole day without a pause
        now_ms += ONE_IN_MS
        limit.check("kiosk-1", now_ms)
        limit.spend("kiosk-1", now_ms)
    with pytest.raises(TooManySlips) as refused:
        limit.check("kiosk-1", now_ms)
    assert refused.value.wait_s == ONE_IN_MS // 1000
    limit.check("kiosk-2", now_ms)
    # Its clock is put back by a day: it waits no longer for that.
    now_ms -= 86_400_000
    with pytest.raises(TooManySlips):
        limit.check("kiosk-1", now_ms)
    limit.spend("kiosk-1", now_ms)
    limit.check("kiosk-1", now_ms + ONE_IN_MS)


def test_paper_is_kept_and_nobody_who_presses_twice_is_refused(
    core: Core, client: FlaskClient, clock: HeldClock, caplog: pytest.LogCaptureFixture
):
    core.slip_limit = SlipLimit(at_once=2)

    def take(key: str, screen: str = "kiosk-1", service: str = "ZW-01", **more: object):
        asked = {"service": service, "key": key, "screen": screen}
        return client.post("/api/tickets", json=asked, **more)

    assert take("a").status_code == 201
    assert client.post("/api/requests", json={**LEAK, "key": "b", "screen": "kiosk-1"}).status_code == 201
    held = take("c", service="ZW-02")
    error = held.get_json()["error"]
    assert (held.status_code, error["code"], held.headers["Retry-After"]) == (429, "too_many_slips", "6")
    assert "服务台" in error["zh"] and "staff at the counter" in error["en"]
    assert client.post("/api/requests", json={**LEAK, "key": "d", "screen": "kiosk-1"}).status_code == 429
    # What prints nothing new: the same key, and a second touch.
    assert take("a").status_code == 200
    assert take("a-again").get_json()["second_touch"] is True
    assert client.post("/api/requests", json={**LEAK, "key": "b", "screen": "kiosk-1"}).status_code == 200
    # Another screen, and a program of this machine that takes numbers for many.
    assert take("e", screen="kiosk-2").status_code == 201
    assert all(take(f"p{n}", screen="desk").status_code == 201 for n in range(3))
    clock.forward(seconds=6)
    assert take("c", service="ZW-02").status_code == 201

    # From elsewhere it is the address that counts, whatever name it gives itself.
    with caplog.at_level(logging.WARNING, "linli"):
        seen = [take(f"x{n}", f"kiosk-{n + 1}", environ_base=SCRIPT).status_code for n in range(4)]
    assert seen == [201, 201, 429, 429]
    assert len([one for one in caplog.messages if "192.168.1.66" in one]) == 1
    told = picture.paper(core)["parts"]["slips"]
    assert told["state"] == "degraded"
    assert "192.168.1.66" in told["why_zh"] and "已拦下 4 张" in told["why_zh"]
    assert client.get("/healthz").get_json()["parts"]["slips"] == told
    assert "linli_slips_refused_total 4.0" in client.get("/metrics").get_data(as_text=True)
    clock.forward(hours=1)
    assert "slips" not in picture.paper(core)["parts"]


def test_a_call_for_help_is_never_held_back_by_it(app: Flask, core: Core, gateway: object):
    core.slip_limit = SlipLimit(at_once=0)
    client = app.test_client()
    assert client.post("/api/tickets", json={"service": "ZW-01", "screen": "kiosk-1"}).status_code == 429
    for n in range(8):
        assert client.post("/api/help", json={"screen": "kiosk-1", "key": f"h{n}"}).status_code == 202
