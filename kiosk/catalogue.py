"""The catalogue: 31 services in 3 categories, read from one file that the community edits.

The dataclasses below *are* the schema, as in ``devices/plan.py``: a key is a field. A mistake is answered with
file, line, key and the nearest right name, and nothing is started with half a catalogue.

A field named in an item's ``confirm_locally`` is a typical value that nobody in this community has confirmed:
screens show `AS_CONFIRMED` in its place (`Service.told`). To confirm it, take its name off that list.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from devices.faults import HallFileFault

SERVICES = 31
CATEGORIES = 3
AS_CONFIRMED = {"zh": "以窗口答复为准", "en": "as the window confirms"}

Lang = Literal["zh", "en"]
_SERVICE_CODE = re.compile(r"[A-Z]{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Text:
    """One text in the hall's two languages."""

    zh: str
    en: str

    def say(self, lang: str) -> str:
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Alias:
    """An everyday name of an item: 漏水, lou shui, ls."""

    zh: str
    pinyin: str
    initials: str


@dataclass(frozen=True, slots=True)
class Category:
    """党务, 政务 or 物业. ``ticket_prefix`` is the letter of its numbers."""

    id: str
    code: str
    zh: str
    en: str
    ticket_prefix: str
    ticket_word_zh: str


@dataclass(frozen=True, slots=True)
class Window:
    """A window or room of the hall where an item is done."""

    id: str
    zh: str
    en: str
    confirm_locally: bool


@dataclass(frozen=True, slots=True)
class Limit(Text):
    """A time limit; ``value`` counts in ``mode`` and is None where there is nothing to count."""

    mode: Literal["instant", "minutes", "hours", "working_days", "calendar_days", "month", "none", "local"]
    value: int | None


@dataclass(frozen=True, slots=True)
class FirstResponse:
    """Within what time somebody answers; ``urgent_minutes`` for the urgent variant."""

    mode: Literal["instant", "minutes", "hours", "working_days", "calendar_days"]
    value: int
    urgent_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class TimeLimit:
    statutory: Limit
    promised: Limit
    first_response: FirstResponse


@dataclass(frozen=True, slots=True)
class Law:
    """A legal basis and how sure we are of it."""

    title: str
    article: str
    evidence: Literal["text", "secondary", "memory"]


@dataclass(frozen=True, slots=True)
class Service:
    """One item. Field names are the file's own keys."""

    code: str
    name_zh: str
    pinyin: str
    initials: str
    name_en: str
    category: str
    category_zh: str
    category_en: str
    ticket_prefix: str
    ticket_word_zh: str
    desc_zh: str
    desc_en: str
    aliases: tuple[Alias, ...]
    who_zh: str
    who_en: str
    materials: tuple[Text, ...]
    steps: tuple[Text, ...]
    time_limit: TimeLimit
    fee: Text
    window: str
    window_zh: str
    window_en: str
    role_zh: str
    role_en: str
    kind: Literal["ticket", "request", "report", "consult"]
    needs_ticket: bool
    agent_allowed: bool
    agent_note_zh: str
    agent_note_en: str
    home_visit: bool
    elder_priority: bool
    acceptance: Literal["community_final", "accept_and_forward", "property_company"]
    result_zh: str
    result_en: str
    kiosk_fields: tuple[str, ...]
    sensitive_data: bool
    urgent: Text | None
    season: Text | None
    phone: str
    legal_basis: tuple[Law, ...]
    confirm_locally: tuple[str, ...]
    note_zh: str = ""
    note_en: str = ""

    def say(self, name: str, lang: str) -> str:
        """A text by its name without language: ``say("name", "en")``."""
        return typing.cast(str, getattr(self, f"{name}_{'en' if lang == 'en' else 'zh'}"))

    def confirmed(self, name: str) -> bool:
        return name not in self.confirm_locally

    def told(self, name: Literal["promised", "fee", "phone", "window"], lang: str) -> str:
        """What a screen may say of a field that needs confirming: its value, or `AS_CONFIRMED`.

        The window is told either way, because a person must know where to walk; screens mark it.
        """
        lang = "en" if lang == "en" else "zh"
        if name == "window":
            return self.say("window", lang)
        if not self.confirmed(name):
            return AS_CONFIRMED[lang]
        if name == "phone":
            return self.phone
        text = self.fee if name == "fee" else self.time_limit.promised
        return text.en if lang == "en" else text.zh


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All items, checked, in the file's order."""

    categories: tuple[Category, ...]
    windows: tuple[Window, ...]
    services: tuple[Service, ...]

    def service(self, code: str) -> Service | None:
        return next((one for one in self.services if one.code == code), None)

    def category(self, category_id: str) -> Category | None:
        return next((one for one in self.categories if one.id == category_id), None)

    def services_in(self, category_id: str) -> tuple[Service, ...]:
        return tuple(one for one in self.services if one.category == category_id)

    def unconfirmed(self) -> dict[str, tuple[str, ...]]:
        """code → the fields that the community has not confirmed yet."""
        return {one.code: one.confirm_locally for one in self.services if one.confirm_locally}


