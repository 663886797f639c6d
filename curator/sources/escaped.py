"""Undo HTML in listed addresses: a list copied out of a page's source says ``&amp;`` where a browser requests ``&``.

A list is decided about as a whole, by counting: it is escaped if more of its addresses have their ``&`` only in that
form than have it as it is. An address of it that has a bare ``&`` was not escaped, and stays as it is.

>>> from curator.events import ignore
>>> listed = pa.chunked_array([["http://e.org/?a=1&amp;b=2", "http://e.org/?a=3&#38;b=4", "http://e.org/?a=5&b=&amp;"]])
>>> unescaped(listed, "list.csv", ignore).to_pylist()
['http://e.org/?a=1&b=2', 'http://e.org/?a=3&b=4', 'http://e.org/?a=5&b=&amp;']
"""

from __future__ import annotations

import html
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from curator.decide.row_places import mark
from curator.events import Listener, Noted
from curator.sources.large_columns import changed
from curator.store.spilled import pieces
from curator.text import plural

_AMPERSAND = r"(?i)&(?:amp|#0*38|#x0*26);"
_REFERENCE = r"(?i)&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#x[0-9a-f]{1,6});"


class Ampersands(NamedTuple):
    """How many addresses have an ``&``, and how many of them have it only escaped, or also as it is."""

    n: int = 0
    n_escaped: int = 0
    n_bare: int = 0

    def plus(self, others: Ampersands) -> Ampersands:
        """Count those of other addresses too."""
        return Ampersands(*map(sum, zip(self, others, strict=True)))


def count_ampersands(addresses: pa.ChunkedArray) -> Ampersands:
    """Count what is said of the addresses of a list."""
    return _look(addresses.filter(pc.match_substring(addresses, "&")))[0]


def _look(having: pa.ChunkedArray) -> tuple[Ampersands, pa.ChunkedArray]:
    """Count addresses with an ``&``, and return which are escaped."""
    is_bare = pc.match_substring(pc.replace_substring_regex(having, _REFERENCE, ""), "&")
    is_escaped = pc.and_(pc.match_substring_regex(having, _AMPERSAND), pc.invert(is_bare))
    return Ampersands(len(having), *(pc.sum(one).as_py() or 0 for one in (is_escaped, is_bare))), is_escaped


NO_AMPERSANDS = Ampersands()


def unescaped(
    addresses: pa.ChunkedArray, name: str, emit: Listener, others: Ampersands = NO_AMPERSANDS
) -> pa.ChunkedArray:
    """Return addresses as a browser would request them, and tell how many that changes.

    Args:
        name: the list's.
        others: those of its rows that are left out already.
    """
    counted = others
    for piece in pieces(pa.table({"address": addresses})):
        counted = counted.plus(count_ampersands(piece["address"]))
    if counted.n_escaped <= counted.n_bare:
        return addresses
    those = f"{counted.n_escaped:,} of {plural(counted.n, 'address', 'addresses')} with an & in"
    them = "it has it" if counted.n == 1 else "them have it"
    what = f"{those} {them} as in the source of a web page (&amp;)"
    emit(Noted(f"{name}: {what}; they are requested with &, as a browser would"))
    return changed(addresses, _unescaped)


def _unescaped(addresses: pa.ChunkedArray) -> pa.ChunkedArray:
    holding = number_rows(pc.match_substring(addresses, "&"))
    rows = holding.take(number_rows(_look(addresses.take(holding))[1]))
    clean = pa.array([html.unescape(text) for text in addresses.take(rows).to_pylist()], addresses.type)
    return pc.replace_with_mask(addresses, pa.array(mark(rows.to_numpy(), len(addresses))), clean)


def number_rows(mask: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Number the rows at which an Arrow mask holds (null does not); pyarrow 18 itself crashes at one without chunks.

    >>> number_rows(pa.chunked_array([[False, True], [None, True]])).to_pylist()
    [1, 3]
    >>> number_rows(pa.chunked_array([], pa.bool_())).to_pylist()
    []
    """
    return pc.indices_nonzero(mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask)
