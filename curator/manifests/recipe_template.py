"""Write a new recipe, with the sources that were found for it, and commented examples of others.

>>> print(recipe_text("birds", ("heron", "stork"), "").splitlines()[3])
labels = ["heron", "stork"]
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from curator.errors import CuratorError, OptionError
from curator.manifests.labels import label_problems
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.recipe import NAME_PATTERN
from curator.manifests.toml_settings import toml_key
from curator.store.paths import RECIPE
from curator.store.whole_files import write_text_whole
from curator.text import Command, hide_credentials, spell

_PATHS = ("path", "root", "images")
"""The keys of sources that are paths."""
_LONGEST_LINE = 100
_EXAMPLES = ("heron", "stork")
_MORE = "# Every key that is not here has a good default; docs/recipe.md lists them all."
_REMARKS = {
    ("balance", "per_class", "max"): 'as many as the smallest label has; "all": what each has; or a number',
    ("split", "ratio", ""): "the share of each label in train",
    ("split", "keep", True): "what is listed as train, val or test stays there; false divides anew",
    ("dedupe", "mode", "exact"): '"near" drops what looks alike, "exact" what has the same bytes, "off" nothing',
}


def check_new_recipe(name: str, labels: Sequence[str], manifests: Path) -> None:
    """Find what forbids a recipe of this name with these labels, before anything is done for it.

    Raises:
        OptionError: the name or a label is not allowed, or there are fewer than two labels.
        CuratorError: the recipe exists.
    """
    problems = list(label_problems(dict.fromkeys(labels, ())))
    if not NAME_PATTERN.fullmatch(name):
        problems.insert(0, f"the name {name!r} must be lower-case letters, digits, - and _ only")
    elif len(set(labels)) < 2 or len(set(labels)) != len(labels):
        problems.append(f"name at least two different labels: `{Command.of('init', name, *_EXAMPLES).spelled()}`")
    if problems:
        raise OptionError(*problems)
    _refuse_existing(manifests / name / RECIPE)


def write_recipe(name: str, labels: Sequence[str], sources: str, manifests: Path) -> Path:
    """Write ``manifests/<name>/recipe.toml``, with these sources and commented examples of others.

    Raises:
        OptionError, CuratorError: see :func:`check_new_recipe`.
    """
    check_new_recipe(name, labels, manifests)
    return _write(manifests / name / RECIPE, recipe_text(name, labels, sources))


def _refuse_existing(path: Path) -> None:
    if path.exists():
        again = f'`curator.open("{path.parent.name}")` opens it in Python'
        raise CuratorError(f"The recipe {path} exists already.", f"Edit it, or choose another name; {again}.")


def _write(path: Path, text: str) -> Path:
    _refuse_existing(path)
    write_text_whole(path, text, is_private=hide_credentials(text) != text)
    return path


def write_new_recipe(
    manifests: Path,
    name: str,
    labels: Sequence[str] | Mapping[str, Sequence[str]],
    sources: Sequence[Mapping[str, Any]],
    sections: Mapping[str, Mapping[str, Any]],
    source_kinds: Mapping[str, type[Any]],
) -> Path:
    """Write ``manifests/<name>/recipe.toml`` from values, once they make a recipe.

    Args:
        labels: the labels, or each one with its other names.
        sources: one mapping a source; a relative ``path`` starts at the folder of the running process.
        sections: the recipe's other tables by name.
        source_kinds: see :func:`curator.manifests.read_recipe.load_recipe`.

    Raises:
        RecipeError: with every mistake found; nothing was written.
        CuratorError: the recipe exists.
    """
    path = manifests / name / RECIPE
    tables = [
        {key: _from_recipe(value, path.parent) if key in _PATHS else value for key, value in source.items()}
        for source in sources
    ]
    text = compose_recipe(name, labels, tables, sections)
    is_new = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)  # relative paths in the recipe start from it
    try:
        parse_recipe(text, source_kinds, path)
        return _write(path, text)
    except CuratorError:
        if is_new:
            path.parent.rmdir()
        raise


def compose_recipe(
    name: str,
    labels: Sequence[str] | Mapping[str, Sequence[str]],
    sources: Sequence[Mapping[str, Any]],
    sections: Mapping[str, Mapping[str, Any]],
) -> str:
    """Compose a recipe from values, with a remark where another value is often wanted.

    >>> print(compose_recipe("pets", {"dog": ["n02084071*"], "cat": []}, [{"kind": "folder", "path": "pets"}], {}))
    # A recipe of curator: `curator run --no-benchmark` makes the data set.
    # Every key that is not here has a good default; docs/recipe.md lists them all.
    name = "pets"
    <BLANKLINE>
    # Each label, and what else means it in a source: names and patterns.
    [labels]
    dog = ["n02084071*"]
    cat = []
    <BLANKLINE>
    [[sources]]
    kind = "folder"
    path = "pets"
    <BLANKLINE>
    """
    lines = [spell(("# A recipe of curator: ", Command("run --no-benchmark"), " makes the data set.")), _MORE]
    lines += [_assign("name", name)]
    if isinstance(labels, Mapping) and any(labels.values()):
        lines += ["", "# Each label, and what else means it in a source: names and patterns.", "[labels]"]
        lines += [_assign(label, list(others)) for label, others in labels.items()]
    else:
        lines += [_assign("labels", list(labels))]
    for source in sources:
        lines += ["", "[[sources]]", *(_assign(key, value) for key, value in source.items())]
    for section, values in sections.items():
        lines += ["", f"[{section}]", *(_assign(key, value, section) for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _assign(key: str, value: Any, section: str = "") -> str:
    """Write one key of a recipe: texts in one line if they fit, else one a line."""
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        items = [json.dumps(item, ensure_ascii=False) for item in value]
        text = f"[{', '.join(items)}]"
        if len(text) > _LONGEST_LINE:
            text = "[\n" + "".join(f"    {item},\n" for item in items) + "]"
        return f"{toml_key(key)} = {text}"
    if isinstance(value, Mapping):
        inside = ", ".join(_assign(name, item) for name, item in value.items())
        return f"{toml_key(key)} = {{ {inside} }}"
    remark = _REMARKS.get((section, key, value if isinstance(value, str | bool) else ""), "")
    return f"{tomli_w.dumps({key: value}).strip()}{f'  # {remark}' if remark else ''}"


def _from_recipe(place: Any, folder: Path) -> Any:
    """Write a path relative to the recipe's folder, so that both can be moved together; an address stays."""
    if isinstance(place, list | tuple):
        return [_from_recipe(one, folder) for one in place]
    is_address = "://" in str(place) or str(place).startswith("~") or Path(place).is_absolute()
    return str(place) if is_address else Path(os.path.relpath(place, folder)).as_posix()


def recipe_text(name: str, labels: Sequence[str], sources: str) -> str:
    """Compose the text of a new recipe.

    Args:
        sources: its ``[[sources]]``, as they are to stand in it.
    """
    quoted = ", ".join(json.dumps(label, ensure_ascii=False) for label in labels)
    introduction = spell((Command("fetch --plan"), " shows what it would get, ", Command("run"), " gets it."))
    return _TEMPLATE.format(
        introduction=introduction, name=name, labels=quoted, sources=sources, first=toml_key(labels[0])
    )


_TEMPLATE = """\
# A recipe of curator: {introduction}
# Every key that is not here has a good default; docs/recipe.md lists them all.
name = "{name}"
labels = [{labels}]

{sources}
# A table of your own: CSV, TSV, JSONL or Parquet with the columns url and label (others are kept),
# or one URL a line together with `label`.
# [[sources]]
# kind = "url-list"
# path = "urls.csv"

# Files that you have, one sub-folder a label.
# [[sources]]
# kind = "folder"
# path = "photos"

[fetch]
target = 1000                  # images to obtain per label; 0: all that are listed

[balance]
per_class = "max"              # as many as the smallest label has; or "all", a number, {{ {first} = 100, … }}

[split]
ratio = 0.8
"""
