"""Which of a model's labels another set's labels mean: by their names, by what the recipe calls them, or as it is said.

>>> map_labels(["Heron", "grey stork"], ("heron", "stork"), {"stork": ("grey stork",)}, {})
{'Heron': 'heron', 'grey stork': 'stork'}
>>> map_labels(["heron", "gull"], ("heron", "stork"), {}, {"gull": ""})
{'heron': 'heron', 'gull': None}
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from curator.errors import CuratorError
from curator.manifests.labels import LabelFinder, folder_name
from curator.manifests.toml_settings import suggest

_MOST_NAMED = 8


def map_labels(
    there: Sequence[str], labels: Sequence[str], names: Mapping[str, Sequence[str]], said: Mapping[str, str]
) -> dict[str, str | None]:
    """Map each label of a set to one of a model's; None leaves its images out.

    Args:
        there: the set's labels.
        labels: the model's.
        names: what else means a label, from the recipe.
        said: what a person says, a label of the set to one of the model's, or to nothing.

    Raises:
        CuratorError: a label means none of the model's, one paragraph that says what to write; or what is said names
            a label that is not there.
    """
    own = LabelFinder({label: tuple(names.get(label, ())) for label in labels})
    folders = {folder_name(label): label for label in labels}
    its = LabelFinder(dict.fromkeys(there, ()))
    chosen: dict[str, str | None] = {}
    for text, meant in said.items():
        if (label := its.find(text)) is None:
            message = f"There is no label {text!r}{suggest(text, there) or '.'}"
            raise CuratorError(message, f"The labels there are {_listed(there)}.")
        if meant and own.find(meant) is None:
            message = f"The model has no label {meant!r}{suggest(meant, labels) or '.'}"
            raise CuratorError(message, f"Its labels are {_listed(labels)}.")
        chosen[label] = own.find(meant) if meant else None
    found = {label: chosen[label] if label in chosen else own.find(label) or folders.get(label) for label in there}
    strange = [label for label in there if found[label] is None and label not in chosen]
    if strange:
        raise CuratorError(*_other_labels(strange, labels))
    if not any(found.values()):
        raise CuratorError("All labels there are left out.", f"Map one to a label of the model: {_listed(labels)}.")
    return found


def _other_labels(strange: Sequence[str], labels: Sequence[str]) -> tuple[str, str]:
    """Say that labels mean none of the model's, and what to write."""
    verb = "is no label" if len(strange) == 1 else "are no labels"
    first = shlex.quote(f"{strange[0]}={labels[0]}")
    leave = " ".join(f"--map {shlex.quote(f'{label}=')}" for label in strange[:_MOST_NAMED])
    more = " …" if len(strange) > _MOST_NAMED else ""
    hint = f"`--map {first}` says what one means; `{leave}{more}` leaves {'it' if len(strange) == 1 else 'them'} out."
    return f"{_listed(strange)} {verb} of the model, which knows {_listed(labels)}.", hint


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _MOST_NAMED:,} more" if len(labels) > _MOST_NAMED else ""
    return f"{', '.join(labels[:_MOST_NAMED])}{more}"
