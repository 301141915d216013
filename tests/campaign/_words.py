"""The words behind a trial's name: ``kills presses=500 kills=10``."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T", int, str, float)


def parameters(words: list[str], **defaults: int | str) -> dict[str, int | str]:
    """The trial's parameters, by name or in their order; what is not given has its default.

    :raises SystemExit: a word that means nothing here: the trial would not be the one that was asked for.
    """
    given = dict(defaults)
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if not equals:
            name, value = (list(defaults)[place] if place < len(defaults) else word), word
        if name not in defaults:
            raise SystemExit(
                f"{word}: this trial has {', '.join(f'{one}={defaults[one]}' for one in defaults)}"
            )
        given[name] = int(value) if isinstance(defaults[name], int) else value
    return given
