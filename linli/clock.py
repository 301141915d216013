"""`linli clock`: is the time known, and a person's word that it is right. A hall may be without a network for years."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

from devices.clock import wall_s
from devices.faults import OutsideDown
from gateway.house import House
from linli.talk import Line, open_running_house

#: The gateway looks at its clock every second (gateway/loop.py): after this it has noticed that we have set it.
NOTICED_AFTER_S = 2.5

_WHY = {
    "confirmed": ("有人确认过", "a person has confirmed it"),
    "synchronised": ("已与网络时间同步", "synchronised by the network"),
    "own_clock": ("本机有时钟电池", "this machine has a clock battery"),
    "kept": ("本次开机以来核对过", "it was known earlier, and nothing has moved it since"),
    "behind": ("比最近的记录还早", "it is before the newest record"),
    "too_early": ("显然不对", "it cannot be right"),
    "nobody": ("没有人核对过，也没有网络时间", "neither a person nor the network has said so"),
}


def show(hall_file: str | None) -> int:
    """Print the time of this machine and whether the gateway believes it. 1 if it does not."""
    house = open_running_house(hall_file)
    with Line(house.gateway_socket, "the gateway") as line:
        clock = line.ask(id="1", order="statistics")["statistics"]["clock"]
    zh, en = _WHY.get(str(clock["why"]), ("", str(clock["why"])))
    now = datetime.fromtimestamp(wall_s(), ZoneInfo(house.plan.hall.timezone))
    print(f"{now:%Y-%m-%d %H:%M:%S} {house.plan.hall.timezone}")
    if clock["known"]:
        print(f"✓ 时间可信（{zh}） | the time is known: {en}")
        return 0
    print(f"✗ 时间不可信（{zh}） | the time is not known: {en}")
    print(
        "  → 时间对：linli clock confirm --by 姓名；不对：sudo linli clock set '2026-12-31 09:00' --by 姓名\n"
        "  → right: linli clock confirm --by NAME; wrong: sudo linli clock set '2026-12-31 09:00' --by NAME"
    )
    return 1


def confirm(hall_file: str | None, by: str) -> int:
    """A person has looked at a watch: the time of this machine is right."""
    house = open_running_house(hall_file)
    _confirm(house, by)
    return show(hall_file)


def set_to(hall_file: str | None, text: str, by: str) -> int:
    """Set the clock of this machine, and confirm it."""
    house = open_running_house(hall_file)
    moment = read_moment(text, house.plan.hall.timezone)
    try:
        time.clock_settime(time.CLOCK_REALTIME, moment.timestamp())
    except PermissionError as wrong:
        raise OutsideDown("this needs root: sudo linli clock set …   需要 root 权限") from wrong
    # A word given before the gateway has seen the step would be a word on the time before it.
    time.sleep(NOTICED_AFTER_S)
    _confirm(house, by)
    return show(hall_file)


def read_moment(text: str, zone: str) -> datetime:
    """ "2026-12-31 09:00", with or without seconds, in the hall's own time zone.

    :raises OutsideDown: it is no such moment.
    """
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=ZoneInfo(zone))
        except ValueError:
            continue
    raise OutsideDown(f"{text!r} is not a time such as '2026-12-31 09:00'. 请写成：2026-12-31 09:00")


def _confirm(house: House, by: str) -> None:
    with Line(house.gateway_socket, "the gateway") as line:
        line.ask(id="1", order="confirm_clock", by=by)
