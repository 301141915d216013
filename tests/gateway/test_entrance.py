"""The entrance on a real loop and a real notebook, in time that we hold: what is news, who only lives, who floods.

Messages come as they come off the wire; what is asked of is the hall: its state, its notebook, its counts, its PUBACKs.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.entrance import BUDGET_A_SECOND, LONGEST_PAYLOAD, MOST_TOPICS, Entrance
from gateway.hall.state import HallState
from gateway.rounds import PERSIST_SEEN_S
from gateway.wire import Published
from tests.gateway.held_hall import HeldClock, HeldHall

S1, S2 = "linli/v1/bay/s1/state", "linli/v1/bay/s2/state"
S1_STATUS = "linli/v1/bay/s1/status"
ZIGBEE = "zigbee2mqtt/gate-7"
PANEL = "linli/v1/panel/gate/state"


class Front:
    """The entrance, the loop behind it, and which messages have been acknowledged."""

    def __init__(self, folder: Path) -> None:
        self.hall = HeldHall(folder, HeldClock())
        self.loop, self.clock = self.hall.loop, self.hall.clock
        self.acked: list[int] = []
        self._said = 0
        self._seq = 0
        self.entrance = self.new_entrance()

    def new_entrance(self) -> Entrance:
        return Entrance(
            self.clock,
            self.loop.counts,
            self.loop.presences,
            lambda: self.loop.state,
            self.loop.take,
            self.loop.telemetry.read_later,
            lambda topic: topic.startswith("linli/v1/"),
        )

    def say(self, topic: str, words: object, *, retain: bool = False, dup: bool = False) -> int:
        """One message at QoS 1; its number, which is found in ``acked`` once it is acknowledged."""
        self._said = number = self._said + 1
        payload = words if isinstance(words, bytes) else json.dumps(words).encode()
        message = Published(topic.encode(), payload, 1, retain, dup, number)
        self.entrance.from_known(message, lambda: self.acked.append(number))
        return number

    def bay(self, topic: str, occupied: bool | None) -> int:
        """A sensor's word, numbered as our own are: no two payloads are equal."""
        self._seq += 1
        return self.say(topic, {"boot": "9f", "seq": self._seq, "occupied": occupied, "every_s": 20})

    def press(self, device: str) -> int:
        self._seq += 1
        return self.say(f"linli/v1/button/{device}/press", {"boot": "9f", "seq": self._seq, "press": "short"})

    def claim(self, device: str, bay: str) -> None:
        answer = self.hall.order(
            "claim_device", device_id=device, kind="bay_sensor", bay_id=bay, zone_id="east"
        )
        assert answer["ok"] is True, answer

    def turn(self) -> None:
        """Half a second passes in small turns: whatever waits for its batch has had it."""
        for _ in range(5):
            self.hall.after_s(0.1)

    def state_of(self, bay: str) -> str:
        return self.loop.state.bays[bay].state

    def seen_as(self, device: str, bay: str) -> tuple[str, str]:
        return (self.loop.state.devices[device].health, self.state_of(bay))

    @property
    def commits(self) -> int:
        return self.loop.lateness.commits.total

    @property
    def decided(self) -> int:
        return self.loop.lateness._stages["telemetry"]["decided"].total


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    one = Front(tmp_path)
    yield one
    one.hall.die()


@pytest.fixture
def car_park(front: Front) -> Front:
    """Two sensors, claimed, both bays free."""
    for number in (1, 2):
        front.claim(f"s{number}", f"e{number}")
        front.bay(f"linli/v1/bay/s{number}/state", False)
    front.turn()
    front.acked.clear()
    return front


# ---------------------------------------------------------------- signs of life


