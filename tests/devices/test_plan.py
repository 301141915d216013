"""hall.toml: a mistake is answered with file, line, key and the nearest right name."""

import dataclasses
import tomllib
import typing
from pathlib import Path

import pytest

from devices.faults import HallFileFault
from devices.plan import Plan, read_plan

HALL_TOML = Path("hall.toml").read_text(encoding="utf-8")


def test_the_hall_toml_that_ships_is_understood() -> None:
    plan = read_plan(HALL_TOML)
    assert [printer.id for printer in plan.printers] == ["hall"]
    assert [(panel.id, panel.via) for panel in plan.panels] == [
        ("gate", "mqtt"), ("gate-count", "serial"), ("w3-sign", "serial"),
    ]  # fmt: skip


def test_an_empty_hall_toml_is_a_hall_with_defaults() -> None:
    assert read_plan("") == Plan()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "[http]\nport = true",
            "hall.toml, line 2: http.port: must be a whole number, not true or false (True)",
        ),
        ("[http]\nport = 99999", "hall.toml, line 2: http.port: must be from 1 to 65535, not 99999"),
        ("[htpp]\nport = 1", "hall.toml, line 1: htpp: unknown key; did you mean 'http'?"),
        ("[http]\n# a word\nprot = 1", "hall.toml, line 3: http.prot: unknown key; did you mean 'port'?"),
        (
            "[http]\nlisten = 8",
            "hall.toml, line 2: http.listen: must be text in quotes, not a whole number (8)",
        ),
        (
            "[[printers]]\nid = 'a'\n\n[[printers]]\nid = 'b'\nbuad = 3",
            "hall.toml, line 6: printers[2].buad: unknown key; did you mean 'baud'?",
        ),
        ("[[printers]]\nbaud = 9600", "hall.toml, line 1: printers[1]: needs 'id'"),
        (
            "[[printers]]\nid = 'a'\n[[panels]]\nid = 'a'",
            "hall.toml, line 4: panels[1].id: id 'a' is already used by printers",
        ),
        (
            "[[gpio.buttons]]\nid = 'a'\npin = 17\n[[gpio.beacons]]\nid = 'b'\npin = 17",
            "hall.toml, line 6: gpio.beacons[1].pin: pin 17 is already used by 'a'",
        ),
        (
            "[[printers]]\nid = 'a'\nport = '/dev/tty9'\n[[panels]]\nid = 'b'\nvia = 'serial'\nport = '/dev/tty9'",
            "hall.toml, line 7: panels[1].port: /dev/tty9 is already used by 'a'",
        ),
        (
            "[hall]\ntimezone = 'Asia/Shanghi'",
            "hall.toml, line 2: hall.timezone: there is no time zone 'Asia/Shanghi'; did you mean 'Asia/Shanghai'?",
        ),
        (
            "[hall]\nlanguages = ['zh', 'fr']",
            "hall.toml, line 2: hall.languages[2]: must be one of zh, en, not 'fr'",
        ),
        (
            "[[panels]]\nid = 'gate'\nvia = 'serial'\nunsure = 'nothing'",
            "hall.toml, line 4: panels[1].unsure: must be one of least, full, not 'nothing'",
        ),
        (
            "[[panels]]\nid = 'gate'\nvia = 'serial'\ndriver = 'ascii'\nunsure = 'full'",
            (
                "hall.toml, line 5: panels[1].unsure: this panel shows '--' where too much is unknown; only one that "
                "has digits alone needs 'unsure': via = 'serial' with driver = 'xunpeng'"
            ),
        ),
        (
            "[[panels]]\nid = 'gate'\nzones = ['east', 'west', 'east']",
            "hall.toml, line 3: panels[1].zones[3]: 'east' stands there twice: its bays would be counted twice",
        ),
        ("[gpio]\npins = 'no'", "hall.toml, line 2: gpio.pins: must be one of auto, mock, off, not 'no'"),
        (
            "[metrics]\nallow = ['192.168.1.0/24', 'monitor.local']",
            (
                "hall.toml, line 2: metrics.allow[2]: must be an address or a network, "
                "for example '192.168.1.5' or '192.168.1.0/24', not 'monitor.local'"
            ),
        ),
        ("http = 3", "hall.toml, line 1: http: must be a table, not a whole number (3)"),
        (
            "[hall]\nlanguages = ['zh', 3]",
            "hall.toml, line 2: hall.languages[2]: must be text in quotes, not a whole number (3)",
        ),
        (
            "[[printers]]\nid = 'hall'\nspare = 'desc'\n[[printers]]\nid = 'desk'",
            "hall.toml, line 3: printers[1].spare: there is no other printer 'desc'; did you mean 'desk'?",
        ),
        (
            "[[printers]]\nid = 'hall'\nspare = 'hall'",
            "hall.toml, line 3: printers[1].spare: there is no other printer 'hall'; others here: none",
        ),
        (
            "[[printers]]\nid = 'a'\nscreens = ['k']\n[[printers]]\nid = 'b'\nscreens = ['k']",
            "hall.toml, line 6: printers[2].screens[1]: the slips of 'k' come out at 'a' already",
        ),
        (
            "[[printers]]\nid = '../x'",
            (
                "hall.toml, line 2: printers[1].id: must be 1-32 of a-z 0-9 _ - and begin with a letter or digit, "
                "not '../x'"
            ),
        ),
    ],
)
def test_a_mistake_is_named_where_it_stands(text: str, answer: str) -> None:
    with pytest.raises(HallFileFault) as wrong:
        read_plan(text)
    assert str(wrong.value) == answer


def test_what_is_not_toml_names_the_line() -> None:
    with pytest.raises(HallFileFault, match=r"^hall.toml: not valid TOML: .*line 2"):
        read_plan("[http]\nport =\n")


def _keys(cls: type, prefix: str = "") -> typing.Iterator[str]:
    for name, hint in typing.get_type_hints(cls).items():
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            yield from _keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _written(table: dict[str, typing.Any], prefix: str = "") -> typing.Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _written(value, f"{prefix}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for one in value:
                yield from _written(one, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_key_is_explained_in_the_hall_toml_that_ships() -> None:
    """A key that is only in the code is a key that no technician ever finds."""
    assert set(_keys(Plan)) == set(_written(tomllib.loads(HALL_TOML)))
