r"""Read the three forms of ImageNet URL lists, line by line, as bytes: nothing is assumed about their encoding.

The forms: ``geturls`` (one URL a line), ``geturls.getmapping`` (``n00478262_123 http://…``) and ``fall11_urls.txt``
(``n00478262_123<TAB>http://…``, every synset, white space and Latin-1 bytes in some URLs).

>>> parse_line(b"n00478262_123\thttp://example.org/a b.jpg\r\n")
('n00478262_123', 'http://example.org/a%20b.jpg')
>>> parse_line(b"http://example.org/caf\xe9%20.jpg\n")
(None, 'http://example.org/caf%E9%20.jpg')
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from curator.errors import SourceError
from curator.sources.budget import budget
from curator.sources.reading.blocks import LineBlocks, numbered_lines
from curator.sources.reading.tally import TOO_LONG, Tally
from curator.store.spilled import ROWS_A_PART, Spilled

WNID = re.compile(r"n\d{8}")
_SYNSET = re.compile(rb"n\d{8}")
_NUMBERED = re.compile(rb"(n\d{8}_\d+)(?:\t| +)(.*)", re.DOTALL)
_URL = re.compile(rb"(?i)[a-z][a-z0-9+.-]*://\S.*", re.DOTALL)
_UNSENDABLE = re.compile(rb"[^\x21-\x7e]")


NO_URL = "with no URL"
OTHER_SYNSET = "of another synset"
NO_SYNSET = "that name no synset"


@dataclass
class SynsetList:
    """The lines of one synset, in the list's order; others are only counted."""

    tally: Tally = field(default_factory=Tally)
    n_urls: int = 0
    _rows: Spilled = field(default_factory=lambda: budget().spilled())
    _last: list[tuple[str | None, str]] = field(default_factory=list)

    def add(self, number: int, line: bytes, wnid: str) -> None:
        """Take a line, or refuse it if it holds no URL or another synset's; blank lines are nothing."""
        if not line.strip():
            return
        self.tally.n_rows += 1
        if (parsed := parse_line(line)) is None:
            self.tally.refuse(NO_URL, number)
        elif parsed[0] is not None and not parsed[0].startswith(f"{wnid}_"):
            self.tally.refuse(OTHER_SYNSET, number)
        else:
            self.n_urls += 1
            self._last.append(parsed)
            if len(self._last) == ROWS_A_PART:
                self._set_aside()

    def table(self) -> pa.Table:
        """Return the columns ``source_id`` (null where a line names none) and ``url``; no line can be added."""
        self._set_aside()
        return self._rows.whole()

    def _set_aside(self) -> None:
        ids, urls = zip(*self._last, strict=True) if self._last else ((), ())
        self._rows.add(pa.table({"source_id": pa.array(ids, pa.string()), "url": pa.array(urls, pa.string())}))
        self._last.clear()


def parse_line(line: bytes) -> tuple[str | None, str] | None:
    """Split one line into the image's id, if given, and its URL; None if it holds no URL.

    Only the first tab (or run of spaces) after an id splits: what follows is the URL, white space included. Bytes that
    a request cannot carry are percent-encoded as they are; what is encoded already is kept.
    """
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    numbered = _NUMBERED.fullmatch(text)
    source_id, url = (numbered[1].decode("ascii"), numbered[2].strip()) if numbered else (None, text)
    if not _URL.fullmatch(url):
        return None
    return source_id, _UNSENDABLE.sub(lambda found: b"%%%02X" % found[0][0], url).decode("ascii")


def read_synset_list(stream: io.BufferedReader, wnid: str) -> SynsetList:
    """Read a list of one synset.

    Raises:
        SourceError: it is empty, or holds no URL.
    """
    found = SynsetList()
    lines = LineBlocks(stream)
    for number, line in numbered_lines(lines):
        found.add(number, line, wnid)
    found.tally.add_refused(TOO_LONG, lines.too_long)
    if not found.n_urls:
        what = f"answered with no URL: {found.tally.in_words()}" if found.tally.n_refused else "is empty"
        raise SourceError(what)
    return found


class WholeList(NamedTuple):
    """What a list of all synsets holds: lists of those wanted, the names of all, and the lines that name none."""

    lists: dict[str, SynsetList]
    known: set[str]
    strays: Tally


def read_whole_list(stream: io.BufferedReader, wnids: Collection[str]) -> WholeList:
    """Read the lines of these synsets out of a list of all, in one pass and constant memory.

    Raises:
        SourceError: no line of it names a synset.
    """
    wanted = {wnid.encode("ascii"): SynsetList() for wnid in wnids}
    seen: dict[bytes, bool] = {}
    last, current, strays, lines, n_blank = b"", None, Tally(), LineBlocks(stream), 0
    for number, line in numbered_lines(lines):
        start = line[:9]  # the length of n00478262
        if start != last:
            last, current = start, wanted.get(start)
            if start not in seen:
                seen[start] = bool(_SYNSET.fullmatch(start))
        if current is not None:
            current.add(number, line, start.decode("ascii"))
        elif not seen[start] and line.strip():
            strays.refuse(NO_SYNSET, number)
        elif not seen[start]:
            n_blank += 1
    strays.n_rows = lines.line - 1 - n_blank
    strays.add_refused(TOO_LONG, lines.too_long)  # each is a blank line above
    known = {start.decode("ascii") for start, is_synset in seen.items() if is_synset}
    if not known:
        raise SourceError("has no line that names a synset (n00478262_123 and a URL)")
    return WholeList({start.decode("ascii"): found for start, found in wanted.items()}, known, strays)