@dataclass(frozen=True, slots=True)
class _Counts:
    party: int
    government: int
    property: int
    total: int


@dataclass(frozen=True, slots=True)
class _File:
    schema: int
    locale: str
    compiled: str
    community_placeholder: str
    counts: _Counts
    categories: tuple[Category, ...]
    windows: tuple[Window, ...]
    services: tuple[Service, ...]


def load_catalogue(text: str, file: str) -> Catalogue:
    """Read and check the text of a catalogue; ``file`` is its name for messages.

    :raises HallFileFault: naming file, line and key for: what is no YAML, a missing, unknown or doubled key, a wrong
        type or word, a doubled code, an unknown category or window, anything but 31 items in 3 categories.
    """
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError) as wrong:
        mark = getattr(wrong, "problem_mark", None)
        where = f"{file}, line {mark.line + 1}" if mark is not None else file
        raise HallFileFault(f"{where}: not valid YAML: {getattr(wrong, 'problem', None) or wrong}") from wrong
    if node is None:
        raise HallFileFault(f"{file}: is empty; it must hold {SERVICES} services")
    reader = _Reader(file)
    whole = typing.cast(_File, reader.thing(_File, node, "catalogue"))
    _check(whole, reader)
    return Catalogue(whole.categories, whole.windows, whole.services)


def _check(whole: _File, reader: _Reader) -> None:
    """What no single key can show: unique codes, known windows, 31 in 3, texts that agree."""
    if whole.schema != 1:
        raise reader.fault(("schema",), f"this Linli reads schema 1, not {whole.schema}")
    for name, ids in (
        ("categories", [one.id for one in whole.categories]),
        ("windows", [one.id for one in whole.windows]),
    ):
        for number, one_id in enumerate(ids):
            if one_id in ids[:number]:
                raise reader.fault((name, number, "id"), f"id {one_id!r} is given twice")
    if len(whole.categories) != CATEGORIES:
        raise reader.fault(
            ("categories",), f"there must be {CATEGORIES} categories, not {len(whole.categories)}"
        )
    prefixes = [one.ticket_prefix for one in whole.categories]
    for number, prefix in enumerate(prefixes):
        if not re.fullmatch("[A-Z]", prefix) or prefix in prefixes[:number]:
            raise reader.fault(
                ("categories", number, "ticket_prefix"),
                f"must be one capital letter of its own, not {prefix!r}",
            )
    categories = {one.id: one for one in whole.categories}
    windows = {one.id: one for one in whole.windows}
    codes: dict[str, int] = {}
    for number, service in enumerate(whole.services):
        at = ("services", number)
        if not _SERVICE_CODE.fullmatch(service.code):
            raise reader.fault((*at, "code"), f"must look like ZW-01, not {service.code!r}")
        if service.code in codes:
            first = reader.line(("services", codes[service.code], "code"))
            raise reader.fault((*at, "code"), f"code {service.code!r} is already used on line {first}")
        codes[service.code] = number
        category, window = categories.get(service.category), windows.get(service.window)
        if category is None:
            raise reader.fault((*at, "category"), _near(service.category, categories, "category"))
        if window is None:
            raise reader.fault((*at, "window"), _near(service.window, windows, "window"))
        for key, must in (
            ("category_zh", category.zh),
            ("category_en", category.en),
            ("ticket_prefix", category.ticket_prefix),
            ("ticket_word_zh", category.ticket_word_zh),
            ("window_zh", window.zh),
            ("window_en", window.en),
        ):
            if (have := getattr(service, key)) != must:
                raise reader.fault((*at, key), f"must be {must!r} as above, not {have!r}")
    if len(whole.services) != SERVICES:
        raise reader.fault(("services",), f"there must be {SERVICES} services, not {len(whole.services)}")
    for name in (*categories, "total"):
        have = sum(one.category == name for one in whole.services) if name != "total" else len(whole.services)
        said = getattr(whole.counts, name, None)
        if said is not None and said != have:
            raise reader.fault(("counts", name), f"says {said}, but there are {have}")


