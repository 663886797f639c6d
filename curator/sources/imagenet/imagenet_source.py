"""The ImageNet source: the URLs listed under each synset, from whichever place still has them.

``urls`` is tried in order. A place with ``{wnid}`` in it lists one synset; one without is a whole list
(``fall11_urls.txt``, plain, ``.gz`` or ``.tgz``), read once for all synsets that are still wanted.

>>> source = Imagenet(synsets={"rugby": ("n00470966",), "soccer": ("n004782",)})
>>> source.problems(("rugby", "soccer"))
[('synsets', "soccer: 'n004782' is not a synset such as n00478262")]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from curator.errors import SourceError
from curator.events import Noted, Warned
from curator.manifests.toml_settings import setting, suggest
from curator.sources.base import ListingContext, PlannedRead, Source, known_labels, listed_table
from curator.sources.escaped import unescaped
from curator.sources.imagenet.lists import WNID, SynsetList, read_synset_list, read_whole_list
from curator.sources.large_columns import repeated
from curator.sources.named_files import state_of_files
from curator.sources.reading.cache import CacheEntry
from curator.sources.reading.places import is_url, local_path, missing_place, place_version, scheme_problem, shown_name
from curator.sources.reading.read import probe_size, read_place

ENDPOINT = "https://image-net.org/api/imagenet.synset.geturls?wnid={wnid}"
ARCHIVED = "https://web.archive.org/web/2018id_/http://www.image-net.org/api/text/imagenet.synset.geturls?wnid={wnid}"
_WAYS_OUT = (
    'Give a list of your own, `urls = ["fall11_urls.txt"]` (plain, .gz or .tgz), '
    "or use Open Images only: remove this source from the recipe."
)


@dataclass(frozen=True)
class Imagenet(Source):
    """``kind = "imagenet"``: lines of URLs per synset."""

    kind: ClassVar[str] = "imagenet"

    synsets: Mapping[str, tuple[str, ...]] = setting(doc="label to synsets (WordNet 3.0 noun offsets)")
    urls: tuple[str, ...] = setting(
        (ENDPOINT, ARCHIVED), "places to try, in order: an address or path with {wnid} in it, or a whole list"
    )
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.synsets.get(label))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = known_labels("synsets", self.synsets, labels)
        for label, wnids in self.synsets.items():
            wrong = [wnid for wnid in wnids if not WNID.fullmatch(wnid)]
            found += [("synsets", f"{label}: {wnid!r} is not a synset such as n00478262") for wnid in wrong]
        if not self.urls:
            found.append(("urls", "must name at least one place"))
        return found + [("urls", problem) for place in self.urls if (problem := _place_problem(place))]

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs."""
        wholes = [place for place in self.urls if "{wnid}" not in place]
        return [("urls", found) for place in wholes if (found := missing_place(place, base_dir, folder=False))]

    def local_state(self, base_dir: Path) -> str:
        """Hash the sizes and times of its local lists."""
        wnids, local = self._wnids([*self.synsets]), [place for place in self.urls if not is_url(place)]
        paths = (str(local_path(place.replace("{wnid}", wnid), base_dir)) for place in local for wnid in wnids)
        return state_of_files(paths, f"{base_dir}/")

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return which lists the first place would send: one a synset, or the whole list."""
        wanted = self._wnids(context.labels)
        missing = [wnid for wnid in wanted if self._cached(wnid, context) is None]
        cached = [PlannedRead(f"{wnid}.txt", 0, cached=True) for wnid in wanted if wnid not in missing]
        place = self.urls[0]
        wholes = [place] if missing and "{wnid}" not in place else [place.replace("{wnid}", wnid) for wnid in missing]
        return [*cached, *(PlannedRead(shown_name(place), probe_size(place, context)) for place in wholes)]

    def list_rows(self, tier: int, labels: Sequence[str], context: ListingContext) -> pa.Table:
        """List the URLs of every synset of ``labels``; a synset that no place lists is warned about.

        Raises:
            SourceError: no synset could be listed; names each place and what it answered.
        """
        wanted = self._wnids(labels)
        cached = {wnid: entry.load() for wnid in wanted if (entry := self._cached(wnid, context))}
        tables = {wnid: table for wnid, table in cached.items() if table is not None}
        answers: _Answers = {}
        for place in self.urls:
            if missing := [wnid for wnid in wanted if wnid not in tables]:
                obtain = _from_each if "{wnid}" in place else _from_whole
                tables |= obtain(place, missing, context, answers)
        if wanted and not tables:
            raise SourceError(_explain(wanted, answers), _WAYS_OUT)
        if missing := [wnid for wnid in wanted if wnid not in tables]:
            context.emit(Warned(f"{_explain(missing, answers)} {_WAYS_OUT}"))
        parts = [
            _labelled(tables[wnid], label, wnid, context)
            for label in labels
            for wnid in self.synsets.get(label, ())
            if wnid in tables
        ]
        whole = pa.concat_tables([_SCHEMA.empty_table(), *parts])
        return listed_table(self.kind, self.title, tier, {name: whole[name] for name in whole.column_names})

    def _wnids(self, labels: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(wnid for label in labels for wnid in self.synsets.get(label, ())))

    def _cached(self, wnid: str, context: ListingContext) -> CacheEntry | None:
        entries = (_entry(place.replace("{wnid}", wnid), wnid, context) for place in self.urls)
        return next((entry for entry in entries if entry.exists), None)


_SCHEMA = pa.schema([(name, pa.string()) for name in ("label", "source_class", "source_id", "url", "key")])


def _labelled(table: pa.Table, label: str, wnid: str, context: ListingContext) -> pa.Table:
    urls = unescaped(table["url"], wnid, context.emit)
    same = {"label": label, "source_class": wnid}
    constant = {name: repeated(text, table.num_rows, pa.string()) for name, text in same.items()}
    return pa.table({**constant, "source_id": table["source_id"], "url": urls, "key": urls})


def _place_problem(place: str) -> str | None:
    if "{" in place.replace("{wnid}", ""):
        return f"may hold {{wnid}} only, not {place!r}"
    return scheme_problem(place)


def _entry(place: str, wnid: str, context: ListingContext) -> CacheEntry:
    return CacheEntry(context, f"imagenet-{wnid}", {"wnid": wnid, **place_version(place, context.base_dir)})


def _from_each(template: str, wnids: Sequence[str], context: ListingContext, answers: _Answers) -> dict[str, pa.Table]:
    """Read one list a synset."""
    tables = {}
    for wnid in wnids:
        place = template.replace("{wnid}", wnid)
        try:
            found = read_place(place, partial(read_synset_list, wnid=wnid), context, max_bytes=256 << 20)
        except SourceError as error:
            _note_answer(answers, wnid, template, error.message.replace(wnid, "{wnid}"))
        else:
            tables[wnid] = _keep(place, wnid, found, context)
    return tables


def _from_whole(place: str, wnids: Sequence[str], context: ListingContext, answers: _Answers) -> dict[str, pa.Table]:
    """Read the synsets out of a list of all."""
    try:
        whole = read_place(place, partial(read_whole_list, wnids=wnids), context)
    except SourceError as error:
        for wnid in wnids:
            _note_answer(answers, wnid, place, error.message)
        return {}
    whole.strays.tell(context.emit, shown_name(place))
    tables = {}
    for wnid, found in whole.lists.items():
        if found.n_urls:
            tables[wnid] = _keep(place, wnid, found, context)
        elif found.tally.n_refused:
            _note_answer(answers, wnid, place, f"has no URL of {wnid}: {found.tally.in_words()}")
        else:
            _note_answer(answers, wnid, place, f"does not hold {wnid}{suggest(wnid, sorted(whole.known)).rstrip('?')}")
    return tables


def _keep(place: str, wnid: str, found: SynsetList, context: ListingContext) -> pa.Table:
    """Keep the list of a synset as it came, and tell what of it is not used."""
    table = found.table()
    _entry(place, wnid, context).save(table, {"origin": place, "tally": found.tally.as_facts()})
    context.emit(Noted(f"{wnid}: {found.n_urls:,} URLs from {place}"))
    found.tally.tell(context.emit, wnid)
    return table


_Answers = dict[str, list[str]]
"""What each place that failed answered, and for which synsets: what several have in common is said once."""


def _note_answer(answers: _Answers, wnid: str, place: str, answer: str) -> None:
    answers.setdefault(f"{place} {answer.removeprefix(place).strip().rstrip('.')}", []).append(wnid)


def _explain(wnids: Sequence[str], answers: _Answers) -> str:
    said = [
        answer.replace("{wnid}", same[0]) + (", and so on" if len(same) > 1 and "{wnid}" in answer else "")
        for answer, failed in answers.items()
        if (same := [wnid for wnid in failed if wnid in wnids])
    ]
    return f"ImageNet returned no list of {', '.join(wnids)}: {'; '.join(said)}."
