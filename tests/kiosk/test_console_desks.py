"""The console's menu, desks, search and first steps, over a real kiosk.db and a small gateway."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from gateway.notebook import Notebook
from kiosk import hours, line, requests
from kiosk.console import desk
from kiosk.console.menu import GROUPS, POSTS
from kiosk.console.searching import EACH, LONGEST, asked_words, masked
from kiosk.rules.hours import HallClosed, HallDay
from kiosk.rules.initials import initials
from kiosk.windows import windows_now
from tests.kiosk.console_hall import (
    ADMIN,
    ADMIN_PASSWORD,
    NOON_MS,
    ROOT,
    STAFF,
    STAFF_PASSWORD,
    Client,
    ConsoleHall,
    console_hall,
)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleHall]:
    """A hall whose gateway has a notebook: a person, a device, a zone with a bay, a visit, a slow call."""
    with console_hall(tmp_path_factory.mktemp("desks")) as hall:
        hall.make_staff()
        book = Notebook(hall.house.gateway_db, ROOT / "gateway" / "schema")
        book.write(_furnish)
        book.close()
        hall.writer.write(_ask)
        yield hall


def _put(book: sqlite3.Connection, table: str, **values: object) -> None:
    """A row; what it must have and is not told is 0 or ""."""
    columns = book.execute(f"PRAGMA table_info({table})").fetchall()
    needed = [one for one in columns if one[3] and one[4] is None]
    row: dict[str, object] = {one[1]: 0 if one[2] in ("INTEGER", "REAL") else "" for one in needed}
    row |= values
    marks = ",".join("?" * len(row))
    names = ",".join(f'"{one}"' for one in row)
    book.execute(f"INSERT INTO {table}({names}) VALUES ({marks})", tuple(row.values()))


def _furnish(book: sqlite3.Connection) -> None:
    put = functools.partial(_put, book)
    for number, name in enumerate(("张奶奶", "<b>王%婆_婆</b>")):
        put("people", person_id=f"p{number}", name=name, phone="13812345678", grid="第一网格",
            building=f"{3 + number}栋", room="302", visit_tier="weekly", active=1, medical="糖尿病")  # fmt: skip
    put("devices", device_id="btn-9", kind="call_button", name="床头", place="3栋302", first_seen_ms=1,
        last_seen_ms=NOON_MS, every_ms=60_000, health="silent")  # fmt: skip
    put("zones", zone_id="east", name_zh="东区", name_en="East", total=1, free=1)
    put("bays", bay_id="e7", zone_id="east", state="free", device_id="s7", last_known="")
    put(
        "visits",
        visit_id="v1",
        person_id="p0",
        reason="inactivity",
        opened_ms=1,
        due_ms=NOON_MS - 3_600_000,
        state="due",
    )
    put("calls", call_id=5, state="CLOSED", kind="emergency", device_id="btn-9", place="3栋302", presses=1,
        closed_ms=NOON_MS, outcome="helped", overdue=1)  # fmt: skip


def _ask(book: sqlite3.Connection) -> None:
    """Four requests of residents."""
    for number, (service, urgent, by_ms) in enumerate(
        (
            ("WY-01", 0, NOON_MS + 9 * 3_600_000),
            ("WY-02", 1, None),
            ("WY-08", 0, NOON_MS - 1),
            ("DW-05", 0, None),
        )
    ):
        book.execute(
            "INSERT INTO requests(code, key, service_code, kind, urgent, state, place, building, words, lang,"
            " screen, business_day, made_ms, answer_by_ms, changed_ms)"
            " VALUES (?, ?, ?, 'x', ?, 'RECEIVED', 'home', '3栋', '厨房漏水', 'zh', 'kiosk-1', '2027-01-15',"
            " ?, ?, ?)",
            (f"7KQ2M9X{number + 2}", f"k{number}", service, urgent, NOON_MS, by_ms, NOON_MS),
        )


def test_the_menu_never_leads_to_a_refusal(hall: ConsoleHall) -> None:
    for name, password in ((ADMIN, ADMIN_PASSWORD), (STAFF, STAFF_PASSWORD)):
        client = hall.client(name, password)
        html = client.get("/console/people").get_data(as_text=True)
        links = html.partition('class="dropped" aria-label')[2].partition("</nav>")[0].split('href="')[1:]
        paths = [one.partition('"')[0].replace("&amp;", "&") for one in links]
        assert ("/console/staff" in paths) == (name == ADMIN)
        assert len(paths) > 25
        answers = {path: client.get(path).status_code for path in paths}
        assert {path: status for path, status in answers.items() if status in (403, 404, 500)} == {}


def test_a_page_is_in_one_group_only() -> None:
    pages = [(one.endpoint, tuple(one.values.items())) for group in GROUPS for one in group.pages]
    assert len(pages) == len(set(pages))


def test_each_post_shows_what_waits_and_says_what_cannot_be_read(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    told = {post: client.get(f"/console/api/desk/{post}").get_json()["sections"] for post in POSTS}
    assert [[one["key"] for one in told[post]] for post in POSTS] == [
        [key for key, _ in desk.DESKS[post]] for post in POSTS
    ]
    assert not [one["key"] for sections in told.values() for one in sections if one["unread"]]
    visit, late = told["duty"][0]["lines"][0], told["duty"][-1]["lines"][0]
    assert (visit["what"][0], visit["level"], visit["url"]) == (
        "3栋302 张奶奶",
        "hot",
        "/console/visits/write/v1",
    )
    assert late["url"] == "/console/call/5"
    assert told["technician"][1]["lines"][0]["what"] == ["3栋302", "3栋302"]
    page = client.get("/console/desk/duty").get_data(as_text=True)
    assert "3栋302 张奶奶" in page  # drawn by the server, too


def test_a_desk_without_a_gateways_notebook_says_so(tmp_path: Path) -> None:
    with console_hall(tmp_path) as bare:
        client = bare.client(ADMIN, ADMIN_PASSWORD)
        sections = client.get("/console/api/desk/duty").get_json()["sections"]
        assert {one["key"] for one in sections if one["unread"]} >= {"desk_visits", "desk_late"}
        assert "不知道有没有事" in client.get("/console/desk/duty").get_data(as_text=True)


def test_requests_come_the_most_urgent_first(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    lifts, others = client.get("/console/api/desk/property").get_json()["sections"][:2]
    lines = [*lifts["lines"], *others["lines"]]
    assert [one["what"][0][:4] for one in lines] == ["电梯故障", "环境卫生", "公共设施"]
    assert [one["level"] for one in lines] == ["hot", "warn", "warn"]
    assert "还没有填" in lifts["note"][0], "whom to call when somebody is shut in"
    assert client.get("/console/api/desk/branch").get_json()["sections"][0]["count"] == 1
    assert _kinds(client, "漏水") >= {"find_request", "find_service"}
    assert _kinds(client, "7kq2-m9x3") == {"find_request"}


def test_a_request_that_somebody_has_answered_is_late_neither_on_a_desk_nor_on_its_page(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)

    def seen() -> tuple[bool, str, bool]:
        """On the desk: is it called late, and how loud; on its page: is it called late."""
        found = client.get("/console/api/desk/property").get_json()["sections"][1]["lines"]
        line = next(one for one in found if one["url"] == "/console/requests/3")
        page = client.get("/console/requests/3").get_data(as_text=True)
        return "答复过期" in str(line), line["level"], "超时" in page

    hall.clock.go(s=1)
    assert seen() == (True, "warn", True)
    done = requests.do(hall.core, 3, "accept", STAFF)
    assert seen() == (False, "", False)
    requests.undo(hall.core, 3, done.step_id, STAFF)
    assert seen() == (True, "warn", True)


def test_a_request_has_one_name_everywhere_and_its_code_stays_with_its_resident(hall: ConsoleHall) -> None:
    """What a slip, the list and a telephone call say (0115-02); with the code anybody sees how it goes."""
    client = hall.client(STAFF, STAFF_PASSWORD)
    drawn = client.get("/console/api/desk/property").get_data(as_text=True)
    assert "0115-02" in drawn
    assert "7KQ2M9X" not in drawn
    assert [str(one["what"])[2:9] for one in _hits(client, "0115-02")] == ["0115-02"]
    assert "7KQ2M9X" not in str(_hits(client, "漏水"))
    hall.writer.write(
        lambda book: book.execute("UPDATE requests SET name = '王小明', phone = '13800001111' WHERE request_id = 3")
    )
    for known in ("王小明", "138 0000 1111", "13800001111"):
        told = _hits(client, known)
        assert [one["url"] for one in told if one["kind"] == "find_request"] == ["/console/requests/3"], known
        assert "13800001111" not in str(told)
    assert not [one for one in _hits(client, "王小") if one["kind"] == "find_request"]


def test_my_post_is_where_signing_in_leads(hall: ConsoleHall) -> None:
    client = hall.client(STAFF, STAFF_PASSWORD)
    assert client.form("/console/desk/grid", page="/console/people").status_code == 303
    assert hall.client().sign_in(STAFF, STAFF_PASSWORD).headers["Location"].endswith("/console/desk/grid")
    assert "我的岗位：网格员" in client.get("/console/people").get_data(as_text=True)
    client.form("/console/desk/grid", page="/console/people", do="leave")
    assert hall.client().sign_in(STAFF, STAFF_PASSWORD).headers["Location"].endswith("/console")
    assert client.form("/console/desk/admin", page="/console/people").status_code == 403
    assert client.get("/console/desk/admin").status_code == 403


# ---------------------------------------------------------------- search


def _kinds(client: Client, text: str) -> set[str]:
    return {one["kind"] for one in _hits(client, text)}


def _hits(client: Client, text: str) -> list[dict[str, str]]:
    answer = client.get("/console/api/search", query_string={"q": text})
    assert answer.status_code == 200
    told: list[dict[str, str]] = answer.get_json()["hits"]
    return told


def test_everything_is_found_by_what_people_know_of_it(hall: ConsoleHall) -> None:
    ticket = line.take_ticket(hall.core, "ZW-01", "search-1", "zh", "kiosk-1").ticket
    number = f"{ticket.prefix}{ticket.number:03}"
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    assert {one["kind"]: one["url"] for one in _hits(client, number)}["find_ticket"].startswith(
        "/console?ticket="
    )
    assert "find_ticket" in _kinds(client, str(ticket.number))
    waiting = client.get("/console/api/desk/window").get_json()["sections"][0]
    assert waiting["count"] == len(line.waiting(hall.core)), "beside the title stand people, not windows"
    # "Call" stands where somebody waits; where nobody does it says so, and lives again with the next number.
    served = {f"window-{one.id}" for one in windows_now(hall.core).windows_for("ZW-01")}
    assert client.order("windows/W5/open").status_code == 200
    lines = client.get("/console/api/desk/window").get_json()["sections"][0]["lines"]
    assert {one["key"] for one in lines if not one["off"]} == served
    (idle,) = (one for one in lines if one["off"])
    assert "没有人在等" in idle["more"][0] and "Nobody is waiting" in idle["more"][1]
    page = client.get("/console/desk/window").get_data(as_text=True)
    assert page.count('type="button" disabled') == 1
    line.take_ticket(hall.core, "WY-04", "search-2", "zh", "kiosk-1")
    lines = client.get("/console/api/desk/window").get_json()["sections"][0]["lines"]
    assert not [one for one in lines if one["off"]]
    assert {one["kind"]: one["url"] for one in _hits(client, "znn")} == {"find_person": "/console/people/p0"}
    assert _kinds(client, "张奶奶") == {"find_person"}
    assert _kinds(client, "btn-9") == {"find_device"}
    assert _kinds(client, "e7") >= {"find_bay"}
    assert _kinds(client, "ＺＷ－０１") == {"find_service"}
    assert _kinds(client, "打印机") == {"find_page"}
    assert _kinds(client, "报表") == {"find_page"}
    assert _kinds(client, "民生") == {"find_window"}
    assert _kinds(client, ADMIN) == {"find_staff"}
    assert _kinds(hall.client(STAFF, STAFF_PASSWORD), ADMIN) == set()


def test_a_search_shows_no_whole_telephone_and_no_illness(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    told = client.get("/console/api/search?q=138").get_data(as_text=True)
    assert "138****5678" in told
    assert "13812345678" not in told
    assert _hits(client, "糖尿病") == []


@pytest.mark.parametrize(
    "hostile",
    ["%", "_", "'", '"', "\\", "' OR 1=1 --", "<script>alert(1)</script>", "\x00\u202e", "张" * 9000],
)
def test_what_is_typed_means_itself(hall: ConsoleHall, hostile: str) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    page = client.get("/console/search", query_string={"q": hostile})
    assert page.status_code == 200
    assert "<script>alert" not in page.get_data(as_text=True)
    names = [one["what"][0] for one in _hits(client, hostile)]
    assert all("王%婆_婆" in str(name) for name in names) if hostile in "%_" else len(names) <= EACH
    assert len(asked_words(hostile)) <= LONGEST


def test_an_empty_search_and_one_in_vain_say_how_to_search(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)
    assert "可以搜" in client.get("/console/search").get_data(as_text=True)
    assert "没有找到“qqqqq”" in client.get("/console/search?q=qqqqq").get_data(as_text=True)


def test_an_address_that_is_wrong_is_answered_in_staffs_own_frame(hall: ConsoleHall) -> None:
    """The residents' page said so, with their way home and their bell for help."""
    client = hall.client(STAFF, STAFF_PASSWORD)
    for lang, words in (("zh", "没有这一页"), ("en", "There is no such page")):
        answer = client.get(f"/console/of-yesterday?lang={lang}")
        assert answer.status_code == 404
        page = answer.get_data(as_text=True)
        assert words in page
        assert 'class="groups"' in page


