"""Frames made by hand from the makers' documents, for what no captured message shows.

Each table names the document that its layouts come from. They are the other models of each family, the other ports,
the answers to commands and the stored records: most of them once looked like a call, or hid one.
"""

from __future__ import annotations

#: vendor, model, port, bytes, event, alarm, and what else must be said.
Case = tuple[str, str, int | None, str, str, bool | None, dict[str, object]]


# Milesight, user guides ("Uplink Packet", "Downlink Commands", "Historical Data") of the models named.
MILESIGHT: list[Case] = [
    ("Milesight", "WS101", 85, "ff2f01", "config_reply", False, {}),
    ("Milesight", "WS101", 85, "fe7401", "config_reply", False, {}),
    (
        "Milesight",
        "WS101",
        85,
        "ff740101755cff2e02",
        "press",
        True,
        {"press_type": "long", "battery_pct": 92},
    ),
    ("Milesight", "WS101", 85, "20ce7b3af16401", "none", False, {"history": True}),
    ("Milesight", "AM307", 85, "fe2e01", "config_reply", False, {}),
    ("Milesight", "AM307", 85, "ff2e01", "press", True, {}),  # the hall says it is a button
    ("Milesight", "WS156", 85, "01755cff34030300ff34060600", "press", True, {"buttons": [3, 6]}),
    ("Milesight", "VS373", 85, "06fb0100000100", "man_down", True, {}),
    ("Milesight", "VS373", 85, "06fb0100000200", "man_down_end", False, {}),
    ("Milesight", "VS373", 85, "06fb0200030101", "alarm", False, {}),  # left the bed
    ("Milesight", "VS373", 85, "06fb0300070101", "alarm", None, {}),  # breathes too fast
    ("Milesight", "VS373", 85, "03f804010a000f00", "status", None, {"device_status": "fall"}),
    ("Milesight", "VS373", 85, "20ce7b3af1640100000100", "none", False, {"history": True}),
]
# Netvox, "LoRaWAN Application Command" of the models named.
NETVOX: list[Case] = [
    ("Netvox", "R718T", 6, "0131011e01000000000000", "sos", True, {"battery_v": 3.0}),
    ("Netvox", "R718T2", 6, "0148011e00010000000000", "sos", True, {}),
    ("Netvox", "R718T2", 6, "0148011e00000000000000", "heartbeat", False, {}),
    ("Netvox", "RB02B", 6, "01a6011e00010000000000", "press", True, {"button": 2}),
    ("Netvox", "RB02C", 6, "01a7019e01000100000000", "press", True, {"buttons": [1, 3], "battery_low": True}),
    ("Netvox", "RB02C", 6, "01a7011e00000000000000", "heartbeat", False, {}),
    ("Netvox", "R312A", 13, "8200", "config_reply", False, {}),
    ("Netvox", "R311A", 6, "0102012001000000000000", "heartbeat", False, {"open": True}),
    (
        "Netvox",
        "R315",
        6,
        "01d2011c084900120adc6a",
        "sos",
        True,
        {"battery_v": 2.8, "temperature": 27.8, "humidity": 53},
    ),
    ("Netvox", "R315", 6, "01d2011c084900100adc6a", "heartbeat", False, {"temperature": 27.8}),
    ("Netvox", "R315", 6, "01d2111c00000800020000", "sos", True, {"battery_v": 2.8}),
    ("Netvox", "R315", 6, "01d2021c03840000000000", "heartbeat", False, {"battery_v": 2.8}),
    ("Netvox", "R315", 7, "8ad2012c00000000000000", "config_reply", False, {}),
]
# Abeeway, "Trackers Reference Guide" of firmware 2 and AT3.
ABEEWAY: list[Case] = [
    ("Abeeway", "Compact tracker", 19, "4932888210", "sos", True, {"battery_pct": 50}),
    ("Abeeway", "Compact tracker", 19, "0932893211", "sos_end", False, {"battery_pct": 50}),
    ("Abeeway", "Compact tracker", 19, "085e13590301", "tamper", False, {"battery_pct": 94}),
    ("Abeeway", "Compact tracker", 19, "506004d48a0000010102030405", "position", True, {"sos_flag": True}),
    (
        "Abeeway",
        "Compact tracker",
        19,
        "50e06543210fa30000010102030405",
        "position_failed",
        False,
        {"history": True},
    ),
    (
        "Abeeway",
        "Compact tracker",
        19,
        "49e0654321ff10",
        "sos",
        True,
        {"device_time": 0x654321FF},
    ),  # delayed, not lost
    (
        "Abeeway",
        "Compact tracker",
        19,
        "a660292cd00102f784480b000300",
        "config_reply",
        False,
        {"battery_pct": 96},
    ),
    (
        "Abeeway",
        "Compact tracker",
        19,
        "0901dbd90501",
        "device_off",
        False,
        {"shutdown_cause": "USER_ACTION"},
    ),
    (
        "Abeeway",
        "Asset-tracker-3",
        3,
        "090167e501dbd90d0a",
        "heartbeat",
        False,
        {"battery_v": 3.338, "battery_low": True},
    ),
    ("Abeeway", "Compact tracker", 17, "0a00f9860007", "sos", True, {}),
]
# MOKOSmart, "Payload format" of the models named.
MOKO: list[Case] = [
    ("MOKOSmart", "LW010-CT", 5, "646466db2f020219ffff", "motion_end", False, {}),
    ("MOKOSmart", "LW010-CT", 5, "646466db2f020519ffff", "sos", True, {"battery_pct": 100}),
    ("MOKOSmart", "LW014-WB", 5, "646466db2f0205", "sos", True, {}),
    ("MOKOSmart", "LW014-WB", 5, "646466db2f0206", "sos_end", False, {}),
    ("MOKOSmart", "LW014-WB", 3, "641710100104", "heartbeat", True, {"device_status": "SOS"}),
    ("MOKOSmart", "LW013-SB", 5, "66db2fab02180bb801", "press", True, {"button": 1, "battery_v": 3.0}),
    ("MOKOSmart", "LW013-SB", 5, "66db2fab02180bb806", "release", False, {"button": 3}),
    ("MOKOSmart", "LW013-SB", 5, "66db2fab02180bb800", "none", False, {}),
    ("MOKOSmart", "LW013-SB", 2, "66db2fab02180bb802", "heartbeat", None, {"button": 2}),
    ("MOKOSmart", "LW013-SB", 4, "66db2fab02180bb802", "device_off", False, {"fault": True}),
    ("MOKOSmart", "LW001-BG PRO", 5, "2114e00001", "none", False, {}),  # a shock
    ("MOKOSmart", "LW001-BG PRO", 7, "0918e007e8081d0a081800", "tamper", False, {"tamper": True}),
    (
        "MOKOSmart",
        "LW001-BG PRO",
        8,
        "2314f500",
        "motion_start",
        False,
        {"device_event": "Start of movement"},
    ),
    ("MOKOSmart", "LW008-MT", 6, "0317a00002", "none", False, {}),  # the same port is a shock here
    ("MOKOSmart", "LW008-MT", 7, "0b17a00002", "man_down", True, {}),
    ("MOKOSmart", "LW012-CT", 7, "1317800002", "man_down", True, {"battery_v": 3.6}),
    ("MOKOSmart", "LW012-CT", 2, "131780020000000000", "position", None, {"device_status": "Man Down"}),
    ("MOKOSmart", "LW004-PB", 222, "5a01" + "00" * 23, "sos", True, {"battery_pct": 90}),
    ("MOKOSmart", "LW004-PB", 222, "5a00" + "00" * 23, "position", False, {"battery_pct": 90}),
    ("MOKOSmart", "LW005-MP", 5, "6466db2fab0205", "undecodable", False, {}),  # a plug
]
# Lansitec, "Payload format" of the user guides.
LANSITEC: list[Case] = [
    ("Lansitec", "Helmet sensor", None, "8003", "alarm", None, {}),
    ("Lansitec", "Helmet sensor", None, "8001", "sos", True, {}),
    ("Lansitec", "Asset Management Tracker", None, "6105", "sos", True, {}),
    ("Lansitec", "Asset Management Tracker", None, "8001", "config_reply", False, {}),
    ("Lansitec", "Asset Management Tracker", None, "5001", "none", False, {"history": True}),
    ("Lansitec", "Contact Tracing Badge", None, "8101020304050607", "none", False, {}),
    (
        "Lansitec",
        "Contact Tracing Badge",
        None,
        "215f0409c4010600000695",
        "heartbeat",
        False,
        {"battery_pct": 95},
    ),
    ("Lansitec", "NB-IoT badge tracker", None, "5001", "sos", True, {}),
    ("Lansitec", "NB-IoT badge tracker", None, "5002", "man_down", True, {}),
    (
        "Lansitec",
        "NB-IoT badge tracker",
        None,
        "20f3803000200b01000023",
        "heartbeat",
        False,
        {"battery_v": 3.2},
    ),
    ("Lansitec", "Badge tracker", None, "8007", "sos", True, {"doubtful": True}),
]
# Dragino, wiki pages of the models named.
DRAGINO: list[Case] = [
    ("Dragino", "PB01", 3, "00ec0236000001656565aa", "none", False, {"history": True}),
    ("Dragino", "PB01", 5, "350100010e0cea", "lifecycle", False, {}),
    ("Dragino", "PB05", 2, "0cea000104", "press", True, {"button": 3, "battery_v": 3.306}),
    ("Dragino", "PB05", 2, "0cea000000", "heartbeat", False, {}),
    ("Dragino", "TrackerD", 4, "015a706606cf3cf807e6071b0a1e0c", "none", False, {"history": True}),
    ("Dragino", "TrackerD", 10, "aabbccddeeffc8" * 3 + "4fa220", "position", True, {"battery_v": 4.002}),
    (
        "Dragino",
        "TrackerD",
        2,
        "015a706606cf3cf80000000000000000" + "4fa2" + "30" + "01ae00da",
        "position",
        True,
        {},
    ),
    ("Dragino", "LGT-92", 2, "015a706606cf3cf80fa230000a000b6400c8", "position", False, {"battery_v": 4.002}),
    ("Dragino", "LDS02", 10, "8bd601000001000000", "contact", False, {"open": True, "battery_v": 3.03}),
    ("Dragino", "LHT65", 2, "cbf60b0d0376014fffffff", "undecodable", False, {}),  # not ours to guess at
]
# SenseCAP T1000, T1000-E, T2000 and T1110 (wiki.seeedstudio.com).
SENSECAP: list[Case] = [
    (
        "SenseCAP",
        "T1000-A",
        5,
        "1a" + "000040" + "00" + "6502cf15" + "00" * 18 + "1f",
        "sos",
        True,
        {"battery_pct": 31},
    ),
    ("SenseCAP", "T1000-A", 5, "1d00" + "000080" + "6502cf15" + "00" * 10 + "1f", "press", True, {}),
    (
        "SenseCAP",
        "T1000-A",
        5,
        "0564020501" + "110000004064a8bee3011a000024",
        "sos",
        True,
        {"battery_pct": 36},
    ),
    ("SenseCAP", "T1000-E", 5, "2240" + "50" + "00e6" + "0000" + "00" * 8, "sos", True, {"battery_pct": 80}),
    (
        "SenseCAP",
        "T1000-E",
        5,
        "2600" + "50" + "00e6" + "0000",
        "position_failed",
        False,
        {"temperature": 23.0},
    ),
    (
        "SenseCAP",
        "T1000-E",
        5,
        "1e50010a010500003c0101000301",
        "lifecycle",
        False,
        {"battery_pct": 80, "sos_mode": 1},
    ),
    ("SenseCAP", "T2000", 5, "2e0040006502cf15" + "00" * 8 + "64", "sos", True, {"battery_pct": 100}),
    ("SenseCAP", "T2000", 5, "3201000065028c1564", "position_failed", False, {"battery_pct": 100}),
    ("SenseCAP", "T1110", 5, "1601000040" + "6538b84f", "sos", True, {}),
    (
        "SenseCAP",
        "T1110",
        5,
        "180000006538bd0401243880000080008000800080",
        "position",
        False,
        {"temperature": 29.2},
    ),
    ("SenseCAP", "S2101", 3, "0600004001100b5e0000", "undecodable", False, {}),
]
# Nexelec technical guides; Tektelic TRMs; Thermokon, Watteco, MClimate, Sensative, Elsys payload sheets.
OTHERS: list[Case] = [
    (
        "Nexelec",
        "Rise LoRa",
        1,
        "aa018529b1787ffeff" + "be" + "11fe4ab8",
        "press",
        True,
        {"temperature": 23.2},
    ),
    ("Nexelec", "Sense+", 1, "c80184a56fff400000" + "2c" + "1a8001c194" + "00" * 16, "press", True, {}),
    ("Nexelec", "Feel+", 1, "b903102817d1f47d1f60", "none", False, {}),  # stored temperatures
    ("Nexelec", "Insafe+ Origin", 1, "a203800200", "alarm", None, {"smoke": True}),
    ("Nexelec", "Insafe+ Origin", 1, "a203000200", "heartbeat", False, {}),
    ("Tektelic", "SEAL", 10, "00d35502950100671234", "sos", True, {"battery_pct": 85}),
    ("Tektelic", "SEAL", 10, "029502", "man_down", True, {}),
    ("Tektelic", "SEAL", 10, "029504", "heartbeat", False, {}),  # the earpiece of the helmet
    (
        "Tektelic",
        "FINCH panic button",
        10,
        "00baf80004020067010e",
        "state",
        None,
        {"battery_v": 3.7, "battery_low": True},
    ),
    ("Tektelic", "FINCH panic button", 10, "00ba780067010e", "heartbeat", False, {"battery_v": 3.7}),
    ("Watteco", "Press'O", 125, "110a000f00551001", "press", True, {}),
    ("Watteco", "Press'O", 125, "110a00500006410503040e6804", "heartbeat", False, {"battery_v": 3.688}),
    ("Watteco", "Press'O", 125, "1087010a000f005510", "none", False, {"history": True}),
    ("Thermokon", "Joy LRW", 1, "4102", "status", False, {"occupied": False}),
    ("Thermokon", "Joy LRW", 1, "544e955003", "press", True, {"button": 2, "press_type": "long"}),
    (
        "MClimate",
        "Open/Close Sensor",
        2,
        "01ab00d91b5cae01",
        "contact",
        False,
        {"battery_v": 2.968, "temperature": 21.7},
    ),
    ("MClimate", "Vicki", 2, "01140000c80000000000", "undecodable", False, {}),
    ("RAKwireless", "RAK2171 WisNode TrackIt", None, "cc01" + "00" * 16, "sos", True, {}),
    ("RAKwireless", "RAK2171 WisNode TrackIt", None, "cd01" + "00" * 8, "sos_end", False, {}),
    (
        "RAKwireless",
        "RAK2171 WisNode TrackIt",
        None,
        "ca01" + "00" * 8 + "5065432100",
        "position_failed",
        False,
        {"battery_pct": 80},
    ),
    ("RAKwireless", "RAK612", None, "0101000100001e50", "press", True, {"button": 2, "battery_pct": 80}),
    ("RAKwireless", "RAK612", None, "0101000000001e50", "heartbeat", False, {}),
    ("MerryIoT", "WL10", 126, "0706163f", "press", True, {"water": True}),
    ("Browan", "TBPB100", 147, "01fb37", "press", True, {"battery_v": 3.6, "temperature": 23}),
    ("Browan", "TBPB100", 147, "02fb37", "press", True, {}),
    ("Browan", "TBPB100", 147, "00fb37", "heartbeat", False, {"battery_v": 3.6}),
    ("Browan", "TBOL100", 136, "09fb37" + "00" * 8, "press", True, {"temperature": 23}),
    ("Browan", "TBOL100", 136, "02fb37" + "00" * 8, "heartbeat", False, {}),
    ("Browan", "Industrial Tracker", 136, "01fb37" + "00" * 8, "heartbeat", False, {}),
]

#: What people press or wear.
WORN = MILESIGHT + NETVOX + ABEEWAY + MOKO + LANSITEC + DRAGINO + SENSECAP + OTHERS
