"""What `linli doctor` looks at on the machine: versions, clock, disk, serial ports. Nothing is written."""

from __future__ import annotations

import ctypes
import grp
import importlib.metadata
import os
import platform
import pwd
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from devices.clock import wall_s
from gateway.finding import Finding, note, ok, wrong
from gateway.house import House
from linli.broker import who_holds

_ROOT = Path(__file__).resolve().parents[1]

#: A year of a busy hall grows by some 100 MB; below this much free space the card is full within months.
LEAST_FREE_BYTES = 500_000_000
#: A 128 GB high-endurance card is good for about 117 TB: 5 GB a day is over sixty years, 50 GB a day is six.
MUCH_WRITTEN_A_DAY = 20_000_000_000
#: This software did not exist before; a clock that says so is the Pi's after a power cut (it has no battery).
FIRST_SANE_YEAR = 2026


def versions(house: House) -> Iterator[Finding]:
    """Python, SQLite, mosquitto, and every package against the lock."""
    yield ok(
        "python", f"Python {platform.python_version()}", f"Python {platform.python_version()} ({sys.prefix})"
    )
    if sqlite3.sqlite_version_info >= (3, 37):
        yield ok("sqlite", f"SQLite {sqlite3.sqlite_version}", f"SQLite {sqlite3.sqlite_version}")
    else:
        yield wrong(
            "sqlite",
            f"SQLite {sqlite3.sqlite_version} 太旧",
            f"SQLite {sqlite3.sqlite_version} is too old (3.37 is needed)",
            "升级到 Debian 12 / Raspberry Pi OS Bookworm",
            "upgrade to Debian 12 / Raspberry Pi OS Bookworm",
        )
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program:
        said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False, timeout=5).stdout
        version = re.search(r"mosquitto version (\S+)", said)
        yield ok(
            "mosquitto",
            f"mosquitto {version[1] if version else '?'}",
            f"mosquitto {version[1] if version else '?'}",
        )
    elif house.plan.broker.host in ("127.0.0.1", "localhost", "::1"):
        yield wrong(
            "mosquitto",
            "没有安装 mosquitto",
            "mosquitto is not installed",
            "运行：sudo apt-get install mosquitto",
            "type: sudo apt-get install mosquitto",
        )
    lock = _ROOT / "requirements.lock"
    if not lock.exists():
        yield note(
            "packages",
            "找不到 requirements.lock，无法比较",
            "requirements.lock is not here: nothing to compare with",
        )
        return
    differing = list(_differing(lock.read_text(encoding="utf-8")))
    if differing:
        yield wrong(
            "packages",
            "与锁定版本不符：" + "，".join(differing),
            "not as locked: " + ", ".join(differing),
            "在项目目录运行 make run，它会装好正确版本",
            "type make run in the project's folder: it installs the right ones",
        )
    else:
        yield ok("packages", "全部与锁定版本一致", "all as locked")


def _differing(lock: str) -> Iterator[str]:
    for name, wanted, marker in re.findall(r"^([a-z0-9-]+)==(\S+)(?: ; ([^\\\n]*))?", lock, re.MULTILINE):
        if "platform_machine" in marker and platform.machine() not in marker:
            continue
        try:
            have = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            have = "none"
        if have != wanted:
            yield f"{name} {have} (locked: {wanted})"


