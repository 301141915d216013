"""The kiosk's wiring: the only place where its real clock, files, sockets and threads are chosen.

python -m kiosk [--hall hall.toml]
"""

from __future__ import annotations

import argparse
import gc
import http.client
import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from devices.clock import mono_ns, wall_ms
from devices.faults import HallFileFault, NotWritten, OutsideDown
from gateway.house import House, open_house
from gateway.log import begin_log, end_log, say
from gateway.service import begin_notifier
from kiosk import appointments, content, windows
from kiosk.aloud import standing_texts
from kiosk.app import create_app
from kiosk.catalogue import load_catalogue
from kiosk.core import Core
from kiosk.gateway_link import GatewayLink
from kiosk.housekeeping import Housekeeping
from kiosk.kitchen import Kitchen
from kiosk.live import Hub
from kiosk.panel_news import PanelNews
from kiosk.queue_alert import WaitWatch
from kiosk.too_large import KEPT_AT_MOST, answer_in_our_words
from kiosk.voice.speaker import Voice
from kiosk.writer import Writer

#: Request threads. Each stream holds one (kiosk/live.py allows 32), so at least 16 answer touches.
THREADS = 48
#: The screens' texts are made into speech after the calls' own clips (voice/speaker.py, `WARM_AFTER_S`).
WARM_READING_AFTER_S = 90.0
#: How often we ask ourselves whether we still answer; systemd's watchdog waits longer (systemd/linli-kiosk.service).
SELF_CHECK_S = 5.0
#: The writer's silence after which a restart is worth trying. A worn card's own cleaning takes seconds, even a minute:
#: restarting for that would only add a start to what the card has to do (our choice).
STUCK_AFTER_S = 120.0
#: A peer that acknowledges nothing for so long is gone: a switched-off console must give its thread back.
TCP_GONE_MS = 30_000
#: How long SIGTERM may wait for requests that are under way.
LAST_REQUESTS_S = 1.0

#: How long one thread may hold the interpreter while others want it (Python's own: 5 ms). A press told to a console
#: while somebody turns pages: 3.0 ms with 5 ms, 1.2 ms with 0.5 ms (p50 of `python -m tests.bench.hop --pages`).
SWITCH_S = 0.0005

#: Exit status when a file that a person wrote is wrong: starting again changes nothing (linli/run.py, the unit).
WRONG_FILE = 2
ENDING = {signal.SIGTERM, signal.SIGINT}

_ROOM = Path(__file__).parent


def begin_core(house: House) -> Core:
    """Open the notebook, read the catalogue, connect to the gateway. ``house.home`` must exist.

    :raises HallFileFault: the catalogue or the notebook cannot be used.
    """
    file = _ROOM / "data" / "services_31.yaml"
    catalogue = load_catalogue(file.read_text(encoding="utf-8"), file.name)
    writer = Writer(house.kiosk_db, _ROOM / "schema")
    writer.start()
    hub = Hub()
    link = GatewayLink(house.gateway_socket, hub)
    link.start()
    core = Core(house, catalogue, writer, link, hub, wall_ms)
    windows.try_fill(core)
    content.lay(core)
    return core


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m kiosk", description="Linli's faces: screens, display, console."
    )
    parser.add_argument("--hall", metavar="FILE", help="another hall.toml")
    asked = parser.parse_args(arguments)
    # Signals are taken by sigtimedwait in _serve: a handler could run in the middle of anything. Blocked before the
    # first thread begins, because threads inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    begin_log("kiosk")
    try:
        return _serve(open_house(asked.hall))
    except HallFileFault as wrong:
        say("refused_to_start", str(wrong), level=logging.ERROR)
        return WRONG_FILE
    except OutsideDown as wrong:
        say("refused_to_start", str(wrong), level=logging.ERROR)
        return 1
    finally:
        end_log()


