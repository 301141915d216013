"""Search over everything that staff may see: what is looked at, in which order, and what each hit says and leads to.

Bounded: each kind of thing gives at most `EACH` hits, by one question with a LIMIT; initials are worked out for the
people on the list (2,000 names in some milliseconds). Telephones are masked; medical notes are not looked at.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from devices.faults import NotWritten
from gateway import views_answering
from gateway.log import say_once
from kiosk import line
from kiosk.console import menu
from kiosk.console.desk_lines import Pair, joined, page, same, words
from kiosk.console.words import WORDS
from kiosk.core import Core
from kiosk.requests.looking import NTH, number_of
from kiosk.rules.initials import initials
from kiosk.rules.kitchen import door_of
from kiosk.windows import windows_now

#: Hits of one kind; the first ones are the best, and a longer word narrows it down.
EACH = 6
#: A sentence is no search; what is longer is cut.
LONGEST = 60
#: People whose initials are looked at: a compound of 2,000 homes.
NAMES_AT_MOST = 5000
_NUMBER = re.compile(r"(?:(?:(\d{4})-)?(\d{1,2})-(\d{1,2}) +)?([A-Za-z]?)0*(\d{1,4})")
#: A request as people say it; the year is not said, so the newest of that day comes first.
_REQUEST = re.compile(r"(\d{2})(\d{2})-(\d{1,4})")
_CODE = re.compile(r"[2-9A-HJ-NP-Z]{4,8}")


@dataclass(frozen=True, slots=True)
class Hit:
    """``kind``: a key of words.py, "find_…"; ``url`` "" where no page shows it."""

    kind: str
    what: Pair
    more: Pair
    url: str


def asked_words(raw: str) -> str:
    """What somebody typed, as it is looked for: full-width and half-width are the same, no invisible signs."""
    text = unicodedata.normalize("NFKC", raw[: LONGEST * 4])
    text = "".join(" " if unicodedata.category(one) in ("Cc", "Zs", "Zl", "Zp") else one for one in text)
    text = "".join(one for one in text if unicodedata.category(one) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join(text.split())[:LONGEST].strip()


def search(core: Core, text: str, is_admin: bool) -> tuple[list[Hit], list[str]]:
    """The hits, and the kinds that could not be looked at (words "find_…").

    :param text: of :func:`asked_words`; "" finds nothing.
    """
    hits: list[Hit] = []
    unread: list[str] = []
    if not text:
        return hits, unread
    looks: tuple[tuple[str, Callable[[Core, str], Iterable[Hit]]], ...] = (
        ("find_page", _pages),
        ("find_ticket", _tickets),
        ("find_request", _requests),
        ("find_person", _people),
        ("find_window", _windows),
        ("find_service", _services),
        ("find_device", _devices),
        ("find_bay", _bays),
        *((("find_staff", _staff),) if is_admin else ()),
    )
    for kind, look in looks:
        try:
            hits += list(look(core, text))[:EACH]
        except (NotWritten, sqlite3.Error) as wrong:
            say_once(f"search:{kind}", "search_unread", f"{kind}: {wrong}", level=logging.INFO)
            unread.append(kind)
    return hits, unread


def _like(text: str) -> str:
    """For LIKE … ESCAPE '~': what was typed means itself."""
    return "%" + re.sub(r"([~%_])", r"~\1", text) + "%"


def _tickets(core: Core, text: str) -> Iterator[Hit]:
    """ "B031" and "31" today; "11-20 B031" and "2026-11-20 31" on that day."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return
    today = line.today(core)
    year, month, day, prefix, number = found.groups()
    when = f"{year or today[:4]}-{int(month):02}-{int(day):02}" if month else today
    rows = core.reader().execute(
        "SELECT ticket_id, business_day, prefix, number, service_code, state, window_id FROM tickets"
        " WHERE business_day = ? AND number = ? AND (? = '' OR prefix = ?) ORDER BY ticket_id LIMIT ?",
        (when, int(number), prefix, prefix.upper(), EACH),
    )
    names = {one.code: (one.name_zh, one.name_en) for one in core.catalogue.services}
    for row in rows:
        spelled = f"{row['prefix']}{row['number']:03}"
        is_today = row["business_day"] == today
        yield Hit(
            "find_ticket",
            joined(same(spelled), names.get(row["service_code"], same(row["service_code"]))),
            joined(words(f"find_state_{row['state']}"), same("" if is_today else row["business_day"])),
            page("page", ticket=row["ticket_id"], _anchor="queue")
            if is_today and row["state"] not in ("DONE", "CANCELLED")
            else page("printer_list", number=spelled),
        )


def _requests(core: Core, text: str) -> Iterator[Hit]:
    """By number (1122-03), by the code on the slip, by words, by door; by a name or a telephone only as a whole."""
    code = text.upper().replace("-", "").replace(" ", "")
    said = _REQUEST.fullmatch(text)
    month_day, nth = (f"%-{said[1]}-{said[2]}", int(said[3])) if said else ("", 0)
    rows = core.reader().execute(
        f"SELECT request_id, business_day, {NTH} AS nth, service_code, state, building, unit, room, words"
        " FROM requests"
        " WHERE code LIKE ? ESCAPE '~' OR words LIKE ? ESCAPE '~' OR building || unit || room LIKE ? ESCAPE '~'"
        " OR (length(?) > 1 AND (name = ? OR phone = ?))"
        f" OR (business_day LIKE ? AND {NTH} = ?)"
        " ORDER BY closed_ms IS NOT NULL, request_id DESC LIMIT ?",
        (
            _like(code)[1:] if _CODE.fullmatch(code) else "",
            *(_like(text), _like(text)),
            *(text, text, text.replace(" ", "")),
            *(month_day, nth, EACH),
        ),
    )
    names = {one.code: (one.name_zh, one.name_en) for one in core.catalogue.services}
    for row in rows:
        place = " ".join(row[name] for name in ("building", "unit", "room") if row[name])
        number, item = number_of(row["business_day"], row["nth"]), row["service_code"]
        yield Hit(
            "find_request",
            joined(same(number), names.get(item, same(item))),
            joined(same(place), same(_shortened(row["words"]))),
            page("request_page", request_id=row["request_id"]) or page("requests"),
        )


