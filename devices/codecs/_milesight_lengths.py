"""How long the value behind each of Milesight's channels and types is (the user guides' "Uplink Packet").

Belongs here: lengths, and nothing of meaning. A channel that ``milesight.py`` does not read is skipped by this
table; the same channel may mean another thing in another model, but is never of another length. A channel that
is not here ends the reading of its frame.
"""

from __future__ import annotations


def _table(lines: str) -> dict[tuple[int, int], int]:
    """``04  82:2 8e:1`` is channel 04: type 82 has two bytes of value, type 8e one."""
    found: dict[tuple[int, int], int] = {}
    for line in lines.split("\n"):
        channel, *types = line.split()
        for pair in types:
            kind, _, length = pair.partition(":")
            found[int(channel, 16), int(kind, 16)] = int(length)
    return found


#: (channel, type) -> bytes of value. Channels from 80 up carry an alarm's state behind the value.
LENGTHS = _table(
    """01  75:1
    02  67:2 75:1 82:2
    03  00:1 67:2 68:1 74:2 77:2 7b:2 82:2 8e:1 94:4 97:4 9a:2 a1:8 cf:7 d2:4
    03  d4:6 ed:1 f4:2 f8:6
    04  00:1 67:2 68:1 7d:2 80:4 82:2 88:9 8e:1 98:2 9a:2 a2:4 c9:4 ca:2 cc:4
    04  d2:4 d6:1 ee:1 f9:4
    05  00:1 5b:7 6a:2 6b:1 7d:2 7f:2 81:1 84:2 8e:1 9c:1 a3:1 c8:4 cc:4 e1:8
    05  fa:8 fd:2
    06  00:1 01:1 65:6 73:2 7d:2 83:4 88:9 a4:2 c7:2 cb:1 cd:1 d2:4 d9:9 fb:5
    06  fe:4
    07  00:1 01:1 7d:2 92:2 b0:8 c9:2 d2:4 d5:8 ea:5 ff:1
    08  29:1 31:2 77:3 7d:2 90:4 b1:3 cc:4 d5:8 e6:2 ec:5 f4:2
    09  67:2 73:2 b2:6 d2:4 da:8
    0a  7d:2 b3:5 d2:4 da:8 ef:4
    0b  7d:2 b4:9 cc:4 da:8
    0c  7d:2 b4:9 d2:4 da:8
    0d  7d:2 cc:4 d2:4
    0e  01:1 cc:4 e4:5
    0f  7d:2 85:4 e3:4
    10  63:4 e4:5 f7:4
    11  63:4 d2:4
    12  63:4 d2:4
    13  75:1 cc:4
    14  d2:4
    15  d2:4
    16  cc:4
    17  d2:4
    18  d2:4
    19  cc:4
    1a  d2:4
    1b  d2:4
    1c  cc:4
    1d  e3:4
    1e  e4:5
    50  fc:3
    81  ee:1
    83  67:3 9a:3 d7:5 e9:5 ed:2
    84  67:3 68:2 82:3 88:9 98:7 9a:3 cc:5
    85  00:2 cc:5 e1:9
    86  73:3
    87  92:3 c9:3
    88  29:1 ec:6
    89  67:3 df:1
    93  67:5 9a:5 d7:5
    94  67:5 68:3 82:5 9a:5 d7:5
    99  67:5
    b3  67:1 74:1 9a:1
    b4  67:1 68:1 80:1 82:3 9a:1
    b5  81:1
    b6  83:1
    b7  c9:1
    ff  01:1 08:6 09:2 0a:2 0b:1 0e:1 0f:1 16:8 18:1 1f:4 26:1 29:1 2e:1 34:3
    ff  fe:1 ff:2"""
)

#: Settings: behind ``ff`` or ``fe`` these types answer a command. Only the length matters.
SETTINGS = {
    kind: length
    for (_, kind), length in _table(
        """fe  02:2 03:2 04:1 10:1 11:4 13:1 17:2 1a:1 1b:5 1c:2 1f:4 25:2 27:1 28:1
        fe  2a:1 2c:1 2d:1 2e:1 2f:1 34:3 35:8 3b:1 3c:1 3d:1 3e:1 40:1 41:1 42:1
        fe  43:1 44:1 45:1 46:3 48:1 4a:1 50:1 51:1 56:1 57:1 59:1 62:1 63:8 64:1
        fe  66:1 68:1 69:1 6a:3 6b:1 6d:1 70:2 71:1 72:2 74:1 76:2 77:2 7a:3 7f:1
        fe  80:2 81:2 83:3 84:1 85:1 86:1 8e:3 8f:1 95:2 96:8 97:1 98:5 99:5 a6:1
        fe  a8:1 a9:1 aa:1 ab:3 b2:1 ba:10 bd:2 f2:2 f5:1"""
    ).items()
}
