"""Ink and light: the spool, ESC/POS, LED-panel frames, the serial port.

Rules (pure): ``spool.py`` (a job's life), ``escpos.py`` (the printer's wire), ``panels/`` (one driver a file).
Edges: ``serial_port.py``, the notebook. ``__main__.py`` wires them.
Does not belong here: what a slip says (the kiosk decides that) and anything a resident waits for.
Begin reading at ``spool.py``.
"""
