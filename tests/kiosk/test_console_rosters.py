"""The pages of the roster and of the kinds of call, as a browser without scripts uses them."""

from __future__ import annotations

import html
import importlib
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from gateway.hall.kinds import DEFAULTS
from gateway.hall.rows import Holiday, Kind, Substitution
from kiosk.console import words
from kiosk.console.rosters import read_holidays
from kiosk.console.words_desk import WORDS
from tests.kiosk.console_hall import ROOT
from tests.kiosk.roster_hall import RosterHall, roster_hall

PLACES = ("templates/console", "console", "static")


@pytest.fixture(scope="module")
def _hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RosterHall]:
    with roster_hall(tmp_path_factory.mktemp("rosters")) as hall:
        yield hall


@pytest.fixture
def hall(_hall: RosterHall) -> RosterHall:
    _hall.empty()
    return _hall


def staffed(hall: RosterHall) -> None:
    put = hall.ruled.order
    put("put_helper", helper_id="h-1", name="值班甲", role="duty")
    put("put_helper", helper_id="h-2", name="网格乙", role="grid", grid="第一网格")
    put("put_shift", shift_id="s-1", helper_id="h-1", from_min=480, to_min=1080)
    put("put_person", person_id="p-1", name="张三", grid="第一网格")
    put("put_person", person_id="p-2", name="李四", grid="第二网格")


def test_the_week_shows_who_is_there_and_says_in_words_where_nobody_is(hall: RosterHall) -> None:
    client = hall.staff()
    assert "还没有人可以排班" in client.get("/console/roster").text
    staffed(hall)
    page = client.get("/console/roster?week=2026-11-25").text
    assert "值班甲" in page and "08:00–18:00" in page
    assert re.search(r"<strong>没人</strong> <span class=\"time\">00:00–08:00", page)
    assert "没有人负责这里的 1 位居民" in page  # 第二网格 has no officer
    assert "楼栋长：一个人也没有登记" in page
    assert "没有一个人在岗" in page and "周一 11-23 00:00–08:00: 1 位居民" in page
    assert "Nobody" in client.get("/console/roster?lang=en").text
    assert client.get("/console/roster?week=next").status_code == 200
    assert client.get("/console/roster?week=9999-12-31").status_code == 200


def test_x_stands_in_for_y_and_the_week_shows_it(hall: RosterHall) -> None:
    staffed(hall)
    client = hall.staff()
    put = {
        "helper_id": "h-1",
        "by_helper_id": "h-2",
        "first_day": "2026-11-24",
        "last_day": "2026-11-25",
        "why": "体检",
    }
    refused = client.form("/console/roster/away", **{**put, "by_helper_id": "h-1"})
    assert refused.status_code == 409 and "不能自己替自己" in refused.text and 'value="体检"' in refused.text
    assert client.form("/console/roster/away", **put).status_code == 303
    assert "网格乙 替 值班甲" in client.get("/console/roster/away").text
    assert client.get("/console/roster?week=2026-11-24").text.count("替 值班甲") == 2
    (made,) = hall.ruled.state.table(Substitution)
    client.form("/console/roster/away", do="drop", substitution_id=made)
    assert not hall.ruled.state.table(Substitution)


def test_a_pasted_list_of_holidays_is_read_as_offices_write_it(hall: RosterHall) -> None:
    client = hall.staff()
    wrong = client.form("/console/roster/holidays", list="2026-10-01 至 2026-10-07 国庆节\n十月十日 补班")
    assert wrong.status_code == 409 and "第 2 行看不懂：十月十日 补班" in wrong.text
    assert "2026-10-01 至 2026-10-07 国庆节" in wrong.text and not hall.ruled.state.table(Holiday)
    typed = "2026年10月1日 到 2026/10/7，国庆节\n\n2026.10.10 国庆节 调休上班\n"
    assert client.form("/console/roster/holidays", list=typed).status_code == 303
    days = hall.ruled.state.table(Holiday)
    assert len(days) == 8 and (days["2026-10-03"].kind, days["2026-10-03"].name) == ("holiday", "国庆节")
    assert (days["2026-10-10"].kind, days["2026-10-10"].name) == ("workday", "国庆节")
    client.form("/console/roster/holidays", do="drop", day="2026-10-10")
    assert len(days) == 7


@pytest.mark.parametrize(
    "line", ["国庆节", "2026-02-30", "2026-10-07 至 2026-10-01 反了", "2026-10-01 至", "1-2-3"]
)
def test_a_line_that_is_no_day_is_named(line: str) -> None:
    assert read_holidays(f"2026-01-01 元旦\n{line}")[1] == [(2, line)]


# ---------------------------------------------------------------- kinds


def typed_form(page: str) -> dict[str, str]:
    """What a browser would send of the kind's form as it stands."""
    form = page[page.index('<form method="post" class="panel" novalidate') :]
    form = form[: form.index("</form>")]
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        words = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if words.get("type") == "checkbox" and "checked" not in tag:
            continue
        fields[words["name"]] = html.unescape(words.get("value", ""))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else re.findall(r'<option value="([^"]*)"', options)[0]
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        fields[name] = html.unescape(text)
    return fields


