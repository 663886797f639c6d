"""What is still to be requested: the catalog's addresses less what the ledger knows. No network.

>>> import tempfile
>>> project = Project(Recipe("balls", ("a",), ()), DataPaths(Path(tempfile.mkdtemp()), Path(), "balls"))
>>> table = catalog.conform(pa.table({"url": ["http://h.example/1", "ftp://h.example/2"]}))
>>> with Ledger(project.paths.attempts) as ledger:
...     plan = make_plan(table, parse_rows(table), ledger, project, FetchOptions())
>>> plan.address(int(plan.requests[0])), plan.n_images, plan.n_settled
('http://h.example/1', 1, 0)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog as catalog
from curator.addresses import request_url, with_userinfo
from curator.fetch.ledger.ledger import Ledger
from curator.fetch.ledger.schema import FILE_SCHEME, OK, State
from curator.fetch.local_files import path_of_file, version_of_file
from curator.fetch.policy import is_eased
from curator.fetch.row_addresses import IntArray, RowAddresses
from curator.fetch.row_addresses import parse_rows as parse_rows
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe as Recipe
from curator.reasons import Drop
from curator.store.image_store import stored_prefixes
from curator.store.paths import DataPaths as DataPaths

BoolArray = npt.NDArray[np.bool_]

CHUNK_ROWS = 20_000
"""Addresses looked up at once."""

_AT_HAND = 4096
"""Addresses, and hosts, of which the texts are at hand: more than there are requests in flight."""

_OUTCOMES: tuple[str, ...] = (OK, *Drop)
_NUMBER_OF = {outcome: number for number, outcome in enumerate(_OUTCOMES)}


@dataclass(frozen=True)
class FetchOptions:
    """What the caller of one fetch chooses, beside the recipe.

    Attributes:
        retry: which failures to request again: ``failed`` those that may have passed, ``all`` all of them.
        host_limits: requests in flight for hosts that allow more than ``per_host``, or fewer.
        userinfo: who signs in, with which password (``user:password``), by address; recorded nowhere.
        redirects: whether they are followed; else an answer that redirects is a failure as any other status.
    """

    retry: Literal["none", "failed", "all"] = "none"
    host_limits: Mapping[str, int] = field(default_factory=dict)
    userinfo: Mapping[str, str] = field(default_factory=dict)
    redirects: bool = True


@dataclass(frozen=True)
class Plan:
    """Addresses by number, what was known of each at the start, and which are to be requested.

    Attributes:
        addresses: each distinct address once, the local files' as ``file:PATH``; Arrow strings.
        host_names: the hosts; Arrow strings.
        host_of: each address's host, -1 for a local file; int32, shape (addresses,).
        fallbacks: an address, and one to request if that is gone, each pair once, in order; int32, shape (2, pairs).
        tries: requests made so far that count; int32, shape (addresses,).
        settled: whether the ledger knows the outcome for good; bool, shape (addresses,).
        requests: what is to be requested over the network, in the catalog's order.
        files: which local files are to be read.
        stale: stored files to be observed again.
        pages: the page that shows each row's image, and ``page_rows`` the row of each address, int32, shape
            (addresses,); both None if the catalog names no page.
        n_images: distinct images, local files too; ``n_settled`` of them need nothing.
    """

    addresses: pa.Array
    host_names: pa.Array
    host_of: IntArray
    fallbacks: IntArray
    tries: IntArray
    settled: BoolArray
    requests: IntArray
    files: IntArray
    stale: list[Path]
    n_images: int
    n_settled: int
    options: FetchOptions
    pages: pa.Array | None = None
    page_rows: IntArray | None = None

    def has_work(self) -> bool:
        """Return whether anything is to be done."""
        return bool(len(self.requests) or len(self.files) or self.stale)

    @cached_property
    def address(self) -> Callable[[int], str]:
        """Returns an address by its number; those in flight are at hand, without a call of Arrow."""
        addresses = self.addresses
        return lru_cache(_AT_HAND)(lambda number: str(addresses[number].as_py()))

    @cached_property
    def host(self) -> Callable[[int], str]:
        """Returns the host of an address, likewise; nothing for a local file."""
        names, host_of = self.host_names, self.host_of
        name = lru_cache(_AT_HAND)(lambda place: str(names[place].as_py()) if place >= 0 else "")
        return lambda number: name(int(host_of[number]))

    def fallbacks_of(self, number: int) -> list[int]:
        """Return what to request if an address is gone: one for each way in which rows of it go on."""
        first, second = self.fallbacks
        start, end = np.searchsorted(first, np.array([number, number + 1], first.dtype))
        return list(map(int, second[start:end]))

    def request_url(self, number: int) -> str:
        """Return the URL of a request for an address.

        Raises:
            ValueError: no request can be made for it.
        """
        address, userinfo = self.address(number), self.options.userinfo
        url = request_url(address)
        return with_userinfo(url, userinfo[address]) if address in userinfo else url

    def page(self, number: int) -> str | None:
        """Return the page that shows the image at an address, if the catalog names one."""
        row = -1 if self.page_rows is None else int(self.page_rows[number])
        return self.pages[row].as_py() if self.pages is not None and row >= 0 else None


@dataclass(frozen=True)
class _Known:
    """What the ledger knows of each address; arrays of shape (addresses,)."""

    tries: IntArray
    outcome: IntArray
    settled: BoolArray
    falls_back: BoolArray
    eased: BoolArray
    stale: dict[bytes, str]


def make_plan(
    table: catalog.AnyTable, rows: RowAddresses, ledger: Ledger, project: Project, options: FetchOptions
) -> Plan:
    """Compare a catalog, whose addresses are parsed as ``rows``, with the ledger and the store.

    The failures that ``retry`` names, and those that a setting may let in now, are marked in the ledger to be
    requested again, so that a run killed meanwhile goes on with them.
    """
    addresses, images, fallbacks, host_of, numbers = _number(table, rows)
    known = _look_up(addresses, ledger, project)
    again = _failures(known, images, fallbacks, options.retry)
    if len(again):
        chunks = (again[start : start + CHUNK_ROWS] for start in range(0, len(again), CHUNK_ROWS))
        ledger.supersede(text for chunk in chunks for text in addresses.take(pa.array(chunk)).to_pylist())
        known.settled[again] = False
        known.tries[again] = 0
    first, second = fallbacks
    goes_on = known.settled[first] & known.falls_back[first] & ~known.settled[second]
    after = np.fromiter(dict.fromkeys(second[goes_on].tolist()), second.dtype)
    wanted = np.concatenate([images[~known.settled[images]], after[~np.isin(after, images)]])
    is_file = pc.starts_with(addresses, FILE_SCHEME).to_numpy(zero_copy_only=False)
    plan = Plan(
        addresses=addresses,
        host_names=rows.host_names,
        host_of=host_of,
        fallbacks=fallbacks,
        tries=known.tries,
        settled=known.settled,
        requests=wanted[~is_file[wanted]],
        files=wanted[is_file[wanted]],
        stale=[project.paths.image(sha256.hex(), ending) for sha256, ending in known.stale.items()],
        n_images=len(images),
        n_settled=int(known.settled[images].sum()) - len(np.unique(first[goes_on])),
        options=options,
        **_pages(table, numbers, len(addresses)),
    )
    pa.default_memory_pool().release_unused()
    return plan


def count_decided_anew(table: catalog.AnyTable, project: Project) -> dict[str, int]:
    """Count, by its reason, what a fetch of a catalog would decide anew because a setting has changed since.

    Nothing is marked. What is stored and must be decoded again, under another ``max_pixels`` or by another version,
    counts as ``observed again``.
    """
    if not project.paths.attempts.exists():
        return {}
    addresses, images, fallbacks, *_ = _number(table, parse_rows(table))
    with Ledger(project.paths.attempts, to_read=True) as ledger:
        known = _look_up(addresses, ledger, project)
    names = Counter(_OUTCOMES[number] for number in known.outcome[_failures(known, images, fallbacks, "none")])
    return dict(names.most_common()) | ({"observed again": len(known.stale)} if known.stale else {})


def _number(table: catalog.AnyTable, rows: RowAddresses) -> tuple[pa.Array, IntArray, IntArray, IntArray, IntArray]:
    """Number the distinct addresses.

    Returns:
        Each once; the images' numbers in the catalog's order; the pairs of an address and its fallback, see
        :class:`Plan`; by number each one's host; the numbers of all rows' addresses and then of their fallbacks, -1
        where there is none.
    """
    coded = catalog.as_arrow(pa.chunked_array(rows.addresses(table))).dictionary_encode()
    numbers = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    addresses = coded.dictionary
    del coded
    pa.default_memory_pool().release_unused()
    first, second = numbers[: len(table)], numbers[len(table) :]
    images, first_rows = np.unique(first[first >= 0], return_index=True)
    host_of = np.full(len(addresses), -1, dtype=np.int32)
    has_both = (first >= 0) & (second >= 0) & (first != second)
    pairs = np.unique(first[has_both].astype(np.int64) * len(addresses) + second[has_both])
    fallbacks = np.stack(np.divmod(pairs, max(1, len(addresses)))).astype(np.int32)
    host_of[first[first >= 0]] = rows.hosts[first >= 0]
    host_of[second[second >= 0]] = rows.fallback_hosts[second >= 0]
    return addresses, images[np.argsort(first_rows)], fallbacks, host_of, numbers


def _pages(table: catalog.AnyTable, numbers: IntArray, n_addresses: int) -> dict[str, Any]:
    """Find the page of each address, that of the first row that lists it with one; see :class:`Plan`."""
    pages = catalog.as_arrow(table["landing_url"], pa.string())
    if pages.null_count == len(pages):
        return {}
    page_rows = np.full(n_addresses, -1, dtype=np.int32)
    named = pages.is_valid().to_numpy(zero_copy_only=False)
    for column in (numbers[len(table) :], numbers[: len(table)]):
        has_page = np.flatnonzero(named & (column >= 0))[::-1]
        page_rows[column[has_page]] = has_page
    return {"pages": pages, "page_rows": page_rows}


def _look_up(addresses: pa.Array, ledger: Ledger, project: Project) -> _Known:
    n, settings = len(addresses), project.recipe
    settled, falls_back, eased = (np.zeros(n, dtype=bool) for _ in range(3))
    known = _Known(np.zeros(n, np.int32), np.full(n, -1, np.int32), settled, falls_back, eased, {})
    is_eased_now = cache(lambda outcome, recorded: is_eased(Drop(outcome), recorded, settings.fetch))
    present = cache(lambda: stored_prefixes(project.paths))
    for start in range(0, n, CHUNK_ROWS):
        chunk = addresses[start : start + CHUNK_ROWS].to_pylist()
        states = ledger.states(chunk, settings.fetch.retries, settings.quality.max_pixels)
        for number, state in enumerate(states, start):
            if state.tries:
                _note_state(known, number, state, chunk[number - start], present)
                if known.settled[number] and state.outcome != OK:
                    known.eased[number] = is_eased_now(state.outcome, state.settings)
    return known


def _note_state(
    known: _Known, number: int, state: State, address: str, present: Callable[[], npt.NDArray[np.uint64]]
) -> None:
    if state.stored:
        prefix, stored = np.uint64(_prefix(state.sha256 or b"")), present()
        place = np.searchsorted(stored, prefix)
        if place == len(stored) or stored[place] != prefix:
            return  # the file is gone: request it again
    unread = state.outcome == Drop.TOO_MANY_BYTES or (state.outcome == Drop.FILE_MISSING and state.file_version)
    if address.startswith(FILE_SCHEME) and (unread or state.file_version != version_of_file(path_of_file(address))):
        return
    known.tries[number] = state.tries
    known.outcome[number] = _NUMBER_OF[state.flaw or state.outcome or OK]
    known.settled[number] = state.settled
    known.falls_back[number] = bool(state.falls_back)
    if state.stale and state.sha256 and state.image_format:
        known.stale[state.sha256] = state.image_format


def _prefix(sha256: bytes) -> int:
    """The first 64 bits distinguish files well enough, and a million of them take 8 MB."""
    return int.from_bytes(sha256[:8], "big")


def _failures(known: _Known, images: IntArray, fallbacks: IntArray, retry: str) -> IntArray:
    """Return the addresses, by number, that are requested again: as ``retry`` says, or as a setting allows them now."""
    failed = known.settled & (known.outcome > 0)
    first, second = fallbacks
    goes_on, in_vain = (np.zeros(len(failed), dtype=bool) for _ in range(2))
    goes_on[first] = known.falls_back[first]
    in_vain[first[failed[second]]] = True
    image_failed = failed & (~goes_on | in_vain)
    tried = np.concatenate([images[image_failed[images]], second[image_failed[first]]])
    again: IntArray = np.unique(tried[failed[tried]])
    if retry != "all":
        passes = np.array([False, *(retry == "failed" and reason.traits.passes != "never" for reason in Drop)])
        again = again[passes[known.outcome[again]] | known.eased[again]]
    return again
