"""The hall's own pins, on gpiozero's mock: what is pressed before we listen, and a pin that somebody else holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gpiozero import Button, Device
from gpiozero.pins.mock import MockFactory, MockPin

from devices.plan import Gpio, Pin
from gateway.pins import Pins

DESK, GATE, LIGHT = Pin("desk", pin=17), Pin("gate", pin=18), Pin("light", pin=27)


class HeldPin(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """Its contact is closed, whatever pulls the line up."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self._change_state(False)


@pytest.fixture
def factory(request: pytest.FixtureRequest) -> Iterator[MockFactory]:
    before, Device.pin_factory = Device.pin_factory, MockFactory(pin_class=getattr(request, "param", MockPin))
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = before


@pytest.mark.parametrize("factory", [HeldPin], indirect=True)
def test_who_presses_while_the_gateway_starts_is_heard_once_and_again_with_the_next_press(
    factory: MockFactory,
) -> None:
    heard: list[tuple[str, str]] = []
    pins = Pins(Gpio("auto", (DESK,)), lambda pin_id, press_id, _ns: heard.append((pin_id, press_id)))
    assert [pin_id for pin_id, _ in heard] == ["desk"]
    factory.pin(17).drive_high()
    factory.pin(17).drive_low()
    pins.close()
    assert [press_id.rpartition(":")[2] for _, press_id in heard] == ["1", "2"]


def test_a_pin_that_is_busy_does_not_take_the_others_along(factory: MockFactory) -> None:
    somebody = Button(17)
    heard: list[str] = []
    pins = Pins(Gpio("auto", (DESK, GATE), (LIGHT,)), lambda pin_id, *_: heard.append(pin_id))
    assert pins.press_mock("gate") and heard == ["gate"]
    pins.show("steady")
    assert factory.pin(27).state and "GPIO 17 (desk)" in pins.why
    pins.close()
    somebody.close()


class BusyPin(MockPin):  # type: ignore[misc]
    """As lgpio has it where the kernel holds a pin (SPI, 1-wire): an error of no family."""

    def _set_function(self, value: str) -> None:
        if self.info.name in ("GPIO17", "GPIO27") and not getattr(self, "refused", False):
            self.refused = True  # once: gpiozero tidies the half-made button up by the same way
            raise LibraryError("GPIO busy")
        super()._set_function(value)


class LibraryError(Exception):
    """As lgpio.error is."""


@pytest.mark.parametrize("factory", [BusyPin], indirect=True)
def test_a_pin_that_the_kernel_holds_does_not_keep_the_gateway_from_starting(factory: MockFactory) -> None:
    heard: list[str] = []
    pins = Pins(Gpio("auto", (DESK, GATE), (LIGHT,)), lambda pin_id, *_: heard.append(pin_id))
    assert pins.press_mock("gate") and heard == ["gate"]
    pins.show("blink")
    assert "GPIO 17 (desk): GPIO busy; GPIO 27 (light): GPIO busy" in pins.why
    pins.close()
