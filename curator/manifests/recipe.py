"""A recipe: what a data set is to be, read from ``manifests/<name>/recipe.toml`` into frozen settings.

Every default lives here (a source's own defaults live beside the source). All mistakes are reported at once.

>>> BalanceSettings().per_class
1224
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curator.errors import CuratorError, Problem, RecipeError
from curator.manifests.toml_settings import Limits, line_of, read_settings, setting, suggest
from curator.store.hand_written import read_hand_written

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class FetchSettings:
    """How images are downloaded."""

    target: int = setting(0, "images to obtain per label; 0 means twice per_class", minimum=0)
    connections: int = setting(64, "transfers in flight at once", minimum=1, maximum=1024)
    per_host: int = setting(8, "requests in flight per host", minimum=1, maximum=256)
    delay_s: float = setting(0.0, "least seconds between two requests to one host", minimum=0, maximum=3600)
    timeout_s: float = setting(30.0, "most seconds for one whole request", above=0, maximum=3600)
    retries: int = setting(2, "further tries after a failure that may pass (timeout, 429, 5xx, reset)", minimum=0)
    max_bytes: int = setting(25_000_000, "largest file accepted, in bytes", minimum=1_000)
    proxy: str = setting("", "address of a proxy; those named in the environment are ignored")
    allow_private_hosts: bool = setting(False, "allow loopback, private and link-local addresses")
    honour_noai: bool = setting(True, "leave out images whose X-Robots-Tag says noai, noimageai or noml")
    robots: bool = setting(False, "request each host's robots.txt first, and follow it")
    contact: str = setting("", "address or page put in the User-Agent so that a host can reach you")


@dataclass(frozen=True)
class QualitySettings:
    """Which images are good enough."""

    min_side: int = setting(64, "least shorter side, in pixels", minimum=1)
    max_pixels: int = setting(100_000_000, "most pixels (width x height); larger files are never decoded", minimum=1)
    max_aspect: float = setting(5.0, "most longer side / shorter side", minimum=1)


@dataclass(frozen=True)
class DedupeSettings:
    """Which images are the same picture."""

    max_distance: int = setting(
        10, "most differing bits of 64 for a closer look at two pictures", minimum=0, maximum=16
    )
    rotations: bool = setting(True, "find rotated and mirrored copies too")
    across_labels: str = setting(
        "drop-both", "one picture under two labels", choices=("drop-both", "keep-first", "ignore")
    )
    keep: str = setting(
        "largest", "representative of a group: most pixels, then bytes; or first source", choices=("largest", "first")
    )
    suspect_placeholders: bool = setting(True, "drop what one host serves alike at three or more unrelated addresses")
    against: tuple[str, ...] = setting((), "manifests or folders of images: what they have already is dropped")
    report_only: bool = setting(False, "only report what `against` has already, drop none of it")


@dataclass(frozen=True)
class BalanceSettings:
    """How many images each label gets."""

    per_class: int | Literal["max"] = setting(1224, "images per label; max: as many as the smallest has", minimum=1)


GROUPINGS = ("near-duplicate", "author", "page")


@dataclass(frozen=True)
class SplitSettings:
    """Which images train and which test."""

    ratio: float = setting(0.8, "share of each label in train", above=0, below=1)
    train: int | None = setting(None, "exact images per label in train (with test; replaces ratio)", minimum=1)
    test: int | None = setting(None, "exact images per label in test (with train; replaces ratio)", minimum=1)
    seed: int = setting(0, "another seed is another split", minimum=0)
    stable: bool = setting(True, "images of the previous split keep their side")
    group_by: tuple[str, ...] = setting(GROUPINGS, "what stays on one side of the split", choices=GROUPINGS)


@dataclass(frozen=True)
class BenchmarkSettings:
    """Which models are compared, and how they are trained."""

    models: tuple[str, ...] = setting(("cnn", "mobilenet_v2"), "the models to compare")
    preset: str = setting("default", "training settings", choices=("default", "article"))
    epochs: int | None = setting(None, "epochs; the preset's own number if not given", minimum=1)
    seeds: tuple[int, ...] = setting((0, 1, 2), "one training run per seed", minimum=0)
    image_size: int = setting(224, "side of the square input, in pixels", minimum=32, maximum=512)
    batch_size: int = setting(32, "images per step", minimum=1)


SECTIONS: Mapping[str, type[Any]] = {
    "fetch": FetchSettings,
    "quality": QualitySettings,
    "dedupe": DedupeSettings,
    "balance": BalanceSettings,
    "split": SplitSettings,
    "benchmark": BenchmarkSettings,
}


@dataclass(frozen=True)
class Recipe:
    """A whole recipe; ``sources`` holds each source's own settings in the order of the file."""

    name: str
    labels: tuple[str, ...]
    sources: tuple[Any, ...]
    fetch: FetchSettings = field(default_factory=FetchSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    dedupe: DedupeSettings = field(default_factory=DedupeSettings)
    balance: BalanceSettings = field(default_factory=BalanceSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    benchmark: BenchmarkSettings = field(default_factory=BenchmarkSettings)
    path: Path | None = None

    @property
    def base_dir(self) -> Path:
        """The folder that relative paths in the recipe start from."""
        return self.path.parent if self.path else Path()

    @property
    def target(self) -> int:
        """Images to obtain per label."""
        if self.fetch.target:
            return self.fetch.target
        return 2 * self.balance.per_class if isinstance(self.balance.per_class, int) else 0

    def with_overrides(self, section: str, **values: Any) -> Recipe:
        """Return a recipe whose ``section`` has these values; None values are left as they are.

        A ``ratio`` replaces the exact counts ``train`` and ``test`` of the recipe, as these replace its ratio.

        Raises:
            RecipeError: a value is out of its range; the message names the option.
        """
        given = {key: value for key, value in values.items() if value is not None}
        problems: list[Problem] = []
        checked = read_settings(SECTIONS[section], given, f"--{section}", problems.append)
        if problems:
            words = [problem.message.partition(" ") for problem in problems]
            options = [f"--{key.replace('_', '-')} {rest}" for key, _, rest in words]
            raise RecipeError(None, [Problem("", option) for option in options])
        changed = {key: getattr(checked, key) for key in given}
        if "ratio" in given and section == "split":
            changed |= {"train": None, "test": None}
        return dataclasses.replace(self, **{section: dataclasses.replace(getattr(self, section), **changed)})


def load_recipe(path: Path, source_kinds: Mapping[str, type[Any]], model_names: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe file.

    Args:
        model_names: the models that ``[benchmark]`` may name; none given, they are checked when the benchmark starts.
        source_kinds: source kind to its class: :func:`curator.sources.registry.source_kinds`.

    Raises:
        RecipeError: with every mistake found.
    """
    try:
        text = read_hand_written(path)
    except ValueError as error:
        raise RecipeError(path, [Problem("", str(error))]) from error
    except OSError as error:
        hint = "`curator init birds heron stork` writes a new one, of birds."
        raise CuratorError(f"The recipe {path} cannot be read ({error.strerror}).", hint) from error
    return parse_recipe(text, source_kinds, path, model_names)


def parse_recipe(
    text: str, source_kinds: Mapping[str, type[Any]], path: Path | None = None, model_names: Sequence[str] = ()
) -> Recipe:
    """Check a recipe's text; see :func:`load_recipe`."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(path, [Problem("", f"is not valid TOML: {error}")]) from error
    reader = _Reader(text, path, source_kinds)
    recipe = reader.read(table, model_names)
    if reader.problems or recipe is None:
        raise RecipeError(path, sorted(reader.problems, key=lambda problem: problem.line or 0))
    return recipe


class _Reader:
    """Reads one recipe's table and collects its problems with their lines."""

    def __init__(self, text: str, path: Path | None, source_kinds: Mapping[str, type[Any]]) -> None:
        self.text, self.path, self.source_kinds = text, path, source_kinds
        self.problems: list[Problem] = []

    def read(self, table: dict[str, Any], model_names: Sequence[str]) -> Recipe | None:
        known = ("name", "labels", "sources", *SECTIONS)
        for key in table:
            if key not in known:
                section, word = (key, f"[{key}]") if isinstance(table[key], dict) else ("", key)
                self.add(section, key, f"{word} is unknown{suggest(key, known)}")
        name, labels = table.get("name"), self._labels(table.get("labels"))
        if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
            self.add("", "name", f"name must be lower-case letters, digits, - and _, not {name!r}")
        sections = {key: self._section(key, cls, table.get(key, {})) for key, cls in SECTIONS.items()}
        if model_names and (broken := Limits(choices=tuple(model_names)).broken_by(sections["benchmark"].models)):
            self.add("benchmark", "models", f"[benchmark] models {broken}")
        sources = self._sources(table.get("sources", []), labels)
        if not self.problems:
            self._check_counts(sections["balance"], sections["split"])
        if self.problems:
            return None
        return Recipe(name=str(name), labels=labels, sources=sources, path=self.path, **sections)

    def add(self, section: str, key: str, message: str, index: int = 0) -> None:
        self.problems.append(Problem("", message, line_of(self.text, section, key, index)))

    def _labels(self, labels: Any) -> tuple[str, ...]:
        distinct = {str(label): label for label in labels} if isinstance(labels, list) else {}
        if len(distinct) < 2 or len(distinct) != len(labels):
            self.add("", "labels", f"labels must be a list of at least two different labels, not {labels!r}")
        for label in distinct.values():
            if not isinstance(label, str) or not NAME_PATTERN.fullmatch(label):
                self.add("", "labels", f"label {label!r} must be lower-case letters, digits, - and _ only")
        return tuple(distinct)

    def _section(self, key: str, cls: type[Any], table: Any) -> Any:
        if not isinstance(table, dict):
            self.add("", key, f"[{key}] must be a table")
            return cls()
        return self._settings(cls, table, f"[{key}]", key)

    def _settings(self, cls: type[Any], table: dict[str, Any], where: str, section: str, index: int = 0) -> Any:
        problems: list[Problem] = []
        settings = read_settings(cls, table, where, problems.append)
        for problem in problems:
            line = line_of(self.text, section, problem.message.split(" ", 1)[0], index)
            self.problems.append(dataclasses.replace(problem, line=line))
        return settings

    def _sources(self, tables: Any, labels: tuple[str, ...]) -> tuple[Any, ...]:
        if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
            self.add("", "sources", "needs at least one [[sources]] table")
            return ()
        n_before = len(self.problems)
        found = [self._source(index, dict(table), labels) for index, table in enumerate(tables)]
        sources = tuple(source for source in found if source is not None)
        if len(sources) == len(tables) and len(self.problems) == n_before:
            covered = {label for source in sources for label in source.covers(labels)}
            for label in labels:
                if label not in covered:
                    self.add("", "labels", f"label {label!r} has no source: add it to one, or a [[sources]] table")
        return sources

    def _source(self, index: int, table: dict[str, Any], labels: tuple[str, ...]) -> Any:
        kind = table.pop("kind", None)
        where = f"[[sources]] no. {index + 1}"
        if kind not in self.source_kinds:
            known = f"{', '.join(map(repr, self.source_kinds))}, not {kind!r}{suggest(kind, self.source_kinds)}"
            self.add("sources", "kind", f"{where} kind must be one of {known}", index)
            return None
        source = self._settings(self.source_kinds[kind], table, where, "sources", index)
        for key, message in source.problems(labels, self.path.parent if self.path else Path()) if source else ():
            self.add("sources", key, f"{where} {key} {message}", index)
        return source

    def _check_counts(self, balance: BalanceSettings, split: SplitSettings) -> None:
        if (split.train is None) != (split.test is None):
            self.add("split", "train", "[split] train and test go together: set both, or ratio alone")
        elif split.train and split.test and balance.per_class != split.train + split.test:
            total = split.train + split.test
            message = f"[balance] per_class must be train + test = {total}, not {balance.per_class!r}"
            self.add("balance", "per_class", message)
