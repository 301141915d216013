"""The GPIO edge: hall buttons and the beacon, through gpiozero.

Where the machine has no pins gpiozero's own mock pins stand in, and the part "gpio" says so. gpiozero calls back
in a thread of its own: the press enters by the thread door like everything that is not the loop's.
"""

from __future__ import annotations

import glob
import itertools
import logging
import secrets
import warnings
from collections.abc import Callable
from functools import partial

from devices.clock import mono_ns
from devices.messages import Light
from devices.plan import Gpio, Pin
from gateway.log import say

#: A contact's bounce is over after 5-20 ms; 50 ms swallows the worst push button and no human's second press.
BOUNCE_S = 0.05
#: The beacon's blink, as the lamps': half a second on, half a second off.
BLINK_S = 0.5

#: Called in gpiozero's thread: pin id, its press number, monotonic nanoseconds.
OnPress = Callable[[str, str, int], None]


class Pins:
    """All pins of this hall. ``state`` is "ready", "mock", "down" or "off"; ``why`` says what is missing.

    "ready" or "mock" with a ``why``: those pins do not work, the others do.
    """

    def __init__(self, plan: Gpio, on_press: OnPress) -> None:
        self.state = "off"
        self.why = ""
        self._mock: dict[str, int] = {}
        self._buttons: list[object] = []
        self._beacons: list[object] = []
        self._factory: object = None
        self._shown: Light = "off"
        if plan.pins == "off" or not (plan.buttons or plan.beacons):
            return
        self._begin(plan, on_press)

    def _begin(self, plan: Gpio, on_press: OnPress) -> None:
        with warnings.catch_warnings():
            # gpiozero announces each pin library that it tried in vain; we say it once, in our words.
            warnings.simplefilter("ignore")
            from gpiozero import Device
            from gpiozero.exc import GPIOZeroError
            from gpiozero.pins.mock import MockFactory

            factory: object
            if plan.pins == "mock":
                factory = MockFactory()
            else:
                try:
                    Device.ensure_pin_factory()
                    factory = Device.pin_factory
                except (GPIOZeroError, OSError) as wrong:
                    self.why = str(wrong)
                    if glob.glob("/dev/gpiochip*"):
                        # There are pins, and we may not use them: mock pins would hide a dead button.
                        self.state = "down"
                        return
                    factory = MockFactory()
            self._factory = factory
            self.state = "mock" if isinstance(factory, MockFactory) else "ready"
            boot = secrets.token_hex(8)
            for pin in plan.buttons:
                self._open(pin, partial(self._button, pin, _presser(pin.id, boot, on_press)))
            for pin in plan.beacons:
                self._open(pin, partial(self._beacon, pin))
        if self.state == "mock":
            say("gpio_mock", "no GPIO on this machine: hall buttons and beacon are mock pins", part="gpio")

    def _open(self, pin: Pin, make: Callable[[], None]) -> None:
        """A pin that is busy, or wired to something else, must not take the others along, nor the radio buttons."""
        try:
            make()
        except Exception as wrong:  # noqa: BLE001
            # The pin library's own (lgpio.error, "GPIO busy") belongs to no family.
            self.why += ("; " if self.why else "") + f"GPIO {pin.pin} ({pin.id}): {wrong}"

    def _button(self, pin: Pin, pressed: Callable[[], None]) -> None:
        from gpiozero import Button

        bounce_s = None if self.state == "mock" else BOUNCE_S
        button = Button(pin.pin, bounce_time=bounce_s, pin_factory=self._factory)
        self._buttons.append(button)
        self._mock[pin.id] = pin.pin
        button.when_pressed = pressed
        if button.is_pressed and not button.wait_for_release(BOUNCE_S):
            # Pressed while nobody listened: gpiozero tells of changes only. (A long cable has settled by now.)
            pressed()

    def _beacon(self, pin: Pin) -> None:
        from gpiozero import LED

        self._beacons.append(LED(pin.pin, pin_factory=self._factory))

    def press_mock(self, pin_id: str) -> bool:
        """Press a hall button that is not there. False where the pins are real or the id is unknown."""
        if self.state != "mock" or pin_id not in self._mock:
            return False
        pin = self._factory.pin(self._mock[pin_id])  # type: ignore[attr-defined]
        pin.drive_low()
        pin.drive_high()
        return True

    def show(self, light: Light) -> None:
        """The beacon is a level: blink while a call waits, steady while somebody is on the way."""
        if light == self._shown:
            return
        self._shown = light
        for beacon in self._beacons:
            if light == "blink":
                beacon.blink(BLINK_S, BLINK_S)  # type: ignore[attr-defined]
            elif light == "steady":
                beacon.on()  # type: ignore[attr-defined]
            else:
                beacon.off()  # type: ignore[attr-defined]

    @property
    def shown(self) -> Light:
        return self._shown

    def close(self) -> None:
        for thing in (*self._buttons, *self._beacons):
            try:
                thing.close()  # type: ignore[attr-defined]
            except Exception as wrong:  # noqa: BLE001 (as in _open)
                say("gpio_close", f"a pin would not close: {wrong}", level=logging.WARNING, part="gpio")


def _presser(pin_id: str, boot: str, on_press: OnPress) -> Callable[[], None]:
    numbers = itertools.count(1)

    def pressed() -> None:
        on_press(pin_id, f"{boot}:{next(numbers)}", mono_ns())

    return pressed