def test_the_same_word_again_costs_no_decision_and_no_commit_and_is_a_sign_of_life(car_park: Front) -> None:
    car_park.bay(S1, False)  # the first since its claim changed something: looked at
    car_park.turn()
    decided, commits = car_park.decided, car_park.commits
    said = []
    for _ in range(30):
        car_park.turn()
        said.append(car_park.bay(S1, False))
    heard_ms = car_park.clock.now_ms()
    car_park.turn()
    assert (car_park.decided, car_park.commits) == (decided, commits)
    assert car_park.acked[-30:] == said, "the broker may forget each at once"
    assert car_park.loop.counts["signs_of_life"] >= 30
    devices = {one["device_id"]: one for one in car_park.loop.snapshot()["devices"]}  # type: ignore[attr-defined]
    assert devices["s1"]["last_seen_ms"] == heard_ms


def test_who_only_shows_signs_of_life_is_never_called_silent(car_park: Front) -> None:
    for _ in range(20):
        car_park.hall.after_s(19)
        car_park.bay(S1, False)
        car_park.turn()
    assert (car_park.state_of("e1"), car_park.state_of("e2")) == ("free", "unknown")
    assert car_park.loop.state.devices["s2"].health == "silent"


def test_signs_of_life_reach_the_disk_every_quarter_of_an_hour(car_park: Front) -> None:
    for _ in range(int(PERSIST_SEEN_S / 15) + 2):
        car_park.hall.after_s(15)
        car_park.bay(S1, False)
    on_disk = car_park.hall.book.connection.execute(
        "SELECT last_seen_ms FROM devices WHERE device_id='s1'"
    ).fetchone()[0]
    assert 0 <= car_park.clock.now_ms() - on_disk <= 60_000


def test_the_same_word_after_a_silence_is_news(car_park: Front) -> None:
    for _ in range(8):
        car_park.hall.after_s(10)
    assert car_park.state_of("e1") == "unknown"
    car_park.bay(S1, False)
    car_park.turn()
    assert car_park.state_of("e1") == "free" and car_park.loop.state.devices["s1"].health == "ok"


def test_the_same_word_after_the_bay_was_closed_and_opened_is_news(car_park: Front) -> None:
    car_park.bay(S1, False)
    car_park.turn()
    assert car_park.hall.order("close_bay", bay_id="e1", by="小李")["ok"] is True
    car_park.bay(S1, False)
    car_park.turn()
    assert car_park.state_of("e1") == "closed"
    assert car_park.hall.order("open_bay", bay_id="e1", by="小李")["ok"] is True
    assert car_park.state_of("e1") == "unknown"
    car_park.bay(S1, False)
    car_park.turn()
    assert car_park.state_of("e1") == "free"


def test_the_same_word_after_a_claim_for_another_bay_is_news(car_park: Front) -> None:
    for _ in range(3):
        car_park.bay(S1, True)
        car_park.turn()
    car_park.claim("s1", "e9")
    assert (car_park.state_of("e1"), car_park.state_of("e9")) == ("unknown", "unknown")
    car_park.bay(S1, True)
    car_park.turn()
    assert (car_park.state_of("e1"), car_park.state_of("e9")) == ("unknown", "taken")


def test_a_device_that_is_gone_shows_no_sign_of_life_however_often_that_is_said(car_park: Front) -> None:
    """Its last will is retold whenever a bridge restarts; it is not the device that speaks."""
    car_park.say(S1_STATUS, b"offline")
    car_park.turn()
    gone_ms = car_park.loop.state.devices["s1"].last_seen_ms
    for _ in range(4):
        car_park.hall.after_s(600)
        car_park.say(S1_STATUS, b"offline")
        car_park.turn()
    car_park.loop.snapshot()  # brings "last seen" up to date
    assert car_park.loop.state.devices["s1"].health == "offline"
    assert car_park.loop.state.devices["s1"].last_seen_ms == gone_ms


def test_offline_and_back_with_the_words_it_had_before(car_park: Front) -> None:
    for _ in range(2):
        car_park.bay(S1, False)
        car_park.say(S1_STATUS, b"offline")
        car_park.turn()
        car_park.hall.after_s(6)
        assert car_park.seen_as("s1", "e1") == ("offline", "unknown")
        car_park.bay(S1, False)
        car_park.turn()
        assert car_park.seen_as("s1", "e1") == ("ok", "free")


