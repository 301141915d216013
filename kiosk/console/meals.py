"""Meals in the console: what is to be cooked and carried today, orders by telephone, the menu of a week.

Plain forms: they work without a script. The orders are the gateway's; the kitchen's paper is kiosk/kitchen.py's.
"""

from __future__ import annotations

import secrets
import sqlite3
from datetime import date, timedelta
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from devices.faults import NotWritten, OrderRefused
from gateway import views_care
from gateway.hall.days import day_named, moment_ms
from gateway.hall.meals import MEALS
from kiosk import kitchen
from kiosk.console import acts, blueprint, care, door
from kiosk.console.care import Json, Unreadable, lang, pair, read
from kiosk.console.words import say
from kiosk.core import current_core
from kiosk.rules.kitchen import compose_list, listed, name_of
from kiosk.rules.menu_paste import cutoff_of, price_of, read_week

#: Text that may be pasted at once: a week of three meals with long dishes.
PASTE_AT_MOST = 8000


# ---------------------------------------------------------------- one day


@blueprint.get("/meals")
@door.allow("admin", "staff")
def meal_day() -> ResponseReturnValue:
    return _day(_day_asked())


def _day(day: date, status: int = 200, why: str = "", typed: Json | None = None) -> ResponseReturnValue:
    core, word = current_core(), day.isoformat()
    filled: Json = {
        "day": day,
        "today": care.today(),
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "typed": typed or {},
        "why": why,
    }
    try:
        orders = read(lambda book: views_care.meal_orders(book, word, word))
        menus = {str(one["meal"]): one for one in read(lambda book: views_care.menus(book, word, word))}
        questions = read(views_care.meal_questions) if day == care.today() else []
        people = read(views_care.active_people)
        told = {tuple(row) for row in core.reader().execute("SELECT call_id, ordered_ms FROM kitchen_slips")}
    except (Unreadable, NotWritten, sqlite3.Error):
        return care.unreadable("console/meals.html", **filled, sections=[], questions=[], people=[], menus={})
    sections = [
        _section(meal, menus.get(meal), [one for one in orders if one["meal"] == meal], told)
        for meal in MEALS
        if meal in menus or any(one["meal"] == meal for one in orders)
    ]
    return care.page(
        "console/meals.html",
        status,
        **filled,
        sections=sections,
        questions=questions,
        people=people,
        menus=menus,
        meals=MEALS,
        key=secrets.token_hex(12),
        printer=kitchen.printer_of(core),
        name_of=name_of,
        money=money,
        done=_done_words(),
    )


def _section(meal: str, menu: Json | None, orders: list[Json], told: set[Any]) -> Json:
    """One meal of the day: its dishes with sums, and its orders."""
    core = current_core()
    cutoff = ""
    if menu is not None:
        at_ms = moment_ms(core.zone, date.fromisoformat(str(menu["day"])), int(str(menu["cutoff_min"])))
        over = at_ms <= core.now_ms()
        cutoff = say(
            "meals_cutoff_over" if over else "meals_cutoff", lang(), time=cutoff_words(menu["cutoff_min"])
        )
    rank = {"ordered": 0, "over": 1, "delivered": 2, "cancelled": 3}
    rows = [{**one, "told": (one["call_id"], one["ordered_ms"]) in told} for one in orders]
    return {
        "meal": meal,
        "name": pair(MEALS[meal]),
        "menu": menu,
        "cutoff": cutoff,
        "dishes": listed(orders),
        "total": sum(portions for _, portions, _ in listed(orders)),
        "orders": sorted(rows, key=lambda one: rank.get(str(one["state"]), 9)),
        "waiting": sum(one["state"] == "ordered" for one in orders),
    }


def _done_words() -> str:
    told, count = request.args.get("told", ""), request.args.get("n", "")
    words = {
        "delivered": "meals_delivered",
        "cancelled": "meals_cancelled",
        "printed": "meals_printed",
        "no_printer": "meals_no_printer",
    }
    if told in words:
        return say(words[told], lang())
    if told in ("ordered", "some") and count.isdecimal():
        return say("meals_phone_done" if told == "ordered" else "meals_delivered_some", lang(), n=count)
    return ""


@blueprint.post("/meals/act")
@door.allow("admin", "staff")
def meal_act() -> ResponseReturnValue:
    """Delivered, given back: one meal, or (delivered) all of one meal of that day."""
    form, day = request.form, _day_asked()
    do, raw = form.get("do", ""), form.get("call_id", "")
    try:
        if do == "deliver_all":
            return _to_day(day, told="some", n=str(_deliver_all(day, form.get("meal", ""))))
        if do not in ("deliver", "cancel") or not (raw.isascii() and raw.isdigit()):
            return door.refuse(400, "bad_request")
        care.order(f"{do}_meal", call_id=int(raw))
    except OrderRefused as refused:
        return _day(day, 409, care.why(refused))
    told = "delivered" if do == "deliver" else "cancelled"
    acts.did(f"meal_{told}", f"#{raw}")
    return _to_day(day, told=told)


