"""Frames of the makers of one or two buttons each, and what a second look at the larger families' documents showed.

Each line is an example of the document that is named above it, or its layout with other values (see ``layouts``).
"""

from __future__ import annotations

from tests.data.layouts import Case

# GlobalSat, "LoRaWAN report format" of LT-100, LT-501 and LT-20.
GLOBALSAT: list[Case] = [
    ("GlobalSat", "LT-20", 1, "80023032525aefd2046400", "position_failed", False, {"battery_pct": 100}),
    ("GlobalSat", "LT-100H", None, "008e6401a3b2c407a1b2c3", "sos", True, {"battery_pct": 100}),
    ("GlobalSat", "LT-100H", None, "00986401a3b2c407a1b2c3", "man_down", True, {}),
    ("GlobalSat", "LT-100H", None, "00820a01a3b2c407a1b2c3", "position", False, {"battery_pct": 10}),
    ("GlobalSat", "LT-100H", None, "0013050000000000000000", "device_off", False, {"fault": True}),
    ("GlobalSat", "LT-501", 1, "80015a0d3d074b6d5c0141", "sos", True, {}),
    ("GlobalSat", "LT-501", 1, "80835a0d3d074b6d5c0142", "position", False, {}),
    ("GlobalSat", "LT-501", 1, "0c0b005a0d3d074b6d5c014155f05f5c65", "sos", True, {"battery_pct": 85}),
    ("GlobalSat", "LT-501", 1, "0c10025a0d3d074b6d5c014255f05f5c65", "position", False, {"battery_pct": 85}),
    ("GlobalSat", "LT-501", 1, "0c0700" + "00" * 20 + "21c5c550", "sos", True, {"battery_pct": 80}),
    ("GlobalSat", "KT-520", 1, "eae2513343d06c80010000000600020001000000000000", "none", False, {}),
]
# Radio Bridge, "Common messages" and the push button's user guide.
RADIO_BRIDGE: list[Case] = [
    ("Radio Bridge", "RBS304-ABB", 2, "11060300", "press", True, {"button": 1}),
    ("Radio Bridge", "RBS304-ABB", 2, "12060301", "release", False, {}),
    ("Radio Bridge", "RBS301-ABD", 2, "13061202", "press", True, {"buttons": [1, 2], "press_type": "hold"}),
    ("Radio Bridge", "RBS304-ABB", 2, "1401020032000000000000", "heartbeat", False, {"battery_v": 3.2}),
    ("Radio Bridge", "RBS304-ABB", 2, "10000610010203", "lifecycle", False, {}),
    ("Radio Bridge", "RBS304-ABB", 2, "15ff01", "config_reply", False, {}),
    ("Radio Bridge", "RBS301-DWS", 2, "160301", "contact", False, {"open": True}),
]
# Ascoel "LoRa protocol"; Miromico "LoRaWAN button"; Swisscom "LPN MultiSense"; Comtac CM-1; ioTracker 3; Adeunis FTD;
# IMBuildings "Payload types"; Digital Matter's payload documents.
SMALL_MAKERS: list[Case] = [
    ("Ascoel", "PB868LR", 40, "010001", "press", True, {"counter": 1}),
    ("Ascoel", "PB868LR", 40, "000002", "release", False, {}),
    ("Ascoel", "PB868LR", 8, "5e", "heartbeat", False, {"battery_pct": 94}),
    ("Ascoel", "PB868LR", 7, "010b0a4f04030f42", "lifecycle", False, {}),
    ("Miromico", "FMLR REV2", None, "0501110a00000000e80400", "press", True, {"button": 1}),
    ("Miromico", "FMLR REV2", None, "0502e804000003038c27", "heartbeat", False, {"battery_v": 3.1}),
    (
        "The Things Industries",
        "Generic Node Sensor Edition",
        1,
        "2302d800fa01",
        "press",
        True,
        {"temperature": 22.8},
    ),
    (
        "The Things Industries",
        "Generic Node Sensor Edition",
        1,
        "2302d800fa00",
        "heartbeat",
        False,
        {"battery_v": 3.5},
    ),
    ("The Things Products", "The Things Node", 4, "126100160866", "press", True, {"battery_v": 4.705}),
    ("The Things Products", "The Things Node", 2, "126100160866", "heartbeat", False, {"temperature": 21.5}),
    ("The Things Products", "The Things Node", 1, "126100160866", "lifecycle", False, {}),
    ("Swisscom", "Multisense", 3, "020040b5", "press", True, {"battery_v": 3.086}),
    ("Swisscom", "Multisense", 3, "020020a9030a86", "heartbeat", False, {}),  # its reed contact
    (
        "Swisscom",
        "Multisense",
        3,
        "010080a3010945026e0300170412820503f8007cfffc",
        "heartbeat",
        False,
        {"temperature": 23.73, "humidity": 55.0},
    ),
    ("Comtac", "CM-1", 3, "10f1f10000000f0ab60a091379", "press", True, {"battery_v": 2.742}),
    ("Comtac", "CM-1", 3, "00f1f10000000f0ab60a091379", "heartbeat", False, {"temperature": 25.69}),
    ("ioTracker", "ioTracker3", 1, "1700fa0b0a82443440004000", "press", True, {"battery_pct": 98}),
    ("ioTracker", "ioTracker3", 1, "1803fa0b0b0877ee00004000", "position", False, {"temperature": 28.24}),
    ("Adeunis", "FTD", 3, "be1a47248480008320601512100da1", "press", True, {"battery_v": 3.489}),
    ("Adeunis", "FTD", 3, "9e1a47248480008320601512100da1", "position", False, {"temperature": 26}),
    ("IMBuildings", "MoodBox", 1, "03030004a30b00f7c508015b04", "press", True, {"button": 3}),
    ("IMBuildings", "MoodBox", 1, "03030004a30b00f7c508015b00", "heartbeat", False, {"battery_v": 3.47}),
    (
        "IMBuildings",
        "MoodBox",
        1,
        "03040004a30b00f7c50800015b00070003000200010002",
        "heartbeat",
        False,
        {"battery_v": 3.47},
    ),
    ("Digital Matter", "Guppy", 1, "c38245b1", "man_down", True, {"battery_v": 3.358, "temperature": 25.0}),
    ("Digital Matter", "Guppy", 1, "c382", "heartbeat", False, {}),
    ("Digital Matter", "Oyster", 1, "0030edec003224450000de", "position", False, {"battery_v": 5.55}),
    ("Digital Matter", "Oyster3", 2, "d3010262010a", "config_reply", False, {}),
]
# Second readings: Milesight DS3604, AT101, WT101; MOKO LW004-CT; Watteco Closo and Moveo; MClimate Open/Close behind an
# answer; Lansitec NB-IoT; Abeeway's extended positions; MOKO LW001 "Shutdown".
SECOND_READINGS: list[Case] = [
    ("Milesight", "DS3604", 85, "01755cff2e01", "press", True, {"press_type": "short"}),
    ("Milesight", "AT101", 85, "01756403671b01050000048836bf7701f000090722", "position", False, {}),
    ("MOKOSmart", "LW004-CT", 2, "055a07e8081d0a0818" + "00" * 41, "sos", True, {"battery_pct": 90}),
    ("MOKOSmart", "LW004-CT", 2, "015a07e8081d0a0818" + "00" * 41, "none", False, {"battery_pct": 90}),
    ("MOKOSmart", "LW001-BG PRO", 4, "211af002", "device_off", False, {"device_event": "Magnet"}),
    ("Watteco", "Closo", 125, "310a000f00551001", "contact", False, {"open": True}),
    ("Watteco", "Moveo", 125, "110a000f00551001", "status", False, {"tamper": True}),
    ("MClimate", "Open/Close Sensor", 2, "120501ab00d91b5cae01", "contact", False, {"battery_v": 2.968}),
    (
        "Lansitec",
        "NB-IoT container tracker",
        None,
        "20f3804000200b010000230004",
        "heartbeat",
        False,
        {"battery_v": 3.2, "battery_pct": 11},
    ),
    ("Abeeway", "Compact tracker", 18, "0e480094010000008e7a000000", "position_failed", False, {}),
    ("Netvox", "R312A", 13, "824d050000000000000000", "config_reply", False, {"min_time": "absent"}),
]

