"""The canteen's delivery: one press of a button is one meal.

Rule 1. A short press orders the next meal whose cut-off has not passed, of today or tomorrow. Where the menu is empty,
        or nobody can be sure that a hand meant it (doubtful, or pressed long ago), nothing is ordered: the call stays
        for a person and says why.
Rule 2. The elder is told the truth by what is there already: an order on disk makes the call COMING, taken by the
        canteen, and the lamp is steady until the food is delivered or its day is over. No ladder is begun.
Rule 3. Further short presses are counted and mean nothing while that meal can still be given back: an old hand
        trembles, and forgets that it has pressed. More portions are ordered by telephone (``order_meal``), because
        nobody must pay for three dinners that one person cannot eat. After the cut-off, and ten minutes after the last
        press, a press is about the next meal.
Rule 4. A long press gives it back before the cut-off. A long press that can give nothing back is a question, and rings
        for a person.
Rule 5. The price is the menu's, or nothing where the hall has decided so for the person (``meal_free``). What was
        ordered stays what was ordered, also where the menu is changed afterwards.
Rule 6. Staff cancel at any time: they have spoken to the kitchen. A close that they undo brings the meal back before
        its cut-off, with a slip; later the call rings, for nobody may read "coming" for a meal that nobody cooks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from devices.faults import OrderRefused
from devices.messages import Pressed, SetLamp
from gateway.hall import calls, ladder
from gateway.hall.days import day_named, day_of, moment_ms
from gateway.hall.draft import Draft
from gateway.hall.fields import Fields
from gateway.hall.rows import CallStep, MealOrder, Menu, Message, Person, RowGone
from gateway.hall.state import (
    Call,
    Change,
    Decision,
    Device,
    HallState,
    JournalLine,
    OrderKey,
    TimerGone,
    TimerSet,
)

KIND = "meal"
#: Who has taken such a call.
CANTEEN = "食堂"
MEALS: dict[str, tuple[str, str]] = {
    "breakfast": ("早餐", "Breakfast"),
    "lunch": ("午餐", "Lunch"),
    "dinner": ("晚餐", "Dinner"),
}
#: A long press, as makers call it (zigbee2mqtt and Bluetooth buttons "hold").
LONG = frozenset({"long", "hold"})
#: A second press within this time is the same wish (the brief of the trade: hands tremble, and people ask twice).
SAME_WISH_MS = 10 * 60_000
#: Today and tomorrow: a press on Friday night is not about Monday's lunch.
DAYS_AHEAD = 1
#: The evening before at the earliest (a breakfast), the day's end at the latest.
EARLIEST_MIN, LATEST_MIN = -1440, 1440
DISH_LONGEST, PRICE_MOST_FEN, PORTIONS_MOST, MENUS_MOST = 200, 100_000, 20, 60

NO_MENU = "没有菜单：请打电话问老人要什么 · no menu: telephone"
NOT_SURE = "不能确定是不是要订餐：请打电话问 · not certain that a meal is wanted: telephone"
NOT_BACK = (
    "办结已撤销，但这份餐已不能恢复：请打电话问 · its close was undone, the meal cannot come back: telephone"
)
NOT_NOW = "长按退餐，但没有可退的餐或已过截止时间：请打电话 · wants to give back what cannot be given back: telephone"


# ---------------------------------------------------------------- presses


def pressed(state: HallState, fact: Pressed, device: Device, now_ms: int) -> Decision:
    """A press of a button for meals: what any press means (hall/calls.py), and what the canteen makes of it."""
    about_another = _served(state, fact, now_ms)
    seen = state
    if about_another is not None:
        seen = state.child()
        seen.put(Decision(changes=[about_another]))
    decision = calls.pressed(seen, fact, device, now_ms)
    call = decision.call
    if decision.duplicate or call is None or call.kind != KIND:
        return decision
    if about_another is not None and call.call_id != about_another.call_id:
        closed = JournalLine(now_ms, "Closed", f"call:{about_another.call_id}", CANTEEN, "meal_ordered")
        decision.changes[:0] = [about_another, closed]
    order = state.table(MealOrder).get(call.call_id)
    if order is not None and order.state == "ordered":
        if fact.press_type in LONG and _cutoff_ms(state, order) > now_ms:
            _given_back(state, decision, call, order, now_ms)
        else:
            before = state.calls[call.call_id]
            _told(
                decision,
                replace(
                    call,
                    state=before.state,
                    accepted_ms=before.accepted_ms,
                    accepted_by=before.accepted_by,
                    overdue=before.overdue,
                ),
                now_ms,
            )
    elif call.presses == 1 and call.state == "HEARD":
        _first(state, decision, call, fact, now_ms)
    return decision


def _served(state: HallState, fact: Pressed, now_ms: int) -> Call | None:
    """The button's open call, closed, where this press is about something else; None: the press belongs to it."""
    last = state.calls.get(state.newest_call.get(fact.device_id, 0))
    if last is None or last.kind != KIND or last.state == "CLOSED":
        return None
    order = state.table(MealOrder).get(last.call_id)
    if order is None or order.state != "ordered" or _cutoff_ms(state, order) > now_ms:
        return None
    soon = now_ms - last.last_press_ms < SAME_WISH_MS
    if fact.press_type not in LONG and (soon or _next_menu(state, last, now_ms) is None):
        return None
    return _closed(last, "meal_ordered", now_ms)


