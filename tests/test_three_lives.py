"""The three lives, told on the whole hall: real mosquitto, real notebooks, a real serial line, a real browser.

One hall for all stories, begun as ``make run`` begins it; its buttons, bays, printer and panels are the virtual
ones that ship. The stories use different buttons and bays, so their order does not matter.
"""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.parts import PATIENCE_S, Seat, wait_until
from tests.whole_hall import WholeHall, chromium, sign_in, whole_hall

WAIT_MS = PATIENCE_S * 1000


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeHall]:
    with whole_hall(tmp_path_factory.mktemp("hall")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def console(hall: WholeHall, browser: Browser) -> Iterator[Page]:
    """The console of 小李, the hall's first administrator, open all the time: it is never reloaded."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    sign_in(hall, page)
    page.evaluate("window.neverReloaded = true")
    yield page
    context.close()


@pytest.fixture
def kiosk(hall: WholeHall, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1080, "height": 1920})
    page.goto(hall.url)
    yield page
    page.close()


def tell(hall: WholeHall, device: str, do: str, **how: object) -> dict[str, Any]:
    """Make a virtual device act; its state afterwards."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_S)
        line.connect(str(hall.run_dir / "virtual.sock"))
        line.sendall(json.dumps({"id": "1", "device": device, "do": do, **how}).encode() + b"\n")
        answer = json.loads(line.makefile().readline())
    assert answer["ok"], answer
    state: dict[str, Any] = answer["state"]
    return state


def paper(hall: WholeHall) -> list[str]:
    """What has come out of the virtual printer, slip by slip."""
    slips = sorted((hall.home / "virtual" / "paper" / "hall").glob("*.txt"), key=lambda path: int(path.stem))
    return [slip.read_text(encoding="utf-8") for slip in slips]


def take_number(page: Page, code: str) -> str:
    """Touch an item and "take a number"; the number on the screen."""
    page.click(f"a.item[href*='{code}']")
    page.click("[data-take]")
    expect(page.locator("[data-number]")).to_have_text(re.compile(r"[A-Z]\d{3}"), timeout=WAIT_MS)
    return page.locator("[data-number]").inner_text().strip()[-4:]


# ---------------------------------------------------------------- a touch


def test_a_touch_becomes_paper(hall: WholeHall, kiosk: Page) -> None:
    number = take_number(kiosk, "ZW-01")

    expect(kiosk.locator("[data-paper]")).to_contain_text("取走", timeout=WAIT_MS)
    slip = next(text for text in paper(hall) if number in text)
    assert "示例社区便民服务大厅" in slip and "最低生活保障申请" in slip
    assert "前面等候" in slip and "民生保障窗口" in slip and "请准备" in slip
    assert f"{hall.url}/t/" in slip  # the virtual printer reads its own QR code back
    picture = hall.home / "virtual" / "paper" / "hall" / f"{paper(hall).index(slip) + 1}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_kiosk_shows_exactly_the_31_services_in_three_categories(hall: WholeHall, kiosk: Page) -> None:
    shown = kiosk.locator("section:not(.often) a.item").all_inner_texts()
    # In which order a category stands is the home page's affair; none is missing and none is there twice.
    assert sorted(shown) == sorted(service["name_zh"] for service in hall.get("/api/services"))
    assert len(shown) == 31
    heads = kiosk.locator(".board section:not(.often) h2")
    assert heads.all_inner_texts() == ["党务", "政务", "物业"]
    kiosk.click("a.mode[lang=en]")
    expect(heads).to_have_text(["Party affairs", "Government affairs", "Property"])


def test_the_printer_has_no_paper_and_the_resident_still_has_a_number(hall: WholeHall, kiosk: Page) -> None:
    tell(hall, "printer:hall", "paper_out")
    number = take_number(kiosk, "ZW-07")
    expect(kiosk.locator("[data-paper]")).to_contain_text("没有纸", timeout=WAIT_MS)
    assert not any(number in slip for slip in paper(hall))

    tell(hall, "printer:hall", "paper_in")
    expect(kiosk.locator("[data-paper]")).to_contain_text("取走", timeout=WAIT_MS)
    assert sum(number in slip for slip in paper(hall)) == 1


# ---------------------------------------------------------------- a press


def test_a_press_rings_without_a_reload_and_its_lamp_tells_the_truth(hall: WholeHall, console: Page) -> None:
    lamp = hall.device("linli/v1/lamp/btn-01/set")
    tell(hall, "button:btn-01", "press")
    card = console.locator("article.call", has_text="3栋1单元302")
    expect(card).to_contain_text("张奶奶", timeout=WAIT_MS)
    lamp.wait_heard("linli/v1/lamp/btn-01/set", light="blink")

    card.locator("[data-act=accept]").click()
    expect(card).to_contain_text("小李", timeout=WAIT_MS)
    lamp.wait_heard("linli/v1/lamp/btn-01/set", light="steady")

    card.locator("[data-act=close]").click()
    console.locator("#ask button[name=outcome][value=helped]").click()
    expect(card).to_have_count(0, timeout=WAIT_MS)
    lamp.wait_heard("linli/v1/lamp/btn-01/set", light="off")
    # The button hears of it by a line of its own, some moments before or after ours.
    wait_until(lambda: tell(hall, "button:btn-01", "talk")["light"] == "off", lambda: "the button's own lamp is dark")
    assert console.evaluate("window.neverReloaded") is True


def test_a_call_is_answered_on_its_own_screen(hall: WholeHall, console: Page) -> None:
    """Person, ladder, medical notes, arrival, a close and its undoing: all by the gateway's own rules."""
    seat = hall.seat()
    zhao = {"person_id": "p-life", "name": "赵奶奶", "phone": "13800000003", "place": "9栋1单元901", "building": "9栋"}
    seat.order("put_person", **zhao, access="钥匙在门卫", medical="怕惊吓", by="t")
    seat.order("claim_device", device_id="btn-life", kind="call_button", name="床头", person_id="p-life", by="t")
    hall.device().press("btn-life", "9f3a77c0d1e2b4f5", 1)
    card = console.locator("article.call", has_text="9栋1单元901")
    expect(card).to_contain_text("正在找：值班人员", timeout=WAIT_MS)

    page = console.context.new_page()
    page.goto(hall.url + (card.locator("a.button").get_attribute("href") or ""))
    call = page.locator("#call")
    expect(call.locator("h1")).to_have_text("9栋1单元901")
    expect(call).to_contain_text("钥匙在门卫")
    # This console listens, so that the first step is nobody's empty one.
    expect(call.locator(".steps li").first).to_contain_text("第 1 步 值班人员")
    expect(call.locator(".steps .chip.good").first).to_contain_text("已通知")
    expect(call.locator(".card-told")).to_contain_text("“已收到”")
    call.get_by_role("button", name="看健康备注").click()
    expect(call.locator(".medical")).to_have_text("怕惊吓", timeout=WAIT_MS)

    call.get_by_role("button", name="我来处理").click()
    expect(call).to_contain_text("小李 接了", timeout=WAIT_MS)
    call.get_by_role("button", name="到了").click()
    expect(call).to_contain_text("小李 到了", timeout=WAIT_MS)
    call.get_by_role("button", name="误按").click()
    expect(call).to_contain_text("已办结：误按", timeout=WAIT_MS)
    call.get_by_role("button", name=re.compile("撤销办结")).click()
    expect(call.locator(".resp-head")).to_contain_text("小李 到了", timeout=WAIT_MS)
    call.get_by_role("button", name="已到场帮助").click()
    expect(call).to_contain_text("已办结：已到场帮助", timeout=WAIT_MS)
    happened = call.locator(".happened li", has_not_text="回应")
    wanted = ("按下", "接单 · 小李", "到了 · 小李", "办结 · 小李", "撤销办结 · 小李", "办结 · 小李")
    expect(happened).to_have_text([re.compile(f"^[0-9:]+ {what}$") for what in wanted], timeout=WAIT_MS)
    page.close()


def test_a_button_that_bounces_is_one_call(hall: WholeHall) -> None:
    seat = hall.seat()
    tell(hall, "button:btn-02", "bounce", times=8)
    call = seat.wait_fact("CallChanged", device_id="btn-02", presses=8)
    assert [one["call_id"] for one in _open_calls(hall.seat(), "btn-02")] == [call["call_id"]]


def test_a_call_for_help_from_the_screen_and_from_a_pin(hall: WholeHall, kiosk: Page, console: Page) -> None:
    kiosk.click("button.help")
    expect(console.locator("article.call", has_text="自助")).to_be_visible(timeout=WAIT_MS)
    assert hall.seat().order("press_pin", pin_id="desk")["ok"] is True
    expect(console.locator("article.call", has_text="服务台")).to_be_visible(timeout=WAIT_MS)


def test_a_captured_message_of_a_bought_button_becomes_an_unclaimed_call(
    hall: WholeHall, console: Page
) -> None:
    rows = [
        json.loads(line) for line in Path("tests/data/devices.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    captured = next(
        row for row in rows if row["model"] == "TS0601_sos (_TZE284_2baujqot)" and row["expect"]["alarm"]
    )
    hall.device().say(captured["topic"], captured["payload"])
    card = console.locator("article.call", has_text="0xa4c13899607febd1")
    expect(card).to_be_visible(timeout=WAIT_MS)
    expect(card.locator("[data-act=claim]")).to_be_visible()


# ---------------------------------------------------------------- a bay


def test_a_car_moves_the_panel_and_the_parking_page(hall: WholeHall, kiosk: Page) -> None:
    seat = hall.seat()
    for zone in ("east", "west"):
        if next((one["unknown"] for one in seat.snapshot["zones"] if one["zone_id"] == zone), 1):
            seat.wait_fact("ZoneChanged", zone_id=zone, unknown=0)
    east = next(one for one in hall.seat().snapshot["zones"] if one["zone_id"] == "east")
    free_before = east["free"]
    kiosk.goto(f"{hall.url}/parking")
    shown = kiosk.locator("[data-zone=east]")
    expect(shown).to_contain_text(str(free_before), timeout=WAIT_MS)
    panel = hall.device("linli/v1/panel/gate/text")

    tell(hall, "bay:east-01", "arrive")

    taken = panel.wait_heard("linli/v1/panel/gate/text", taken=east["taken"] + 1 + _taken(seat, "west"))
    assert taken["text"] == f"空位 {taken['free']}"
    expect(shown).to_contain_text(str(free_before - 1), timeout=WAIT_MS)


def test_a_captured_message_of_a_bought_sensor_becomes_a_bay(hall: WholeHall) -> None:
    rows = [
        json.loads(line) for line in Path("tests/data/devices.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    captured = next(row for row in rows if row["id"] == "P-193")
    seat = hall.seat()
    hall.device().say(captured["topic"], captured["payload"])
    bay = seat.wait_fact("BayChanged", device_id="chirpstack_v4:a840410000000007")
    assert (bay["state"], bay["zone_id"]) == ("taken", "unclaimed")


# ---------------------------------------------------------------- the queue


def test_staff_call_the_next_number_and_the_display_shows_it(
    hall: WholeHall, browser: Browser, console: Page
) -> None:
    display = browser.new_page(viewport={"width": 1920, "height": 1080})
    display.goto(f"{hall.url}/display")
    number: str = hall.post("/api/tickets", {"service": "DW-01", "key": "story-of-the-queue", "lang": "zh"})[
        "number"
    ]
    console.select_option("#queue select", "W1")
    console.locator("[data-act=next]").click()
    expect(display.locator("body")).to_contain_text(number, timeout=WAIT_MS)
    expect(display.locator("body")).to_contain_text("党群服务窗口", timeout=WAIT_MS)
    display.close()


# ---------------------------------------------------------------- a full disk (a limit on a process's file size)


def test_the_kiosk_cannot_save_and_everybody_is_told_what_still_works(hall: WholeHall, console: Page) -> None:
    with hall.full_disk_for("kiosk"):
        refused = hall.post("/api/tickets", {"service": "ZW-01", "key": "no-room", "lang": "zh"}, status=503)
        assert refused["error"]["zh"] and refused["error"]["en"]
        expect(console.locator("#parts")).to_contain_text("取号无法保存", timeout=WAIT_MS)
        assert hall.get("/healthz")["parts"]["kiosk"]["state"] == "down"
        tell(hall, "button:btn-03", "press")  # the calls go on
        expect(console.locator("article.call", has_text="5栋1单元504")).to_be_visible(timeout=WAIT_MS)
    hall.wait_healthy()
    assert hall.post("/api/tickets", {"service": "ZW-01", "key": "room-again", "lang": "zh"})["number"]
    expect(console.locator("#parts")).not_to_contain_text("取号无法保存", timeout=WAIT_MS)


@pytest.mark.long
def test_the_bridge_cannot_write_and_staff_are_told_that_paper_waits(hall: WholeHall, console: Page) -> None:
    with hall.full_disk_for("firmware_bridge"):
        number = hall.post("/api/tickets", {"service": "ZW-02", "key": "paper-waits", "lang": "zh"})["number"]
        expect(console.locator("#parts")).to_contain_text("打印服务没有接下小票", timeout=WAIT_MS * 2)
    hall.wait_healthy()
    hall.wait_printed(number)


# ---------------------------------------------------------------- whoever falls, gets up


@pytest.mark.parametrize("process", ["gateway", "kiosk", "firmware_bridge", "mosquitto"])
def test_kill_9_of_any_process_loses_nothing_that_was_promised(hall: WholeHall, process: str) -> None:
    number = hall.post("/api/tickets", {"service": "ZW-02", "key": f"before-{process}", "lang": "zh"})[
        "number"
    ]
    written = hall.device("linli/v1/button/killed/written")
    written.press("killed", process, 1)
    written.wait_heard("linli/v1/button/killed/written", boot=process)

    hall.kill(process)
    hall.wait_healthy()

    again = hall.post("/api/tickets", {"service": "ZW-02", "key": f"before-{process}", "lang": "zh"})
    assert again["number"] == number
    assert len(_open_calls(hall.seat(), "killed")) == 1
    hall.wait_printed(number)


def _open_calls(seat: Seat, device_id: str) -> list[dict[str, Any]]:
    return [
        call
        for call in seat.snapshot["calls"]
        if call["device_id"] == device_id and call["state"] != "CLOSED"
    ]


def _taken(seat: Seat, zone_id: str) -> int:
    return next(int(zone["taken"]) for zone in seat.snapshot["zones"] if zone["zone_id"] == zone_id)
