r"""Look at a table: which of its columns are what, which labels it has, and what a recipe would leave out.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> text = "link;art\nhttp://e.org/1.jpg;Reiher\nhttp://e.org/2.jpg;Storch\nhttp://e.org/3.jpg;Reiher\nhttp://e.org/4.jpg;Storch\n"
>>> _ = (folder / "list.csv").write_text(text)
>>> found = survey_table([str(folder / "list.csv")], Path())
>>> found.kind, dict(found.counts), found.sources[0]["columns"]
('a table of addresses', {'Reiher': 2, 'Storch': 2}, {'label': 'art'})
>>> found.notes
('list.csv: the address is its column link; the label is its column art',)
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from curator.errors import SourceError
from curator.events import Event, Noted, Warned
from curator.manifests.labels import LabelFinder, as_written, fold, label_problem
from curator.manifests.toml_settings import key_of
from curator.sources.base import ListingContext, most_frequent
from curator.sources.local_pictures import ENDINGS
from curator.sources.reading.places import file_name, is_url, local_path
from curator.sources.url_list.columns import MissingColumnError
from curator.sources.url_list.joined_tables import Tables
from curator.sources.url_list.labels_of_rows import texts_of_several, written_labels
from curator.sources.url_list.parquet_rows import PICTURE
from curator.sources.url_list.table_files import table_files
from curator.sources.url_list.url_list_source import UrlList
from curator.survey.finding import Finding
from curator.survey.proposals import note_unseen
from curator.survey.table_root import folder_of_files, spread, with_root
from curator.text import plural

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet", "multimedia.txt", "manifest.csv")
"""Tables that say which labels the pictures beside them have, or where those are, whatever else lies there."""

_TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet", ".xlsx")
_ELSE = "`curator init` takes that as `--column label=NAME`, or `url=NAME`, `path=NAME`."


def survey_table(
    places: Sequence[str],
    base_dir: Path,
    labels: Sequence[str] = (),
    cache_dir: Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> Finding | None:
    """Look at tables of one kind, read as one.

    Args:
        places: files, addresses, patterns or folders of tables, as a person wrote them, relative to ``base_dir``.
        labels: the labels that are wanted; none: all that there are.
        cache_dir: where tables from addresses are kept for the fetch; none: they are not.
        columns: what which column is, as far as a person says so.

    Returns:
        None if a folder among them holds no table.

    Raises:
        SourceError: what is there cannot be read, or has no address, file or label; says what was seen, and what to do.
    """
    paths = [one for place in places for one in _tables_at(place, base_dir)]
    if not paths:
        return None
    encoding = _encoding_of(local_path(paths[0], base_dir)) if len(paths) == 1 and not is_url(paths[0]) else ""
    source = UrlList(path=paths[0] if len(paths) == 1 else tuple(paths), encoding=encoding, columns=columns or None)
    with tempfile.TemporaryDirectory() as temporary:
        events: list[Event] = []
        context = ListingContext((), cache_dir or Path(temporary), base_dir, emit=events.append)
        source, tables = _read(source, context, labels)
        if not is_url(paths[0]) and "path" in tables.roles and not tables.is_manifest:
            source = with_root(source, tables, base_dir)
        found = _counted(source, tables, context, labels)
    beside = [note for place in places for note in _left_out(place, paths, base_dir)]
    told = (str(event.message) for event in events if isinstance(event, Noted | Warned))
    return replace(found, notes=tuple(dict.fromkeys((*found.notes, *beside, *told))))


def has_metadata(folder: Path) -> bool:
    """Return whether a table in a folder says which labels the pictures beside it have."""
    return any((folder / name).is_file() for name in METADATA)


def _tables_at(place: str, base_dir: Path) -> list[str]:
    """Return what a recipe calls the tables at a place: the place itself, or those of a folder."""
    folder = local_path(place, base_dir)
    if is_url(place) or not folder.is_dir():
        return [place]
    names = [path.name for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    if known := next((name for name in METADATA if name in names), None):
        return [str(Path(place) / known)]
    tables = [name for name in names if name.lower().removesuffix(".gz").endswith(_TABLES)]
    if not tables and (folder / "data").is_dir():  # as Hugging Face lays out a data set
        return _tables_at(str(Path(place) / "data"), base_dir)
    tables = _of_training(folder, tables)
    endings = {name[name.index(".") :] if name.count(".") == 1 else Path(name).suffix for name in tables}
    if len(tables) > 1 and len(endings) == 1 and len(tables) == len(list(folder.glob(f"[!.]*{endings.copy().pop()}"))):
        return [str(Path(place) / f"*{endings.pop()}")]
    return [str(Path(place) / name) for name in tables]


def _left_out(place: str, paths: Sequence[str], base_dir: Path) -> list[str]:
    """Name the tables of a folder that are not read."""
    if is_url(place) or not local_path(place, base_dir).is_dir():
        return []
    read = {local_path(one, base_dir).resolve() for one in table_files(paths, base_dir)}
    beside = {folder for one in read if (folder := one.parent).is_relative_to(local_path(place, base_dir).resolve())}
    files = sorted(one for folder in beside for one in folder.iterdir() if one.is_file() and one not in read)
    names = [one.name for one in files if one.name.lower().removesuffix(".gz").endswith(_TABLES)]
    return [f"left out beside it: {', '.join(names)} (`--from` with its name takes one)"] if names else []


def _of_training(folder: Path, names: list[str]) -> list[str]:
    """Leave out the tables without labels of a contest: ``test.csv``, ``sample_submission.csv``."""
    labelled = [name for name in names if name.lower().startswith("train")]
    named = [name for name in names if "submission" not in name.lower()]
    heads = {name: _first_line(folder / name) for name in named if name.lower().endswith(".csv")}
    if labelled and len({*heads.values()}) > 1:
        wanted = {heads.get(name) for name in labelled}
        return [name for name in named if heads.get(name) in wanted]
    return named if labelled else names


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline(1 << 16).strip()


def _read(source: UrlList, context: ListingContext, labels: Sequence[str]) -> tuple[UrlList, Tables]:
    """Read tables; columns that no name tells are what their values are, if only one can be meant."""
    for _ in range(3):
        try:
            return source, source.read(context)
        except MissingColumnError as error:
            _refuse_headless(source, error)
            if columns := error.columns or _column_of_files(source, error, context.base_dir):
                source = replace(source, columns={**(source.columns or {}), **columns})
            elif error.role == "label" and not error.has_candidates and not source.label:
                source = replace(source, label=labels[0] if len(labels) == 1 else _label_of_file(source, context))
            else:
                raise SourceError(_sentence(source, error), _ways_out(error)) from error
        except SourceError as error:
            raise SourceError(_sentence(source, error), _ways_out(error)) from error
    raise SourceError(f"The table {source.path} has no columns that could be found.", _ELSE)


def _encoding_of(path: Path) -> str:
    """Return cp1252 for text of which nothing but ASCII is UTF-8, as Excel of Western Europe saves it; else nothing."""
    if not (path.is_file() and path.name.lower().endswith((".csv", ".tsv", ".tab", ".txt"))):
        return ""
    with path.open("rb") as file:
        head = file.read(1 << 20)
    odd = bytes(byte for byte in head if byte > 127)
    if not odd or b"\0" in head or not head.decode("utf-8", "ignore").isascii():
        return ""
    return "" if set(odd) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "cp1252"


def _refuse_headless(source: UrlList, error: MissingColumnError) -> None:
    """Refuse a table whose first line is a row: as a header it would be lost."""
    if first := next((name for name in error.sample if name.lower().endswith(tuple(filter(None, ENDINGS)))), None):
        what = f"{_sentence(source, SourceError('has no header'))[:-1]}: its first line has {first}."
        raise SourceError(what, "Write a line above it that names its columns, such as `path,label`.") from error


def _column_of_files(source: UrlList, error: MissingColumnError, base_dir: Path) -> dict[str, str]:
    """Find the column that names files beside the table, such as an id without an ending."""
    if error.role != "url" or not isinstance(source.path, str) or is_url(source.path):
        return {}
    table = local_path(source.path, base_dir)
    for name, values in error.sample.items():
        texts = spread([text for text in values if text])
        if folder_of_files([table.parent], table.stem, texts):
            return {"path": name}
    return {}


def _label_of_file(source: UrlList, context: ListingContext) -> str:
    """Name the rows of a list without labels by the name of its file."""
    name = file_name(table_files(source.path, context.base_dir)[0])
    return as_written(name.partition(".")[0].replace("_", " ")) or "all"


def _sentence(source: UrlList, error: SourceError) -> str:
    place = source.path if isinstance(source.path, str) else ", ".join(source.path)
    rest = error.message.removeprefix(place).strip().rstrip(".")
    return (
        f"The table {place} {rest}."
        if error.message.startswith(place)
        else f"The table {place} cannot be read: {rest}."
    )


def _ways_out(error: SourceError) -> str:
    return f"{error.hint} {_ELSE}" if "columns =" in str(error.hint) else str(error.hint)


def _counted(source: UrlList, tables: Tables, context: ListingContext, labels: Sequence[str]) -> Finding:
    """Choose labels and count their images as a fetch would list them."""
    names, notes = _labels(tables, labels)
    context = replace(context, labels=names, label_names=LabelFinder(dict.fromkeys(names, ())))
    try:
        chosen = source.choose(tables, context)
    except SourceError as error:
        raise SourceError(_sentence(source, error), _ways_out(error)) from error
    rows = chosen.select(["label", "key", "listed_split", "local_path"])
    if PICTURE not in tables.rows.column_names:
        groups = rows.group_by(["label", "key", "listed_split"], use_threads=False)
        rows = groups.aggregate([("local_path", "first")])
        rows = rows.rename_columns(["label", "key", "listed_split", "local_path"])
    counts = Counter({one["values"]: one["counts"] for one in pc.value_counts(rows["label"]).to_pylist()})
    sides = Counter(side for side in rows["listed_split"].to_pylist() if side)
    return Finding(
        sources=(_as_recipe(source),),
        counts=Counter({label: counts[label] for label in names if counts[label]}),
        kind=_kind(tables),
        notes=(_columns_in_words(source, tables), *notes),
        sides=sides,
        files=tuple(rows["local_path"].drop_null().to_pylist()),
    )


def _labels(tables: Tables, labels: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Choose the labels: one writing of each, the most frequent; or those that are wanted.

    Raises:
        SourceError: nearly each row has its own.
    """
    values = [(one["values"], one["counts"]) for one in pc.value_counts(written_labels(tables)).to_pylist()]
    texts = Counter[str]()
    for text, n in values:
        texts.update({as_written(text): n} if as_written(text) else {})
    if labels:
        return tuple(labels), []
    for text in texts_of_several(texts):
        del texts[text]  # such rows are left out and counted
    if texts.total() > 20 and 2 * len(texts) > texts.total():
        column = tables.roles["label"]
        n_rows = f"{len(texts):,} different texts in {texts.total():,} rows"
        what = f"The table {tables.places[0]} has {n_rows} of its column"
        hint = "Name the labels that you want behind the data set's name: `curator init birds heron stork --from …`."
        raise SourceError(f"{what} {column}: they are hardly labels.", f"{hint} {_ELSE}")
    kinds: dict[str, list[str]] = {}
    for text, _ in sorted(texts.items(), key=lambda one: (-one[1], one[0])):
        kinds.setdefault(fold(text), []).append(text)
    good = [written for written in kinds.values() if label_problem(written[0]) is None]
    bad = Counter({one[0]: texts[one[0]] for one in kinds.values() if label_problem(one[0])})
    notes = [f"{' and '.join(map(repr, written))} are one label" for written in good if len(written) > 1][:5]
    notes += note_unseen(text for text, _ in values)
    if n := bad.total():
        texts_of = plural(n, "row has a text that cannot be a label", "rows have texts that cannot be labels")
        notes.append(f"{texts_of} ({most_frequent(bad)}): {'it is' if n == 1 else 'they are'} left out")
    return tuple(sorted((written[0] for written in good), key=lambda text: (text.casefold(), text))), notes


