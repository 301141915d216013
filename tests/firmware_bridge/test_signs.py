"""Signs above windows: two makers' frames byte for byte, heard by virtual signs with ears of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.faults import HallFileFault
from devices.messages import ShowCount
from devices.plan import Panel, Plan
from devices.virtual.panel import VirtualSerialPanel
from firmware_bridge.__main__ import Bridge
from firmware_bridge.jobs import Jobs
from firmware_bridge.panel_desk import MOST_TRIES, PanelDesk
from firmware_bridge.panels import ShowCalled, am03127, bx5k, load_driver
from firmware_bridge.serial_port import SerialPort
from gateway.house import House
from gateway.notebook import Notebook
from tests.kiosk.conftest import HeldClock

W3 = Panel(id="w3", kind="window", window="W3", via="serial", driver="bx5k", width_px=192, height_px=32)

# ---------------------------------------------------------------- the makers' bytes

#: From the maker's own protocol: "012345QRSTTV'B", 192 x 32, moving left, two and a half seconds a page.
BX_EXAMPLE = bytes.fromhex(
    "A5A5A5A5A5A5A5A5 0100 0080 000000000000 FE 02 3200 A306 01 2D00 00 01 2900 00 0000 0000 1800 2000 00 00 00"
    "0200 00 00 00 02 02 03 00 04 05 0E000000 30313233343551525354545627 42 A87D 5A".replace(" ", "")
)
#: The same document's other examples: ping and "delete everything", with their checks.
BX_PING = bytes.fromhex("A5A5A5A5A5A5A5A50100008000000000 0000FE020500A20001000068F85A".replace(" ", ""))
BX_DELETE = bytes.fromhex(
    "A5A5A5A5A5A5A5A50100008000000000 0000FE020700A306010200FF0067CC5A".replace(" ", "")
)
#: What a controller answers.
BX_YES = bytes.fromhex("A5A5A5A5A5A5A5A50080010000000000 0000FE020500A00000000064DC5A".replace(" ", ""))


def test_onbons_own_example() -> None:
    data = bx5k.show_now("012345QRSTTV'B", 192, 32, bytes([0x00, 0x02, 0x02, 0x03, 0x00, 0x04, 0x05]))
    assert bx5k.frame(1, data) == BX_EXAMPLE
    assert bx5k.frame(1, bytes.fromhex("A200010000")) == BX_PING
    assert bx5k.frame(1, bytes.fromhex("A306010200FF00")) == BX_DELETE


def test_onbons_answer_is_believed_and_nothing_else_is() -> None:
    sent = bx5k.compose(ShowCalled("B031"), W3).raw
    assert bx5k.confirmed(BX_YES, sent)
    assert bx5k.confirmed(b"\x00\xff" + BX_YES[2:], sent), "noise before it, some of its A5 lost"
    assert not bx5k.confirmed(sent, sent), "an echo of the line is no answer"
    assert not bx5k.confirmed(BX_YES[:-1], sent), "torn"
    assert not bx5k.confirmed(BX_YES.replace(b"\x64\xdc", b"\x64\xdd"), sent), "its check is wrong"
    other = bx5k.frame(0x8000, bytes([0xA0, 0, 0, 0, 0]), source=2)
    assert not bx5k.confirmed(other, sent), "another sign's answer"
    no = bx5k.frame(0x8000, bytes([0xA0, 0x01, 0x05, 0, 0]), source=1)
    assert not bx5k.confirmed(no, sent)
    assert bx5k.refused(no, sent) == "checksum wrong: a bad line (0x05)"


def test_the_four_bytes_that_frame_a_message_never_stand_in_one() -> None:
    """伲 is A6.. in GBK, "Z" is 5A, "[" is 5B: a text that would end or begin a frame does neither."""
    for text in ("Z001", "[B]", "ZZ[[", "Ⅰ号", "仺Z"):
        raw = bx5k.compose(ShowCalled(text), W3).raw
        assert raw.count(b"\x5a") == 1, text
        assert raw.rindex(b"\xa5") == 7, text


def test_ampluss_own_example() -> None:
    """The maker's sum of "Hello", and a frame of ours beside it."""
    check = 0
    for one in b"<L1><PA><FE><MA><WC><FE>Hello":
        check ^= one
    assert check == 0x36
    assert am03127.compose(ShowCalled("B031")).raw == b"<ID01><L1><PA><FA><MA><WZ><FK>B03117<E>"
    assert am03127.compose(ShowCalled("B031", blink=True)).raw == b"<ID01><L1><PA><FA><MB><WZ><FK>B03114<E>"
    assert am03127.compose(ShowCalled("")).shown == ""
    assert b"<FK> " in am03127.compose(ShowCalled("")).raw


