"""Frames of radars that count at a passage or on a lane: the makers' own examples, and what their layouts refuse.

Parametric "PCR2 application payload" v2 to v4; PMX TCR payload examples.
"""

from __future__ import annotations

from tests.data.layouts import Case

COUNTERS: list[Case] = [
    ("Parametric", "PCR2-IN", 14, "0a0002160001010139", "count", False, {"in": 2, "out": 1, "temperature": "absent"}),
    ("Parametric", "PCR2-OD", 14, "0a001016001301ff9a", "count", False, {"in": 16, "out": 19}),
    ("Parametric", "PCR2-IN", 14, "0a00020a0001010139", "count", False, {"in": 2, "out": 1}),
    (
        "Parametric",
        "PCR2-ODS",
        14,
        "be010300000000000100006" + "40ce40139",
        "count",
        False,
        {"in": 0, "out": 0, "in_total": 1, "out_total": 0, "battery_pct": 100},
    ),
    (
        "Parametric",
        "PCR2-T",
        14,
        "be010400010002000300041c200ce40139",
        "count",
        False,
        {"in": 1, "out": 2, "in_total": 3, "out_total": 4, "battery_pct": None},
    ),
    ("Parametric", "PCR2-IN", 14, "be010400000000000000000000" + "0000013c", "count", False, {"in": 0, "out": 0}),
    (
        "Parametric",
        "PCR2-IN",
        190,
        "be01040003060000020000000a05a0000000000078005a50003201f4011450",
        "startup",
        False,
        {"firmware": "3.6.0"},
    ),
    ("Parametric", "PCR2-IN", 190, "00030000000001000a05a0000064", "startup", False, {"firmware": "3.0.0"}),
    # a payload version that nobody has described is no count
    ("Parametric", "PCR2-IN", 14, "be010900010002000300041c200ce40139", "undecodable", False, {"in": "absent"}),
    ("PMX", "TCR-DLI", 190, "d20a020211004200", "startup", False, {"firmware": "1.1.0"}),
    (
        "PMX",
        "TCR-HSS",
        13,
        "a2140a03e832044c3433",
        "count",
        False,
        {"in": 1000, "out": 1100, "in_kmh": 50, "out_kmh": 52, "supply_v": 5.1},
    ),
    # the same vehicles again by class: told, never counted
    ("PMX", "TCR-HSS", 14, "a2140a03e832044c3433", "none", False, {"class": 1, "class_in": 1000, "in": "absent"}),
    ("PMX", "TCR-HSS", 17, "a2140a03e832044c3433", "none", False, {"class": 4, "in": "absent"}),
]
