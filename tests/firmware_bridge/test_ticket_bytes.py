"""Every ticket that this hall can give, on every printer that it can have: 600 bytes, and nothing beside the paper.

``python -m tests.firmware_bridge.test_ticket_bytes`` prints the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import kiosk
from devices.plan import Hall
from devices.virtual.paper import Piece
from firmware_bridge.escpos import completion_mark, process_id, render
from firmware_bridge.profiles import Profile, load_profiles
from kiosk.catalogue import Catalogue, Service, load_catalogue
from kiosk.rules.slip import MOST_BYTES, compose_ticket, wire_bytes
from tests.firmware_bridge.printed import printed
from tests.kiosk.test_slip import NUMBER_31, windows_of

PROFILES = load_profiles()


@cache
def catalogue() -> Catalogue:
    file = Path(kiosk.__file__).parent / "data" / "services_31.yaml"
    return load_catalogue(file.read_text(encoding="utf-8"), file.name)


def variants(service: Service) -> Iterator[dict[str, Any]]:
    """A plain ticket; one with everything that is usual; one with everything that there is."""
    others = [one for one in catalogue().services if one is not service]
    yield {}
    yield {"lane_why": "disabled", "wait_min": (10, 15)}
    yield {"lane_why": "child", "wait_min": (100, 125), "also": tuple(others[7:10])}


def slip(service: Service, lang: str, **more: Any) -> dict[str, Any]:
    ticket = replace(
        NUMBER_31, service_code=service.code, prefix=service.ticket_prefix, number=131, lang=lang
    )
    windows = windows_of(catalogue(), service.code)
    zone = ZoneInfo("Asia/Shanghai")
    return compose_ticket(Hall(), ticket, service, windows, 27, zone, "http://192.168.100.100:8000", **more)


def wire(body: dict[str, Any], profile: Profile) -> bytes:
    return render(body, profile, completion_mark(profile, process_id(7))).raw


#: One of each width and encoding; `python -m tests.firmware_bridge.test_ticket_bytes` prints the table of all.
@pytest.mark.parametrize(
    ("name", "lang"),
    [
        ("generic58", "zh"),
        ("generic80", "en"),
        ("epson-tm-t82-58", "en"),
        ("sprt58", "zh"),
        pytest.param("generic58", "en", marks=pytest.mark.long),
        pytest.param("generic80", "zh", marks=pytest.mark.long),
        pytest.param("epson-tm-t82-58", "zh", marks=pytest.mark.long),
        pytest.param("sprt58", "en", marks=pytest.mark.long),
    ],
)
def test_all_31_items_stay_within_600_bytes_and_the_paper(name: str, lang: str) -> None:
    profile = PROFILES[name]
    for service in catalogue().services:
        for more in variants(service):
            body = slip(service, lang, **more)
            raw = wire(body, profile)
            assert len(raw) <= wire_bytes(body["blocks"]) <= MOST_BYTES, (service.code, more)
            (piece,) = printed(raw, profile)
            assert_clean(piece, profile)
            assert piece.qr_codes == ["http://192.168.100.100:8000/t/AbCdEfGhIjKlMnOp"]


def assert_clean(piece: Piece, profile: Profile) -> None:
    assert (piece.overflows, piece.unknown) == (0, [])
    assert max(line.width for line in piece.lines) <= profile.dots
    assert "?" not in piece.text(profile.dots)
    assert "〓" not in piece.text(profile.dots)


def main() -> None:
    print("bytes on the wire, most of all profiles; materials named/all: plain, lane and wait, three items more")
    for service in catalogue().services:
        row = []
        for lang in ("zh", "en"):
            for more in variants(service):
                body = slip(service, lang, **more)
                most = max(len(wire(body, profile)) for profile in PROFILES.values())
                named = sum(one.get("text", "").startswith("□") for one in body["blocks"])
                row.append(f"{most} ({named}/{len(service.materials)})")
        print(f"{service.code} {service.name_zh:\u3000<14} {'  '.join(row)}")


if __name__ == "__main__":
    main()
