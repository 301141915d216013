"""The reference button as a program of its own, under CPython and under MicroPython, the chip's language; and over TLS.

It is led by lines of text (devices/reference_button/desk.py); broker and gateway are real.
"""

from __future__ import annotations

import json
import queue
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from linli.broker import free_port
from tests.devices.held_button import DEVICE, HeldButton, words_of_settings
from tests.devices.micropython import INTERPRETERS, environ_of
from tests.parts import PATIENCE_S, ROOT, Gateway, Json, Mosquitto, gateway, wait_until

pytestmark = pytest.mark.slow
PRESS = f"linli/v1/button/{DEVICE}/press"


@pytest.fixture(scope="module")
def shared_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("hall")) as running:
        yield running


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path / "hall") as running:
        yield running


def calls_of(hall: Gateway, device: str = DEVICE) -> list[Json]:
    return [call for call in hall.seat().snapshot["calls"] if call["device_id"] == device]


class DeskButton:
    """The firmware as a process; its lines are its state."""

    def __init__(self, interpreter: str, folder: Path) -> None:
        command = [*INTERPRETERS[interpreter][0], "devices/reference_button/desk.py", str(folder)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ_of(interpreter),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.seen: list[str] = []

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def tell(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()

    def wait(self, **wanted: object) -> Json:
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"it never showed {wanted}:\n" + "".join(self.seen)) from None
            self.seen.append(line)
            if line.startswith("{"):
                words: Json = json.loads(line)
                if all(words[key] == value for key, value in wanted.items()):
                    return words

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def close(self) -> None:
        if self._process.poll() is None:
            self.tell("end")
            self._process.wait(PATIENCE_S)
        self._end()

    def _end(self) -> None:
        self._process.wait()
        self._reader.join(PATIENCE_S)
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        self._process.stdout.close()
        self._process.stdin.close()


def desk(interpreter: str, folder: Path, port: int, ca: bytes = b"", **others: object) -> DeskButton:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(words_of_settings(port, **others)), encoding="utf-8")
    if ca:
        (folder / "ca.der").write_bytes(ca)
    return DeskButton(interpreter, folder)


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_in_the_chips_language_a_press_blinks_once_it_is_written(
    shared_hall: Gateway, tmp_path: Path, interpreter: str
) -> None:
    name = f"btn-{interpreter}"
    with closing(desk(interpreter, tmp_path, shared_hall.broker.port, device=name)) as button:
        boot = button.wait(line=True)["boot"]
        button.tell("press")
        button.wait(unwritten=0, light="blink")
        seat = shared_hall.seat()
        call = calls_of(shared_hall, name)[0]
        assert (call["presses"], call["state"]) == (1, "HEARD")
        assert len(boot) == 16
        seat.order("accept_call", call_id=call["call_id"], by="李姐")
        button.wait(light="steady")
        seat.order("close_call", call_id=call["call_id"], by="李姐", outcome="test", note="")
        button.wait(light="off")
    dark = [json.loads(line) for line in button.seen if line.startswith("{")]
    assert {words["light"] for words in dark if words["unwritten"]} == {"off"}


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_in_the_chips_language_a_killed_button_says_the_same_press_again(
    hall: Gateway, tmp_path: Path, interpreter: str
) -> None:
    hall.process.kill()
    ear = hall.device(PRESS)
    button = desk(interpreter, tmp_path / "b", hall.broker.port)
    button.wait(line=True)
    button.tell("press")
    first = ear.wait_heard(PRESS)
    button.tell("pass 1000")
    assert ear.wait_heard(PRESS, seq=first["seq"])["age_ms"] == 1000
    button.kill()
    with closing(desk(interpreter, tmp_path / "b", hall.broker.port)) as again:
        assert again.wait(unwritten=1)["boot"] != first["boot"]
        heard = ear.wait_heard(PRESS)
        assert (heard["boot"], heard["seq"]) == (first["boot"], first["seq"])
        hall.start()
        again.tell("pass 1000")
        again.wait(unwritten=0, light="blink")
        assert [call["presses"] for call in calls_of(hall)] == [1]