def _first(state: HallState, decision: Decision, call: Call, fact: Pressed, now_ms: int) -> None:
    """The first press of a call: an order, or a question for a person."""
    menu = None if call.doubtful or call.delayed else _next_menu(state, call, now_ms)
    if fact.press_type in LONG or menu is None:
        why = NOT_NOW if fact.press_type in LONG else NO_MENU
        asked = replace(call, note=NOT_SURE if call.doubtful or call.delayed else why)
        decision.changes = [asked if one is call else one for one in decision.changes]
        decision.call = asked
        return
    taken, more = _ordered(state, call, menu, 1, call.device_id, now_ms)
    _told(decision, taken, now_ms)
    decision.changes += more


def _told(decision: Decision, call: Call, now_ms: int) -> None:
    """The call as the canteen has it: nobody is asked by a ladder, and the lamp says so."""
    subject = f"call:{call.call_id}"
    call = replace(call, turn=0, step=-1, acts="")
    kept: list[Change] = []
    for change in decision.changes:
        match change:
            case Call() if change.call_id == call.call_id:
                kept.append(call)
            case TimerSet() if change.subject == subject:
                pass
            case CallStep() | Message() if change.call_id == call.call_id:
                pass
            case JournalLine() if change.subject == subject and change.event not in (
                "Pressed",
                "PressedAgain",
            ):
                pass
            case _:
                kept.append(change)
    if not any(isinstance(one, JournalLine) and one.subject == subject for one in kept):
        kept.append(JournalLine(now_ms, "PressedAgain", subject, call.device_id))
    decision.changes, decision.call = kept, call
    decision.effects = [one for one in decision.effects if not isinstance(one, SetLamp)]
    decision.effects.append(calls.lamp_of(call, now_ms))


def _given_back(state: HallState, decision: Decision, call: Call, order: MealOrder, now_ms: int) -> None:
    _told(decision, _closed(call, "meal_cancelled", now_ms, call.device_id), now_ms)
    draft = Draft(state, now_ms)
    _end(draft, order, "cancelled", call.device_id)
    draft.journal("Closed", f"call:{call.call_id}", call.device_id, "meal_cancelled")
    decision.changes += draft.changes


def _ordered(
    state: HallState, call: Call, menu: Menu, portions: int, by: str, now_ms: int
) -> tuple[Call, list[Change]]:
    person = state.table(Person).get(_person_id(state, call))
    free = person is not None and person.meal_free
    order = MealOrder(
        call.call_id,
        person.person_id if person is not None else "",
        call.device_id,
        menu.day,
        menu.meal,
        menu.dish,
        0 if free else menu.price_fen * portions,
        portions,
        "ordered",
        now_ms,
        now_ms,
        by,
    )
    call = replace(call, state="COMING", accepted_ms=now_ms, accepted_by=CANTEEN)
    if person is not None:
        call = replace(call, person_id=person.person_id, person=call.person or person.name)
    subject = f"call:{call.call_id}"
    return call, [
        order,
        _until_over(state, order, now_ms),
        JournalLine(now_ms, "MealOrdered", subject, by, f"{menu.day} {menu.meal}"),
        JournalLine(now_ms, "Accepted", subject, CANTEEN),
    ]