def _near(word: str, known: typing.Iterable[str], what: str) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
    return f"unknown {what} {word!r}; {hint}"


_Path = tuple[str | int, ...]


class _Reader:
    """Walks YAML's nodes beside the dataclasses and remembers on which line each key stands."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[_Path, int] = {}

    def line(self, path: _Path) -> int:
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def fault(self, path: _Path, why: str) -> HallFileFault:
        spelled = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(
            "."
        )
        return HallFileFault(f"{self._file}, line {self.line(path)}: {spelled}: {why}")

    def thing(self, cls: Any, node: yaml.Node, path: str | _Path) -> object:
        path = () if isinstance(path, str) else path
        self._lines.setdefault(path, node.start_mark.line + 1)
        if not isinstance(node, yaml.MappingNode):
            raise self.fault(path, f"must be a table of keys, not {_say(node)}")
        fields = {one.name: one for one in dataclasses.fields(cls)}
        hints = typing.get_type_hints(cls)
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            here = (*path, key)
            self._lines[here] = key_node.start_mark.line + 1
            if key not in fields:
                raise self.fault(here, _near(key, fields, "key"))
            if key in values:
                raise self.fault(here, f"key {key!r} is given twice")
            values[key] = self.value(hints[key], value_node, here)
        for name, one in fields.items():
            if name not in values and one.default is dataclasses.MISSING:
                raise self.fault(path, f"needs {name!r}")
        return cls(**values)

    def value(self, hint: Any, node: yaml.Node, path: _Path) -> object:
        origin = typing.get_origin(hint)
        if origin in (types.UnionType, typing.Union):
            if node.tag == "tag:yaml.org,2002:null":
                return None
            return self.value(next(one for one in typing.get_args(hint) if one is not type(None)), node, path)
        if origin is tuple:
            if not isinstance(node, yaml.SequenceNode):
                raise self.fault(path, f"must be a list, not {_say(node)}")
            inner = typing.get_args(hint)[0]
            for number, one in enumerate(node.value):
                self._lines[(*path, number)] = one.start_mark.line + 1
            return tuple(self.value(inner, one, (*path, number)) for number, one in enumerate(node.value))
        if dataclasses.is_dataclass(hint):
            return self.thing(hint, node, path)
        words = typing.get_args(hint) if origin is Literal else ()
        wanted = str if words else hint
        # The tag is what YAML itself takes the value for: `no` unquoted is a bool, not a text.
        if not isinstance(node, yaml.ScalarNode) or _TAGS.get(node.tag) is not wanted:
            raise self.fault(path, f"must be {_NAMES[wanted]}, not {_say(node)}")
        if wanted is bool:
            return node.value.lower() in ("true", "yes", "on")
        if wanted is int:
            try:
                return int(node.value)
            except ValueError:
                raise self.fault(path, f"must be a plain whole number, not {node.value!r}") from None
        if words and node.value not in words:
            raise self.fault(path, f"must be one of {', '.join(words)}, not {node.value!r}")
        return node.value


_TAGS: dict[str, type] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:bool": bool,
}
_NAMES: dict[type, str] = {str: "a text", int: "a whole number", bool: "true or false"}


def _say(node: yaml.Node) -> str:
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        return "a table"
    return "nothing" if node.tag.endswith(":null") else f"{node.value!r:.60}"
