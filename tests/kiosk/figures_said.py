"""An answer to `statistics` as docs/protocol.md words it: a hall that has run three days and had one bad moment."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

EDGES_MS = [0.25 * 2**step for step in range(17)]


def spread(count: int, p50_ms: float, p99_ms: float, max_ms: float, worst: str, worst_at_ms: int) -> Json:
    """A histogram that agrees with itself: half below p50, 99 of 100 below p99, all below max."""
    buckets: list[list[float | int | None]] = []
    for edge in EDGES_MS:
        share = 0.0 if edge < p50_ms else 0.5 if edge < p99_ms else 0.99 if edge < max_ms else 1.0
        buckets.append([edge, int(count * share)])
    return {
        "count": count, "p50_ms": p50_ms, "p99_ms": p99_ms, "max_ms": max_ms, "sum_ms": count * p50_ms,
        "worst": worst, "worst_at_ms": worst_at_ms, "buckets": [*buckets, [None, count]],
    }  # fmt: skip


def figures(now_ms: int, **more: object) -> Json:
    """The whole answer; ``more`` replaces what a story needs otherwise."""
    minute_ms = now_ms - now_ms % 60_000
    late_ms = minute_ms - 17 * 60_000 + 12_000

    def minute(ago: int) -> Json:
        bad = ago == 17
        lanes: Json = {
            "telemetry": {"count": 900 + ago, "p50_ms": 3.2, "p99_ms": 41.0, "max_ms": 80.0 + ago},
        }
        if ago % 3 == 2:
            lanes["call"] = {"count": 1 + ago % 4, "p50_ms": 1.1, "p99_ms": 4.0 + ago / 10, "max_ms": 4.1 + ago / 10}
        if bad:
            lanes["call"] = {"count": 3, "p50_ms": 1.4, "p99_ms": 131.0, "max_ms": 131.0}
        return {"minute_ms": minute_ms - ago * 60_000, **lanes}

    def lane(count: int, p50_ms: float, p99_ms: float, max_ms: float, worst: str) -> Json:
        return {
            stage: spread(count, round(p50_ms * part, 2), round(p99_ms * part, 2), max_ms, worst, late_ms)
            for stage, part in (("decided", 0.3), ("written", 0.8), ("told", 1.0))
        }

    told: Json = {
        "since_ms": now_ms - 3 * 86_400_000,
        "now_ms": now_ms,
        "turns": 1_234_567,
        "cpu_s": 812.4,
        "rss_kb": 31_744,
        "lateness": {
            "call": lane(412, 1.1, 4.0, 131.0, "press from btn-0302"),
            "order": lane(388, 0.9, 3.4, 22.0, "accept_call from kiosk"),
            "pin": lane(6, 1.2, 2.9, 2.9, "press of pin desk"),
            "telemetry": lane(3_456_789, 3.2, 41.0, 240.0, "state from bay-e01"),
        },
        "commits": spread(52_103, 0.3, 2.2, 118.2, "", late_ms),
        "away": spread(1_234_567, 0.25, 1.8, 120.0, "", late_ms),
        "phases": {
            "read": {"count": 1_200_000, "total_ms": 210_000.0, "max_ms": 4.2},
            "decide": {"count": 52_000, "total_ms": 96_000.0, "max_ms": 3.0},
            "commit": {"count": 52_103, "total_ms": 31_000.0, "max_ms": 118.2},
            "tell": {"count": 52_000, "total_ms": 22_000.0, "max_ms": 2.0},
            "telemetry": {"count": 40_000, "total_ms": 80_000.0, "max_ms": 9.0},
            "timers": {"count": 900_000, "total_ms": 9_000.0, "max_ms": 1.0},
            "checkpoint": {"count": 400, "total_ms": 2_500.0, "max_ms": 31.0},
        },
        "minutes": [minute(ago) for ago in range(59, -1, -1)],
        "late": [
            {"at_ms": late_ms, "what": "press from btn-0302", "lane": "call", "told_ms": 131.0,
             "waited_for": "commit", "waited_ms": 118.2},
            {"at_ms": late_ms + 300_000, "what": "accept_call from kiosk", "lane": "order", "told_ms": 104.0,
             "waited_for": "processor", "waited_ms": 90.0},
        ],
        "counts": {"messages": 3_460_021, "garbage": 17, "unknown_topic": 3, "over_budget": 40_210, "retained": 12,
                   "press_copies": 9, "conflated": 2_100_345, "signs_of_life": 800_000},
        "over_budget": [{"device_id": "bay-e01", "excess": 40_210, "since_ms": late_ms}],
        "waiting": {"urgent": 0, "telemetry": 3, "disk": 0},
        "timers": {"waiting": 4, "next_in_ms": 38_000},
        "clock": {"known": True, "why": "synchronised"},
        "lines": {"calls": {"up": True, "reconnects": 0}, "telemetry": {"up": True, "reconnects": 2}},
        "desk": {"visitors": 2, "bad_lines": 0, "sent_away": 1},
        "processors": {"ours": [1, 2, 3], "why_not_apart": ""},
        "awake": {"now": True, "why_not": "Permission denied"},
    }  # fmt: skip
    return {**told, **more}
