"""The network card of a virtual printer: one listening socket, one client at a time, as real ones have on port 9100."""

from __future__ import annotations

import socket
import sys


class NetCard:
    """Belongs to whoever holds the printer's lock. ``ends`` are what its thread waits on."""

    def __init__(self, address: tuple[str, int] | None) -> None:
        #: Where it listens; with port 0 the real one is here after `open`. None: there is no card.
        self.address = address
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None

    def open(self) -> None:
        if self.address is None:
            return
        host, port = self.address
        try:
            self._listener = socket.create_server((host, port), backlog=1)
        except OSError as wrong:
            print(f"virtual printer: {host}:{port}: {wrong.strerror}; it has its serial line alone", file=sys.stderr)
            return
        self._listener.setblocking(False)
        self.address = self._listener.getsockname()[:2]

    def close(self) -> None:
        self.hang_up()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def ends(self, room: int) -> list[socket.socket]:
        """The caller, if there is ``room`` for what it says; else the door."""
        if self._client is not None:
            return [self._client] if room > 0 else []
        return [self._listener] if self._listener is not None else []

    def take(self, ready: list[socket.socket], room: int) -> bytes:
        """What came in at the ends that are ready; a new caller is let in, one that hung up is let go."""
        if self._client is None:
            if self._listener is not None and self._listener in ready:
                self._client, _ = self._listener.accept()
                self._client.setblocking(False)
            return b""
        if self._client not in ready or room <= 0:
            return b""
        try:
            data = self._client.recv(room)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.hang_up()
        return data

    def say(self, answer: bytes) -> None:
        """To whoever has called; lost where nobody has, or nobody reads."""
        if self._client is not None:
            try:
                self._client.send(answer)
            except OSError:
                pass  # it is found out at the next read

    def hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