def test_two_topics_of_one_device_take_turns_and_each_new_word_is_heard(car_park: Front) -> None:
    for occupied in (True, True, False, True, False, False):
        car_park.bay(S1, occupied)
        car_park.say(S1_STATUS, {"boot": "9f", "uptime_s": 5, "battery_pct": 80, "every_s": 20})
        car_park.turn()
        assert car_park.state_of("e1") == ("taken" if occupied else "free")
    assert car_park.loop.state.devices["s1"].battery_pct == 80


def test_a_battery_that_sinks_is_news(car_park: Front) -> None:
    for battery in (80, 80, 12):
        car_park.say(S1_STATUS, {"boot": "9f", "uptime_s": 5, "battery_pct": battery, "every_s": 20})
        car_park.turn()
    assert car_park.loop.state.devices["s1"].health == "low_battery"


def test_a_sensor_that_spoke_before_the_notebook_could_be_read_is_not_called_silent_for_it(
    tmp_path: Path,
) -> None:
    """What was said to a hall without a notebook was not said to the one that has now been read."""
    (tmp_path / "card").mkdir()
    before = Front(tmp_path / "card")
    before.claim("s1", "e1")
    before.hall.die()
    (tmp_path / "card").rename(tmp_path / "pulled out")

    front = Front(tmp_path / "card")
    for _ in range(3):
        front.bay(S1, False)
        front.turn()
    (tmp_path / "pulled out").rename(tmp_path / "card")
    for _ in range(40):
        front.hall.after_s(10)
        front.bay(S1, False)
    front.turn()
    assert front.loop.state.devices["s1"].health == "ok"
    assert front.state_of("e1") == "free"
    front.hall.die()


def test_a_hall_that_had_to_begin_anew_hears_of_a_sensor_with_its_next_word(front: Front) -> None:
    """The notebook was lost and a backup from before the sensor's time is open: it spoke to another one."""
    for _ in range(3):
        front.bay(S1, True)
        front.turn()
    front.loop._begin(HallState())  # what the loop does with what it reads from a notebook of another epoch
    assert front.loop.state.devices == {}
    front.bay(S1, True)
    front.turn()
    assert front.state_of("s1") == "taken"


# ---------------------------------------------------------------- the budget


def flood(front: Front, topic: str, how_many: int) -> list[int]:
    """So many words within one second, each the opposite of the one before; the last says "taken"."""
    return [front.bay(topic, (how_many - number) % 2 == 1) for number in range(how_many)]


def test_of_a_flood_the_newest_word_comes_through_and_the_excess_is_counted_with_its_device(
    car_park: Front, caplog: pytest.LogCaptureFixture
) -> None:
    car_park.clock.pass_s(1)
    said = flood(car_park, S1, 500)
    assert sorted(set(said) - set(car_park.acked))[-1] == said[-1], "the newest is not yet on disk"
    car_park.turn()
    assert car_park.state_of("e1") == "taken"
    assert sorted(car_park.acked) == said, "every one is acknowledged, and only once"
    assert car_park.loop.counts["over_budget"] == 500 - BUDGET_A_SECOND
    [loud] = car_park.entrance.over_budget()
    assert (loud["device_id"], loud["excess"]) == ("s1", 500 - BUDGET_A_SECOND)
    for _ in range(3):
        car_park.hall.after_s(1)
        flood(car_park, S1, 500)
    car_park.turn()
    assert sum("messages a second" in line for line in caplog.messages) == 1
    assert car_park.entrance.over_budget()[0]["excess"] == 4 * (500 - BUDGET_A_SECOND)
    car_park.clock.pass_s(3601)
    assert car_park.entrance.over_budget() == [], "an hour later it is forgiven"


@pytest.mark.parametrize("pause_s", [0.001, 0.9])
@pytest.mark.parametrize("last", [True, False])
def test_a_flood_that_ends_just_after_a_second_began_leaves_its_newest_word(
    car_park: Front, last: bool, pause_s: float
) -> None:
    """The first word of the new second is within the budget; the one that was put off is older."""
    car_park.clock.mono_s = 2000.999
    for _ in range(100):
        car_park.bay(S1, not last)
    car_park.clock.pass_s(0.002)
    car_park.bay(S1, last)
    car_park.clock.pass_s(pause_s)
    car_park.turn()
    assert car_park.state_of("e1") == ("taken" if last else "free")


