"""What `linli doctor` finds, for the console: looked at once a day and whenever a technician asks, kept meanwhile.

The doctor's round takes seconds (it reads every line of the journal), so a process of its own makes it, as a report
(``queue_reports.py``), and no page waits. It knows its way by the hall's folder and ports alone; serial ports it cannot
see from here (the kiosk's unit shows it no devices): those are looked at by `linli doctor` on the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.clock import mono_s
from gateway.finding import Finding
from gateway.house import House
from kiosk.queue_reports import Job, Reports

#: After the start, when the hall is up and whoever began the day has begun it; then once a day (our choice).
FIRST_AFTER_S, AGAIN_AFTER_S = 600.0, 86_400.0
#: Checks that mean nothing in the kiosk's sandbox (systemd/linli-kiosk.service: PrivateDevices).
SKIPPED = ("serial_ports",)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Round:
    """All that was found, and when."""

    at_ms: int
    findings: tuple[Finding, ...]

    def of(self, mark: str) -> list[Finding]:
        return [one for one in self.findings if one.mark == mark]


@dataclass(frozen=True, slots=True)
class WantedRound:
    """Which hall is looked at."""

    home: str
    run_dir: str
    hall_file: str
    http_port: int
    mqtt_port: int

    def module(self) -> str:
        return "linli.check_up"

    def asked(self, _book: Path) -> Json:
        environ = {
            "LINLI_HOME": self.home,
            "LINLI_RUN": self.run_dir,
            "LINLI_HALL": self.hall_file,
            "LINLI_HTTP_PORT": self.http_port,
            "LINLI_MQTT_PORT": self.mqtt_port,
        }
        return {"environ": environ, "skip": SKIPPED}

    def read(self, told: Json) -> Round:
        return Round(int(told["at_ms"]), tuple(Finding(**one) for one in told["findings"]))


class CheckUp:
    """The newest round, and the one that is under way. Any thread may ask; nothing here waits."""

    def __init__(self, house: House, now_s: Callable[[], float] = mono_s) -> None:
        plan = house.plan
        self._wanted = WantedRound(
            str(house.home), str(house.run_dir), house.hall_file, plan.http.port, plan.broker.port
        )
        self._reports: Reports[Round] = Reports(house.kiosk_db, now_s)
        self._now_s = now_s
        self._due_s = now_s() + FIRST_AFTER_S
        self._job: Job[Round] | None = None
        self._last: Round | None = None

    def look(self) -> Job[Round]:
        """Look now; who asks while somebody looks, or within half a minute, gets the same round."""
        self._keep()
        self._due_s = self._now_s() + AGAIN_AFTER_S
        self._job = self._reports.ask(self._wanted)
        return self._job

    def look_if_due(self) -> None:
        """Asked every few seconds by the process; a test's hall has none that asks."""
        if self._now_s() >= self._due_s:
            self.look()

    def stop(self) -> None:
        """Whoever asked does not want it any more; what was found before stays."""
        if self._job is not None:
            self._reports.stop(self._job.number)

    @property
    def under_way(self) -> Job[Round] | None:
        job = self._job
        return None if job is None or job.finished.is_set() else job

    @property
    def last(self) -> Round | None:
        """What was found last; None: nobody has looked since the start."""
        self._keep()
        return self._last

    @property
    def trouble(self) -> str:
        """Why the newest round was not finished; "" while all is well, or where somebody stopped it."""
        job = self._job
        failed = job is not None and job.finished.is_set() and job.report is None and not job.stopped
        return (job.trouble or "it ended without a word") if job is not None and failed else ""

    def _keep(self) -> None:
        job = self._job
        if job is not None and job.finished.is_set() and job.report is not None:
            self._last = job.report