# ---------------------------------------------------------------- TLS


@contextmanager
def tls_broker(folder: Path, name: str) -> Iterator[tuple[int, bytes]]:
    """A broker with a certificate for ``name``, signed by a CA of its own: (port, the CA as DER)."""
    folder.mkdir()
    extension = folder / "san"
    extension.write_text(f"subjectAltName=DNS:{name}\n")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-days", "9", "-subj", "/CN=Hall CA"
    )
    openssl("req", "-new", *curve, "-keyout", "broker.key", "-out", "broker.csr", "-subj", f"/CN={name}")
    sign = ["x509", "-req", "-in", "broker.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    openssl(*sign, "-out", "broker.crt", "-days", "9", "-extfile", str(extension))
    port = free_port()
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\ncafile {folder}/ca.crt\n"
        f"certfile {folder}/broker.crt\nkeyfile {folder}/broker.key\ntls_version tlsv1.2\nuser root\n"
    )
    (folder / "broker.key").chmod(0o644)
    process = subprocess.Popen(
        ["mosquitto", "-c", folder / "mosquitto.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ca = ssl.PEM_cert_to_DER_cert((folder / "ca.crt").read_text())
    try:
        wait_until(lambda: _answers(port), lambda: "mosquitto listens")
        yield port, ca
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        ssl.get_server_certificate(("127.0.0.1", port), timeout=5)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_over_tls_it_trusts_the_halls_own_certificate_and_no_other(tmp_path: Path, interpreter: str) -> None:
    with tls_broker(tmp_path / "hall", "hall.lan") as (port, ca):
        # A day after the certificate was made, by the machine's clock: what pack.py writes as "date" is for the chip.
        with closing(desk(interpreter, tmp_path / "b", port, ca, tls=True, tls_name="hall.lan")) as button:
            button.wait(line=True)
            button.tell("press")
            button.wait(unwritten=1)
        for other, name in ((ca, "other.lan"), (_another_ca(tmp_path, interpreter), "hall.lan")):
            with closing(desk(interpreter, tmp_path / "c", port, other, tls=True, tls_name=name)) as button:
                wrong = button.wait(line=False, light="off")
                while not wrong["said"]:
                    wrong = button.wait(line=False)
                assert "cannot reach the broker" in wrong["said"]
                assert "ertificate" in wrong["said"] or "CERT" in wrong["said"]


def _another_ca(folder: Path, name: str) -> bytes:
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9"]
    words += [
        "-keyout",
        str(folder / f"{name}.key"),
        "-out",
        str(folder / f"{name}.crt"),
        "-subj",
        "/CN=Stranger",
    ]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    return ssl.PEM_cert_to_DER_cert((folder / f"{name}.crt").read_text())


def test_a_press_over_tls_reaches_a_subscriber_behind_the_same_broker(tmp_path: Path) -> None:
    with tls_broker(tmp_path / "hall", "hall.lan") as (port, ca):
        button = HeldButton(tmp_path / "b", port, ca=ca, tls=True, tls_name="hall.lan")
        with closing(button), closing(HeldButton(tmp_path / "c", port, ca=ca, tls=True, tls_name="hall.lan")):
            button.until_up()
            button.press()
            key = {"boot": button.life.protocol.boot, "seq": 1}
            assert button.life.line is not None
            # The broker hands us what we say ourselves: a whole round over TLS.
            topic, word = button.life.protocol.written_topic, json.dumps(key).encode()
            button.life.line.publish(topic, word, "written", button.board.now_ms())
            button.until_written()


def test_mosquitto_of_these_tests_is_the_halls_own(tmp_path: Path) -> None:
    with (
        closing(Mosquitto(tmp_path / "m")) as broker,
        closing(HeldButton(tmp_path / "b", broker.port)) as button,
    ):
        button.until_up()
        assert button.board.said == []
