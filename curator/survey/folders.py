"""Look at a folder of pictures: where its labels are, how many images each has, and what belongs to none.

>>> import tempfile
>>> root = Path(tempfile.mkdtemp())
>>> for name in ("heron/1.jpg", "heron/2.JPG", "stork/1.png", "notes.txt"):
...     (root / name).parent.mkdir(exist_ok=True)
...     (root / name).touch()
>>> found = survey_folder(str(root), Path())
>>> dict(found.counts), found.kind
({'heron': 2, 'stork': 1}, 'a folder a label')
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from curator.errors import SourceError
from curator.events import Event, Noted
from curator.manifests.labels import LabelFinder, as_written, fold
from curator.observe.sniff import sniff
from curator.sources.base import ListingContext, most_frequent
from curator.sources.folder.folder_source import Folder
from curator.sources.folder.layouts import text_of_name
from curator.sources.folder.walk import BROKEN, ELSEWHERE, UNREADABLE, count_left_out, list_files
from curator.sources.reading.places import local_path
from curator.survey.finding import Finding
from curator.survey.proposals import Folder as Parts
from curator.survey.proposals import Proposal, is_around_labels, note_unseen, propose
from curator.text import plural

ENDINGS = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".gif",
        ".bmp",
        ".dib",
        ".webp",
        ".tif",
        ".tiff",
        ".avif",
        ".heic",
        ".heif",
        ".jxl",
        ".jp2",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".tga",
        ".ico",
        ".mpo",
        ".apng",
    )
)
"""What the names of pictures end with; a file without an ending is looked at."""

_CAMERAS = frozenset(
    (
        "img",
        "image",
        "dsc",
        "dscn",
        "dscf",
        "pxl",
        "photo",
        "pic",
        "picture",
        "p",
        "screenshot",
        "frame",
        "file",
        "untitled",
    )
)
_LEAST_NAMED = 0.9
_KINDS = {
    "labels": "a folder a label",
    "nested": "a folder a label, deeper down",
    "names": "labels in the files' names",
    "openimages": "a download of Open Images",
}


@dataclasses.dataclass
class _Tree:
    """The pictures of a tree: how many each folder holds, and what else there is."""

    n_pictures: Counter[Parts]
    n_ids: int
    others: Counter[str]
    left_out: Counter[str]

    @property
    def total(self) -> int:
        return self.n_pictures.total()


def survey_folder(place: str, base_dir: Path, labels: Sequence[str] = ()) -> Finding:
    """Look at a folder of pictures.

    Args:
        place: the folder, as a person wrote it.
        base_dir: what a relative place is relative to.
        labels: the labels that are wanted; none: all that there are.

    Raises:
        SourceError: it holds no picture, or no label can be made out; says what was seen, and what to do.
    """
    root = snapshot_of(local_path(place, base_dir).resolve())
    inside = root.relative_to(local_path(place, base_dir).resolve())
    tree = _look(root)
    if not tree.total:
        raise SourceError(*_no_pictures(place, tree))
    proposal = propose(tree.n_pictures) if len(tree.n_pictures) > 1 else None
    if proposal is None or all(map(is_around_labels, proposal.texts.values())):
        proposal = _by_name(root, tree)
    if not proposal.texts:
        raise SourceError(*_no_labels(place, tree))
    if tree.n_ids == tree.total:
        proposal = dataclasses.replace(proposal, layout="openimages", root=())
    needs_links = bool(_look(root, follow_links=False).left_out[ELSEWHERE])
    path = str(Path(place) / inside / Path(*proposal.root)) if proposal.root or inside.parts else place
    source = {"kind": "folder", "path": path, "layout": proposal.layout, "links": needs_links}
    if not proposal.layout:
        source["label"] = next(iter(proposal.texts.values()))
    source = {key: value for key, value in source.items() if value not in (False, "", "labels")}
    return _listed(source, proposal, tree, base_dir, labels)


def snapshot_of(root: Path) -> Path:
    """Return the folder of files in a cache of Hugging Face (``snapshots/<commit>``); any other folder is itself."""
    snapshots = root / "snapshots"
    if not ((root / "blobs").is_dir() and snapshots.is_dir()):
        return root
    main = root / "refs" / "main"
    commit = main.read_bytes().strip().decode("ascii", "replace") if main.is_file() else ""
    named = snapshots / commit if commit.isalnum() else root
    found = sorted(path for path in snapshots.iterdir() if path.is_dir())
    return named if named.is_dir() and named != root else found[-1] if found else root


def _look(root: Path, *, follow_links: bool = True) -> _Tree:
    tree = _Tree(Counter(), 0, Counter(), Counter())
    for name in list_files(root, tree.left_out, follow_links=follow_links):
        folder, _, file = name.rpartition("/")
        if is_picture(root / name):
            tree.n_pictures[tuple(folder.split("/")) if folder else ()] += 1
            stem, _, ending = file.rpartition(".")
            tree.n_ids += (
                len(stem) == 16 and ending.lower() == "jpg" and not set(stem.lower()) - set("0123456789abcdef")
            )
        else:
            tree.others[Path(file).suffix.lower() or file] += 1
    return tree


def is_picture(path: Path) -> bool:
    """Say whether a file is a picture, by its name's ending, or by its first bytes if it has none."""
    ending = path.suffix.lower()
    if ending or not path.is_file():
        return ending in ENDINGS
    with path.open("rb") as file:
        return sniff(file.read(4096)).is_image


