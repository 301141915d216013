"""The pinyin keyboard's words: letters in, hanzi out, offline.

Begin reading at `words.py`: it asks the layers one after the other (the hall's own names, libgooglepinyin where it is
installed, our own dictionary) and joins their answers. `pages.py` is the door, `/api/ime`. Nothing that anybody types
is remembered here.
"""
