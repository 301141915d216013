"""The units, booted for real: a small Debian 12 with systemd as its first process, in a container.

    make campaign ARGS="boot_units"            (root, network, about two minutes)

The machine is built once, into /var/tmp/linli-boot.tar. Proved from inside: all four units start sandboxed and
healthy, a press is written, a gateway that is killed and one that *hangs* come back by themselves, journal entries
carry their fields, and nothing restarted that nobody touched.
Needs: apt-get install mmdebstrap systemd-container
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASE = Path("/var/tmp/linli-boot.tar")
PACKAGES = (
    "systemd,systemd-sysv,dbus,udev,make,python3,python3-venv,mosquitto,ca-certificates,procps,fonts-noto-cjk"
)

#: Runs inside, as the last unit of the boot; its status is the machine's.
TRIAL = r"""#!/bin/bash
cd /opt/linli; export LINLI_HOME=/var/lib/linli LINLI_RUN=/run/linli LINLI_HALL=/etc/linli/hall.toml
bad=0; check() { if [ "$2" = "$3" ]; then echo "  held: $1"; else echo "  BROKEN: $1: $2, not $3"; bad=1; fi; }
health() { .venv/bin/python -c "
import urllib.request
try: print(urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2).status)
except OSError as e: print(e)"; }
for i in $(seq 60); do [ "$(health)" = 200 ] && break; read -t 0.5 <> <(:); done
check "the hall is healthy after the boot" "$(health)" 200
restarts=$(systemctl show -P NRestarts linli-gateway linli-kiosk linli-bridge linli-herald mosquitto | tr -d '\n')
check "nothing had to be restarted" "$restarts" 00000
check "systemd finds nothing to say" "$(systemd-analyze verify linli.target 2>&1)" ""
.venv/bin/linli press btn-0302; check "a press is written" $? 0
entry=$(journalctl -o export HALL_EVENT=call DEVICE=btn-0302 | grep -c '^MESSAGE_ID=')
check "its journal entry has fields" "$([ "$entry" -ge 1 ] && echo yes)" yes
systemctl start linli-backup; check "a backup is taken in its sandbox" "$?" 0
sets=$(find /var/lib/linli/backups -name '*.db' | wc -l); check "of three notebooks" "$sets" 3
check "its timer waits for the next" "$(systemctl is-active linli-backup.timer)" active
kill -9 "$(systemctl show -P MainPID linli-gateway)"
.venv/bin/linli press btn-0302; check "after kill -9 of the gateway a press is written" $? 0
kill -STOP "$(systemctl show -P MainPID linli-gateway)"; began=$SECONDS
.venv/bin/linli press btn-0303; check "after a hang of the gateway a press is written" $? 0
check "the watchdog did it within 20 s" "$([ $((SECONDS - began)) -le 20 ] && echo yes)" yes
check "as linli, not as root" "$(ps -o user= -p "$(systemctl show -P MainPID linli-kiosk)")" linli
rights=$(awk '/CapEff/ {print $2}' "/proc/$(systemctl show -P MainPID linli-bridge)/status")
check "with no capability" "$rights" 0000000000000000
[ $bad = 0 ] && echo "ALL HELD"
exit $bad
"""

UNIT = """[Unit]
After=linli.target
SuccessAction=exit
FailureAction=exit
FailureActionExitStatus=1
[Service]
Type=oneshot
ExecStart=/root/trial.sh
StandardOutput=journal+console
StandardError=journal+console
[Install]
WantedBy=multi-user.target
"""


def main(_words: list[str]) -> int:
    missing = [one for one in ("mmdebstrap", "systemd-nspawn", "script") if not shutil.which(one)]
    if os.geteuid() != 0 or missing:
        print(
            f"needs root and: {', '.join(missing) or 'nothing else'} (apt-get install mmdebstrap systemd-container)"
        )
        return 1
    if not BASE.exists():
        subprocess.run(
            ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(BASE)], check=True
        )
    with tempfile.TemporaryDirectory(prefix="linli-boot-", dir="/var/tmp") as folder:
        machine = Path(folder) / "machine"
        machine.mkdir()
        subprocess.run(["tar", "-C", machine, "-xf", BASE], check=True)
        _install(machine)
        command = f"systemd-nspawn -D {machine} -b --register=no --keep-unit --private-network --console=interactive"
        # script(1): nspawn wants a terminal, and prints nothing to a pipe.
        boot = [
            "script",
            "-qfec",
            f"{command} -- systemd.log_target=journal quiet",
            str(Path(folder) / "log"),
        ]
        status = subprocess.run(
            boot, check=False, timeout=300, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ).returncode
        said = (Path(folder) / "log").read_text(encoding="utf-8", errors="replace")
        print("\n".join(line.partition("]: ")[2] for line in said.splitlines() if "trial.sh" in line))
        return 0 if status == 0 and "ALL HELD" in said else 1


def _install(machine: Path) -> None:
    """Put the project into the machine's /opt/linli, and its units where `make units` puts them."""
    there = machine / "opt/linli"
    shutil.copytree(
        ROOT,
        there,
        symlinks=True,
        ignore=shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", "*.egg-info", "tests"),
    )
    # The network of this machine: names, and where its pip finds packages and certificates.
    for file in ("/etc/resolv.conf", "/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt"):
        if Path(file).exists():
            shutil.copy(file, machine / file.lstrip("/"))
    (machine / "etc/hosts").write_text("127.0.0.1 localhost\n")
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
    units = f"mount -t proc proc {machine}/proc && exec chroot {machine} make -C /opt/linli units"
    inside = [
        "unshare",
        "-m",
        "sh",
        "-c",
        units,
    ]
    subprocess.run(inside, env=environ, check=True, stdout=subprocess.DEVNULL)
    trial = machine / "root/trial.sh"
    trial.write_text(TRIAL)
    trial.chmod(0o755)
    (machine / "etc/systemd/system/trial.service").write_text(UNIT)
    subprocess.run(["chroot", machine, "systemctl", "enable", "trial"], env=environ, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
