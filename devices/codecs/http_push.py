"""What wearables push over HTTP: forms and JSON of domestic platforms (SOS watches, pull cords, fall pendants).

The kiosk takes the request, checks its token, and hands the fields on as one JSON object on ``http/<source>``
(docs/protocol.md, 4.1). There is no common layout, but a common manner: a device number under one of a dozen names, a
kind as a number or a word under one of a dozen others, a time, and whatever was measured.

Numbers (push types of two platforms' public descriptions): 1 and 7 SOS, 115 pull cord, 456 emergency button, 11 fall,
9 low battery, 51 tamper, 67 test. A word that speaks of an alarm we do not know is a doubtful call: it alarms. A number
that we do not know is not, unless words beside it speak of one: platforms push heart rate, place and steps by the
hundred with numbers of their own, and a hall that rings at each of them is heard by nobody.
Retries carry the same number or the same time: that is the press's key.
"""

from __future__ import annotations

import re
from dataclasses import replace

from devices.codecs._shared import Json, child, flag, is_object, known, load_object, number, percent, text
from devices.codecs.generic_json import ALARM_KINDS
from devices.reading import Heard, Reading

TRANSPORT = "http_push"

#: Compared without case, "_" and "-".
_WHO = (
    "imei",
    "deviceid",
    "devid",
    "did",
    "deviceno",
    "devicesn",
    "devicenumber",
    "devicecode",
    "sn",
    "terminalid",
    "terminalno",
    "equipmentid",
    "equipmentno",
    "mac",
    "device",
)
_WHAT = (
    "alarmtype",
    "pushtype",
    "eventtype",
    "warntype",
    "warningtype",
    "msgtype",
    "messagetype",
    "type",
    "event",
    "alarm",
    "cmd",
    "action",
)
_NAMED_ALARM = frozenset({"alarmtype", "warntype", "warningtype", "alarm"})
_NUMBER = ("messageid", "msgid", "eventid", "alarmid", "recordid", "uuid", "id")
_WHEN = ("alarmtime", "eventtime", "devicetime", "time", "timestamp", "createtime", "uploadtime", "ts", "date")
_BATTERY = ("battery", "batterylevel", "batterypct", "power", "electricity", "electric", "bat")
_WORDS = ("content", "message", "msg", "desc", "description", "title", "alarmname", "typename", "remark", "info")
_MEASURED = frozenset(
    {
        "heartrate",
        "heart",
        "hr",
        "bloodpressure",
        "systolic",
        "diastolic",
        "dbp",
        "sbp",
        "spo2",
        "bloodoxygen",
        "bodytemperature",
        "temperature",
        "step",
        "steps",
        "sleep",
    }
)
_PLACED = frozenset({"lat", "lng", "lon", "latitude", "longitude"})
_SPEAKS_OF_ALARM = re.compile(
    r"sos|alarm|emergenc|panic|help|fall|报警|求助|求救|呼救|救命|紧急|跌倒|摔倒|拉绳|一键", re.IGNORECASE
)
#: … and then takes it back: the end of an alarm, a test, a setting.
_TAKES_IT_BACK = re.compile(
    r"解除|取消|恢复|撤销|结束|测试|设置|cancel|clear|restore|resolved|recover|end\b|off\b|test", re.IGNORECASE
)
_QUIET_WORDS: dict[str, str] = {
    "heartbeat": "heartbeat",
    "heart": "heartbeat",
    "keepalive": "heartbeat",
    "心跳": "heartbeat",
    "online": "online",
    "上线": "online",
    "offline": "offline",
    "离线": "offline",
    "location": "position",
    "position": "position",
    "gps": "position",
    "定位": "position",
    "位置": "position",
    "poweroff": "device_off",
    "关机": "device_off",
    "poweron": "startup",
    "开机": "startup",
}


def read(heard: Heard) -> Reading:
    body = _flat(load_object(heard.payload))
    device = next((word for name in _WHO if (word := _word(body.get(name)))), "")
    if not device:
        raise ValueError("the form does not name a device")
    name = next((one for one in _WHAT if _word(body.get(one))), "")
    said = _word(body.get(name)) if name else ""
    reading = _meaning(name, said, body)
    extras = {
        **reading.extras,
        **known(
            device_event=said or None,
            device_time=number(body.get(when)) if (when := _first(body, _WHEN)) else None,
            battery_low=flag(body.get("lowbattery")),
            charging=flag(body.get("charging")),
        ),
    }
    charge = next((pct for one in _BATTERY if (pct := percent(body.get(one))) is not None), None)
    return replace(reading, device=device, battery_pct=charge, press_id=_key(body, said), extras=extras)


def _meaning(name: str, said: str, body: Json) -> Reading:
    word = said.lower()
    quiet = _QUIET_WORDS.get(word.replace("_", "").replace(" ", ""))
    if quiet is not None:
        return Reading(quiet)
    if word in ALARM_KINDS:
        event, alarm = ALARM_KINDS[word]
        return Reading(event, alarm, extras=known(battery_low=True if word in _LOW else None))
    beside = " ".join(_word(body.get(one)) for one in _WORDS)
    words = f"{said} {beside}"
    speaks = _SPEAKS_OF_ALARM.search(words) is not None
    if speaks and _TAKES_IT_BACK.search(words):
        return Reading("sos_end")
    if speaks or (name in _NAMED_ALARM and said and flag(body.get(name)) is not False and not _is_nothing(word)):
        return Reading("sos", True, extras={"doubtful": True})
    if body.keys() & _MEASURED:
        return Reading("heartbeat")
    if body.keys() & _PLACED:
        return Reading("position")
    return Reading("heartbeat")


_LOW = frozenset(
    word for word, (event, _) in ALARM_KINDS.items() if event == "heartbeat"
)


def _is_nothing(word: str) -> bool:
    return word in ("", "0", "none", "null", "false", "normal", "正常", "无")


def _flat(body: Json) -> Json:
    """The fields by their plain names; one level of ``data``, ``payload`` and the like is opened."""
    flat: dict[str, object] = {}
    for part in (body, *(child(body, name) for name in ("data", "payload", "params", "body"))):
        for key, value in part.items():
            if not is_object(value):
                flat.setdefault(re.sub(r"[_\-\s]", "", key).lower(), value)
    return flat


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, int):
        return str(value)
    return text(value).strip()[:80] if isinstance(value, str) else ""


def _first(body: Json, names: tuple[str, ...]) -> str:
    return next((one for one in names if _word(body.get(one))), "")


def _key(body: Json, said: str) -> str:
    number_of_it = _first(body, _NUMBER)
    if number_of_it:
        return _word(body[number_of_it])
    when = _first(body, _WHEN)
    return f"{said}@{_word(body[when])}" if when else ""