def clock(house: House) -> Iterator[Finding]:
    """A Pi has no clock of its own: after a power cut without network it may live in the past."""
    now = wall_s()
    today = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    newest = max((file.stat().st_mtime for file in house.home.glob("*.db*")), default=0.0)
    set_it = (
        "sudo date -s '2026-12-31 09:00'，并检查网络或加装时钟模块（RTC）",
        "sudo date -s '2026-12-31 09:00'; then look at the network, or fit a clock module (RTC)",
    )
    if time.localtime(now).tm_year < FIRST_SANE_YEAR:
        yield wrong("clock", f"时间不对：{today}", f"it says {today}, which cannot be", *set_it)
    elif newest > now + 300:
        behind = int((newest - now) // 60)
        yield wrong(
            "clock",
            f"{today}，比数据还早 {behind} 分钟",
            f"{today}: {behind} minutes before the newest data",
            *set_it,
        )
    else:
        yield ok("clock", today, today)
    synchronised = _clock_is_synchronised()
    if synchronised is False:
        yield note(
            "clock",
            "没有与网络时间同步（离线的大厅属正常）",
            "not synchronised (normal for a hall without network)",
        )
    elif synchronised:
        yield ok("clock", "已与网络时间同步", "synchronised")
    try:
        zoneinfo.ZoneInfo(house.plan.hall.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        yield wrong(
            "clock",
            f"没有这个时区：{house.plan.hall.timezone}",
            f"there is no time zone {house.plan.hall.timezone!r}",
            'hall.toml 的 [hall] timezone 改为 "Asia/Shanghai"',
            'set [hall] timezone in hall.toml, e.g. "Asia/Shanghai"',
        )


def _clock_is_synchronised() -> bool | None:
    """The kernel's own word (adjtimex(2): TIME_ERROR is 5). None where it does not say."""
    room = ctypes.create_string_buffer(512)  # struct timex has 208 bytes; modes = 0 only reads
    state = ctypes.CDLL(None).adjtimex(room)
    return None if state < 0 else state != 5


def disk(house: House) -> Iterator[Finding]:
    """Free space, read-only, and how much is written a day (an SD card wears out)."""
    folder = house.home if house.home.exists() else house.home.parent
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    if room.f_flag & os.ST_RDONLY:
        yield wrong(
            "disk",
            f"{folder} 只读",
            f"{folder} is mounted read-only",
            "存储卡可能正在损坏：立即备份数据目录并换卡",
            "the card may be failing: copy the folder away now, put in a new card",
        )
    elif free < LEAST_FREE_BYTES:
        yield wrong(
            "disk",
            f"仅剩 {free / 1e6:.0f} MB",
            f"only {free / 1e6:.0f} MB free on {folder}",
            "删除旧文件（sudo journalctl --vacuum-size=100M），或换大卡",
            "delete old files (sudo journalctl --vacuum-size=100M), or put in a larger card",
        )
    else:
        yield ok("disk", f"剩余 {free / 1e9:.1f} GB", f"{free / 1e9:.1f} GB free on {folder}")
    if house.home.exists() and not os.access(house.home, os.W_OK | os.X_OK):
        yield wrong(
            "disk",
            f"当前用户不能写 {house.home}",
            f"this user may not write {house.home} (reading the notebooks needs it)",
            "用 sudo 运行，或加入 linli 组：sudo adduser $USER linli",
            "use sudo, or join the group: sudo adduser $USER linli",
        )
    a_day = _written_a_day(folder)
    if a_day is not None:
        sign = note if a_day > MUCH_WRITTEN_A_DAY else ok
        yield sign(
            "disk",
            f"开机以来平均每天写入 {a_day / 1e9:.1f} GB",
            f"{a_day / 1e9:.1f} GB written a day since boot",
        )


def _written_a_day(folder: Path) -> float | None:
    """Bytes a day written since boot to the device under ``folder``; None in the first hour, or where unknown."""
    device = os.stat(folder).st_dev
    try:
        # Field 7 is sectors of 512 bytes written (kernel: Documentation/block/stat.rst).
        fields = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat").read_text().split()
        up_s = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return None
    return int(fields[6]) * 512 * 86400 / up_s if up_s > 3600 else None


def serial_ports(house: House) -> Iterator[Finding]:
    """Each printer's, serial panel's and the modem's port: there, ours to open, and nobody else on it."""
    ports = [(f"printer:{one.id}", one.id, one.port) for one in house.plan.printers]
    ports += [(f"panel:{one.id}", one.id, one.port) for one in house.plan.panels if one.via == "serial"]
    if house.plan.sms.port:
        ports.append(("sms", "modem", house.plan.sms.port))
    for name, thing, port in ports:
        path = Path(house.serial_port(thing, port))
        if not path.exists():
            if port.split(":")[0] == "virtual":
                yield note(name, "虚拟端口（大厅运行时才有）", "a virtual port: there while the hall runs")
            else:
                others = ", ".join(str(p) for p in sorted(Path("/dev").glob("tty[UA][SC][BM]*")))
                yield wrong(
                    name,
                    f"没有 {path}（现有：{others or '没有串口'}）",
                    f"{path} is not there (ports that are: {others or 'none'})",
                    "检查数据线和电源；端口名变了就改 hall.toml",
                    "check cable and power; if its name changed, mend hall.toml",
                )
            continue
        yield _port(name, path, port.split(":")[0] == "virtual")


def _port(name: str, path: Path, virtual: bool) -> Finding:
    real = path.resolve()
    about = real.stat()
    if not stat.S_ISCHR(about.st_mode):
        return wrong(
            name,
            f"{path} 不是串口",
            f"{path} is not a serial port",
            "改正 hall.toml 里的 port",
            "mend its port in hall.toml",
        )
    user = _service_user()
    if not virtual and not _may_open(about, user):
        group = _group_name(about.st_gid)
        return wrong(
            name,
            f"用户 {user.pw_name} 无权使用 {real}（组 {group}）",
            f"the user {user.pw_name} may not open {real} (group {group})",
            f"sudo adduser {user.pw_name} {group}，然后重启",
            f"sudo adduser {user.pw_name} {group}, then restart the hall",
        )
    holder = who_holds({str(real)})
    if holder and not virtual and not holder.startswith("python"):
        return wrong(
            name,
            f"{real} 被 {holder} 占用",
            f"{real} is held by {holder}",
            "停用该程序（常见：sudo apt-get purge modemmanager brltty）",
            "stop that program (often: sudo apt-get purge modemmanager brltty)",
        )
    used = f"，由 {holder} 使用" if holder else ""
    return ok(name, f"{path}{used}", f"{path}" + (f", in use by {holder}" if holder else ", free"))


def _service_user() -> pwd.struct_passwd:
    """Who opens the ports: the units' user where it exists, else whoever asks."""
    try:
        return pwd.getpwnam("linli")
    except KeyError:
        return pwd.getpwuid(os.geteuid())


def _may_open(about: os.stat_result, user: pwd.struct_passwd) -> bool:
    if user.pw_uid == 0:
        return True
    if user.pw_uid == about.st_uid:
        return about.st_mode & 0o600 == 0o600
    if about.st_gid in os.getgrouplist(user.pw_name, user.pw_gid):
        return about.st_mode & 0o060 == 0o060
    return about.st_mode & 0o006 == 0o006


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
