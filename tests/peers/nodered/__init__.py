"""Node-RED as a peer: ``flow.json`` is the flow, ``package.json`` the exact versions, ``settings.js`` no editor.

It is installed by npm into ``.peers/`` at the root of the repository, which git ignores, and only when asked:
``make bench ARGS="peers install"``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from devices.faults import OutsideDown
from linli.broker import free_port
from tests.parts import ROOT
from tests.peers.peer import TwoTables

HERE = Path(__file__).parent
INSTALLED = ROOT / ".peers" / "nodered"
_NODE = INSTALLED / "node_modules" / "node" / "bin" / "node"
_RED = INSTALLED / "node_modules" / "node-red" / "red.js"


class NodeRed(TwoTables):
    """MQTT in → SQLite (WAL, FULL) → MQTT out, drawn as anybody would draw it; with TCP_NODELAY as a gift."""

    name = "nodered"
    file = "nodered.db"
    nodelay = "1"

    def command(self) -> tuple[list[str], Mapping[str, str]]:
        if not is_installed():
            raise OutsideDown(
                'Node-RED is not installed here: make bench ARGS="peers install" (npm, some 340 MB in .peers/)'
            )
        for name in ("flow.json", "settings.js"):
            shutil.copy(HERE / name, self.folder)
        words = [
            str(_NODE),
            str(_RED),
            "--userDir",
            str(self.folder),
            "--settings",
            str(self.folder / "settings.js"),
        ]
        return words, {
            "PEER_FILE": str(self.folder / self.file),
            "PEER_MQTT_PORT": str(self.mqtt_port),
            "PEER_HTTP_PORT": str(free_port()),
            "PEER_NODELAY": self.nodelay,
        }


class NodeRedShipped(NodeRed):
    """The same, with its sockets as they are."""

    name = "nodered-shipped"
    nodelay = "0"


def is_installed() -> bool:
    """The versions that package.json names are there, not those of an older comparison."""
    try:
        there = (INSTALLED / "package.json").read_text(encoding="utf-8")
    except OSError:
        return False
    return _NODE.exists() and _RED.exists() and there == (HERE / "package.json").read_text(encoding="utf-8")


def install() -> None:
    """Let npm install what package.json names.

    :raises OutsideDown: there is no npm, or it did not succeed; with its own words.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise OutsideDown(
            "npm is not installed: sudo apt-get install npm (any version; Node itself comes by npm)"
        )
    INSTALLED.mkdir(parents=True, exist_ok=True)
    wanted = INSTALLED / "package.json"
    shutil.copy(HERE / "package.json", wanted)
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=INSTALLED,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0 or not _NODE.exists() or not _RED.exists():
        wanted.unlink()
        raise OutsideDown(f"npm could not install Node-RED:\n{(done.stdout + done.stderr).strip()[-2000:]}")


def versions() -> str:
    """What is compared, for the head of a table."""
    named: dict[str, str] = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return ", ".join(f"{name} {version}" for name, version in named.items())
