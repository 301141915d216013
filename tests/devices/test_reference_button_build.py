"""The firmware as it goes onto the chip: it compiles, it keeps to the chip's language, a button's folder is packed.

Where a MicroPython is built for this machine the packed files are also imported by it, and
test_reference_button_desk.py runs the firmware in it. Where there is none, what is here still holds the firmware to the
language: MicroPython's own compiler, and a list of the modules and methods that the chip has.
"""

from __future__ import annotations

import ast
import datetime
import json
import platform
import re
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from devices.reference_button.pack import ON_CHIP, can_compile, compile_one, main
from devices.reference_button.settings import KEYS, BadSettings, Settings
from devices.reference_button.sounds import TUNES
from tests.devices.held_button import words_of_settings
from tests.devices.micropython import INTERPRETERS, environ_of
from tests.parts import ROOT

HOME = ROOT / "devices/reference_button"
ON_THE_CHIP = [*(f"{name}.py" for name in ON_CHIP), "main.py"]
#: What is run by MicroPython: on the chip, or at a desk.
IN_ITS_LANGUAGE = [*ON_THE_CHIP, "virtual_board.py", "desk.py"]
#: Modules of MicroPython's ESP32 port (its documentation, "MicroPython libraries") that the firmware may use.
MODULES = {"binascii", "json", "os", "select", "socket", "ssl", "sys", "time", "machine", "network", "esp32"}
#: Methods of CPython's str, bytes, list and dict that MicroPython 1.23 has not got.
MISSING = {
    "casefold", "expandtabs", "format_map", "isascii", "isdecimal", "isidentifier", "isnumeric", "isprintable",
    "istitle", "ljust", "maketrans", "removeprefix", "removesuffix", "rjust", "swapcase", "title", "translate", "zfill",
}  # fmt: skip


def names_imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


# ---------------------------------------------------------------- the language of the chip


@pytest.mark.parametrize("name", IN_ITS_LANGUAGE)
def test_micropythons_own_compiler_takes_each_file(name: str, tmp_path: Path) -> None:
    assert can_compile()
    compile_one(HOME / name, tmp_path / "out.mpy")
    assert (tmp_path / "out.mpy").read_bytes()[:2] == b"M\x06", (
        "version 6 of its format: MicroPython 1.19 and later"
    )


def test_that_compiler_refuses_what_the_chip_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("match 1:\n    case 1:\n        pass\n")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        compile_one(tmp_path / "new.py", tmp_path / "new.mpy")
    assert "SyntaxError" in refused.value.stderr


