"""A 4G modem that is not there: a pseudo-terminal that answers AT commands as a SIM7600 or an EC20 does.

    modem = VirtualModem("modem", home)
    modem.start()                        # <home>/virtual/modem can be opened like /dev/ttyUSB2
    modem.do("no_network")
    modem.do("receive", number="+8613800138000", text="来了")
    modem.wait_until(lambda state: len(state["sent"]) == 1, timeout_s=5)
    modem.stop()

What was sent stands in ``state()["sent"]`` as whole texts, long ones joined again, and in ``<home>/virtual/sms.txt``.
Short messages in PDU and in text mode (3GPP TS 27.005), the rest of what gammu asks (TS 27.007).

What it can be told (`do`): ``no_sim``, ``sim``, ``no_network``, ``network``, ``refuse`` (the network takes no message),
``accept``, ``silent`` (hears and says nothing), ``talk``, ``unplug``, ``plug``, ``receive`` (``number``, ``text``).
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

from devices.clock import wall_s
from devices.virtual.pdu import Submit, deliver, read_submit
from devices.virtual.port import OnASerialLine

#: A SIM's own room for messages: 50 is what the cards of the three Chinese networks report.
PLACES = 50
#: 3GPP TS 27.005, 3.2.5 and TS 27.007, 9.2.
CMS_NO_NETWORK, CMS_NO_SIM, CMS_REFUSED, CMS_NO_SUCH, CMS_FULL = 331, 310, 38, 321, 322
CME_NO_SIM = 10
_CTRL_Z, _ESC = 0x1A, 0x1B
_MEMORIES = '("ME","MT","SM","SR")'

_COMMANDS = frozenset(
    [
        "no_sim",
        "sim",
        "no_network",
        "network",
        "refuse",
        "accept",
        "silent",
        "talk",
        "unplug",
        "plug",
        "receive",
    ]
)


class _Error(Exception):
    """The answer is an error: its number in +CMS ERROR, or +CME ERROR."""

    def __init__(self, kind: str = "", number: int = 0) -> None:
        super().__init__(f"+{kind} ERROR: {number}" if kind else "ERROR")


class VirtualModem(OnASerialLine):
    """One virtual modem; see the head of this file."""

    def __init__(self, modem_id: str, home: Path) -> None:
        super().__init__(home / "virtual" / modem_id, f"modem {modem_id}")
        self.modem_id = modem_id
        self._kept = home / "virtual" / "sms.txt"
        self._sim = self._network = self._accepts = True
        self._line = bytearray()
        #: the number of a text-mode message, or None in PDU mode, while the text itself is awaited
        self._writing: tuple[str | None] | None = None
        self._begin()
        self._references = 0
        #: place → (state: 0 unread, 1 read; PDU)
        self._stored: dict[int, tuple[int, str]] = {}
        self._parts: dict[tuple[str, int], dict[int, str]] = {}
        self._sent: list[dict[str, Any]] = []
        self._asked: list[str] = []

    def _begin(self) -> None:
        self._echo, self._pdu_mode, self._tells_cell = True, False, False
        self._alphabet, self._errors, self._memory = "IRA", 0, "SM"

    # ------------------------------------------------------------ life

    def do(self, command: str, **how: Any) -> dict[str, Any]:
        """Make it misbehave, behave again, or receive. Gives the state after it.

        :raises ValueError: there is no such command or argument.
        """
        if command not in _COMMANDS:
            raise ValueError(f"a modem knows {', '.join(sorted(_COMMANDS))}, not {command!r}")
        if set(how) != ({"number", "text"} if command == "receive" else set()):
            raise ValueError(f"{command} takes {'number and text' if command == 'receive' else 'nothing'}")
        with self._changed:
            match command:
                case "no_sim" | "sim":
                    self._sim = command == "sim"
                case "no_network" | "network":
                    self._network = command == "network"
                case "refuse" | "accept":
                    self._accepts = command == "accept"
                case "silent" | "talk":
                    self._silent = command == "silent"
                case "unplug":
                    self._unplug()
                case "plug":
                    if self._master < 0:
                        self._plug()
                case "receive":
                    self._receive(str(how["number"]), str(how["text"]))
            self._changed.notify_all()
            self._wake()
            return self.state()

    def state(self) -> dict[str, Any]:
        """How it is, for the demo's page and for tests."""
        with self._changed:
            return {
                "device": f"modem:{self.modem_id}",
                "port": str(self.link),
                "plugged": self._master >= 0,
                "silent": self._silent,
                "sim": self._sim,
                "network": self._network,
                "accepts": self._accepts,
                "sent": list(self._sent),
                "stored": len(self._stored),
                "asked": list(self._asked),
            }

    def _receive(self, number: str, text: str) -> None:
        at = time.gmtime(wall_s() + 8 * 3600)  # the network's own time, whatever this machine's zone (pdu.deliver)
        stamp = (at.tm_year % 100, at.tm_mon, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec)
        self._references += 1
        for pdu in deliver(number, text, stamp, self._references):
            place = next((one for one in range(1, PLACES + 1) if one not in self._stored), None)
            if place is None:
                return  # a full card: the network keeps it, as it does with a real one
            self._stored[place] = (0, pdu)

    def _plug(self) -> None:
        self._begin()
        self._line.clear()
        self._writing = None
        super()._plug()

    # ------------------------------------------------------------ the machine's thread

    def _hear(self, data: bytes) -> None:
        if self._silent:
            return
        for byte in data:
            if self._writing is not None:
                self._hear_text(byte)
            elif byte == 0x0D:
                if self._echo:
                    self._say(bytes(self._line) + b"\r")
                line = self._line.decode("latin-1").strip()
                self._line.clear()
                if line:
                    self._obey(line)
            elif byte not in (0x0A, _CTRL_Z, _ESC):
                self._line.append(byte)

    def _hear_text(self, byte: int) -> None:
        if byte == _ESC:
            self._writing = None
            self._line.clear()
            self._answer("OK")
        elif byte == _CTRL_Z:
            assert self._writing is not None
            number, text = self._writing[0], bytes(self._line)
            self._writing = None
            self._line.clear()
            try:
                self._answer(*self._send(number, text), "OK")
            except (_Error, ValueError) as wrong:
                self._answer(str(wrong) if isinstance(wrong, _Error) else "+CMS ERROR: 304")  # invalid PDU
        else:
            self._line.append(byte)

    def _obey(self, line: str) -> None:
        self._asked = [*self._asked, line][-500:]
        if not line.upper().startswith("AT"):
            return
        try:
            answer = self._command(line[2:].strip())
        except _Error as wrong:
            self._answer(str(wrong))
            return
        if answer is not None:
            self._answer(*answer, "OK")

    def _answer(self, *lines: str) -> None:
        self._say("".join(f"\r\n{line}\r\n" for line in lines).encode("latin-1"))

    def _say(self, words: bytes) -> None:
        if self._master < 0 or self._silent:
            return
        try:
            os.write(self._master, words)
        except OSError:
            pass  # nobody reads

    # ------------------------------------------------------------ commands

    def _command(self, words: str) -> list[str] | None:
        """The lines before "OK"; None: the answer comes later. Raises _Error."""
        name = words.upper()
        fixed = {
            "": [],
            "Z": [],
            "&F": [],
            "&F0": [],
            "V1": [],
            "I": ["Manufacturer: LINLI INCORPORATED", "Model: SIM7600CE"],
            "+CGMI": ["LINLI INCORPORATED"],
            "+CGMM": ["SIMCOM_SIM7600CE"],
            "+CGMR": ["LINLI-7600-1"],
            "+CGSN": ["861000000000000"],
            "+CSMS?": ["+CSMS: 0,1,1,1"],
            "+CFUN?": ["+CFUN: 1"],
            "+CMGF=?": ["+CMGF: (0-1)"],
            "+CMGF?": [f"+CMGF: {0 if self._pdu_mode else 1}"],
            "+CSCS=?": ['+CSCS: ("IRA","GSM","UCS2")'],
            "+CSCS?": [f'+CSCS: "{self._alphabet}"'],
            "+CPMS=?": [f"+CPMS: {_MEMORIES},{_MEMORIES},{_MEMORIES}"],
            "+CNMI=?": ["+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)"],
            "+CMGL=?": ["+CMGL: (0-4)" if self._pdu_mode else '+CMGL: ("REC UNREAD","REC READ","ALL")'],
        }
        if name in fixed:
            return fixed[name]
        if match := re.fullmatch(r"E([01])", name):
            self._echo = match[1] == "1"
            return []
        if match := re.fullmatch(r"\+CMEE=([012])", name):
            self._errors = int(match[1])
            return []
        if match := re.fullmatch(r"\+CMGF=([01])", name):
            self._pdu_mode = match[1] == "0"
            return []
        if match := re.fullmatch(r'\+CSCS="(IRA|GSM|UCS2)"', name):
            self._alphabet = match[1]
            return []
        if match := re.fullmatch(r"\+CG?REG=([012])", name):
            self._tells_cell = match[1] == "2"
            return []
        if re.match(r"\+(CNMI|CSMP|CSDH|CSMS|COPS|CSCA|CFUN)=", name):
            return []
        return self._of_the_card(name, words)

    def _of_the_card(self, name: str, words: str) -> list[str] | None:
        """What needs a SIM."""
        if name == "+CSQ":
            return [f"+CSQ: {21 if self._network and self._sim else 99},99"]
        if name == "+CGATT?":
            return [f"+CGATT: {1 if self._network and self._sim else 0}"]
        if name in ("+CREG?", "+CGREG?"):
            where = ',"1A2B","00C3D4E5",7' if self._tells_cell and self._network and self._sim else ""
            state = 1 if self._network and self._sim else 0
            return [f"{name[:-1]}: {2 if self._tells_cell else 0},{state}{where}"]
        if not self._sim:
            raise _Error("CME", CME_NO_SIM) if self._errors else _Error()
        if name == "+CPIN?":
            return ["+CPIN: READY"]
        if name == "+CIMI":
            return ["460000000000000"]
        if name == "+COPS?":
            return ['+COPS: 0,0,"CHINA MOBILE",7' if self._network else "+COPS: 0"]
        if name == "+CSCA?":
            return ['+CSCA: "+8613800100500",145']
        if name == "+CPMS?":
            used = f'"{self._memory}",{len(self._here)},{PLACES}'
            return [f"+CPMS: {used},{used},{used}"]
        if match := re.match(r'\+CPMS="(ME|MT|SM|SR)"', name):
            self._memory = match[1]
            used = f"{len(self._here)},{PLACES}"
            return [f"+CPMS: {used},{used},{used}"]
        if match := re.fullmatch(r'\+CMGS=(?:(\d+)|"([^"]+)"(?:,\d+)?)', words, re.IGNORECASE):
            self._writing = (None if match[1] else self._spelt(match[2]),)
            self._say(b"\r\n> ")
            return None
        if match := re.fullmatch(r'\+CMGL(?:="?([A-Z0-4 ]+)"?)?', name):
            return self._listed(match[1] or "0")
        if match := re.fullmatch(r"\+CMGR=(\d+)", name):
            return self._read(int(match[1]))
        if match := re.fullmatch(r"\+CMGD=(\d+)(?:,([0-4]))?", name):
            return self._forget(int(match[1]), int(match[2] or 0))
        raise _Error()

    @property
    def _here(self) -> dict[int, tuple[int, str]]:
        """What lies in the chosen memory: all is on the card, the others exist and are empty, as on real ones."""
        return self._stored if self._memory == "SM" else {}

    def _spelt(self, text: str) -> str:
        return bytes.fromhex(text).decode("utf-16-be") if self._alphabet == "UCS2" else text

    def _send(self, number: str | None, text: bytes) -> list[str]:
        if not self._network:
            raise _Error("CMS", CMS_NO_NETWORK)
        if not self._accepts:
            raise _Error("CMS", CMS_REFUSED)
        words = text.decode("latin-1").strip("\r\n")
        one = read_submit(words) if number is None else Submit(number, self._spelt(words))
        parts = self._parts.setdefault((one.number, one.reference), {})
        parts[one.part] = one.text
        if len(parts) == one.parts:
            del self._parts[one.number, one.reference]
            whole = "".join(parts[place] for place in sorted(parts))
            self._sent.append({"number": one.number, "text": whole, "parts": one.parts})
            with self._kept.open("a", encoding="utf-8") as file:
                file.write(f"{one.number}\t{whole!r}\n")
        self._references += 1
        return [f"+CMGS: {self._references % 256}"]

    def _listed(self, which: str) -> list[str]:
        wanted = {"0": {0}, "REC UNREAD": {0}, "1": {1}, "REC READ": {1}, "4": {0, 1}, "ALL": {0, 1}}.get(
            which, set()
        )
        lines: list[str] = []
        for place, (state, pdu) in sorted(self._here.items()):
            if state in wanted:
                lines += self._shown(f"+CMGL: {place},", state, pdu)
                self._stored[place] = (1, pdu)
        return lines

    def _read(self, place: int) -> list[str]:
        if place not in self._here:
            raise _Error("CMS", CMS_NO_SUCH)
        state, pdu = self._stored[place]
        self._stored[place] = (1, pdu)
        return self._shown("+CMGR: ", state, pdu)

    def _shown(self, head: str, state: int, pdu: str) -> list[str]:
        if self._pdu_mode:
            return [f"{head}{state},,{len(pdu) // 2 - 1}\r\n{pdu}"]
        # A DELIVER's originating address and text, read like a SUBMIT's: both begin alike.
        digits = int(pdu[4:6], 16)
        figures = pdu[8 : 8 + digits + digits % 2]
        number = "".join(figures[at + 1] + figures[at] for at in range(0, len(figures), 2)).rstrip("F")
        data = pdu[8 + len(figures) + 4 + 14 + 2 :]
        text = data if self._alphabet == "UCS2" else bytes.fromhex(data).decode("utf-16-be", "replace")
        return [f'{head}"{"REC READ" if state else "REC UNREAD"}","+{number}"\r\n{text}']

    def _forget(self, place: int, which: int) -> list[str]:
        if which == 4:
            self._here.clear()
        elif which:
            for one in [one for one, kept in self._here.items() if kept[0]]:
                del self._here[one]
        elif self._here.pop(place, None) is None:
            raise _Error("CMS", CMS_NO_SUCH)
        return []
