"""What the gateway tells of itself when it is asked: the picture a screen begins with, and its own figures."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping

from gateway.hall import calls
from gateway.hall.state import Call, HallState
from gateway.teller import Teller
from gateway.views import Json, bay_json, call_json, device_json, panel_json, zone_json

#: Closed calls that a console is shown when it comes.
_CLOSED_SHOWN = 20


def snapshot(state: HallState, provisional: Mapping[int, Call], teller: Teller, epoch: str, now_ms: int) -> Json:
    """docs/protocol.md, `Snapshot`. ``provisional``: calls that are in memory only, because the disk refuses."""
    shown = {**state.calls, **provisional}
    newest_closed = [call.call_id for call in shown.values() if call.state == "CLOSED"][-_CLOSED_SHOWN:]
    return {
        "fact": "Snapshot",
        "rev": teller.rev,
        "epoch": epoch,
        "now_ms": now_ms,
        "calls": [
            call_json(call, written=call_id not in provisional)
            for call_id, call in sorted(shown.items())
            if call.state != "CLOSED" or call_id in newest_closed
        ],
        "zones": [zone_json(zone) for _, zone in sorted(state.zones.items())],
        "bays": [bay_json(bay) for _, bay in sorted(state.bays.items())],
        "devices": [device_json(device) for _, device in sorted(state.devices.items())],
        "panels": [panel_json(count) for _, count in sorted(state.shown.items())],
        "lamps": {call.device_id: calls.LAMP[call.state] for call in state.calls.values()},
        "parts": list(teller.parts.values()),
    }


def process() -> Json:
    """Processor time and resident memory of this process."""
    return {"cpu_s": round(sum(os.times()[:2]), 2), "rss_kb": _resident_kb()}


def _resident_kb() -> int:
    """Now; where the kernel does not tell, the highest so far."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
