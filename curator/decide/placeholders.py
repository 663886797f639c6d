"""Suspect placeholders: what a host serves alike at three or more unrelated addresses is a notice, not photos.

>>> urls = [f"http://farm{n}.static.flickr.com/12/{n}456_ab.jpg" for n in range(3)]
>>> listed = {"record_id": ["x-1", "x-2", "x-3"], "label": "a", "source": "x", "kind": "x", "tier": 0, "url": urls}
>>> table = catalog.conform(pd.DataFrame(listed | {"sha256": "f" * 64}))
>>> drop_suspected_placeholders(table)["drop_detail"].tolist()[:1]
['same bytes as 3 unrelated addresses of flickr.com']
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.addresses import host_families, parse_addresses
from curator.catalog import BoolArray, Drop, IntArray, Stage, as_arrow, number_values
from curator.decide.origins import PAGE_COLUMNS, identify_pages
from curator.decide.representatives import find_leaders
from curator.decide.row_places import drop_rows
from curator.matching.components import label_components, link_equal

LEAST_ADDRESSES = 3
"""So many unrelated addresses of one host family answer alike: more than one photo ever has."""

LOW_DETAIL = 24.0
"""Below it, equal 64-bit hashes are enough: 'photo unavailable' drawings have 1 to 23, 97% of 500 web photos more."""

_COLUMNS = ("kind", "source_id", "from_fallback", *PAGE_COLUMNS)
_NAME = r"(?P<name>[^/]+/?)$"


def drop_suspected_placeholders(table: pd.DataFrame, is_protected: BoolArray | None = None) -> pd.DataFrame:
    """Drop every kept image that looks like a placeholder; none of its company is kept.

    Images are alike if their bytes are the same, or if their 64-bit hashes are and their ``detail`` is under
    :data:`LOW_DETAIL`. They are suspected if :data:`LEAST_ADDRESSES` or more of them come from unrelated addresses of
    one host family (:mod:`curator.addresses`); then all that are alike go, wherever they are from.

    Two addresses are related if they are the same photo listed twice: the same address, file name, Flickr photo, or
    id at the source. A file name with which the family serves other bytes too says nothing.

    Args:
        table: a catalog.
        is_protected: shape (rows,): rows that a person wants. What is like one of them is no placeholder.
    """
    kept = catalog.is_kept(table)
    protected = np.zeros(len(table), bool) if is_protected is None else is_protected
    is_plain = pc.less(as_arrow(table["detail"], pa.float32()), LOW_DETAIL)
    plain = pc.if_else(is_plain, as_arrow(table["phash"], pa.uint64()), pa.scalar(None, pa.uint64()))
    content = np.where(kept, number_values(table["sha256"]), -1)
    by_picture = np.where(kept, number_values(plain), -1)
    for alike, word in ((content, "bytes"), (by_picture, "picture of low detail")):
        rows, details = _suspect(table, content, alike, protected, word)
        if len(rows):
            table = drop_rows(table, rows, Stage.DEDUPED, Drop.PLACEHOLDER_SUSPECTED, details)
    return table


def _suspect(
    table: pd.DataFrame, content: IntArray, alike: IntArray, protected: BoolArray, word: str
) -> tuple[npt.NDArray[np.intp], pa.Array]:
    """Find the rows of suspected groups, and the evidence of each."""
    counts = np.bincount(alike[alike >= 0], minlength=1)
    counts[alike[protected & (alike >= 0)]] = 0
    several = np.flatnonzero((counts >= LEAST_ADDRESSES)[alike] & (alike >= 0))
    if not len(several):
        return several, pa.array([], pa.string())
    members = table[[*_COLUMNS]].iloc[several]
    address = _answered_address(members)
    family = host_families(parse_addresses(address).host)
    groups = _number_pairs(alike[several], number_values(family))  # one number for what a family serves alike
    pictures = np.where(alike >= 0, alike, np.where(content >= 0, len(counts) + content, -1))
    names = _telling_names(_answered_address(table), pictures, address, family)
    n_unrelated = _count_unrelated(members, address, names, groups)
    largest = find_leaders(alike[several], -n_unrelated)
    suspected = n_unrelated[largest] >= LEAST_ADDRESSES
    company = largest[suspected]
    number, host = pa.array(n_unrelated[company]).cast(pa.string()), family.take(pa.array(company))
    texts = pc.binary_join_element_wise(f"same {word} as ", number, " unrelated addresses of ", host, "")
    return several[suspected], texts


def _answered_address(images: pd.DataFrame) -> pa.Array:
    """Return each listed address that was answered, wherever it redirected: the fallback if the first is gone."""
    url = as_arrow(images["url"], pa.string())
    fell_back = pc.fill_null(as_arrow(images["from_fallback"], pa.bool_()), False)
    if not pc.any(fell_back).as_py():
        return url
    return pc.if_else(fell_back, as_arrow(images["fallback_url"], pa.string()), url)


def _number_pairs(*columns: npt.NDArray[Any]) -> IntArray:
    """Number the distinct combinations of columns of numbers; -1 if any of them is -1."""
    known = np.logical_and.reduce([column >= 0 for column in columns])
    numbers = np.full(len(columns[0]), -1, np.int64)
    numbers[known] = np.unique(np.stack(columns)[:, known], axis=1, return_inverse=True)[1].ravel()
    return numbers


def _count_unrelated(members: pd.DataFrame, address: pa.Array, names: pa.Array, groups: IntArray) -> IntArray:
    """Count the unrelated addresses of each image's group; related ones, directly or by others, count once."""
    kind, source_id = (as_arrow(members[name], pa.string()) for name in ("kind", "source_id"))
    ids = pc.binary_join_element_wise(kind, source_id, " ")
    columns = (address, names, identify_pages(members), ids)
    links = [link_equal(_number_pairs(groups, number_values(column))) for column in columns]
    i, j = (np.concatenate(ends) for ends in zip(*links, strict=True))
    photos = label_components(len(groups), i, j)
    known = groups >= 0
    pairs = np.unique(np.stack([groups[known], photos[known]]), axis=1)
    counts = np.bincount(pairs[0], minlength=1)
    return np.where(known, counts[groups], 0)


def _telling_names(answered: pa.Array, pictures: IntArray, address: pa.Array, family: pa.Array) -> pa.Array:
    """Return each address's file name, with its query; null if its family serves another picture by that name too."""
    names, everywhere = _file_names(address), _file_names(answered)
    named = pc.is_in(everywhere, names.drop_null()).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(named & (pictures >= 0))
    at = pa.array(rows)
    hosts = host_families(parse_addresses(answered.take(at)).host)
    served = pa.table({"name": _join(hosts, everywhere.take(at)), "picture": pictures[rows]})
    counts = served.group_by("name").aggregate([("picture", "count_distinct")])
    common = counts["name"].filter(pc.greater(counts["picture_count_distinct"], 1)).combine_chunks()
    return pc.if_else(pc.is_in(_join(family, names), common), pa.scalar(None, pa.string()), names)


def _join(families: pa.Array, names: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(families, as_arrow(names, pa.string()), "/")


def _file_names(addresses: pa.Array) -> pa.Array:
    return pc.struct_field(pc.extract_regex(addresses, _NAME), "name")
