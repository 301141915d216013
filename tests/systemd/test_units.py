"""The units: systemd itself finds no fault in them, they are shut tight, and six old defects stay away.

They are booted for real, in a container, by `make campaign` (tests/campaign/boot_units.py).
"""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from devices.plan import Plan
from gateway import awake

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"
OURS = ("linli-gateway.service", "linli-kiosk.service", "linli-bridge.service", "linli-herald.service")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a machine on which the hall is installed: this machine's own units, and ours."""
    root = tmp_path_factory.mktemp("machine")
    shutil.copytree("/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    ours = root / "etc/systemd/system"
    ours.mkdir(parents=True)
    for unit in UNITS.glob("linli*"):
        if unit.suffix in (".service", ".target", ".timer"):
            shutil.copy(unit, ours)
    shutil.copytree(UNITS / "mosquitto.service.d", ours / "mosquitto.service.d")
    for program in (
        "opt/linli/.venv/bin/python",
        "usr/bin/cage",
        "usr/bin/chromium",
        "usr/sbin/mosquitto",
        "bin/bash",
        "bin/kill",
        "bin/systemctl",
    ):
        (root / program).parent.mkdir(parents=True, exist_ok=True)
        (root / program).write_text("#!/bin/sh\n")
        (root / program).chmod(0o755)
    return root


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60
    )


def verify(machine: Path) -> subprocess.CompletedProcess[str]:
    names = sorted(unit.name for unit in (machine / "etc/systemd/system").iterdir() if unit.is_file())
    return analyze(f"--root={machine}", "verify", "--man=no", *names, "mosquitto.service")


