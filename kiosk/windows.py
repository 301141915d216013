"""The windows of the hall: what each can do (its skills), and when it is open. Alone reads the tables ``windows``,
``window_skills`` and ``window_spans``.

    here = windows_now(core)                     # as it is on the disk
    here.served_at("W2")                         # frozenset({"ZW-01", …})
    here = windows_now(core, notebook)           # inside the writer's transaction: with its own changes

Those of the catalogue are there from the first start (`fill`); a hall adds its own, changes names and skills, retires
some. A retired window keeps its row, because history names it. A span of yesterday that nobody closed ended at
midnight.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from devices.faults import NotWritten, OrderRefused
from kiosk.rules.queue import business_day
from kiosk.rules.windows import Window, Windows

if TYPE_CHECKING:
    from kiosk.core import Core

#: The voice says a window's number; more windows than these no hall of ours has (schema: windows.number).
NUMBER_AT_MOST = 99

# ---------------------------------------------------------------- reading


def windows_now(core: Core, notebook: sqlite3.Connection | None = None) -> Windows:
    """The windows as this connection sees them: this thread's reader, or the writer's own inside its transaction.

    A notebook that cannot be read leaves the windows as they were read last: pages that write nothing still come.
    """
    if notebook is not None:
        return _now(core, notebook)
    try:
        return _now(core, core.reader())
    except (NotWritten, sqlite3.Error):
        return core.windows_read[1] if core.windows_read is not None else Windows(tuple(_of_catalogue(core)))


def _now(core: Core, connection: sqlite3.Connection) -> Windows:
    row = connection.execute("SELECT value FROM meta WHERE key = 'windows_rev'").fetchone()
    key = ("" if row is None else str(row[0]), _today(core, connection))
    kept = core.windows_read
    if kept is None or kept[0] != key:
        kept = core.windows_read = (key, _read(core, connection, key[1]))
    return kept[1]


def _today(core: Core, connection: sqlite3.Connection) -> str:
    last = connection.execute("SELECT max(business_day) FROM tickets").fetchone()[0]
    return business_day(core.now_ms(), core.zone, last or "")


def _read(core: Core, connection: sqlite3.Connection, day: str) -> Windows:
    skills: dict[str, set[str]] = {}
    for window_id, code in connection.execute("SELECT window_id, service_code FROM window_skills"):
        skills.setdefault(window_id, set()).add(code)
    spans = {
        window_id: (opened_ms, closed_ms, by, why)
        for window_id, opened_ms, closed_ms, by, why in map(
            tuple,
            connection.execute(
                'SELECT window_id, opened_ms, closed_ms, "by", why FROM window_spans WHERE business_day = ?'
                " ORDER BY span_id",
                (day,),
            ),
        )
    }
    unsure = {one.id: one.confirm_locally for one in core.catalogue.windows}
    found: list[Window] = []
    for row in connection.execute(
        "SELECT window_id, name_zh, name_en, number, own, printer, sign, retired_ms FROM windows"
        " ORDER BY number, window_id"
    ):
        window_id, zh, en, number, own, printer, sign, retired_ms = tuple(row)
        opened_ms, closed_ms, by, why = spans.get(window_id, (None, None, "", ""))
        found.append(
            Window(
                id=window_id,
                zh=zh,
                en=en,
                number=number,
                skills=frozenset(skills.get(window_id, ())),
                printer=printer,
                sign=sign,
                own=bool(own),
                retired_ms=retired_ms,
                confirm_locally=unsure.get(window_id, False) and not own,
                opened_ms=opened_ms if closed_ms is None else None,
                by=by,
                why=why,
            )
        )
    if not found:  # the disk refused at the first start: the catalogue's windows, until they can be written
        return Windows(tuple(_of_catalogue(core)))
    return Windows(
        tuple(one for one in found if one.retired_ms is None),
        tuple(one for one in found if one.retired_ms is not None),
    )


def _of_catalogue(core: Core) -> Iterable[Window]:
    for number, one in enumerate(core.catalogue.windows, 1):
        skills = frozenset(item.code for item in core.catalogue.services if item.window == one.id)
        yield Window(one.id, one.zh, one.en, number, skills, confirm_locally=one.confirm_locally)


def window_view(window: Window) -> dict[str, Any]:
    """A window as staff see it."""
    return {
        "window_id": window.id,
        "zh": window.zh,
        "en": window.en,
        "number": window.number,
        "skills": sorted(window.skills),
        "open": window.open,
        "opened_ms": window.opened_ms,
        "by": window.by,
        "why": window.why,
        "retired": window.retired_ms is not None,
    }


# ---------------------------------------------------------------- the first start


def fill(core: Core) -> None:
    """Write the catalogue's windows where the hall has not made them its own. Called at every start.

    :raises NotWritten: the disk refuses; `windows_now` then answers from the catalogue.
    """
    core.writer.write(lambda notebook: fill_here(core, notebook))


def fill_here(core: Core, notebook: sqlite3.Connection) -> None:
    own = {str(row[0]) for row in notebook.execute("SELECT window_id FROM windows WHERE own = 1")}
    mine = [one for one in _of_catalogue(core) if one.id not in own]
    for one in mine:
        notebook.execute(
            "INSERT INTO windows(window_id, name_zh, name_en, number) VALUES (?, ?, ?, ?) ON CONFLICT(window_id)"
            " DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en, number = excluded.number,"
            " retired_ms = NULL",
            (one.id, one.zh, one.en, one.number),
        )
        _set_skills(notebook, one.id, one.skills)
    # A window that the catalogue no longer has and nobody made his own: history still names it.
    marks = ", ".join("?" * len(mine))
    notebook.execute(
        f"UPDATE windows SET retired_ms = ? WHERE own = 0 AND retired_ms IS NULL AND window_id NOT IN ({marks})",
        (core.now_ms(), *(one.id for one in mine)),
    )
    for panel in core.house.plan.panels:
        if (
            getattr(panel, "kind", "count") == "window"
        ):  # [[panels]] kind = "window", window = "W3" (hall.toml)
            notebook.execute(
                "UPDATE windows SET sign = ? WHERE window_id = ?", (panel.id, getattr(panel, "window", ""))
            )


def _set_skills(notebook: sqlite3.Connection, window_id: str, codes: Iterable[str]) -> None:
    wanted = set(codes)
    have = {
        str(row[0])
        for row in notebook.execute(
            "SELECT service_code FROM window_skills WHERE window_id = ?", (window_id,)
        )
    }
    for code in sorted(have - wanted):
        notebook.execute(
            "DELETE FROM window_skills WHERE window_id = ? AND service_code = ?", (window_id, code)
        )
    for code in sorted(wanted - have):
        notebook.execute(
            "INSERT INTO window_skills(window_id, service_code) VALUES (?, ?)", (window_id, code)
        )


# ---------------------------------------------------------------- opening and closing, inside the writer's transaction


def usable(core: Core, notebook: sqlite3.Connection, window_id: str) -> Window:
    """A window that may be opened and called at.

    :raises OrderRefused: there is none of this name, or it was retired.
    """
    window = windows_now(core, notebook).window(window_id)
    if window is None:
        raise OrderRefused(f"没有窗口“{window_id[:20]}”", f"There is no window {window_id[:20]!r}")
    if window.retired_ms is not None:
        raise OrderRefused(
            f"{window.zh}已停用，管理员可以重新启用",
            f"{window.en} was retired; an administrator can bring it back",
        )
    return window


def open_here(core: Core, notebook: sqlite3.Connection, window_id: str, by: str, now_ms: int) -> int | None:
    """Open a window, if it is closed; answers the new span's id."""
    window = usable(core, notebook, window_id)
    if window.open:
        return None
    if not notebook.execute("SELECT 1 FROM windows").fetchone():
        fill_here(core, notebook)
    end_yesterday(core, notebook, _today(core, notebook))
    cursor = notebook.execute(
        'INSERT INTO window_spans(window_id, business_day, opened_ms, "by") VALUES (?, ?, ?, ?)',
        (window_id, _today(core, notebook), now_ms, by),
    )
    return int(cursor.lastrowid or 0)