def test_back_to_the_word_before_the_flood_is_more_than_a_sign_of_life(car_park: Front) -> None:
    """It is what the hall has read last; but what was put off lies between the two."""
    car_park.clock.mono_s = 2000.5
    for occupied in [False] * BUDGET_A_SECOND + [True] * 5:
        car_park.bay(S1, occupied)
    car_park.clock.pass_s(0.6)
    car_park.bay(S1, False)
    car_park.turn()
    assert car_park.state_of("e1") == "free"


def test_gone_after_a_flood_is_gone_though_its_last_word_was_read_later(car_park: Front) -> None:
    flood(car_park, S1, 100)
    car_park.clock.pass_s(0.001)
    car_park.say(S1_STATUS, b"offline")
    car_park.turn()
    assert car_park.loop.state.devices["s1"].health == "offline"


def test_a_press_in_the_midst_of_floods_is_read_at_once_and_never_put_off(car_park: Front) -> None:
    for number in range(200):
        flood(car_park, S1, 3)
        car_park.press(f"btn-{number % 5}")
    for _ in range(3):  # forty presses of each: a turn takes sixteen of one device
        car_park.hall.turn()
    presses = sum(call.presses for call in car_park.loop.state.calls.values())
    assert presses == 200


def test_a_button_that_presses_a_thousand_times_a_second_is_counted_to_the_last(front: Front) -> None:
    said = [front.press("btn-01") for _ in range(1000)]
    for _ in range(100):
        front.hall.turn()
    assert [call.presses for call in front.loop.state.calls.values()] == [1000]
    assert sorted(front.acked) == said and front.loop.counts["over_budget"] == 0
    [loud] = front.entrance.over_budget()
    assert (loud["device_id"], loud["excess"]) == ("btn-01", 1000 - BUDGET_A_SECOND), "heard, and named as a flood"


@pytest.mark.parametrize("again", [0, 100])
def test_on_a_topic_that_many_devices_share_a_flood_hides_no_press(front: Front, again: int) -> None:
    """A bridge puts its bay sensors and its pendants on one topic: a sensor floods, somebody asks for help."""
    topic = "v1/up/bridge-1"
    front.say(topic, {"device_id": "bay-a1", "parking_status": 1})
    front.turn()
    [sensor] = front.loop.state.devices
    front.claim(sensor, "e1")
    for _ in range(100):
        front.say(topic, {"device_id": "bay-a1", "parking_status": 1})
    front.say(topic, {"device_id": "pendant-b2", "alarm_type": "SOS"})
    for _ in range(again):
        front.say(topic, {"device_id": "bay-a1", "parking_status": 1})
    front.hall.turn()
    assert [call.device_id for call in front.loop.state.calls.values()] == ["generic_json:pendant-b2"]
    assert [loud["device_id"] for loud in front.entrance.over_budget()] == [topic], "nobody is named for another"


# ---------------------------------------------------------------- what is no message of a device


def test_topics_without_end_are_forgotten_and_the_newest_word_of_a_flood_is_not(car_park: Front) -> None:
    flood(car_park, S1, 99)  # its last word, "taken", waits unread
    for number in range(MOST_TOPICS + 10):
        car_park.say(f"nobody/{number}", b"x")
    assert len(car_park.entrance._topics) <= MOST_TOPICS
    car_park.clock.pass_s(0.001)
    car_park.bay(S1, False)
    car_park.turn()
    assert car_park.state_of("e1") == "free"
    assert car_park.loop.counts["unknown_topic"] == MOST_TOPICS + 10


