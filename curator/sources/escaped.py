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

import pyarrow as pa
import pyarrow.compute as pc

from curator.events import Listener, Noted
from curator.text import plural

_AMPERSAND = r"(?i)&(?:amp|#0*38|#x0*26);"
_REFERENCE = r"(?i)&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#x[0-9a-f]{1,6});"


def unescaped(addresses: pa.ChunkedArray, name: str, emit: Listener) -> pa.ChunkedArray:
    """Return addresses as a browser would request them, and tell how many that changes; ``name`` is the list's."""
    holding = number_rows(pc.match_substring(addresses, "&"))
    if not len(holding):
        return addresses
    having = addresses.take(holding)
    is_bare = pc.match_substring(pc.replace_substring_regex(having, _REFERENCE, ""), "&")
    is_escaped = pc.and_(pc.match_substring_regex(having, _AMPERSAND), pc.invert(is_bare))
    n_escaped, n_bare = (pc.sum(one).as_py() or 0 for one in (is_escaped, is_bare))
    if n_escaped <= n_bare:
        return addresses
    rows = holding.take(number_rows(is_escaped))
    clean = pa.array([html.unescape(text) for text in addresses.take(rows).to_pylist()], addresses.type)
    those = f"{n_escaped:,} of {plural(len(having), 'address', 'addresses')} with an & in"
    them = "it has it" if len(having) == 1 else "them have it"
    what = f"{those} {them} as in the source of a web page (&amp;)"
    emit(Noted(f"{name}: {what}; they are requested with &, as a browser would"))
    return pc.replace_with_mask(addresses, _mask(len(addresses), rows), clean)


def _mask(n: int, rows: pa.Array) -> pa.Array:
    return pc.is_in(pa.array(range(n), pa.int64()), value_set=rows.cast(pa.int64()))


def number_rows(mask: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Number the rows at which an Arrow mask holds (null does not); pyarrow 18 itself crashes at one without chunks.

    >>> number_rows(pa.chunked_array([[False, True], [None, True]])).to_pylist()
    [1, 3]
    >>> number_rows(pa.chunked_array([], pa.bool_())).to_pylist()
    []
    """
    return pc.indices_nonzero(mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask)