def test_systemd_finds_nothing_to_say_about_our_units(machine: Path):
    said = verify(machine)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_it_would_say_something_about_a_typo(machine: Path, tmp_path: Path):
    """The negative control: the check above can fail."""
    copy = tmp_path / "machine"
    shutil.copytree(machine, copy, symlinks=True)
    unit = copy / "etc/systemd/system/linli-gateway.service"
    unit.write_text(unit.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    assert "Unknown key 'WatchdogSecs'" in verify(copy).stderr


@pytest.mark.parametrize(
    ("unit", "worst"),
    # Exposure, 0 is shut and 10 is open. The gateway and the kiosk need the hall's network, the gateway GPIO too.
    [
        ("linli-gateway.service", 1.7),  # 0.2 of it: it chooses the processors that it runs on
        ("linli-kiosk.service", 1.2),
        ("linli-bridge.service", 0.7),
        ("linli-herald.service", 1.6),  # it needs the internet and a serial port
        ("linli-backup.service", 0.5),
        ("mosquitto.service", 1.3),
    ],
)
def test_a_unit_is_shut_tight(machine: Path, unit: str, worst: float):
    said = analyze(f"--root={machine}", "security", "--offline=true", f"--threshold={int(worst * 10)}", unit)
    assert said.returncode == 0, said.stdout.splitlines()[-1]


class _Unit(configparser.RawConfigParser):
    """A unit file, with repeated keys joined by spaces."""

    def __init__(self, file: Path) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",), interpolation=None)
        self.optionxform = str  # type: ignore[assignment,method-assign]
        joined: dict[str, dict[str, str]] = {}
        section = ""
        for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif "=" in line and not line.startswith("#"):
                key, _, value = line.partition("=")
                kept = joined.setdefault(section, {})
                kept[key] = f"{kept[key]} {value}".strip() if key in kept else value
        self.read_dict(joined)


@pytest.mark.parametrize("name", OURS)
def test_a_part_comes_back_for_ever_and_is_watched(name: str):
    unit = _Unit(UNITS / name)
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert unit["Service"]["Restart"] == "always"
    assert unit["Service"]["Type"] == "notify"
    assert 10 <= int(unit["Service"]["WatchdogSec"]) <= 30


def test_a_gateway_that_restores_a_large_notebook_at_its_start_is_let_finish():
    """Ended in the middle it begins anew for ever: a bad card reads 10 MB/s, an old hall has 300 MB, read thrice."""
    assert _Unit(UNITS / "linli-gateway.service")["Service"]["TimeoutStartSec"] == "10min"


@pytest.mark.parametrize(
    "file", sorted(p.name for p in UNITS.glob("**/*") if p.suffix in (".service", ".conf", ".target"))
)
def test_no_part_takes_another_one_down_with_it(file: str):
    text = next(UNITS.rglob(file)).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert not [line for line in lines if re.match(r"(PartOf|BindsTo|Requires|Requisite)=", line)]


def test_nobody_waits_for_the_gateway_and_the_gateway_waits_for_nobody():
    for name in OURS:
        unit = _Unit(UNITS / name)
        assert "linli" not in unit["Unit"].get("Wants", "")


def test_one_group_may_write_the_state_directory():
    """Trap 5: a reader without write on the folder cannot open a WAL notebook that its owner closed cleanly."""
    folders = {
        words[1]: words[2:5]
        for line in (UNITS / "linli.tmpfiles").read_text().splitlines()
        if (words := line.split()) and words[0] == "d"
    }
    assert folders["/var/lib/linli"] == ["2770", "linli", "linli"]
    assert folders["/run/linli"] == ["2770", "linli", "linli"]
    for name in OURS:
        service = _Unit(UNITS / name)["Service"]
        assert (service["Group"], service["UMask"]) == ("linli", "0007")
        assert service["ReadWritePaths"] == "/var/lib/linli /run/linli"


def test_every_user_and_group_of_a_unit_is_made_by_sysusers():
    made = {
        line.split()[1]
        for line in (UNITS / "linli.sysusers").read_text().splitlines()
        if line[:2].strip() in ("u", "g")
    }
    wanted = set()
    for name in (*OURS, "linli-browser.service"):
        service = _Unit(UNITS / name)["Service"]
        wanted |= {
            service.get("User", ""),
            service.get("Group", ""),
            *service.get("SupplementaryGroups", "").split(),
        }
    assert wanted - {"", "dialout"} <= made  # dialout is one of Debian's own


def test_the_bridge_sees_no_network_at_all():
    service = _Unit(UNITS / "linli-bridge.service")["Service"]
    assert (service["PrivateNetwork"], service["RestrictAddressFamilies"]) == ("yes", "AF_UNIX")


def test_only_the_herald_may_reach_the_internet():
    for name in OURS:
        unit = _Unit(UNITS / name)["Service"]
        alone = unit.get("IPAddressDeny") == "any"
        assert alone != (name == "linli-herald.service"), name


def test_the_browser_is_let_to_the_kiosk_and_nowhere_else():
    policy = json.loads((UNITS / "chromium/linli.json").read_text())
    assert policy["URLBlocklist"] == ["*"]
    assert policy["URLAllowlist"] == [f"http://127.0.0.1:{Plan().http.port}"]
    assert policy["RemoteDebuggingAllowed"] is False
    assert policy["DeveloperToolsAvailability"] == 2


def _settings(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")}


def test_the_broker_under_systemd_is_set_as_the_one_of_a_desk(tmp_path: Path):
    from linli.broker import write_conf

    desk = _settings(write_conf(tmp_path, 1883).read_text())
    hall = _settings((UNITS / "mosquitto.conf").read_text())
    same = {
        line
        for line in desk
        if line.split()[0] not in ("persistence_location", "log_timestamp_format", "user")
    }
    assert same <= hall
    assert {"set_tcp_nodelay true", "autosave_on_changes true", "autosave_interval 2"} <= hall


def test_udev_understands_the_rules():
    rules = (UNITS / "60-linli-serial.rules").read_text()
    keys = set(re.findall(r"([A-Z_]+)(?:\{[^}]*\})?(?:==|!=|\+=|=)", re.sub(r"#.*|\"[^\"]*\"", "", rules)))
    assert keys <= {"ACTION", "GOTO", "LABEL", "SUBSYSTEM", "SUBSYSTEMS", "ENV", "ATTR", "TEST", "SYMLINK"} | {
        "KERNEL",
        "GROUP",
        "MODE",
    }
    assert set(re.findall(r'GOTO="(\w+)"', rules)) == set(re.findall(r'LABEL="(\w+)"', rules))


def test_the_gateway_may_ask_the_kernel_to_stay_awake():
    """Three places must agree: what the code opens, whom udev gives it to, what the unit allows."""
    service = _Unit(UNITS / "linli-gateway.service")["Service"]
    assert f"DeviceAllow={awake.DEVICE} w" in (UNITS / "linli-gateway.service").read_text()
    rule = next(
        line
        for line in (UNITS / "60-linli-serial.rules").read_text().splitlines()
        if f'KERNEL=="{awake.DEVICE.name}"' in line
    )
    assert f'GROUP="{service["Group"]}"' in rule


def test_the_hall_buttons_have_a_folder_to_work_in():
    """lgpio makes a pipe in $LG_WD (else in its working directory, which is read-only here) when it is imported."""
    service = _Unit(UNITS / "linli-gateway.service")["Service"]
    assert "LG_WD=/tmp" in service["Environment"].split()
    assert (service["PrivateTmp"], service["ProtectSystem"]) == ("yes", "strict")


def test_udev_itself_reads_the_rules_and_has_nothing_to_say(tmp_path: Path):
    """`udevadm test` in a mount namespace of its own, so that this machine's rules stay as they are; where the machine
    forbids that, udev's grammar is held by the test above alone, and here that each line ends as a rule does."""
    rules = UNITS / "60-linli-serial.rules"
    folder = tmp_path / "rules.d"
    folder.mkdir()
    (folder / rules.name).write_text(rules.read_text(encoding="utf-8"), encoding="utf-8")
    said = {}
    for name, line in (("right", ""), ("wrong", 'SUBSYSTEM=="tty", SYMLNIK+="linli/x"\n')):
        (folder / rules.name).write_text(rules.read_text(encoding="utf-8") + line, encoding="utf-8")
        words = f"mount --bind {folder} /etc/udev/rules.d && echo SET UP && udevadm test -a add /sys/class/tty/tty0"
        own = ["unshare", "--map-root-user", "--mount", "sh", "-c", words]
        run = subprocess.run(own, check=False, capture_output=True, text=True, timeout=60)
        said[name] = (run.stdout + run.stderr) if "SET UP" in run.stdout else ""
    complaints = {
        # "Reading rules file: …" is no complaint, and the hall's own group is made when it is installed.
        name: [one for one in text.splitlines() if re.search(rf"{rules.name}:\d+ (?!Unknown group)", one)]
        for name, text in said.items()
    }
    assert complaints["right"] == []
    assert bool(complaints["wrong"]) == bool(said["wrong"]), "the trial can fail"
    plain = [line for line in rules.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r'([A-Z]+(\{[^}]+\})?(==|!=|\+=|=)"[^"]*"(, *|$))+', line) for line in plain)
