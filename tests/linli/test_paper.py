"""`linli print`: the test slip that a technician judges a printer by, with the hall stopped and with it running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.virtual.printer import VirtualPrinter
from firmware_bridge.profiles import load_profiles
from linli.__main__ import main
from linli.paper import PAGES, gbk_page
from tests.firmware_bridge.paper_hall import Hall
from tests.firmware_bridge.test_lettering import gbk_cells

pytestmark = pytest.mark.slow


@pytest.fixture(params=["epson-tm-t82"])
def hall(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    """A hall with one printer, switched on. The bridge does not run."""
    monkeypatch.setenv("LINLI_HOME", str(tmp_path))
    hall = Hall(tmp_path, profile=request.param)
    hall.printer = VirtualPrinter("hall", tmp_path, dots=load_profiles()[request.param].dots)
    hall.printer.start()
    hall.panel.start()
    yield hall
    hall.close()


def printed(printer: VirtualPrinter, pieces: int = 1) -> list[str]:
    state = printer.wait_until(lambda now: now["printed"] >= pieces, 10)
    assert (state["unknown"], state["overflows"]) == (0, 0)
    return str(state["last_text"]).splitlines()


def test_the_rulers_fill_a_line_each_and_every_kind_of_character_stands_on_it(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["print", "--test"]) == 0
    said = capsys.readouterr().out
    assert "bytes sent on" in said
    assert "打印机回答：完成" in said
    lines = printed(hall.printer)
    assert lines[0].strip() == "打印测试"
    ruler = lines.index("1234567890" * 4 + "12345678")
    assert lines[ruler + 1] == "一二三四五六七八九十" * 2 + "一二三四"
    assert [line.replace(" ", "") for line in lines[ruler + 2 : ruler + 4]] == [
        "123456789012345678901234",
        "1234567890123456",
    ]
    assert "GB18030: 刘䶮 杨㛃 陈㙍 㭎" in lines
    assert "+: ▒野 ▒水 ▒" in lines, "no printer has these: they are drawn"
    assert "左" + " " * 44 + "右" in lines
    assert "□" not in "".join(lines)
    assert "〓" not in "".join(lines).replace("没有方框、〓 和问号", "")


@pytest.mark.parametrize("hall", ["generic58"], indirect=True)
def test_a_narrow_gbk_printer_gets_narrow_rulers_and_drawn_names(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["print"]) == 0
    assert "请看纸" in capsys.readouterr().out
    lines = printed(hall.printer)
    assert "12345678901234567890123456789012" in lines
    assert "一二三四五六七八九十一二三四五六" in lines
    assert "GB18030: 刘▒ 杨▒ 陈▒ ▒" in lines


def test_with_the_bridge_running_it_goes_through_its_queue(hall: Hall, capsys: pytest.CaptureFixture[str]) -> None:
    hall.start_bridge()
    assert main(["print", "hall"]) == 0
    assert "hall: PRINTED" in capsys.readouterr().out
    assert printed(hall.printer)[0].strip() == "打印测试"


def test_the_pages_hold_all_of_gbk_once_and_can_be_asked_for_one_by_one(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [gbk_page(page) for page in range(1, PAGES + 1)]
    blocks = [block for page in pages for block in page["blocks"]]
    rows = [block["text"] for block in blocks if block["t"] == "text" and not block.get("bold")]
    assert "".join(rows) == "".join(gbk_cells())
    assert main(["print", "--gbk", "6-7"]) == 0
    lines = printed(hall.printer, pieces=2)
    assert lines[0].strip() == "GBK 7/16"
    assert lines[1:3] == ["B1", "盄盇盉盋盌盓盕盙盚盜盝盞盠盡盢監盤盦盧盨盩盪盫盬"]
    assert main(["print", "--gbk", "17"]) == 1
    assert "没有这些页" in capsys.readouterr().err
