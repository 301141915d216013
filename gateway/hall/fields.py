"""An order's fields, read carefully: whatever a screen sends, a rule gets the type it asks for or a clear refusal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from devices.faults import OrderRefused

#: The longest text of one field. A script for staff has some hundred signs.
LONGEST_TEXT = 2000
_NOTHING: Any = object()


def fit(text: str) -> str:
    """A person's words, fit for a notebook and a screen: broken Unicode and control signs become one mark."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)


class Fields:
    """The fields of one order. Each method raises OrderRefused where the field is not what it should be."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self.raw = raw

    def __contains__(self, key: str) -> bool:
        return key in self.raw

    def text(self, key: str, otherwise: str | None = None, *, longest: int = LONGEST_TEXT) -> str:
        """Words. Without ``otherwise`` the field must be there; "" counts as there."""
        raw = self.raw.get(key, otherwise)
        if not isinstance(raw, str):
            raise OrderRefused(f"指令缺少 {key}", f"the order needs {key} as text")
        if len(raw) > longest:
            raise OrderRefused(f"{key} 太长（最多 {longest} 字）", f"{key} is longer than {longest} characters")
        return fit(raw)

    def name(self, key: str, *, longest: int = 200) -> str:
        """Words that may not be empty."""
        words = self.text(key, "", longest=longest).strip()
        if not words:
            raise OrderRefused(f"请填写 {key}", f"{key} must not be empty")
        return words

    def number(self, key: str, otherwise: int | None = None, *, least: int = 0, most: int = 2**53) -> int:
        raw = self.raw.get(key, otherwise)
        if type(raw) is not int:
            raise OrderRefused(f"指令缺少 {key}", f"the order needs {key} as a whole number")
        if not least <= raw <= most:
            raise OrderRefused(f"{key} 应在 {least} 到 {most} 之间", f"{key} must lie between {least} and {most}")
        return raw

    def flag(self, key: str, otherwise: bool = False) -> bool:
        raw = self.raw.get(key, otherwise)
        if not isinstance(raw, bool):
            raise OrderRefused(f"{key} 应为是或否", f"{key} must be true or false")
        return raw

    def choice(self, key: str, among: Collection[str], otherwise: str | None = None) -> str:
        words = self.text(key, otherwise)
        if words not in among:
            raise OrderRefused(
                f"{key} 只能是：{'、'.join(among)}", f"{key} must be one of: {', '.join(among)}"
            )
        return words

    def words(self, key: str, otherwise: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts."""
        raw = self.raw.get(key, otherwise)
        if not isinstance(raw, list | tuple) or not all(isinstance(one, str) for one in raw) or len(raw) > 100:
            raise OrderRefused(f"{key} 应为文字列表", f"{key} must be a list of texts")
        return tuple(fit(one[:LONGEST_TEXT]) for one in raw)
