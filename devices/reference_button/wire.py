"""The wire to the broker: TCP, with TLS on top. The same file runs on the chip, under a unix MicroPython and CPython.

Opening it waits, for at most ``PATIENCE_S`` a step: on the chip the finger is caught by an interrupt meanwhile.
After that nothing waits.
"""

import socket
import ssl

from devices.reference_button.mqtt import Stream

#: For connecting, and for each answer of the TLS handshake: a chip takes some 2 s to reckon for it.
PATIENCE_S = 8
#: IPPROTO_TCP and TCP_NODELAY, the same numbers in Linux and in lwIP; not every MicroPython names them.
_TCP, _NO_DELAY = 6, 1
#: "Nothing now": EAGAIN (Linux, lwIP), and CPython's words for TLS (SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE).
_NOT_NOW = (11, 2, 3)


class Wire(Stream):
    """An open connection. ``raw`` is what a poll takes."""

    def __init__(self, raw: socket.socket, stream: object) -> None:
        self.raw = raw
        self._stream = stream

    def read(self, most: int) -> bytes | None:
        try:
            data: bytes | None = self._stream.read(most)  # type: ignore[attr-defined]
            return data
        except OSError as wrong:
            if wrong.args and wrong.args[0] in _NOT_NOW:
                return None
            raise

    def write(self, data: bytes) -> int | None:
        try:
            taken: int | None = self._stream.write(data)  # type: ignore[attr-defined]
            return taken
        except OSError as wrong:
            if wrong.args and wrong.args[0] in _NOT_NOW:
                return None
            raise

    def close(self) -> None:
        self._stream.close()  # type: ignore[attr-defined]
        if self.raw is not self._stream:
            self.raw.close()


def open_wire(host: str, port: int, tls_name: str, ca: bytes) -> Wire:
    """Connect.

    :param tls_name: the name that the broker's certificate must carry; empty: no TLS.
    :param ca: the certificate (DER) that signed it.
    :raises OSError: no such host, nobody listens, no answer, or a certificate that is not the hall's.
    :raises ValueError: the same, in MicroPython's words for some certificates.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    raw = socket.socket(family, kind)
    try:
        raw.settimeout(PATIENCE_S)
        raw.connect(address)
        try:
            raw.setsockopt(_TCP, _NO_DELAY, 1)
        except (OSError, ValueError):
            pass  # then each packet is a single write all the same
        if not tls_name:
            raw.setblocking(False)
            # MicroPython's sockets are streams; CPython's must be asked for one.
            return Wire(raw, raw if hasattr(raw, "read") else raw.makefile("rwb", 0))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=ca)
        secured = context.wrap_socket(raw, server_hostname=tls_name)
        secured.setblocking(False)
        return Wire(secured, secured)
    except (OSError, ValueError):
        raw.close()
        raise