def _next_menu(state: HallState, call: Call, now_ms: int) -> Menu | None:
    """The next meal that can still be ordered, and that this button has not ordered yet."""
    today = day_of(state.zone, now_ms)
    last = (today + timedelta(days=DAYS_AHEAD)).isoformat()
    person_id = _person_id(state, call)
    had = {
        (one.day, one.meal)
        for one in state.table(MealOrder).values()
        if one.state == "ordered"
        and (one.device_id == call.device_id or (person_id and one.person_id == person_id))
    }
    found = [
        (_cutoff_ms(state, menu), menu.day, menu.meal, menu)
        for menu in state.table(Menu).values()
        if today.isoformat() <= menu.day <= last and (menu.day, menu.meal) not in had
    ]
    waiting = [one for one in found if one[0] > now_ms]
    return min(waiting, key=lambda one: one[:3])[3] if waiting else None


def _cutoff_ms(state: HallState, of: Menu | MealOrder) -> int:
    """Until when it can be ordered and given back. A menu that was dropped meanwhile can be given back all day."""
    menu = of if isinstance(of, Menu) else state.table(Menu).get((of.day, of.meal))
    minute = menu.cutoff_min if menu is not None else LATEST_MIN
    day = day_named(of.day)
    return 0 if day is None else moment_ms(state.zone, day, minute)


def _person_id(state: HallState, call: Call) -> str:
    device = state.devices.get(call.device_id)
    return call.person_id or (device.person_id if device is not None else "")


def _timer_of(call_id: int) -> str:
    return f"call:{call_id}:{calls.MEAL}"


def _until_over(state: HallState, order: MealOrder, now_ms: int) -> TimerSet:
    """The timer by which an ordered meal waits for its day to end."""
    day = day_named(order.day)
    over_ms = now_ms if day is None else moment_ms(state.zone, day + timedelta(days=1))
    return TimerSet(
        _timer_of(order.call_id),
        calls.MEAL,
        f"call:{order.call_id}",
        now_ms,
        max(0, over_ms - now_ms),
        by_wall=True,
    )


def _closed(call: Call, outcome: str, now_ms: int, by: str = CANTEEN) -> Call:
    return replace(
        call,
        state="CLOSED",
        closed_ms=now_ms,
        closed_by=by,
        outcome=outcome,
        accepted_ms=call.accepted_ms or now_ms,
        accepted_by=call.accepted_by or by,
    )


def _end(draft: Draft, order: MealOrder, state: str, by: str) -> None:
    draft.put(replace(order, state=state, by=by, changed_ms=draft.now_ms))
    event = {"cancelled": "MealCancelled", "delivered": "MealDelivered", "over": "MealOver"}[state]
    draft.journal(event, f"call:{order.call_id}", by)
    draft.disarm(_timer_of(order.call_id))


def _end_call(draft: Draft, decision: Decision, order: MealOrder, outcome: str, by: str) -> None:
    """Its call closes with it, and its lamp goes dark."""
    call = draft.state.calls.get(order.call_id)
    if call is None or call.state == "CLOSED":
        return
    after = _closed(call, outcome, draft.now_ms, by)
    draft.put(after)
    draft.journal("Closed", f"call:{call.call_id}", by, outcome)
    decision.call = after
    decision.effects.append(SetLamp(call.device_id, "off", call.call_id, draft.now_ms))


# ---------------------------------------------------------------- what follows


def follow(state: HallState, decision: Decision, now_ms: int) -> None:
    """A meal's call that staff close by hand takes its order with it, unless they say that it was ordered; a close that
    is undone brings it back."""
    for change in list(decision.changes):
        if not isinstance(change, Call) or change.kind != KIND:
            continue
        before = state.calls.get(change.call_id)
        if change.state == "COMING" and before is not None and before.state == "CLOSED":
            _undone(state, decision, before, change, now_ms)
        elif change.state == "CLOSED":
            order = state.table(MealOrder).get(change.call_id)
            settled = any(
                isinstance(one, MealOrder) and one.call_id == change.call_id for one in decision.changes
            )
            if order is None or order.state != "ordered" or settled or change.outcome == "meal_ordered":
                continue
            draft = Draft(state, now_ms)
            _end(draft, order, "cancelled", change.closed_by or "")
            decision.changes += draft.changes