def close_here(notebook: sqlite3.Connection, window_id: str, why: str, now_ms: int) -> bool:
    """Close a window; False where it was closed already."""
    cursor = notebook.execute(
        "UPDATE window_spans SET closed_ms = max(opened_ms, ?), why = ? WHERE window_id = ? AND closed_ms IS NULL",
        (now_ms, why, window_id),
    )
    return cursor.rowcount > 0


def end_yesterday(core: Core, notebook: sqlite3.Connection, today: str) -> None:
    """What was left open overnight ended at that day's midnight."""
    left = notebook.execute(
        "SELECT span_id, business_day FROM window_spans WHERE closed_ms IS NULL AND business_day <> ?",
        (today,),
    ).fetchall()
    for span_id, day in map(tuple, left):
        midnight = datetime.fromisoformat(day).replace(tzinfo=core.zone) + timedelta(days=1)
        notebook.execute(
            "UPDATE window_spans SET closed_ms = max(opened_ms, ?), why = 'midnight' WHERE span_id = ?",
            (int(midnight.timestamp() * 1000), span_id),
        )


# ---------------------------------------------------------------- orders of the console


def open_window(core: Core, window_id: str, by: str) -> Window:
    """Open a window; one that is open stays so."""
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Window:
        if open_here(core, notebook, window_id, by, now_ms) is not None:
            note(notebook, now_ms, by, "opened", window_id)
        return usable(core, notebook, window_id)

    return _told(core, core.writer.write(work))


