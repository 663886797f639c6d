"""Propose where the labels of a tree of pictures are, from the folders that hold them: pure, no file is read.

>>> folders = [("Images", "n02085620-Chihuahua"), ("Images", "n02085782-Spaniel")]
>>> found = propose(dict.fromkeys(folders, 9))
>>> found.root, found.layout, sorted(found.texts.values()), found.names["Chihuahua"]
(('Images',), 'labels', ['Chihuahua', 'Spaniel'], ('n02085620-Chihuahua',))
>>> propose({("train", "cat"): 8, ("train", "dog"): 8, ("val", "cat"): 2, ("val", "dog"): 2}).layout
'nested'
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from curator.manifests.labels import as_written, fold, has_unseen
from curator.sources.folder.layouts import MASKS
from curator.sources.sides import side_of

Folder = tuple[str, ...]

PICTURES = frozenset(("images", "image", "imgs", "img", "jpegimages", "photos", "pictures", "rgb", "color", "colour"))
"""What the folder of the pictures is called, in lower case, where others beside it hold masks of the same."""

_NUMBER = re.compile(r"(?:n\d{8}|\d{1,5})[\s._-]+(?=[^\s\d])")
_N_SHOWN = 5
_SAME_SHARE = 0.8
_BESIDE_SIDE = frozenset(("final", "images", "image", "img", "imgs", "set", "data", ""))


@dataclass(frozen=True)
class Proposal:
    """Where the labels are.

    Attributes:
        root: the folders on the way to the one that the source should read.
        layout: of the folder source.
        texts: the label of each folder that holds pictures and belongs to one.
        names: the labels that are called otherwise in the folders, with those names.
        notes: sentences that say what was chosen, and what was left out.
    """

    root: Folder
    layout: str
    texts: Mapping[Folder, str]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def note_unseen(texts: Iterable[str]) -> tuple[str, ...]:
    r"""Say which of the labels have characters that nobody sees, and are written without them.

    >>> note_unseen(["heron", "sto\u200brk"])
    ("'sto\\u200brk' is written without characters that nobody sees, or that turn the direction of writing: 'stork'",)
    """
    odd = sorted({text for text in texts if has_unseen(text)})
    what = "written without characters that nobody sees, or that turn the direction of writing"
    shown = f"{', '.join(map(ascii, odd[:_N_SHOWN]))}{' …' * (len(odd) > _N_SHOWN)}"
    written = ", ".join(repr(as_written(text)) for text in odd[:_N_SHOWN])
    return (f"{shown} {'is' if len(odd) == 1 else 'are'} {what}: {written}",) if odd else ()


def propose(n_pictures: Mapping[Folder, int]) -> Proposal:
    """Propose the labels of a tree.

    What lies around the labels is taken away: folders that hold everything, sides (``train``, ``val``, ``test``),
    levels of single letters, levels whose folders all hold the same ones (``photo/dog``, ``sketch/dog``), and folders
    of one name below each label (``images``). What is left begins with a label.
    Of trees beside each other with the same labels, one of which is called ``images``, the others are masks.

    Args:
        n_pictures: each folder that holds pictures, relative to the tree's root, to their number.
    """
    rest: dict[Folder, Folder] = {folder: folder for folder in n_pictures}
    root, notes, is_plain, is_joined = Folder(), list[str](), True, False
    while len(heads := {path[0] for path in rest.values() if path}) and any(len(path) > 1 for path in rest.values()):
        chosen = _choose_parallel(heads, rest)
        if chosen:
            others = sorted(heads - {chosen})
            notes.append(
                f"The labels are in {chosen}/; {', '.join(f'{name}/' for name in others)} beside it is left out."
            )
            rest = {folder: path for folder, path in rest.items() if path[:1] == (chosen,)}
        elif _are_sides(heads, rest):
            is_plain = False
            if masks := sorted(head for head in heads if head.casefold() in MASKS):
                notes.append(f"{', '.join(f'{name}/' for name in masks)} beside the sides holds masks: it is left out.")
            rest = {folder: path for folder, path in rest.items() if path[:1] and path[0] not in masks}
        elif _are_letters(heads, rest):
            is_plain, is_joined = False, True
        elif domains := _domains(heads, rest):
            is_plain = False
            notes.append(
                f"The labels are the folders in {_in_words(domains)}, which hold the same ones; "
                "what these are called is no label."
            )
        elif len(heads) > 1 or any(len(path) == 1 for path in rest.values()):
            break
        if is_plain:
            root = (*root, *(heads if not chosen else (chosen,)))
        rest = _without_unlabelled({folder: path[1:] for folder, path in rest.items() if path})
    rest = _without_common_end({folder: path for folder, path in rest.items() if path})
    texts = {folder: "/".join(path) if is_joined else path[0] for folder, path in rest.items()}
    return _tidy(root, "labels" if is_plain else "nested", texts, tuple(notes))


def _are_sides(heads: set[str], rest: Mapping[Folder, Folder]) -> bool:
    """Say whether the first folders are sides of a split: all of them; or several that share labels, among others."""
    labelled: dict[str, set[str]] = defaultdict(set)
    for path in rest.values():
        if len(path) > 1:
            labelled[path[0]].add(path[1])
    if len(heads) > 1 and all(map(_is_side, heads)):
        return bool(labelled)
    sides = [labelled[head] for head in heads if side_of(head) and labelled.get(head)]
    if len(sides) > 1 and set.intersection(*sides):
        return True
    are_two = len({side for head in heads if (side := side_of(head))}) > 1  # all that has labels is a side, as in GTSRB
    return are_two and len(sides) == 1 and len(sides[0]) > 1 and not [head for head in labelled if not side_of(head)]


def _domains(heads: set[str], rest: Mapping[Folder, Folder]) -> list[str]:
    """Return the folders of a level that hold the same ones, which then are the labels: ``photo/dog``, ``sketch/dog``.

    Places, years, cameras or styles are such a level; sides, and folders for kinds of files below each label, are not.
    """
    if any(len(path) < 2 for path in rest.values()) or len(heads) < 2:
        return []
    below: dict[str, set[str]] = defaultdict(set)
    for head, *path in rest.values():
        below[head].add(next((name for name in path if not _is_side(name)), path[0]))
    same, all_of_them = set.intersection(*below.values()), set[str]().union(*below.values())
    if len(same) < 2 or len(same) < _SAME_SHARE * len(all_of_them) or any(map(is_around_labels, same)):
        return []
    return sorted(heads)


def _in_words(folders: Sequence[str]) -> str:
    shown = [f"{name}/" for name in folders[:_N_SHOWN]]
    rest = len(folders) - len(shown)
    return f"{', '.join(shown)} and {rest:,} more" if rest else f"{', '.join(shown[:-1])} and {shown[-1]}"


def is_around_labels(text: str) -> bool:
    """Say whether the name of a folder tells a side, or what kind of files it holds, rather than a label.

    >>> [text for text in ("Final_Test", "test1", "JPEGImages", "test tube", "heron") if is_around_labels(text)]
    ['Final_Test', 'test1', 'JPEGImages']
    """
    return _is_side(text) or text.casefold() in PICTURES | MASKS


def _is_side(text: str) -> bool:
    words = re.split(r"[\W\d_]+", text.casefold())
    return any(map(side_of, words)) and all(side_of(word) or word in _BESIDE_SIDE for word in words)


def _without_unlabelled(rest: dict[Folder, Folder]) -> dict[Folder, Folder]:
    """Leave out ``val/images`` where other sides have labels in, or around, such a folder."""
    around = {name for path in rest.values() if len(path) > 1 for name in path if name.casefold() in PICTURES}
    return {folder: path for folder, path in rest.items() if len(path) != 1 or path[0] not in around}


def _are_letters(heads: set[str], rest: Mapping[Folder, Folder]) -> bool:
    is_deep = all(len(path) > 1 for path in rest.values() if path)
    return is_deep and len(heads) > 1 and all(len(head) == 1 for head in heads)


def _choose_parallel(heads: set[str], rest: Mapping[Folder, Folder]) -> str | None:
    """Choose the folder of the pictures among folders that hold the same labels."""
    called = sorted(head for head in heads if head.casefold() in PICTURES)
    if len(called) != 1 or not 1 < len(heads) <= 8:
        return None
    below = {head: {path[1] for path in rest.values() if path[0] == head and len(path) > 1} for head in heads}
    labels = below[called[0]]
    return called[0] if len(labels) > 1 and all(one <= labels for one in below.values()) else None


def _without_common_end(rest: Mapping[Folder, Folder]) -> dict[Folder, Folder]:
    shorter = dict(rest)
    while shorter and all(len(path) > 1 for path in shorter.values()):
        if len({path[-1] for path in shorter.values()}) > 1:
            break
        shorter = {folder: path[:-1] for folder, path in shorter.items()}
    return shorter


def _tidy(root: Folder, layout: str, texts: Mapping[Folder, str], notes: tuple[str, ...]) -> Proposal:
    """Write labels as people do: without a number or WordNet id before each, and one spelling for each."""
    distinct = {text: as_written(text) for text in texts.values()}
    bare = {text: _NUMBER.sub("", label, count=1) for text, label in distinct.items()}
    is_numbered = all(bare[text] != label for text, label in distinct.items())
    if len(distinct) > 1 and is_numbered and len({label.casefold() for label in bare.values()}) == len(bare):
        distinct = bare
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    places: dict[str, set[Folder]] = defaultdict(set)
    for folder, text in texts.items():
        spellings[fold(distinct[text])][distinct[text]] += 1
        places[distinct[text]].add(folder[: folder.index(text)] if text in folder else folder)
    one = {folded: min(counted, key=lambda text: (-counted[text], text)) for folded, counted in spellings.items()}
    labels = {text: one[fold(label)] for text, label in distinct.items()}
    for text, label in distinct.items():  # beside each other, they are two: a person has to say what is meant
        if label != labels[text] and places[label] & places[labels[text]]:
            labels[text] = label
    names: dict[str, list[str]] = defaultdict(list)
    for text, label in sorted(labels.items()):
        if fold(text) != fold(label):
            names[label].append(unicodedata.normalize("NFC", text).strip())
    called = {label: tuple(others) for label, others in names.items()}
    notes = (*notes, *note_unseen(distinct))
    return Proposal(root, layout, {folder: labels[text] for folder, text in texts.items()}, called, notes)