def _undone(state: HallState, decision: Decision, before: Call, call: Call, now_ms: int) -> None:
    """A lamp that says "coming" must be true of the meal: it is put back where the kitchen's paper can still say so,
    before its cut-off. Where it cannot, or that meal was ordered meanwhile, the call rings anew, for a person."""
    if call.accepted_by != CANTEEN:
        return  # a question that a person had taken
    order = state.table(MealOrder).get(call.call_id)
    if order is None or (order.state != "ordered" and not _can_come_back(state, order, now_ms)):
        seen = state.child()
        seen.calls[call.call_id] = replace(before, accepted_ms=before.closed_ms, note=NOT_BACK)
        by = next((one.actor for one in decision.changes if isinstance(one, JournalLine)), "")
        anew = calls.reopened(seen, call.call_id, by, now_ms)
        decision.changes, decision.effects, decision.call = anew.changes, anew.effects, anew.call
        return
    if call.arrived_ms is None:  # it is the canteen's turn until the day ends, not for two hours
        decision.changes = [
            one
            for one in decision.changes
            if not (isinstance(one, TimerSet) and one.subject == f"call:{call.call_id}")
        ]
    if order.state != "ordered":
        order = replace(order, state="ordered", changed_ms=now_ms)
        line = JournalLine(
            now_ms, "MealOrdered", f"call:{call.call_id}", CANTEEN, f"{order.day} {order.meal}"
        )
        decision.changes += [order, line]
    decision.changes.append(_until_over(state, order, now_ms))


def _can_come_back(state: HallState, order: MealOrder, now_ms: int) -> bool:
    """Delivered: the kitchen has had it all the time. Given back: until the cut-off, and not beside another."""
    if order.state == "delivered":
        return True
    again = any(
        one.state == "ordered"
        and (one.day, one.meal) == (order.day, order.meal)
        and (one.device_id == order.device_id or (order.person_id and one.person_id == order.person_id))
        for one in state.table(MealOrder).values()
    )
    return order.state == "cancelled" and not again and _cutoff_ms(state, order) > now_ms


def watched(state: HallState, now_ms: int) -> Decision:
    """An ordered meal whose timer was lost (a notebook put together again) waits for its day's end anew; then the
    calls, which know by that timer that it is the canteen's turn."""
    lost = [
        one
        for one in state.table(MealOrder).values()
        if one.state == "ordered" and state.timer(_timer_of(one.call_id)) is None
    ]
    decision = Decision(changes=[_until_over(state, one, now_ms) for one in lost])
    coming = (f"call:{one.call_id}:coming" for one in lost)
    decision.changes += [TimerGone(name) for name in coming if state.timer(name) is not None]
    seen = state
    if lost:
        seen = state.child()
        seen.put(decision)
    decision.changes += calls.watched(seen, now_ms).changes
    return decision


def day_over(state: HallState, timer: TimerSet, now_ms: int) -> Decision:
    """The meal's day has ended and nobody said that it was delivered: it is not known, and is shown so."""
    decision, draft = Decision(), Draft(state, now_ms)
    order = state.table(MealOrder).get(int(timer.subject.removeprefix("call:")))
    if order is not None and order.state == "ordered":
        _end(draft, order, "over", "")
        _end_call(draft, decision, order, "meal_ordered", CANTEEN)
    # The timer itself goes with the decision that it fires.
    decision.changes = [one for one in draft.changes if not isinstance(one, TimerGone)]
    return decision


# ---------------------------------------------------------------- orders


