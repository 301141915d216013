"""One button's settings: ``settings.json`` on the chip, written by ``pack.py``.

A key that is not known or a value of the wrong kind is refused by name. On the chip that means: it does not start and
says so on the cable; ``pack.py`` refuses first, at the technician's desk.
"""

import json

#: every key, with the value it has where it is left out; None: must be there
KEYS: dict[str, object] = {
    "device": None,
    "wifi_name": None,
    "wifi_password": "",
    "host": None,
    "port": 8883,
    "user": "",
    "password": "",
    "tls": True,
    "tls_name": "",
    "date": "2026-01-01",
    "power": "battery",
    "every_s": 0,
    "long_press": False,
    "empty_mv": 3300,
    "full_mv": 4100,
}
#: The interval promised where none is set: on mains what docs/protocol.md gives a device of ours; with a battery every
#: 4 hours, as the radio triggers of telecare do (Tunstall's "Auto Presence").
EVERY_S = {"mains": 60, "battery": 4 * 3600}
#: The gateway takes a promise of up to a week.
LONGEST_EVERY_S = 7 * 24 * 3600
_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"


class BadSettings(ValueError):
    """Says which key is wrong, and what would be right."""


class Settings:
    """What ``settings.json`` says, checked.

    :param text: a JSON object.
    :raises BadSettings: it is not one of settings.
    """

    def __init__(self, text: str) -> None:
        try:
            words = json.loads(text)
        except ValueError:
            words = None
        if not isinstance(words, dict):
            raise BadSettings("settings.json is not a JSON object   不是 JSON 对象")
        for key in words:
            if key not in KEYS:
                raise BadSettings("settings.json: unknown key   不认识的键: " + str(key))
        self._words = words
        self.device = self._text("device")
        if not 0 < len(self.device) <= 64 or any(sign not in _NAME for sign in self.device):
            raise BadSettings(
                "device: 1 to 64 letters, digits, '.', '_' or '-'   设备名只能用字母、数字和 . _ -"
            )
        self.wifi_name = self._text("wifi_name")
        self.wifi_password = self._text("wifi_password")
        self.host = self._text("host")
        self.port = self._whole("port", 1, 65535)
        self.user = self._text("user")
        self.password = self._text("password")
        self.tls = self._truth("tls")
        #: the name in the broker's certificate
        self.tls_name = self._text("tls_name") or self.host
        #: the day of packing: a chip without a clock begins here, or no certificate would be valid yet
        self.date = self._text("date")
        day = self.date.split("-")
        if [len(part) for part in day] != [4, 2, 2] or not all(part.isdigit() for part in day):
            raise BadSettings("date: like 2026-01-31   日期的写法如 2026-01-31")
        power = self._text("power")
        if power not in EVERY_S:
            raise BadSettings('power: "battery" or "mains"   供电方式只能是 battery 或 mains')
        self.battery = power == "battery"
        self.every_s = self._whole("every_s", 0, LONGEST_EVERY_S) or EVERY_S[power]
        self.long_press = self._truth("long_press")
        self.empty_mv = self._whole("empty_mv", 500, 30_000)
        self.full_mv = self._whole("full_mv", self.empty_mv + 1, 30_000)

    def battery_pct(self, battery_mv: int) -> int:
        """How full: a straight line between empty and full. A cell's curve is none: a hint, not a gauge."""
        return max(0, min(100, (battery_mv - self.empty_mv) * 100 // (self.full_mv - self.empty_mv)))

    def _value(self, key: str) -> object:
        value = self._words.get(key, KEYS[key])
        if value is None:
            raise BadSettings("settings.json: missing   缺少: " + key)
        return value

    def _text(self, key: str) -> str:
        value = self._value(key)
        if not isinstance(value, str):
            raise BadSettings(key + ": must be text   必须是文字")
        return value

    def _truth(self, key: str) -> bool:
        value = self._value(key)
        if not isinstance(value, bool):
            raise BadSettings(key + ": must be true or false   只能是 true 或 false")
        return value

    def _whole(self, key: str, least: int, most: int) -> int:
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadSettings(
                key + ": must be a whole number from " + str(least) + " to " + str(most) + "   数值不对"
            )
        return value
