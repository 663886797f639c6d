r"""Tell what form a list has by its first bytes; its name decides only where they leave it open.

>>> list_form("list.txt", b'[{"url": "http://example.org/a.jpg"}]'), list_form("list.csv", b"url\tlabel\n")
('json', 'tsv')
>>> list_form("list", b"http://example.org/a,b.jpg\n"), list_form("list.tsv", b"label;URL\nrugby;http://e.org/a.jpg")
('lines', 'ssv')
>>> list_form("urls.csv", b"PK\x03\x04...xl/workbook.xml"), list_form("list.tsv", b"identifier;species")
('xlsx', 'ssv')
>>> list_form("urls.xls", b"\xd0\xcf\x11\xe0...")
Traceback (most recent call last):
curator.errors.SourceError: is a workbook of Excel 2003 Save it as .xlsx, or its sheet as "CSV UTF-8", ...
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from curator.errors import SourceError
from curator.sources.budget import budget
from curator.sources.reading.records import Shape
from curator.sources.url_list.columns import ADDRESS, folded, is_known

DELIMITERS = {"tsv": "\t", "csv": ",", "ssv": ";", "psv": "|"}
"""The sign between the fields of each form of table; ``ssv`` has semicolons, ``psv`` vertical bars."""

_ENDINGS = {f".{form}": form for form in (*DELIMITERS, "jsonl")} | {".tab": "tsv", ".ndjson": "jsonl"}
_ADDRESS = re.compile(ADDRESS.encode())
_HEAD_BYTES, _HEAD_LINES = 1 << 20, 1000
_JSON_START = re.compile(rb'\s*(?:\{\s*(?:["}]|$)|\[\s*(?:[\[{"\]]|$|(?:-?[0-9][0-9.eE+-]*|true|false|null)\s*[,\]]))')
_OLD_WORKBOOK = (
    "a workbook of Excel 2003",
    'Save it as .xlsx, or its sheet as "CSV UTF-8", and name that file in the recipe.',
)
_PACKED = "Unpack it, or pack it with gzip, and name that file in the recipe."
_PICTURE = 'Name a list of addresses in the recipe; a folder of images is kind = "folder".'
_NO_LISTS = (
    (b"\xd0\xcf\x11\xe0", *_OLD_WORKBOOK),
    (b"PK\x03\x04", "a ZIP archive", _PACKED),
    (b"BZh", "packed with bzip2", _PACKED),
    (b"\xfd7zXZ", "packed with xz", _PACKED),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", _PACKED),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _PACKED),
    (b"Rar!", "a RAR archive", _PACKED),
    (b"ARROW1", "an Arrow (Feather) file", "Write it as Parquet or CSV."),
    (b"Obj\x01", "an Avro file", "Write it as Parquet or CSV."),
    (b"SQLite format 3", "an SQLite database", "Write the table as CSV."),
    (b"%PDF", "a PDF", "Write the table in it as CSV."),
    (b"\xff\xd8\xff", "a picture (JPEG)", _PICTURE),
    (b"\x89PNG", "a picture (PNG)", _PICTURE),
    (b"GIF8", "a picture (GIF)", _PICTURE),
)
"""What files begin with that are no lists, what they are, and what to do."""


def list_form(name: str, head: bytes) -> str:
    """Return a list's form: one of :data:`DELIMITERS`, ``jsonl``, ``json``, ``parquet``, ``xlsx`` or ``lines``.

    Args:
        name: its file name.
        head: its first bytes, without a byte order mark; the more, the better.

    Raises:
        SourceError: it is something else; says what, and what to do.
    """
    head = head[:_HEAD_BYTES]
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04") and (b"xl/" in head or b"[Content_Types].xml" in head):
        return "xlsx"
    _refuse_what_is_no_list(head)
    if _JSON_START.match(head):
        return "jsonl" if _is_by_line(head) else "json"
    lines = list(head_lines(head))
    first = lines[0] if lines else b""
    budget().columns(max(first.count(sign.encode()) for sign in DELIMITERS.values()) + 1)
    for form, sign in DELIMITERS.items():
        if not is_address(first) and any(map(is_known, header_names(first, sign))):
            return form
    ending = _ENDINGS.get(PurePosixPath(name.lower().removesuffix(".gz")).suffix, "")
    n_addresses = sum(map(is_address, lines))
    if form := _table_form(lines):
        return form
    if ending in DELIMITERS and not (first and n_addresses == len(lines)):
        return ending
    if not first or 2 * n_addresses > len(lines):
        _refuse_rows_without_header(lines[:20])
        return "lines"
    raise SourceError(f"begins with {shown(first)}, which is no address and no header of a table", _EXPECTED)


_EXPECTED = (
    "A list is a table whose header names `url` and `label` (CSV, TSV, Parquet, Excel), JSON of such objects, or one "
    "address a line, such as http://example.org/1.jpg."
)


def no_header(first: bytes, delimiter: str) -> SourceError:
    """Say that a table begins with a row, and which line to add: the address and the first other text are known.

    >>> print(no_header(b"rugby,http://e.org/1.jpg,3", ","))
    has no header: it begins with 'rugby,http://e.org/1.jpg,3' Write `label,url,column 3` as its first line.
    """
    fields = Shape(n_fields=0, delimiter=delimiter.encode()).fields_of_line(first)
    address = next((number for number, field in enumerate(fields) if is_address(field)), 0)
    label = next((number for number in range(len(fields)) if number != address), -1)
    known = {address: "url", label: "label"}
    header = delimiter.join(known.get(number, f"column {number + 1}") for number in range(len(fields)))
    hint = f"Write `{header}` as its first line.".replace("\t", "<tab>")
    return SourceError(f"has no header: it begins with {shown(first)}", hint)


def _refuse_rows_without_header(lines: list[bytes]) -> None:
    """Refuse lines that each are an address and the same number of short texts, which no address goes on with."""
    for sign in (",", ";", "|"):
        rows = [Shape(n_fields=0, delimiter=sign.encode()).fields_of_line(line) for line in lines]
        if len({len(row) for row in rows}) > 1 or len(rows[:1] and rows[0]) < 2:
            continue
        if not any(_OF_ADDRESS.search(field) for row in rows for field in row[1:]):
            raise no_header(lines[0], sign)


_OF_ADDRESS = re.compile(rb"[./=&?%:#]")


def head_lines(head: bytes) -> Iterator[bytes]:
    """Yield the first lines that are whole, or the only one; without blank ones, comments, and Excel's ``sep=``."""
    lines = head.splitlines(keepends=True)
    for line in lines[: min(_HEAD_LINES, max(len(lines) - (len(head) >= _HEAD_BYTES), 1))]:
        if line.strip() and not is_remark(line):
            yield line.rstrip(b"\r\n")


