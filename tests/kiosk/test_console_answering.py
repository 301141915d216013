"""A call is answered at the console, in a real browser: from the ring to the outcome, and a new button to its label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.hall.rows import CallStep, Kind, Message
from tests.kiosk import answered_hall
from tests.kiosk.answered_hall import CALL, MEDICAL, row_told
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, NOON_MS, STAFF, STAFF_PASSWORD, console_hall
from tests.kiosk.test_console_live import Desk

pytestmark = pytest.mark.slow
HANZI = re.compile(r"[\u3400-\u9fff]")
NEW = "zigbee2mqtt:0x00158d0001a2b3c4"


@pytest.fixture
def desk(tmp_path: Path, browser: Browser) -> Iterator[Desk]:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        yield Desk(hall, browser)
        for context in browser.contexts:
            context.close()


def ringing(page: Page, what: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-ringing", what)


def test_from_the_ring_to_the_outcome_by_the_keyboard(desk: Desk) -> None:
    page = desk.sits(ADMIN, ADMIN_PASSWORD)
    answered_hall.furnish(desk.hall)
    ringing(page, "emergency")
    expect(page.locator("[data-call='7']")).to_contain_text("正在找：网格员")
    page.keyboard.press("Enter")

    page.wait_for_url("**/console/call/7")
    page.evaluate("window.sameVisit = true")
    call = page.locator("#call")
    expect(call.locator("h1")).to_have_text("3栋1单元302")
    for words in ("张桂芳", "门锁密码问物业", "钥匙在 刘姐（301）", "先打电话问清情况", "养了一只小狗"):
        expect(call).to_contain_text(words)
    for words in ("没有工作台在听", "老人的按钮不能显示“已收到”：请打电话告诉他。", "没人接就找：楼栋长"):
        expect(call).to_contain_text(words)
    expect(call.locator("[data-key=message-m-1]")).to_contain_text("李四 · 短信 已发送")
    expect(call.locator("[data-key=message-m-2]")).to_contain_text("赵楼长 · 企业微信 没发出去")
    expect(call.locator("a[href='tel:13900000001']")).to_contain_text("儿子 张明")
    ringing(page, "emergency")

    # What the herald and the ladder write meanwhile comes by itself.
    sent = Message("m-2", 7, 1, 1, "h-3", "wecombot://secret-key/", "…", NOON_MS, "answered", 4, NOON_MS)
    row_told(desk.hall, sent)
    expect(call.locator("[data-key=message-m-2]")).to_contain_text("已回复")
    row_told(desk.hall, CallStep(7, 1, 2, "building", "told", NOON_MS, ("h-3",)))
    expect(call.locator(".steps")).to_contain_text("第 3 步 楼栋长 赵楼长")

    assert MEDICAL not in page.content()
    call.get_by_role("button", name="看健康备注").click()
    expect(call.locator(".medical")).to_have_text(MEDICAL)

    page.keyboard.press("a")
    expect(call).to_contain_text("王芳 接了")
    ringing(page, "no")
    page.keyboard.press("d")
    expect(call).to_contain_text("王芳 到了")
    call.get_by_label("备注").fill("扶起来了")
    call.get_by_role("button", name="已到场帮助").click()
    expect(call).to_contain_text("已办结：已到场帮助")
    expect(call).to_contain_text("“扶起来了”")
    call.get_by_role("button", name=re.compile("撤销办结（[0-9]+ 秒内）")).click()
    expect(call).to_contain_text("王芳 到了")
    call.get_by_role("button", name="误按").click()
    expect(call).to_contain_text("已办结：误按")
    desk.hall.clock.go(min=2)
    page.reload()
    expect(call).to_contain_text("已办结：误按")
    expect(page.locator("[data-act=reopen]")).to_have_count(0)
    page.keyboard.press("Escape")
    page.wait_for_url("**/console")
    expect(page.locator("#calls")).to_contain_text("没有未处理的呼叫")


def test_the_screen_of_a_call_hides_all_of_it_when_it_locks_and_says_when_the_gateway_goes(desk: Desk) -> None:
    page = desk.sits(ADMIN, ADMIN_PASSWORD)
    answered_hall.furnish(desk.hall)
    page.goto(f"{desk.base}/console/call/7?lang=en")
    call = page.locator("#call")
    call.get_by_role("button", name="Look at the medical notes").click()
    expect(call.locator(".medical")).to_have_text(MEDICAL)
    # English is complete: what is left in Chinese are names and what people have typed.
    typed = ["张桂芳", "李四", "赵楼长", "刘秀英", "陈国强", "王芳", "李强"]
    left = call.inner_text()
    for words in (*typed, *answered_hall.WORDS_OF_PEOPLE):
        left = left.replace(words, "")
    assert HANZI.findall(left) == []

    desk.hall.gateway.press(8, place="5栋101", kind="help")
    expect(page.locator("#calls .strip")).to_contain_text("5栋101")
    desk.hall.clock.go(min=16)
    expect(page.locator("#cover")).to_contain_text("Screen locked")
    for secret in (MEDICAL, "门锁密码问物业", "13900000001"):
        assert secret not in page.locator("#main").inner_html()
    page.fill("#unlock-password", ADMIN_PASSWORD)
    page.keyboard.press("Enter")
    expect(call).to_contain_text("门锁密码问物业")
    expect(call.get_by_role("button", name="Look at the medical notes")).to_be_visible()

    desk.hall.gateway.close()
    expect(call).to_contain_text("The gateway does not answer")
    expect(call.locator("[data-act=accept]")).to_be_disabled()
    page.reload()
    expect(call).to_contain_text("门锁密码问物业")
    expect(call.locator("[data-act=accept]")).to_be_disabled()


def test_the_kind_decides_the_order_and_the_ladders_step_the_sound(desk: Desk) -> None:
    page = desk.sits()
    gateway = desk.hall.gateway
    gateway.press(1, kind="meal", place="5栋101", acts="console message")
    ringing(page, "quiet")
    gateway.press(2, kind="help", place="6栋101", acts="message")
    expect(page.locator("[data-call='2']")).to_be_visible()
    ringing(page, "quiet")  # that step asks others, not the consoles
    gateway.press(3, kind="emergency", place="7栋101", acts="console", device_id="b3")
    ringing(page, "emergency")
    gateway.press(3, kind="emergency", place="7栋101", acts="console", state="COMING", accepted_by="赵敏")
    ringing(page, "quiet")
    gateway.press(4, kind="repair", place="8栋101", acts="console")
    ringing(page, "other")
    order = page.locator("#calls [data-call]").evaluate_all("list => list.map(one => one.dataset.call)")
    assert order == ["3", "2", "4", "1"]

    # The choice of one kind never hides what is most urgent.
    page.locator("[data-act=only][data-id=meal]").click()
    shown = page.locator("#calls [data-call]")
    expect(shown).to_have_count(2)
    expect(page.locator("#calls")).to_contain_text("另有 2 个别的呼叫没有显示")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-call='3']")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    expect(page.locator("[data-call='1']")).to_contain_text("李强 正在前往")

    # Somebody edits a kind while this page is open.
    meal = Kind("meal", "送餐", "Meals", 0, (("kitchen", 60, ("console",)),), outcomes=(("eaten", "吃了", "Eaten"),))
    row_told(desk.hall, meal)
    expect(page.locator("#calls [data-call]").first).to_contain_text("送餐")
    page.locator("[data-call='1'] [data-act=close]").click()
    page.locator("#ask").get_by_role("button", name="吃了").click()
    expect(page.locator(".fresh")).to_contain_text("吃了")
    page.locator(".fresh [data-act=reopen]").click()
    expect(page.locator("[data-call='1']")).to_contain_text("李强 正在前往")

    # Whoever reads of former days hears what is now, as loud as at the console.
    page.goto(f"{desk.base}/console/history")
    ringing(page, "other")
    gateway.press(5, kind="meal", acts="console", device_id="b5")
    ringing(page, "emergency")  # so they have made it


@pytest.mark.long
def test_a_new_button_from_its_first_press_to_its_label(desk: Desk) -> None:
    answered_hall.furnish(desk.hall)
    gateway = desk.hall.gateway
    gateway.device(NEW, kind="unclaimed", name="", family="zigbee2mqtt", model="TS0215A")
    page = desk.sits(STAFF, STAFF_PASSWORD)
    page.locator(f"[data-device='{NEW}']").get_by_role("link", name="一步步登记").click()
    one, two, three, four, five = (page.locator(f"[data-step='{number}']") for number in range(1, 6))
    expect(one).to_contain_text("等待按下…")
    gateway.press(8, device_id="another", claimed=False, place="", device_name="another")
    expect(page.locator("#calls")).to_contain_text("another")
    expect(one).to_contain_text("等待按下…")
    gateway.press(9, device_id=NEW, claimed=False, place="", person="", device_name=NEW)
    expect(one).to_contain_text("就是它")
    one.get_by_role("button", name="这是测试，办结").click()
    expect(one.get_by_role("button")).to_have_count(0)
    assert gateway.calls[9]["outcome"] == "test"

    expect(three.get_by_role("button", name="保存登记")).to_be_disabled()
    two.get_by_label("查找居民").fill("302")
    two.get_by_role("button", name="张桂芳 · 3栋1单元302").click()
    expect(two).to_contain_text("居民：张桂芳")
    two.get_by_role("button", name="换一位").click()
    two.get_by_text("新登记一位居民").click()
    two.get_by_label("姓名", exact=True).fill("孙爷爷")
    two.get_by_label("楼栋", exact=True).fill("5栋")
    two.get_by_label("房号", exact=True).fill("101")
    two.get_by_role("button", name="新增").click()
    expect(two).to_contain_text("居民：孙爷爷 · 5栋101")

    three.get_by_label("名称").fill("床头按钮")
    three.get_by_label("按下是").select_option("help")
    three.get_by_role("button", name="保存登记").click()
    expect(three).to_contain_text("已登记")
    claimed = next(order for order in reversed(gateway.orders) if order["order"] == "claim_device")
    person = next(order for order in gateway.orders if order["order"] == "put_person")
    assert (claimed["person_id"], claimed["place"], claimed["call_kind"], claimed["kind"]) == (
        person["person_id"], "5栋101", "help", "call_button",
    )  # fmt: skip

    four.get_by_role("button", name="开始试按").click()
    expect(four).to_contain_text("这一下只算测试")
    desk.hall.clock.go(s=5)
    gateway.now_ms = desk.hall.clock()
    gateway.press(10, device_id=NEW, kind="test", heard="shown", acts="console")
    expect(four).to_contain_text("已写下")
    expect(four).to_contain_text("老人的按钮已经显示")
    four.get_by_role("button", name="没亮").click()
    expect(four).to_contain_text("请告诉他")
    five.get_by_role("link", name="打印标签").click()
    expect(page.locator(".label")).to_contain_text("床头按钮")


def test_a_broken_button_is_replaced_and_the_mistake_undone(desk: Desk) -> None:
    answered_hall.furnish(desk.hall)
    answered_hall.tell(desk.hall, replace(CALL, state="CLOSED", closed_ms=NOON_MS, closed_by="李强", outcome="test"))
    desk.hall.gateway.device(NEW, kind="unclaimed", name="")
    page = desk.sits()
    page.goto(f"{desk.base}/console/devices?device=btn-0302")
    page.locator("[data-device='btn-0302']").get_by_role("button", name="停用或更换").click()
    page.locator("#ask").get_by_role("button", name="更换").click()
    expect(page.locator("#ask")).not_to_be_visible()
    expect(page.locator(f"[data-device='{NEW}']")).to_contain_text("床头按钮")
    assert desk.hall.gateway.devices["btn-0302"]["kind"] == "ignored"
    page.get_by_role("button", name=re.compile("撤销停用")).click()
    expect(page.locator("#toast")).to_contain_text("旧设备又能用了")
    assert desk.hall.gateway.devices["btn-0302"]["kind"] == "call_button"
    assert desk.hall.gateway.devices["btn-0302"]["person_id"] == "p-302"