def _columns_in_words(source: UrlList, tables: Tables) -> str:
    """Say which columns are what."""
    words = {"url": "the address", "path": "the file", "label": "the label", "split": "the side", "group": "the group"}
    roles = {role: name for role, name in tables.roles.items() if not name.startswith(" ")}
    parts = [f"{words[role]} is its column {name}" for role, name in roles.items() if role in words]
    parts += [f"the label of all rows is {source.label!r}"] if source.label and "label" not in roles else []
    parts += [f"its text is read as {source.encoding} (`encoding` in the recipe)"] if source.encoding else []
    if more := [f"{role} ({name})" for role, name in roles.items() if role not in words]:
        parts.append(f"kept of each image: {', '.join(more)}")
    return f"{source.name or file_name(tables.places[0])}: {'; '.join(parts)}"


def _kind(tables: Tables) -> str:
    if tables.is_manifest:
        return "a manifest of curator"
    if PICTURE in tables.rows.column_names:
        return "a table with its pictures in it"
    what = [word for role, word in {"url": "addresses", "path": "files"}.items() if role in tables.roles]
    return f"a table of {' and '.join(what)}"


def _as_recipe(source: Any) -> dict[str, Any]:
    """Return the keys of a source that are not as they are by default."""
    keys = {
        key_of(one): getattr(source, one.name) for one in fields(source) if getattr(source, one.name) != one.default
    }
    return {
        "kind": source.kind,
        **{key: list(value) if isinstance(value, tuple) else value for key, value in keys.items()},
    }
