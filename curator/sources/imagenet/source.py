"""The ImageNet source: the URLs listed under each synset, from whichever place still has them.

``urls`` is tried in order. A place with ``{wnid}`` in it lists one synset; one without is a whole list
(``fall11_urls.txt``, plain, ``.gz`` or ``.tgz``), read once for all synsets that are still wanted.

>>> settings = ImagenetSettings(synsets={"rugby": ("n00470966",), "soccer": ("n004782",)})
>>> settings.problems(("rugby", "soccer"), Path())
[('synsets', "soccer: 'n004782' is not a synset such as n00478262")]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa

from curator.errors import SourceError
from curator.events import Noted, Warned
from curator.manifests.toml_settings import setting, suggest
from curator.sources.base import ListingContext, PlannedRead, known_labels, listed_rows
from curator.sources.imagenet.lists import WNID, UrlList, read_synset_list, read_whole_list
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.places import place_problem, place_version, scheme_problem
from curator.sources.reading.read import probe_size, read_place, shown_name

ENDPOINT = "https://image-net.org/api/imagenet.synset.geturls?wnid={wnid}"
ARCHIVED = "https://web.archive.org/web/2018id_/http://www.image-net.org/api/text/imagenet.synset.geturls?wnid={wnid}"
_MAX_LIST_BYTES = 256 << 20
_WAYS_OUT = (
    'Give a list of your own, `urls = ["fall11_urls.txt"]` (plain, .gz or .tgz), '
    "or use Open Images only: remove this source from the recipe."
)


@dataclass(frozen=True)
class ImagenetSettings:
    """``kind = "imagenet"``: lines of URLs per synset."""

    kind: ClassVar[str] = "imagenet"

    synsets: Mapping[str, tuple[str, ...]] = setting(doc="label to synsets (WordNet 3.0 noun offsets)")
    urls: tuple[str, ...] = setting((ENDPOINT, ARCHIVED), "places to try, in order; {wnid} is filled in")
    name: str = setting("", "the source's name in tables; its kind where not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Name the labels that this source can list."""
        return tuple(label for label in labels if self.synsets.get(label))

    def problems(self, labels: Sequence[str], base_dir: Path) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = known_labels("synsets", self.synsets, labels)
        for label, wnids in self.synsets.items():
            wrong = [wnid for wnid in wnids if not WNID.fullmatch(wnid)]
            found += [("synsets", f"{label}: {wnid!r} is not a synset such as n00478262") for wnid in wrong]
        if not self.urls:
            found.append(("urls", "must name at least one place"))
        return found + [("urls", problem) for place in self.urls if (problem := _place_problem(place, base_dir))]


def _place_problem(place: str, base_dir: Path) -> str | None:
    rest = place.replace("{wnid}", "n00478262")
    if "{" in rest:
        return f"may hold {{wnid}} only, not {place!r}"
    return place_problem(place, base_dir, folder=False) if rest == place else scheme_problem(place)


