"""The page "How the hall runs": plain sentences first, honest while the gateway is away, ringing like the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk.console.words import WORDS as ALL_WORDS
from kiosk.words_running import WORDS
from tests.kiosk.console_hall import (
    ADMIN,
    ADMIN_PASSWORD,
    NOON_MS,
    ROOT,
    STAFF,
    STAFF_PASSWORD,
    ConsoleHall,
    console_hall,
)
from tests.kiosk.figures_said import Json, figures

HANZI = re.compile(r"[\u3400-\u9fff]")


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path) as hall:
        hall.make_staff()
        hall.gateway.statistics = figures(NOON_MS)
        yield hall


# ---------------------------------------------------------------- what the page asks for


def test_staff_are_told_and_strangers_are_not(hall: ConsoleHall) -> None:
    assert hall.client().get("/console/api/running").status_code == 401
    for name, password in ((STAFF, STAFF_PASSWORD), (ADMIN, ADMIN_PASSWORD)):
        told = hall.client(name, password).get("/console/api/running").get_json()
        assert (told["heard"]["answers"], told["heard"]["heard_ms"], told["now_ms"]) == (
            True,
            NOON_MS,
            NOON_MS,
        )
        assert told["screens"] == {"staff": 0, "hall": 0, "dropped": 0}
        said = told["heard"]["statistics"]
        assert said["lateness"][0]["stages"]["told"] == {
            "count": 412,
            "p50_ms": 1.1,
            "p99_ms": 4.0,
            "max_ms": 131.0,
        }
        assert (len(said["minutes"]), said["late"][0]["waited_for"]) == (60, "commit")


def test_a_locked_screen_is_told_nothing_and_asking_does_not_put_off_the_lock(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    for _ in range(14):
        hall.clock.go(min=1)
        assert client.get("/console/api/running").status_code == 200
    hall.clock.go(min=1)
    assert client.get("/console/api/running").status_code == 423
    assert client.get("/console/running").headers["Location"] == "/console"


def test_ten_consoles_are_one_question_to_the_gateway(hall: ConsoleHall) -> None:
    clients = [hall.client(STAFF, STAFF_PASSWORD), hall.client(ADMIN, ADMIN_PASSWORD)]
    told = [client.get("/console/api/running").get_data() for client in clients * 5]
    assert len(set(told)) == 1
    assert [order["order"] for order in hall.gateway.orders].count("statistics") == 1


def test_without_the_gateway_the_last_word_stays_with_its_age(
    hall: ConsoleHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.running.ASK_EVERY_S", 0.0)
    client = hall.client(STAFF, STAFF_PASSWORD)
    before = client.get("/console/api/running").get_json()["heard"]
    hall.gateway.close()
    hall.clock.go(min=3)
    heard = client.get("/console/api/running").get_json()["heard"]
    assert heard == {**before, "answers": False}


# ---------------------------------------------------------------- the page


@pytest.fixture
def page(hall: ConsoleHall, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Somebody has signed in, and is where the link to the page stands."""
    monkeypatch.setattr("kiosk.running.ASK_EVERY_S", 0.0)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    hall.let_in(context, STAFF, STAFF_PASSWORD)
    page = context.new_page()
    page.clock.install()  # it goes on by itself, until it is put forward
    page.goto(f"{hall.serve()}/console")
    page.wait_for_selector("#parts a")
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda told: wrong.append(told.text) if "Content Security Policy" in told.text else None
    )
    yield page
    context.close()
    assert wrong == []


def asks_again(page: Page) -> None:
    """Its three seconds have passed (console_running.js)."""
    page.clock.fast_forward(3000)


def running(page: Page) -> Page:
    page.locator("#parts a").click()
    page.wait_for_selector("#running .verdict")
    page.evaluate("window.sameVisit = true")
    return page