@pytest.mark.parametrize(
    ("topic", "payload", "count"),
    [
        ("nobody/speaks/here", b"hello", "unknown_topic"),
        ("", b"hello", "unknown_topic"),
        (S1, b"\xff\xfe", "garbage"),
        (S1, b"", "garbage"),
        (S1, b"x" * (LONGEST_PAYLOAD + 1), "oversized"),
        (PANEL, b"[" * 5000, "garbage"),
        (PANEL, b'{"text":' * 5000, "garbage"),
        (PANEL, b"9" * 200_000, "oversized"),
        ("linli/v1/lamp/btn-01/set", b"{}", "our_own"),
        ("linli/v1/button/btn-01/written", b"{}", "our_own"),
    ],
)
def test_what_is_no_word_of_a_device_is_counted_and_acknowledged(
    front: Front, topic: str, payload: bytes, count: str
) -> None:
    said = [front.say(topic, payload) for _ in range(3)]
    front.turn()
    assert front.loop.counts[count] == 3 and front.acked == said
    assert front.loop.state.devices == {} and front.loop.state.calls == {}


def test_a_mistake_of_ours_in_reading_one_message_ends_nothing(
    car_park: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would come again at every start. Also where it was put off, and read in the lane's own time."""

    def stumble(*_: object, **__: object) -> None:
        raise KeyError("a case that nobody thought of")

    car_park.clock.pass_s(1)
    said = flood(car_park, S1, BUDGET_A_SECOND + 1)  # the last is read with the next batch
    with monkeypatch.context() as broken:
        broken.setattr("gateway.entrance.facts_of", stumble)
        broken.setattr("gateway.entrance.paths.says_up", stumble)
        said += [car_park.press("btn-01"), car_park.say("zigbee2mqtt/bridge/state", b"online")]
        car_park.turn()
    assert car_park.loop.counts["codec_failed"] == 3 and sorted(car_park.acked) == said
    car_park.press("btn-01")
    car_park.hall.turn()
    assert len(car_park.loop.state.calls) == 1


def test_topics_of_any_length_are_understood_and_take_no_room(front: Front) -> None:
    """MQTT allows 64 KiB: remembered, some thousands of them are more memory than the gateway may have."""
    front.press("a")
    front.turn()
    tracemalloc.start()
    for number in range(100):
        name = f"{number}{'x' * 60_000}"
        front.say(f"nobody/{name}", b"x")
        front.bay(f"linli/v1/bay/{name}/state", True)
        front.say(f"homeassistant/event/{name}/config", {"state_topic": f"bell/{number}", "unique_id": "b"})
    front.turn()
    room, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert room < 2_000_000 and len(front.loop.state.devices) == 101
    front.press("y" * 60_000)
    front.hall.turn()
    assert len(front.loop.state.calls) == 2, "whoever calls is heard, whatever the name"


def test_a_topic_that_is_no_text_is_counted_and_the_next_message_is_heard(front: Front) -> None:
    front.entrance.from_known(Published(b"\xff\xfe", b"x", 0, False, False, 0), None)
    front.press("btn-01")
    front.hall.turn()
    assert front.loop.counts["unknown_topic"] == 1 and len(front.loop.state.calls) == 1


def test_what_strangers_hear_of_known_topics_is_a_copy_and_not_a_second_press(front: Front) -> None:
    letter = Published(
        b"linli/v1/button/btn-01/press", b'{"boot":"9f","seq":1,"press":"short"}', 0, False, False, 0
    )
    front.entrance.from_strangers(letter, None)
    front.hall.turn()
    assert front.loop.state.calls == {} and front.loop.counts["copies"] == 1


def test_what_the_broker_remembers_is_no_press_and_no_bay_but_it_may_know_who_has_gone(
    car_park: Front,
) -> None:
    car_park.say("linli/v1/button/btn-01/press", {"boot": "9f", "seq": 1, "press": "short"}, retain=True)
    car_park.say(S1, {"boot": "9f", "seq": 9, "occupied": True}, retain=True)
    car_park.say("linli/v1/bay/s2/status", b"offline", retain=True)
    car_park.turn()
    assert car_park.loop.state.calls == {} and car_park.state_of("e1") == "free"
    assert car_park.loop.state.devices["s2"].health == "offline"
    car_park.bay(S1, True)
    car_park.turn()
    assert car_park.state_of("e1") == "taken", "said aloud it counts, though the memory said the same"
