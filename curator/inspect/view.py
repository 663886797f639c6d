"""What a data set is, in questions that change nothing: counts, catalog, manifest, one image's story, the pictures.

:class:`curator.Dataset` adds the stages and what else writes.

>>> [name for name in ("table", "manifest", "fetch") if hasattr(View, name)]
['table', 'manifest']
"""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from curator.errors import StateError, raises_curator_errors
from curator.inspect.pictures import Fold
from curator.inspect.trained import Trained
from curator.manifests.project import Project
from curator.manifests.recipe import Recipe
from curator.reasons import Stage
from curator.store.paths import DataPaths
from curator.text import Command

if TYPE_CHECKING:
    import pandas as pd

    from curator.inspect.calibrate.calibrate import Calibration
    from curator.inspect.forecast.probe import Forecast
    from curator.inspect.offers import Plan
    from curator.inspect.similar import Similar
    from curator.inspect.stage_status import Status
    from curator.inspect.story import Stories
    from curator.inspect.verify import Verification
    from curator.pipeline.acquire import AcquireOptions
    from curator.store.suspects_file import Suspects


class PlanOptions(TypedDict, total=False):
    """What :meth:`curator.Dataset.fetch` would be given; see there."""

    target: int | None
    limit: int | None
    everything: bool
    refresh: bool


