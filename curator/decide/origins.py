"""Who made an image and which photo page shows it, as texts that are equal if author or page are.

>>> import pandas as pd
>>> rows = {"author_url": ["https://www.flickr.com/people/ann/"], "author": ["Ann"], "source": ["x"]}
>>> urls = {"landing_url": [None], "url": ["http://farm4.static.flickr.com/3123/2345_abc.jpg"]}
>>> table = pd.DataFrame(rows | urls | {"fallback_url": [None], "final_url": [None]}, dtype=pd.ArrowDtype(pa.string()))
>>> identify_authors(table).to_pylist(), identify_pages(table).to_pylist()
(['flickr.com/people/ann'], ['Flickr photo 2345'])

Groups that hold a large part of a label are named by it, so that a person can judge them:

>>> images = pd.DataFrame({"record_id": ["x-1", "x-2"]} | {name: None for name in ORIGIN_COLUMNS})
>>> describe_large_groups(images, np.array([0, 0]), ("a",), first=np.array([0, 0]))
('2 images (100.0% of a) stay on one side: x-1 and what is linked to it',)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.catalog import IntArray, as_arrow
from curator.decide.picture_columns import Columns, take_facts
from curator.text import plural

UNKNOWN_AUTHORS = ("", "-", "?", "anonymous", "n/a", "none", "null", "unknown", "unknown author")
"""What is written instead of an author if nobody is known, in lower case."""
LARGE_SHARE = 0.01
"""Share of a label above which a group is named."""
MOST_NAMED = 10

_PHOTO = r"flickr\.com/(?:photos/[^/]+/|(?:[0-9]+/)+)(?P<photo>[0-9]+)(?:[_/?#.]|$)"
PAGE_COLUMNS = ("landing_url", "url", "fallback_url", "final_url")
"""The columns that :func:`identify_pages` reads."""

ORIGIN_COLUMNS = ("author_url", "author", "source", "listed_group", *PAGE_COLUMNS)
"""The columns that the functions below read."""


def identify_authors(table: Columns) -> pa.Array:
    """Name each row's author: the author's page if there is one, else the author's name and the source; or null.

    An address is taken without scheme, ``www.``, case and a last slash. A name that means nobody is nobody.
    """
    address = pc.utf8_lower(pc.utf8_trim_whitespace(as_arrow(table["author_url"], pa.string())))
    address = pc.replace_substring_regex(address, r"^(?:https?://)?(?:www\.)?|/+$", "")
    author = pc.utf8_trim_whitespace(as_arrow(table["author"], pa.string()))
    nobody = pc.is_in(pc.utf8_lower(author), pa.array(UNKNOWN_AUTHORS))
    author = pc.if_else(nobody, pa.scalar(None, pa.string()), author)
    named = pc.binary_join_element_wise(author, " of ", as_arrow(table["source"], pa.string()), "")
    return pc.coalesce(pc.if_else(pc.equal(address, ""), pa.scalar(None, pa.string()), address), named)


def identify_pages(table: Columns) -> pa.Array:
    """Name the Flickr photo of each row, from its page or from the photo's number in an image address; or null."""
    photos = pa.nulls(len(table), pa.string())
    for name in PAGE_COLUMNS:
        if not photos.null_count:
            break
        lacking = photos.is_null()  # a pattern takes a microsecond: few rows need a second column
        found = pc.extract_regex(as_arrow(table[name], pa.string()).filter(lacking), _PHOTO)
        photos = pc.replace_with_mask(photos, lacking, pc.struct_field(found, "photo"))
    return pc.binary_join_element_wise("Flickr photo ", photos, "")


def identify_groups(table: Columns) -> pa.Array:
    """Name the group that each row's source says it belongs to, such as a patient or a video; or null."""
    texts = (as_arrow(table[name], pa.string()) for name in ("listed_group", "source"))
    return pc.binary_join_element_wise(*texts, " of ")


def describe_large_groups(images: Columns, label: IntArray, labels: Sequence[str], first: IntArray) -> tuple[str, ...]:
    """Describe each group of at least two images that holds more than 1% of a label, the largest shares first.

    Args:
        images: the kept rows of a catalog.
        label: shape (images,): each image's label, as a place in ``labels``.
        labels: the names of the labels.
        first: shape (images,): the row that names each image's group.
    """
    pairs, counts = np.unique(first * len(labels) + label, return_counts=True)
    share = counts / np.bincount(label, minlength=len(labels))[pairs % len(labels)]
    large = np.flatnonzero((share > LARGE_SHARE) & (counts > 1))
    names = images["record_id"].iloc[pairs[large] // len(labels)].to_numpy(object)
    order = large[np.lexsort((names, -share[large]))]
    groups = {int(pair): int(pairs[pair] // len(labels)) for pair in order[:MOST_NAMED]}
    named = sorted(set(groups.values()))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        members = (take_facts(images, np.flatnonzero(first == group)) for group in named)
        name_of = dict(zip(named, threads.map(_name, members), strict=True))
    lines = [
        f"{counts[pair]} images ({share[pair]:.1%} of {labels[pairs[pair] % len(labels)]}) stay on one side: "
        + name_of[group]
        for pair, group in groups.items()
    ]
    if len(order) > MOST_NAMED:
        lines.append(f"and {plural(len(order) - MOST_NAMED, 'more group')} of over {LARGE_SHARE:.0%} of a label")
    return tuple(lines)


def _name(members: Columns) -> str:
    """Name what most members share: a group, else an author, else a page, else the first of them."""
    shared = [
        _most_common(identify_groups(members), "group "),
        _most_common(identify_authors(members), "author "),
        _most_common(identify_pages(members), ""),
    ]
    count, name = max(shared, key=lambda found: found[0])
    if count > 1:
        return name if count == len(members) else f"{name} ({count} of {len(members)}) and what is linked to it"
    return f"{members['record_id'].min()} and what is linked to it"


def _most_common(values: pa.Array, prefix: str) -> tuple[int, str]:
    counted = pc.value_counts(values.drop_null())
    if not len(counted):
        return 0, prefix
    value, count = pc.struct_field(counted, "values"), pc.struct_field(counted, "counts")
    most = pc.max(count)
    first = pc.min(value.filter(pc.equal(count, most)))
    return most.as_py(), f"{prefix}{first.as_py()}"