def _people(core: Core, text: str) -> Iterator[Hit]:
    reader = core.gateway_reader()
    found = views_answering.people_like(reader, text, EACH)
    if text.isascii() and text.isalpha() and len(text) >= 2 and len(found) < EACH:
        typed, known = text.lower(), {one["person_id"] for one in found}
        rows = reader.execute(
            "SELECT person_id, name, phone, building, unit, room, place FROM people WHERE active LIMIT ?",
            (NAMES_AT_MOST,),
        )
        found += [
            dict(row)
            for row in rows
            if row["person_id"] not in known and initials(row["name"]).startswith(typed)
        ]
    for one in found[:EACH]:
        yield Hit(
            "find_person",
            joined(same(one["name"]), same(door_of(one))),
            same(masked(str(one["phone"]))),
            page("person", person_id=one["person_id"]),
        )


def _devices(core: Core, text: str) -> Iterator[Hit]:
    rows = core.gateway_reader().execute(
        "SELECT device_id, kind, name, place, person, health, bay_id FROM devices WHERE kind <> 'ignored'"
        " AND (device_id LIKE :like ESCAPE '~' OR name LIKE :like ESCAPE '~' OR place LIKE :like ESCAPE '~')"
        " ORDER BY place, name, device_id LIMIT :most",
        {"like": _like(text), "most": EACH},
    )
    for row in rows:
        health = words(f"trouble_{row['health']}") if row["health"] != "ok" else same("")
        yield Hit(
            "find_device",
            joined(same(row["place"] or row["name"] or row["device_id"]), same(row["device_id"])),
            joined(health, same(row["person"])),
            page("setup_page", device_id=row["device_id"]),
        )


def _bays(core: Core, text: str) -> Iterator[Hit]:
    rows = core.gateway_reader().execute(
        "SELECT b.bay_id, b.state, z.name_zh, z.name_en, coalesce(p.label, '') AS label FROM bays b"
        " JOIN zones z USING (zone_id) LEFT JOIN bay_plans p USING (bay_id) WHERE b.bay_id LIKE :like ESCAPE '~'"
        " OR p.label LIKE :like ESCAPE '~' OR z.name_zh || p.label LIKE :like ESCAPE '~' ORDER BY b.bay_id LIMIT :most",
        {"like": _like(text), "most": EACH},
    )
    for row in rows:
        yield Hit(
            "find_bay",
            joined((row["name_zh"], row["name_en"]), same(row["label"] or row["bay_id"]), by=" "),
            words(f"find_bay_{row['state']}"),
            page("parking_one", what="bays", key=row["bay_id"]),
        )


def _services(core: Core, text: str) -> Iterator[Hit]:
    typed = text.casefold().replace(" ", "")
    for one in core.catalogue.services:
        spelled = (one.code, one.name_zh, one.name_en, one.pinyin, one.initials)
        aliases = [part for alias in one.aliases for part in (alias.zh, alias.pinyin, alias.initials)]
        if any(typed in part.casefold().replace(" ", "") for part in (*spelled, *aliases)):
            yield Hit(
                "find_service",
                joined(same(one.code), (one.name_zh, one.name_en), by=" "),
                (one.window_zh, one.window_en),
                page("content_service", code=one.code) or f"/item/{one.code}",
            )


def _windows(core: Core, text: str) -> Iterator[Hit]:
    for one in windows_now(core).all:
        if (
            text == str(one.number)
            or text.casefold() in f"{one.zh}\n{one.en}".casefold()
            or text.upper() == one.id.upper()
        ):
            yield Hit(
                "find_window",
                joined(words("window_number", n=one.number), (one.zh, one.en), by=" "),
                words("window_open" if one.open else "window_closed"),
                page("windows_list"),
            )


def _staff(core: Core, text: str) -> Iterator[Hit]:
    rows = core.reader().execute(
        "SELECT name, role, disabled_ms FROM staff WHERE name LIKE ? ESCAPE '~' ORDER BY name LIMIT ?",
        (_like(text), EACH),
    )
    for row in rows:
        off = words("disabled") if row["disabled_ms"] else same("")
        yield Hit("find_staff", same(row["name"]), joined(words(f"role_{row['role']}"), off), page("staff"))


def _pages(core: Core, text: str) -> Iterator[Hit]:
    """The console's own pages, by their words or their group's in either language, or by initials."""
    typed = text.casefold()
    for group, one in menu.pages():
        zh, en = WORDS[one.word]
        whole_group = typed in (part.casefold() for part in WORDS[group.word])
        starts = len(typed) > 1 and initials(zh).startswith(typed)
        if whole_group or typed in zh or typed in en.casefold() or starts:
            yield Hit("find_page", (zh, en), WORDS[group.word], one.url)


def masked(phone: str) -> str:
    """138****5678: who needs the whole number opens the person's page."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 8 else ""


def _shortened(text: str, most: int = 40) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= most else text[: most - 1] + "…"
