"""Sections of the desks that are about things: devices, printers, panels, the car park, the disk, accounts, words."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta

from gateway import views
from gateway.backup_sets import backups_of, sets_in
from kiosk import line
from kiosk.console import picture
from kiosk.console.desk_lines import Level, Line, Section, joined, page, same, section, words
from kiosk.console.words import WORDS
from kiosk.core import Core
from kiosk.health import parts_of
from kiosk.parking import car_park_or_none
from kiosk.parking_tasks import kind_of, open_tasks, subject_words, urgency

#: A backup is taken every hour; after this, two in a row have failed (linli/checks_backup.py says the same).
BACKUP_OLD_MS = 3 * 3_600_000
#: Less than this is left: a card of 32 GB whose last tenth is being filled.
DISK_LOW = 0.10
_HOT: dict[str, Level] = {
    "fault": "hot",
    "offline": "hot",
    "silent": "hot",
    "path": "hot",
    "battery_overdue": "warn",
}


def parts(core: Core) -> Section:
    """Parts of the machine that are not well."""
    lines = []
    for name, one in parts_of(core).items():
        if one["state"] in ("ready", "paper_low"):
            continue
        known = f"part_{name}" in WORDS
        lines.append(
            Line(
                f"part-{name}",
                words(f"part_{name}") if known else same(name.partition(":")[2] or name),
                joined(
                    (one["why_zh"], one["why_en"]),
                    words(f"part_todo_{name}") if f"part_todo_{name}" in WORDS else same(""),
                ),
                "hot" if one["state"] in ("down", "fault") else "warn",
                one["since_ms"],
                page("running"),
                words("desk_do_look"),
            )
        )
    return section("desk_parts", lines, url=page("running"))


def fleet(core: Core) -> Section:
    """Devices that need somebody, the worst first."""
    lines = []
    for one in views.fleet(core.gateway_reader(), core.now_ms()):
        trouble = str(one["trouble"])
        if not trouble:
            continue
        lines.append(
            Line(
                f"device-{one['device_id']}",
                same(one["place"] or one["name"] or one["device_id"]),
                joined(
                    words(f"trouble_{trouble}"), (str(one["why_zh"]), str(one["why_en"])), same(one["person"])
                ),
                _HOT.get(trouble, ""),
                int(str(one["last_seen_ms"])),
                page("device_rounds"),
                words("desk_do_look"),
            )
        )
    return section("desk_fleet", lines, url=page("device_fleet"))


def printers(core: Core) -> Section:
    """Printers and panels that are not well, and slips of which nobody knows whether they came out."""
    told = picture.paper(core)
    lines = [
        Line(
            f"printer-{one['printer']}",
            (one.get("name_zh") or one["printer"], one.get("name_en") or one["printer"]),
            joined(words(f"printer_{one['state']}"), (one["why_zh"], one["why_en"])),
            "" if one["state"] == "paper_low" else "hot",
            one["since_ms"],
            page("printer_list"),
            words("desk_do_look"),
        )
        for one in told["printers"]
        if one["state"] != "ready"
    ]
    lines += [
        Line(
            f"job-{one['slip_id']}",
            joined(words("desk_slip"), same(one["title"] or f"#{one['slip_id']}"), by=" "),
            joined(words(f"job_{one['state']}"), (one["why_zh"], one["why_en"])),
            "warn",
            one["changed_ms"],
            page("printer_list"),
            words("desk_do_look"),
        )
        for one in told["jobs"]
    ]
    return section("desk_printers", [*lines, *_panels(told["panels"])], url=page("printer_list"))


def panels(core: Core) -> Section:
    """LED panels that are not well."""
    return section("desk_panels", _panels(picture.paper(core)["panels"]), url=page("parking"))


def _panels(told: list[picture.Json]) -> list[Line]:
    return [
        Line(
            f"panel-{one['panel']}",
            (one.get("name_zh") or one["panel"], one.get("name_en") or one["panel"]),
            joined(words(f"printer_{one['state']}"), (one["why_zh"], one["why_en"])),
            "warn",
            one["since_ms"],
            page("printer_list"),
            words("desk_do_look"),
        )
        for one in told
        if one["state"] != "ready"
    ]


def parking(core: Core) -> Section:
    """What somebody must look at in the car park."""
    found, park = open_tasks(core), car_park_or_none(core)
    if park is None:
        return section("desk_parking", [], url=page("parking_tasks"))
    found.sort(key=lambda one: urgency(park, one))
    lines = []
    for one in found:
        kind, subject = kind_of(park, one), str(one["subject"])
        said = words(f"pk_task_{kind}") if f"pk_task_{kind}" in WORDS else same(kind)
        lines.append(
            Line(
                f"task-{one['task_id']}",
                joined(
                    said, (subject_words(core, park, subject, "zh"), subject_words(core, park, subject, "en"))
                ),
                words("desk_taken_by", name=one["taken_by"])
                if one["taken_by"]
                else (str(one["why_zh"]), str(one["why_en"])),
                "hot" if kind == "fire_lane" else "warn" if not one["taken_by"] else "",
                int(str(one["opened_ms"])),
                page("parking_tasks"),
                words("desk_do_open"),
            )
        )
    return section("desk_parking", lines, url=page("parking_tasks"))


def machine(core: Core) -> Section:
    """The disk, the backups, facts that were told late: what keeps the hall alive over years."""
    lines = [disk_line(core), backup_line(core)]
    told = core.running.latest().statistics
    lines += [
        Line(
            f"late-{late.at_ms}",
            words("desk_late_fact", what=late.what, ms=round(late.told_ms)),
            since_ms=late.at_ms,
            url=page("running"),
            do=words("look"),
        )
        for late in (told.late[:3] if told is not None else ())
    ]
    return section("desk_machine", lines, url=page("running"))


def disk_line(core: Core) -> Line:
    disk = shutil.disk_usage(core.house.home)
    free_gb, share = disk.free / 1e9, disk.free / disk.total
    return Line(
        "disk",
        words("desk_disk", n=f"{free_gb:.1f}", share=round(share * 100)),
        words("desk_disk_low") if share < DISK_LOW else same(""),
        "warn" if share < DISK_LOW else "",
        url=page("running"),
        do=words("look"),
    )


def backup_line(core: Core) -> Line:
    """How old the newest automatic backup is, and where they are."""
    folder = backups_of(core.house.home)
    sets = sets_in(folder)
    where = words("desk_backup_where" if sets else "desk_backup_will", folder=folder)
    if not sets:
        return Line("backup", words("desk_backup_none"), where, "warn", None, page("start"), words("look"))
    old = core.now_ms() - sets[0].taken_ms > BACKUP_OLD_MS
    said = words("desk_backup_old" if old else "desk_backup", n=len(sets))
    return Line("backup", said, where, "warn" if old else "", sets[0].taken_ms, page("start"), words("look"))


# ---------------------------------------------------------------- what an administrator does


def unconfirmed(core: Core) -> Section:
    """Items with fields that nobody of this community has confirmed; screens show "as the window confirms" there."""
    lines = [
        Line(
            f"item-{one.code}",
            joined(same(one.code), (one.name_zh, one.name_en), by=" "),
            words("desk_fields_left", n=len(one.confirm_locally)),
            "",
            url=page("content_service", code=one.code) or page("content"),
            do=words("desk_do_confirm"),
        )
        for one in sorted(core.catalogue.services, key=lambda one: -len(one.confirm_locally))
        if one.confirm_locally
    ]
    fields = sum(len(one.confirm_locally) for one in core.catalogue.services)
    return section(
        "desk_unconfirmed",
        lines,
        url=page("content"),
        note=words("desk_unconfirmed_all", n=fields) if fields else ("", ""),
    )


def staff(core: Core) -> Section:
    """Accounts that need somebody: a handed-over password that nobody has changed, names tried in vain."""
    rows = core.reader().execute(
        "SELECT staff_id, name, created_ms FROM staff WHERE must_change = 1 AND disabled_ms IS NULL ORDER BY created_ms"
        " LIMIT 50"
    )
    lines = [
        Line(
            f"staff-{row['staff_id']}",
            same(row["name"]),
            words("must_change"),
            "warn",
            row["created_ms"],
            page("staff"),
            words("desk_do_open"),
        )
        for row in rows
    ]
    day_ms = core.now_ms() - 86_400_000
    refused = (
        core.reader()
        .execute(
            "SELECT count(*) FROM staff_journal WHERE what = 'sign_in_refused' AND at_ms >= ?", (day_ms,)
        )
        .fetchone()[0]
    )
    if refused:
        lines.append(
            Line(
                "refused",
                words("desk_refused", n=refused),
                same(""),
                "warn" if refused > 9 else "",
                None,
                page("journal"),
                words("look"),
            )
        )
    return section("desk_staff", lines, url=page("staff"))


def yesterday(core: Core) -> Section:
    """How the day before was: numbers, waits, calls."""
    day = _yesterday(core).isoformat()
    done, missed, wait_ms = (
        core.reader()
        .execute(
            "SELECT coalesce(sum(outcome = 'done'), 0), coalesce(sum(outcome = 'no_show'), 0),"
            " avg(wait_ms) FILTER (WHERE outcome = 'done') FROM serves WHERE business_day = ?",
            (day,),
        )
        .fetchone()
    )
    since_ms, until_ms = _span(core)
    called, slow = (
        core.gateway_reader()
        .execute(
            "SELECT count(*), coalesce(sum(overdue), 0) FROM calls WHERE opened_ms >= ? AND opened_ms < ?"
            " AND coalesce(outcome, '') <> 'test'",
            (since_ms, until_ms),
        )
        .fetchone()
    )
    lines = [
        Line(
            "line",
            words("desk_yesterday_line", done=done, missed=missed, n=round((wait_ms or 0) / 60_000)),
            url=page("queue_figures"),
            do=words("look"),
        ),
        Line(
            "calls",
            words("desk_yesterday_calls", n=called, slow=slow),
            url=page("history"),
            do=words("look"),
        ),
    ]
    return section("desk_yesterday", lines, count=0, url=page("reports") or page("queue_figures"))


def _yesterday(core: Core) -> date:
    """The hall's day before today."""
    return date.fromisoformat(line.today(core)) - timedelta(days=1)


def _span(core: Core) -> tuple[int, int]:
    """Yesterday in milliseconds, by the hall's clock."""
    end = datetime.fromisoformat(line.today(core)).replace(tzinfo=core.zone)
    begin = end - timedelta(days=1)
    return int(begin.timestamp() * 1000), int(end.timestamp() * 1000)
