"""Frames made by hand from the makers' documents, for what watches a place (see ``layouts``)."""

from __future__ import annotations

from tests.data.layouts import Case

MILESIGHT_PLACES: list[Case] = [
    ("Milesight", "AM307", 85, "ff2e01", "config", False, {}),
    ("Milesight", "VS340", 85, "fe950101030001", "status", False, {"occupied": True}),
    ("Milesight", "VS350", 85, "01756403670c0184cc0111081101", "alarm", False, {"in": 4353, "out": 4360}),
    ("Milesight", "VS350", 85, "83673e0104", "status", False, {"temperature": 31.8}),  # a released alarm
    (
        "Milesight",
        "VS351",
        85,
        "20ceff3df16401070002001d000800017564",
        "heartbeat",
        False,
        {"battery_pct": 100},
    ),
    ("Milesight", "VS133", 85, "0fe302100709", "count", False, {}),
    (
        "Milesight",
        "VS321",
        85,
        "06fe0f00060001756405fd0200",
        "status",
        False,
        {"occupied": True, "people_count": 2},
    ),
    ("Milesight", "VS373", 85, "03f801000a000f00", "status", False, {"occupied": False}),
    (
        "Milesight",
        "EM410-RDL",
        85,
        "b482f40102017562",
        "alarm",
        False,
        {"distance_mm": 500, "battery_pct": 98},
    ),
    ("Milesight", "WS203", 85, "20ceae5ba664040024016501755a", "heartbeat", False, {"battery_pct": 90}),
    ("Milesight", "WS303", 85, "017564030001", "status", False, {"leak": True}),
]
NETVOX_PLACES: list[Case] = [
    ("Netvox", "RB11E", 6, "010301220a2800b4010100", "status", False, {"occupied": True, "tamper": True}),
    ("Netvox", "R718X", 6, "0134012401012c00d7320a", "status", False, {"occupied": True, "distance_mm": 300}),
    ("Netvox", "R718PE", 6, "01b100640b201907180000", "startup", False, {}),
    ("Netvox", "R718PE", 7, "82b1038407080100000000", "config", False, {"min_time": 900}),
    ("Netvox", "R315", 6, "01d2011c000500010adc6a", "status", False, {"occupied": True, "temperature": 27.8}),
    ("Netvox", "R315", 6, "01d2111c00400008000000", "status", False, {"occupied": True}),
    ("Netvox", "R315", 6, "01d2111c00400000000000", "status", False, {"occupied": False}),
]
MOKO_PLACES: list[Case] = [
    (
        "MOKOSmart",
        "LW007-PIR",
        6,
        "66db2fab0240a28c800005",
        "status",
        False,
        {"occupied": True, "temperature": 35.0},
    ),
    (
        "MOKOSmart",
        "LW007-PIR",
        5,
        "66db2fab02c0fffff08005",
        "heartbeat",
        False,
        {"occupied": None, "battery_low": True},
    ),
    ("MOKOSmart", "LW009-SM PRO", 5, "000dac66db2fab021500", "device_off", False, {"fault": True}),
]
DRAGINO_PLACES: list[Case] = [
    ("Dragino", "DDS20-LB", 2, "0d020018000ccc01", "status", False, {"distance_mm": 24, "battery_v": 3.33}),
    ("Dragino", "DDS20-LB", 5, "29011001000d12", "startup", False, {"battery_v": 3.346}),
    ("Dragino", "DDS04-LB", 2, "4d4a03160318031a031501", "status", False, {"interrupt": True}),
    ("Dragino", "DDS04-LB", 3, "4301bb0bed0bfe64ccc6a4", "none", False, {"history": True}),
    ("Dragino", "LLDS12", 2, "0ce000f900640078000a02", "status", False, {"distance_mm": 1000}),
]
PLACES: list[Case] = [
    (
        "Dingtek",
        "DO201",
        3,
        "80003102170" + "6b4100001" + "610010fff6fff01a2d000100" + "81",
        "status",
        False,
        {"battery_v": 3.53, "temperature": 26},
    ),
    (
        "Dingtek",
        "DC510",
        3,
        "800015011200050014000010" + "0001a4" + "000181",
        "count",
        False,
        {"count": 5, "battery_v": 4.2, "temperature": 20},
    ),
    (
        "Dingtek",
        "DC520",
        3,
        "80005202130001000200010000000500000181",
        "count",
        False,
        {"count": 1, "in": 2, "out": 1},
    ),
    ("Dingtek", "DC410", 3, "800001021106a400160100000000010081", "none", False, {"occupied": None}),
    ("Dingtek", "DC500", 3, "800002030c01030401f41e81", "config", False, {"firmware": "1.3"}),
    ("Tektelic", "Smart Room PIR", 10, "036700f204686100ba0bc1", "heartbeat", False, {"battery_v": 3.009}),
    (
        "Nwave",
        "NPS405",
        2,
        "00d3d800590b",
        "heartbeat",
        False,
        {"occupied": False, "battery_v": 3.344, "temperature": -10},
    ),
    ("Elsys", "EMS Door", 5, "0d01", "status", False, {"open": False}),
    ("Elsys", "ERS Eye", 5, "1101", "status", False, {"occupied": None}),
    ("Terabee", "TB-POC", 83, "00050304020100ffffff", "count", False, {"people_count": 5}),
    ("Terabee", "TB-POC", 83, "01050304020100ffffff", "fault", False, {"fault": True}),
    ("Sensative", "Strips", 2, "00010a1201", "none", False, {"history": True, "occupied": None}),
    ("Nexelec", "Move+", 1, "c60880", "status", False, {"occupied": True}),
]

#: What watches a place: nobody calls through it.
WATCHED = MILESIGHT_PLACES + NETVOX_PLACES + MOKO_PLACES + DRAGINO_PLACES + PLACES
