"""/healthz and /livez: is every part of the hall there? Asked by people, by `linli doctor`, by tests."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify

from devices.faults import NotWritten
from kiosk.core import Core, current_core
from kiosk.slip_limit import TOLD_MS

blueprint = Blueprint("health", __name__)

#: The bridge writes its beat every 15 s (docs/protocol.md, 3); three missed are not a coincidence.
BRIDGE_BEAT_STALE_MS = 50_000
#: The herald's beat: the same.
HERALD_BEAT_STALE_MS = 50_000
#: A slip is the bridge's job some 20 ms after its ticket; ten seconds are a bridge that cannot write.
SLIP_UNTAKEN_MS = 10_000
#: Without these the hall is not ready; everything else may be degraded and the hall still serves.
CORE_PARTS = ("kiosk", "gateway", "broker", "bridge")


@blueprint.get("/livez")
def livez() -> Response:
    return jsonify({"status": "live"})


@blueprint.get("/healthz")
def healthz() -> tuple[Response, int]:
    parts = parts_of(current_core())
    missing = [name for name in CORE_PARTS if parts.get(name, {}).get("state") not in ("ready", "degraded")]
    if missing:
        status = (
            "starting" if any(parts.get(name, {}).get("state") == "starting" for name in missing) else "down"
        )
    else:
        status = "ready" if all(part["state"] == "ready" for part in parts.values()) else "degraded"
    return jsonify({"status": status, "parts": parts}), 503 if missing else 200


def parts_of(core: Core) -> dict[str, dict[str, Any]]:
    """Each part's state with its reason in both languages. ``state``: ready, degraded, down, or a device's own word."""
    return {
        "kiosk": kiosk_part(core),
        **_gateway(core),
        "bridge": bridge_part(core),
        **_printing(core),
        **message_parts(core),
        **voice_part(core),
        **slips_part(core),
    }


def _part(state: str, why_zh: str = "", why_en: str = "", since_ms: int | None = None) -> dict[str, Any]:
    return {"state": state, "since_ms": since_ms, "why_zh": why_zh, "why_en": why_en}


def kiosk_part(core: Core) -> dict[str, Any]:
    """Whether tickets can be written."""
    if core.writer.trouble:
        return _part(
            "down",
            "取号无法保存：请技术员检查磁盘；呼叫照常",
            f"tickets cannot be saved: {core.writer.trouble}",
        )
    try:
        core.reader()
    except NotWritten as wrong:
        return _part("down", "取号记录打不开", str(wrong))
    return _part("ready")


def _gateway(core: Core) -> dict[str, dict[str, Any]]:
    heard = core.link.snapshot()
    if not heard["connected"]:
        away = (
            "网关没有连上：呼叫和车位不会更新，取号照常",
            "the gateway is away: calls and bays stand still, tickets go on",
        )
        return {"gateway": _part("down", *away), "broker": _part("down", *away)}
    told = {
        str(part["part"]): _part(
            str(part.get("state", "down")),
            part.get("why_zh", ""),
            part.get("why_en", ""),
            part.get("since_ms"),
        )
        for part in heard["parts"]
        if "part" in part
    }
    told.setdefault("gateway", _part("ready"))
    told.setdefault("broker", _part("starting", "还没有消息", "nothing heard yet"))
    return told


def bridge_part(core: Core) -> dict[str, Any]:
    """Whether anybody prints: the bridge's own sign of life, and whether it takes in the slips that are there.

    A bridge whose disk refuses cannot write that it is in trouble; that a slip waits and is nobody's job says it.
    """
    try:
        reader = core.bridge_reader()
        alive = reader.execute("SELECT beat_ms, started_ms FROM bridge_alive").fetchone()
        newest = reader.execute("SELECT coalesce(max(slip_id), 0) FROM jobs").fetchone()[0]
    except (NotWritten, sqlite3.Error) as wrong:
        why = f"the bridge is not there yet: {wrong}"
        return _part("down", "打印服务还没有启动：号码照取，纸稍后补", why)
    if alive is None or core.now_ms() - alive[0] > BRIDGE_BEAT_STALE_MS:
        since_ms = None if alive is None else alive[0]
        return _part("down", "打印服务没有响应：号码照取，纸稍后补", "the bridge does not answer", since_ms)
    try:
        row = (
            core.reader().execute("SELECT min(created_ms) FROM slips WHERE slip_id > ?", (newest,)).fetchone()
        )
    except (NotWritten, sqlite3.Error):
        row = (None,)  # what is wrong with kiosk.db is told as the kiosk's own part
    if row[0] is not None and core.now_ms() - row[0] > SLIP_UNTAKEN_MS:
        return _part(
            "down",
            "打印服务没有接下小票：号码照取，纸稍后补；请技术员检查磁盘",
            "the bridge does not take in slips: numbers go on, paper comes later; have a technician check the disk",
            row[0],
        )
    return _part("ready", since_ms=alive[1])


def _printing(core: Core) -> dict[str, dict[str, Any]]:
    try:
        reader = core.bridge_reader()
        printers = reader.execute("SELECT printer, state, since_ms, why_zh, why_en FROM printers").fetchall()
        panels = reader.execute("SELECT panel, state, since_ms, why_zh, why_en FROM panels").fetchall()
    except (NotWritten, sqlite3.Error):
        return {}
    things = {f"printer:{row[0]}": _part(row[1], row[3] or "", row[4] or "", row[2]) for row in printers}
    return things | {f"panel:{row[0]}": _part(row[1], row[3] or "", row[4] or "", row[2]) for row in panels}


def voice_part(core: Core) -> dict[str, dict[str, Any]]:
    """What keeps numbers from being called aloud ("voice"); nothing in a hall that has no voice."""
    if core.house.plan.voice.by == "off":
        return {}
    faults = core.voice.faults
    if not faults:
        return {"voice": _part("ready")}
    return {"voice": _part("degraded", faults[0].zh, faults[0].en, faults[0].since_ms)}


def slips_part(core: Core) -> dict[str, dict[str, Any]]:
    """Whether somebody has just asked for more paper than people can ("slips"); nothing where nobody has."""
    told = core.slip_limit.refusals()
    if not told.count or not 0 <= core.now_ms() - told.at_ms < TOLD_MS:
        return {}
    do = (
        ("请到那块屏幕前看一看", "please look at that screen")
        if told.who.startswith("kiosk-")
        else ("请按这个地址找设备", "find the device with this address")
    )
    zh = f"{told.who} 要的小票太多，已拦下 {told.count} 张：{do[0]}"
    en = f"{told.who} asks for too many slips, {told.count} were held back: {do[1]}"
    return {"slips": _part("degraded", zh, en, told.at_ms)}


def message_parts(core: Core) -> dict[str, dict[str, Any]]:
    """Whether messages go out ("herald"), and how the hall's own modem is ("sms"), where there is one."""
    down = "消息服务没有运行：呼叫照常在大厅响，不在大厅的人收不到"
    try:
        reader = core.herald_reader()
        alive = reader.execute("SELECT beat_ms, started_ms FROM herald_alive").fetchone()
        modems = reader.execute("SELECT modem, state, since_ms, why_zh, why_en FROM modems").fetchall()
    except (NotWritten, sqlite3.Error) as wrong:
        return {"herald": _part("down", down, f"the herald is not there yet: {wrong}")}
    if alive is None or core.now_ms() - alive[0] > HERALD_BEAT_STALE_MS:
        return {
            "herald": _part("down", down, "the herald does not answer", None if alive is None else alive[0])
        }
    parts = {"herald": _part("ready", since_ms=alive[1])}
    for name, state, since_ms, why_zh, why_en in modems:
        parts[name] = _part("ready" if state == "ready" else "degraded", why_zh, why_en, since_ms)
    return parts
