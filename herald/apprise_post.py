"""Sending by apprise: WeCom, DingTalk, Feishu, SMS gateways, e-mail, and a hundred more. Blocks; for any thread.

apprise is imported when some helper has such an address: 25 MB that a hall without does not spend. It says yes or no;
*why* not, it only logs, so its log is heard here.

WeCom, DingTalk and Feishu answer 200 to everything and put their refusal into the body, which apprise (2.2) does not
read: a wrong key would count as sent. So what comes back is looked at as well.
"""

from __future__ import annotations

import contextvars
import json
import logging
import re
import threading
import warnings
from typing import Any

from herald.wording import (
    NO_ANSWER,
    NO_CONNECTION,
    NO_NETWORK,
    NOT_A_CHANNEL,
    Outcome,
    scheme,
    why,
    without_secrets,
)

#: Seconds to connect and to be answered. apprise's own are 4 each; an SMS gateway abroad needs more.
CONNECT_S, ANSWER_S = 6.0, 10.0
#: Of an answer so much is looked at.
_BODY_AT_MOST = 4000
#: Schemes whose services refuse in the body: the keys under which they put a number that is 0 when all is well.
_REFUSES_IN_BODY = {
    "wecombot": ("errcode",),
    "dingtalk": ("errcode",),
    "feishu": ("code", "StatusCode"),
    "lark": ("code", "StatusCode"),
}


class _Heard:
    """What came back and what was logged during one attempt."""

    def __init__(self) -> None:
        self.body = b""
        self.lines: list[str] = []


#: The attempt of this context. A context goes along where apprise uses a thread of its own; a thread-local would not.
_attempt: contextvars.ContextVar[_Heard] = contextvars.ContextVar("attempt")
_ready = threading.Lock()
_apprise: Any = None


def _heard() -> _Heard:
    """This attempt's; what is said outside of any is kept by nobody."""
    return _attempt.get(_Heard())


class _Ear(logging.Handler):
    """apprise's log, kept for the attempt that caused it. It goes no further: it names addresses."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING or "Exception" in record.getMessage():
            _heard().lines.append(record.getMessage())


def send(address: str, text: str) -> Outcome:
    """One attempt."""
    apprise = load()
    heard = _Heard()
    _attempt.set(heard)
    asset = apprise.AppriseAsset(
        app_id="Linli", app_desc="邻里求助", async_mode=False, storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    post = apprise.Apprise.instantiate(address, asset=asset)
    if post is None:
        return Outcome(False, NOT_A_CHANNEL, final=True)
    post.socket_connect_timeout, post.socket_read_timeout = CONNECT_S, ANSWER_S
    # The service's own method: Apprise.notify would share threads between services, and one that hangs would hold them.
    ok = bool(post.notify(body=text, body_format=apprise.NotifyFormat.TEXT))
    refused = refusal(scheme(address), heard.body)
    if ok and not refused:
        return Outcome(True)
    return Outcome(False, refused or reason(heard.lines, address))


def make_ready() -> None:
    """So that the first message need not wait for the import."""
    load()


def refusal(word: str, body: bytes) -> str:
    """What a service that answers 200 says in the body; "" where it says yes or is not one of those."""
    keys = _REFUSES_IN_BODY.get(word)
    if keys is None or not body:
        return ""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    number = next((said[key] for key in keys if key in said), 0)
    if number in (0, "0"):
        return ""
    words = " ".join(str(said.get("errmsg") or said.get("msg") or "").split())[:80]
    return why(f"对方拒绝（{number} {words}）", f"refused ({number} {words})")


def reason(lines: list[str], address: str) -> str:
    """Why it failed, in words for staff, from what apprise has logged."""
    log = " ".join(lines)
    # The innermost cause first: a connection that timed out is told as a connection error, too.
    for words, told in (
        (r"resol|Name or service|No address associated|Temporary failure|unreachable", NO_NETWORK),
        (r"timed out|Timeout", NO_ANSWER),
        (r"refused|reset by peer|Connection aborted|RemoteDisconnected|No route", NO_CONNECTION),
    ):
        if re.search(words, log):
            return told
    if number := re.search(r"error=(\d+)", log):
        return why(f"对方拒绝（{number[1]}）", f"refused ({number[1]})")
    last = without_secrets(lines[-1], address) if lines else ""
    return why(f"没有发出（{last}）" if last else "没有发出", "not sent")


def load() -> Any:
    """apprise itself, imported once: it takes a second, five on a Pi."""
    global _apprise
    with _ready:
        if _apprise is None:
            import apprise
            import requests

            log = logging.getLogger("apprise")
            log.handlers, log.propagate = [_Ear()], False
            log.setLevel(logging.DEBUG)
            logging.getLogger("urllib3").propagate = False  # its warnings name addresses, too
            session_class: Any = requests.Session
            send_request = session_class.send

            def heard(session: Any, request: Any, **how: Any) -> Any:
                answer = send_request(session, request, **how)
                _heard().body = (answer.content or b"")[:_BODY_AT_MOST]
                return answer

            session_class.send = heard
            with warnings.catch_warnings():
                # Its hundred services are imported with the first address; some of them by modules of Python's past.
                warnings.simplefilter("ignore", DeprecationWarning)
                apprise.Apprise.instantiate("json://localhost")
            _apprise = apprise
    return _apprise
