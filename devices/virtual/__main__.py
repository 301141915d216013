"""The virtual hall: ``python -m devices.virtual``, started by ``linli run`` where hall.toml says ``[virtual] on``.

Reads the same environment as the other processes (``LINLI_HOME``, ``LINLI_RUN``, ``LINLI_HALL``,
``LINLI_MQTT_PORT``), makes a virtual thing for everything that hall.toml calls "virtual", and a control socket to
make them act and misbehave.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from devices.clock import mono_s
from devices.faults import HallFileFault
from devices.plan import Plan, read_plan
from devices.virtual import neighbours
from devices.virtual.bay import VirtualBay, VirtualTextPanel
from devices.virtual.bus import VirtualBus
from devices.virtual.button import VirtualButton
from devices.virtual.control import Control, Virtual
from devices.virtual.line import Line
from devices.virtual.modem import VirtualModem
from devices.virtual.panel import VirtualSerialPanel
from devices.virtual.printer import VirtualPrinter

#: The pace of repeats and signs of life: a tenth of the shortest of them.
TICK_S = 0.1
#: Every third bay of the demo begins taken, so that the screens have something to show.
TAKEN_EVERY = 3


def virtual_printers(plan: Plan, home: Path) -> list[VirtualPrinter]:
    """One for each printer of hall.toml that is virtual, at the loopback's ports where hall.toml gives them any."""
    names = [printer.id for printer in plan.printers if printer.port == "virtual"]
    first = plan.virtual.printer_port
    return [
        VirtualPrinter(name, home, tcp=("127.0.0.1", first + at) if first else None) for at, name in enumerate(names)
    ]


def virtual_lines(plan: Plan, home: Path) -> list[VirtualBus]:
    """One for each line that virtual panels share: ``port = "virtual:east"``."""
    lines: dict[str, list[tuple[str, str, int]]] = {}
    for panel in plan.panels:
        if panel.via == "serial" and panel.port.startswith("virtual:"):
            lines.setdefault(panel.port.removeprefix("virtual:"), []).append((panel.id, panel.driver, panel.address))
    return [VirtualBus(name, home, panels) for name, panels in lines.items()]


class VirtualHall:
    """All virtual things of one hall."""

    def __init__(self, home: Path, run_dir: Path, plan: Plan, mqtt_port: int) -> None:
        self._line = Line(plan.broker.host, mqtt_port, self._line_up)
        self.things: dict[str, Virtual] = {}
        self._ptys: list[VirtualPrinter | VirtualSerialPanel | VirtualBus | VirtualModem] = []
        self._talkers: list[VirtualButton | VirtualBay | VirtualTextPanel] = []
        self._run_dir = run_dir
        self._orders = neighbours.claims(plan.virtual.buttons, plan.virtual.bays)
        for number in range(1, plan.virtual.buttons + 1):
            button = VirtualButton(neighbours.button_id(number), self._line)
            self.things[f"button:{button.device_id}"] = button
            self._talkers.append(button)
        for number in range(1, plan.virtual.bays + 1):
            name = neighbours.bay_id(number)
            bay = VirtualBay(f"bay-{name}", self._line, occupied=number % TAKEN_EVERY == 0)
            self.things[f"bay:{name}"] = bay
            self._talkers.append(bay)
        for bus in virtual_lines(plan, home):
            self._ptys.append(bus)
            self.things |= {f"panel:{panel_id}": one for panel_id, one in bus.panels.items()}
        for panel in plan.panels:
            if panel.via == "mqtt":
                text_panel = VirtualTextPanel(panel.id, self._line)
                self.things[f"panel:{panel.id}"] = text_panel
                self._talkers.append(text_panel)
            elif panel.port == "virtual":
                serial_panel = VirtualSerialPanel(panel.id, home, panel.driver, panel.address)
                self.things[f"panel:{panel.id}"] = serial_panel
                self._ptys.append(serial_panel)
        for virtual in virtual_printers(plan, home):
            self.things[f"printer:{virtual.printer_id}"] = virtual
            self._ptys.append(virtual)
        if plan.sms.port == "virtual":
            modem = VirtualModem("modem", home)
            self.things["modem:sms"] = modem
            self._ptys.append(modem)
        self._control = Control(run_dir / "virtual.sock", self.things)

    def run(self, stopping: threading.Event) -> None:
        for pty in self._ptys:
            pty.start()
        serving = threading.Thread(
            target=self._control.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        serving.start()
        # First the gateway learns whose devices these are, then they begin to speak.
        while not neighbours.furnish(self._run_dir / "gateway.sock", self._orders):
            if stopping.wait(0.1):
                break
        self._line.start()
        while not stopping.wait(TICK_S):
            now_s = mono_s()
            for talker in self._talkers:
                talker.tick(now_s)
        self._line.stop()
        self._control.shutdown()
        Path(str(self._control.server_address)).unlink(missing_ok=True)
        for pty in self._ptys:
            pty.stop()

    def _line_up(self) -> None:
        for talker in self._talkers:
            if isinstance(talker, VirtualBay | VirtualTextPanel):
                talker.up()


def main() -> int:
    home = Path(os.environ.get("LINLI_HOME") or "var").absolute()
    run_dir = Path(os.environ.get("LINLI_RUN") or home / "run")
    named = os.environ.get("LINLI_HALL", "")
    found = [
        path
        for path in ([Path(named)] if named else [home / "hall.toml", Path("hall.toml")])
        if path.is_file()
    ]
    try:
        plan = read_plan(found[0].read_text(encoding="utf-8"), str(found[0])) if found else Plan()
    except HallFileFault as wrong:
        print(wrong, file=sys.stderr)
        return 2
    # Pictures of paper cost more than the hall they come from: the toys give way to what they are tried on.
    os.nice(19)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    port = os.environ.get("LINLI_MQTT_PORT", "")
    VirtualHall(home, run_dir, plan, int(port) if port.isdigit() else plan.broker.port).run(stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
