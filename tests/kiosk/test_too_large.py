"""What is too large, through the real door: said in the reader's language, heard to its end, kept nowhere."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from kiosk import account_rows, too_large
from kiosk.accounts import Accounts
from kiosk.core import Core
from kiosk.passwords import hash_password

PAGE = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def line(address: str) -> Iterator[http.client.HTTPConnection]:
    told = urlsplit(address)
    line = http.client.HTTPConnection(str(told.hostname), told.port, timeout=10)
    yield line
    line.close()


def ask(
    line: http.client.HTTPConnection, method: str, path: str, body: object = None, **more: dict[str, str]
) -> tuple[int, str]:
    line.request(method, path, body, encode_chunked=not isinstance(body, bytes | None), **more)  # type: ignore[arg-type]
    answer = line.getresponse()
    return answer.status, answer.read().decode()


def test_a_note_of_any_size_gets_an_answer_in_words_and_the_connection_goes_on(
    line: http.client.HTTPConnection,
) -> None:
    """Some of these bodies are kept until Flask refuses them, some are not; one comes in pieces, its size unsaid."""
    for size in (100_000, 1_048_576, too_large.KEPT_AT_MOST, 9_000_000):
        status, told = ask(line, "POST", "/api/requests", b'{"words":"' + b"x" * size, headers=JSON)
        assert (status, json.loads(told)["error"]["code"]) == (413, "too_large"), size
        assert "您写的还在" in told and "still there" in told
    pieces = (b"x" * 65_536 for _ in range(80))
    status, told = ask(
        line, "POST", "/api/requests", pieces, headers={**JSON, "Transfer-Encoding": "chunked"}
    )
    assert (status, json.loads(told)["error"]["code"]) == (413, "too_large")
    first = line.sock
    status, told = ask(line, "POST", "/calibrate?lang=en", b"do=open&code=" + b"1" * 5_000_000, headers=PAGE)
    assert status == 413
    assert "Too long (64 KB at most)" in told and "</html>" in told
    assert ask(line, "GET", "/livez")[0] == 200
    assert line.sock is first, "all of it was heard, and the same connection still answers"


def test_a_voice_that_is_too_large_is_refused_as_a_voice(line: http.client.HTTPConnection) -> None:
    status, told = ask(line, "POST", "/api/requests/7KQ2M9XA/voice", bytes(5_000_000))
    assert (status, json.loads(told)["error"]["code"]) == (413, "note_too_large")


def test_more_than_anybody_sends_is_answered_before_it_has_come(
    line: http.client.HTTPConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(too_large, "HEARD_AT_MOST", 6_000_000)
    line.putrequest("POST", "/api/requests")
    for name, value in {**JSON, "Content-Length": "5000000000"}.items():
        line.putheader(name, value)
    line.endheaders()
    answer = line.getresponse()
    assert (answer.status, answer.headers["Connection"]) == (413, "close")


@pytest.mark.parametrize(("lang", "words"), [("", "没有收下"), ("lang=en&", "Go back, and make it shorter")])
def test_an_address_that_is_too_long_is_answered_in_words(
    line: http.client.HTTPConnection, lang: str, words: str
) -> None:
    for size in (263_000, 700_000):
        status, told = ask(line, "GET", f"/find?{lang}q={'x' * size}", headers={"Accept": "text/html"})
        assert status == 431, size
        assert words in told and "</html>" in told
    status, told = ask(line, "GET", f"/api/find?q={'x' * 300_000}")
    assert (status, json.loads(told)["error"]["code"]) == (431, "address_too_long")


def test_staff_are_told_in_their_own_frame_and_language(line: http.client.HTTPConnection, core: Core) -> None:
    """The cookies that say who asks come after the address, and may come in a piece of their own."""
    accounts = Accounts(core.writer.write, core.reader, core.now_ms, core.house.home)
    made = hash_password("correct horse battery")
    core.writer.write(lambda c: account_rows.insert_staff(c, "李强", "staff", made, False, "", core.now_ms()))
    cookie = accounts.sign_in("李强", "correct horse battery", "127.0.0.1")
    known = {"Accept": "text/html", "Cookie": f"linli_console_lang=en; linli_staff={cookie}"}
    for size in (263_000, 700_000):
        status, told = ask(line, "GET", f"/console/search?q={'x' * size}", headers=known)
        assert status == 431
        assert "make it shorter" in told and "console_menu.css" in told and "李强" in told, size
        assert "go to the desk" not in told
    status, told = ask(line, "GET", f"/console/api/search?q={'x' * 300_000}", headers=known)
    assert (status, json.loads(told)["error"]["code"]) == (431, "address_too_long")
    status, told = ask(line, "GET", f"/console?q={'x' * 300_000}", headers={"Accept": "text/html"})
    assert status == 431 and "console_menu.css" in told and "李强" not in told
    ours = {**PAGE, "Origin": f"http://{line.host}:{line.port}", "Cookie": known["Cookie"]}
    status, told = ask(line, "POST", "/console/staff", b"name=" + b"x" * 5_000_000, headers=ours)
    assert status == 413 and "console_menu.css" in told and "nothing was saved" in told
