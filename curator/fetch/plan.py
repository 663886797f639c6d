"""What is still to be asked: the catalog's addresses less what the ledger knows. No network.

>>> import tempfile
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
>>> columns = {"label": ["a", "a"], "key": ["1", "2"], "url": ["http://h.example/1", "ftp://h.example/2"]}
>>> table = listed_rows("url-list", "web", 0, columns)
>>> with Ledger(paths.attempts) as ledger:
...     plan = make_plan(table, ledger, FetchSettings(), QualitySettings(), paths, "none")
>>> plan.address(int(plan.requests[0])), plan.n_images, plan.n_settled
('http://h.example/1', 1, 0)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator.addresses import parse_addresses, request_url, with_userinfo
from curator.fetch.ledger.ledger import OK, Ledger
from curator.fetch.local_files import FILE_SCHEME, path_of_file, version_of_file
from curator.fetch.policy import FALLBACK_STATUSES, RETRIED, worth_retrying
from curator.manifests.recipe import FetchSettings, QualitySettings
from curator.matching.perceptual_hash import HASH_VERSION
from curator.reasons import Drop
from curator.sources.base import listed_rows as listed_rows
from curator.store.image_files import stored_hashes
from curator.store.paths import DataPaths

Retry = Literal["none", "failed", "all"]
IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

CHUNK_ROWS = 20_000
"""Addresses looked up at once."""

_OUTCOMES: tuple[str, ...] = (OK, *Drop)
_NUMBER_OF = {outcome: number for number, outcome in enumerate(_OUTCOMES)}
_UNKNOWN = -1


@dataclass
class Plan:
    """Addresses by number, what is known of each, and which are to be asked.

    Attributes:
        addresses: each distinct address once, the local files' as ``file:PATH``; Arrow strings.
        host_names: the hosts; Arrow strings.
        host_of: each address's host; int32, shape (addresses,).
        fallback: the address to ask where this one is gone, or -1; int32, shape (addresses,).
        tries: requests made so far that count; int32, shape (addresses,).
        settled: whether the ledger knows the outcome for good; bool, shape (addresses,).
        requests: what is to be asked over the network, in the catalog's order.
        files: which local files are to be read.
        stale: stored files to be observed again.
        n_images: distinct images, local files too; ``n_settled`` of them need nothing.
        userinfo: who signs in, with which password, by address.
    """

    addresses: pa.Array
    host_names: pa.Array
    host_of: IntArray
    fallback: IntArray
    tries: IntArray
    settled: BoolArray
    requests: IntArray
    files: IntArray
    stale: list[Path]
    n_images: int
    n_settled: int
    userinfo: Mapping[str, str] = field(default_factory=dict)

    def has_work(self) -> bool:
        """Tell whether anything is to be done."""
        return bool(len(self.requests) or len(self.files) or self.stale)

    def address(self, number: int) -> str:
        """Give an address by its number."""
        return str(self.addresses[number].as_py())

    def request_url(self, number: int) -> str:
        """Give what a request for an address asks for.

        Raises:
            ValueError: no request can be made for it.
        """
        address = self.address(number)
        url = request_url(address)
        return with_userinfo(url, self.userinfo[address]) if address in self.userinfo else url

    def host(self, number: int) -> str:
        """Give the host of an address, or nothing for a local file."""
        return self.host_names[int(self.host_of[number])].as_py() or ""


@dataclass
class _Known:
    """What the ledger knows of each address; arrays of shape (addresses,)."""

    tries: IntArray
    outcome: IntArray
    settled: BoolArray
    falls_back: BoolArray
    flawed: BoolArray
    stale: dict[bytes, str]


def make_plan(
    table: pd.DataFrame, ledger: Ledger, fetch: FetchSettings, quality: QualitySettings, paths: DataPaths, retry: Retry
) -> Plan:
    """Compare a catalog with the ledger and the store.

    With ``retry`` the failures that it names are marked in the ledger to be asked again, so that a run killed
    meanwhile goes on with them.
    """
    primary, second = addresses_of(table)
    coded = pa.chunked_array([primary, second]).combine_chunks().dictionary_encode()
    numbers = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    addresses = coded.dictionary
    del primary, second, coded
    pa.default_memory_pool().release_unused()
    first_of_row, second_of_row = numbers[: len(table)], numbers[len(table) :]
    images, first_rows = np.unique(first_of_row[first_of_row >= 0], return_index=True)
    images = images[np.argsort(first_rows)]
    fallback = np.full(len(addresses), -1, dtype=np.int32)
    has_second = (first_of_row >= 0) & (second_of_row >= 0)
    fallback[first_of_row[has_second]] = second_of_row[has_second]
    known = _look_up(addresses, ledger, fetch, quality, paths)
    if retry != "none":
        _forget_failures(known, images, fallback, addresses, ledger, fetch, retry)
    plan = _plan(addresses, images, fallback, known, paths)
    pa.default_memory_pool().release_unused()
    return plan


def _plan(addresses: pa.Array, images: IntArray, fallback: IntArray, known: _Known, paths: DataPaths) -> Plan:
    second = fallback[images]
    goes_on = known.settled[images] & known.falls_back[images] & (second >= 0)
    wanted = np.concatenate([images[~known.settled[images]], second[goes_on & ~known.settled[second]]])
    hosts = parse_addresses(addresses).host.dictionary_encode(null_encoding="encode")
    is_file = pc.starts_with(addresses, FILE_SCHEME).to_numpy(zero_copy_only=False)
    return Plan(
        addresses=addresses,
        host_names=hosts.dictionary,
        host_of=hosts.indices.to_numpy(zero_copy_only=False).astype(np.int32),
        fallback=fallback,
        tries=known.tries,
        settled=known.settled,
        requests=wanted[~is_file[wanted]],
        files=wanted[is_file[wanted]],
        stale=[paths.image(sha256.hex(), image_format) for sha256, image_format in known.stale.items()],
        n_images=len(images),
        n_settled=len(images) - len(wanted),
    )


def addresses_of(table: pd.DataFrame) -> tuple[pa.Array, pa.Array]:
    """Give each row's address (of a local file: ``file:PATH``) and its fallback; null where no request can be made."""
    url, second, path = (pa.array(table[name]) for name in ("url", "fallback_url", "local_path"))
    file = pc.binary_join_element_wise(FILE_SCHEME, path, "")
    web = pc.if_else(pc.is_valid(parse_addresses(url).host), url, None)
    first = pc.coalesce(file, web)
    return _whole(first), _whole(pc.if_else(pc.is_valid(parse_addresses(second).host), second, None))


