"""The technician's front door: ``linli run | doctor | decode | press | park | print``.

It wires and asks; it decides nothing. Begin reading at ``__main__.py``.
"""
__version__ = "0.1.0"