def test_initials_of_names() -> None:
    assert [initials(one) for one in ("张奶奶", "欧阳娜", "A栋3", "㐂", "")] == ["znn", "oyn", "ad3", "", ""]
    assert masked("13812345678") == "138****5678"
    assert masked("1234567") == ""


# ---------------------------------------------------------------- first steps


def test_the_first_steps_tick_themselves_and_can_be_put_away(tmp_path: Path) -> None:
    with console_hall(tmp_path) as hall:
        client = hall.client(ADMIN, ADMIN_PASSWORD)

        def done() -> dict[str, bool | None]:
            told: dict[str, bool | None] = client.get("/console/api/start").get_json()["done"]
            return told

        before = done()
        assert (before["number"], before["called"], before["button"]) == (False, False, None)
        # Who sets up a hall does it while it is closed: the guide says so, and opens it for the day.
        today = hours.wall(hall.core).date().isoformat()
        hours.put_days(hall.core, {today: HallDay((), "休息", "off")})
        with pytest.raises(HallClosed):
            line.take_ticket(hall.core, "ZW-01", "start-0", "zh", "kiosk-1")
        assert 'value="trial"' in client.get("/console/start").get_data(as_text=True)
        assert client.form("/console/start", do="trial").status_code == 303
        assert 'value="trial"' not in client.get("/console/start").get_data(as_text=True)
        window = windows_now(hall.core).windows_for("ZW-01")[0].id
        line.take_ticket(hall.core, "ZW-01", "start-1", "zh", "kiosk-1")
        assert client.order(f"windows/{window}/open").status_code == 200
        assert client.order("queue/next", window_id=window, key="start-next").status_code == 200
        assert client.form("/console/start", do="hours", workdays="9:00-25:00", weekend="").status_code == 409
        assert client.form("/console/start", do="hours", workdays="9:00-17:00", weekend="").status_code == 303
        assert client.form("/console/start", do="test").status_code == 303
        with closing(sqlite3.connect(hall.house.kiosk_db)) as book:
            assert book.execute("SELECT count(*) FROM slips WHERE kind = 'test'").fetchone()[0] == 1
        assert client.form("/console/start", do="seen").status_code == 303
        hall.make_staff()
        after = done()
        assert {key for key in after if after[key] and not before[key]} == {
            "hours",
            "paper",
            "window",
            "number",
            "called",
            "colleague",
        }
        assert 'class="note start-note"' in client.get("/console").get_data(as_text=True)
        # Where the guide sends somebody, its way back stands; and nowhere else.
        for path, back in (("/console/screens", True), ("/console/desk/window", True), ("/console/people", False)):
            assert ('class="start-back"' in client.get(path).get_data(as_text=True)) == back, path
        client.form("/console/start", do="away")
        assert 'class="note start-note"' not in client.get("/console").get_data(as_text=True)
        assert 'class="start-back"' not in client.get("/console/screens").get_data(as_text=True)
        assert client.form("/console/start", do="nonsense").status_code == 400


