"""Rubbish of every kind, from a seeded dice: what devices, bridges, strangers and vandals may publish.

Captured messages of real devices (tests/data/devices.jsonl) with bytes or values changed, JSON that no device writes
(duplicate keys, no end to the nesting, numbers without end, NaN, half a surrogate), bytes that are nothing, topics that
nobody has.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from tests.campaign._held import Message, NoText

CAPTURES = Path(__file__).parent.parent / "data" / "devices.jsonl"

STRANGE: list[object] = [
    *(None, True, False, 0, 1, -1, 255, 1 << 31, 1 << 63, 10**30, -(10**300), 0.5, -0.0, 1e308, 1e-320),
    *("", " ", "0", "on", "OFF", "NaN", "\ud800", "\u202e\x00\x1b[2J", "x" * 5000, "'; DROP TABLE calls; --"),
    *([], [[]], [1, "two"], {}, {"value": 1}, {"a": {"b": {"c": {}}}}),
]
_TOKENS = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-1e999",
    b"9" * 400,
    b"0x10",
    b"01",
    b"tru",
    b'"\\ud800"',
]
_PIECES = [
    *(
        "linli",
        "v1",
        "button",
        "bay",
        "press",
        "state",
        "status",
        "lamp",
        "panel",
        "gateway",
        "zigbee2mqtt",
        "event",
    ),
    *(
        "application",
        "device",
        "up",
        "v3",
        "devices",
        "stat",
        "tele",
        "RESULT",
        "shellies",
        "info",
        "alarm",
        "rpc",
    ),
    *(
        "",
        "$SYS",
        "binary_sensor",
        "set",
        "written",
        "0x00158d0001",
        "电",
        "a" * 300,
        "\u202e",
        "x y",
        "\x7f",
        "é",
    ),
]
#: Where our own things speak; no captured message comes there.
OWN_TOPICS = (
    *("linli/v1/button/odd/press", "linli/v1/button/odd/status", "linli/v1/bay/odd/state"),
    *("linli/v1/panel/gate/state", "linli/v1/panel/gate/status"),
)
#: The last words of topics on which any words at all may be a press.
PRESS_TAILS = frozenset(
    {"press", "action", "click", "alarm", "state", "up", "RESULT", "rpc", "input_event", "0", "1"}
)


@dataclass(frozen=True, slots=True)
class Sort:
    """What kind of rubbish a message is: by its maker's name; ``never``: no press by any reading of any protocol."""

    name: str
    never: bool = False


