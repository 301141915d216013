"""The rules of staff accounts: how often one may try, when a screen locks, what a password must be.

Pure: no clock, no notebook, no hashing. ``accounts.py`` asks these rules and writes down what they say.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Role = Literal["admin", "staff"]
ROLES: tuple[Role, ...] = ("admin", "staff")

#: A console that nobody touched for so long locks itself (OWASP ASVS 5.0, V7: our choice within its advice).
IDLE_AFTER_MS = 15 * 60_000
#: After so long a session ends whatever happened: one working day with its overtime.
ENDS_AFTER_MS = 12 * 3_600_000
#: A clock set back by more than this makes "idle since" meaningless: the screen locks, one password mends it.
CLOCK_SLACK_MS = 60_000

#: (how many wrong passwords, within how long), for one name from one address. OctoPrint's mend of CVE-2022-2822.
TRIES: tuple[tuple[int, int], ...] = ((3, 60_000), (5, 600_000), (10, 3_600_000))
#: For one address whatever the names: a list of names must not give 10 tries each. Our choice: six clumsy people.
TRIES_OF_ADDRESS: tuple[tuple[int, int], ...] = ((60, 3_600_000),)
#: Older attempts count for nothing and are deleted.
LONGEST_WINDOW_MS = 3_600_000

#: NIST SP 800-63B 5.1.1.2: at least 8 characters, no rules of composition. The upper end only bounds the hashing.
PASSWORD_SHORTEST, PASSWORD_LONGEST = 8, 128
NAME_LONGEST = 32

#: The head of every published list of leaked passwords, as far as it has 8 characters or more.
_WORN_OUT = frozenset(
    [
        "12345678",
        "123456789",
        "1234567890",
        "87654321",
        "11111111",
        "00000000",
        "88888888",
        "66666666",
        "password",
        "password1",
        "passw0rd",
        "qwertyui",
        "qwerty123",
        "1qaz2wsx",
        "abc12345",
        "a1234567",
        "iloveyou",
        "adminadmin",
        "admin123",
        "admin888",
        "woaini1314",
    ]
)


@dataclass(frozen=True, slots=True)
class Say:
    """One sentence in both languages, for the person at the screen."""

    zh: str
    en: str


def name_key(name: str) -> str:
    """How names are compared: full-width and half-width, upper and lower case are the same name."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def what_is_wrong_with_name(name: str) -> Say | None:
    """None: it will do."""
    clean = unicodedata.normalize("NFKC", name).strip()
    if not clean:
        return Say("请填写姓名。", "Please fill in a name.")
    if len(clean) > NAME_LONGEST:
        return Say(f"姓名最多 {NAME_LONGEST} 个字。", f"A name has at most {NAME_LONGEST} characters.")
    if any(unicodedata.category(one).startswith("C") for one in clean):
        return Say(
            "姓名里有看不见的字符，请重新输入。", "The name holds an invisible character; type it again."
        )
    return None


def what_is_wrong_with_password(password: str, name: str) -> Say | None:
    """None: it will do. A Chinese sentence is a good password; nothing is asked of its characters."""
    if len(password) < PASSWORD_SHORTEST:
        return Say(
            f"密码至少 {PASSWORD_SHORTEST} 位，现在是 {len(password)} 位。可以用一句话，例如一句诗。",
            f"A password has at least {PASSWORD_SHORTEST} characters, this one has {len(password)}. "
            "A sentence is fine.",
        )
    if len(password) > PASSWORD_LONGEST:
        return Say(
            f"密码最多 {PASSWORD_LONGEST} 位。", f"A password has at most {PASSWORD_LONGEST} characters."
        )
    folded = name_key(password)
    if folded == name_key(name):
        return Say("密码不能和姓名一样。", "The password must not be the name.")
    if folded in _WORN_OUT or len(set(folded)) == 1:
        return Say(
            "这个密码太常见，别人一猜就中，请换一个。",
            "Everybody tries this password first; choose another.",
        )
    return None


def wait_before_try_ms(of_pair_ms: Iterable[int], of_address_ms: Iterable[int], now_ms: int) -> int:
    """How long this name at this address must wait before the next try; 0 means now.

    :param of_pair_ms: when wrong passwords were given for this name from this address.
    :param of_address_ms: the same for this address, whatever the name.

    Attempts from the future (a clock set back) are left out: they would shut everybody out for no reason.
    """
    pair, address = list(of_pair_ms), list(of_address_ms)
    longest = 0
    for times, limits in ((pair, TRIES), (address, TRIES_OF_ADDRESS)):
        for most, window_ms in limits:
            inside = sorted(at for at in times if now_ms - window_ms < at <= now_ms)
            if len(inside) >= most:
                longest = max(longest, inside[-most] + window_ms - now_ms)
    return longest


def is_locked(active_ms: int, locked_ms: int | None, now_ms: int) -> bool:
    """Locked by hand, by idleness, or because the clock ran back and idleness cannot be known."""
    idle_ms = now_ms - active_ms
    return locked_ms is not None or idle_ms >= IDLE_AFTER_MS or idle_ms < -CLOCK_SLACK_MS


def may_see_medical(role: Role, granted: bool) -> bool:
    """Medical notes are for administrators and for whom an administrator has named; each look is journalled."""
    return role == "admin" or granted


def is_over(created_ms: int, now_ms: int) -> bool:
    return now_ms - created_ms >= ENDS_AFTER_MS
