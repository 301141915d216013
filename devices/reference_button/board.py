"""The real board: pins, battery, Wi-Fi, sleep. The only file that knows what hardware there is.

Wiring and parts are in README.md. The pins are those of a FireBeetle ESP32; another board with an ESP32 (not a C3 or
C6, which have no ext0) works with other numbers. The button must be on an RTC pin with a pull-up (0, 2, 4, 12-15,
25-27, 32, 33), or it cannot wake the chip.
"""

import os
import time

import esp32
import machine
import network

from devices.reference_button.keeping import Memory
from devices.reference_button.life import Board
from devices.reference_button.mqtt import Stream
from devices.reference_button.settings import Settings
from devices.reference_button.wire import open_wire

#: Between this pin and ground: the button. Low is pressed.
BUTTON_PIN = 25
#: A lamp of up to 20 mA through its resistor, or the gate of a transistor. High is lit.
LAMP_PIN = 26
#: A passive piezo buzzer.
BUZZER_PIN = 27
#: Half of the battery's voltage, from two equal resistors (on the FireBeetle: its own, of 1 megohm each).
BATTERY_PIN = 36
DIVIDER = 2
#: Readings of the battery, averaged: a single one of this converter is noisy (ESP-IDF, "Minimizing Noise").
READINGS = 16
#: A chip that turns no more is restarted: longer than anything that opening a line may take.
WATCHDOG_MS = 60_000
#: Time for the last bytes to leave before everything goes dark.
GOODBYE_MS = 200

KEPT, KEPT_NEW = "kept.json", "kept.new"


class Flash(Memory):
    """Notes in the clock's memory (2 KB, kept through sleep), presses in a file of the flash's littlefs."""

    def noted(self) -> bytes:
        return bytes(machine.RTC().memory())

    def note(self, data: bytes) -> None:
        machine.RTC().memory(data)

    def kept(self) -> bytes:
        return read_file(KEPT)

    def keep(self, data: bytes) -> None:
        # littlefs replaces a file in one step: after a power cut there is the old one or the new one.
        with open(KEPT_NEW, "wb") as file:
            file.write(data)
        os.rename(KEPT_NEW, KEPT)

    def random(self, count: int) -> bytes:
        # The chip's generator is only as good as the radio's noise: switch that on first.
        network.WLAN(network.STA_IF).active(True)
        return os.urandom(count)


class Esp32Board(Board):
    """A FireBeetle ESP32, or a board like it."""

    def __init__(self, settings: Settings, ca: bytes) -> None:
        self.memory = Flash()
        self._settings = settings
        self._ca = ca
        awoke = machine.reset_cause() == machine.DEEPSLEEP_RESET
        if not awoke:
            year, month, day = [int(part) for part in settings.date.split("-")]
            machine.RTC().datetime((year, month, day, 0, 0, 0, 0, 0))
        self._button = machine.Pin(BUTTON_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
        self._lamp = machine.Pin(LAMP_PIN, machine.Pin.OUT, value=0)
        self._buzzer: machine.PWM | None = None
        self._hertz = 0
        self._wlan: network.WLAN | None = None
        # Found down: it woke us, or it was held at power-up. Found up after it woke us: pressed, and let go already.
        began_ms = self.now_ms()
        pressed = not self._button.value()
        by_finger = awoke and machine.wake_reason() == machine.PIN_WAKE
        self._edges = [(pressed or by_finger, began_ms)]
        if by_finger and not pressed:
            self._edges.append((False, began_ms))
        self._button.irq(self._moved, machine.Pin.IRQ_FALLING | machine.Pin.IRQ_RISING)
        self._battery_mv = self._measure() if settings.battery else 0
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)

    def _moved(self, pin: object) -> None:
        """The contact moved; also while opening a line keeps us waiting."""
        self._edges.append((not self._button.value(), self.now_ms()))

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def edges(self) -> list[tuple[bool, int]]:
        edges, self._edges = self._edges, []
        # An edge that the interrupt has missed among many is seen here.
        edges.append((not self._button.value(), self.now_ms()))
        return edges

    def battery_mv(self) -> int:
        """As it was when we woke: with the radio on it sags, and the converter is disturbed."""
        return self._battery_mv

    def _measure(self) -> int:
        converter = machine.ADC(machine.Pin(BATTERY_PIN), atten=machine.ADC.ATTN_11DB)
        readings = [converter.read_uv() for _ in range(READINGS)]
        return int(sum(readings) // READINGS * DIVIDER // 1000)

    def radio(self) -> bool:
        if self._wlan is None:
            self._wlan = network.WLAN(network.STA_IF)
            self._wlan.active(True)
            self._wlan.connect(self._settings.wifi_name, self._settings.wifi_password)
        return bool(self._wlan.isconnected())

    def open_line(self) -> Stream:
        self._watchdog.feed()
        settings = self._settings
        return open_wire(settings.host, settings.port, settings.tls_name if settings.tls else "", self._ca)

    def show(self, lit: bool) -> None:
        self._lamp.value(1 if lit else 0)

    def sound(self, hertz: int) -> None:
        if hertz == self._hertz:
            return
        self._hertz = hertz
        if self._buzzer is not None:
            self._buzzer.deinit()
            self._buzzer = None
        if hertz:
            self._buzzer = machine.PWM(machine.Pin(BUZZER_PIN), freq=hertz, duty_u16=32768)

    def say(self, words: str) -> None:
        print("linli-button:", words)

    def wait(self) -> None:
        """Between two turns."""
        self._watchdog.feed()
        time.sleep_ms(10)  # type: ignore[attr-defined]

    def sleep(self, rest_ms: int, finger_wakes: bool) -> None:
        """Deep sleep: the chip starts anew after that. Does not return."""
        time.sleep_ms(GOODBYE_MS)  # type: ignore[attr-defined]
        if self._wlan is not None:
            self._wlan.active(False)
        esp32.wake_on_ext0(self._button if finger_wakes else None, esp32.WAKEUP_ALL_LOW)
        machine.deepsleep(rest_ms)


def read_file(name: str) -> bytes:
    """A file's content; empty where there is none.

    :raises OSError: there is one, and it cannot be read.
    """
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as wrong:
        if wrong.args[0] == 2:  # ENOENT
            return b""
        raise
