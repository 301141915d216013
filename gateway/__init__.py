"""The event loop and the doors it guards: the broker, GPIO, the unix socket, the notebook.

``gateway/hall/`` holds the pure rules (a call's life, the bays' counts, supervision). Some files are the
common floor that kiosk, bridge and herald stand on too: ``notebook.py`` (the only file that opens SQLite),
``views.py`` (read-only questions to gateway.db), ``house.py`` (where files and ports are), ``log.py`` (how we
speak to the journal), ``far_end.py`` (their end of our unix socket); ``tests/test_floor_plan.py`` has them all.
Nothing else here may be imported by another room.
Begin reading at ``loop.py``: gather → decide → write → tell.
"""
