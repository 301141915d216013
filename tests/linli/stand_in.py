"""`linli run` with stand-ins for its processes: each tells what happens to it, and can be told to be difficult.

    python -m tests.linli.stand_in            the real `linli.run.run`, with the parts below
    python -m tests.linli.stand_in part NAME  one stand-in

Difficulties come by the environment: ``STUBBORN=kiosk`` ignores SIGTERM, ``REFUSES=gateway`` ends with status 2,
``FORKS=bridge`` leaves a child of its own behind. ``BACKUP_SOON=1`` backs up as soon as it is ready.
"""

from __future__ import annotations

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from gateway.house import House, open_house
from linli import run as supervisor

NAMES = ("broker", "gateway", "virtual", "kiosk", "bridge", "herald")


def parts(house: House) -> tuple[supervisor.Part, ...]:
    return tuple(
        supervisor.Part(name, (sys.executable, "-m", "tests.linli.stand_in", "part", name)) for name in NAMES
    )


def part(name: str) -> int:
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # kept until we wait for them: none is missed, none interrupts
    if os.environ.get("REFUSES") == name:
        say(name, "hall.toml, line 3: no such key")
        return 2
    if os.environ.get("FORKS") == name:
        child = subprocess.Popen(["sleep", "600"])
        say(name, f"grandchild {child.pid}")
    if name == "broker":
        socket.create_server(("127.0.0.1", int(os.environ["LINLI_MQTT_PORT"]))).detach()  # held until the end
    if name == "kiosk":
        house = open_house()
        server = http.server.HTTPServer(("127.0.0.1", house.plan.http.port), Health)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    if name == "virtual":  # its lines, for which the bridge's start is kept back
        house = open_house()
        (house.home / "virtual").mkdir(exist_ok=True)
        for thing in [one.id for one in house.plan.printers] + [one.id for one in house.plan.panels]:
            Path(house.serial_port(thing, "virtual")).touch()
    say(name, f"begins {os.getpid()} notify={os.environ.get('NOTIFY_SOCKET', '')}")
    while (number := signal.sigwait(signals)) != signal.SIGTERM or os.environ.get("STUBBORN") == name:
        say(name, f"was interrupted by {number}")
    say(name, "ends")
    return 0


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
        self.wfile.write(b'{"status":"ready","parts":{}}')

    def log_message(self, *_: object) -> None:
        pass


def say(name: str, words: str) -> None:
    os.write(1, f"{name} {words}\n".encode())  # in one piece: five processes share this pipe


if __name__ == "__main__":
    if sys.argv[1:2] == ["part"]:
        sys.exit(part(sys.argv[2]))
    supervisor.parts_of = parts
    if "BACKUP_SOON" in os.environ:
        supervisor.FIRST_BACKUP_S = 0.0
    sys.exit(supervisor.run())
