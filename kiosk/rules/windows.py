"""The hall's windows as plain data: who serves what, and who is open. Read by ``kiosk/windows.py``."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Window:
    """One window. ``skills`` are the codes of its items; ``sign`` the LED sign above it ("" none), ``printer`` its own.

    ``opened_ms`` is None while it is closed; ``by`` opened it; ``why`` it was closed last (a pause's reason).
    """

    id: str
    zh: str
    en: str
    number: int
    skills: frozenset[str]
    printer: str = ""
    sign: str = ""
    own: bool = False
    retired_ms: int | None = None
    #: nobody in this community has confirmed its place yet (the catalogue's word)
    confirm_locally: bool = False
    opened_ms: int | None = None
    by: str = ""
    why: str = ""

    @property
    def open(self) -> bool:
        return self.opened_ms is not None

    def say(self, lang: str) -> str:
        """As a person finds it: the number that the voice says and that stands above it, then the name."""
        return f"{self.sign_of(lang)} {self.en if lang == 'en' else self.zh}".strip()

    def sign_of(self, lang: str) -> str:
        """The number alone, "2号"; "" where the name has it ("2号窗口"): nothing is numbered twice."""
        if str(self.number) in (self.en if lang == "en" else self.zh):
            return ""
        return f"{self.number}:" if lang == "en" else f"{self.number}号"


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows at one moment, in the order of their numbers. ``all`` is those in use; ``retired`` the others."""

    all: tuple[Window, ...]
    retired: tuple[Window, ...] = ()
    _by_code: dict[str, tuple[Window, ...]] = field(default_factory=dict, repr=False)

    def window(self, window_id: str | None) -> Window | None:
        """Also a retired one: history names it."""
        return next((one for one in (*self.all, *self.retired) if one.id == window_id), None)

    def windows_for(self, code: str) -> tuple[Window, ...]:
        """The windows that serve an item, open or not."""
        if code not in self._by_code:
            self._by_code[code] = tuple(one for one in self.all if code in one.skills)
        return self._by_code[code]

    def open_for(self, code: str) -> tuple[Window, ...]:
        return tuple(one for one in self.windows_for(code) if one.open)

    def served_at(self, window_id: str) -> frozenset[str]:
        """The codes of the items that a window in use serves."""
        return next((one.skills for one in self.all if one.id == window_id), frozenset())

    def same_line(self, code: str) -> frozenset[str]:
        """The codes of all items that wait for the same windows as this one."""
        return frozenset().union(*(one.skills for one in self.windows_for(code)))
