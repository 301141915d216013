"""Linli's tests, benches and campaigns. What their brokers keep in memory goes when they end (linli/broker.py)."""

import atexit
import os
import tempfile

if "linli-tests-" not in os.environ.get("XDG_RUNTIME_DIR", ""):
    _memory = tempfile.TemporaryDirectory(
        prefix="linli-tests-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None
    )
    atexit.register(_memory.cleanup)
    os.environ["XDG_RUNTIME_DIR"] = _memory.name
