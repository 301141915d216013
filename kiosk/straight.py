"""The straight way to a listening screen: whoever tells a fact hands its bytes to the screen's socket itself.

A stream of waitress holds a request thread. Waking that thread for each event costs a change of threads, and with
twenty consoles twenty threads fight for the interpreter: measured 1.1 ms for one console and 10.4 ms until the last of
twenty had heard; by the straight way 0.6 and 1.8 ms, of which 0.2 and 1.0 ms are the bare hand-over of the bytes
(p50 of ``python -m tests.bench.hop``, two cores). The thread stays: it says the first words, the heartbeats, and
everything while the screen is behind.

waitress has no door for this, so this file, and no other, knows its channel: ``outbuf_lock`` is held by whoever sends,
``total_outbufs_len`` is what still waits, ``write_soon`` is what its own threads call, and an HTTP/1.1 answer without a
length is chunked. Behind another server there is no straight way, and the streams work as they always did.
"""

from __future__ import annotations

import ctypes
import socket
from typing import Any

from waitress.channel import ClientDisconnected, HTTPChannel

#: The C library's ``send``, called without letting go of the interpreter: it never waits (MSG_DONTWAIT) and takes some
#: ten microseconds. Python's own lets go of it for each call, and while a page is being drawn gets it back only when
#: the page's thread has had its turn: twenty consoles, twenty turns. Telling 21 consoles beside pages took 13 to 33 ms
#: at p99 by Python's, 5.0 to 6.9 ms by this (four rounds in turn, ``hop --pages --bays 5``, a busy machine).
_send = ctypes.PyDLL(None).send
_send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
_send.restype = ctypes.c_ssize_t
_AT_ONCE = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL

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
        channel = self._channel
        if not channel.outbuf_lock.acquire(blocking=False):
            return False  # somebody is sending to it, so it is behind
        try:
            if not channel.connected or channel.total_outbufs_len:
                return False
            # Under the lock: while it is connected nobody closes this descriptor, and nobody writes between our bytes.
            data = b"%X\r\n%b\r\n" % (len(line), line) if self._chunked else line
            sent = _send(channel.socket.fileno(), data, len(data), _AT_ONCE)
            if sent < 0:
                return False
            if sent < len(data):
                channel.write_soon(data[sent:])
        except ClientDisconnected:
            return False
        finally:
            channel.outbuf_lock.release()
        return True

    def is_gone(self) -> bool:
        """Whether the browser has closed its end: waitress looks only when there is something to be written."""
        channel = self._channel
        if not channel.outbuf_lock.acquire(blocking=False):
            return False  # somebody is sending to it
        try:
            return not channel.connected or channel.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            channel.outbuf_lock.release()

    def cut(self) -> None:
        """End the connection of a screen that does not read, so that its thread is free for somebody else."""
        line = self._channel.socket  # None: waitress has closed it already, in its own thread
        try:
            if line is not None:
                line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has gone by itself
        self._channel.server.pull_trigger()


def straight_way(environ: dict[str, Any]) -> StraightWay | None:
    """The way to whoever asked this request; None where waitress does not serve it."""
    channel = getattr(environ.get("waitress.client_disconnected"), "__self__", None)
    if not isinstance(channel, HTTPChannel) or environ.get("REQUEST_METHOD") != "GET":
        return None
    return StraightWay(channel, environ.get("SERVER_PROTOCOL") == "HTTP/1.1")
