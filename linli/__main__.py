"""`linli`: the technician's front door. Every command is a function elsewhere; here is only which words call it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from devices.faults import HallFileFault, LinliFault, OrderRefused, OutsideDown


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the shell's status: 0 well, 1 something is wrong (said in words), 2 asked wrongly."""
    asked = _parser().parse_args(argv)
    try:
        return _COMMANDS[asked.command](asked)
    except HallFileFault as wrong:
        print(f"linli: {wrong}", file=sys.stderr)
        return 2
    except OrderRefused as wrong:
        print(f"linli: {wrong.why_zh}  {wrong.why_en}", file=sys.stderr)
        return 1
    except LinliFault as wrong:
        print(f"linli: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `linli doctor | head`: nobody reads on. Python would complain once more while it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="linli",
        description="邻里 Linli: the hall's own tool. LINLI_HOME names the hall's data (default ./var).",
    )
    parser.add_argument("--hall", metavar="FILE", help="another hall.toml")
    words = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    words.add_parser("run", help="run the whole hall on this desk, until Ctrl-C")

    doctor = words.add_parser("doctor", help="look at everything, say what is wrong and what to do")
    doctor.add_argument("--lang", choices=("zh", "en", "both"), default="both")
    doctor.add_argument("--json", action="store_true", help="for a program instead of a person")

    words.add_parser("decode", help="captured device messages in (JSON lines), what the gateway hears out")

    press = words.add_parser("press", help="act as a call button: press until the gateway has written it")
    press.add_argument("device", help='for example "btn-0302"')
    kind = press.add_mutually_exclusive_group()
    kind.add_argument("--long", dest="press", action="store_const", const="long", default="short")
    kind.add_argument("--double", dest="press", action="store_const", const="double")
    press.add_argument("--button", type=int, default=1, help="which key of a device with several (default 1)")

    park = words.add_parser("park", help="act as a bay's sensor")
    park.add_argument("device", help='the sensor, for example "bay-e01"')
    park.add_argument("does", choices=("arrive", "leave"))

    parking = words.add_parser("parking", help="the car park's history: how right its forecasts were")
    parking.add_argument("about", choices=("backtest",), help="forecasts of days that are over, against what came")
    parking.add_argument("--days", type=int, default=28, help="days to foretell (default 28)")
    parking.add_argument("--simulated", action="store_true", help="on played days, not on the hall's own")
    parking.add_argument("--seed", type=int, default=1, help="of the played days")

    print_ = words.add_parser("print", help="print a test slip: rulers, samples, rare names, a code")
    print_.add_argument("printer", nargs="?", default="", help="its id in hall.toml (default: the first)")
    print_.add_argument("--test", action="store_true", help="the test slip (so it is without this word, too)")
    print_.add_argument(
        "--gbk",
        nargs="?",
        const="all",
        default="",
        metavar="PAGES",
        help="all 21,791 characters; or page 3, or 3-5, of 16"
    )

    devices = words.add_parser("devices", help="the walk list: which devices need somebody, where, and for what")
    devices.add_argument("--all", action="store_true", help="also those that are well")
    devices.add_argument(
        "--fleet", action="store_true", help="in the order of the walk: battery, signal, temperature, firmware, service"
    )

    words.add_parser("admin-token", help="the one-time token that makes the first administrator")

    virtual = words.add_parser(
        "virtual", help="make a virtual device misbehave (docs/protocol.md, section 6)"
    )
    virtual.add_argument("device", nargs="?", default="", help='for example "printer:hall"; none: list them')
    virtual.add_argument("do", nargs="?", default="list", help='for example "paper_out"')
    virtual.add_argument("fields", nargs="*", metavar="KEY=VALUE")

    backup = words.add_parser("backup", help="whole copies of the notebooks into a folder; the hall may run")
    backup.add_argument("folder", type=Path, nargs="?", help="for example /media/stick/2026-11-22")
    backup.add_argument(
        "--auto", action="store_true", help="one of the hourly backups, into $LINLI_BACKUPS or <home>/backups"
    )

    restore = words.add_parser("restore", help="put a backup in place; the hall must stand still")
    restore.add_argument("folder", type=Path, help="where `linli backup` put it")
    restore.add_argument(
        "--after", nargs="+", metavar="NUMBER", default=(), help="today's last numbers on paper: B031 C007"
    )

    clock = words.add_parser("clock", help="is the time known; say that it is right; set it")
    clock.add_argument("does", nargs="?", choices=("show", "confirm", "set"), default="show")
    clock.add_argument("moment", nargs="?", default="", help="for set: '2026-12-31 09:00'")
    clock.add_argument("--by", default="", metavar="NAME", help="who has looked at a watch")

    answered = words.add_parser("figures", help="how calls were answered, recomputed from the journal")
    _days_and_form(answered, "a line a call")

    queue = words.add_parser("queue", help="the line of waiting people: figures, estimates, fairness, rules")
    about = queue.add_subparsers(dest="about", required=True, metavar="WHAT")
    waited = about.add_parser("figures", help="how long people waited and were served, by item, window, hour and day")
    _days_and_form(waited, "for a table program")
    held = about.add_parser("backtest", help="would the estimates of the past have held, and how often their range")
    held.add_argument("--days", type=int, default=0, help="of the past, the newest (default: all)")
    held.add_argument("--simulated", action="store_true", help="on simulated days instead (default: 120)")
    held.add_argument("--seed", type=int, default=1, help="of the simulated days")
    fair = about.add_parser("fairness", help="elders first, and fair: on simulated days")
    fair.add_argument("--days", type=int, default=1000, help="for each load (default: 1000)")
    fair.add_argument("--seed", type=int, default=1)
    about.add_parser("policy", help="the rules of the line in force, and where each number comes from")

    stats = words.add_parser("stats", help="how late the loop is, what was late and why, what it counted")
    form = stats.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", default="tables")
    form.add_argument("--prometheus", dest="form", action="store_const", const="prometheus")
    stats.add_argument("--watch", action="store_true", help="again every two seconds, until Ctrl-C")
    return parser


