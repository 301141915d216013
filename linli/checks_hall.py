"""What `linli doctor` looks at in the hall: notebooks, processes, broker. Nothing is written, nothing waits long."""

from __future__ import annotations

import os
import queue
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from devices.clock import mono_s, wall_ms
from devices.faults import LinliFault, NotWritten, OutsideDown
from gateway.finding import Finding, note, ok, wrong
from gateway.house import House
from gateway.notebook import open_reader
from linli.paper import BRIDGE_ALIVE_MS
from linli.run import health
from linli.talk import Line, connect_broker, hang_up

_ROOT = Path(__file__).resolve().parents[1]

#: With TCP_NODELAY on both sides an echo takes about 1 ms on a desk, some 5 ms on a Pi; without it 40 ms (trap 1).
SLOW_ECHO_MS = 20.0


def notebooks(house: House) -> Iterator[Finding]:
    """Every notebook whole, of the right schema, with its epoch."""
    rooms = (
        (house.gateway_db, "gateway"),
        (house.kiosk_db, "kiosk"),
        (house.bridge_db, "firmware_bridge"),
        (house.herald_db, "herald"),
    )
    for file, room in rooms:
        if not file.exists():
            yield note(
                file.name,
                "还没有建立（大厅还没运行过）",
                f"is not there yet: {room} has not run on {house.home}",
            )
            continue
        yield _notebook(file, _ROOT / room / "schema")
    for aside in sorted(house.home.glob("*.corrupt-*")):
        if not aside.name.endswith(("-wal", "-shm")):
            yield wrong(
                aside.name.split(".")[0],
                f"曾经损坏，坏文件保存为 {aside.name}",
                f"was unreadable once and lies aside as {aside.name}",
                "查清原因（存储卡？），需要的数据可从中抢救；然后移走该文件",
                "find out why (the card?), save from it what is needed, then move that file away",
            )


def _notebook(file: Path, schema: Path) -> Finding:
    restore = (
        "停止大厅，从备份恢复该文件（docs/operations.md）",
        "stop the hall and restore it from a backup (docs/operations.md)",
    )
    newest = max((int(step.name[:4]) for step in schema.glob("[0-9][0-9][0-9][0-9]_*.sql")), default=0)
    try:
        connection = open_reader(file)
    except NotWritten as fault:
        return wrong(
            file.name,
            f"打不开：{fault}",
            str(fault),
            "用 sudo 再试；仍不行则从备份恢复",
            "try with sudo; if that fails too, restore a backup",
        )
    try:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        have = int(connection.execute("PRAGMA user_version").fetchone()[0])
        epoch = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    except sqlite3.Error as fault:
        return wrong(file.name, f"读不出来：{fault}", f"cannot be read: {fault}", *restore)
    finally:
        connection.close()
    if verdict != "ok":
        return wrong(file.name, f"已损坏：{verdict}", f"is damaged: {verdict}", *restore)
    if have > newest:
        return wrong(
            file.name,
            f"由更新版本的软件写成（{have} > {newest}）",
            f"was written by a newer Linli (schema {have}, this knows {newest})",
            "重新安装较新的版本",
            "install that newer version again",
        )
    if epoch is None:
        return wrong(
            file.name, "缺少纪元标记", "has no epoch: it is not one of ours, or half restored", *restore
        )
    size = f"{file.stat().st_size / 1e6:.1f} MB"
    behind = f"，启动时升级到 {newest}" if have < newest else ""
    coming = f"; the next start brings it to {newest}" if have < newest else ""
    return ok(
        file.name,
        f"完好，{size}，版本 {have}{behind}",
        f"whole, {size}, schema {have}{coming}, epoch {epoch[0]}",
    )


def processes(house: House) -> Iterator[Finding]:
    """Who of the four is alive, and what the kiosk says of every part."""
    gateway, said_gateway = _gateway(house)
    status, answer = health(house, 3.0)
    bridge = _beats(house.bridge_db, "bridge_alive")
    herald = _beats(house.herald_db, "herald_alive")
    if not (gateway or status or bridge or herald) and not Path("/etc/systemd/system/linli.target").exists():
        yield note("hall", "大厅没有在运行", "the hall is not running: start it with make run")
        return
    do = (
        "查看日志：journalctl -u linli-{0} -n 50（或 make run 的窗口）",
        "see journalctl -u linli-{0} -n 50, or the window of make run",
    )
    for name, alive, why in (
        ("gateway", gateway, said_gateway),
        ("kiosk", status != 0, f"http://127.0.0.1:{house.plan.http.port}/healthz"),
        ("bridge", bridge, "bridge.db"),
        ("herald", herald, "herald.db"),
    ):
        if alive:
            yield ok(name, "在运行", f"runs ({why})")
        else:
            yield wrong(
                name, f"没有回答（{why}）", f"does not answer ({why})", do[0].format(name), do[1].format(name)
            )
    for name, part in sorted(answer.get("parts", {}).items()):
        state, zh, en = part.get("state", "?"), part.get("why_zh", ""), part.get("why_en", "")
        if state == "ready" or name in ("kiosk", "gateway", "bridge", "herald"):
            continue
        if state in ("degraded", "paper_low", "starting"):
            yield note(name, f"{state} {zh}", f"{state} {en}")
        else:
            yield wrong(
                name,
                f"{state} {zh}",
                f"{state} {en}",
                "处理后会自动恢复",
                "when that is mended it comes back by itself",
            )


