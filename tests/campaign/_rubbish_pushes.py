"""Rubbish at the door for wearables: ``POST /ingest/<id>`` of a real kiosk with a real gateway behind it.

Every push is answered in its turn, with one of the codes of docs/protocol.md (4.1) and words in both languages; nothing
is set aside; no process dies; and between it all every real SOS is a call before its platform is answered.
"""

from __future__ import annotations

import http.client
import json
import random
import sqlite3
import threading
import time
import urllib.parse
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.campaign._buttons import spread
from tests.campaign._rubbish import CAPTURES, STRANGE, Rubbish
from tests.campaign._units import units
from tests.parts import Json, Seat

TOKEN = "0123456789abcdef-trial"
#: A push of a real watch between so many pieces of rubbish.
SOS_EVERY = 50
#: What may be answered (docs/protocol.md, 4.1); 404, 405 for a door that is none; 413, 414, 431 for what is too large.
CODES = frozenset({200, 400, 401, 404, 405, 413, 414, 431})
_KEYS = (
    "imei",
    "deviceId",
    "sn",
    "type",
    "alarmType",
    "msgId",
    "time",
    "battery",
    "heartrate",
    "content",
    "lat",
    "token",
)
_TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "application/json; charset=utf-16",
    "",
)


def trial(folder: Path, pushes: int, seed: int) -> int:
    """So many pushes; 0: all as it should be."""
    token_file = folder / "token"
    token_file.write_text(TOKEN, encoding="utf-8")
    toml = f'[virtual]\non = false\n[[ingest]]\nid = "watch"\ntoken_file = "{token_file}"\n'
    dice, wrong, codes = random.Random(seed), list[str](), Counter[int]()
    waited_ms: list[float] = []
    with units(folder / "hall", toml, only=("broker", "gateway", "kiosk")) as hall:
        hall.wait_said("gateway", "gateway ready")
        _wait_open(hall.url)
        pids = {part: hall.pid(part) for part in ("gateway", "kiosk")}
        line = http.client.HTTPConnection("127.0.0.1", hall.http_port, timeout=20)
        bodies, rung = Rubbish(seed), 0
        for number in range(1, pushes + 1):
            if number % SOS_EVERY == 0:
                rung += 1
                body = urllib.parse.urlencode({"imei": f"real{rung:06}", "type": "1", "msgId": f"m{rung}"})
                head = {"Content-Type": "application/x-www-form-urlencoded"}
                began_s = time.monotonic()
                code, words = _push(line, f"/ingest/watch?token={TOKEN}", body.encode(), head)
                waited_ms.append((time.monotonic() - began_s) * 1000)
                if code != 200 or words.get("written") is not True:
                    wrong.append(f"a real SOS was answered {code} {words}")
                continue
            address, body_bytes, head = _rubbish(dice, bodies)
            code, words = _push(line, address, body_bytes, head)
            codes[code] += 1
            if code not in CODES:
                wrong.append(f"{code} {words} to {address!r} {head} {body_bytes[:120]!r}")
            elif code in (400, 401) and not (words.get("error", {}).get("zh") and words["error"].get("en")):
                wrong.append(
                    f"{code} without words in both languages to {address!r} {body_bytes[:120]!r}: {words}"
                )
        line.close()
        seat = Seat(hall.house.gateway_socket)
        counts = seat.order("statistics")["statistics"]["counts"]
        seat.close()
        wrong += [f"{part} died" for part, pid in pids.items() if hall.pid(part) != pid]
    with closing(sqlite3.connect(hall.home / "gateway.db")) as book:
        question = "SELECT count(*), sum(presses) FROM calls WHERE device_id LIKE 'http_push:real%'"
        calls, presses = book.execute(question).fetchone()
        others = book.execute(
            "SELECT count(*) FROM calls WHERE device_id NOT LIKE 'http_push:real%'"
        ).fetchone()[0]
        sound = book.execute("PRAGMA integrity_check").fetchone()[0]
    if (calls, presses) != (rung, rung):
        wrong.append(f"{rung} real SOS, {calls} calls with {presses} presses")
    if counts.get("set_aside", 0):
        wrong.append(f"{counts['set_aside']} set aside as a mistake of ours")
    print(
        f"  pushes over HTTP: {sum(codes.values())} of rubbish, answered {dict(sorted(codes.items()))}, {others} calls "
        f"of theirs; {rung} real SOS between: {spread(waited_ms)}; notebook {sound}"
    )
    for words_ in list(dict.fromkeys(wrong))[:10]:
        print(f"    ! {words_[:500]}")
    return 1 if wrong or sound != "ok" else 0


def _wait_open(url: str) -> None:
    """Until the kiosk has the gateway: a push of nothing is refused as such, and not for want of it."""
    port = int(url.rpartition(":")[2])
    pause = threading.Event()
    for _ in range(300):
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            head = {"Content-Type": "application/json"}
            code, _ = _push(line, f"/ingest/watch?token={TOKEN}", b'{"imei": "hello", "type": 3}', head)
            line.close()
            if code == 200:
                return
        except OSError:
            pass
        pause.wait(0.1)
    raise AssertionError("the kiosk does not answer")


def _push(
    line: http.client.HTTPConnection, address: str, body: bytes, head: dict[str, str]
) -> tuple[int, Json]:
    try:
        line.request("POST", address, body, head)
        answer = line.getresponse()
    except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
        # The line may have been closed after an answer; asked anew, once.
        line.close()
        line.request("POST", address, body, head)
        answer = line.getresponse()
    said = answer.read()
    try:
        words = json.loads(said)
    except ValueError:
        words = {}
    return answer.status, words if isinstance(words, dict) else {}


_PUSHED = [
    row["payload"]
    for row in map(json.loads, CAPTURES.read_text(encoding="utf-8").splitlines())
    if isinstance(row["payload"], dict)
]


def _rubbish(dice: random.Random, bodies: Rubbish) -> tuple[str, bytes, dict[str, str]]:
    """Address, body and header of one push."""
    token = TOKEN if dice.random() < 0.9 else dice.choice(("", "x", "é", "0" * 5000))
    address = f"/ingest/{dice.choice(('watch',) * 20 + ('nobody', '%00', 'a' * 300))}"
    head = {"Content-Type": dice.choice(_TYPES)}
    if dice.random() < 0.5:
        address += "?token=" + urllib.parse.quote(token)
    else:
        head["X-Token"] = token.encode("ascii", "replace").decode()
    sort = dice.random()
    if sort < 0.4:
        _, message = bodies.next()
        return address, bytes(message.payload), head
    fields: dict[str, object] = dict(dice.choice(_PUSHED)) if sort < 0.6 else {}
    for _ in range(dice.randint(0, 8)):
        fields[dice.choice(_KEYS)] = (
            dice.choice(STRANGE) if dice.random() < 0.6 else dice.choice(("1", 9, "SOS", "x9"))
        )
    if sort > 0.8:
        words = {key: str(value).encode("utf-8", "replace") for key, value in fields.items()}
        return address, urllib.parse.urlencode(words).encode(), head
    return address, json.dumps(fields).encode(), head