class View(Trained):
    """One data set as it is: its recipe, and what was made of it below ``data/<name>`` and ``manifests/<name>``."""

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.project.recipe.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the recipe's order; a label's number in ``to_tf`` and ``to_torch`` is its place here."""
        return self.project.recipe.labels

    @property
    def recipe(self) -> Recipe:
        """The recipe as it was read."""
        return self.project.recipe

    @property
    def paths(self) -> DataPaths:
        """Where its files are."""
        return self.project.paths

    @property
    def table(self) -> pd.DataFrame:
        """The latest catalog that is current: one row a listed image, kept or dropped; see docs/library.md.

        Raises:
            StateError: nothing was fetched yet, or the catalog is damaged.
        """
        from curator.pipeline.made_from import latest_stage
        from curator.store.catalog_files import read_catalog
        from curator.store.suspects_file import with_suspects

        if (stage := latest_stage(self.project)) is None:
            raise StateError(f"Nothing was fetched yet for {self.name}.", ("Run ", Command("fetch"), " first."))
        return with_suspects(read_catalog(self.paths.catalog(stage)), self.paths.suspects)

    @property
    def manifest(self) -> pd.DataFrame:
        """The manifest: one row an image of the finished data set; docs/manifest.md describes its columns.

        Raises:
            StateError: there is none yet, or it is damaged.
        """
        from curator.manifests.manifest import read_manifest

        return read_manifest(self.paths.manifest)

    @raises_curator_errors
    def status(self) -> Status:
        """Count the latest catalog per label, source and drop reason; say what is out of date and what to run next."""
        from curator.inspect.status import read_status

        return read_status(self.project)

    @raises_curator_errors
    def plan(self, **options: Unpack[PlanOptions]) -> Plan:
        """List and count what :meth:`fetch` would request, by source too; download metadata but no image."""
        from curator.inspect.offers import make_plan

        return make_plan(*self._planned(options))

    @raises_curator_errors
    def forecast(self, n_images: int = 200, **options: Unpack[PlanOptions]) -> Forecast:
        """Request ``n_images`` of what is listed and predict the yield and the cost of the whole :meth:`fetch`."""
        from curator.inspect.forecast.probe import probe
        from curator.pipeline.acquire import plan_listing

        project, settings = self._planned(options)
        return probe(project, plan_listing(project, settings), n_images, settings)

    def _planned(self, options: PlanOptions) -> tuple[Project, AcquireOptions]:
        from curator.pipeline.acquire import AcquireOptions

        settings = {name: value for name, value in options.items() if name != "target"}
        return self._with("fetch", target=options.get("target")), AcquireOptions(**settings)  # type: ignore[arg-type]

    @raises_curator_errors
    def calibrate(self, false_rate: float = 1e-6) -> Calibration:
        """Measure on altered copies of the images how many each ``max_distance`` finds, and what it confuses."""
        from curator.inspect.calibrate.calibrate import calibrate

        return calibrate(self.project, false_rate)

    @raises_curator_errors
    def hosts(self) -> pd.DataFrame:
        """Report how each host did, the worst first: requests, successes, seconds, bytes, failures and advice."""
        from curator.fetch.ledger.diagnosis import host_report

        return host_report(self.paths)

    @raises_curator_errors
    def why(self, image: str | Path) -> Stories:
        """Return the story of each row that ``image`` names: a record id, URL, file or its name, or SHA-256 (8 digits).

        Raises:
            CuratorError: no row has that name.
        """
        from curator.inspect.why import find_stories

        return find_stories(self.project, str(image))

    @raises_curator_errors
    def verify(self, *, fast: bool = False) -> Verification:
        """Check every stored file and folder against the manifest, and decode each as a reader would.

        Args:
            fast: compare the bytes only.

        Raises:
            StateError: there is no manifest.
        """
        from curator.inspect.verify import verify_files

        return verify_files(self.paths, self.project.emit, fast=fast, max_pixels=self.recipe.quality.max_pixels)

    @raises_curator_errors
    def duplicate_groups(self) -> list[dict[str, Any]]:
        """Return the groups that :meth:`dedupe` found, largest first, each with its kept image and its copies."""
        from curator.decide.verdicts import explain_groups
        from curator.store.catalog_files import read_catalog

        return explain_groups(read_catalog(self.paths.catalog(Stage.DEDUPED)))

    @raises_curator_errors
    def suspects(self, *, force: bool = False) -> Suspects:
        """Find the images that are probably wrong: another label's, no label's, or poor pictures; drop none.

        Raises:
            CuratorError: the extra ``embed`` is not installed, or no image is kept.
        """
        from curator.inspect.picture_map import draw_map
        from curator.inspect.suspects.find import find_suspects

        self._dedupe_once()
        found = find_suspects(self.project, force)
        draw_map(self.project)
        return found

    @raises_curator_errors
    def similar(self, image: str | Path, n: int = 10) -> Similar:
        """Return the ``n`` kept images most like one of the set, named as in :meth:`why`, or like any picture file.

        Raises:
            CuratorError: the extra ``embed`` is not installed, nothing has that name, or no image is kept.
        """
        from curator.inspect.similar import find_similar

        self._dedupe_once()
        return find_similar(self.project, str(image), n)

    def _dedupe_once(self) -> None:
        if not self.paths.catalog(Stage.DEDUPED).exists():
            importlib.import_module("curator.pipeline.run_stages").decide(self.project, Stage.DEDUPED, {})

    @raises_curator_errors
    def review_decisions(self) -> pd.DataFrame:
        """Return what people decided and did not undo: one row an image, with who, when, what and why."""
        import pandas as pd

        from curator.manifests.reviews import Review, read_reviews, standing_reviews

        reviews = standing_reviews(read_reviews(self.paths.reviews)).values()
        columns = [field.name for field in dataclasses.fields(Review)]
        return pd.DataFrame([dataclasses.asdict(review) for review in reviews], columns=columns)

    def fold(self, number: int) -> Fold:
        """Return one round of a cross-validation: ``number`` (from 1) is its test, and its train the other folds.

        Raises:
            CuratorError: there is no such fold.
        """
        return Fold(self.project, number)

    @raises_curator_errors
    def report(self) -> Path:
        """Write the benchmark's report again from what is on disk, without training; return the page's path."""
        from curator.report.build import build_report

        return build_report(self.project)

    @raises_curator_errors
    def gallery(self) -> Path:
        """Write a page of all groups of duplicates; return its path."""
        from curator.report.gallery import build_gallery

        return build_gallery(self.project)

    def __repr__(self) -> str:
        written = [str(stage) for stage in Stage if self.paths.catalog(stage).exists()] or ["nothing fetched yet"]
        return f"Dataset({self.name!r}, labels={list(self.labels)}, {written[-1]})"

    def _repr_html_(self) -> str:
        """Show the counts and a few pictures of each label in a notebook."""
        from curator.report.notebook import view_html

        table = self.table if self.paths.catalog(Stage.FETCHED).exists() else None
        return view_html(self.project, self.status(), table)
