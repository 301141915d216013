"""The hall's own mosquitto, for `linli run`: which port, which settings, which program.

A hall under systemd has Debian's mosquitto with `systemd/mosquitto.conf` instead; the settings that matter
are the same and have the same reasons.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
from pathlib import Path

from devices.faults import OutsideDown

#: What mosquitto is told. Each line is there because something was measured or broke (docs/measurements.md).
_CONF = """\
# Written by `linli run` at every start; changes here are lost.
# The network cannot reach this broker: loopback only, so no password is asked.
listener {port} 127.0.0.1
allow_anonymous true

# Without this a press waits 40 ms for Nagle's algorithm; the gateway sets it on its side too.
set_tcp_nodelay true

# At its defaults mosquitto killed loses every message it has acknowledged (200 of 200); with these, one at most.
# It writes the whole file at every second change (a press is two: its lamp, and the gateway's answer), syncs it, and
# does nothing else meanwhile: so the file lies in memory. That outlives the broker; a power cut it need not outlive
# (docs/measurements.md says why). At every change it would save twice a press, the first time before "written" is told.
persistence true
persistence_location {store}/
autosave_on_changes true
autosave_interval 2

# While the gateway is away its persistent session keeps this many messages (default: 1000, about a minute of a hall).
max_queued_messages 100000
# While the gateway's disk refuses, presses stay unacknowledged; at the default of 20 the 21st would never reach it.
max_inflight_messages 1000
# No device of ours says more than 2 KB; a bought one may send its settings (zigbee2mqtt: about 40 KB). Larger ones
# are let in up to here, so that the gateway can count and name them; whoever sends more is sent away.
max_packet_size 2097152

log_dest stderr
log_type error
log_type warning
log_timestamp_format %Y-%m-%dT%H:%M:%S
{user}"""


#: What mosquitto 2.0 says of a file that it cannot read.
_REFUSED = re.compile(r"persistent database|Couldn't open database")
#: Below live the services everybody knows; above, until the kernel's own range, hardly anything.
_LOWEST = 20_000


def find_mosquitto() -> str:
    """The broker's program. Debian puts it where an ordinary user's PATH does not look.

    :raises OutsideDown: it is not installed.
    """
    found = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise OutsideDown(
            "mosquitto (the broker) is not installed: sudo apt-get install mosquitto   没有安装 mosquitto"
        )
    return found


def write_conf(folder: Path, port: int) -> Path:
    """Write ``mosquitto.conf`` into ``folder`` and return its path."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o770)
    conf = folder / "mosquitto.conf"
    # Started as root mosquitto would become the user "mosquitto", who may not write into this folder.
    user = "user root\n" if os.geteuid() == 0 else ""
    conf.write_text(_CONF.format(port=port, store=_store(folder), user=user), encoding="utf-8")
    return conf


def put_aside_refused(conf: Path, last_words: str) -> Path | None:
    """mosquitto has ended with these words: if it was its own file that it refused, it refuses it for ever.

    The file is kept beside, under another name; what was in it are levels, which are told anew, and messages for a
    gateway that was away. Returns that name, or None where there was nothing to put aside. (Under systemd its unit
    does the same after two failures in a row: systemd/mosquitto.service.d/linli.conf.)
    """
    if not _REFUSED.search(last_words) or not conf.exists():
        return None
    for line in conf.read_text(encoding="utf-8").splitlines():
        if line.startswith("persistence_location "):
            store = Path(line.partition(" ")[2].strip()) / "mosquitto.db"
            aside = store.with_name("mosquitto.db.refused")
            if store.exists():
                store.replace(aside)
                return aside
    return None


def _store(folder: Path) -> Path:
    """Where this hall's broker keeps what it must know after it was killed: in memory, named after its folder."""
    named = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:12]
    for memory in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):
        store = Path(memory) / f"linli-{os.getuid()}-{named}"
        try:
            if memory:
                store.mkdir(mode=0o700, exist_ok=True)
                if os.access(store, os.W_OK | os.X_OK) and store.stat().st_uid == os.getuid():
                    return store
        except OSError:
            continue  # no such memory here, or not ours
    return folder


def port_is_free(host: str, port: int) -> bool:
    """Whether we could listen there now.

    :raises OutsideDown: it is not a question of free or not: no such address here, or the port is not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen(1)  # two binds with SO_REUSEADDR may both succeed; two listens may not
        except OSError as wrong:
            if wrong.errno == errno.EADDRINUSE:
                return False
            raise OutsideDown(f"cannot listen on {host} port {port}: {wrong.strerror}") from wrong
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody uses at this moment, and that the kernel hands to nobody by chance.

    A port asked of the kernel (``bind`` to 0) lies in the range from which every outgoing connection of the machine
    takes its own end, so that between our question and our use another program may be sitting there; once in some
    thousand tests one was. Below that range only who asks for a port by its number gets it.
    """
    for _ in range(200):
        port = _LOWEST + secrets.randbelow(_lowest_ephemeral() - _LOWEST)
        if port_is_free(host, port):
            return port
    raise OutsideDown(f"200 ports tried on {host} below {_lowest_ephemeral()}, and none is free")


def _lowest_ephemeral() -> int:
    """Where the kernel's own range begins (Linux's default: 32768)."""
    try:
        low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        low = 32768
    return low if low > _LOWEST + 1000 else 32768


def who_listens(port: int) -> str:
    """The program that listens on a TCP port, as "mosquitto (pid 412)"; "" where we may not see it."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            parts = line.split()
            if parts[3] == "0A" and int(parts[1].rpartition(":")[2], 16) == port:  # 0A: TCP_LISTEN
                inodes.add(f"socket:[{parts[9]}]")
    return who_holds(inodes) if inodes else ""


def who_holds(targets: set[str]) -> str:
    """The program that has one of these open (as /proc/<pid>/fd spells it), as "name (pid n)", or ""."""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            for handle in (process / "fd").iterdir():
                try:
                    if os.readlink(handle) in targets:
                        return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
                except OSError:
                    continue
        except OSError:
            continue  # another user's process, or one that has just ended
    return ""
