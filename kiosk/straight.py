"""The straight way to a listening screen: whoever tells a fact hands its bytes to the screen's socket itself.

A stream of waitress holds a request thread. Waking that thread for each event costs a change of threads, and with
twenty consoles twenty threads fight for the interpreter: measured 1.1 ms for one console and 10.4 ms until the last of
twenty had heard; by the straight way 0.6 and 1.8 ms, of which 0.2 and 1.0 ms are the bare hand-over of the bytes
(p50 of ``python -m tests.bench.hop``, two cores). The thread stays: it says the first words, the heartbeats, and
everything while the screen is behind.

waitress has no door for this, so this file, and no other, knows its channel: ``write_soon`` is what its own threads
call (it takes the channel's lock and sends without waiting), and an HTTP/1.1 answer without a length is chunked.
Behind another server there is no straight way, and the streams work as they always did.
"""

from __future__ import annotations

import socket
from typing import Any

from waitress.channel import ClientDisconnected, HTTPChannel

#: What the kernel keeps for a screen that does not read. By itself it would let this grow to 4 MB (tcp_wmem) before
#: anybody notices; 256 kB are hundreds of events (our choice).
UNREAD_AT_MOST = 256 * 1024


class StraightWay:
    """One screen's connection. Use it only while the request's own thread writes nothing."""

    def __init__(self, channel: HTTPChannel, chunked: bool) -> None:
        self._channel = channel
        self._chunked = chunked
        channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_AT_MOST)

    def send(self, line: bytes) -> bool:
        """Hand over one event; never waits.

        :return: False where the screen is behind or gone: nothing was sent, its own thread has to see to it.
        """
        # Where bytes still wait, write_soon could wait for a slow screen: then it is not our business.
        if not self._channel.connected or self._channel.total_outbufs_len:
            return False
        try:
            self._channel.write_soon(b"%X\r\n%b\r\n" % (len(line), line) if self._chunked else line)
        except ClientDisconnected:
            return False
        return True

    def cut(self) -> None:
        """End the connection of a screen that does not read, so that its thread is free for somebody else."""
        try:
            self._channel.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has gone by itself
        self._channel.server.pull_trigger()


def straight_way(environ: dict[str, Any]) -> StraightWay | None:
    """The way to whoever asked this request; None where waitress does not serve it."""
    channel = getattr(environ.get("waitress.client_disconnected"), "__self__", None)
    if not isinstance(channel, HTTPChannel) or environ.get("REQUEST_METHOD") != "GET":
        return None
    return StraightWay(channel, environ.get("SERVER_PROTOCOL") == "HTTP/1.1")
