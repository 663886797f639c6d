"""The public API: one data set and what can be done with it. The command line calls it, and so does a notebook.

Methods return results and raise :class:`curator.errors.CuratorError`; they print nothing and never exit. After Ctrl-C
(``KeyboardInterrupt``) the files are whole, and the same call goes on from there.

>>> import tempfile
>>> (folder := Path(tempfile.mkdtemp())).joinpath("photos").mkdir()
>>> source = {"kind": "folder", "path": folder / "photos"}
>>> birds = create_dataset("birds", labels=["heron", "stork"], sources=[source], manifests=folder, data=folder / "data")
>>> birds
Dataset('birds', labels=['heron', 'stork'], nothing fetched yet)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from curator.errors import raises_curator_errors
from curator.events import Listener
from curator.inspect.view import View
from curator.manifests.project import home_of_new_recipe, open_project, sources_of_new_recipe
from curator.pipeline.sharing import Sharing
from curator.reasons import Stage

if TYPE_CHECKING:
    from curator.benchmark.metrics_file import BenchmarkResult
    from curator.inspect.stage_result import RunResult, StageResult
    from curator.manifests.settings import PerClass

Retry = Literal["none", "failed", "all"]


class Dataset(View, Sharing):
    """One data set: its recipe, and what was made of it below ``data/<name>`` and ``manifests/<name>``.

    Made by :func:`curator.open` or :func:`curator.create`. Each stage brings those before it up to date, skips what is
    current, and returns a :class:`curator.inspect.stage_result.StageResult`: counts, notes, what is missing.
    """

    @raises_curator_errors
    def fetch(
        self,
        *,
        target: int | None = None,
        limit: int | None = None,
        retry: Retry = "none",
        everything: bool = False,
        refresh: bool = False,
        engine: str | None = None,
    ) -> StageResult:
        """List, download and observe images; what is there already is not requested again.

        Args:
            target: images to obtain per label; None: the recipe's.
            limit: try at most so many images per label.
            retry: which failures to request again: ``none``, those that may pass (``failed``), or ``all``.
            everything: go past the target.
            refresh: read lists and metadata again instead of from the cache.
            engine: ``local``, or ``ray`` for the workers of a cluster, too; None: the recipe's.

        Raises:
            SourceError: no source could be listed.
            CuratorError: there is no cluster, or a machine of it is refused.
        """
        from curator.inspect.stage_result import stage_result
        from curator.pipeline.acquire import AcquireOptions
        from curator.pipeline.run_stages import fetch

        project = Dataset(self._with("fetch", target=target))._with("engine", kind=engine)
        return stage_result(project, Stage.FETCHED, fetch(project, AcquireOptions(limit, everything, retry, refresh)))

    def dedupe(
        self,
        *,
        mode: str | None = None,
        max_distance: int | None = None,
        rotations: bool | None = None,
        across_labels: str | None = None,
        keep: str | None = None,
        against: Sequence[str | Path] | None = None,
        report_only: bool | None = None,
        force: bool = False,
        engine: str | None = None,
    ) -> StageResult:
        """Drop exact, near and cross-label duplicates. Arguments that are None keep the recipe's ``[dedupe]``.

        ``engine="ray"`` searches and compares on the workers of a cluster, too; the result is the same.

        Raises:
            StateError: nothing was fetched yet.
            RecipeError: an argument is out of its range.
        """
        places = tuple(str(Path(place).absolute()) for place in against) if against else None
        options: dict[str, Any] = {"mode": mode, "max_distance": max_distance, "rotations": rotations, "keep": keep}
        options |= {"across_labels": across_labels, "against": places, "report_only": report_only}
        return Dataset(self._with("engine", kind=engine))._decide(Stage.DEDUPED, {"dedupe": options}, force)

    def balance(self, per_class: PerClass | None = None, *, force: bool = False) -> StageResult:
        """Choose ``per_class`` images a label (``"max"``: as many as the smallest has; ``"all"``: what each has).

        Raises:
            ShortfallError: a label has too few images; nothing was written.
        """
        return self._decide(Stage.BALANCED, {"balance": {"per_class": per_class}}, force)

    def split(
        self,
        ratio: float | None = None,
        *,
        val: float | None = None,
        folds: int | None = None,
        seed: int | None = None,
        per_class: PerClass | None = None,
        resplit: bool = False,
        force: bool = False,
    ) -> StageResult:
        """Split into train, val (if asked for) and test; write the manifest and the folders.

        Args:
            ratio, val: share of each label in train and in val, or (an int) the images in val; None: the recipe's.
            folds, seed, per_class: see :meth:`fold`; another seed is another split; see :meth:`balance`.
            resplit, force: let images change sides; do it again even if nothing changed.

        Raises:
            ShortfallError: a label has too few images.
            CuratorError: other settings than those of the manifest that exists, without ``resplit``.
        """
        side: dict[str, Any] = {"ratio": ratio, "val": val, "folds": folds, "seed": seed}
        return self._decide(Stage.SPLIT, {"split": side, "balance": {"per_class": per_class}}, force, resplit)

    @raises_curator_errors
    def benchmark(
        self,
        *,
        models: Sequence[str] | None = None,
        preset: str | None = None,
        epochs: int | None = None,
        seeds: Sequence[int] | None = None,
        image_size: int | None = None,
        batch_size: int | None = None,
        weights: str | Path | None = None,
        quick: bool = False,
        resume: bool = False,
    ) -> BenchmarkResult:
        """Train the models on the manifest's images, compare them, and write metrics, plots and the report.

        Args:
            models, preset, epochs, seeds, image_size, batch_size: as in the recipe's ``[benchmark]``.
            weights: the transfer model's ImageNet weights; None looks in ``$CURATOR_WEIGHTS`` and Keras' cache.
            quick: a smoke test of under three minutes.
            resume: go on from the checkpoints of a previous run with the same settings, such as an interrupted one.

        Raises:
            CuratorError: the extra ``benchmark`` is not installed, or the manifest or the weights cannot be used.
        """
        from curator.benchmark.run_benchmark import run_benchmark
        from curator.report.build import build_report

        options: dict[str, Any] = {"preset": preset, "epochs": epochs, "image_size": image_size}
        options |= {"batch_size": batch_size, "models": models and tuple(models), "seeds": seeds and tuple(seeds)}
        project, found = self._with("benchmark", **options), Path(weights) if weights else None
        try:
            result = run_benchmark(project, weights=found, quick=quick, resume=resume)
        except KeyboardInterrupt:
            build_report(project)
            raise
        build_report(project)
        return result

    def run(
        self,
        *,
        benchmark: bool = True,
        per_class: PerClass | None = None,
        ratio: float | None = None,
        val: float | None = None,
        folds: int | None = None,
    ) -> RunResult:
        """Fetch, dedupe, balance and split, see :meth:`split`; then, unless a label is short, :meth:`benchmark`."""
        from curator.inspect.stage_result import RunResult
        from curator.pipeline.held_sides import require_same_split

        if self.recipe.split.stable:  # before hours of fetching
            require_same_split(self.paths, self._with("split", ratio=ratio, val=val).recipe.split)
        Dataset(self._with("balance", per_class=per_class)).fetch()
        split = self.split(ratio, val=val, folds=folds, per_class=per_class)
        return RunResult(split, self.benchmark() if benchmark and not split.missing else None)

    @raises_curator_errors
    def serve_review(
        self, who: str, announce: Callable[[str, int], None], port: int = 0, host: str = "127.0.0.1"
    ) -> int:
        """Serve the review page until Ctrl-C; return the number of decisions, which bear the name ``who``.

        Args:
            announce: called with the page's address and the number of images once it can be opened.
            host: the address to serve it on, such as ``0.0.0.0`` for a telephone in the same network.

        Raises:
            CuratorError: the extra ``review`` is not installed.
        """
        from curator.review.start_review import start_review

        return start_review(self.project, who, port, announce, host)

    @raises_curator_errors
    def _decide(self, stage: Stage, overrides: dict[str, Any], force: bool, resplit: bool = False) -> StageResult:
        from curator.inspect.decide_stage import decide_stage

        return decide_stage(self.project, stage, overrides, force, resplit)


def open_dataset(
    name_or_path: str | Path | None = None, *, data: str | Path | None = None, emit: Listener | None = None
) -> Dataset:
    """Open a data set by its name below ``manifests/``, or by its recipe's path; ``curator.open`` is this function.

    The project is looked for upwards from the working folder, as git does. Changing that folder later changes nothing.

    Args:
        name_or_path: None: ``$CURATOR_RECIPE``, else the only recipe there is.
        data: the folder that data sets are kept in; None: ``data`` in the recipe's project.
        emit: called with each :class:`curator.events.Event`; None: progress bars in a notebook or terminal, and
            warnings by :mod:`warnings`.

    Raises:
        CuratorError: no such recipe, or several and none chosen.
        RecipeError: the recipe has mistakes; the error names all of them.
    """
    from curator.benchmark.models.registry import model_names
    from curator.progress import Bars
    from curator.sources.registry import source_kinds

    wanted = str(name_or_path) if name_or_path is not None else None
    return Dataset(open_project(wanted, data, os.environ, source_kinds(), emit or Bars(), model_names()).absolute())


def create_dataset(
    name: str,
    *,
    labels: Sequence[str] | Mapping[str, Sequence[str]] = (),
    sources: Sequence[Mapping[str, Any]] = (),
    places: Sequence[str | Path] = (),
    manifests: str | Path | None = None,
    data: str | Path | None = None,
    emit: Listener | None = None,
    **sections: Mapping[str, Any],
) -> Dataset:
    """Write a recipe and open it; ``curator.create`` is this function.

    Args:
        name: lower-case letters, digits, - and _.
        labels: two or more texts; or a mapping of each to what else means it in a source, names and patterns.
        sources: one mapping a source, ``kind`` and its keys (docs/recipe.md); ``path`` starts at the working folder.
        places: folders of pictures and tables to look at instead, as ``curator init --from`` does: labels (of those
            named, if any are), sources and sections come from what is there.
        manifests: the recipe becomes ``<manifests>/<name>/recipe.toml``; None: ``manifests`` in the project that the
            working folder is in, else in the working folder.
        data, emit: see :func:`open_dataset`.
        sections: further tables of the recipe, such as ``balance={"per_class": 1000}``; without it, ``"max"``.

    Raises:
        RecipeError: something in it is not allowed; nothing was written.
        SourceError: no data set can be made of the places.
        CuratorError: the recipe exists already, or another one has the data folder of this name.
    """
    from curator.manifests.recipe_template import write_new_recipe
    from curator.sources.registry import source_kinds
    from curator.survey.survey import propose_sections, survey

    homes = home_of_new_recipe(name, manifests, data)
    tables: dict[str, Mapping[str, Any]] = {"balance": {"per_class": "max"}, **sections}
    if places:
        found = survey(list(map(str, places)), tuple(labels), cache_dir=sources_of_new_recipe(homes, name, data))
        labels, sources, tables = found.labels, found.sources, {**propose_sections(found), **sections}
    path = write_new_recipe(homes, name, labels, sources, tables, source_kinds())
    return open_dataset(path, data=data, emit=emit)