def _whole(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def settled_sql(retries: int) -> str:
    """Say in SQL, for :meth:`Ledger.states`, whether the last attempt settles its address for good."""
    passing = ", ".join(f"'{reason}'" for reason in sorted(RETRIED))
    return f"tries > 0 AND (NOT a.asked OR a.outcome NOT IN ({passing}) OR tries > {retries})"


def _look_up(
    addresses: pa.Array, ledger: Ledger, fetch: FetchSettings, quality: QualitySettings, paths: DataPaths
) -> _Known:
    n = len(addresses)
    settled, falls_back, flawed = (np.zeros(n, dtype=bool) for _ in range(3))
    known = _Known(np.zeros(n, np.int32), np.full(n, _UNKNOWN, np.int32), settled, falls_back, flawed, {})
    statuses = ", ".join(map(str, FALLBACK_STATUSES))
    columns = (
        f"tries, a.outcome, {settled_sql(fetch.retries)}, a.http_status IN ({statuses}), o.flaw IS NOT NULL, "
        f"a.file_version, o.sha256, o.stored, o.format, {_stale_sql(quality.max_pixels)}"
    )
    present = np.sort(np.fromiter(map(_prefix, stored_hashes(paths)), dtype=np.uint64))
    for start in range(0, n, CHUNK_ROWS):
        chunk = addresses[start : start + CHUNK_ROWS].to_pylist()
        for number, state in enumerate(ledger.states(chunk, columns), start):
            if state[0]:
                _note_state(known, number, state, chunk[number - start], present)
    return known


def _stale_sql(max_pixels: int) -> str:
    """An observation holds for other limits too, unless the image lies between the two."""
    pixels = "coalesce(o.width * o.height, 0)"
    other = f"({pixels} > {max_pixels}) != ({pixels} > o.max_pixels)"
    return f"o.stored AND (o.observer_version != {HASH_VERSION} OR {other})"


def _note_state(
    known: _Known, number: int, state: Sequence[Any], address: str, present: npt.NDArray[np.uint64]
) -> None:
    tries, outcome, settled, falls_back, flawed, file_version, sha256, stored, image_format, stale = state
    if stored and not _contains(present, sha256):
        return  # the file is gone: ask again
    if address.startswith(FILE_SCHEME):
        unread = outcome == Drop.TOO_MANY_BYTES
        if unread or file_version != version_of_file(path_of_file(address)):
            return
    known.tries[number] = tries
    known.outcome[number] = _NUMBER_OF[outcome]
    known.settled[number] = settled
    known.falls_back[number] = bool(falls_back)
    known.flawed[number] = flawed
    if stale:
        known.stale[sha256] = image_format


def _prefix(sha256: bytes) -> int:
    """The first 64 bits tell files apart well enough, and a million of them take 8 MB."""
    return int.from_bytes(sha256[:8], "big")


def _contains(ordered: npt.NDArray[np.uint64], sha256: bytes) -> bool:
    prefix = np.uint64(_prefix(sha256))
    place = np.searchsorted(ordered, prefix)
    return bool(place < len(ordered) and ordered[place] == prefix)


def _forget_failures(
    known: _Known,
    images: IntArray,
    fallback: IntArray,
    addresses: pa.Array,
    ledger: Ledger,
    fetch: FetchSettings,
    retry: Retry,
) -> None:
    failed = known.settled & ((known.outcome > 0) | known.flawed)
    second = fallback[images]
    image_failed = failed[images] & ~(known.falls_back[images] & (second >= 0) & ~failed[second])
    again = np.concatenate([images[image_failed], second[image_failed & (second >= 0)]])
    again = again[failed[again]]
    if retry == "failed":
        worth = np.array([False, *(worth_retrying(reason, fetch) for reason in Drop)])
        again = again[worth[known.outcome[again]]]
    ledger.supersede(_texts(addresses, again))
    known.settled[again] = False
    known.tries[again] = 0


def _texts(addresses: pa.Array, numbers: IntArray) -> Iterator[str]:
    for start in range(0, len(numbers), CHUNK_ROWS):
        yield from addresses.take(pa.array(numbers[start : start + CHUNK_ROWS])).to_pylist()
