"""The drop-in that lets the kiosk reach a sound card: systemd reads it, and it opens nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.systemd.test_units import UNITS, machine, verify

__all__ = ["machine"]


def test_systemd_understands_the_drop_in(machine: Path) -> None:
    place = machine / "etc/systemd/system/linli-kiosk.service.d"
    place.mkdir()
    shutil.copy(UNITS / "linli-kiosk-voice.conf", place / "voice.conf")
    said = verify(machine)
    shutil.rmtree(place)
    assert "voice.conf" not in said.stderr, said.stderr


def test_it_opens_the_sound_card_and_no_other_device() -> None:
    lines = (UNITS / "linli-kiosk-voice.conf").read_text(encoding="utf-8").splitlines()
    set_here = [line for line in lines if line and not line.startswith(("#", "["))]
    assert set_here == [
        "PrivateDevices=no",
        "DevicePolicy=closed",
        "DeviceAllow=char-alsa rw",
        "SupplementaryGroups=audio",
    ]
