"""Look at annotations of COCO: which labels they have, and where their pictures are.

>>> import tempfile, json
>>> folder = Path(tempfile.mkdtemp())
>>> shown = {"annotations": [{"image_id": 1, "category_id": 5}], "categories": [{"id": 5, "name": "heron"}]}
>>> _ = (folder / "a.json").write_text(json.dumps(shown | {"images": [{"id": 1, "coco_url": "http://e.org/1.jpg"}]}))
>>> found = survey_coco([str(folder / "a.json")], Path())
>>> found.kind, dict(found.counts)
('annotations of COCO', {'heron': 1})
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from curator.errors import SourceError
from curator.events import Event, Noted
from curator.manifests.labels import LabelFinder, as_written, fold, label_problem
from curator.sources.base import ListingContext, most_frequent
from curator.sources.coco.annotations import Annotated
from curator.sources.coco.coco_source import COLUMNS, Coco
from curator.sources.reading.places import is_url, local_path
from curator.survey.finding import Finding
from curator.survey.proposals import note_unseen
from curator.survey.table_root import folder_of_files

_MARKS = (b'"annotations"', b'"categories"', b'"file_name"')
_ENDS = (1 << 20, 1 << 16)
_N_TRIED = 100


def survey_coco(
    places: Sequence[str], base_dir: Path, labels: Sequence[str] = (), cache_dir: Path | None = None
) -> Finding | None:
    """Look at files of annotations, or folders that hold some beside the pictures or in ``annotations``.

    Args:
        places: as a person wrote them.
        base_dir: what relative places are relative to.
        labels: the labels that are wanted; none: all categories.
        cache_dir: where a source may keep what it reads.

    Returns:
        None if there are none.

    Raises:
        SourceError: what seems to be annotations cannot be read.
    """
    paths = [path for place in places for path in _annotations_at(place, base_dir)]
    if not paths:
        return None
    with tempfile.TemporaryDirectory() as temporary:
        events: list[Event] = []
        context = ListingContext((), cache_dir or Path(temporary), base_dir, emit=events.append)
        source = Coco(path=paths[0] if len(paths) == 1 else tuple(paths))
        try:
            read = source.read(context)
        except SourceError:
            if all(map(is_url, paths)):
                return None  # JSON from an address may be a list of another kind
            raise
        source = replace(source, images=_folder(places[0], paths[0], read[paths[0]], base_dir))
        found = _counted(source, read, context, labels)
    return replace(found, notes=(*found.notes, *(str(event.message) for event in events if isinstance(event, Noted))))


def _counted(source: Coco, read: Mapping[str, Annotated], context: ListingContext, labels: Sequence[str]) -> Finding:
    """Count the pictures of each label as a fetch would list them."""
    categories = [name for annotated in read.values() for name in annotated.categories.values()]
    names = tuple(labels) or _labels(categories)
    context = replace(context, labels=names, label_names=LabelFinder(dict.fromkeys(names, ())))
    rows = source.rows(read, context)
    if not rows:
        seen = most_frequent(Counter(categories))
        message = f"The annotations {source.path} have no picture of one label alone; their categories are {seen}."
        raise SourceError(message, "Name the labels that you want behind the data set's name.")
    columns = {name: [row[number] for row in rows] for number, name in enumerate(COLUMNS)}
    counts = Counter(map(str, columns["label"]))
    where = f"the pictures are in {source.images}" if source.images else "the pictures are requested at their addresses"
    path = source.path if isinstance(source.path, str) else list(source.path)
    return Finding(
        sources=({"kind": "coco", "path": path, **({"images": source.images} if source.images else {})},),
        counts=Counter({label: counts[label] for label in names if counts[label]}),
        kind="annotations of COCO",
        notes=(where, *note_unseen(categories)),
        sides=Counter(side for side in columns["listed_split"] if side),
        files=tuple(path for path in columns["local_path"] if path),
    )


def _annotations_at(place: str, base_dir: Path) -> list[str]:
    """Return the files of annotations at a place; of a folder of COCO's own, those of instances."""
    path = local_path(place, base_dir)
    if is_url(place) or path.is_file():
        return [place] if Path(place).suffix == ".json" and (is_url(place) or _seems_coco(path)) else []
    if not path.is_dir():
        return []
    found = [
        one for folder in (path, path / "annotations") for one in sorted(folder.glob("*.json")) if _seems_coco(one)
    ]
    instances = [one for one in found if one.name.startswith("instances")]
    return [str(Path(place) / one.relative_to(path)) for one in instances or found]


def _seems_coco(path: Path) -> bool:
    """Return whether the beginning and the end of a file name what annotations have."""
    try:
        with path.open("rb") as file:
            head = file.read(_ENDS[0])
            file.seek(-min(_ENDS[1], path.stat().st_size), 2)
            whole = head + file.read()
    except OSError:
        return False
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and sum(mark in whole for mark in _MARKS) > 1


def _folder(place: str, path: str, annotated: Annotated, base_dir: Path) -> str:
    """Return the folder that holds the pictures, as a person would write it; nothing if they are not here."""
    if is_url(path):
        return ""
    names = [str(image.get("file_name", "")) for image in annotated.images[:_N_TRIED]]
    tops = [Path(place)] if local_path(place, base_dir).is_dir() else [Path(path).parent, Path(path).parent.parent]
    found = folder_of_files([local_path(str(top), base_dir) for top in tops], Path(path).stem, names)
    return next((str(top) for top in tops if found and found.is_relative_to(local_path(str(top), base_dir))), "")


def _labels(categories: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that categories mean: one writing of each."""
    written: dict[str, str] = {}
    for category in categories:
        if label_problem(as_written(category)) is None:
            written.setdefault(fold(category), as_written(category))
    return tuple(sorted(written.values(), key=lambda text: (text.casefold(), text)))
