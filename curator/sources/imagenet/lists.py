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
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from curator.errors import SourceError

WNID = re.compile(r"n\d{8}")
_NUMBERED = re.compile(rb"(n\d{8}_\d+)(?:\t| +)(.*)", re.DOTALL)
_URL = re.compile(rb"(?i)[a-z][a-z0-9+.-]*://\S.*", re.DOTALL)
_UNSENDABLE = re.compile(rb"[^\x21-\x7e]")


@dataclass
class SynsetList:
    """The lines of one synset: ``source_ids`` (or None) and ``urls``, in the list's order; garbage is only counted."""

    source_ids: list[str | None] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    n_garbage: int = 0

    def add(self, line: bytes, wnid: str) -> None:
        """Take one line, or count it as garbage if it holds no URL or another synset's; blank lines are nothing."""
        if not line.strip():
            return
        parsed = parse_line(line)
        if parsed is None or (parsed[0] is not None and not parsed[0].startswith(f"{wnid}_")):
            self.n_garbage += 1
            return
        self.source_ids.append(parsed[0])
        self.urls.append(parsed[1])


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
    for line in _lines(stream):
        found.add(line, wnid)
    if not found.urls:
        raise SourceError(f"answered with no URL ({found.n_garbage} other lines)" if found.n_garbage else "is empty")
    return found


def read_whole_list(stream: io.BufferedReader, wnids: Collection[str]) -> tuple[dict[str, SynsetList], set[str]]:
    """Read the lines of these synsets out of a list of all, in one pass and constant memory.

    Returns:
        The lists of the synsets that are there, and the names of all synsets that the list holds.

    Raises:
        SourceError: no line of it names a synset.
    """
    wanted = {wnid.encode("ascii"): SynsetList() for wnid in wnids}
    seen: set[bytes] = set()
    last, current = b"", None
    for line in _lines(stream):
        start = line[:9]  # the length of n00478262
        if start != last:
            last, current = start, wanted.get(start)
            seen.add(start)
        if current is not None:
            current.add(line, start.decode("ascii"))
    known = {text for start in seen if WNID.fullmatch(text := start.decode("latin-1"))}
    if not known:
        raise SourceError("has no line that names a synset (n00478262_123 and a URL)")
    return {start.decode("ascii"): found for start, found in wanted.items() if found.urls}, known


def _lines(stream: io.BufferedReader) -> Iterator[bytes]:
    return iter(lambda: stream.readline(1 << 16), b"")
