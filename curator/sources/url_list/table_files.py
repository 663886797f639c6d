"""The files that ``path`` of a recipe means: one, a list of several, a folder of tables, or a pattern.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> for name in ("b.parquet", "a.parquet", "notes.md", ".c.parquet"):
...     (folder / name).touch()
>>> [Path(place).name for place in table_files(str(folder / "*.parquet"), Path())]
['a.parquet', 'b.parquet']
>>> table_files(str(folder), Path()) == table_files(str(folder / "*.parquet"), Path())
True
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from curator.errors import SourceError
from curator.sources.named_files import state_of_files
from curator.sources.reading.places import file_name, is_url, local_path, missing_place, scheme_problem
from curator.sources.sides import side_of, side_of_name

ENDINGS = (".csv", ".tsv", ".tab", ".psv", ".ssv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx")
"""How the files of a folder end that are tables; ``.gz`` may follow."""

WILD = re.compile(r"[*?\[]")


def table_files(path: str | Sequence[str], base_dir: Path) -> list[str]:
    """Return the places that a path means: addresses and files as they are, the files of a folder as absolute paths.

    Those of a folder or a pattern are in the order of their names; hidden ones are left out.

    Raises:
        SourceError: a folder or a pattern has no table.
    """
    found: list[str] = []
    for place in [path] if isinstance(path, str) else path:
        if is_url(place) or not (
            (here := local_path(place, base_dir)).is_dir() or (not here.exists() and WILD.search(place))
        ):
            found.append(place)
            continue
        inside = here.is_dir()
        files = sorted(here.iterdir()) if inside else sorted(matching(here))
        named = [one for one in files if one.is_file() and not one.name.startswith(".")]
        tables = [one for one in named if not inside or one.name.lower().removesuffix(".gz").endswith(ENDINGS)]
        if not tables:
            raise SourceError(f"{here} {'is a folder without a table' if inside else 'matches no file'}.")
        if inside and len(several := configurations(here)) > 1:
            example = next((one for name in several if (one := _files_of(here, name, tables))), here / tables[0].name)
            raise SourceError(f"{here} has several configurations ({', '.join(several)}): name one's files, {example}.")
        found += (str(one.absolute()) for one in tables)
    return list(dict.fromkeys(found))


def configurations(folder: Path) -> list[str]:
    """Return the names of the data sets that the card of a folder of the Hugging Face hub says are in it.

    They are under ``configs``, and in older ones under ``dataset_info``, in the YAML that ``README.md`` begins with:
    https://huggingface.co/docs/hub/datasets-manual-configuration.
    """
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    head = text.partition("\n---")[0] if text.startswith("---") else ""
    found = re.findall(r"^[ \t]*-?[ \t]*config_name: *['\"]?([^'\"\n]+?)['\"]? *$", head, re.MULTILINE)
    return list(dict.fromkeys(found))


def _files_of(folder: Path, configuration: str, tables: Sequence[Path]) -> Path | None:
    """Return a path that means the tables of one configuration: its folder, or a pattern; None if neither is plain."""
    if (folder / configuration).is_dir():
        return folder / configuration
    is_named = any(table.name.startswith(configuration) for table in tables)
    return folder / f"{configuration}*" if is_named else None


def matching(pattern: Path) -> Iterator[Path]:
    """Yield what an absolute or relative pattern matches; nothing for one that is none, such as ``**x``."""
    top = Path(pattern.anchor)
    with suppress(ValueError, NotImplementedError):
        yield from top.glob(str(pattern.relative_to(top)))


def path_problem(path: str | Sequence[str]) -> str | None:
    """Say what is wrong with a path of tables wherever they are, or None."""
    if not path:
        return "must name at least one file"
    return next(filter(None, map(scheme_problem, [path] if isinstance(path, str) else path)), None)


def missing_tables(path: str | Sequence[str], base_dir: Path) -> str | None:
    """Say which of these tables is not there, or None."""
    try:
        places = table_files(path, base_dir)
    except SourceError as error:
        return f"names nothing: {error.message.rstrip('.')}"
    return next((found for place in places if (found := missing_place(place, base_dir, folder=False))), None)


def state_of_tables(path: str | Sequence[str], base_dir: Path) -> str:
    """Return a text that changes when one of the local tables does, or one comes; empty if one is not there."""
    if missing_tables(path, base_dir):
        return ""
    places = (str(local_path(place, base_dir)) for place in table_files(path, base_dir) if not is_url(place))
    return state_of_files(places, f"{base_dir}/")


def side_of_place(place: str) -> str | None:
    """Return the side that a file's name says, else that of the folder it is in.

    >>> side_of_place("set/valid/metadata.csv"), side_of_place("test/train.csv")
    ('val', 'train')
    """
    return side_of_name(file_name(place)) or side_of(Path(place).parent.name)
