"""What staff read where a page fails or does not exist: their own frame, which rings, and never the residents' page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devices.faults import OrderRefused
from tests.kiosk.console_hall import ADMIN, ADMIN_PASSWORD, ORIGIN, Client, ConsoleHall, console_hall

HTML = {"Accept": "text/html,*/*;q=0.8"}
#: what only the residents' page says
RESIDENTS = ("请到服务台", "go to the desk", 'class="act"')


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleHall]:
    with console_hall(tmp_path_factory.mktemp("faults")) as hall:
        yield hall


@pytest.fixture
def admin(hall: ConsoleHall) -> Client:
    return hall.client(ADMIN, ADMIN_PASSWORD)


def test_a_page_that_fails_says_so_in_the_staffs_frame_and_still_rings(
    hall: ConsoleHall, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_values: object) -> str:
        raise ZeroDivisionError("by a mistake of ours")

    monkeypatch.setitem(hall.app.view_functions, "console.people", fail)
    monkeypatch.setitem(hall.app.view_functions, "console.calls", fail)
    hall.gateway.press(7)
    for lang, said in (("zh", "呼叫照常响铃"), ("en", "Calls still ring")):
        answer = admin.get(f"/console/people?q=x&lang={lang}", headers=HTML)
        assert answer.status_code == 500
        assert said in answer.text and "page_failed" in answer.text
        assert "console_care.js" in answer.text and 'id="ringing"' in answer.text, "it listens for calls"
        assert 'href="/console/people?q=x' in answer.text, "to try again"
        assert not [words for words in RESIDENTS if words in answer.text]
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    told = admin.get("/console/api/calls").get_json()["error"]
    assert (told["code"], "page_failed" in told["zh"], "page_failed" in told["en"]) == ("our_fault", True, True)


def test_where_even_the_frame_fails_the_same_words_are_said(
    hall: ConsoleHall, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyError("a word")

    monkeypatch.setattr("kiosk.console.menu.pages", fail)
    answer = admin.get("/console/people?lang=en", headers=HTML)
    assert answer.status_code == 500
    assert "Calls still ring" in answer.text and 'href="/console"' in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/console/nowhere", 404, "没有这一页"),
        ("POST", "/console/people", 405, "不是这样用的"),
        ("PUT", "/console", 405, "不是这样用的"),
        ("PATCH", "/console/api/calls", 405, "不是这样用的"),
        ("POST", "/console/staff", 403, "请重新打开页面"),
        ("POST", "/console/parking/set-up/bays/b1", 413, "最多 64 KB"),
    ],
)
def test_a_refusal_is_said_in_the_staffs_frame(
    hall: ConsoleHall, admin: Client, method: str, path: str, status: int, said: str
) -> None:
    token = admin.token("/console") if status == 413 else ""
    data = {"form_token": token, "note": "x" * 100_000 if status == 413 else ""}
    answer = admin.open(path, method=method, data=data, headers={**HTML, "Origin": ORIGIN})
    assert answer.status_code == status
    if path.startswith("/console/api/"):
        assert said in answer.get_json()["error"]["zh"]
        return
    assert said in answer.text and "console_menu.css" in answer.text, "the console's frame"
    assert ">总览<" in answer.text or ">工作台<" in answer.text, "a way back"
    assert not [words for words in RESIDENTS if words in answer.text]


def test_a_rules_refusal_of_a_form_is_a_page(
    hall: ConsoleHall, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_values: object) -> str:
        raise OrderRefused("已经有了", "there already")

    monkeypatch.setitem(hall.app.view_functions, "console.staff_post", refuse)
    answer = admin.form("/console/staff", page="/console/staff")
    assert (answer.status_code, answer.mimetype) == (409, "text/html")
    assert "已经有了" in answer.text