@pytest.mark.slow
def test_plain_sentences_come_first_in_the_readers_language(hall: ConsoleHall, page: Page) -> None:
    hall.gateway.device("btn-0302", name="302 床头按钮")
    running(page)
    expect(page.locator(".verdict")).to_have_text("最近一小时有呼叫迟到：最慢 131 毫秒，因为磁盘。")
    speed = page.locator("[data-key=speed-call]")
    expect(speed).to_contain_text("一半在 1.1 毫秒内，99% 在 4.0 毫秒内。 共 412 次")
    expect(speed).to_contain_text("最近一小时最慢 131 毫秒，因为磁盘")
    late = page.locator("[data-key=card-late] tbody tr")
    expect(late.last).to_contain_text("302 床头按钮：按下")
    expect(late.last).to_contain_text("磁盘（118 毫秒）")
    expect(page.locator("[data-key=value-clock]")).to_contain_text("可信 网络对过时")
    expect(page.locator("[data-key=value-broker_line]")).to_contain_text("断过 2 次")
    expect(page.locator("[data-key=card-rubbish]")).to_contain_text("看不懂的内容17")

    page.click(".me-menu summary")
    page.click("#other-language")
    expect(page.locator(".verdict")).to_have_text(
        "A call was late in the last hour: 131 ms, because of the disk."
    )
    expect(speed).to_contain_text("half within 1.1 ms, 99% within 4.0 ms. 412 in all")
    expect(late.last).to_contain_text("302 床头按钮: press")
    texts = page.locator("#running").inner_text().replace("302 床头按钮", "")
    assert not HANZI.search(texts), HANZI.findall(texts)


@pytest.mark.slow
def test_the_chart_has_a_mark_for_each_minute_and_shows_the_bad_one(hall: ConsoleHall, page: Page) -> None:
    running(page)
    calls = page.locator("[data-key=chart-call]")
    expect(calls.locator("g")).to_have_count(20)
    expect(calls.locator("g.late-minute")).to_have_count(1)
    expect(calls.locator("g.late-minute title")).to_contain_text(
        "3 次，一半 1.4 毫秒，99% 131 毫秒，最慢 131 毫秒"
    )
    # A parking message may wait: it is never painted as late.
    expect(page.locator("[data-key=chart-telemetry] g")).to_have_count(60)
    expect(page.locator("[data-key=chart-telemetry] .late-minute")).to_have_count(0)
    tall = calls.locator("g.late-minute line").first.bounding_box()
    usual = calls.locator("g.minute line").first.bounding_box()
    assert tall is not None
    assert usual is not None
    assert tall["height"] > usual["height"]
    # For whoever cannot see it, or wants the figures.
    page.get_by_text("每分钟的数字").press("Enter")
    expect(page.locator("[data-key=numbers] tbody tr")).to_have_count(80)


@pytest.mark.slow
def test_it_is_drawn_anew_by_itself_and_takes_nothing_out_of_ones_hands(
    hall: ConsoleHall, page: Page
) -> None:
    running(page)
    page.get_by_text("其余计数").press("Enter")
    page.evaluate("document.querySelector('[data-key=counts]').dataset.mine = 'yes'")
    good = figures(NOON_MS, late=[], minutes=[], counts={"messages": 9, "retained": 3})
    hall.gateway.statistics = good
    asks_again(page)
    expect(page.locator(".verdict")).to_have_text("网关在运行；最近一小时没有呼叫。")
    expect(page.locator("[data-key=card-late]")).to_contain_text("没有。")
    expect(page.locator("[data-key=card-rubbish]")).to_contain_text("消息服务记着的旧状态3")
    assert page.evaluate("document.activeElement.textContent") == "其余计数"
    assert page.evaluate("document.querySelector('[data-key=counts]').open") is True
    hall.gateway.statistics = {**good, "minutes": [minute(1.5)]}
    asks_again(page)
    expect(page.locator(".verdict")).to_have_text("一切及时。")
    assert page.evaluate("window.sameVisit") is True


def running_anew(page: Page) -> None:
    """The page from nothing, with what the gateway says by now."""
    page.goto(page.url.partition("/console")[0] + "/console/running")
    page.wait_for_selector("#running .verdict")


def minute(max_ms: float) -> Json:
    call = {"count": 1, "p50_ms": max_ms, "p99_ms": max_ms, "max_ms": max_ms}
    return {"minute_ms": NOON_MS - NOON_MS % 60_000, "call": call}


@pytest.mark.slow
def test_what_needs_a_person_stands_on_top(hall: ConsoleHall, page: Page) -> None:
    troubles: list[tuple[Json, str]] = [
        ({"waiting": {"disk": 3}}, "有 3 件事还没有写进磁盘"),
        ({"lines": {"calls": {"up": False, "reconnects": 1}}}, "和消息服务的线断了"),
        ({"clock": {"known": False, "why": "behind"}}, "不知道现在几点"),
        ({"late": [], "minutes": [minute(131.0)]}, "最近一小时有呼叫迟到：最慢 131 毫秒。"),
    ]
    for trouble, verdict in troubles:
        hall.gateway.statistics = figures(NOON_MS, **trouble)
        running_anew(page)
        expect(page.locator(".verdict")).to_contain_text(verdict)


