"""A serial line that goes at the worst moment."""

from __future__ import annotations

import os
import termios

import pytest

from firmware_bridge.serial_port import SerialPort


def test_a_cable_pulled_while_the_port_is_being_opened_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel then answers tcsetattr with EIO, and `termios.error` is no OSError."""
    ours, theirs = os.openpty()
    port = SerialPort(os.ttyname(theirs), 9600)

    def pulled(*_: object) -> None:
        raise termios.error(5, "Input/output error")

    try:
        with monkeypatch.context() as gone:
            gone.setattr(termios, "tcsetattr", pulled)
            assert port.try_open(0) is False
        assert "Input/output error" in port.why_en
        assert port.try_open(100) is False, "not yet time to try again"
        assert port.try_open(300) is True
        assert port.why_en == ""
    finally:
        port.close()
        os.close(ours)
        os.close(theirs)
