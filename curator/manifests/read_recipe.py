r"""Read a recipe from its file, and report all its mistakes at once, with their lines.

>>> text = 'name = "balls"\nlabels = ["rugby", "soccer"]\n[splt]\n'
>>> try:
...     parse_recipe(text, {})
... except RecipeError as error:
...     print(error.problems[0])
needs at least one [[sources]] table
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curator.errors import CuratorError, Problem, RecipeError, why
from curator.manifests.group_pattern import pattern_problem
from curator.manifests.labels import label_problems
from curator.manifests.recipe import NAME_PATTERN, Recipe
from curator.manifests.settings import SECTIONS, BalanceSettings, LicenceSettings, SplitSettings
from curator.manifests.toml_settings import Limits, convert, line_of, parse_toml, read_settings, suggest
from curator.store.hand_written import read_hand_written
from curator.store.plain_json import shown


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
        raise CuratorError(f"The recipe {path} cannot be read ({why(error)}).", hint) from error
    return parse_recipe(text, source_kinds, path, model_names)


def parse_recipe(
    text: str, source_kinds: Mapping[str, type[Any]], path: Path | None = None, model_names: Sequence[str] = ()
) -> Recipe:
    """Check a recipe's text; see :func:`load_recipe`."""
    try:
        table = parse_toml(text)
    except ValueError as error:
        raise RecipeError(path, [Problem("", str(error))]) from error
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
        name, names = table.get("name"), self._labels(table.get("labels"))
        labels = tuple(names)
        if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
            self.add("", "name", f"name must be lower-case letters, digits, - and _, not {shown(name)}")
        sections = {key: self._section(key, cls, table.get(key, {})) for key, cls in SECTIONS.items()}
        if model_names and (broken := Limits(choices=tuple(model_names)).broken_by(sections["benchmark"].models)):
            self.add("benchmark", "models", f"[benchmark] models {broken}")
        if "licence" in table:
            self._check_licences(sections["licence"])
        sources = self._sources(table.get("sources", []), labels)
        if not self.problems:
            self._check_counts(sections["balance"], sections["split"], labels)
        if self.problems:
            return None
        return Recipe(str(name), labels, sources, label_names=names, path=self.path, **sections)

    def add(self, section: str, key: str, message: str, index: int = 0) -> None:
        self.problems.append(Problem("", message, line_of(self.text, section, key, index)))

    def _labels(self, labels: Any) -> dict[str, tuple[str, ...]]:
        """Read the labels, a list, or a table of each one's other names."""
        try:
            texts = convert([] if labels is None else list(labels), tuple[str, ...])
            names: dict[str, tuple[str, ...]] = dict.fromkeys(texts, ())
            if isinstance(labels, dict):
                names = convert(labels, dict[str, tuple[str, ...]])
        except TypeError as error:
            self.add("", "labels", f"labels {error}")
            return {}
        if len(names) < 2 or len(names) != len(texts):
            self.add("", "labels", f"labels must be a list of at least two different labels, not {shown(labels)}")
        for problem in label_problems(names):
            self.add("", "labels", problem)
        return names

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
        if not isinstance(kind, str) or kind not in self.source_kinds:
            known = f"{', '.join(map(repr, self.source_kinds))}, not {shown(kind)}{suggest(kind, self.source_kinds)}"
            self.add("sources", "kind", f"{where} kind must be one of {known}", index)
            return None
        source = self._settings(self.source_kinds[kind], table, where, "sources", index)
        for key, message in source.problems(labels) if source else ():
            self.add("sources", key, f"{where} {key} {message}", index)
        return source

    def _check_licences(self, settings: LicenceSettings) -> None:
        """Check which licences are allowed, unless what is written could not even be read."""
        is_told = {(problem.where, problem.message.partition(" ")[0]) for problem in self.problems}
        for key, text in settings.problems():
            if ("[licence]", key) not in is_told:
                self.add("licence", key, f"[licence] {text}")

    def _check_counts(self, balance: BalanceSettings, split: SplitSettings, labels: tuple[str, ...]) -> None:
        if isinstance(balance.per_class, Mapping) and set(balance.per_class) != set(labels):
            for label in sorted(set(balance.per_class) - set(labels)):
                message = f"[balance] per_class names {label!r}, which is not in labels{suggest(label, labels)}"
                self.add("balance", "per_class", message)
            if missing := [label for label in labels if label not in balance.per_class]:
                self.add("balance", "per_class", f"[balance] per_class has no number for {', '.join(missing)}")
        if wrong := pattern_problem(split.group_pattern):
            self.add("split", "group_pattern", f"[split] group_pattern is no regular expression (RE2): {wrong}")
        found = list(split.problems())
        for key, text in found:
            self.add("split", key, f"[split] {text}")
        if not found and split.train and split.test:
            total = split.train + split.test + int(split.val or 0)
            if balance.per_class != total:
                sides = "train + val + test" if split.val else "train + test"
                message = f"[balance] per_class must be {sides} = {total}, not {balance.per_class!r}"
                self.add("balance", "per_class", message)
