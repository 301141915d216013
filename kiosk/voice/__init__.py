"""The hall's voice: who is called to which window, said aloud, offline, one after the other and each whole.

`asking.py` writes what is to be said in the call's own transaction; `clips.py` finds the sound of each part (recorded
by staff, else made by `espeak.py` from pinyin) and `sound.py` joins them; `desk.py` keeps the order of what waits and
is the only one to touch its rows; `speaker.py` says it on the hall's machine, `pages.py` through the display.
What is said is decided in ``kiosk/rules/calling_words.py``, when and whether in ``kiosk/rules/voice_policy.py``.
Does not belong here: who is called (``kiosk/line.py``). Begin reading at `desk.py`.
"""
