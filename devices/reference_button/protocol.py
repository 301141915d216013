"""A press, from the finger to "written", and what the lamp may say meanwhile. Free of hardware: time is handed in.

The contract is docs/protocol.md, section 1:

* a press is repeated every second, with the same ``(boot, seq)`` and a growing ``age_ms``, until the gateway says
  ``written``: not until the broker acknowledges it, which proves nothing;
* ``status`` is the word of life, with the interval that the button promises (``every_s``);
* the lamp shows the level of the retained topic ``linli/v1/lamp/<device>/set``.

What the lamp shows. From the press until "written" it is **dark**, whatever it showed before: a lamp that blinks for an
earlier call would say "heard" of a press that nobody has heard. After that, the level that the gateway tells. When the
line has been gone for a minute we know nothing any more, and it is dark again: it tells less than is true, never more.

A button with a battery gives the radio up after three minutes, and tries again after 30 s, 1, 2, 4 and then every
5 minutes, for as long as it takes: an unwritten press is never forgotten. On mains it never rests.
"""

import json

from devices.reference_button.finger import Finger
from devices.reference_button.keeping import Keeper, Memory
from devices.reference_button.settings import Settings
from devices.reference_button.sounds import Player, lit

FIRMWARE = "linli-button 1.0"
#: docs/protocol.md: until "written" comes, the button repeats the press every second.
REPEAT_MS = 1_000
#: After a press a battery button keeps trying this long before it rests: a gateway restarts in seconds, a broker and
#: a Wi-Fi router after a power cut in one to two minutes. Our choice.
TRY_MS = 180_000
#: Each later try. Joining Wi-Fi takes 1-5 s, TLS some 2 s more; then some ten repeats.
AGAIN_MS = 20_000
#: Rests between tries, the last one again and again. 20 s in 5 minutes is some 8 mA on average: a week and more.
RESTS_MS = (30_000, 60_000, 120_000, 240_000, 300_000)
#: While a call is open a battery button stays awake this long to show its lamp; then it looks with each word of life.
WATCH_MS = 1_800_000
#: Without a line a word of life waits; the button tries this long, sleeps, and tries again after LOOK_AGAIN_MS.
LOOK_MS = 20_000
LOOK_AGAIN_MS = 900_000
#: A word of life that the broker has not acknowledged is said again.
STATUS_AGAIN_MS = 10_000
#: A retained level comes right behind the broker's SUBACK; where none comes in this time, there is none.
LAMP_WAIT_MS = 1_000
#: A level is believed this long after the line was lost.
TRUST_MS = 60_000
#: Not written after this long: say so, and again at this pace.
NOT_YET_MS = 10_000
#: Ages of unwritten presses are kept in flash at this pace: 144 writes a day, and only while the hall is away.
KEEP_AGE_MS = 600_000
#: A button that is held down for ever is looked after at this pace.
STUCK_LOOK_MS = 60_000

LIGHTS = ("off", "blink", "steady")


