"""Lists as files that Excel opens: CSV in UTF-8 with a byte order mark; read also as GB18030, as Chinese Excel saves.

A file is a list of lines under one line of headings; a heading may be Chinese, English or the field's own name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from devices.faults import OrderRefused

#: The longest file: 2,000 residents with everything that is known of them have some 600 KB.
LONGEST_FILE = 1_000_000
#: The beginnings of files that are no text: a workbook of Excel (xlsx, xls).
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: What a spreadsheet would take for a formula. Such a cell gets an apostrophe, and loses it when it comes back.
_FORMULA = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True, slots=True)
class Column:
    """A field and its headings."""

    key: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: where it begins in the file, its cells by field, and what is wrong with its shape ((zh, en))."""

    line: int
    cells: Mapping[str, str]
    wrong: tuple[str, str] | None = None


@dataclass(slots=True)
class Sheet:
    entries: list[Entry] = field(default_factory=list)
    #: headings that nobody here knows: their columns are left out
    unknown: list[str] = field(default_factory=list)


def write_sheet(columns: Sequence[Column], rows: Iterable[Mapping[str, str]]) -> bytes:
    """The file: Chinese headings, a line for each row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([one.zh for one in columns])
    for row in rows:
        writer.writerow([_safe(row[one.key]) for one in columns])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def read_sheet(raw: bytes, columns: Sequence[Column], needed: str) -> Sheet:
    """Take a file apart.

    :param needed: the field whose heading must be there.
    :raises OrderRefused: it is no such file.
    """
    text = _decoded(raw)
    first = text.partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    known = {word.casefold(): one.key for one in columns for word in (one.key, one.zh, one.en)}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    sheet, keys, begins = Sheet(), list[str](), 1
    try:
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not keys:
                keys = [known.get(cell.strip().casefold(), "") for cell in cells]
                _check_headings(keys, columns, needed)
                pairs = zip(cells, keys, strict=True)
                sheet.unknown = [cell.strip() for cell, key in pairs if cell.strip() and not key]
                continue
            sheet.entries.append(_entry(line, cells, keys))
    except csv.Error as wrong:
        raise OrderRefused(
            f"第 {begins} 行读不懂：{wrong}", f"line {begins} cannot be read: {wrong}"
        ) from wrong
    if not sheet.entries:
        raise OrderRefused("文件里只有标题，没有内容", "the file has headings only, no lines")
    return sheet


def _decoded(raw: bytes) -> str:
    if not raw.strip():
        raise OrderRefused("请选择一个有内容的文件", "choose a file that is not empty")
    if len(raw) > LONGEST_FILE:
        raise OrderRefused(
            f"文件太大，最多 {LONGEST_FILE // 1000} KB", f"the file is larger than {LONGEST_FILE // 1000} KB"
        )
    if raw.startswith(_WORKBOOKS):
        raise OrderRefused(
            "这是 Excel 工作簿。请在 Excel 里选“另存为”，类型选“CSV UTF-8”，再导入",
            "this is an Excel workbook: save it as “CSV UTF-8” and import that",
        )
    encodings = ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise OrderRefused(
        "文件的编码看不懂。请用 Excel 另存为“CSV UTF-8”", "unknown encoding: save the file as “CSV UTF-8”"
    )


def _check_headings(keys: list[str], columns: Sequence[Column], needed: str) -> None:
    named = next(one for one in columns if one.key == needed)
    if needed not in keys:
        raise OrderRefused(
            f"第一行应为标题，其中要有“{named.zh}”。可先导出一份，照它的样子填",
            f"the first line must hold headings, among them “{named.en}”. Export a list and fill that in",
        )
    for one in columns:
        if keys.count(one.key) > 1:
            raise OrderRefused(f"标题“{one.zh}”出现了两次", f"the heading “{one.en}” stands there twice")


def _entry(line: int, cells: list[str], keys: list[str]) -> Entry:
    extra = [cell for cell in cells[len(keys) :] if cell.strip()]
    wrong = None
    if extra:
        wrong = (
            f"比标题多了 {len(extra)} 格，可能少了引号",
            f"{len(extra)} cells more than headings: a quotation mark may be missing",
        )
    words = {key: _plain(cell) for key, cell in zip(keys, cells, strict=False) if key}
    return Entry(line, words, wrong)


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _plain(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