def test_a_press_that_nobody_has_taken_is_half_a_step(hall: ConsoleHall) -> None:
    client = hall.client(ADMIN, ADMIN_PASSWORD)

    def pressed() -> object:
        return client.get("/console/api/start").get_json()["done"]["press"]

    with closing(sqlite3.connect(hall.house.gateway_db)) as book, book:
        book.execute("UPDATE calls SET claimed = 1, closed_ms = NULL, state = 'HEARD' WHERE call_id = 5")
        _put(book, "presses", press_id="1", call_id=5, device_id="btn-9")
    assert pressed() is False
    with closing(sqlite3.connect(hall.house.gateway_db)) as book, book:
        book.execute("UPDATE calls SET closed_ms = ?, state = 'CLOSED' WHERE call_id = 5", (NOON_MS,))
    assert pressed() is True


# ---------------------------------------------------------------- in a browser


def test_keys_search_and_a_desk_that_is_live(hall: ConsoleHall, browser: Browser) -> None:
    base = hall.serve()
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(base + "/console/sign-in")
    page.fill("input[name=name]", STAFF)
    page.fill("input[name=password]", STAFF_PASSWORD)
    page.click("form button.main")
    page.wait_for_selector("#calls")
    page.goto(base + "/console/people")
    page.keyboard.press("/")
    page.keyboard.type("张奶奶")
    page.keyboard.press("Enter")
    expect(page.locator(".hits a")).to_have_attribute("href", "/console/people/p0")
    # Every page rings, also one of plain forms.
    hall.gateway.press(7)
    expect(page.locator("#ringing")).to_be_visible()
    page.locator("#ringing a").click()
    page.wait_for_selector("[data-call='7']")
    page.locator("body").press("?")
    expect(page.locator("#keys")).to_contain_text("叫下一位")
    page.uncheck("#keys-on")
    page.click("#keys button.main")
    page.locator("body").press("a")
    page.goto(base + "/console/desk/property")
    page.wait_for_selector("[data-call='7'].heard")  # the key was off: nobody has taken the call
    page.locator("body").press("?")
    page.check("#keys-on")
    page.click("#keys button.main")
    page.locator("body").press("a")
    page.wait_for_selector("[data-call='7'].coming")
    # A task that is finished elsewhere goes from the desk by itself.
    expect(page.locator("[data-key=desk_lifts] .task")).to_have_count(1)
    hall.writer.write(
        lambda book: book.execute(
            "UPDATE requests SET state = 'DONE', closed_ms = 1 WHERE service_code = 'WY-02'"
        )
    )
    hall.gateway.row("visits", "v1")
    expect(page.locator("[data-key=desk_lifts] .task")).to_have_count(0)
    # Whoever has made a code sees when the screen is calibrated.
    page.goto(base + "/console/screens")
    page.click("button[name=screen][value=kiosk-1]")
    code = page.locator(".secret").inner_text().replace(" ", "")
    kiosk = hall.app.test_client()
    expect(page.locator("[data-refresh]")).to_contain_text("没有校准")
    form = {"do": "save", "code": code, "px_per_mm": "4.03", "place_zh": "大厅入口"}
    assert kiosk.post("/calibrate?screen=kiosk-1", data=form).status_code == 303
    expect(page.locator("[data-refresh]")).to_contain_text("大厅入口")
    expect(page.locator("[data-spent]")).to_be_visible()
    expect(page.locator(".secret")).to_be_hidden()
    # A screen that locks keeps nobody's name, also not in the page's source; and no menu lies over the next call.
    assert "张奶奶" in page.goto(base + "/console/desk/duty").text()  # type: ignore[union-attr]
    expect(page.locator("[data-key=desk_visits] .task")).to_have_count(1)
    page.click(".me-menu summary")
    page.click("[data-act=lock]")
    page.fill("form[data-form=unlock] input[type=password]", STAFF_PASSWORD)
    assert "张奶奶" not in page.content()
    expect(page.locator("details.drop[open]")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator("[data-key=desk_visits] .task")).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 844})
    page.click(".all-pages summary")
    page.get_by_role("link", name="打印机", exact=True).click()
    expect(page).to_have_url(base + "/console/printers")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
