"""The long trials, ``make campaign``: minutes to hours, some need root. One file a trial, found by its name.

Each file has ``main(arguments: list[str]) -> int`` and begins with its promise in words. They are run before a
release; what they showed stands in docs/measurements.md.
"""
