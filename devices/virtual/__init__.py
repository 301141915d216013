"""Fake hardware that ships: virtual printers, panels, buttons and bays, for the demo and the tests alike.

They behave, and can be told to misbehave, over a control socket (docs/protocol.md, 6). The one part of
``devices/`` that may do I/O. Begin reading at ``__main__.py``.
"""
