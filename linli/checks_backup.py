"""What `linli doctor` looks at in the automatic backups: that there are some, and that they are not old."""

from __future__ import annotations

import time
from collections.abc import Iterator

from gateway.backup_sets import backups_of, sets_in
from gateway.finding import Finding, note, ok, wrong
from gateway.house import House

#: One is taken every hour; after this, two in a row have failed.
TOO_OLD_MS = 3 * 3_600_000


def backups(house: House) -> Iterator[Finding]:
    """The newest automatic backup. A hall that stands still needs no new one."""
    books = [one for name in ("gateway", "kiosk", "bridge") if (one := house.home / f"{name}.db").exists()]
    if not books:
        return
    folder = backups_of(house.home)
    sets = sets_in(folder)
    # The lock is made at a notebook's first opening and never written again: so old is the hall.
    locks = [one.with_name(one.name + ".lock") for one in books]
    born_ms = min((int(one.stat().st_mtime * 1000) for one in locks if one.exists()), default=0)
    logs = [*books, *(one.with_name(one.name + "-wal") for one in books)]
    written_ms = max(int(one.stat().st_mtime * 1000) for one in logs if one.exists())
    since_ms = sets[0].taken_ms if sets else born_ms
    do = (
        "运行 sudo systemctl enable --now linli-backup.timer，再看 systemctl status linli-backup",
        "type sudo systemctl enable --now linli-backup.timer, then look at systemctl status linli-backup",
    )
    if written_ms - since_ms > TOO_OLD_MS:
        hours = (written_ms - since_ms) // 3_600_000
        zh = f"最近的自动备份在最新数据 {hours} 小时之前" if sets else f"已经 {hours} 小时没有自动备份"
        en = f"the newest one is {hours} h older than the newest data" if sets else f"none, for {hours} h"
        yield wrong("backups", f"{zh}（{folder}）", f"{en} ({folder})", *do)
    elif not sets:
        yield note("backups", "还没有自动备份（每小时一次）", "none yet (one is taken every hour)")
    else:
        moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(sets[0].taken_ms / 1000))
        yield ok("backups", f"共 {len(sets)} 份，最近 {moment}", f"{len(sets)}, the newest of {moment} ({folder})")
