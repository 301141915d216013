"""Tables as a workbook for Excel and WPS: one sheet a table. ``python -m kiosk.queue_sheets``: JSON in, XLSX out.

XlsxWriter writes it; a workbook is a zip of seven XML files whose rules nobody should keep twice. What is text stays
text: a cell is never read as a formula or an address, whatever it begins with (OWASP, "CSV injection").
"""

from __future__ import annotations

import io
import json
import signal
import sys
from typing import Any, BinaryIO

import xlsxwriter

#: What Excel refuses in the name of a sheet, and how long one may be.
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_LONGEST_NAME = 31
#: Columns as wide as most names here; the first has names of items.
_WIDE_FIRST, _WIDE = 34, 13

Json = dict[str, Any]


def workbook(tables: list[Json]) -> bytes:
    """A workbook of ``tables``: ``{"title", "note", "head": [...], "rows": [[...], ...]}``.

    A cell is a text, a whole number, a share (a float, shown as a percentage) or None (left empty).
    """
    out = io.BytesIO()
    plain = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(out, plain)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    title = book.add_format({"bold": True, "font_size": 14})
    share = book.add_format({"num_format": "0.0%"})
    for number, table in enumerate(tables, 1):
        name = str(table["title"]).translate(_FORBIDDEN)[:_LONGEST_NAME].strip("' ") or str(number)
        sheet = book.add_worksheet(name)
        sheet.set_column(0, 0, _WIDE_FIRST)
        sheet.set_column(1, max(1, len(table["head"]) - 1), _WIDE)
        sheet.write_string(0, 0, str(table["title"]), title)
        sheet.write_string(1, 0, str(table["note"]))
        for column, head in enumerate(table["head"]):
            sheet.write_string(2, column, str(head), bold)
        sheet.freeze_panes(3, 1)
        for row, cells in enumerate(table["rows"], 3):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(row, column, cell)
                elif isinstance(cell, float):
                    sheet.write_number(row, column, cell, share)
                elif cell is not None:
                    sheet.write_number(row, column, cell)
    book.close()
    return out.getvalue()


def main(said: BinaryIO = sys.stdin.buffer, out: BinaryIO = sys.stdout.buffer) -> int:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the kiosk blocks its own: we end when we are told to
    out.write(workbook(json.load(said)))
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
