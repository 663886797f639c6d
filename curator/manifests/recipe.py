"""A recipe: what a data set is to be.

>>> Recipe("balls", ("rugby", "soccer"), ()).with_overrides("split", ratio=0.7).split.ratio
0.7
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator.errors import OptionError, Problem
from curator.manifests.settings import (
    PATTERN,
    SECTIONS,
    BalanceSettings,
    BenchmarkSettings,
    DedupeSettings,
    EmbedSettings,
    EngineSettings,
    FetchSettings,
    LicenceSettings,
    ListSettings,
    QualitySettings,
    SplitSettings,
    StoreSettings,
    SuspectsSettings,
)
from curator.manifests.toml_settings import read_settings

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Recipe:
    """A whole recipe.

    Attributes:
        sources: each source's own settings, in the order of the file.
        label_names: what else means each label in a source; see :class:`curator.manifests.labels.LabelFinder`.
    """

    name: str
    labels: tuple[str, ...]
    sources: tuple[Any, ...]
    fetch: FetchSettings = field(default_factory=FetchSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    dedupe: DedupeSettings = field(default_factory=DedupeSettings)
    balance: BalanceSettings = field(default_factory=BalanceSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    benchmark: BenchmarkSettings = field(default_factory=BenchmarkSettings)
    embed: EmbedSettings = field(default_factory=EmbedSettings)
    suspects: SuspectsSettings = field(default_factory=SuspectsSettings)
    lists: ListSettings = field(default_factory=ListSettings)
    licence: LicenceSettings = field(default_factory=LicenceSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    label_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path: Path | None = None

    @property
    def base_dir(self) -> Path:
        """The folder that relative paths in the recipe start from."""
        return self.path.parent if self.path else Path()

    def target_of(self, label: str) -> int:
        """Return the images to obtain of a label; 0: all that there are."""
        return self.fetch.target or 2 * self.balance.wanted_of(label)

    @property
    def groupings(self) -> tuple[str, ...]:
        """What stays on one side of the split: near-duplicates only by their bytes, if ``[dedupe]`` says so.

        What ``group_pattern`` finds is a grouping of its own, called :data:`PATTERN` and the expression.
        """
        by_bytes = {} if self.dedupe.mode == "near" else {"near-duplicate": "exact-duplicate"}
        pattern = (PATTERN + self.split.group_pattern,) if self.split.group_pattern else ()
        return (*(by_bytes.get(name, name) for name in self.split.group_by), *pattern)

    def with_overrides(self, section: str, **values: Any) -> Recipe:
        """Return a recipe whose ``section`` has these values; None values are left as they are.

        A ``ratio`` replaces the exact counts ``train`` and ``test`` of the recipe, as these replace its ratio.

        Raises:
            OptionError: a value is out of its range; the message names the option.
        """
        given = {key: value for key, value in values.items() if value is not None}
        problems: list[Problem] = []
        checked = read_settings(SECTIONS[section], given, f"--{section}", problems.append)
        if problems:
            words = [problem.message.partition(" ") for problem in problems]
            raise OptionError(*(f"{_option(section, key)} {rest}" for key, _, rest in words))
        changed = {key: getattr(checked, key) for key in given}
        if "ratio" in given and section == "split":
            changed |= {"train": None, "test": None}
        after = dataclasses.replace(getattr(self, section), **changed)
        if section == "split" and given and (found := list(after.problems())):
            raise OptionError(*(_does_not_go(section, given, key, text) for key, text in found))
        return dataclasses.replace(self, **{section: after})


def _option(section: str, key: str) -> str:
    """Return the option that overrides a key of a recipe."""
    return f"--{section if key == 'kind' else key.replace('_', '-')}"


def _does_not_go(section: str, given: Mapping[str, Any], key: str, text: str) -> str:
    """Say what is wrong with options, or with what a recipe says beside them; ``text`` begins with the ``key``."""
    if key in given:
        return f"{_option(section, key)} {text.partition(' ')[2]}"
    options = " and ".join(_option(section, one) for one in given)
    return f"{options} cannot be with what the recipe says: [{section}] {text}"
