"""What a model of printer can do, read from ``profiles.toml`` once at start.

A mistake in that file is answered as one in hall.toml: with the file, the profile, the key and the nearest name.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from devices.faults import HallFileFault

PROFILES_FILE = Path(__file__).with_name("profiles.toml")


@dataclass(frozen=True, slots=True)
class Profile:
    """One model. The fields are explained at the head of ``profiles.toml``."""

    name: str
    columns: int
    dots: int
    encoding: str
    has_process_id: bool
    cutter: str
    fs_next_line: bool = False
    reset_at_head: bool = True
    voice: bool = True

    @property
    def dots_per_column(self) -> int:
        """Width of half a Han character: 12 dots in font A."""
        return self.dots // self.columns


_LIMITS = {"encoding": ("gb2312", "gbk", "gb18030"), "cutter": ("partial", "full", "none")}


def read_profiles(text: str, file: str = "profiles.toml") -> dict[str, Profile]:
    """Read all profiles.

    :raises HallFileFault: what is not TOML, an unknown or missing key, a wrong type, an unknown word.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise HallFileFault(f"{file}: not valid TOML: {wrong}") from wrong
    fields = {one.name: one for one in dataclasses.fields(Profile)}
    types = {"str": str, "int": int, "bool": bool}
    profiles: dict[str, Profile] = {}
    for name, table in raw.items():
        if not isinstance(table, dict):
            raise HallFileFault(f"{file}: {name}: must be a table")
        for key, value in table.items():
            if key not in fields:
                near = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
                raise HallFileFault(
                    f"{file}: {name}.{key}: unknown key; "
                    + (f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(fields)}")
                )
            if type(value) is not types[str(fields[key].type)]:
                raise HallFileFault(f"{file}: {name}.{key}: must be {fields[key].type}, not {value!r}")
            if key in _LIMITS and value not in _LIMITS[key]:
                raise HallFileFault(f"{file}: {name}.{key}: must be one of {', '.join(_LIMITS[key])}, not {value!r}")
        missing = [n for n, one in fields.items() if one.default is dataclasses.MISSING and n not in table]
        if missing:
            raise HallFileFault(f"{file}: {name}: needs {missing[0]!r}")
        profile = Profile(**table)
        if not 16 <= profile.columns <= 96 or profile.dots % profile.columns:
            raise HallFileFault(f"{file}: {name}: columns must be from 16 to 96 and divide dots")
        profiles[name] = profile
    return profiles


def load_profiles(file: Path = PROFILES_FILE) -> dict[str, Profile]:
    """The profiles that ship with Linli."""
    return read_profiles(file.read_text(encoding="utf-8"), file.name)


def choose(profiles: dict[str, Profile], name: str, printer: str) -> Profile:
    """The profile that hall.toml names for a printer.

    :raises HallFileFault: there is none of that name; the message has the nearest one.
    """
    if name in profiles:
        return profiles[name]
    near = difflib.get_close_matches(name, profiles, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(profiles)}"
    raise HallFileFault(f"hall.toml: printers: {printer}: unknown profile {name!r}; {hint}")