@pytest.mark.slow
def test_with_the_gateway_away_it_shows_how_it_was_and_when_until_it_is_back(
    hall: ConsoleHall, page: Page
) -> None:
    running(page)
    expect(page.locator(".verdict")).to_contain_text("最近一小时")
    hall.clock.go(min=3)
    hall.gateway.close()
    asks_again(page)
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("网关没有应答")
    expect(verdict).to_contain_text(re.compile("下面是 3 分 .*前 的情况"))
    expect(page.locator("[data-key=speed-call]")).to_contain_text("共 412 次")
    expect(page.locator("#running")).to_have_class("old")
    hall.reopen_gateway()
    hall.gateway.statistics = figures(NOON_MS)
    asks_again(page)
    expect(verdict).to_contain_text("最近一小时有呼叫迟到")
    expect(page.locator("#running")).not_to_have_class("old")


@pytest.mark.slow
def test_a_gateway_that_never_answered_leaves_words_and_no_figures(hall: ConsoleHall, page: Page) -> None:
    hall.gateway.close()
    expect(page.locator("#parts")).to_contain_text("呼叫暂时收不到也接不了")
    running(page)
    expect(page.locator(".verdict")).to_contain_text("网关没有应答")
    expect(page.locator("#running .card")).to_have_count(0)


@pytest.mark.slow
def test_a_gateway_that_says_less_breaks_nothing(hall: ConsoleHall, page: Page) -> None:
    less: list[object] = [{}, {"lateness": 7, "minutes": [{}], "clock": None}, "nonsense"]
    for said in less:
        hall.gateway.statistics = said
        running_anew(page)
        expect(page.locator(".verdict")).to_have_text("网关在运行；最近一小时没有呼叫。")
        expect(page.locator("[data-key=card-speed]")).to_contain_text("还没有任何呼叫或消息。")
        expect(page.locator("[data-key=value-clock]")).to_have_text("不知道 ")


@pytest.mark.slow
def test_a_device_that_says_too_much_is_one_click_away(hall: ConsoleHall, page: Page) -> None:
    hall.gateway.device("bay-e01", kind="bay_sensor", name="东区 1 号")
    running(page)
    loud = page.locator("[data-key=loud-bay-e01]")
    expect(loud).to_contain_text("超出 40,210 条")
    loud.get_by_role("link", name="东区 1 号").click()
    expect(page.locator("[data-device=bay-e01]")).to_be_in_viewport()
    expect(page.locator("[data-device=bay-e01] button")).to_be_focused()


@pytest.mark.slow
def test_whoever_reads_it_hears_a_call_and_takes_it_there(hall: ConsoleHall, page: Page) -> None:
    running(page)
    hall.gateway.press(7)
    expect(page.locator("html")).to_have_attribute("data-ringing", "emergency")
    page.locator("[data-call='7']").get_by_role("button", name="我来处理").click()
    expect(page.locator("[data-call='7']")).to_contain_text("李强 正在前往")
    hall.clock.go(min=16)
    expect(page.locator("#cover")).to_contain_text("屏幕已锁")
    # The form's token is chance, and may hold any three digits.
    assert "412" not in re.sub(r'content="[0-9a-f]{32,}"', "", page.content())


# ---------------------------------------------------------------- its words


def test_every_word_is_used_and_every_word_that_is_used_exists() -> None:
    static = ROOT / "kiosk" / "static"
    script = (static / "console_running.js").read_text(encoding="utf-8")
    seen = script + (static / "console_hall.js").read_text(encoding="utf-8")
    put_together = set(re.findall(r"`([a-z]+_)\$\{", script)) | {
        "stage_"
    }  # stages are named by `linli stats`
    unused = [key for key in WORDS if f'"{key}"' not in seen and not key.startswith(tuple(put_together))]
    assert unused == []
    assert set(re.findall(r'\bt\("(\w+)"', script)) - set(ALL_WORDS) == set()


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same(key: str) -> None:
    zh, en = WORDS[key]
    assert sorted(re.findall(r"\{\w+\}", zh)) == sorted(re.findall(r"\{\w+\}", en))
    assert not HANZI.search(en)
