"""Where this hall lives on this machine: its folder, its sockets, its ports, its hall.toml.

``make run`` and the systemd units differ only in the environment read here:
``LINLI_HOME`` (data; default ./var), ``LINLI_HTTP_PORT``, ``LINLI_MQTT_PORT`` (over hall.toml), ``LINLI_HALL``
(another hall.toml), ``LINLI_RUN`` (sockets; default <home>/run).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from devices.faults import HallFileFault
from devices.plan import Plan, read_plan

#: A unix socket's path holds 107 bytes on Linux (sun_path, unix(7)); the longest name we put behind it has 16.
_LONGEST_RUN_DIR = 107 - 17
#: In the hall's data while it has no administrator.
TOKEN_FILE = "first-admin-token"


@dataclass(frozen=True, slots=True)
class House:
    """Paths and ports of one hall. Nothing is created or opened by making one."""

    home: Path
    run_dir: Path
    plan: Plan
    hall_file: str

    @property
    def gateway_db(self) -> Path:
        return self.home / "gateway.db"

    @property
    def kiosk_db(self) -> Path:
        return self.home / "kiosk.db"

    @property
    def bridge_db(self) -> Path:
        return self.home / "bridge.db"

    @property
    def herald_db(self) -> Path:
        return self.home / "herald.db"

    @property
    def first_token(self) -> Path:
        """There while the hall has no administrator (kiosk/accounts.py)."""
        return self.home / TOKEN_FILE

    @property
    def gateway_socket(self) -> Path:
        return self.run_dir / "gateway.sock"

    @property
    def virtual_socket(self) -> Path:
        return self.run_dir / "virtual.sock"

    def serial_port(self, thing_id: str, port: str) -> str:
        """The path to open for a printer's or panel's ``port``: a virtual one is a link to a pseudo-terminal."""
        if port.startswith("virtual:"):  # a line that several virtual panels share
            return str(self.home / "virtual" / port.removeprefix("virtual:"))
        return str(self.home / "virtual" / thing_id) if port == "virtual" else port


def open_house(hall_file: str | None = None, environ: Mapping[str, str] = os.environ) -> House:
    """Find this hall's folder and read its hall.toml.

    Raises :class:`devices.faults.HallFileFault` for a hall.toml or a port in the environment that is wrong.
    """
    home = Path(environ.get("LINLI_HOME") or "var").absolute()
    named = hall_file or environ.get("LINLI_HALL") or ""
    plan, found = Plan(), ""
    for candidate in [Path(named)] if named else [home / "hall.toml", Path("hall.toml")]:
        try:
            text = candidate.read_text(encoding="utf-8")
        except FileNotFoundError:
            if named:
                raise HallFileFault(f"{candidate}: there is no such file") from None
            continue
        except (OSError, UnicodeDecodeError) as wrong:
            raise HallFileFault(f"{candidate}: cannot be read: {wrong}") from wrong
        plan, found = read_plan(text, str(candidate)), str(candidate)
        break
    if port := _port(environ, "LINLI_HTTP_PORT"):
        plan = replace(plan, http=replace(plan.http, port=port))
    if port := _port(environ, "LINLI_MQTT_PORT"):
        plan = replace(plan, broker=replace(plan.broker, port=port))
    return House(home, _run_dir(home, environ), plan, found)


def _port(environ: Mapping[str, str], name: str) -> int | None:
    raw = environ.get(name, "").strip()
    if not raw:
        return None
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= 65535:
        raise HallFileFault(f"environment, {name}: must be a port from 1 to 65535, not {raw!r}")
    return int(raw)


def _run_dir(home: Path, environ: Mapping[str, str]) -> Path:
    named = environ.get("LINLI_RUN", "")
    run_dir = Path(named).absolute() if named else home / "run"
    if len(os.fsencode(run_dir)) <= _LONGEST_RUN_DIR:
        return run_dir
    # A long LINLI_HOME must not stop the hall: its sockets move to a short folder named after it.
    short = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"linli-{os.getuid()}-{short}"