def test_a_kind_saved_as_it_stands_is_as_it_was(hall: RosterHall) -> None:
    """For each kind: the form carries everything there is."""
    admin = hall.admin()
    for word in DEFAULTS:
        at = f"/console/kinds/{word}"
        fields = typed_form(admin.get(at).text)
        assert admin.form(at, **{**fields, "do": "save"}).status_code == 303
    assert not hall.ruled.state.table(Kind)


def test_a_ladder_is_edited_step_by_step_said_in_words_and_saved_only_then(hall: RosterHall) -> None:
    admin, at = hall.admin(), "/console/kinds/emergency"
    page = admin.get(at).text
    assert (
        "先找值班人员（工作台响铃、大厅警灯、大厅播报、叫号屏、发消息），等 60 秒；没人接，再找网格员，等 60 秒"
        in page
    )
    assert "最后找支部书记，每 2 分钟重复一次，直到有人接" in page

    def press(page: str, do: str, **changed: str) -> str:
        answer = admin.form(at, **{**typed_form(page), **changed, "do": do})
        assert answer.status_code == 200
        return answer.text

    page = press(page, "down-0", name_zh="救急")
    assert "先找网格员" in page and 'value="救急"' in page
    for n in (5, 4, 3, 2):
        page = press(page, f"remove-{n}")
    page = press(page, "preview", **{"who-0": "guard", "wait-0": "5", "unit-0": "min"})
    assert "先找门岗" in page and "等 5 分钟；最后找值班人员" in page
    assert not hall.ruled.state.table(Kind)  # nothing is saved yet
    page = press(page, "outcome-add")
    fields = typed_form(page) | {"zh-6": "已报警", "en-6": "Police called", "do": "save"}
    assert admin.form(at, **fields).status_code == 303
    saved = hall.ruled.state.table(Kind)["emergency"]
    assert [(who, wait_s) for who, wait_s, _ in saved.ladder] == [("guard", 300), ("duty", 60)]
    assert saved.outcomes[-1] == ("police_called", "已报警", "Police called") and saved.name_zh == "救急"
    page = admin.get(at).text
    assert "恢复默认" in page
    admin.form(at, do="default")
    assert not hall.ruled.state.table(Kind)


def test_a_refused_ladder_keeps_what_was_typed(hall: RosterHall) -> None:
    admin, at = hall.admin(), "/console/kinds/help"
    fields = typed_form(admin.get(at).text)
    fields = {key: value for key, value in fields.items() if not key.startswith("act-1")}
    answer = admin.form(at, **{**fields, "wait-0": "两分钟", "do": "save"})
    assert answer.status_code == 409 and "第 1 步：等待时间应为 1 秒到 60 分钟" in answer.text
    assert 'value="两分钟"' in answer.text
    answer = admin.form(at, **{**fields, "wait-0": "2", "do": "save"})
    assert "第 2 步：至少选一种通知方式" in answer.text
    assert not hall.ruled.state.table(Kind)


def test_a_hall_makes_a_kind_of_its_own_and_staff_may_only_look(hall: RosterHall) -> None:
    admin = hall.admin()
    fields = typed_form(admin.get("/console/kinds/new").text) | {
        "name_zh": "代购",
        "name_en": "Shopping for you",
    }
    answer = admin.form("/console/kinds/new", **{**fields, "do": "save"})
    assert answer.headers["Location"].endswith("/console/kinds/shopping_for_you?saved=1")
    assert hall.ruled.state.table(Kind)["shopping_for_you"].name_zh == "代购"
    staff = hall.staff()
    page = staff.get("/console/kinds/shopping_for_you").text
    assert "这里由管理员修改" in page and "<fieldset disabled" in page
    assert (
        staff.form("/console/kinds/shopping_for_you", page="/console/roster/away", **fields).status_code
        == 403
    )
    admin.form("/console/kinds/shopping_for_you", do="default")
    assert not hall.ruled.state.table(Kind)


# ---------------------------------------------------------------- words


def test_no_word_is_said_in_two_files() -> None:
    """The console's files of words are merged; of two with the same key one would be silent."""
    files = sorted((ROOT / "kiosk").rglob("words_*.py"))
    merged = (ROOT / "kiosk" / "console" / "words.py").read_text(encoding="utf-8")
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    modules = [one for one in modules if f"from {one} import WORDS" in merged]
    told = [words._PAGE, *(importlib.import_module(module).WORDS for module in modules)]
    times = Counter(key for one in told for key in one)
    assert len(told) > 3
    assert [key for key, number in times.items() if number > 1] == []


def test_every_word_of_these_pages_is_used_and_none_is_missing() -> None:
    seen = "".join(
        path.read_text(encoding="utf-8")
        for place in PLACES
        for path in sorted((ROOT / "kiosk" / place).iterdir())
        if path.suffix in (".html", ".py", ".js") and path.name != "words_desk.py"
    )
    put_together = ("weekday_", "line_", "did_", "person_", "helper_", "week_")
    unused = [key for key in WORDS if f"'{key}'" not in seen and f'"{key}"' not in seen]
    assert [key for key in unused if not key.startswith(put_together)] == []


def test_english_words_are_english_and_chinese_words_chinese() -> None:
    hanzi = re.compile(r"[\u3400-\u9fff]")
    only_signs = {"and", "and_so", "ladder_how", "ladder_join"}
    assert [key for key, (_, en) in WORDS.items() if hanzi.search(en)] == []
    assert {key for key, (zh, _) in WORDS.items() if not hanzi.search(zh)} == only_signs