def test_ampluss_answers() -> None:
    sent = am03127.compose(ShowCalled("B031")).raw
    assert am03127.confirmed(b"ACK", sent)
    assert not am03127.confirmed(b"NACK", sent)
    assert am03127.refused(b"NACK", sent) == "NACK"
    assert not am03127.confirmed(sent, sent)


def test_a_text_that_would_be_a_command_is_only_text() -> None:
    assert b"<D*>" not in am03127.compose(ShowCalled("<D*>B1")).raw
    assert b"\\" not in bx5k.compose(ShowCalled("\\FO000B1"), W3).raw


def test_both_also_show_the_bays_of_a_gate() -> None:
    count = ShowCount("gate", "空位 12", 12, 3, 1, 0, 16, True, 0)
    assert am03127.compose(count).shown == "12"
    assert bx5k.compose(count, W3).shown == "空位 12"


def test_a_panel_of_digits_cannot_hang_above_a_window() -> None:
    with pytest.raises(HallFileFault, match=r"these can: am03127, ascii, bx5k"):
        load_driver("xunpeng", "w3", "window")
    assert load_driver("bx5k", "w3", "window").ANSWERS


# ---------------------------------------------------------------- on a real pseudo-terminal


class Bench:
    """A sign on a pty and the desk that drives it, turned by hand."""

    def __init__(self, home: Path, driver: str, address: int) -> None:
        self.sign = VirtualSerialPanel("w3", home, driver, address)
        self.sign.start()
        panel = Panel(id="w3", kind="window", window="W3", via="serial", driver=driver, address=address)
        notebook = Notebook(home / "bridge.db", Path("firmware_bridge/schema"))
        self.clock = HeldClock()
        self.jobs = Jobs(notebook, self.clock)
        self.jobs.begin([], ["w3"], 1)
        self._notebook = notebook
        self.port = SerialPort(str(self.sign.link), 9600, "none")
        self.desk = PanelDesk(panel, self.port, load_driver(driver, "w3", "window"), self.jobs)
        self.tick = 0

    def show(self, text: str, *, blink: bool = False) -> None:
        self.desk.show(ShowCalled(text, blink))

    def turn(self, ms: int = 0) -> None:
        self.tick += ms
        self.desk.turn(self.tick)
        if self.port.is_open:
            self.desk.writable(self.tick)

    def told(self, times: int) -> None:
        """Wait until the sign has heard so many frames, then read its answer."""
        self.sign.wait_until(lambda state: state["told"] >= times, 5)
        self.desk.readable(self.tick)

    def row(self) -> dict[str, object]:
        row = self._notebook.write(
            lambda db: db.execute("SELECT state, shown, why_en FROM panels").fetchone()
        )
        return {"state": row[0], "shown": row[1], "why_en": row[2]}

    def close(self) -> None:
        self.desk.close()
        self.sign.stop()
        self._notebook.close()


@pytest.fixture(params=[("bx5k", 7), ("am03127", 3)], ids=lambda one: one[0])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    one = Bench(tmp_path, *request.param)
    yield one
    one.close()


def test_a_sign_shows_what_is_called_and_says_so(bench: Bench) -> None:
    bench.show("B031", blink=True)
    bench.turn()
    bench.told(1)
    assert bench.sign.state()["shown"].split()[0] == "B031"
    row = bench.row()
    assert (row["state"], str(row["shown"]).split()[0]) == ("ready", "B031")
    bench.show("")
    bench.turn()
    bench.told(2)
    assert bench.sign.state()["shown"] == ""
    assert bench.row()["state"] == "ready"


def test_a_silent_sign_is_a_fault_after_its_tries_and_is_told_anew_when_it_is_back(bench: Bench) -> None:
    bench.sign.do("silent")
    bench.show("B031")
    for _ in range(2 * MOST_TRIES + 1):
        bench.turn(600)
    assert bench.row()["state"] == "silent"
    assert "power" in str(bench.row()["why_en"])
    bench.sign.do("talk")
    bench.turn(2500)
    bench.told(1)
    assert bench.row()["state"] == "ready"
    assert bench.sign.state()["shown"] == "B031"