#: What people press or wear.
OTHER_MAKERS = GLOBALSAT + RADIO_BRIDGE + SMALL_MAKERS + SECOND_READINGS

# Dragino NDDS75 (NB-IoT), Netvox R315LA, Nwave NPS405, Milesight EM400 over NB-IoT and VS121, IMBuildings' counters.
OTHER_PLACES: list[Case] = [
    (
        "Dragino",
        "NDDS75",
        2,
        "f86778705021331700840cf41e010000396315537b",
        "status",
        False,
        {"battery_v": 3.316, "distance_mm": 57, "interrupt": False},
    ),
    (
        "Netvox",
        "R315LA",
        6,
        "01dd0130000101010000" + "00",
        "status",
        False,
        {"distance_mm": 257, "occupied": True},
    ),
    ("Nwave", "NPS405", 1, "95", "status", False, {"occupied": True}),
    # Bit 0 is the bay, by Nwave's manual: here free with a long last state, taken with a short one.
    ("Nwave", "NPS405", 1, "80", "status", False, {"occupied": False}),
    ("Nwave", "NPS405", 1, "15", "status", False, {"occupied": True}),
    ("Nwave", "NPS405", 10, "d1201f345678", "status", False, {"occupied": True, "tag_id": "1f345678"}),
    ("Nwave", "NPS405", 10, "e91f345678", "status", False, {"occupied": True, "tag_id": "1f345678"}),
    (
        "Milesight",
        "EM400-MUD",
        None,
        "020001005f00000001" + "30" * 74 + "09" + "000e" + "01756403670b0104823b01050001",
        "status",
        False,
        {"battery_pct": 100, "distance_mm": 315, "temperature": 26.7, "tilt": True},
    ),
    ("Milesight", "VS121", 85, "07d50001000000000003", "count", False, {}),
    (
        "IMBuildings",
        "People Counter",
        1,
        "02060004a30b00f6b5690800f80003000220060305e661",
        "count",
        False,
        {"in": 1539, "out": 1510, "battery_v": 2.48},
    ),
    (
        "IMBuildings",
        "Comfort",
        1,
        "01030004a30b00f7412603015f09fa0c74037901",
        "status",
        False,
        {"occupied": True},
    ),
    ("Watteco", "Closo", 125, "310a000f00551000", "status", False, {"state": False}),
]
