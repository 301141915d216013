"""A neighbour takes a call from a telephone: real HTTP, the gateway's real loop, no JavaScript anywhere."""

from __future__ import annotations

import http.cookiejar
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.hall import links
from gateway.hall.links import Link
from gateway.hall.rows import Helper
from kiosk import link_page
from kiosk.__main__ import close_door, open_door
from kiosk.catalogue import Catalogue
from kiosk.core import Core
from kiosk.gateway_link import GatewayLink
from kiosk.live import Hub
from kiosk.writer import Writer
from tests.herald.message_hall import QuietGateway, quiet_gateway
from tests.kiosk.conftest import ROOM
from tests.parts import wait_until

LI, WANG = Helper("h-li", "李四", "grid"), Helper("h-wang", "王五", "building")
#: Everything of Granny Zhang that no preview, no group and no stranger may see.
SECRETS = ("张奶奶", "302", "4711", "钱阿姨", "13900139000", "5550302", "糖尿病")


@dataclass
class LinkHall:
    """A gateway, a kiosk in front of it, and one open call."""

    gateway: QuietGateway
    core: Core
    url: str
    call_id: int

    def link(self, helper: Helper, **more: int) -> str:
        expires_ms = more.get("expires_ms", time.time_ns() // 1_000_000 + links.LIFE_MS)
        secret = self.gateway.loop.state.link_secret
        return f"/a/{links.make(secret, Link(more.get('call_id', self.call_id), helper.helper_id, 0, expires_ms))}"

    @property
    def state(self) -> str:
        return self.gateway.loop.state.calls[self.call_id].state


class Phone:
    """A telephone's browser: it keeps cookies, follows redirects, runs nothing."""

    def __init__(self, hall: LinkHall) -> None:
        self._hall = hall
        self.jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> tuple[int, str]:
        return self._open(urllib.request.Request(self._hall.url + path))

    def tap(self, page: str, path: str, button: str) -> tuple[int, str]:
        """Send the form of this page that has this button."""
        form = re.search(
            rf'<form method="post" action="([^"]*)">\s*<button[^>]* name="do" value="{button}"', page
        )
        assert form, f"no button {button} in {page}"
        where = urllib.parse.urljoin(self._hall.url + path, form[1])
        return self._open(urllib.request.Request(where, urllib.parse.urlencode({"do": button}).encode()))

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()


@pytest.fixture
def hall(tmp_path: Path, catalogue: Catalogue) -> Iterator[LinkHall]:
    with quiet_gateway(tmp_path) as gateway:
        gateway.put(LI, WANG)
        call_id = gateway.a_call_of_granny_zhang()
        house = gateway.house
        writer = Writer(house.kiosk_db, ROOM / "schema")
        writer.start()
        hub = Hub()
        link = GatewayLink(house.gateway_socket, hub)
        core = Core(house, catalogue, writer, link, hub, lambda: time.time_ns() // 1_000_000)
        link.start()
        wait_until(lambda: link.connected, lambda: "the kiosk hears the gateway")
        server = open_door(core, port=0)
        threading.Thread(target=server.run, daemon=True).start()
        yield LinkHall(gateway, core, f"http://127.0.0.1:{server.effective_port}", call_id)
        close_door(core, server)
        hub.close()
        link.stop()
        writer.stop()


def nothing_personal(page: str) -> bool:
    return not [word for word in SECRETS if word in page]


def test_looking_changes_nothing_and_shows_nobody(hall: LinkHall):
    """A chat program makes its preview, the group sees it."""
    path = hall.link(LI)
    for _ in range(3):
        status, page = Phone(hall).get(path)
        assert status == 200 and "紧急求助" in page and "我来了" in page
        assert nothing_personal(page)
    assert hall.state == "HEARD"


def test_one_tap_takes_the_call_shows_the_way_and_the_second_hears_who_was_first(hall: LinkHall):
    phone, path = Phone(hall), hall.link(LI)
    _, page = phone.get(path)
    status, page = phone.tap(page, path, "accept")
    assert (status, hall.state, hall.gateway.loop.state.calls[hall.call_id].accepted_by) == (
        200,
        "COMING",
        "李四",
    )
    for words in (
        "3栋1单元302",
        "张奶奶",
        "门禁 4711",
        "钱阿姨",
        'href="tel:021-5550302"',
        'href="tel:13900139000"',
    ):
        assert words in page
    assert "糖尿病" not in page, "medical notes are for the console"

    assert nothing_personal(Phone(hall).get(path)[1]), "the same link in the group: another telephone"
    status, page_of_wang = Phone(hall).get(hall.link(WANG))
    assert "李四 已经接了这个呼叫" in page_of_wang and nothing_personal(page_of_wang)

    status, page = phone.tap(page, path, "arrived")
    assert status == 200 and "李四" in page and "已到" in page
    assert hall.gateway.loop.state.calls[hall.call_id].arrived_by == "李四"

    assert hall.gateway.order("close_call", call_id=hall.call_id, by="小王", outcome="helped", note="")["ok"]
    status, page = phone.get(path)
    assert status == 410 and "已经办结" in page and nothing_personal(page)


def test_only_the_telephone_that_took_the_call_is_shown_the_way_however_often_it_taps(hall: LinkHall):
    """The link stands in a group; a namesake has a link of his own."""
    phone, second, namesake, path = Phone(hall), Phone(hall), Phone(hall), hall.link(LI)
    hall.gateway.put(replace(LI, helper_id="h-li2"))
    of_namesake = hall.link(replace(LI, helper_id="h-li2"))
    _, form = phone.get(path)
    forms = [(second, path, second.get(path)[1]), (namesake, of_namesake, namesake.get(of_namesake)[1])]
    key = next(cookie.value for cookie in phone.jar if cookie.name == link_page.PHONE_COOKIE)
    token = path.removeprefix("/a/")
    # A double tap: the browser drops the answer to the first, and with it the cookie.
    assert hall.gateway.order("accept_by_link", token=token, key=key)["ok"] and hall.state == "COMING"
    for other, its_path, its_form in forms:
        for _ in range(2):
            status, page = other.tap(its_form, its_path, "accept")
            assert status == 409 and "李四 已接单" in page and nothing_personal(page)
        status, page = other.get(its_path)
        assert status == 200 and "李四 已接单" in page and nothing_personal(page) and "<form" not in page
    for _ in range(2):
        status, page = phone.tap(form, path, "accept")
        assert status == 200 and "3栋1单元302" in page
    assert hall.gateway.order("accept_by_link", token=token)["ok"], "by SMS, to the helper's own number"


def test_two_tap_in_the_same_moment_and_one_of_them_is_named(hall: LinkHall):
    pages = [(Phone(hall), hall.link(helper)) for helper in (LI, WANG)]
    forms = [phone.get(path)[1] for phone, path in pages]
    answers: dict[int, tuple[int, str]] = {}

    def tap(number: int) -> None:
        phone, path = pages[number]
        answers[number] = phone.tap(forms[number], path, "accept")

    threads = [threading.Thread(target=tap, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    first = hall.gateway.loop.state.calls[hall.call_id].accepted_by
    assert sorted(status for status, _ in answers.values()) in ([200, 200], [200, 409])
    loser = next(page for _, page in answers.values() if "3栋1单元302" not in page)
    assert f"{first} 已经接了这个呼叫" in loser and nothing_personal(loser)


def test_a_second_tap_is_no_second_acceptance_and_english_is_one_tap_away(hall: LinkHall):
    phone, path = Phone(hall), hall.link(LI)
    _, page = phone.get(path + "?lang=en")
    assert "On my way" in page and "Emergency" in page and 'lang="en"' in page
    first = phone.tap(page, path + "?lang=en", "accept")
    second = phone.tap(page, path + "?lang=en", "accept")
    assert first[0] == second[0] == 200 and "Where" in second[1] and "Call the elder" in second[1]
    (lines,) = hall.gateway.ask("SELECT count(*) FROM journal WHERE event = 'Accepted'")[0]
    assert lines == 1


def test_a_link_that_is_forged_or_old_shows_nothing_and_does_nothing(hall: LinkHall):
    phone, good = Phone(hall), hall.link(LI)
    _, form = phone.get(good)
    old = hall.link(LI, expires_ms=time.time_ns() // 1_000_000 - 120_000)
    for path, status, words in (
        (good[:-1] + ("a" if good[-1] != "a" else "b"), 404, "链接无效"),
        (old, 410, "已过期"),
        (hall.link(LI, call_id=99), 410, "已经办结"),
    ):
        for answer in (phone.get(path), phone.tap(form, path, "accept")):
            assert answer[0] == status and words in answer[1] and nothing_personal(answer[1])
    hall.gateway.put(replace(LI, active=False))
    assert phone.get(good)[0] == 403
    assert hall.state == "HEARD"
    statuses = {phone.get(f"/a/{'a' * 45}")[0] for _ in range(link_page.FORGED_AT_MOST + 1)}
    assert statuses == {404, 429}, "whoever guesses is slowed down"
    assert phone.get(hall.link(WANG))[0] == 200, "whoever has a good link is not"


def test_while_the_gateway_is_away_a_tap_is_answered_and_says_whom_to_telephone(hall: LinkHall):
    phone, path = Phone(hall), hall.link(LI)
    _, page = phone.get(path)
    hall.gateway.stop()
    wait_until(lambda: not hall.core.link.connected, lambda: "the kiosk knows")
    status, page = phone.tap(page, path, "accept")
    assert status == 503 and "请直接打电话到大厅" in page and nothing_personal(page)
    hall.gateway.start()
    wait_until(lambda: hall.core.link.connected, lambda: "the gateway is back")
    assert "3栋1单元302" in phone.tap(page, path, "accept")[1]


def test_every_word_of_the_page_is_there_in_both_languages_and_used():
    from kiosk.words_link import WORDS

    page = (ROOM / "templates/link.html").read_text(encoding="utf-8")
    code = (ROOM / "link_page.py").read_text(encoding="utf-8")
    used = set(re.findall(r"\bt\('(\w+)'", page)) | set(re.findall(r'\bsay\("(\w+)"', code))
    used |= {"forged", "old", "gone", "over", "many"}
    assert used == set(WORDS)
    for zh, en in WORDS.values():
        assert (
            zh.strip() and en.strip() and sorted(re.findall(r"{\w+}", zh)) == sorted(re.findall(r"{\w+}", en))
        )
