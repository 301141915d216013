"""Who speaks to the modem: a process of its own, because a C library waits for a modem that is silent, and may crash.

    python -m herald.modem /dev/ttyUSB2

Asked on standard input, answers on standard output, one JSON object a line; ends when nobody asks any more:

    {"do":"send","number":"+8613800138000","text":"…"}  → {"ok":true}
    {"do":"look"}                                        → {"ok":true,"came":[{"number","text","at_ms","places"}]}
    {"do":"forget","places":[[0,3]]}                     → {"ok":true}
    whatever goes wrong                                  → {"ok":false,"state":"no_sim","why_zh","why_en"}

gammu does the speaking (``python-gammu``, its library inside the wheel): it knows the makers' dialects.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import Any

import gammu

Json = dict[str, Any]

#: (state, Chinese, English). The states are those of herald.db's table "modems".
_WORDS: dict[str, tuple[str, str]] = {
    "port_missing": ("短信模块没有插好", "the modem is not plugged in"),
    "silent": ("短信模块没有回答", "the modem does not answer"),
    "no_sim": (
        "短信模块里没有 SIM 卡，或卡被锁（请先取消 PIN）",
        "no SIM card, or it is locked (take its PIN away)",
    ),
    "no_network": ("短信模块没有信号", "the modem has no network"),
    "error": ("短信没有发出", "the short message was not taken"),
}
_REGISTERED = ("HomeNetwork", "RoamingNetwork", "HomeNetworkEmergency")


class Modem:
    """The modem behind one serial port. Every method may raise gammu.GSMError."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._phone = gammu.StateMachine()
        self._open = False

    def open(self) -> None:
        if self._open:
            return
        # Not detected but said, "at": detection asks what a modem of 2010 may be, for five seconds.
        self._phone.SetConfig(
            0,
            {
                "Device": self._port,
                "Connection": "at115200",
                "Model": "at",
                "SyncTime": False,
                "LockDevice": False,
                "StartInfo": False,
            },
        )
        self._phone.Init()
        self._open = True

    def send(self, number: str, text: str) -> None:
        """All parts of the text; returns when the network has taken the last."""
        parts = gammu.EncodeSMS(
            {"Class": -1, "Unicode": True, "Entries": [{"ID": "ConcatenatedTextLong", "Buffer": text}]}
        )
        for part in parts:
            self._phone.SendSMS({**part, "SMSC": {"Location": 1}, "Number": number})

    def came(self) -> list[Json]:
        """What lies in the modem, long ones joined; nothing is taken away."""
        kept: list[list[Json]] = []
        place: int | None = None
        while True:
            try:
                kept.append(
                    self._phone.GetNextSMS(Start=True, Folder=0)
                    if place is None
                    else self._phone.GetNextSMS(Start=False, Folder=0, Location=place)
                )
            except gammu.ERR_EMPTY:
                break
            place = kept[-1][0]["Location"]
        return [
            {
                "number": parts[0]["Number"],
                "text": "".join(str(part.get("Text") or "") for part in parts),
                "at_ms": int(parts[0]["DateTime"].timestamp() * 1000) if parts[0].get("DateTime") else 0,
                "places": [[part.get("Folder") or 0, part["Location"]] for part in parts],
            }
            for parts in gammu.LinkSMS(kept)
            if parts[0].get("InboxFolder") and parts[0].get("Number")
        ]

    def forget(self, places: list[list[int]]) -> None:
        for _, place in places:
            try:
                self._phone.DeleteSMS(Folder=0, Location=place)
            except (gammu.ERR_EMPTY, gammu.ERR_INVALIDLOCATION):
                pass  # gone already: that is what was wanted

    def look(self) -> str:
        """Its state as far as it says: "ready", "no_sim", "no_network"."""
        try:
            if self._phone.GetSecurityStatus() is not None:
                return "no_sim"
            return "ready" if self._phone.GetNetworkInfo()["State"] in _REGISTERED else "no_network"
        except (gammu.ERR_NOSIM, gammu.ERR_SECURITYERROR):
            return "no_sim"
        except (gammu.ERR_UNKNOWNRESPONSE, gammu.ERR_UNKNOWN, gammu.ERR_NOTSUPPORTED):
            # A dialect that gammu does not read: whether it hears a mast at all is told in one way by all of them.
            return "ready" if self._phone.GetSignalQuality()["SignalPercent"] > 0 else "no_network"


def answer(modem: Modem, asked: Json) -> Json:
    """Do what was asked."""
    try:
        modem.open()
        match asked["do"]:
            case "send":
                modem.send(str(asked["number"]), str(asked["text"]))
            case "look":
                state = modem.look()
                return {"ok": True, "came": modem.came()} if state == "ready" else _no(state)
            case "forget":
                modem.forget(asked["places"])
        return {"ok": True}
    except gammu.GSMError as wrong:
        return _because(modem, wrong)


def _because(modem: Modem, wrong: gammu.GSMError) -> Json:
    """A network that takes no message says only "error": the modem is asked what is the matter."""
    said = wrong.args[0].get("Text", "") if wrong.args and isinstance(wrong.args[0], dict) else str(wrong)
    if isinstance(wrong, (gammu.ERR_DEVICENOTEXIST, gammu.ERR_DEVICEOPENERROR, gammu.ERR_DEVICENOPERMISSION)):
        return _no("port_missing", said)
    if isinstance(wrong, (gammu.ERR_TIMEOUT, gammu.ERR_DEVICEWRITEERROR, gammu.ERR_DEVICEREADERROR)):
        return _no("silent", said)
    if isinstance(wrong, gammu.ERR_NOSIM):
        return _no("no_sim", said)
    try:
        state = modem.look()
    except gammu.ERR_TIMEOUT:
        state = "silent"
    except gammu.GSMError:
        state = "error"
    return _no("error" if state == "ready" else state, said)


def _no(state: str, said: str = "") -> Json:
    zh, en = _WORDS[state]
    return {"ok": False, "state": state, "why_zh": zh, "why_en": f"{en} ({said})" if said else en}


def main() -> int:
    """Until nobody asks any more."""
    port = sys.argv[1]
    modem = Modem(port)
    for line in sys.stdin:
        try:
            there = stat.S_ISCHR(os.stat(port).st_mode)
        except OSError:
            there = False
        words = answer(modem, json.loads(line)) if there else _no("port_missing")
        print(json.dumps(words, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
