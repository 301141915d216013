"""The kiosk's pure rules: the life of a ticket, and what a slip says.

Plain data in, plain data out; the time is handed in as ``now_ms``. No clock, no chance, no database, no socket.
"""