def _gateway(house: House) -> tuple[bool, str]:
    try:
        with Line(house.gateway_socket, "the gateway") as line:
            return True, f"{line.ask(id='1', order='ping').get('turns', '?')} turns"
    except LinliFault as fault:
        return False, str(fault)


def _beats(file: Path, table: str) -> bool:
    """Whether the owner of this notebook has lately written that it is alive."""
    try:
        connection = open_reader(file)
    except NotWritten:
        return False
    try:
        row = connection.execute(f"SELECT beat_ms FROM {table}").fetchone()
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return row is not None and 0 <= wall_ms() - int(row[0]) < BRIDGE_ALIVE_MS


def open_data(house: House) -> Iterator[Finding]:
    """A car park that is told to a city's platform needs its place on earth: without one it is left out, silently."""
    if not house.plan.open_data.on:
        return
    try:
        connection = open_reader(house.gateway_db)
    except NotWritten:
        return
    try:
        rows = connection.execute("SELECT site_id FROM parking_sites WHERE lat IS NULL OR lon IS NULL").fetchall()
        sites = connection.execute("SELECT count(*) FROM parking_sites").fetchone()[0]
    except sqlite3.Error:
        return  # the notebook's own check says what is wrong with it
    finally:
        connection.close()
    without = ", ".join(str(row[0]) for row in rows)
    if without or not sites:
        yield wrong(
            "open data",
            f"已打开，但停车场 {without} 没有经纬度，不会导出" if sites else "已打开，但还没有停车场",
            f"on, but {without} has no coordinates and is left out" if sites else "on, but there is no car park",
            "控制台“停车 → 设置”里填停车场的经纬度（WGS 84）",
            "set the car park's latitude and longitude (WGS 84) on the console: Parking, Set-up",
        )
    else:
        yield ok("open data", f"{sites} 个停车场有经纬度", f"{sites} car parks with coordinates")


def broker(house: House) -> Iterator[Finding]:
    """Reachable, and without the 40 ms of Nagle's algorithm: measured by an echo, not believed."""
    where = f"{house.plan.broker.host}:{house.plan.broker.port}"
    try:
        echo_ms = _echo_ms(house)
    except OutsideDown as fault:
        if house.plan.broker.own and not house.gateway_socket.exists():
            yield note("broker", "未运行（随大厅一起启动）", "not running: it starts with the hall")
        else:
            yield wrong(
                "broker",
                f"{where} 连不上：{fault}",
                str(fault),
                "检查 mosquitto：systemctl status mosquitto；按钮暂时无法呼叫",
                "see systemctl status mosquitto; until it is back call buttons cannot be heard",
            )
        return
    if echo_ms is None:
        yield note(
            "broker",
            f"{where} 可连接，不允许回声测试",
            f"{where} is there but lets no echo through: delay not measured",
        )
    elif echo_ms > SLOW_ECHO_MS:
        yield wrong(
            "broker",
            f"{where} 延迟 {echo_ms:.0f} ms",
            f"{where} echoes in {echo_ms:.0f} ms; 1-5 ms is right",
            "在 mosquitto 配置中加入：set_tcp_nodelay true",
            "put into mosquitto's configuration: set_tcp_nodelay true",
        )
    else:
        yield ok(
            "broker", f"{where} 回声 {echo_ms:.1f} ms", f"{where} echoes in {echo_ms:.1f} ms (nodelay works)"
        )


def _echo_ms(house: House) -> float | None:
    """What two thirds of 24 echoes stay below; None where the broker lets no echo through.

    The topic begins with $, which the gateway's "#" does not match: it hears nothing of this.
    Two messages at once, and the second is timed: Nagle's algorithm holds the second back until the first is
    acknowledged (43.9 ms measured without nodelay for about four echoes in five, 0.2 ms with it). A single echo never
    waits and would prove nothing.
    """
    client = connect_broker(house, "linli-doctor")
    heard = queue.SimpleQueue[float]()
    subscribed = queue.SimpleQueue[bool]()
    client.on_message = lambda *_: heard.put(mono_s())
    client.on_subscribe = lambda *_: subscribed.put(True)
    topic = f"$linli/doctor/{os.getpid()}"
    took = []
    try:
        client.subscribe(topic, qos=1)
        subscribed.get(timeout=2)
        for _ in range(24):
            said = mono_s()
            client.publish(topic, b"one", qos=0)
            client.publish(topic, b"two", qos=0)
            heard.get(timeout=2)
            took.append((heard.get(timeout=2) - said) * 1000)
    except queue.Empty:
        return None
    finally:
        hang_up(client)
    return sorted(took)[16]
