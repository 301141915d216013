"""The doctor's round, in the order of reading: what everything stands on first."""

from __future__ import annotations

from gateway.finding import Check
from linli.checks_backup import backups
from linli.checks_hall import broker, notebooks, open_data, processes
from linli.checks_journal import chain
from linli.checks_machine import clock, disk, serial_ports, versions
from linli.checks_paper import printers
from linli.checks_requests import requests

ALL: dict[str, Check] = {
    "versions": versions,
    "clock": clock,
    "disk": disk,
    "notebooks": notebooks,
    "journal": chain,
    "backups": backups,
    "processes": processes,
    "broker": broker,
    "open_data": open_data,
    "serial_ports": serial_ports,
    "printers": printers,
    "requests": requests,
}