class Imagenet:
    """Lists the images of synsets; one tier."""

    kind: ClassVar[str] = ImagenetSettings.kind
    Settings: ClassVar[type[Any]] = ImagenetSettings

    def n_tiers(self, settings: ImagenetSettings) -> int:
        """Count the tiers: all lists are read at once."""
        return 1

    def plan(self, settings: ImagenetSettings, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Say which lists the first place would send: one a synset, or the whole list."""
        wanted = _wnids(settings, context.labels)
        missing = [wnid for wnid in wanted if _cached(settings, wnid, context) is None]
        cached = [PlannedRead(f"{wnid}.txt", 0, cached=True) for wnid in wanted if wnid not in missing]
        place = settings.urls[0]
        wholes = [place] if missing and "{wnid}" not in place else [place.replace("{wnid}", wnid) for wnid in missing]
        return [*cached, *(PlannedRead(shown_name(place), probe_size(place, context)) for place in wholes)]

    def list_images(
        self, settings: ImagenetSettings, tier: int, labels: Sequence[str], context: ListingContext
    ) -> pd.DataFrame:
        """List the URLs of every synset of ``labels``; a synset that no place lists is warned about.

        Raises:
            SourceError: no synset could be listed; names each place and what it answered.
        """
        wanted = _wnids(settings, labels)
        attempt = _Attempt(settings, context)
        tables = attempt.obtain(wanted)
        if wanted and not tables:
            raise SourceError(attempt.story(wanted), _WAYS_OUT)
        if missing := [wnid for wnid in wanted if wnid not in tables]:
            context.emit(Warned(f"{attempt.story(missing)} {_WAYS_OUT}"))
        pairs = [(label, wnid) for label in labels for wnid in settings.synsets.get(label, ()) if wnid in tables]
        return _rows(settings.name or self.kind, tier, pairs, tables)


def _wnids(settings: ImagenetSettings, labels: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(wnid for label in labels for wnid in settings.synsets.get(label, ())))


def _rows(name: str, tier: int, pairs: Sequence[tuple[str, str]], tables: Mapping[str, pa.Table]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {"label": [], "source_class": [], "source_id": [], "url": []}
    for label, wnid in pairs:
        table = tables[wnid]
        columns["label"] += [label] * table.num_rows
        columns["source_class"] += [wnid] * table.num_rows
        columns["source_id"] += table["source_id"].to_pylist()
        columns["url"] += table["url"].to_pylist()
    return listed_rows(Imagenet.kind, name, tier, {**columns, "key": columns["url"]})


def _entry(place: str, wnid: str, context: ListingContext) -> CacheEntry:
    return CacheEntry(context, f"imagenet-{wnid}", {"wnid": wnid, **place_version(place, context.base_dir)})


def _cached(settings: ImagenetSettings, wnid: str, context: ListingContext) -> CacheEntry | None:
    places = [place.replace("{wnid}", wnid) for place in settings.urls]
    entries = (_entry(place, wnid, context) for place in places)
    return next((entry for entry in entries if entry.is_there), None)


@dataclass
class _Attempt:
    """One try at all places; ``answers`` holds what each that failed answered."""

    settings: ImagenetSettings
    context: ListingContext
    answers: dict[str, list[str]] = field(default_factory=dict)

    def obtain(self, wnids: Sequence[str]) -> dict[str, pa.Table]:
        tables = {}
        for wnid in wnids:
            entry = _cached(self.settings, wnid, self.context)
            if entry is not None and (table := entry.load()) is not None:
                tables[wnid] = table
        for place in self.settings.urls:
            missing = [wnid for wnid in wnids if wnid not in tables]
            if missing:
                tables |= self._from_whole(place, missing) if "{wnid}" not in place else self._each(place, missing)
        return tables

    def _each(self, template: str, wnids: Sequence[str]) -> dict[str, pa.Table]:
        tables = {}
        for wnid in wnids:
            place = template.replace("{wnid}", wnid)
            try:
                found = read_place(place, partial(read_synset_list, wnid=wnid), self.context, _MAX_LIST_BYTES)
            except SourceError as error:
                self._failed(wnid, template, error)
            else:
                tables[wnid] = self._keep(place, wnid, found)
        return tables

    def _from_whole(self, place: str, wnids: Sequence[str]) -> dict[str, pa.Table]:
        try:
            lists, known = read_place(place, partial(read_whole_list, wnids=wnids), self.context)
        except SourceError as error:
            for wnid in wnids:
                self._failed(wnid, place, error)
            return {}
        for wnid in set(wnids) - set(lists):
            near = suggest(wnid, sorted(known)).rstrip("?")
            self._failed(wnid, place, SourceError(f"does not hold {wnid}{near}"))
        return {wnid: self._keep(place, wnid, found) for wnid, found in lists.items()}

    def _keep(self, place: str, wnid: str, found: UrlList) -> pa.Table:
        table = pa.table({"source_id": pa.array(found.source_ids, pa.string()), "url": pa.array(found.urls)})
        _entry(place, wnid, self.context).save(table, {"origin": place, "garbage_lines": found.n_garbage})
        garbage = f", {found.n_garbage:,} lines without a URL of it left out" if found.n_garbage else ""
        self.context.emit(Noted(f"{wnid}: {len(found.urls):,} URLs from {place}{garbage}"))
        return table

    def _failed(self, wnid: str, place: str, error: SourceError) -> None:
        """Remember an answer in the place's own words, once for all the synsets that it was given for."""
        generic = error.message.replace(wnid, "{wnid}") if "{wnid}" in place else error.message
        answer = generic.removeprefix(place).strip().rstrip(".")
        self.answers.setdefault(f"{place} {answer}", []).append(wnid)

    def story(self, wnids: Sequence[str]) -> str:
        told = [answer for answer, failed in self.answers.items() if set(failed) & set(wnids)]
        return f"ImageNet gave no list of {', '.join(wnids)}: {'; '.join(told)}."
