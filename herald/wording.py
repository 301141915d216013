"""What the herald says and understands. Pure: texts in, texts out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

#: Pauses between two attempts: 2 s, 4 s … A helper's network is back within seconds or not for minutes.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 60.0
#: What a helper answers who comes. "收到" (received) is no promise, and not here.
_COMING = frozenset(
    {
        "1",
        "来了",
        "我来",
        "我来了",
        "来",
        "我去",
        "去",
        "马上来",
        "马上到",
        "马上去",
        "接单",
        "coming",
        "onmyway",
        "yes",
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended. ``final``: trying again changes nothing (no such channel, no such number)."""

    ok: bool
    why: str = ""
    final: bool = False


def why(zh: str, en: str) -> str:
    """A reason as it stands in the message's row: Chinese first."""
    return f"{zh} / {en}"


NO_NETWORK = why("没有网络", "no network")
NO_ANSWER = why("对方没有回答", "no answer in time")
NO_CONNECTION = why("连不上对方", "cannot be reached")
CALL_OVER = why("呼叫已经办结", "the call is over")
REPLACED = why("已由更新的消息代替", "replaced by a newer message")
TOO_OLD = why("太久没能发出", "could not be sent for too long")
NOT_A_CHANNEL = why("联系方式写得不对，请在工作台修改", "no such channel: mend it in the console")
NOT_A_NUMBER = why("手机号写得不对，请在工作台修改", "no telephone number: mend it in the console")
NO_MODEM = why("没有配置短信模块（hall.toml 的 [sms] port）", "no modem in hall.toml ([sms] port)")


def compose(text: str, link: str, by_sms: bool, languages: Sequence[str]) -> str:
    """The words that go out about a call: the ladder's, and how to take it.

    :param link: "" where the hall has no address that a telephone could open ([http] base_url).
    """
    lines = [text]
    if link:
        lines.append(f"{_both('接单', 'Take it', languages)}: {link}")
    if by_sms:
        lines.append(_both("回复 1 接单", "Reply 1 to take it", languages))
    if not link and not by_sms:
        lines.append(
            _both("请到工作台接单，或打电话到大厅", "Take it at a console, or call the hall", languages)
        )
    return "\n".join(lines)


def _both(zh: str, en: str, languages: Sequence[str]) -> str:
    """In the languages of the hall, in one line: a short message has 70 signs."""
    return " ".join(words for language, words in (("zh", zh), ("en", en)) if language in languages)


def pause_s(attempts: int) -> float:
    """How long to wait after so many attempts have failed."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 16))


def digits(number: str) -> str:
    """A telephone number for comparing: figures only, without China's prefix. "" where it is none."""
    figures = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", number))
    if not re.fullmatch(r"\+?\d{3,20}", figures):
        return ""
    bare = figures.removeprefix("+").removeprefix("00")
    return bare[2:] if bare.startswith("86") and len(bare) == 13 else bare


def means_coming(text: str) -> bool:
    """Whether these words of a helper are a promise to come."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum()) in _COMING


def scheme(channel: str) -> str:
    """What may be said aloud of an address: behind the scheme there may be a key."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.\-]{0,30}):", channel)
    return found[1].lower() if found else "?"


def lane_of(channel: str) -> str:
    """Those who share a lane wait for each other: the same scheme and host."""
    if scheme(channel) == "sms":
        return "sms"
    rest = channel.partition("://")[2]
    return f"{scheme(channel)}://{re.split(r'[/?#]', rest, maxsplit=1)[0].rpartition('@')[2]}"


def without_secrets(text: str, channel: str) -> str:
    """A library's words, without any piece of the address in them."""
    for piece in sorted(set(re.split(r"[/:@?&=#,\s]+", channel.partition("://")[2])), key=len, reverse=True):
        if len(piece) >= 5:
            text = text.replace(piece, "…")
    return " ".join(text.split())[:200]


def accepted_words(place: str, languages: Sequence[str]) -> str:
    """To the one helper who has accepted by SMS, and has no screen to look at: where to go."""
    if "zh" in languages:
        return f"【邻里】已登记您去处理：{place}。到了请告诉服务大厅。"
    return f"Linli: you are on the way to {place}. Tell the hall when you are there."


def refused_words(why_zh: str, why_en: str, languages: Sequence[str]) -> str:
    return f"【邻里】{why_zh}。" if "zh" in languages else f"Linli: {why_en}."


def not_understood_words(languages: Sequence[str]) -> str:
    if "zh" in languages:
        return "【邻里】没有看懂您的回复。回复 1 表示您去处理。"
    return "Linli: this was not understood. Reply 1 if you are coming."
