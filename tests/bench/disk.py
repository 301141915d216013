"""A slow disk: every sync of the gateway, and of nobody else, takes some milliseconds longer (``slow_sync.c``)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.bench.figures import Bar, median, percentile
from tests.bench.floor import measure_commit
from tests.bench.loop import PRESSES_A_S, Case, Options, print_load, print_sign, run_case
from tests.bench.stage import Json, stage

_SHIM = Path(__file__).parent / "slow_sync.c"
#: What telemetry may wait for its commit, so that a slow card is not asked for every bay.
TELEMETRY_MS = 250.0


def slow_disk(folder: Path, slow_ms: float) -> dict[str, str] | None:
    """The environment in which a process's syncs take ``slow_ms`` longer. None: there is no C compiler here."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    shim = folder / "slow_sync.so"
    if not shim.exists():
        subprocess.run(
            [compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", str(shim), str(_SHIM), "-ldl"], check=True
        )
    return {"LD_PRELOAD": str(shim), "SLOW_SYNC_MS": str(slow_ms)}


def slowdisk(options: Options) -> None:
    """A good SD card (8 ms) idle and beside 10,000 parking messages/s, an old one (80 ms) beside 5,000."""
    print(" the gateway's disk slowed")
    cases: list[tuple[float, int]] = [(8.0, 0), (8.0, 10_000), (80.0, 5000)]
    for slow_ms, parking in cases:
        environ = slow_disk(options.folder / "shim", slow_ms)
        if environ is None:
            print("  NOT MEASURED: no C compiler (cc) here; apt-get install gcc libc6-dev, and run it again")
            return
        commits = measure_commit(options.folder / "slow-floor", environ)
        one_ms = median(commits)
        print(
            f"  + {slow_ms:.0f} ms a sync: one commit alone p50 {one_ms:.2f}  p99 {percentile(commits, 0.99):.2f} ms "
            f"(n {len(commits)})"
        )
        case, telemetry = Case(), ""
        for turn in range(max(1, options.rounds // 2)):
            home = options.folder / f"slow-{slow_ms:.0f}-{parking}-{turn}"
            with stage(home, broker=options.broker, gateway_environ=environ) as hall:
                hall.furnish()
                presses = int(options.seconds * PRESSES_A_S)
                case.runs.append(run_case(hall, parking, turn + 1, rate=PRESSES_A_S, presses=presses))
                telemetry = _telemetry_words(hall.statistics()) if parking else ""
        bars: tuple[Bar | None, Bar | None]
        if slow_ms < 20:
            bars = (Bar(2 * one_ms, f"{2 * one_ms:.1f}"), Bar(4 * one_ms, f"{4 * one_ms:.1f}"))
        else:
            bars = (None, Bar(250.0, "250"))
        for sign in ("lamp", "doorbell"):
            print_sign(
                case,
                sign,
                f"{parking:>6}/s",
                *bars,
                tail=f"{median(case.of(sign, 0.5)) / one_ms:.1f} commits",
            )
        print_load(case, f"{parking:>6}/s")
        if telemetry:
            print(telemetry)


def _telemetry_words(statistics: Json) -> str:
    """What the gateway itself says of its telemetry's lateness (docs/protocol.md, statistics)."""
    told = statistics.get("lateness", {}).get("telemetry", {}).get("written")
    if not told or told["p99_ms"] is None:
        return "            parking messages: this gateway does not tell how late they were written"
    return (
        f"            parking messages written after p50 {told['p50_ms']:.0f}  p99 {told['p99_ms']:.0f} ms  "
        f"max {told['max_ms']:.0f} ms {Bar(TELEMETRY_MS + 80.0, '250 and a commit').verdict(told['p99_ms'])}"
    )