def _by_name(root: Path, tree: _Tree) -> Proposal:
    """Take the labels from the names of the files (``cat.12.jpg``); else an only folder's own name is their label."""
    spoken = set[str]().union(*(_spoken(root.joinpath(*folder)) for folder in tree.n_pictures))
    if len(spoken) > 1:
        [folder, *others] = tree.n_pictures
        texts: dict[Parts, str] = {(text,): as_written(text) for text in sorted(spoken)}
        return Proposal(() if others else folder, "names", texts, notes=note_unseen(spoken))
    if len(tree.n_pictures) > 1:
        return Proposal((), "", {})
    [folder] = tree.n_pictures
    name = (root.name, *folder)[-1]
    return Proposal(folder, "", {folder: as_written(name)}, notes=note_unseen([name]))


def _spoken(folder: Path) -> set[str]:
    """Return the texts that the names of nearly all files of a folder begin with; none if it is but one."""
    names = [name for name in list_files(folder, Counter(), follow_links=True) if is_picture(folder / name)]
    texts = Counter(text_of_name(name) for name in names if "/" not in name)
    spoken = {text: n for text, n in texts.items() if fold(text).strip(" .") not in {*_CAMERAS, ""} and n > 1}
    return {*spoken} if len(spoken) > 1 and sum(spoken.values()) >= _LEAST_NAMED * texts.total() else set()


def _listed(source: dict[str, Any], proposal: Proposal, tree: _Tree, base_dir: Path, labels: Sequence[str]) -> Finding:
    """List the folder as the recipe would, so that what is said is what a fetch finds."""
    names = {
        label: proposal.names.get(label, ())
        for label in sorted(set(proposal.texts.values()), key=lambda text: (text.casefold(), text))
    }
    if labels:
        names = only_wanted(labels, names)
    events: list[Event] = []
    rows = list_folder(source, names, base_dir, events.append)
    rows = rows[[is_picture(Path(name)) for name in rows["local_path"]]]
    counts = Counter({label: int(n) for label, n in rows["label"].value_counts().items()})
    notes = [*proposal.notes, *_notes(tree, sum(counts.values()), labels, events)]
    return Finding(
        sources=(source,),
        counts=Counter({label: counts[label] for label in names if counts[label]}),
        kind="a folder of one label" if "label" in source else _KINDS[source.get("layout", "labels")],
        label_names={label: others for label, others in names.items() if others},
        notes=tuple(notes),
        sides=Counter(rows["listed_split"].dropna().tolist()),
        files=tuple(rows["local_path"].tolist()),
    )


def only_wanted(labels: Sequence[str], names: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Take the labels that are wanted, with what they are called here."""
    wanted = LabelFinder(dict.fromkeys(labels, ()))
    chosen: dict[str, tuple[str, ...]] = dict.fromkeys(labels, ())
    for label, others in names.items():
        if (one := wanted.find(label)) is not None:
            chosen[one] = others
    return chosen


def list_folder(
    source: dict[str, Any], names: dict[str, tuple[str, ...]], base_dir: Path, emit: Callable[[Event], None]
) -> pd.DataFrame:
    """List a folder source for these labels.

    Raises:
        SourceError: none of its files belongs to a label.
    """
    options = {key: value for key, value in source.items() if key != "kind"}
    with tempfile.TemporaryDirectory() as cache:
        context = ListingContext(tuple(names), Path(cache), base_dir, emit=emit, label_names=LabelFinder(names))
        return Folder(**options).list_images(0, tuple(names), context)


def _notes(tree: _Tree, n_listed: int, labels: Sequence[str], events: Sequence[Event]) -> Iterator[str]:
    if n_listed < tree.total:
        what = "of other labels, or of none" if labels else "in no label's folder"
        n = tree.total - n_listed
        yield f"{plural(n, 'picture is', 'pictures are')} {what}: {'it is' if n == 1 else 'they are'} left out"
    if tree.others:
        yield (
            f"{plural(tree.others.total(), 'file is no picture by its name', 'files are no pictures by their names')}: "
            f"{most_frequent(tree.others)}"
        )
    for event in events:
        if isinstance(event, Noted) and isinstance(event.message, str) and "link" in event.message:
            yield event.message
    if n := tree.left_out[BROKEN]:
        yield (
            f"{plural(n, 'link leads to a file that is', 'links lead to files that are')} not here; "
            "`git annex get .` or `dvc pull` fetches those of such a tree"
        )


def _no_pictures(place: str, tree: _Tree) -> tuple[str, str]:
    seen = f"; it holds {most_frequent(tree.others)}" if tree.others else " at all"
    if tree.left_out:
        seen += f"; left out: {', '.join(count_left_out(tree.left_out))}"
    hint = "Name a folder with a sub-folder of pictures for each label, or a table with a column of addresses."
    if tree.left_out[BROKEN]:
        hint = "Fetch them first: `git annex get .` or `dvc pull`."
    elif tree.left_out[UNREADABLE]:
        hint = "Give yourself the right to read it: `chmod -R u+rX`."
    return f"The folder {place} holds no picture{seen}.", hint


def _no_labels(place: str, tree: _Tree) -> tuple[str, str]:
    message = f"The folder {place} holds {plural(tree.total, 'picture')}, but none is in a folder of a label."
    return message, "Put the pictures of each label into a folder of its own, such as heron/ and stork/."
