"""Taking a request: its row, its first step, its slip and its line in the journal are one transaction."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from devices.faults import NotWritten, OrderRefused
from kiosk import hours
from kiosk.catalogue import Service
from kiosk.core import Core
from kiosk.line.rows import begin_day
from kiosk.line.taking import KeyUsed, public_url
from kiosk.requests import telling
from kiosk.requests.looking import Row, by_id, by_key, presets_of
from kiosk.rules import request_life as life
from kiosk.rules.request_slip import compose_request
from kiosk.rules.requests import KINDS, Asked, Kind, clean, make_code
from kiosk.rules.routing import printer_for


class UnknownKind(OrderRefused):
    """There is no such kind of request."""


@dataclass(frozen=True, slots=True)
class Taken:
    """``new`` is False where the same key had sent it before."""

    row: Row
    new: bool

    @property
    def request_id(self) -> int:
        return self.row.request_id


def kind_of(core: Core, code: object) -> tuple[Kind, Service]:
    """:raises UnknownKind: no such kind, or a catalogue without its item."""
    kind = KINDS.get(code) if isinstance(code, str) else None
    service = core.catalogue.service(kind.service_code) if kind is not None else None
    if kind is None or service is None:
        spelled = ascii(code)[:24]  # whatever was sent, it can be sent back
        raise UnknownKind(f"没有这种诉求：{spelled}", f"There is no such kind of request: {spelled}")
    return kind, service


def read(core: Core, kind: Kind, service: Service, given: dict[str, Any]) -> Asked:
    """What somebody has sent, checked. :raises rules.requests.RequestWrong: with the field."""
    presets = presets_of(core.reader(), kind)
    return clean(kind, service.kiosk_fields, given, hours.wall(core).date(), presets)


def take(
    core: Core,
    asked: Asked,
    key: str,
    lang: str,
    screen: str,
    may_print: Callable[[], None] = lambda: None,
) -> Taken:
    """Write it down; the same key again is the same request.

    :param may_print: asked before a new slip is written; it raises `OrderRefused` where this asker has had too many.
    :raises KeyUsed: the key belongs to a request of another kind.
    :raises NotWritten: the disk refuses; nothing was written.
    """
    service = core.catalogue.service(asked.kind.service_code)
    assert service is not None
    now_ms = core.now_ms()

    def work(notebook: sqlite3.Connection) -> Taken:
        before = by_key(notebook, key)
        if before is not None:
            if before.kind_code != asked.kind.code:
                zh, en = "这个操作号已用于另一件事，请返回重试", "This key was used for another request: go back"
                raise KeyUsed(zh, en)
            return Taken(before, new=False)
        may_print()
        return Taken(_write(core, notebook, asked, service, key, lang, screen, now_ms), new=True)

    taken = core.writer.write(work)
    if taken.new:
        telling.told_new(core, taken.row)
    return taken


def _write(
    core: Core,
    notebook: sqlite3.Connection,
    asked: Asked,
    service: Service,
    key: str,
    lang: str,
    screen: str,
    now_ms: int,
) -> Row:
    kind = asked.kind
    by_ms = life.answer_by(service.time_limit.first_response, kind.urgent, now_ms, hours.book(notebook), core.zone)
    cursor = notebook.execute(
        "INSERT INTO requests(code, key, service_code, kind, urgent, state, place, building, unit, room, name, phone,"
        " words, extra, lang, screen, business_day, made_ms, answer_by_ms, changed_ms)"
        " VALUES (?, ?, ?, ?, ?, 'RECEIVED', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            _new_code(notebook), key, service.code, kind.code, kind.urgent, asked.place, asked.building, asked.unit,
            asked.room, asked.name, asked.phone, asked.words, json.dumps(dict(asked.extra), ensure_ascii=False), lang,
            screen, begin_day(core, notebook, now_ms), now_ms, by_ms, now_ms,
        ),
    )  # fmt: skip
    row = by_id(notebook, int(cursor.lastrowid or 0))
    assert row is not None
    told = life.RECEIVED_TOLD
    notebook.execute(
        'INSERT INTO request_steps(request_id, at_ms, "by", event, told_zh, told_en)'
        " VALUES (?, ?, ?, 'received', ?, ?)",
        (row.request_id, now_ms, screen, told.zh, told.en),
    )
    # Nobody's name and no words: the journal outlives them.
    detail = {"request": row.request_id, "kind": kind.code, "place": asked.place}
    notebook.execute(
        "INSERT INTO journal(at_ms, \"by\", event, ticket_id, detail) VALUES (?, ?, 'request', NULL, ?)",
        (now_ms, screen, json.dumps(detail)),
    )
    slip_id = put_slip(core, notebook, row, service, now_ms)
    return replace(row, slip_id=slip_id)


def _new_code(notebook: sqlite3.Connection) -> str:
    """40 random bits. Of 100,000 requests one in ten million draws a code twice; then another is drawn."""
    for _ in range(8):
        code = make_code(secrets.choice)
        if notebook.execute("SELECT 1 FROM requests WHERE code = ?", (code,)).fetchone() is None:
            return code
    raise NotWritten("no free query code was drawn: the random source of this machine repeats itself")


def put_slip(core: Core, notebook: sqlite3.Connection, row: Row, service: Service, now_ms: int) -> int | None:
    """Its slip into the outbox of paper; None in a hall without a printer (the code stands on the screen)."""
    plan = core.house.plan
    printer = printer_for(plan.printers, screen=row.screen)
    if not printer:
        return None
    by = life.answer_words(row.answer_by_ms, row.made_ms, core.zone, confirmed=service.confirmed("promised"))
    url = f"{public_url(core).rstrip('/')}/progress/{row.code}?phone=1" if core.house.plan.http.base_url else ""
    body = compose_request(
        plan.hall, row.kind, row.number, row.code, row.made_ms, by.say(row.lang), core.zone, row.lang, url
    )
    cursor = notebook.execute(
        "INSERT INTO slips(printer, kind, body, created_ms) VALUES (?, 'receipt', ?, ?)",
        (printer, json.dumps(body, ensure_ascii=False), now_ms),
    )
    slip_id = int(cursor.lastrowid or 0)
    notebook.execute("UPDATE requests SET slip_id = ? WHERE request_id = ?", (slip_id, row.request_id))
    return slip_id
