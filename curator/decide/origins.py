"""Who made an image and which photo page shows it, as texts that are equal where author or page are.

>>> rows = {"author_url": ["https://www.flickr.com/people/ann/"], "author": ["Ann"], "source": ["x"]}
>>> urls = {"landing_url": [None], "url": ["http://farm4.static.flickr.com/3123/2345_abc.jpg"]}
>>> table = pd.DataFrame(rows | urls | {"fallback_url": [None], "final_url": [None]}, dtype=pd.ArrowDtype(pa.string()))
>>> identify_authors(table).to_pylist(), identify_pages(table).to_pylist()
(['flickr.com/people/ann'], ['Flickr photo 2345'])
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import as_arrow

UNKNOWN_AUTHORS = ("", "-", "?", "anonymous", "n/a", "none", "null", "unknown", "unknown author")
"""What stands in an author's place where nobody is known, in lower case."""

_PHOTO = r"flickr\.com/(?:photos/[^/]+/|(?:[0-9]+/)+)(?P<photo>[0-9]+)(?:[_/?#.]|$)"
_PAGE_COLUMNS = ("landing_url", "url", "fallback_url", "final_url")


ORIGIN_COLUMNS = ("author_url", "author", "source", *_PAGE_COLUMNS)
"""The columns that the functions below read."""


def identify_authors(table: pd.DataFrame) -> pa.Array:
    """Name each row's author: the author's page where there is one, else the author's name and the source; or null.

    An address is taken without scheme, ``www.``, case and a last slash. A name that means nobody is nobody.
    """
    address = pc.utf8_lower(pc.utf8_trim_whitespace(as_arrow(table["author_url"], pa.string())))
    address = pc.replace_substring_regex(address, r"^(?:https?://)?(?:www\.)?|/+$", "")
    author = pc.utf8_trim_whitespace(as_arrow(table["author"], pa.string()))
    nobody = pc.is_in(pc.utf8_lower(author), pa.array(UNKNOWN_AUTHORS))
    author = pc.if_else(nobody, pa.scalar(None, pa.string()), author)
    named = pc.binary_join_element_wise(author, " of ", as_arrow(table["source"], pa.string()), "")
    return pc.coalesce(_without_empty(address), named)


def identify_pages(table: pd.DataFrame) -> pa.Array:
    """Name the Flickr photo of each row, from its page or from the photo's number in an image address; or null."""
    photos = []
    for name in _PAGE_COLUMNS:
        found = pc.extract_regex(as_arrow(table[name], pa.string()), _PHOTO)
        photos.append(pc.struct_field(found, "photo"))
    return pc.binary_join_element_wise("Flickr photo ", pc.coalesce(*photos), "")


def _without_empty(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
