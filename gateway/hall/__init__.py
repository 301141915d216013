"""The rules of the hall: pure. A fact goes in with the state and the time; changes and effects come out.

Belongs here: a call's life (``calls.py``), the bays' counts (``bays.py``), what is known of devices
(``things.py``), the door where facts meet rules (``rules.py``).
Does not belong here: clocks, sockets, SQL, threads, logging; a test on the imports fails for them.
Begin reading at ``rules.py``, then ``calls.py``.
"""
