"""``overrides.json``: the options that each stage was last run with, kept until the recipe changes their section.

>>> import tempfile
>>> from pathlib import Path
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
>>> remember_options(paths, "balance", Override({"per_class": 10}, {"per_class": 6}))
>>> last = read_overrides(paths)["balance"]
>>> last.options_for({"per_class": 10}), last.options_for({"per_class": 8})
({'per_class': 6}, {})
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curator.errors import StateError, why
from curator.manifests.settings import SECTIONS
from curator.pipeline.stages import STAGES
from curator.store.catalog_files import find_record
from curator.store.paths import DataPaths
from curator.store.plain_json import Faults, read_json, shown
from curator.store.whole_files import write_text_whole

_DELETE = "Delete it: the stages then go back to the settings of the recipe."


@dataclass(frozen=True)
class Override:
    """The options that a stage was last run with, and what its section of the recipe said then."""

    recipe: Mapping[str, Any]
    options: Mapping[str, Any]

    def options_for(self, section: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options if the recipe still says what it said then."""
        return self.options if self.recipe == section else {}


def read_overrides(paths: DataPaths) -> dict[str, Override]:
    """Read the last options of each section; of a data set without the file, from the records of its stages.

    Raises:
        StateError: the file is damaged.
    """
    try:
        facts = read_json(paths.overrides)
    except FileNotFoundError:
        return _overrides_of_records(paths)
    except (OSError, ValueError) as error:
        raise StateError(f"{paths.overrides} cannot be read: {why(error)}.", _DELETE) from error
    if not isinstance(facts, dict):
        raise StateError(f"{paths.overrides} holds no JSON object.", _DELETE)
    faults, sections, found = Faults(), [step.section for step in STAGES], {}
    for section in facts:
        if section not in sections:
            faults.found.append(f"{shown(section)} is no section of a stage")
        elif set(values := faults.take(facts, section, dict)) - {"recipe", "options"}:
            faults.found.append(f"{section} holds more than recipe and options")
        else:
            said, options = (faults.take(values, name, dict) for name in ("recipe", "options"))
            found[section] = Override(said, options)
            known = {field.name for field in dataclasses.fields(SECTIONS[section])}
            faults.found += [f"{section} has no key {shown(key)}" for key in (said | options) if key not in known]
    if faults.found:
        raise StateError(f"{paths.overrides} is not as it was written: {faults.sentence()}.", _DELETE)
    return found


def _overrides_of_records(paths: DataPaths) -> dict[str, Override]:
    found = {}
    for step in STAGES:
        if record := find_record(paths.catalog(step.name)):
            said, ran_with = record.recipe_section, record.settings.get(step.section, {})
            options = {key: ran_with[key] for key in said if ran_with.get(key, said[key]) not in (said[key], None)}
            found[step.section] = Override(said, options)
    return {section: override for section, override in found.items() if override.options}


def remember_options(paths: DataPaths, section: str, override: Override) -> None:
    """Write the options that a stage runs with, whole or not at all, unless they are there already.

    Raises:
        DiskError: the disk refuses.
    """
    before = read_overrides(paths)
    now = {name: last for name, last in before.items() if name != section}
    if override.options:
        now[section] = override
    if now != before:
        facts = {name: dataclasses.asdict(last) for name, last in now.items()}
        write_text_whole(paths.overrides, json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
