"""The faces: residents' screens, the hall display, the staff console; the rules of the queue; the catalogue.

A Flask application as a Flask developer expects it: ``create_app`` in ``app.py``, one blueprint a subject.
Does not belong here: MQTT, serial lines, the life of a call (ask the gateway by order).
Begin reading at ``app.py``.
"""
