"""``make campaign``: every trial of this folder. ``make campaign ARGS="kills 50"``: one, with its arguments."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import tests.campaign as here


def main(words: list[str]) -> int:
    trials = sorted(one.name for one in pkgutil.iter_modules(here.__path__) if not one.name.startswith("_"))
    if words and words[0] not in trials:
        print(f"no such trial: {words[0]}; there are: {', '.join(trials)}", file=sys.stderr)
        return 2
    worst = 0
    for name in words[:1] or trials:
        trial = importlib.import_module(f"tests.campaign.{name}")
        print(f"== {name}: {(trial.__doc__ or '').strip().splitlines()[0]}", flush=True)
        status = trial.main(words[1:])
        print(f"== {name}: {'held' if status == 0 else 'FAILED'}", flush=True)
        worst = max(worst, status)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