def cancelled(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``cancel_meal``: by telephone, or because the kitchen cannot."""
    return _ended(state, fields, now_ms, "cancelled", "meal_cancelled")


def delivered(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``deliver_meal``: it stands on the table."""
    return _ended(state, fields, now_ms, "delivered", "meal_ordered")


def _ended(state: HallState, fields: Fields, now_ms: int, into: str, outcome: str) -> Decision:
    order, by = state.table(MealOrder).get(fields.number("call_id")), fields.name("by")
    if order is None:
        raise OrderRefused("没有这份订餐，或早已办完", "there is no such meal, or it was settled long ago")
    if order.state == into:
        return Decision(duplicate=True)
    if order.state != "ordered":
        zh, en = {"cancelled": ("退了", "given back"), "delivered": ("送到", "delivered")}.get(
            order.state, ("过了时间", "over")
        )
        raise OrderRefused(f"这份餐已经{zh}（{order.by}）", f"this meal is {en} already ({order.by})")
    decision, draft = Decision(), Draft(state, now_ms)
    _end(draft, order, into, by)
    _end_call(draft, decision, order, outcome, by)
    decision.changes = draft.changes
    return decision


def by_phone(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``order_meal``: staff order for a person who telephoned; any meal of the menu, more portions, also after its
    cut-off (they have asked the kitchen)."""
    person = state.table(Person).get(fields.name("person_id"))
    if person is None:
        raise OrderRefused("没有这位居民", "there is no such person")
    by, key = fields.name("by"), fields.text("key", "")
    known = state.order_keys.get(key) if key else None
    if known is not None:
        return Decision(call=state.calls.get(known), duplicate=True)
    menu = state.table(Menu).get((fields.name("day"), fields.choice("meal", MEALS)))
    if menu is None:
        raise OrderRefused("那一餐还没有菜单，请先填菜单", "there is no menu for that meal: put it in first")
    portions = fields.number("portions", 1, least=1, most=PORTIONS_MOST)
    if moment_ms(state.zone, date.fromisoformat(menu.day) + timedelta(days=1)) <= now_ms:
        raise OrderRefused("那一天已经过去", "that day is over")
    subject = f"screen:meal-{person.person_id}"
    call = Call(
        state.last_call_id + 1,
        "HEARD",
        KIND,
        subject,
        f"{CANTEEN}电话",
        True,
        person.place,
        person.name,
        1,
        1,
        now_ms,
        now_ms,
        person_id=person.person_id,
    )
    line = JournalLine(now_ms, "Pressed", f"call:{call.call_id}", by, f"{KIND} order_meal")
    call, changes = _ordered(state, call, menu, portions, by, now_ms)
    changes = [call, line, *changes]
    # One open call a device: an order of the same person that is still out goes on without its call.
    before = state.calls.get(state.newest_call.get(subject, 0))
    if before is not None and before.state != "CLOSED":
        closed = JournalLine(now_ms, "Closed", f"call:{before.call_id}", by, "meal_ordered")
        changes[:0] = [
            _closed(before, "meal_ordered", now_ms),
            *ladder.stop(state, before, "closed", now_ms),
            closed,
        ]
    if key:
        changes.append(OrderKey(key, call.call_id, now_ms))
    return Decision(changes=changes, call=call)


def menu_put(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``put_menu``: one meal of one day, made or changed."""
    return Decision(changes=_menu(state, fields, now_ms))


def menus_put(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``put_menus``: a week at once; all of it or nothing, and the first line that will not do is named."""
    listed = fields.raw.get("menus")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MENUS_MOST:
        raise OrderRefused(f"一次 1 到 {MENUS_MOST} 行菜单", f"1 to {MENUS_MOST} lines of menu at a time")
    changes: list[Change] = []
    for number, one in enumerate(listed, start=1):
        try:
            if not isinstance(one, dict):
                raise OrderRefused("不是菜单", "no menu")
            changes += _menu(state, Fields({**one, "by": fields.text("by")}), now_ms)
        except OrderRefused as wrong:
            raise OrderRefused(f"第 {number} 行：{wrong.why_zh}", f"line {number}: {wrong.why_en}") from wrong
    return Decision(changes=changes)


def _menu(state: HallState, fields: Fields, now_ms: int) -> list[Change]:
    day, meal, by = fields.name("day"), fields.choice("meal", MEALS, ""), fields.name("by")
    if day_named(day) is None:
        raise OrderRefused(f"日期“{day[:20]}”应像 2026-11-22", f"{day[:20]!r}: a day looks like 2026-11-22")
    old = state.table(Menu).get((day, meal))
    menu = Menu(
        day,
        meal,
        fields.name("dish", longest=DISH_LONGEST) if "dish" in fields or old is None else old.dish,
        fields.number("price_fen", old.price_fen if old else None, most=PRICE_MOST_FEN),
        fields.number("cutoff_min", old.cutoff_min if old else None, least=EARLIEST_MIN, most=LATEST_MIN),
    )
    if menu == old:
        return []
    return [menu, JournalLine(now_ms, "MenuPut", f"menu:{day}:{meal}", by)]


def menu_dropped(state: HallState, fields: Fields, now_ms: int) -> Decision:
    """``drop_menu``: nobody can order it any more; what was ordered stays."""
    key = (fields.name("day"), fields.choice("meal", MEALS, ""))
    by = fields.name("by")
    if key not in state.table(Menu):
        return Decision(duplicate=True)
    return Decision(
        changes=[
            RowGone(Menu.TABLE, key),
            JournalLine(now_ms, "MenuDropped", f"menu:{key[0]}:{key[1]}", by),
        ]
    )


ORDERS = {
    "put_menu": menu_put,
    "put_menus": menus_put,
    "drop_menu": menu_dropped,
    "order_meal": by_phone,
    "cancel_meal": cancelled,
    "deliver_meal": delivered,
}
DUE = {"meal": day_over}