def test_a_sign_that_refuses_is_tried_again_at_once_and_told_of(bench: Bench) -> None:
    bench.sign.do("refuse")
    bench.show("B031")
    for times in range(1, MOST_TRIES + 1):
        bench.turn()
        bench.told(times)
        bench.turn()
    assert bench.row()["state"] == "silent"
    assert "refuses" in str(bench.row()["why_en"])
    assert bench.sign.state()["shown"] == ""


def test_a_sign_that_was_unplugged_is_told_anew(bench: Bench) -> None:
    bench.show("B031")
    bench.turn()
    bench.told(1)
    bench.sign.do("unplug")
    bench.turn(1100)
    assert bench.row()["state"] == "port_missing"
    bench.sign.do("plug")
    assert bench.sign.state()["shown"] == "", "it had no power: it has forgotten"
    bench.turn(2100)
    bench.told(2)
    assert bench.sign.state()["shown"] == "B031"


def test_another_signs_address_is_not_answered(tmp_path: Path) -> None:
    for driver in ("bx5k", "am03127"):
        sign = VirtualSerialPanel("far", tmp_path, driver, address=9)
        sign.start()
        port = SerialPort(str(sign.link), 9600, "none")
        assert port.try_open(0)
        near, far = (Panel(id="x", kind="window", window="W1", via="serial", address=one) for one in (1, 9))
        kind = load_driver(driver, "x", "window")
        for panel in (near, far):
            left = kind.compose(ShowCalled("B031"), panel).raw
            while left:
                left = left[port.write(left) :]
        assert sign.wait_until(lambda state: state["told"] > 0, 5)["told"] == 1
        port.close()
        sign.stop()


def test_nineteen_free_bays_are_a_number_and_not_xoff(tmp_path: Path) -> None:
    """0x13 in a panel's answer is XOFF to a line that listens to flow control: the panel would never be believed."""
    gate = VirtualSerialPanel("gate", tmp_path)
    gate.start()
    notebook = Notebook(tmp_path / "bridge.db", Path("firmware_bridge/schema"))
    jobs = Jobs(notebook, HeldClock())
    jobs.begin([], ["gate"], 1)
    port = SerialPort(str(gate.link), 9600, "none")
    desk = PanelDesk(Panel(id="gate", via="serial"), port, load_driver("xunpeng", "gate"), jobs)
    for number in (17, 19):
        desk.show(ShowCount("gate", "", number, 1, 0, 0, number + 1, True, 0))
        desk.turn(number)
        gate.wait_until(lambda state, n=number: state["shown"].startswith(str(n)), 5)  # type: ignore[misc]
        desk.readable(number)
        assert desk.state == "ready"
    row = notebook.write(lambda db: db.execute("SELECT shown FROM panels").fetchone())
    assert row[0].startswith("19")
    desk.close()
    gate.stop()
    notebook.close()


# ---------------------------------------------------------------- from the kiosk's notebook to the sign


def test_the_number_called_reaches_the_sign_and_a_new_bridge_tells_it_anew(tmp_path: Path) -> None:
    sign = VirtualSerialPanel("w3", tmp_path, "bx5k", 1)
    sign.start()
    plan = Plan(panels=(Panel(id="w3", kind="window", window="W3", via="serial", driver="bx5k"),))
    house = House(tmp_path, tmp_path / "run", plan, "")
    kiosk = Notebook(house.kiosk_db, Path("kiosk/schema"))

    def level(text: str) -> None:
        kiosk.write(
            lambda db: db.execute(
                "INSERT INTO signs VALUES ('w3', 'W3', ?, 1, 0) ON CONFLICT(sign) DO UPDATE SET text = excluded.text",
                (text,),
            )
        )

    def turn_until(shown: str, told: int) -> None:
        bridge = Bridge(house, Notebook(house.bridge_db, Path("firmware_bridge/schema")))
        for _ in range(500):
            bridge.turn()
            state = sign.state()
            if state["shown"] == shown and state["told"] >= told and bridge.panels[0].state == "ready":
                break
        seen = sign.state()
        bridge.close()
        assert (seen["shown"], seen["told"] >= told) == (shown, True)

    turn_until("", 1)  # nobody was called yet: dark, and told so
    level("B031")
    turn_until("B031", 2)
    turn_until("B031", 3)  # the bridge began anew
    kiosk.close()
    sign.stop()
