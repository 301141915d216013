"""Where a request comes from."""

from __future__ import annotations

import ipaddress

from flask import request

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def read_address(text: str) -> Address | None:
    """An address as people write it: ``::ffff:192.168.1.7``, as a socket for both versions names it, is 192.168.1.7;
    None where there is none."""
    try:
        told = ipaddress.ip_address(text)
    except ValueError:
        return None
    return told.ipv4_mapped or told if isinstance(told, ipaddress.IPv6Address) else told


def asking() -> Address | None:
    """Whose request this is."""
    return read_address(request.remote_addr or "")