@pytest.mark.parametrize("name", IN_ITS_LANGUAGE)
def test_each_file_keeps_to_modules_and_methods_that_the_chip_has(name: str) -> None:
    ours = {
        module for module in names_imported(HOME / name) if module.startswith("devices.reference_button.")
    }
    assert names_imported(HOME / name) - ours <= MODULES
    if name in ON_THE_CHIP:
        assert {module.split(".")[-1] for module in ours} <= set(ON_CHIP), (
            "what it imports is on the chip too"
        )
    tree = ast.parse((HOME / name).read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert used & MISSING == set()


def test_only_the_board_knows_hardware() -> None:
    for name in ON_CHIP:
        assert name == "board" or not names_imported(HOME / f"{name}.py") & {"machine", "network", "esp32"}


def test_the_firmware_knows_nothing_of_linli_and_nothing_of_linli_knows_it() -> None:
    for path in HOME.glob("*.py"):
        for module in names_imported(path):
            assert module.split(".")[0] not in ("gateway", "kiosk", "firmware_bridge", "linli", "tests")
            assert not module.startswith("devices") or module.startswith("devices.reference_button.")
    for room in ("devices", "gateway", "kiosk", "firmware_bridge", "linli"):
        for path in (ROOT / room).rglob("*.py"):
            # Only who has the word can import it: to parse all of them takes a second and a half.
            if path.parent != HOME and "reference_button" in path.read_text(encoding="utf-8"):
                assert not any(
                    module.startswith("devices.reference_button") for module in names_imported(path)
                )


# ---------------------------------------------------------------- packing one button


@pytest.fixture
def ca_pem(tmp_path: Path) -> Path:
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    words += ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Hall CA"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "ca.crt"


def pack_words(folder: Path, ca: Path, *more: str) -> list[str]:
    (folder / "wifi").write_text("邻里大厅\n", encoding="utf-8")
    (folder / "broker").write_text("geheim", encoding="utf-8")
    words = ["--device", "btn-0302", "--wifi", "HALL", "--wifi-password-file", str(folder / "wifi")]
    words += ["--password-file", str(folder / "broker"), "--host", "192.168.1.10", "--tls-name", "hall.lan"]
    return [*words, "--ca", str(ca), "--out", str(folder / "out"), *more]


def test_one_buttons_folder_is_packed(
    tmp_path: Path, ca_pem: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(pack_words(tmp_path, ca_pem, "--long-press")) == 0
    out = tmp_path / "out"
    settings = Settings((out / "settings.json").read_text(encoding="utf-8"))
    assert (settings.device, settings.user, settings.password) == ("btn-0302", "btn-0302", "geheim")
    assert (settings.wifi_password, settings.tls_name, settings.battery) == ("邻里大厅", "hall.lan", True)
    assert (settings.every_s, settings.long_press, settings.port) == (14_400, True, 8883)
    assert (out / "settings.json").stat().st_mode & 0o077 == 0, "passwords are in it"
    assert (out / "ca.der").read_bytes() == ssl.PEM_cert_to_DER_cert(ca_pem.read_text())
    assert (out / "main.py").read_bytes() == (HOME / "main.py").read_bytes()
    assert {path.name for path in (out / "devices/reference_button").iterdir()} == {
        f"{n}.mpy" for n in ON_CHIP
    }
    said = capsys.readouterr().out
    assert "mpremote cp -r ca.der devices main.py settings.json : + reset" in said
    assert "geheim" not in said


def test_the_chips_clock_begins_after_the_certificate(tmp_path: Path, ca_pem: Path) -> None:
    main(pack_words(tmp_path, ca_pem))
    begins = json.loads((tmp_path / "out/settings.json").read_text(encoding="utf-8"))["date"]
    said = subprocess.run(
        ["openssl", "x509", "-in", ca_pem, "-noout", "-startdate"], check=True, capture_output=True, text=True
    ).stdout
    valid_from = datetime.datetime.strptime(said.strip(), "notBefore=%b %d %H:%M:%S %Y GMT")  # noqa: DTZ007 - both UTC
    assert datetime.datetime.fromisoformat(begins) > valid_from


def test_where_a_micropython_is_built_for_this_machine_it_takes_the_packed_files(
    tmp_path: Path, ca_pem: Path
) -> None:
    """And has run the stories. Elsewhere (a Raspberry Pi) they run under CPython, and under the system's, if any."""
    is_built = sys.platform == "linux" and platform.machine() == "x86_64"
    assert "micropython" in INTERPRETERS or not is_built, "`make test` installs it: requirements-dev.in"
    assert main(pack_words(tmp_path, ca_pem)) == 0
    script = "import devices.reference_button.life as life; print(life.__file__, life.KEEPALIVE_S)"
    for interpreter in set(INTERPRETERS) - {"cpython"}:
        said = subprocess.run(
            [*INTERPRETERS[interpreter][0], "-c", script],
            env=environ_of(interpreter) | {"MICROPYPATH": f".frozen:{tmp_path / 'out'}"},
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert said.split() == [str(tmp_path / "out/devices/reference_button/life.mpy"), "30"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--device", "btn/0302"], "设备名"),
        (["--device", "+"], "设备名"),
        (["--port", "0"], "port"),
        (["--every-s", "-1"], "every_s"),
        (["--ca", "/nowhere/ca.crt"], "读不到证书文件"),
        (["--password-file", "/nowhere"], "读不到密码文件"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    tmp_path: Path, ca_pem: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main(pack_words(tmp_path, ca_pem, *more)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_certificate_that_is_none_is_refused(
    tmp_path: Path, ca_pem: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\nnot this\n-----END\n")
    assert main(pack_words(tmp_path, ca_pem)) == 2
    assert "不是 PEM 证书" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        {"devise": "x"},
        {"device": 7},
        {"device": ""},
        {"power": "solar"},
        {"port": "1883"},
        {"port": True},
        {"tls": "no"},
        {"every_s": 8 * 24 * 3600},
        {"date": "tomorrow"},
        {"full_mv": 3300},
    ],
)
def test_wrong_settings_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(BadSettings) as refused:
        Settings(json.dumps(words_of_settings() | wrong))
    assert next(iter(wrong)) in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "7"])
def test_settings_that_are_no_object_are_refused(text: str) -> None:
    with pytest.raises(BadSettings, match="JSON"):
        Settings(text)


# ---------------------------------------------------------------- what the papers say


def test_the_example_is_a_button_and_shows_every_key() -> None:
    text = (HOME / "settings.example.json").read_text(encoding="utf-8")
    assert Settings(text).device == "btn-0302"
    assert set(json.loads(text)) == set(KEYS)


@pytest.mark.parametrize("paper", ["README.md", "README.zh-CN.md"])
def test_both_papers_name_the_pins_the_settings_and_the_tunes_that_the_code_has(paper: str) -> None:
    words = (HOME / paper).read_text(encoding="utf-8")
    pins = dict(
        re.findall(r"^(\w+)_PIN = (\d+)$", (HOME / "board.py").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert len(pins) == 4
    wired = re.findall(r"^\| GPIO (\d+) \|", words, re.MULTILINE)
    assert sorted(wired) == sorted(pins.values())
    assert set(re.findall(r"^\| `(\w+)` \|", words, re.MULTILINE)) == set(KEYS) | set(TUNES)