class Rubbish:
    """``next()`` without end."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        rows = [json.loads(line) for line in CAPTURES.read_text(encoding="utf-8").splitlines()]
        self._captures = [
            (
                row["topic"].replace("<", "").replace(">", ""),
                row["payload"],
                json.dumps(row["payload"]).encode(),
            )
            for row in rows
            if row.get("topic") and not set("+#") & set(row["topic"])
        ]
        self._makers = (
            *(self._spoiled_bytes, self._spoiled_bytes, self._spoiled_values, self._spoiled_values),
            *(self._odd_json, self._noise, self._noise, self._own_words, self._strange_topic, self._monster),
        )

    def next(self) -> tuple[Sort, Message]:
        """One piece of rubbish; now and then retained, or said to be sent again."""
        sort, message = self.dice.choice(self._makers)()
        message.retain, message.dup = self.dice.random() < 0.05, self.dice.random() < 0.05
        message.qos = self.dice.randrange(2)
        return sort, message

    def _spoiled_bytes(self) -> tuple[Sort, Message]:
        topic, _, payload = self.dice.choice(self._captures)
        spoiled, dice = bytearray(payload), self.dice
        for _ in range(dice.randrange(1, 8)):
            if spoiled:
                spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
        if dice.random() < 0.3:
            del spoiled[dice.randrange(len(spoiled) + 1) :]
        return Sort("spoiled bytes"), Message(self._also_strange(topic), bytes(spoiled))

    def _spoiled_values(self) -> tuple[Sort, Message]:
        topic, body, _ = self.dice.choice(self._captures)
        strange = json.dumps(self._with_strange_values(body)).encode()
        return Sort("spoiled values"), Message(self._also_strange(topic), strange)

    def _odd_json(self) -> tuple[Sort, Message]:
        topic, _, payload = self.dice.choice(self._captures)
        dice = self.dice
        if dice.random() < 0.5:
            keys = [piece.split(b'"')[1] for piece in payload.split(b",") if piece.count(b'"') >= 2]
            key = dice.choice(keys or [b"action"])
            odd = b'{"' + key + b'":' + dice.choice(_TOKENS) + b"," + payload[1:]
        else:
            numbers = [
                place for place, sign in enumerate(payload) if sign in b":" and place + 1 < len(payload)
            ]
            place = dice.choice(numbers) + 1 if numbers else 0
            odd = payload[:place] + dice.choice(_TOKENS) + payload[place:]
        return Sort("odd JSON"), Message(topic, odd)

    def _noise(self) -> tuple[Sort, Message]:
        topic = self.dice.choice(self._captures)[0] if self.dice.random() < 0.6 else self._any_topic()
        noise = b"\xff" + self.dice.randbytes(self.dice.randrange(0, 300))
        return Sort("noise", never=topic.rpartition("/")[2] not in PRESS_TAILS), Message(topic, noise)

    def _own_words(self) -> tuple[Sort, Message]:
        """Our own protocol, spoken wrongly."""
        dice = self.dice
        kind, tail = dice.choice(
            (
                *(("button", "press"), ("button", "status"), ("bay", "state"), ("bay", "status")),
                *(("panel", "state"), ("panel", "status")),
            )
        )
        name = dice.choice(
            ("odd", "odd-1", "", "a" * 200, "é", "odd/er", "screen:kiosk-1", "gpio-desk", "\x7f")
        )
        words = {
            key: dice.choice((dice.choice(STRANGE), 1, "9f3a77c0d1e2b4f5"))
            for key in (
                "boot",
                "seq",
                "press",
                "button",
                "age_ms",
                "occupied",
                "battery_pct",
                "battery_mv",
                "every_s",
                "text",
                "number",
            )
            if dice.random() < 0.7
        }
        return Sort("own words"), Message(f"linli/v1/{kind}/{name}/{tail}", json.dumps(words).encode())

    def _strange_topic(self) -> tuple[Sort, Message]:
        payload = self.dice.choice(self._captures)[2]
        if self.dice.random() < 0.1:
            return Sort("no topic", never=True), NoText("", payload)
        return Sort("strange topic"), Message(self._any_topic(), payload)

    def _monster(self) -> tuple[Sort, Message]:
        dice = self.dice
        topic = dice.choice((dice.choice(self._captures)[0], dice.choice(OWN_TOPICS)))
        deep = dice.choice((50, 1000, 20_000))
        payload = dice.choice(
            (
                b"",
                b"[" * deep,
                b'{"a":' * deep + b"1" + b"}" * deep,
                b"[" * deep + b"]" * deep,
                b'{"' + b"k" * deep + b'":1}',
                b"\x00" * deep,
                b"\xef\xbb\xbf{}",
                b"\xed\xa0\x80",
                b"null",
                b"9" * deep,
                b"{" + b'"a":1,' * deep + b'"a":2}',
                b"x" * 70_000,
            )
        )
        return Sort("monster", never=topic.rpartition("/")[2] not in PRESS_TAILS), Message(topic, payload)

    # ---------------------------------------------------------------- pieces

    def _any_topic(self) -> str:
        dice = self.dice
        pieces = (
            dice.choice(_PIECES) if dice.random() < 0.8 else f"{dice.randrange(99999):x}"
            for _ in range(dice.randrange(1, 7))
        )
        return "/".join(pieces)

    def _also_strange(self, topic: str) -> str:
        """The capture's own topic; now and then with one part of it changed."""
        if self.dice.random() > 0.1:
            return topic
        parts = topic.split("/")
        parts[self.dice.randrange(len(parts))] = self.dice.choice(_PIECES)
        return "/".join(parts)

    def _with_strange_values(self, value: object) -> object:
        if self.dice.random() < 0.1:
            return self.dice.choice(STRANGE)
        if isinstance(value, dict):
            return {key: self._with_strange_values(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._with_strange_values(item) for item in value]
        return value
