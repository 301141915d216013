"""What the things are and what they say.

Belongs here: messages (facts in the past tense, orders in the imperative), one codec file per device
family, the error tree, the parser of hall.toml, the virtual devices, and the firmware of our own call button
(``reference_button/``, which only its chip runs).
Does not belong here: anything that waits, writes or knows another room of the house. Everything but
``virtual/`` and ``reference_button/`` is pure: no clock, no socket, no file, no thread.
Begin reading at ``messages.py``, then ``reading.py``, then any one file of ``codecs/``.
"""