def is_address(text: bytes) -> bool:
    """Return whether a text begins as an address does.

    >>> is_address(b'"http://example.org/"'), is_address(b"example.org")
    (True, False)
    """
    return bool(_ADDRESS.match(text.strip(b'" ')))


def is_remark(line: bytes) -> bool:
    """Return whether a line says something about the list, and is no row of it."""
    return line.startswith(b"#") or bool(re.match(rb"(?i)sep=.?\s*$", line))


def header_names(line: bytes, delimiter: str) -> list[str]:
    """Split a header line into the names of columns, in lower case."""
    fields = Shape(n_fields=0, delimiter=delimiter.encode()).fields_of_line(line)
    return [folded(name.decode("utf-8", "replace")) for name in fields]


def has_quoted_fields(head: bytes, delimiter: str) -> bool:
    r"""Return whether a table says itself that its fields are quoted as in CSV.

    A name of its header is, or most of its addresses are, since none begins with a quote; or a field that begins and
    ends with a quote has doubled ones within, and none has others.

    >>> has_quoted_fields(b'title\n"a ""good"" one"\n', "\t"), has_quoted_fields(b'title\n"Big" game\n', "\t")
    (True, False)
    >>> has_quoted_fields(b'title\turl\n"Big\tgame"\t"http://e.org/1"\n', "\t")
    True
    """
    sign, has_doubled = delimiter.encode(), False
    lines = list(head_lines(head[:_HEAD_BYTES]))
    starts = [re.compile(rb"(?:^|%s)%s%s" % (re.escape(sign), quote, ADDRESS.encode())) for quote in (b'"', b"")]
    n_quoted, n_bare = (sum(bool(start.search(line)) for line in lines) for start in starts)
    if n_quoted > n_bare:
        return True
    for number, line in enumerate(lines):
        *fields, last = line.split(sign) if b'"' in line else [b""]
        for field in [*fields, *([last] if last.count(b'"') % 2 == 0 else [])]:  # the last may run over the line's end
            if not field.startswith(b'"'):
                continue
            if not re.fullmatch(rb'"(?:[^"]++|"")*+"', field):
                return False
            if number == 0:
                return True
            has_doubled = has_doubled or b'""' in field[1:-1]
    return has_doubled


def shown(line: bytes) -> str:
    """Show the beginning of a line to a person."""
    return repr(line[:60].decode("utf-8", "replace"))


def _refuse_what_is_no_list(head: bytes) -> None:
    for magic, what, hint in _NO_LISTS:
        if head.startswith(magic):
            raise SourceError(f"is {what}", hint)
    if head.count(b"\0") * 4 > len(head):
        hint = (
            'Write its encoding beside its path in the recipe, such as `encoding = "utf-16-le"`, or save it as UTF-8.'
        )
        raise SourceError("is text in UTF-16, or no text at all", hint)


def _is_by_line(head: bytes) -> bool:
    """Return whether each of several lines of JSON is an object of its own, broken ones among them."""
    lines = [line.strip() for line in head.splitlines() if line.strip()]
    if not lines[0].startswith(b"{") or len(lines[0]) == 1 or len(lines) == 1:
        return False
    try:
        json.loads(lines[0])
    except (ValueError, RecursionError):
        return lines[1].startswith(b"{")
    return True


def _table_form(lines: list[bytes]) -> str:
    """Find the sign that divides each of the first lines alike; if they begin with an address only a tab may."""
    for form, sign in DELIMITERS.items():
        if lines and is_address(lines[0]) and sign != "\t":
            continue
        shape = Shape(n_fields=0, delimiter=sign.encode())
        n_fields = [len(shape.fields_of_line(line)) for line in lines[:20]]
        usual = max({*n_fields}, key=n_fields.count, default=0)
        is_titled = n_fields[:1] == [1] and not any(map(is_address, lines[:2]))
        if usual > 1 and 2 * n_fields.count(usual) > len(n_fields) and (n_fields[0] == usual or is_titled):
            return form
    return ""