def _deliver_all(day: date, meal: str) -> int:
    """What is still to be delivered of this meal; how many that were. Who is first elsewhere is not told twice."""
    word, count = day.isoformat(), 0
    try:
        orders = read(lambda book: views_care.meal_orders(book, word, word))
    except Unreadable as wrong:
        raise OrderRefused(say("care_unreadable", "zh"), say("care_unreadable", "en")) from wrong
    for one in orders:
        if one["meal"] == meal and one["state"] == "ordered":
            care.order("deliver_meal", call_id=one["call_id"])
            count += 1
    acts.did("meal_delivered", f"{word} {meal}", str(count))
    return count


@blueprint.post("/meals/order")
@door.allow("admin", "staff")
def meal_order() -> ResponseReturnValue:
    """Somebody has telephoned. The form's key makes a double tap one order."""
    form, day = request.form, _day_asked()
    raw = form.get("portions", "1").strip()
    typed = {name: form.get(name, "") for name in ("person_id", "meal", "portions", "key")}
    try:
        portions = int(raw) if raw.isascii() and raw.isdigit() else 0
        care.order(
            "order_meal",
            person_id=form.get("person_id", ""),
            day=day.isoformat(),
            meal=form.get("meal", ""),
            portions=portions,
            key=form.get("key", "")[:64],
        )
    except OrderRefused as refused:
        return _day(day, 409, care.why(refused), typed)
    acts.did(
        "meal_ordered", f"person:{form.get('person_id', '')}", f"{day.isoformat()} {form.get('meal', '')}"
    )
    return _to_day(day, told="ordered", n=str(portions))


@blueprint.post("/meals/list")
@door.allow("admin", "staff")
def meal_list_print() -> ResponseReturnValue:
    """The sum of one meal on the kitchen's printer."""
    core, day, meal = current_core(), _day_asked(), request.form.get("meal", "")
    printer, word, now_ms = kitchen.printer_of(core), day.isoformat(), core.now_ms()
    if not printer or meal not in MEALS:
        return _to_day(day, told="no_printer")
    try:
        orders = [
            one for one in read(lambda book: views_care.meal_orders(book, word, word)) if one["meal"] == meal
        ]
        body = compose_list(core.house.plan.hall, word, meal, orders, now_ms, core.zone)
        core.writer.write(lambda notebook: kitchen.put_slip(notebook, printer, body, now_ms))
    except (Unreadable, NotWritten):
        return _day(day, 503, say("outside_disk", lang()))
    acts.did("kitchen_list", f"{word} {meal}")
    return _to_day(day, told="printed")


def _to_day(day: date, **told: str) -> ResponseReturnValue:
    return redirect(url_for("console.meal_day", day=day.isoformat(), **told), 303)  # type: ignore[arg-type]


def _day_asked() -> date:
    return day_named(request.args.get("day", "")) or care.today()


# ---------------------------------------------------------------- the menu


@blueprint.get("/meals/menu")
@door.allow("admin", "staff")
def menu_week() -> ResponseReturnValue:
    return _week(_monday_asked())


def _week(
    monday: date, status: int = 200, why: str = "", one: Json | None = None, paste: str = ""
) -> ResponseReturnValue:
    """``one``: what stands in the form of one meal; ``paste``: what stands in the field of a week."""
    days = [monday + timedelta(days=at) for at in range(7)]
    this_week = care.today() - timedelta(days=care.today().weekday())
    filled: Json = {"days": days, "monday": monday, "week": timedelta(days=7), "paste": paste, "why": why}
    try:
        found = read(lambda book: views_care.menus(book, days[0].isoformat(), days[-1].isoformat()))
    except Unreadable:
        return care.unreadable(
            "console/menu.html", **filled, menus={}, one={}, this_week=this_week, meals=MEALS
        )
    menus = {(str(row["day"]), str(row["meal"])): row for row in found}
    return care.page(
        "console/menu.html",
        status,
        **filled,
        menus=menus,
        meals=MEALS,
        one=one or _form_of(menus, days),
        this_week=this_week,
        money=money,
        cutoff_words=cutoff_words,
        done=_menu_words(),
    )


