"""What a hall on a desk takes for itself before it begins: its folder of data and its two ports."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
from collections.abc import Iterator, Mapping
from pathlib import Path

from devices.clock import mono_s
from devices.faults import OutsideDown
from gateway.house import House, open_house
from linli.broker import free_port, port_is_free, who_listens
from linli.say import say_line

#: How long a hall that has just been killed may take to let go of its data.
LET_GO_S = 5.0


def take_ports(house: House, environ: Mapping[str, str]) -> tuple[House, dict[str, str]]:
    """Make sure of the two ports and tell them to the children by their environment.

    :raises OutsideDown: a port that was asked for is taken.
    """
    ours = {name: value for name, value in environ.items() if name not in _NOT_FOR_CHILDREN}
    http_port = house.plan.http.port
    if not port_is_free(house.plan.http.listen, http_port):
        raise OutsideDown(
            f"port {http_port} for the pages is already used{_by(http_port)}. 网页端口已被占用。\n"
            f"       Stop that program, or give this hall another port: LINLI_HTTP_PORT={http_port + 1} make run"
        )
    ours["LINLI_HTTP_PORT"] = str(http_port)
    mqtt_port = house.plan.broker.port
    if house.plan.broker.own:
        if not port_is_free("127.0.0.1", mqtt_port):
            if environ.get("LINLI_MQTT_PORT", "").strip():
                raise OutsideDown(
                    f"port {mqtt_port} for the broker is already used{_by(mqtt_port)}. 消息服务端口已被占用。\n"
                    f"       Leave LINLI_MQTT_PORT out, and a free port is taken."
                )
            other = free_port()
            say_line(
                f"port {mqtt_port} is already used{_by(mqtt_port)}: this hall's own broker takes port {other}"
            )
            mqtt_port = other
        ours["LINLI_MQTT_PORT"] = str(mqtt_port)
    ours["LINLI_HOME"] = str(house.home)
    ours["LINLI_RUN"] = str(house.run_dir)
    if house.hall_file:
        ours["LINLI_HALL"] = str(Path(house.hall_file).absolute())
    ours["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(Path(__file__).resolve().parents[1]), environ.get("PYTHONPATH", "")))
    )
    note = {"pid": os.getpid(), "http_port": http_port, "mqtt_port": mqtt_port}
    (house.run_dir / "hall.json").write_text(json.dumps(note), encoding="utf-8")
    return open_house(ours.get("LINLI_HALL"), ours), ours


#: These speak of us, not of our children: systemd's sockets, and whose death is ours.
_NOT_FOR_CHILDREN = (
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LINLI_STOP_WITH_PARENT",
)


def _by(port: int) -> str:
    who = who_listens(port)
    return f" by {who}" if who else ""


def make_folders(house: House) -> None:
    for folder in (house.home, house.run_dir):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o770)
        except OSError as wrong:
            raise OutsideDown(
                f"the folder {folder} cannot be made: {wrong.strerror}. 无法创建数据目录。"
            ) from wrong


@contextlib.contextmanager
def lock(house: House) -> Iterator[int]:
    """Hold this folder of data. The lock is the kernel's: it cannot be left behind by a crash.

    :raises OutsideDown: another hall has it.
    """
    try:
        handle = os.open(house.home / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    except OSError as wrong:
        raise OutsideDown(f"{house.home} cannot be written: {wrong.strerror}. 数据目录不可写。") from wrong
    try:
        until_s = mono_s() + LET_GO_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = os.pread(handle, 64, 0).decode("ascii", "replace").strip()
                dead = holder.isdigit() and not Path(f"/proc/{holder}").exists()
                if not dead or mono_s() > until_s:
                    raise OutsideDown(
                        f"a hall is already running on {house.home} (pid {holder or 'unknown'}). "
                        "该数据目录上已有大厅在运行。\n"
                        f"       Use it, or stop it first: kill {holder or '<pid>'}.  "
                        f"For a second hall: LINLI_HOME=var2 LINLI_HTTP_PORT=8001 make run"
                    ) from None
                # Its supervisor was killed; the last of its processes is just going.
                select.select([], [], [], 0.05)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        sweep(house)
        yield handle
    finally:
        os.close(handle)


def sweep(house: House) -> None:
    """Remove the sockets of processes that are gone. Only ever called while nobody of this hall is alive."""
    for left in (*house.run_dir.glob("*.sock"), house.run_dir / "hall.json"):
        with contextlib.suppress(FileNotFoundError):
            left.unlink()
