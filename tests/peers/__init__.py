"""The same load against what people use today: a Node-RED flow, and an afternoon's Python. README.md here says how.

Asked for explicitly only (``make bench ARGS=peers``); nothing here is installed or run by ``make test`` or by a plain
``make bench``, except for a small test that keeps the comparison's own code from rotting. Begin reading at ``peer.py``.
"""