def _days_and_form(figures: argparse.ArgumentParser, csv: str) -> None:
    figures.add_argument("--from", dest="first_day", default="", metavar="DAY", help="2026-11-01")
    figures.add_argument("--to", dest="last_day", default="", metavar="DAY", help="2026-11-30, included")
    form = figures.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", default="tables")
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help=csv)


def _run(asked: argparse.Namespace) -> int:
    from linli.run import run

    return run(asked.hall)


def _doctor(asked: argparse.Namespace) -> int:
    from linli.doctor import doctor

    return doctor(asked.hall, lang=asked.lang, as_json=asked.json)


def _decode(asked: argparse.Namespace) -> int:
    from linli.decode import main as decode

    return decode(sys.stdin, sys.stdout)


def _press(asked: argparse.Namespace) -> int:
    from linli.act import press

    return press(asked.hall, asked.device, asked.press, asked.button)


def _park(asked: argparse.Namespace) -> int:
    from linli.act import park

    return park(asked.hall, asked.device, arrives=asked.does == "arrive")


def _parking(asked: argparse.Namespace) -> int:
    from linli.parking import backtest

    return backtest(asked.hall, days=asked.days, simulated=asked.simulated, seed=asked.seed)


def _print(asked: argparse.Namespace) -> int:
    from linli.paper import print_test

    return print_test(asked.hall, asked.printer, asked.gbk)


def _devices(asked: argparse.Namespace) -> int:
    from linli.devices import walk_list

    return walk_list(asked.hall, everything=asked.all, by_place=asked.fleet)


def _admin_token(asked: argparse.Namespace) -> int:
    from linli.act import admin_token

    return admin_token(asked.hall)


def _virtual(asked: argparse.Namespace) -> int:
    from linli.act import virtual

    return virtual(asked.hall, asked.device, asked.do, asked.fields)


def _figures(asked: argparse.Namespace) -> int:
    from linli.figures import show

    return show(asked.hall, first_day=asked.first_day, last_day=asked.last_day, form=asked.form)


def _queue(asked: argparse.Namespace) -> int:
    from linli import queue
    from linli.queue_figures import show

    match asked.about:
        case "backtest":
            return queue.backtest(asked.hall, days=asked.days, simulated=asked.simulated, seed=asked.seed)
        case "fairness":
            return queue.fairness(days=asked.days, seed=asked.seed)
        case "policy":
            return queue.policy(asked.hall)
    return show(asked.hall, first_day=asked.first_day, last_day=asked.last_day, form=asked.form)


def _stats(asked: argparse.Namespace) -> int:
    from linli.stats import stats

    return stats(asked.hall, form=asked.form, watch=asked.watch)


def _clock(asked: argparse.Namespace) -> int:
    from linli import clock

    match asked.does:
        case "confirm":
            return clock.confirm(asked.hall, asked.by)
        case "set":
            return clock.set_to(asked.hall, asked.moment, asked.by)
    return clock.show(asked.hall)


def _backup(asked: argparse.Namespace) -> int:
    from linli.backup import backup
    from linli.keep import auto

    if asked.auto:
        return auto(asked.hall)
    if asked.folder is None:
        raise OutsideDown("name a folder for the backup, for example /media/stick/2026-11-22. 请写明备份目录。")
    return backup(asked.hall, asked.folder)


def _restore(asked: argparse.Namespace) -> int:
    from linli.backup import restore

    return restore(asked.hall, asked.folder, asked.after)


# Each command imports what it needs when it is called: `linli decode` starts no MQTT, `linli run` no SQLite.
_COMMANDS = {
    "run": _run,
    "doctor": _doctor,
    "decode": _decode,
    "press": _press,
    "park": _park,
    "parking": _parking,
    "print": _print,
    "devices": _devices,
    "admin-token": _admin_token,
    "virtual": _virtual,
    "figures": _figures,
    "queue": _queue,
    "stats": _stats,
    "clock": _clock,
    "backup": _backup,
    "restore": _restore,
}

if __name__ == "__main__":
    sys.exit(main())
