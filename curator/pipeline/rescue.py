"""Take what a web archive has of addresses that are dead: the same bytes, else the same picture, and nothing else.

A capture is requested by the same engine as any image, under its own address in the archive, so the ledger knows it;
what the archive's index said is kept there too. A rescue that was killed therefore repeats nothing.

>>> sorted(map(str, DEAD))[:4]
['blank', 'dns', 'empty', 'gone']
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from curator import catalog
from curator.addresses import host_families, parse_addresses
from curator.catalog import DROP_FIELDS, FETCHED_FIELDS, BoolArray, as_arrow
from curator.decide.placeholders import LEAST_ADDRESSES
from curator.errors import SourceError
from curator.events import Event, FetchStarted, Warned, WorkAdvanced, WorkFinished, WorkStarted
from curator.fetch.fetch_images import fetch_images
from curator.fetch.ledger.ledger import OUTCOME_COLUMNS, Ledger
from curator.fetch.ledger.schema import Lookup, Note
from curator.fetch.outcomes import with_pictures
from curator.fetch.plan import FetchOptions
from curator.fetch.politeness.robots import robots_url
from curator.manifests.manifest import COLUMNS, read_manifest
from curator.manifests.project import Project
from curator.pipeline.fates import Fate, judge_images
from curator.pipeline.join_lists import concat_in_order
from curator.reasons import Drop, HostAdvice
from curator.sources.reading.json_api import LONGEST_WAIT_S
from curator.sources.web_archive import capture_index
from curator.sources.web_archive.capture_index import CaptureIndex, capture_address, may_be_told
from curator.sources.web_archive.captures import Capture, rank_captures
from curator.text import plural

_SIGNS = (HostAdvice.LINK_ROT, HostAdvice.DISGUISED, HostAdvice.UNRESOLVED)
DEAD = frozenset(reason for reason in Drop if reason.traits.advice in _SIGNS)
"""Why a picture is out that is no longer at its address: what a host does not want to be fetched is not among them."""

_REFUSING = (HostAdvice.BLOCKED, HostAdvice.OPTED_OUT, HostAdvice.ROBOTS, HostAdvice.PRIVATE)
REFUSED = frozenset(reason for reason in Drop if reason.traits.advice in _REFUSING)
"""Why an address is not looked up, whatever else is true of its picture: its host refuses it, or means it for few."""

MOST_TRIES = 3
"""Captures of one address that are requested at most."""

_LISTED = ("url", "fallback_url", "landing_url", "local_path")


class Rescuer:
    """Asks one archive, as ``[fetch]`` of a recipe says, at most once a second over all that it is used for.

    Args:
        project: its ledger keeps what the archive says, its store what comes.
        options: which captures that failed are requested again.
    """

    def __init__(self, project: Project, options: FetchOptions) -> None:
        fetch = project.recipe.fetch
        gap_s = max(fetch.delay_s, capture_index.LEAST_GAP_S)
        self._fetch = replace(fetch, connections=1, per_host=1, delay_s=gap_s)
        self._project = replace(project, recipe=replace(project.recipe, fetch=self._fetch), emit=self._note)
        self._emit = project.emit
        self._options = replace(options, redirects=False)
        self._last_request: float | None = None
        self._host = urlsplit(fetch.archive).netloc
        self._is_asking = self._has_stopped = False
        self._signed_in: Collection[str] = ()
        self._n_refused = Counter[str]()

    def rescue(
        self, table: pd.DataFrame, lost: BoolArray, known: pd.DataFrame, is_similar: BoolArray | None = None
    ) -> pd.DataFrame:
        """Put captures in the place of what is lost, as far as the archive has them.

        Args:
            table: a catalog after the fetch.
            lost: which rows to look for; bool, shape (rows,).
            known: what each row was, with the columns of a manifest; ``sha256`` is missing if nobody knows.
            is_similar: which rows have a similar picture already: only the same bytes are put in its place.

        Returns:
            The table; a rescued row has ``archive_url``, ``archived_at`` and the facts of its capture. For a row that
            is known a capture is taken that has the same bytes, else one that shows the same picture by the rule of a
            replay; for another, one of which the archive's index has the SHA-1, if it is a picture and no placeholder.
        """
        if not lost.any():
            return table
        addresses = self._addresses(table, np.flatnonzero(lost))
        found = self._look_up([one for some in addresses.values() for one in some])
        kept = np.zeros(len(table), bool) if is_similar is None else is_similar.copy()
        common = self._find_common(found) if known["sha256"].isna().any() else set()
        tries = _choose_captures(table, known, kept, addresses, found, common)
        for turn in range(MOST_TRIES):
            rows = np.array([row for row, captures in tries.items() if len(captures) > turn], np.int64)
            if not len(rows):
                break
            captures = [tries[row][turn] for row in rows]
            fetched = self._request(table.iloc[rows], captures)
            fates = _judge(fetched, captures, known.iloc[rows])
            taken = (fates == Fate.SAME) | ((fates == Fate.SIMILAR) & ~kept[rows])
            table = _replace_rows(table, rows[taken], fetched[taken])
            kept[rows[taken]] = True  # of two similar ones the first stays
            is_settled = (fates == Fate.SAME) | ((fates == Fate.SIMILAR) & known["sha1"].iloc[rows].notna().to_numpy())
            tries = {row: some for row, some in tries.items() if row not in set(rows[is_settled])}
        return _explain(table, addresses, found, self._host)

    def rescue_dead(self, table: pd.DataFrame, userinfo: Mapping[str, str]) -> pd.DataFrame:
        """Put captures in the place of the dead images of a fetch; known are those that the manifest has.

        Args:
            userinfo: who signs in at which address: the archive hears of none of these.

        Raises:
            StateError: the manifest is damaged.
        """
        self._signed_in = userinfo.keys()
        is_lost = table["drop_reason"].isin([*map(str, DEAD)])
        rows, path = np.flatnonzero(is_lost), self._project.paths.manifest
        lost = table.iloc[rows].reset_index(drop=True)
        manifest = read_manifest(path) if path.exists() else pd.DataFrame(columns=COLUMNS, dtype=object)
        known = manifest.set_index("record_id").reindex(list(lost["record_id"])).reset_index()
        return _replace_rows(table, rows, self.rescue(lost, np.ones(len(rows), bool), known))

    def _addresses(self, table: pd.DataFrame, rows: npt.NDArray[np.int64]) -> dict[int, list[str]]:
        """List the addresses of each row that the archive may hear of, each judged by itself."""
        listed = table[["url", "fallback_url"]].iloc[rows].to_numpy(object)
        stated = {str(one) for one in listed.ravel() if pd.notna(one)}
        told = [one for one in sorted(stated) if may_be_told(one, self._fetch.allow_private_hosts)]
        with Ledger(self._project.paths.attempts) as ledger:
            outcomes = ledger.outcomes(told, self._fetch)
        reasons = [outcome[2 + OUTCOME_COLUMNS.index("reason")] for outcome in outcomes]
        open_to_all = {one for one, reason in zip(told, reasons, strict=True) if reason not in REFUSED}
        open_to_all -= set(self._signed_in)
        return {int(row): [one for one in some if one in open_to_all] for row, some in zip(rows, listed, strict=True)}

    def _find_common(self, found: Mapping[str, list[Capture]]) -> set[tuple[str, str]]:
        """Find (family of hosts, SHA-1) that three or more addresses have alike, of all that were ever looked up."""
        contents = {one.sha1 for some in found.values() for one in some}
        with Ledger(self._project.paths.attempts) as ledger:
            captured = list(ledger.captured(self._fetch.archive, contents))
        families = _families([address for address, _ in captured])
        alike = Counter((families[address], sha1) for address, sha1 in captured)
        return {one for one, n in alike.items() if n >= LEAST_ADDRESSES}

    def _look_up(self, addresses: Sequence[str]) -> dict[str, list[Capture]]:
        """Return the captures of these addresses: what the ledger knows, and what the archive says of the others."""
        fetch, paths = self._fetch, self._project.paths
        with Ledger(paths.attempts) as ledger:
            known = ledger.lookups(fetch.archive, addresses)
            found = {address: [Capture(*one) for one in json.loads(text)] for address, text in known.items()}
            left = [address for address in dict.fromkeys(addresses) if address not in found]
            if not left or self._has_stopped:
                return found
            work = f"looking up at {self._host}"
            self._emit(WorkStarted(work, len(left), "lookup"))
            try:
                for answer in self._ask(left, ledger):
                    texts = {address: json.dumps(captures) for address, captures in answer.items()}
                    now = time.time()
                    ledger.record([], [], [Lookup(fetch.archive, *pair[:1], now, pair[1]) for pair in texts.items()])
                    found |= answer
                    self._emit(WorkAdvanced(work, len(answer)))
            except SourceError as error:  # what was looked up is used; the rest is for another run
                self._has_stopped = True
                self._emit(Warned(("rescue: ", *error.text)))
            self._emit(WorkFinished(work))
        return found

    def _ask(self, addresses: Sequence[str], ledger: Ledger) -> Iterator[dict[str, list[Capture]]]:
        remembered = ledger.notes(time.time())
        waits = [wait.remaining_s(time.time()) for wait in remembered.waits if wait.host == self._host.lower()]
        if sum(waits) > LONGEST_WAIT_S:
            raise SourceError(f"{self._host} wants to be left alone for {sum(waits):,.0f} more seconds.")
        self._wait_turn(sum(waits))

        def remember(note: Note) -> None:
            ledger.record([], [], [note])

        with CaptureIndex(self._fetch, self._emit, remember, self._n_refused) as index:
            if self._fetch.robots:
                delay_s = index.obey_robots(remembered.robots.get(robots_url(self._fetch.archive)))
                self._fetch = replace(self._fetch, delay_s=max(delay_s, self._fetch.delay_s))
            try:
                yield from index.look_up(addresses)
            finally:
                self._last_request = time.monotonic()

    def _request(self, rows: pd.DataFrame, captures: Sequence[Capture]) -> pd.DataFrame:
        """Request a capture for each row; return the rows as they are if it is taken."""
        places = [capture_address(self._fetch.archive, one) for one in captures]
        nothing = dict.fromkeys([*(field.name for field in (*FETCHED_FIELDS, *DROP_FIELDS)), *_LISTED], None)
        wanted = catalog.conform(rows.assign(**nothing).assign(url=places).reset_index(drop=True))
        self._is_asking = False
        recipe = replace(self._project.recipe, fetch=self._fetch)
        fetched = fetch_images(wanted, replace(self._project, recipe=recipe), self._options)
        if self._is_asking:
            self._last_request = time.monotonic()
        whole = catalog.from_arrow(pa.concat_tables(with_pictures(fetched, self._project.paths)))
        fell_back = [not one.shows(url) for one, url in zip(captures, rows["url"].fillna("").astype(str), strict=True)]
        listed = {name: as_arrow(rows[name]) for name in _LISTED}
        times = [one.shown_time for one in captures]
        origin = {"archive_url": places, "archived_at": times, "from_fallback": fell_back}
        return catalog.with_columns(whole, {**listed, **origin})

    def _note(self, event: Event) -> None:
        if isinstance(event, FetchStarted) and event.total > event.settled:
            self._is_asking = True
            self._wait_turn()  # the engine reports this before its first request
        self._emit(event)

    def _wait_turn(self, wait_s: float = 0.0) -> None:
        """Wait until the archive may be asked again."""
        if self._last_request is not None:
            wait_s = max(wait_s, self._last_request + self._fetch.delay_s - time.monotonic())
        time.sleep(max(0.0, wait_s))


def _choose_captures(
    table: pd.DataFrame,
    known: pd.DataFrame,
    is_similar: BoolArray,
    addresses: Mapping[int, list[str]],
    found: Mapping[str, list[Capture]],
    common: Collection[tuple[str, str]],
) -> dict[int, list[Capture]]:
    """Return the captures to try for each row, the likeliest first.

    Not tried is what the address serves now, which is why it counts as dead; what is not the same, for a row that has a
    similar picture; and, for one that nobody knows, what is ``common``, by family of hosts and SHA-1: a notice in the
    place of pictures.
    """
    families = _families(list(found))
    tries = {}
    for row, some in addresses.items():
        values = (known["sha1"].iloc[row], table["sha1"].iloc[row])
        wanted, served = (None if pd.isna(value) else str(value) for value in values)
        is_known = bool(pd.notna(known["sha256"].iloc[row]))
        pairs = [(families[address], one) for address in some for one in found.get(address, ())]
        if not is_known:
            pairs = [(family, one) for family, one in pairs if (family, one.sha1) not in common]
        captures = [one for _, one in pairs if one.sha1 != served]
        if is_similar[row] and wanted:
            captures = [one for one in captures if one.sha1 == wanted]
        tries[row] = rank_captures(captures, wanted, latest_first=is_known)[:MOST_TRIES]
    return tries


def _families(addresses: Sequence[str]) -> dict[str, str]:
    hosts = parse_addresses(pa.array(addresses, pa.string())).host
    return dict(zip(addresses, host_families(hosts).to_pylist(), strict=True))


def _judge(fetched: pd.DataFrame, captures: Sequence[Capture], known: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Say of each capture that came what it is of its row; see :meth:`Rescuer.rescue`."""
    of_known = judge_images(known.reset_index(drop=True), fetched)
    is_kept = catalog.is_kept(fetched)
    is_whole = (fetched["sha1"].fillna("") == [one.sha1 for one in captures]).to_numpy(dtype=bool)
    of_others = np.where(is_whole, str(Fate.SAME), str(Fate.CHANGED))
    fates = np.where(known["sha256"].notna().to_numpy(dtype=bool), of_known, of_others)
    return np.where(is_kept, fates, str(Fate.GONE)).astype(object)


def _replace_rows(table: pd.DataFrame, rows: npt.NDArray[np.int64], others: pd.DataFrame) -> pd.DataFrame:
    if not len(rows):
        return table
    order = np.arange(len(table))
    order[rows] = len(table) + np.arange(len(rows))
    return catalog.from_arrow(concat_in_order([catalog.to_arrow(table), catalog.to_arrow(others)], order))


def _explain(
    table: pd.DataFrame, addresses: Mapping[int, list[str]], found: Mapping[str, list[Capture]], host: str
) -> pd.DataFrame:
    """Add to the evidence of what was not rescued that the archive was asked, and what it has."""
    details = table["drop_detail"].astype(object).to_numpy(copy=True)
    still = ~catalog.is_kept(table)
    for row, some in addresses.items():
        if still[row] and some and all(one in found for one in some):
            n = sum(len(found[one]) for one in some)
            said = f"none of {plural(n, 'capture')} at {host} is it" if n else f"{host} has no capture of it"
            details[row] = said if pd.isna(details[row]) else f"{details[row]}; {said}"
    return catalog.with_columns(table, {"drop_detail": details})