def _serve(house: House) -> int:
    house.home.mkdir(parents=True, exist_ok=True)
    sys.setswitchinterval(SWITCH_S)
    notifier = begin_notifier()
    core = begin_core(house)
    listen = house.plan.http
    try:
        server = open_door(core)
    except OSError as wrong:
        core.link.stop()
        core.writer.stop()
        raise OutsideDown(
            f"{listen.listen}:{listen.port} cannot be opened ({wrong.strerror}): another program has this port; "
            "close it, or set LINLI_HTTP_PORT"
        ) from wrong
    kitchen = Kitchen(core)
    kitchen.start()
    voice = Voice(core)
    voice.start()
    core.reading.begin_warming(standing_texts(core), WARM_READING_AFTER_S)
    housekeeping = Housekeeping(core)
    housekeeping.start()
    wait_watch = WaitWatch(core)
    wait_watch.start()
    panel_news = PanelNews(core)
    panel_news.start()
    _put_the_start_aside()
    serving = threading.Thread(target=server.run, name="http", daemon=True)
    serving.start()
    say("ready", f"the faces are on http://{listen.listen}:{listen.port}/", port=listen.port)
    notifier.ready()
    asked_to_end = None
    while asked_to_end is None and serving.is_alive():
        if trouble := _self_check(core, listen.listen, listen.port):
            notifier.status(trouble)
        else:
            notifier.status(core.writer.trouble or f"{core.hub.listeners} screens are listening")
            notifier.beat()
        if not core.laid:
            content.lay(core)
        appointments.sweep_later(core)
        core.check_up.look_if_due()
        asked_to_end = signal.sigtimedwait(ENDING, SELF_CHECK_S)
    notifier.stopping()
    kitchen.stop()
    voice.stop()
    core.reading.stop()
    housekeeping.stop()
    wait_watch.stop()
    panel_news.stop()
    core.check_up.stop()
    close_door(core, server)
    say("stopped", "the faces are closed")
    return 0 if asked_to_end is not None else 1


def _put_the_start_aside() -> None:
    """What was made so far stays for good: the collector need not look at it again and again.

    It holds the interpreter while it looks: beside pages and 21 consoles a full round took 27 to 95 ms (6 rounds), in
    which no console hears anything; with the start put aside 8 to 25 ms (8 rounds; ``gc.callbacks``, a busy machine).
    """
    gc.collect()
    gc.freeze()


def open_door(core: Core, port: int | None = None) -> Any:
    """The HTTP server over ``core``, bound but not yet turning (``run`` turns it). ``port`` overrules hall.toml."""
    listen = core.house.plan.http
    server = create_server(
        create_app(core),
        host=listen.listen,
        port=listen.port if port is None else port,
        threads=THREADS,
        ident=None,
        asyncore_use_poll=True,
        # A slow screen must not let its unsent events grow in our memory: 256 kB, then its thread waits.
        outbuf_high_watermark=256 * 1024,
        max_request_body_size=KEPT_AT_MOST,
        # Phones with a ticket's page keep their connections; a hundred (the default) would shut the hall's own out.
        connection_limit=512,
        clear_untrusted_proxy_headers=True,
    )
    # Beside waitress' own TCP_NODELAY, for each connection it accepts.
    gone = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, TCP_GONE_MS)
    server.adj.socket_options = [*server.adj.socket_options, gone]
    answer_in_our_words(server)
    return server


def close_door(core: Core, server: Any) -> None:
    """Let nobody in, end the streams and what is under way, then link and writer: two seconds at most in all.

    waitress' loop belongs to its own thread, so the doors are closed by a thunk in that loop.
    """
    core.link.leave()
    server.trigger.pull_trigger(lambda: wasyncore.dispatcher.close(server))
    core.hub.close()
    server.task_dispatcher.shutdown(timeout=LAST_REQUESTS_S)
    core.link.stop()
    core.writer.stop()
    # The last thunk closes the trigger itself. waitress' own `pull_trigger` hands it over and then rings: where another
    # ring lets the loop find it in between, it rings a descriptor that is gone, or somebody else's by now.
    with server.trigger.lock:
        server.trigger.thunks.append(lambda: wasyncore.close_all(server._map, ignore_all=True))
        os.write(server.trigger.trigger, b"x")


def _only_look(notebook: sqlite3.Connection) -> None:
    notebook.execute("SELECT 1").fetchone()


def _really_write(notebook: sqlite3.Connection) -> None:
    """While the disk is in trouble only a real write can show that it is well again.

    The value must be new: SQLite leaves a page alone that would be overwritten by the same bytes.
    """
    notebook.execute(
        "INSERT INTO meta(key, value) VALUES ('disk_tried_ns', ?)"
        " ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        (str(mono_ns()),),
    )


def _self_check(core: Core, host: str, port: int) -> str:
    """A real round trip through the door and through the writer: "" if both answer.

    A disk that refuses or is slow is no reason to be restarted (a restart would not mend it): only a writer that has
    ended, or has been silent for `STUCK_AFTER_S`, is.
    """
    host = "127.0.0.1" if host in ("", "0.0.0.0") else "::1" if host == "::" else host
    line = http.client.HTTPConnection(host, port, timeout=2)
    try:
        line.request("GET", "/livez")
        if line.getresponse().status != 200:
            return "/livez does not answer 200"
    except (OSError, http.client.HTTPException) as wrong:
        return f"/livez does not answer: {wrong!r}"
    finally:
        line.close()
    try:
        core.writer.write(_really_write if core.writer.trouble else _only_look)
    except NotWritten as wrong:
        return str(wrong) if core.writer.silent_for_s() > STUCK_AFTER_S else ""
    return ""


if __name__ == "__main__":
    sys.exit(main())
