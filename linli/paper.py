"""`linli print`: a test slip, on paper, without touching the kiosk's notebook.

Two ways, because a serial line has one owner:

* The bridge runs: the slip is laid into ``<home>/spool-in/<slip_id>.json`` (written aside and renamed, so it is
  whole or not there). The bridge takes it as a job like any other, and its row in bridge.db tells what became of it.
  ``slip_id`` is negative (minus the moment in milliseconds), so that it never meets a slip of the kiosk.
* The bridge does not run: the port is opened here, exclusively, and the same bytes are sent.

The file: ``{"v":1,"slip_id":-1793000000000,"printer":"hall","body":{PrintSlip}}``.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import termios
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from devices.clock import mono_s, wall_ms, wall_s
from devices.faults import HallFileFault, NotWritten, OrderRefused, OutsideDown
from devices.plan import Printer
from firmware_bridge.escpos import completion_mark, process_id, render
from firmware_bridge.glyphs import draw
from firmware_bridge.profiles import Profile, choose, load_profiles
from gateway.house import House
from gateway.notebook import open_reader
from linli.talk import open_running_house

#: The bridge beats every 15 s (docs/protocol.md); three missed beats are a death.
BRIDGE_ALIVE_MS = 45_000
#: How long a bridge may take to see the file, and a printer (9600 baud, 80 mm) to finish a test slip.
TAKEN_WITHIN_S, PRINTED_WITHIN_S = 5.0, 30.0


def print_test(hall_file: str | None, printer_id: str = "", gbk: str = "") -> int:
    """Print a test slip on one printer, or pages of all Chinese characters (``gbk``: "all", "3", "3-5").

    Returns 0 only when the printer (or at least its line) took all of it.
    """
    house = open_running_house(hall_file)
    printer = _find(house, printer_id)
    profile = choose(load_profiles(), printer.profile, printer.id)
    slips = [gbk_page(page) for page in _pages(gbk)] if gbk else [test_slip(house, printer, profile)]
    for slip in slips:
        alive = bridge_is_alive(house, wall_ms())
        failed = _hand_over(house, printer, slip) if alive else _print_here(house, printer, profile, slip)
        if failed:
            return failed
    return 0


#: Lead bytes of GBK on one page: sixteen pages, each about a quarter of a metre of 80 mm paper.
LEADS_A_PAGE = 8
PAGES = 16

#: One of a kind for each thing that a printer can get wrong, by where its bytes lie.
SAMPLES = (
    ("GB2312", "你好，请到三号窗口；（《“‘、。……——’”》）￥￡①②㈠Ⅲ℃"),
    ("GBK", "朱镕 陶喆 赵堃 孙玥 李嫚 王翀 周垚 〇 ㎡ €"),
    ("GB18030", "刘䶮 杨㛃 陈㙍 㭎"),
    ("+", "𠮷野 𣲗水 𨱏"),
)


def test_slip(house: House, printer: Printer, profile: Profile) -> dict[str, Any]:
    """What the test says (docs/protocol.md, PrintSlip): every kind of block and character once, between rulers, so
    that one look shows what is broken. A ruler that goes on below itself: the profile has too many columns."""
    now = datetime.fromtimestamp(wall_s(), ZoneInfo(house.plan.hall.timezone))
    columns = profile.columns

    def text(words: str, size: int = 1, align: str = "left", bold: bool = False) -> dict[str, Any]:
        return {"t": "text", "text": words, "size": size, "align": align, "bold": bold}

    def ruler(size: int) -> dict[str, Any]:
        wide = columns // size
        return text(("1234567890" * 10)[:wide], size)

    return {
        "v": 1,
        "kind": "test",
        "title": "打印测试",
        "copy_of": None,
        "blocks": [
            text("打印测试", 2, "center", bold=True),
            text("Printer test", align="center"),
            {"t": "rule"},
            {"t": "pair", "left": "打印机", "right": printer.id},
            {"t": "pair", "left": "端口", "right": printer.port},
            {"t": "pair", "left": "波特率", "right": str(printer.baud)},
            {"t": "pair", "left": "型号配置", "right": f"{printer.profile} ({columns})"},
            {"t": "pair", "left": "时间", "right": f"{now:%Y-%m-%d %H:%M:%S}"},
            {"t": "rule"},
            ruler(1),
            text(("一二三四五六七八九十" * 5)[: columns // 2]),
            ruler(2),
            ruler(3),
            *(text(f"{name}: {words}") for name, words in SAMPLES),
            text("加粗 Bold 政务 B031", bold=True),
            text("大字 B031", 3, "center", bold=True),
            text("刘䶮 𠮷", 2, "right"),
            {"t": "pair", "left": "左", "right": "右"},
            {"t": "qr", "data": f"linli test {printer.id} {now:%Y-%m-%dT%H:%M:%S}"},
            {"t": "rule"},
            text("每条标尺占满一行、没有折行；没有方框、〓 和问号；二维码可扫；纸已切断：即为正常。"),
            text(
                "All is well if each ruler fills one line, no box stands for a character,"
                " the code can be scanned, and the paper is cut."
            ),
            {"t": "feed", "lines": 2},
            {"t": "cut"},
        ],
    }


def gbk_page(page: int) -> dict[str, Any]:
    """Page 1 to `PAGES` of all 21,791 characters of GBK, by lead byte: to lay beside a table, once a printer model."""
    blocks: list[dict[str, Any]] = [{"t": "text", "text": f"GBK {page}/{PAGES}", "align": "center", "bold": True}]
    first = 0x81 + (page - 1) * LEADS_A_PAGE
    for lead in range(first, min(first + LEADS_A_PAGE, 0xFF)):
        # A pair that is no cell loses its lead byte, and the ASCII letter that is left is not meant.
        cells = (bytes([lead, trail]).decode("gbk", "ignore") for trail in range(0x40, 0xFF))
        if row := "".join(cell for cell in cells if not cell.isascii()):
            blocks += [{"t": "text", "text": f"{lead:02X}", "bold": True}, {"t": "text", "text": row}]
    return {"v": 1, "kind": "test", "title": f"GBK {page}", "copy_of": None, "blocks": [*blocks, {"t": "cut"}]}


def _pages(asked: str) -> range:
    """The pages that somebody asked for.

    :raises OrderRefused: they are not there.
    """
    if asked == "all":
        return range(1, PAGES + 1)
    first, _, last = asked.partition("-")
    if first.isdecimal() and (last or first).isdecimal() and 1 <= int(first) <= int(last or first) <= PAGES:
        return range(int(first), int(last or first) + 1)
    raise OrderRefused(
        f"没有这些页：{asked}；可写 all、1 到 {PAGES} 的页码，或 3-5 这样的范围",
        f"no such pages: {asked}; write all, a page from 1 to {PAGES}, or a range like 3-5",
    )


def bridge_is_alive(house: House, now_ms: int) -> bool:
    """Whether a bridge has beaten within the last 45 s and its process is there."""
    try:
        connection = open_reader(house.bridge_db)
    except NotWritten:
        return False
    try:
        row = connection.execute("SELECT pid, beat_ms FROM bridge_alive").fetchone()
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return bool(row) and now_ms - row[1] < BRIDGE_ALIVE_MS and Path(f"/proc/{row[0]}").exists()


def _find(house: House, printer_id: str) -> Printer:
    printers = house.plan.printers
    if not printers:
        raise HallFileFault(f"{house.hall_file or 'hall.toml'}: there is no [[printers]] in it")
    if not printer_id:
        return printers[0]
    for one in printers:
        if one.id == printer_id:
            return one
    raise HallFileFault(f'there is no printer "{printer_id}"; known: {", ".join(one.id for one in printers)}')


def _hand_over(house: House, printer: Printer, slip: dict[str, Any]) -> int:
    folder = house.home / "spool-in"
    slip_id = -(wall_ms())
    file = folder / f"{slip_id}.json"
    try:
        folder.mkdir(exist_ok=True, mode=0o770)
        aside = file.with_suffix(".new")
        words = {"v": 1, "slip_id": slip_id, "printer": printer.id, "body": slip}
        aside.write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        aside.chmod(0o660)
        aside.rename(file)
    except OSError as wrong:
        raise OutsideDown(
            f"{folder} cannot be written: {wrong.strerror}. Be in the group linli, or use sudo."
        ) from wrong
    began_s = mono_s()
    connection = open_reader(house.bridge_db)
    state, why_zh, why_en = "", "", ""
    try:
        while (passed_s := mono_s() - began_s) < PRINTED_WITHIN_S:
            row = connection.execute(
                "SELECT state, why_zh, why_en FROM jobs WHERE slip_id = ?", (slip_id,)
            ).fetchone()
            if row and tuple(row) != (state, why_zh, why_en):
                state, why_zh, why_en = row
                print(f"{printer.id}: {state}  {why_zh}  {why_en}".rstrip())
            if state in ("PRINTED", "UNSURE", "FAILED", "SETTLED"):
                return 0 if state == "PRINTED" else 1
            if not state and passed_s > TAKEN_WITHIN_S and file.exists():
                file.unlink(missing_ok=True)
                raise OutsideDown(
                    "the bridge runs but does not take the slip; see: journalctl -u linli-bridge"
                )
            time.sleep(0.05)
    finally:
        connection.close()
    print(
        f"{printer.id}: still {state or 'waiting'} after {PRINTED_WITHIN_S:.0f} s; it stays in the queue. 仍在排队。"
    )
    return 1


def _print_here(house: House, printer: Printer, profile: Profile, slip: dict[str, Any]) -> int:
    import serial

    name = process_id(1)
    ink = render(slip, profile, completion_mark(profile, name), draw)
    raw = ink.raw
    if ink.missing:
        print(f"{printer.id}: no font here has {ink.missing}: 〓 stands for it. 本机字体缺字，以 〓 代替。")
    path = house.serial_port(printer.id, printer.port)
    try:
        with serial.Serial(
            path, printer.baud, timeout=0.2, write_timeout=10, exclusive=True, xonxoff=True
        ) as line:
            line.write(raw)
            print(f"{printer.id}: {len(raw)} bytes sent on {path}   已发送")
            if not profile.has_process_id:
                print("  This model cannot say whether it printed: look at the paper. 请看纸。")
                return 0
            answer, until_s = b"", mono_s() + 10
            while mono_s() < until_s:
                answer += line.read(64)
                if name.encode("ascii") in answer:
                    print("  The printer says: done. 打印机回答：完成。")
                    return 0
            said = answer.hex(" ") or "nothing"
            print(
                f"  The printer did not say that it is done (it said: {said}). 打印机没有回答完成。",
                file=sys.stderr,
            )
            return 1
    except (serial.SerialException, OSError, termios.error) as wrong:
        hint = (
            "while the hall is stopped there is no virtual printer"
            if printer.port == "virtual"
            else "linli doctor says more"
        )
        raise OutsideDown(f"{printer.id}: {path}: {wrong}; {hint}. 无法使用打印机端口。") from wrong
