"""The console in a real browser (headless Chromium), over a real port: what a member of staff sees, hears and taps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from kiosk import line
from kiosk.windows import windows_now
from tests.kiosk.console_hall import (
    ADMIN,
    ADMIN_PASSWORD,
    NOON_MS,
    STAFF,
    STAFF_PASSWORD,
    ConsoleHall,
    Ear,
    console_hall,
)
from tests.kiosk.figures_said import figures
from tests.kiosk.glass import contrast
from tests.parts import wait_until

pytestmark = pytest.mark.slow
HOSTILE = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"


class Desk:
    """A hall on a port, and people at its console."""

    def __init__(self, hall: ConsoleHall, browser: Browser) -> None:
        self.hall, self.base, self._browser = hall, hall.serve(), browser

    def sits(self, name: str = STAFF, password: str = STAFF_PASSWORD) -> Page:
        """Somebody signs in, in a browser of their own; the live line is up."""
        page = self.sits_unheard(name, password)
        page.wait_for_selector("#queue h2")
        # From here on nobody may load the page again: what follows has to come by itself.
        page.evaluate("window.sameVisit = true")
        return page

    def sits_unheard(self, name: str = STAFF, password: str = STAFF_PASSWORD) -> Page:
        """As `sits`, but whether there is a live line is left open."""
        context = self._browser.new_context()
        self.hall.let_in(context, name, password)
        page = context.new_page()
        page.clock.install()  # it goes on by itself, until a test puts it forward
        page.goto(f"{self.base}/console")
        page.wait_for_selector("#main")
        return page


@pytest.fixture
def desk(tmp_path: Path, browser: Browser) -> Iterator[Desk]:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        yield Desk(hall, browser)
        for context in browser.contexts:
            context.close()


def test_a_press_rings_is_accepted_and_closed_without_a_reload(desk: Desk) -> None:
    page = desk.sits()
    expect(page.locator("#calls")).to_contain_text("没有未处理的呼叫")
    assert page.evaluate("document.documentElement.dataset.ringing") == "no"

    desk.hall.gateway.press(7)
    call = page.locator("[data-call='7']")
    expect(call).to_contain_text("3栋1单元302")
    expect(call).to_contain_text("张奶奶")
    expect(page.locator("html")).to_have_attribute("data-ringing", "emergency")
    expect(page).to_have_title(re.compile("3栋1单元302"))
    expect(page.locator("#icon")).to_have_attribute("href", re.compile("console_icon_call"))
    expect(page.locator("html")).to_have_attribute(
        "data-rings", re.compile("[2-9]")
    )  # it did not ring only once

    call.get_by_role("button", name="我来处理").click()
    expect(call).to_contain_text("李强 正在前往")
    expect(page.locator("html")).to_have_attribute("data-ringing", "no")

    call.get_by_role("button", name="办结").click()
    page.get_by_label("备注").fill("血压已量")
    page.locator("#ask").get_by_role("button", name="已到场帮助").click()
    expect(page.locator("#ask")).not_to_be_visible()
    expect(page.locator("#calls")).to_contain_text("没有未处理的呼叫")
    assert desk.hall.gateway.calls[7]["outcome"] == "helped"
    assert desk.hall.gateway.calls[7]["note"] == "血压已量"
    assert page.evaluate("window.sameVisit") is True


def test_it_rings_until_somebody_else_takes_it(desk: Desk) -> None:
    one, two = desk.sits(), desk.sits(ADMIN, ADMIN_PASSWORD)
    desk.hall.gateway.press(7, kind="help")
    expect(two.locator("html")).to_have_attribute("data-ringing", "other")
    one.locator("[data-call='7']").get_by_role("button", name="我来处理").click()
    expect(two.locator("[data-call='7']")).to_contain_text("李强 正在前往")
    expect(two.locator("html")).to_have_attribute("data-ringing", "no")


def test_whoever_taps_second_is_told_who_was_first(desk: Desk) -> None:
    page = desk.sits()
    desk.hall.gateway.press(7)
    page.wait_for_selector("[data-call='7']")
    # Somebody was quicker, and this screen has not heard of it yet.
    desk.hall.gateway.calls[7].update(state="COMING", accepted_by="赵敏")
    page.route(
        "**/console/api/calls/7/accept",
        lambda route: (desk.hall.gateway.press(7, state="COMING", accepted_by="赵敏"), route.continue_()),
    )
    page.click("[data-act=accept]")
    expect(page.locator("#toast")).to_contain_text("赵敏 已经去了，不用重复前往。")


def test_a_locked_screen_rings_and_shows_only_where(desk: Desk) -> None:
    page = desk.sits()
    desk.hall.clock.go(min=16)
    expect(page.locator("#cover")).to_contain_text("屏幕已锁")

    desk.hall.gateway.press(7, note="心脏支架")
    expect(page.locator("#cover")).to_contain_text("3栋1单元302")
    expect(page.locator("html")).to_have_attribute("data-ringing", "emergency")
    assert "张奶奶" not in page.content()
    assert "心脏支架" not in page.content()
    assert page.locator("[data-act=accept]").count() == 0

    page.fill("#unlock-password", "wrong password")
    page.keyboard.press("Enter")
    expect(page.locator("#cover .wrong")).to_contain_text("密码不对")
    page.fill("#unlock-password", STAFF_PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#cover")).not_to_be_visible()
    expect(page.locator("[data-call='7']")).to_contain_text("张奶奶")
    page.click("[data-act=accept]")
    expect(page.locator("[data-call='7']")).to_contain_text("正在前往")


def test_signed_out_elsewhere_this_screen_goes_to_the_door(desk: Desk) -> None:
    page = desk.sits()
    admin = desk.hall.accounts.session(desk.hall.accounts.sign_in(ADMIN, ADMIN_PASSWORD, "here"))
    assert admin is not None
    staff_id = next(one.staff_id for one in desk.hall.accounts.members() if one.name == STAFF)
    desk.hall.accounts.set_disabled(admin, staff_id, True)
    page.locator("#ended-sign-in").click()
    page.wait_for_url("**/console/sign-in")


def test_a_console_whose_sign_in_has_ended_says_so_and_reminds_until_somebody_signs_in(desk: Desk) -> None:
    page = desk.sits()
    desk.hall.gateway.press(7)
    expect(page.locator("html")).to_have_attribute("data-ringing", "emergency")
    desk.hall.clock.go(h=12)
    ended = page.locator("#ended")
    expect(ended).to_contain_text("已退出登录，本屏不再响铃")
    expect(ended).to_contain_text("Signed out: this screen no longer rings")
    expect(page.locator("html")).to_have_attribute("data-ringing", "ended")
    assert page.evaluate("[window.sameVisit, location.pathname]") == [True, "/console"]
    assert "张奶奶" not in page.content()
    pale = {
        text: contrast(ink, *behind)
        for text, ink, behind in page.locator("#ended").evaluate(_TEXTS)
        if text in ended.inner_text() and contrast(ink, *behind) < 7
    }
    assert pale == {}

    rings = int(page.evaluate("document.documentElement.dataset.rings"))
    page.clock.fast_forward(61_000)
    expect(page.locator("html")).to_have_attribute("data-rings", str(rings + 1))

    door = page.context.new_page()
    door.goto(f"{desk.base}/console/sign-in")
    door.fill("[name=name]", STAFF)
    door.fill("[name=password]", STAFF_PASSWORD)
    door.click("main button.main")
    door.wait_for_selector("#queue h2")
    expect(ended).to_be_hidden()
    expect(page.locator("[data-call='7']")).to_contain_text("张奶奶")
    expect(page.locator("html")).to_have_attribute("data-ringing", "emergency")


def test_without_a_live_line_a_call_rings_all_the_same(desk: Desk) -> None:
    """Every place is taken before this console is opened: it asks every 5 s instead."""
    others = [desk.hall.hub.stream("staff") for _ in range(32)]
    page = desk.sits_unheard()
    desk.hall.gateway.press(7)
    Ear(others[0]).wait("call")
    page.clock.fast_forward(5000)
    expect(page.locator("[data-call='7']")).to_contain_text("张奶奶")
    expect(page.locator("html")).to_have_attribute("data-ringing", "emergency")
    page.locator("[data-call='7']").get_by_role("button", name="我来处理").click()
    wait_until(lambda: bool(desk.hall.gateway.calls[7]["accepted_by"]), lambda: "it is taken")
    page.clock.fast_forward(5000)
    expect(page.locator("html")).to_have_attribute("data-ringing", "no")
    assert page.locator("#queue h2").count() == 0, "of the queue nothing is known, and nothing is claimed"
    for one in others:
        one.close()
    page.clock.fast_forward(15_000)  # the longest pause before the line is tried anew (live.js)
    expect(page.locator("#queue h2")).to_be_visible()


def test_the_makeshift_bay_of_a_claimed_sensor_goes(desk: Desk) -> None:
    page = desk.sits()
    desk.hall.gateway.zone("unclaimed", total=1)
    desk.hall.gateway.bay("0x1", "taken", "unclaimed")
    desk.hall.gateway.zone("east", total=1)
    desk.hall.gateway.bay("east-01", "taken")
    expect(page.locator("#bays [data-act=bay]")).to_have_count(2)
    desk.hall.gateway.bay_gone("0x1")
    expect(page.locator("#bays [data-act=bay]")).to_have_count(1)
    expect(page.locator("#bays [data-act=bay]")).to_have_attribute("data-id", "east-01")


def test_a_tap_whose_answer_was_lost_is_repeated_and_calls_nobody_else(desk: Desk) -> None:
    window = windows_now(desk.hall.core).windows_for("ZW-01")[0].id
    page = desk.sits()
    page.select_option("#window", window)
    for number in range(3):
        line.take_ticket(desk.hall.core, "ZW-01", f"k{number}", "zh", "kiosk-1")
    expect(page.locator("#queue")).to_contain_text("等候 3 人")
    keys: list[str] = []

    def lose(route: Route) -> None:
        """The order never arrives the first time; the second time it passes."""
        keys.append(json.loads(route.request.post_data or "")["key"])
        if len(keys) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/console/api/queue/next", lose)
    page.locator("[data-act=next]").click()
    expect(page.locator("#toast")).to_contain_text("可能没有写入")
    page.locator("[data-act=next]").click()
    expect(page.locator(".serving .number")).to_have_text("B001")
    page.locator("[data-act=next]").click()
    expect(page.locator(".serving .number")).to_have_text("B002")
    assert (keys[0] == keys[1], keys[1] == keys[2], len(keys)) == (True, False, 3)


def test_the_queue_is_run_from_the_keyboard(desk: Desk) -> None:
    window = windows_now(desk.hall.core).windows_for("ZW-01")[0].id
    page = desk.sits()
    page.select_option("#window", window)
    expect(page.locator("#queue")).to_contain_text("没有人在等")
    for number in range(3):
        line.take_ticket(desk.hall.core, "ZW-01", f"k{number}", "zh", "kiosk-1")
    expect(page.locator("#queue")).to_contain_text("等候 3 人")

    page.focus("#window")  # where it is after choosing
    page.keyboard.press("n")
    expect(page.locator(".serving .number")).to_have_text("B001")
    page.keyboard.press("r")
    expect(page.locator(".serving")).to_contain_text("已叫 2 次")
    page.evaluate("document.activeElement.blur()")  # on a button or a list Space presses that
    page.keyboard.press("Space")
    expect(page.locator(".serving .number")).to_have_text("B002")
    expect(page.locator("#queue")).to_contain_text("等候 1 人")
    page.locator("[data-act=undo]").click()
    expect(page.locator("#queue")).to_contain_text("等候 2 人")
    assert [one["number"] for one in line.waiting(desk.hall.core)] == ["B002", "B003"]
    assert desk.hall.core.reader().execute("SELECT max(calls) FROM tickets").fetchone()[0] == 2


def test_a_hostile_name_is_only_a_name(desk: Desk) -> None:
    page = desk.sits()
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    desk.hall.gateway.press(
        7, place=HOSTILE, person=HOSTILE, device_name=HOSTILE, accepted_by=HOSTILE, state="COMING"
    )
    desk.hall.gateway.press(8, device_id=HOSTILE, place="", device_name="", claimed=False)
    desk.hall.gateway.device(HOSTILE, kind="unclaimed", name=HOSTILE, why_zh=HOSTILE)
    desk.hall.gateway.zone("east", total=1)
    desk.hall.gateway.bay(HOSTILE, "taken")
    desk.hall.gateway.part("broker", "down", why_zh=HOSTILE)
    page.wait_for_selector("[data-call='8']")
    page.wait_for_selector("#parts .down")
    expect(page.locator("[data-call='7'] .call-where")).to_have_text(HOSTILE)
    page.locator("#devices [data-act=claim]").first.click()
    expect(page.locator("#ask h2")).to_contain_text(HOSTILE)
    page.keyboard.press("Escape")
    page.click(".me-menu summary")
    page.click("[data-act=lock]")
    page.wait_for_selector("#unlock-password")
    assert page.locator("img").count() == 0
    assert page.evaluate("[...document.scripts].every(one => one.src || one.type === 'application/json')")
    assert page.title() != "pwned"  # it stands there as a name while the call rings
    assert alerts == []


def test_a_printer_without_paper_and_an_unsure_slip(desk: Desk) -> None:
    page = desk.sits()
    desk.hall.printer("paper_out")
    slip_id = desk.hall.job("UNSURE", "政务 B031")
    expect(page.locator("#paper")).to_contain_text("换一卷纸，盖好盖子。")
    page.locator("#paper").get_by_role("button", name="补打").click()
    expect(page.locator("#paper")).not_to_contain_text("请看一眼")
    copy = desk.hall.core.reader().execute("SELECT reprint_of FROM slips ORDER BY slip_id DESC").fetchone()
    assert copy["reprint_of"] == slip_id


def test_the_gateway_goes_and_comes_back(desk: Desk) -> None:
    page = desk.sits()
    desk.hall.gateway.press(7)
    page.wait_for_selector("[data-call='7']")
    desk.hall.gateway.close()
    expect(page.locator("#calls")).to_contain_text("网关没有应答")
    expect(page.locator("[data-act=accept]")).to_be_disabled()
    expect(page.locator("#parts")).to_contain_text("取号、叫号、打印照常")
    desk.hall.reopen_gateway()
    expect(page.locator("#calls")).to_contain_text("没有未处理的呼叫")
    assert page.evaluate("window.sameVisit") is True


def test_english_by_one_tap_and_nothing_is_left_in_chinese(desk: Desk) -> None:
    page = desk.sits()
    desk.hall.gateway.press(
        7, place="Block 3", person="Mrs Zhang", device_name="Bed", accepted_by="Zhao", state="COMING"
    )
    page.wait_for_selector("[data-call='7']")
    page.click(".me-menu summary")
    page.click("#other-language")
    expect(page.locator("#calls h2")).to_contain_text("Calls")
    left = page.evaluate("document.body.innerText.match(/[\\u4e00-\\u9fff]+/g) ?? []")
    assert set(left) <= {"中文", "邻里", "李强", "示例社区便民服务大厅"}
    assert page.evaluate("document.documentElement.lang") == "en"


def test_a_device_is_claimed_from_its_call(desk: Desk) -> None:
    page = desk.sits()
    desk.hall.gateway.device("0x1", kind="unclaimed", name="")
    desk.hall.gateway.press(7, device_id="0x1", claimed=False, place="", person="", device_name="0x1")
    page.locator("[data-call='7']").get_by_role("button", name="登记").click()
    page.get_by_label("名称").fill("302 床头")
    page.get_by_label("地点").fill("3栋1单元302")
    page.locator("#ask").get_by_role("button", name="保存").click()
    expect(page.locator("#ask")).not_to_be_visible()
    order = desk.hall.gateway.orders[-1]
    assert (order["order"], order["device_id"], order["kind"], order["place"]) == (
        "claim_device",
        "0x1",
        "call_button",
        "3栋1单元302",
    )


def test_a_model_that_the_network_does_not_tell_is_told_by_hand(desk: Desk) -> None:
    """A LoRaWAN network server may keep the model to itself; without it nobody can read what the device says."""
    page = desk.sits()
    desk.hall.gateway.device("0x2", kind="unclaimed", name="", family="lorawan", model="R31")
    page.locator("[data-device='0x2']").get_by_role("button", name="登记").click()
    form = page.locator("#ask")
    expect(form).to_contain_text("型号，如 R312A")
    model = form.get_by_label("型号")
    expect(model).to_have_value("R31")
    form.get_by_label("是什么").select_option("ignored")
    expect(model).to_be_hidden()
    form.get_by_label("是什么").select_option("call_button")
    model.fill("R312A")
    form.get_by_label("名称").fill("501 床头")
    form.get_by_role("button", name="保存").click()
    expect(form).not_to_be_visible()
    order = desk.hall.gateway.orders[-1]
    assert (order["order"], order["device_id"], order["model"]) == ("claim_device", "0x2", "R312A")


def test_a_panels_colour_is_told_in_the_readers_language(desk: Desk) -> None:
    desk.hall.bridge.write(
        lambda c: c.executemany(
            "INSERT INTO panels(panel, state, shown, since_ms) VALUES (?, 'ready', ?, 1)",
            [
                ("gate-1", "5 green"),
                ("gate-2", "2 yellow"),
                ("gate-3", "0 red"),
                ("gate-4", "--"),
                ("gate-5", "4 yellow least"),
            ],
        )
    )
    page = desk.sits()
    panels = page.locator("[data-key^='panel-'] p")
    expect(panels).to_contain_text(["“5 绿”", "“2 黄”", "“0 红”", "“不确定”", "“4 黄 （至少；不明的车位太多）”"])
    page.click(".me-menu summary")
    page.click("#other-language")
    least = "“4 yellow (at least: too many bays are unknown)”"
    expect(panels).to_contain_text(["“5 green”", "“2 yellow”", "“0 red”", "“not certain”", least])


#: The pages with which a call is answered and a device is set up.
ANSWERING = ("/call/7", "/history", "/devices/set-up/zigbee2mqtt:" + "x" * 60, "/devices/label/" + "y" * 80)


@pytest.mark.parametrize("size", [(1920, 1080), (1024, 768), (390, 844)], ids=["wall", "desk", "phone"])
@pytest.mark.long
def test_nothing_sticks_out_sideways(desk: Desk, size: tuple[int, int]) -> None:
    page = desk.sits(ADMIN, ADMIN_PASSWORD)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    desk.hall.gateway.statistics = figures(NOON_MS, over_budget=[{"device_id": "x" * 90, "excess": 5}])
    desk.hall.gateway.press(
        7, place="很长的地点名称" * 8, person="名" * 60, device_id="x" * 60, claimed=False
    )
    desk.hall.gateway.device("y" * 80, kind="unclaimed", name="")
    page.wait_for_selector("[data-call='7']")
    for place in ("", "/devices", "/running", "/staff", "/journal", "/password", *ANSWERING):
        path = f"/console{place}"
        page.goto(desk.base + path)
        page.wait_for_selector("#running .card" if path == "/console/running" else "main")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path


#: Every text that can be seen: its colour, and the colours behind it from the inside out.
_TEXTS = """() => {
  const seen = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.data.trim(), element = walk.currentNode.parentElement;
    if (!text || !element.checkVisibility({visibilityProperty: true}) || element.closest('script, option')) continue;
    const behind = [];
    for (let one = element; one; one = one.parentElement) behind.push(getComputedStyle(one).backgroundColor);
    seen.push([text, getComputedStyle(element).color, behind]);
  }
  return seen;
}"""


@pytest.mark.long
def test_every_text_can_be_read_from_two_metres(desk: Desk) -> None:
    """WCAG AAA: 7 to 1, on every page and in every state that staff may meet."""
    page = desk.sits(ADMIN, ADMIN_PASSWORD)
    gateway = desk.hall.gateway
    gateway.statistics = figures(NOON_MS)
    gateway.press(7, presses=3, overdue=True, written=False, claimed=False, delayed=True)
    gateway.press(8, state="COMING", accepted_by="赵敏", kind="meal")
    gateway.press(
        9, state="CLOSED", closed_by="赵敏", closed_ms=desk.hall.clock(), outcome="helped", note="x"
    )
    gateway.zone("east", total=4)
    for number, state in enumerate(("free", "taken", "unknown", "closed")):
        gateway.bay(f"east-{number}", state)
    gateway.device("0x1", kind="unclaimed", name="")
    gateway.device("btn", health="silent", why_zh="没有消息")
    gateway.part("broker", "down", "停了", "down")
    desk.hall.printer("paper_out")
    desk.hall.job("UNSURE")
    expect(page.locator("#paper")).to_contain_text("请看一眼")
    window = windows_now(desk.hall.core).windows_for("ZW-01")[0].id
    line.take_ticket(desk.hall.core, "ZW-01", "k1", "zh", "kiosk-1")
    page.select_option("#window", window)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    pale, read = {}, 0
    for path in (
        "",
        "here",
        "dialog",
        "/console/staff",
        "/console/journal",
        "/console/password",
        "/console/running",
        "/console/call/7",
        "/console/call/8",
        "/console/call/9",
        "/console/history",
        "/console/devices/set-up/btn",
        "/console/devices/set-up/0x1",
        "/console/devices/label/btn",
        "/console",
        "locked",
    ):
        if path == "dialog":
            page.locator("[data-act=close]").first.click()
        elif path == "locked":
            page.wait_for_selector("[data-act=accept]")
            page.click(".me-menu summary")
            page.click("[data-act=lock]")
            page.wait_for_selector("#unlock-password")
        elif path.startswith("/"):
            page.goto(desk.base + path)
            page.wait_for_selector("#running .card" if path == "/console/running" else "main")
        for text, ink, behind in page.evaluate(_TEXTS):
            read += 1
            if (found := contrast(ink, *behind)) < 7:
                pale[f"{path}: {text[:30]}"] = round(found, 2)
    assert pale == {}
    assert read > 200  # it did look


def test_a_whole_morning_at_a_window_by_touch(desk: Desk) -> None:
    """Begin, hold, no-show, late return, priority, one more item, transfer, a chosen number: each a tap or two."""
    core = desk.hall.core
    page = desk.sits()
    page.select_option("#window", "W2")
    page.locator("[data-act=window_open]").click()
    expect(page.locator(".window-now")).to_contain_text("开着")
    for number in range(4):
        line.take_ticket(core, "ZW-01", f"k{number}", "zh", "kiosk-1")
    page.locator("[data-act=next]").click()
    expect(page.locator(".serving.called .number")).to_have_text("B001")
    page.locator("[data-act=begin]").click()
    page.locator(".serving.begun [data-act=hold]").click()
    expect(page.locator("#queue [data-key=held]")).to_contain_text("B001")
    page.locator("[data-act=next]").click()
    expect(page.locator(".serving.called .number")).to_have_text("B002")
    page.locator("[data-act=next_absent]").click()
    expect(page.locator(".serving.called .number")).to_have_text("B003")
    page.locator("#queue [data-key=missed] [data-act=late]").click()
    expect(page.locator("#queue [data-key=waiting]")).to_contain_text("B002")

    page.locator(".serving [data-act=ticket]").click()
    page.locator(".ticket-ask [data-why=elder]").click()
    expect(page.locator(".serving .chip.lane")).to_have_text("70岁以上")
    page.locator(".serving [data-act=ticket]").click()
    page.locator("form[data-form=add_item] select").select_option("ZW-02")
    page.locator("form[data-form=add_item] button").click()
    expect(page.locator(".serving .later")).to_contain_text("临时救助")
    page.locator(".serving [data-act=next_item]").click()
    expect(page.locator(".serving.begun")).to_contain_text("临时救助")
    page.locator(".serving [data-act=ticket]").click()
    page.locator("form[data-form=transfer] select").select_option("WY-04")
    page.locator("form[data-form=transfer] button").click()
    expect(page.locator(".serving.free")).to_be_visible()

    page.locator("#queue [data-key=waiting] li", has_text="B002").locator("[data-act=ticket]").click()
    page.locator(".ticket-ask [data-act=call_number]").click()
    expect(page.locator(".serving.called .number")).to_have_text("B002")
    page.locator("[data-act=undo]").click()
    expect(page.locator(".serving.free")).to_be_visible()
    page.locator("#queue [data-key=held] [data-act=resume]").click()
    expect(page.locator(".serving.begun .number")).to_have_text("B001")
    page.locator("body").press("f")
    expect(page.locator(".serving.free")).to_be_visible()
    page.locator("[data-act=window_close]").click()
    expect(page.locator(".window-now")).to_contain_text("关着")
    page.locator("[data-act=next]").click()
    expect(page.locator(".window-now")).to_contain_text("开着")  # a call opens it
    states = core.reader().execute("SELECT prefix || number, service_code, state FROM tickets ORDER BY ticket_id")
    assert [tuple(row) for row in states] == [
        ("B1", "ZW-01", "DONE"),
        ("B2", "ZW-01", "WAITING"),
        ("B3", "WY-04", "WAITING"),
        ("B4", "ZW-01", "CALLED"),
    ]


def test_what_a_rule_refuses_is_said_and_nothing_changes(desk: Desk) -> None:
    page = desk.sits()
    page.select_option("#window", "W2")
    line.take_ticket(desk.hall.core, "ZW-01", "k1", "zh", "kiosk-1")
    page.locator("[data-act=next]").click()
    page.locator("[data-act=begin]").click()
    expect(page.locator(".serving.begun")).to_be_visible()
    desk.hall.clock.go(s=31)
    page.locator("[data-act=undo]").click()
    expect(page.locator("#toast")).to_have_text("已超过30秒，不能撤销")
    expect(page.locator(".serving.begun")).to_be_visible()