def _form_of(menus: dict[tuple[str, str], Json], days: list[date]) -> Json:
    """The form of one meal: the one that the address names, else the first day's lunch as the week before had it."""
    args = request.args
    day, meal = args.get("edit", ""), args.get("meal", "lunch")
    row = menus.get((day, meal))
    if row is None:
        return {
            "day": day or days[0].isoformat(),
            "meal": meal,
            "dish": "",
            "price": "",
            "cutoff": "10:00",
            "eve": "",
        }
    minute = int(str(row["cutoff_min"]))
    return {
        "day": day,
        "meal": meal,
        "dish": row["dish"],
        "price": yuan(row["price_fen"]),
        "cutoff": f"{minute % 1440 // 60:02d}:{minute % 60:02d}" if minute != 1440 else "24:00",
        "eve": "yes" if minute < 0 else "",
    }


@blueprint.post("/meals/menu")
@door.allow("admin", "staff")
def menu_put() -> ResponseReturnValue:
    form, monday = request.form, _monday_asked()
    typed = {name: form.get(name, "").strip() for name in ("day", "meal", "dish", "price", "cutoff", "eve")}
    try:
        price_fen, cutoff_min = price_of(typed["price"]), cutoff_of(typed["cutoff"])
        if price_fen is None:
            raise _bad("menu_bad_price", typed["price"])
        if cutoff_min is None:
            raise _bad("menu_bad_cutoff", typed["cutoff"])
        if typed["eve"] and cutoff_min >= 0:
            cutoff_min -= 1440
        fields = {"day": typed["day"], "meal": typed["meal"], "dish": typed["dish"]}
        care.order("put_menu", **fields, price_fen=price_fen, cutoff_min=cutoff_min)
    except OrderRefused as refused:
        return _week(monday, 409, care.why(refused), typed)
    acts.did("menu_put", f"{typed['day']} {typed['meal']}")
    return _to_week(day_named(typed["day"]) or monday, told="saved")


@blueprint.post("/meals/menu/drop")
@door.allow("admin", "staff")
def menu_drop() -> ResponseReturnValue:
    day, meal = request.form.get("day", ""), request.form.get("meal", "")
    try:
        care.order("drop_menu", day=day, meal=meal)
    except OrderRefused as refused:
        return _week(_monday_asked(), 409, care.why(refused))
    acts.did("menu_dropped", f"{day} {meal}")
    return _to_week(_monday_asked(), told="dropped")


@blueprint.post("/meals/menu/paste")
@door.allow("admin", "staff")
def menu_paste() -> ResponseReturnValue:
    """A week at once: all of it or nothing, and each line that will not do is named."""
    monday, text = _monday_asked(), request.form.get("week", "")[:PASTE_AT_MOST]
    meals, wrong = read_week(text, monday)
    reasons = [
        say("menu_line", lang(), n=one.number, why=say(one.key, lang(), what=one.what)) for one in wrong
    ]
    if not meals and not wrong:
        reasons = [say("menu_bad_empty", lang())]
    if reasons:
        return _week(monday, 409, "\n".join(reasons), paste=text)
    fields = [
        {
            "day": one.day,
            "meal": one.meal,
            "dish": one.dish,
            "price_fen": one.price_fen,
            "cutoff_min": one.cutoff_min,
        }
        for one in meals
    ]
    try:
        care.order("put_menus", menus=fields)
    except OrderRefused as refused:
        return _week(monday, 409, care.why(refused), paste=text)
    acts.did("menu_put", f"{fields[0]['day']} …", str(len(fields)))
    return _to_week(date.fromisoformat(str(fields[0]["day"])), told="pasted", n=str(len(fields)))


def _menu_words() -> str:
    told, count = request.args.get("told", ""), request.args.get("n", "")
    if told == "pasted" and count.isdecimal():
        return say("menu_pasted", lang(), n=count)
    return say(f"menu_{told}", lang()) if told in ("saved", "dropped") else ""


def _to_week(day: date, **told: str) -> ResponseReturnValue:
    return redirect(url_for("console.menu_week", week=day.isoformat(), **told), 303)  # type: ignore[arg-type]


def _monday_asked() -> date:
    """The Monday of the day that the address names; this week's where it names none."""
    day = day_named(request.args.get("week", "")) or day_named(request.args.get("edit", "")) or care.today()
    return day - timedelta(days=day.weekday())


def _bad(key: str, what: str) -> OrderRefused:
    return OrderRefused(say(key, "zh", what=what[:20]), say(key, "en", what=what[:20]))


def yuan(fen: Any) -> str:
    whole, rest = divmod(int(fen), 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


def money(fen: Any) -> str:
    return say("meals_free", lang()) if int(fen) == 0 else say("meals_money", lang(), yuan=yuan(fen))


def cutoff_words(minute: Any) -> str:
    """ "10:00", "前一天 20:00"."""
    at = int(minute)
    clock = "24:00" if at == 1440 else f"{at % 1440 // 60:02d}:{at % 60:02d}"
    return say("menu_eve_short", lang(), time=clock) if at < 0 else clock