def close_window(core: Core, window_id: str, by: str, why: str = "") -> Window:
    """Close a window, for the day or for a pause (``why``).

    :raises OrderRefused: somebody is being called or served there.
    """
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Window:
        window = usable(core, notebook, window_id)
        busy = notebook.execute(
            "SELECT prefix, number FROM tickets WHERE business_day = ? AND window_id = ?"
            " AND state IN ('CALLED', 'SERVING')",
            (_today(core, notebook), window_id),
        ).fetchone()
        if busy is not None:
            number = f"{busy[0]}{busy[1]:03d}"
            raise OrderRefused(
                f"{window.zh}正在办理 {number}，请先办完", f"{window.en} is serving {number}: finish it first"
            )
        if close_here(notebook, window_id, why[:80], now_ms):
            note(notebook, now_ms, by, "closed", window_id, why[:80])
        return usable(core, notebook, window_id)

    return _told(core, core.writer.write(work))


def save_window(
    core: Core,
    window_id: str,
    by: str,
    *,
    zh: str,
    en: str,
    number: int,
    skills: Iterable[str],
    printer: str = "",
    sign: str = "",
) -> Window:
    """Add a window, or change one. It is the hall's own from then on: a new catalogue no longer changes it."""
    wanted = frozenset(skills)
    known = {one.code for one in core.catalogue.services}
    if not zh.strip() or not en.strip():
        raise OrderRefused("请写窗口的中文名和英文名", "Give the window a name in Chinese and in English")
    if not 1 <= number <= NUMBER_AT_MOST:
        raise OrderRefused("窗口号须为 1 至 99", "The window's number must be 1 to 99")
    if not wanted <= known:
        odd = sorted(wanted - known)[0]
        raise OrderRefused(f"没有编号为“{odd[:20]}”的事项", f"There is no service {odd[:20]!r}")
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Window:
        twin = notebook.execute(
            "SELECT name_zh, name_en FROM windows WHERE number = ? AND window_id <> ? AND retired_ms IS NULL",
            (number, window_id),
        ).fetchone()
        if twin is not None:
            raise OrderRefused(f"{number} 号已是“{twin[0]}”", f"Number {number} is “{twin[1]}” already")
        notebook.execute(
            "INSERT INTO windows(window_id, name_zh, name_en, number, own, printer, sign) VALUES (?, ?, ?, ?, 1, ?, ?)"
            " ON CONFLICT(window_id) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en,"
            " number = excluded.number, own = 1, printer = excluded.printer, sign = excluded.sign",
            (window_id, zh.strip(), en.strip(), number, printer, sign),
        )
        _set_skills(notebook, window_id, wanted)
        note(notebook, now_ms, by, "window_saved", window_id, " ".join(sorted(wanted)))
        found = windows_now(core, notebook).window(window_id)
        assert found is not None
        return found

    return _told(core, core.writer.write(work))


def retire_window(core: Core, window_id: str, by: str, retired: bool = True) -> Window:
    """Take a window out of use, or bring it back. Its past stays.

    :raises OrderRefused: it is open, or an item that somebody waits for would be served nowhere.
    """
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Window:
        here = windows_now(core, notebook)
        window = here.window(window_id)
        if window is None:
            raise OrderRefused(f"没有窗口“{window_id[:20]}”", f"There is no window {window_id[:20]!r}")
        if retired and window.open:
            raise OrderRefused(f"{window.zh}开着，请先关窗口", f"{window.en} is open: close it first")
        if retired:
            only_here = {code for code in window.skills if here.windows_for(code) == (window,)}
            for (code,) in notebook.execute(
                "SELECT DISTINCT service_code FROM tickets WHERE business_day = ? AND state IN ('WAITING', 'HELD')",
                (_today(core, notebook),),
            ):
                if code in only_here:
                    raise OrderRefused(
                        f"还有人在等 {code}，只有{window.zh}能办；请先转给别的窗口",
                        f"Somebody waits for {code}, which only {window.en} serves: let another window serve it first",
                    )
        notebook.execute(
            "UPDATE windows SET own = 1, retired_ms = ? WHERE window_id = ?",
            (now_ms if retired else None, window_id),
        )
        note(notebook, now_ms, by, "window_retired" if retired else "window_back", window_id)
        found = windows_now(core, notebook).window(window_id)
        assert found is not None
        return found

    return _told(core, core.writer.write(work))


def note(
    notebook: sqlite3.Connection, now_ms: int, by: str, event: str, window_id: str, detail: str = ""
) -> None:
    """A line in the queue's journal about a window."""
    notebook.execute(
        'INSERT INTO journal(at_ms, "by", event, detail) VALUES (?, ?, ?, ?)',
        (now_ms, by, event, json.dumps({"window_id": window_id, "detail": detail}, ensure_ascii=False)),
    )


def tell(core: Core, *window_ids: str | None) -> None:
    """These windows as they are now, to the consoles."""
    here = windows_now(core)
    for window_id in window_ids:
        window = here.window(window_id)
        if window is not None:
            core.hub.publish("staff", "window", window_view(window))


def _told(core: Core, window: Window) -> Window:
    tell(core, window.id)
    return window


def try_fill(core: Core) -> None:
    """At start. A disk that refuses is said on /healthz and on the console (``writer.trouble``)."""
    try:
        fill(core)
    except NotWritten:
        pass  # the next start names the windows; until then `windows_now` answers from the catalogue
