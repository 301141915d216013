"""The loop and the broker, on processors of their own.

The lamp's packet wakes the broker. Where two processors share no cache in the kernel's eyes (virtual machines, some
boards), it wakes on the processor that the loop is running on, though another has nothing to do: either it pushes the
loop aside before the screens are told, or it waits until the loop has done its accounts before the lamp is lit. Kept
apart, the console hears 0.4-0.6 ms sooner (docs/measurements.md). So the broker stays on the first processor and the
loop on any other; everybody else goes where the kernel likes. A machine with one processor is left alone.

Under systemd the broker's place is ``CPUAffinity=`` in ``systemd/mosquitto.service.d/linli.conf``: the first one too.
"""

from __future__ import annotations

import os


def keep_broker_apart(pid: int) -> None:
    """The broker that we have started: on the first processor. Where that is not allowed, it stays as it was."""
    ours = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(pid, {min(ours)} if len(ours) > 1 else ours)
    except OSError:
        pass  # ended already, or not ours to move: slower by what the head says, no more


def keep_loop_apart() -> str:
    """This process and what it starts from now on: on any processor but the first. Returns why not, or ""."""
    ours = os.sched_getaffinity(0)
    if len(ours) < 2:
        return "one processor"
    try:
        os.sched_setaffinity(0, ours - {min(ours)})
    except OSError as wrong:
        return wrong.strerror or str(wrong)
    return ""
