"""The Hugging Face source: a data set of images as Parquet, on the hub or in a folder, with pictures or addresses.

Its files are read as a url-list reads Parquet; the names of classes and the licence come from the data set's card.

>>> HuggingFace().problems(("cat", "dog"))
[('repo', 'or path is missing, such as repo = "uoft-cs/cifar10"')]
>>> HuggingFace(repo="cifar-10/", path="x").problems(("cat", "dog"))[0]
('repo', 'and path are two places: write one of them')
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from curator import catalog
from curator.errors import SourceError
from curator.manifests.toml_settings import setting
from curator.sources.base import ListingContext, PlannedRead, Source, unknown_label
from curator.sources.huggingface.hub import DataSetOnHub, ask_hub, licence_of, with_token
from curator.sources.large_columns import changed
from curator.sources.named_files import state_of_files
from curator.sources.reading.places import is_url, local_path, missing_place
from curator.sources.table_forms import N_SAME
from curator.sources.url_list.class_names import names_beside
from curator.sources.url_list.columns import column_problems
from curator.sources.url_list.table_files import configurations, side_of_place
from curator.sources.url_list.url_list_source import UrlList

_REPO = re.compile(r"(?:[A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class HuggingFace(Source):
    """``kind = "huggingface"``: a data set of the hub, or of a folder, as Parquet."""

    kind: ClassVar[str] = "huggingface"

    repo: str = setting("", "the data set on the hub: owner/name")
    path: str = setting("", "a folder with its Parquet files, in the place of `repo`")
    config: str = setting("", "its configuration, if it has several; else `default`")
    splits: tuple[str, ...] = setting((), "its splits, such as train; else all")
    label: str = setting("", "the label of all rows, if it has no column of labels")
    columns: Mapping[str, str] | None = setting(None, "what which column is, if its name does not say it")
    name: str = setting("", "the source's name in tables; its kind if not given")

    def covers(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that this source can list."""
        return tuple(label for label in labels if self.label in ("", label))

    def problems(self, labels: Sequence[str]) -> list[tuple[str, str]]:
        """List the recipe's mistakes that only this source can see, as (key, message) pairs."""
        found = [("columns", problem) for problem in column_problems(self.columns or {})]
        found += unknown_label(self.label, labels)
        if bool(self.repo) == bool(self.path):
            what = "and path are two places: write one of them"
            found.append(("repo", what if self.repo else 'or path is missing, such as repo = "uoft-cs/cifar10"'))
        elif self.repo and not _REPO.fullmatch(self.repo):
            found.append(("repo", f"must be the name of a data set on the hub, owner/name, not {self.repo!r}"))
        elif is_url(self.path):
            found.append(("path", "must be a folder; a data set of the hub is `repo`"))
        return found

    def missing(self, base_dir: Path) -> list[tuple[str, str]]:
        """List the local places that are not there now, as (key, message) pairs."""
        problem = missing_place(self.path, base_dir, folder=True) if self.path else None
        return [("path", problem)] if problem else []

    def local_state(self, base_dir: Path) -> str:
        """Hash the sizes and times of its local files."""
        return state_of_files(map(str, self._files(base_dir)), f"{base_dir}/") if self.path else ""

    def plan(self, tier: int, context: ListingContext) -> Sequence[PlannedRead]:
        """Return how large its files are; the hub is asked which they are."""
        context = with_token(context)
        return self._table(self._known(context), context).plan(tier, context)

    def list_images(self, tier: int, labels: Sequence[str], context: ListingContext) -> pd.DataFrame:
        """List the pictures or addresses of ``labels``.

        Raises:
            SourceError: the hub refuses, a file cannot be read or has no labels, or nothing is listed.
        """
        context = with_token(context)
        known = self._known(context)
        listed = self._table(known, context).list_images(tier, labels, context)
        if not known.licence:
            return listed
        stated = pa.chunked_array(pa.array(listed["license"], from_pandas=True))
        licence = pa.scalar(known.licence)
        licensed = catalog.with_columns(listed, {"license": changed(stated, lambda texts: pc.coalesce(texts, licence))})
        licensed.attrs[N_SAME] = listed.attrs[N_SAME]
        return licensed

    def _known(self, context: ListingContext) -> DataSetOnHub:
        """Return what is known of the data set, of which `places` are to be read."""
        if self.repo:
            try:
                return ask_hub(self.repo, context)
            except SourceError as error:
                raise self._failed(error) from error
        files = self._files(context.base_dir)
        if not files:
            folder = local_path(self.path, context.base_dir)
            raise SourceError(
                f"The data set {folder} has no Parquet file.", "Name a folder of a data set of Parquet files."
            )
        if not self.config and len(several := configurations(local_path(self.path, context.base_dir))) > 1:
            hint = f'Write the one that you mean, such as `config = "{several[0]}"`.'
            raise SourceError(f"The data set {self.path} has several configurations ({', '.join(several)}).", hint)
        by_split: dict[str, list[str]] = {}
        for file in files:
            side = side_of_place(str(file)) or "all"
            by_split.setdefault({"val": "validation"}.get(side, side), []).append(str(file))
        top = local_path(self.path, context.base_dir).absolute()
        classes, cards = names_beside(top)
        context.watch(cards)
        name = self.config or "default"
        return DataSetOnHub({name: by_split}, {name: classes}, _licence_beside(top))

    def _files(self, base_dir: Path) -> list[Path]:
        """Return the Parquet files below the folder, those of one configuration if one is named."""
        top = local_path(self.path, base_dir).absolute()
        found = [file for file in sorted(top.rglob("*.parquet")) if file.is_file() and file.name[0] != "."]
        if not self.config:
            return found
        in_folder = [file for file in found if self.config in file.relative_to(top).parts[:-1]]
        return in_folder or [file for file in found if re.match(rf"{re.escape(self.config)}[-_.]", file.name)]

    def _table(self, known: DataSetOnHub, context: ListingContext) -> _Parts:
        try:
            places = known.places(self.config, self.splits)
        except SourceError as error:
            raise self._failed(error) from error
        what = self.repo or self.path
        classes = known.names(self.config)
        return _Parts(tuple(places), self.label, self.columns, name=self.name, what=what, classes=classes)

    def _failed(self, error: SourceError) -> SourceError:
        return SourceError(f"The data set {self.repo or self.path}: {error.message.rstrip('.')}.", error.hint)


def _licence_beside(folder: Path) -> str:
    """Read the licence out of the YAML at the beginning of a card; nothing if it states several or none."""
    with suppress(OSError):
        head = (folder / "README.md").read_text(encoding="utf-8", errors="replace").partition("\n---")[0]
        found = re.search(r"^license: *['\"]?([\w.-]+)['\"]? *$", head, re.MULTILINE)
        return licence_of({"license": found[1]}) if found else ""
    return ""


@dataclass(frozen=True)
class _Parts(UrlList):
    """The Parquet files of a data set, as one table."""

    kind: ClassVar[str] = HuggingFace.kind

    what: str = ""
    classes: Mapping[str, Mapping[str, str]] | None = None

    @property
    def _place(self) -> str:
        return self.what

    def classes_of(
        self, rows: pa.Table, roles: Mapping[str, str], places: Sequence[str], context: ListingContext
    ) -> list[Mapping[str, str]]:
        """Return the names of classes as files beside a table have them, then as the card has them."""
        in_card = (self.classes or {}).get(roles.get("label", ""))
        return [*super().classes_of(rows, roles, places, context), *([in_card] if in_card else [])]
