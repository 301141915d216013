"""The reference button: our own call button on an ESP32, in MicroPython. README.md says what to buy and how to wire it.

Belongs here: everything that runs on the chip (``main.py`` starts it; ``board.py`` is the only file that knows pins),
the tool that packs one button's files (``pack.py``), and a button without hardware for desks and tests
(``virtual_board.py``, ``desk.py``).
Does not belong here: anything of Linli's. The chip has none of it; it knows docs/protocol.md, section 1, and no more.
The files keep to what MicroPython 1.23 understands: no ``typing``, no ``dataclasses``, no ``match``. Annotations are
read by mypy and thrown away by the chip.
Begin reading at ``protocol.py``, then ``life.py``.
"""