class Protocol:
    """One button. Every method takes ``now_ms``, the board's clock: it runs on through deep sleep, never backwards."""

    def __init__(self, settings: Settings, memory: Memory, now_ms: int) -> None:
        base = "linli/v1/button/" + settings.device
        self.press_topic = base + "/press"
        self.written_topic = base + "/written"
        self.status_topic = base + "/status"
        self.lamp_topic = "linli/v1/lamp/" + settings.device + "/set"
        self.player = Player()
        self._settings = settings
        self._keeper = Keeper(memory, now_ms)
        self._finger = Finger(settings.long_press, bool(self._keeper.stuck), now_ms)
        self._level = "off"
        self._level_known = False
        #: what the hall knows of our lamp: "heard" and "coming" are called shown only when we have said so
        self._said_light = "off"
        self._deaf = False
        self._line_up = False
        self._line_changed_ms = now_ms - TRUST_MS
        self._awake_since_ms = now_ms
        self._trying_since_ms = now_ms
        self._try_ms = AGAIN_MS
        self._watch_since_ms = now_ms
        self._not_yet_ms = 0
        self._status_again_ms = now_ms
        self._battery_mv = 0
        if self._keeper.damaged:
            # What stood there may have been a call. We may be wrong in one direction only.
            self._pressed("short", now_ms)

    # ---------------------------------------------------------------- what happens to it

    def finger(self, down: bool, at_ms: int) -> None:
        """The contact closed or opened."""
        begun = self._finger.begun
        kind = self._finger.moved(down, at_ms)
        if self._finger.begun != begun:
            self.player.play("felt", at_ms)
        if kind:
            self._pressed(kind, at_ms)

    def line_up(self, now_ms: int) -> None:
        """The broker has let us in, and our two topics are asked for: everything that waits may be said at once."""
        self._line_up, self._level_known, self._line_changed_ms = True, False, now_ms
        self._deaf, self._said_light = False, "off"
        self._keeper.status_ms = self._status_again_ms = now_ms
        for press in self._keeper.presses:
            press.next_ms = now_ms

    def deaf(self, now_ms: int) -> None:
        """The broker lets us speak, but not hear. So a press still rings, for ever, and the hall is told why."""
        self._deaf, self._keeper.status_ms, self._status_again_ms = True, now_ms, now_ms

    def line_down(self, now_ms: int) -> None:
        if self._line_up:
            self._line_up, self._line_changed_ms = False, now_ms

    def heard(self, topic: str, payload: bytes, now_ms: int) -> None:
        """A message. What is not for us, or not understood, changes nothing."""
        try:
            words = json.loads(payload)
        except ValueError:
            return
        if not isinstance(words, dict):
            return
        if topic == self.written_topic:
            if self._keeper.written(words.get("boot"), words.get("seq"), now_ms) and not self._keeper.presses:
                self._keeper.rests = self._keeper.joined = 0
                self._watch_since_ms = now_ms
                self.player.play("heard", now_ms)
        elif topic == self.lamp_topic and words.get("light") in LIGHTS:
            if words["light"] != self._level:
                self._watch_since_ms = now_ms
            self._level, self._level_known = str(words["light"]), True

    def delivered(self, what: str, now_ms: int) -> None:
        """The broker has acknowledged it. Of a press that proves nothing; of a word of life it is enough."""
        if what == "status":
            self._keeper.status_ms = now_ms + self._settings.every_s * 1000
            self._keeper.note()

    # ---------------------------------------------------------------- what it does

    def turn(self, now_ms: int, battery_mv: int) -> list[tuple[str, bytes, str]]:
        """What is to be published now: (topic, payload, what it is). To be called some fifty times a second.

        :param battery_mv: 0 where there is no battery.
        """
        self._battery_mv = battery_mv
        kind = self._finger.settle(now_ms)
        if kind:
            self._pressed(kind, now_ms)
        self._speak_up(now_ms)
        out: list[tuple[str, bytes, str]] = []
        if not self._line_up:
            return out
        for press in self._keeper.presses:
            if now_ms >= press.next_ms:
                press.next_ms = now_ms + REPEAT_MS
                words: dict[str, object] = {
                    "boot": press.boot,
                    "seq": press.seq,
                    "press": press.kind,
                    "button": 1,
                    "age_ms": press.age_ms(now_ms),
                }
                if battery_mv:
                    words["battery_mv"] = battery_mv
                out.append((self.press_topic, json.dumps(words).encode(), "press"))
        light = self.light(now_ms)
        if self._level_known and light != self._said_light:
            self._said_light = light
            self._keeper.status_ms = self._status_again_ms = now_ms
        if now_ms >= max(self._keeper.status_ms, self._status_again_ms):
            self._status_again_ms = now_ms + STATUS_AGAIN_MS
            out.append((self.status_topic, self._status(now_ms), "status"))
        return out

    def light(self, now_ms: int) -> str:
        """What the lamp shows: "off", "blink" (heard) or "steady" (a person is coming)."""
        if self._keeper.presses:
            return "off"
        if not self._line_up and now_ms - self._line_changed_ms >= TRUST_MS:
            return "off"
        return self._level

    def lit(self, now_ms: int) -> bool:
        return lit(self.light(now_ms), now_ms)

    @property
    def unwritten(self) -> int:
        return len(self._keeper.presses)

    @property
    def boot(self) -> str:
        return self._keeper.boot

    def wants_line(self, now_ms: int) -> bool:
        """Whether the radio is worth its current."""
        return (
            not self._settings.battery
            or self.unwritten > 0
            or self._level != "off"
            or now_ms >= self._keeper.status_ms
        )

    def rest(self, now_ms: int) -> tuple[int, bool] | None:
        """Time to sleep? ``(for how many ms, whether the finger may wake us)``, or None: stay awake.

        A finger that is on the button for ever would wake us at once, again and again: then only the clock does.
        """
        keeper = self._keeper
        if not self._settings.battery or self._finger.busy(now_ms) or self.player.playing(now_ms):
            return None
        awake_ms = now_ms - self._awake_since_ms
        if not keeper.awoke and awake_ms < LOOK_MS:
            return None  # after a power-up: time for a technician's cable
        if keeper.presses:
            if now_ms - self._trying_since_ms < self._try_ms:
                return None
            rest_ms = RESTS_MS[min(keeper.rests, len(RESTS_MS) - 1)]
            keeper.rests += 1
            keeper.keep(now_ms)
        else:
            if self._level != "off" and now_ms - self._watch_since_ms < WATCH_MS:
                return None
            if self._line_up and not self._level_known and now_ms - self._line_changed_ms < LAMP_WAIT_MS:
                return None
            if now_ms >= keeper.status_ms:
                if awake_ms < LOOK_MS:
                    return None
                keeper.status_ms = now_ms + min(LOOK_AGAIN_MS, self._settings.every_s * 1000)
            rest_ms = max(1_000, keeper.status_ms - now_ms)
        stuck = self._finger.stuck(now_ms)
        keeper.stuck = int(stuck)
        keeper.note()
        return (min(rest_ms, STUCK_LOOK_MS) if stuck else rest_ms, not stuck)

    # ---------------------------------------------------------------- inside

    def _pressed(self, kind: str, now_ms: int) -> None:
        self._keeper.rests = 0
        self._keeper.add(kind, now_ms)
        self._trying_since_ms = self._watch_since_ms = now_ms
        self._try_ms = TRY_MS
        self._not_yet_ms = now_ms + NOT_YET_MS

    def _speak_up(self, now_ms: int) -> None:
        """Tones that belong to a state: nobody has heard yet; somebody is coming."""
        keeper = self._keeper
        light = self.light(now_ms)
        # Awoken, we do not know the level yet: what was shown before we slept is not news when it comes.
        if light != keeper.shown and (self._level_known or keeper.presses):
            if light == "steady":
                self.player.play("coming", now_ms)
            keeper.shown = light
        if keeper.presses:
            # Not for ever: three minutes after the last press the room is left in peace, the tries go on.
            if self._not_yet_ms and now_ms >= self._not_yet_ms and now_ms - self._trying_since_ms < TRY_MS:
                self.player.play("not_yet", now_ms)
                self._not_yet_ms = now_ms + NOT_YET_MS
            if keeper.kept_ago_ms(now_ms) >= KEEP_AGE_MS:
                keeper.keep(now_ms)

    def _status(self, now_ms: int) -> bytes:
        keeper = self._keeper
        words: dict[str, object] = {
            "boot": keeper.boot,
            "uptime_s": (now_ms - keeper.since_ms) // 1000,
            "firmware": FIRMWARE,
            "every_s": self._settings.every_s,
        }
        if self._level_known:
            words["light"] = self.light(now_ms)
        if self._battery_mv:
            words["battery_mv"] = self._battery_mv
            words["battery_pct"] = self._settings.battery_pct(self._battery_mv)
        fault = keeper.fault or ("may_not_hear" if self._deaf else "")
        if not fault and self._finger.stuck(now_ms):
            fault = "button_held"
        if fault:
            words["fault"] = fault
        if keeper.joined:
            words["joined"] = keeper.joined
        return json.dumps(words).encode()
