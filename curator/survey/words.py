r"""From the words of labels to the sources of a recipe: the class that each label means, the others as comments.

>>> searches = {label: search_classes(label) for label in ("heron", "qzxwv")}
>>> choices = choose(searches)
>>> [(choice.label, [one.mid for one in choice.chosen]) for choice in choices]
[('heron', ['/m/01jgnh']), ('qzxwv', [])]
>>> print("\n".join(sources_text(choices).splitlines()[2:6]))
[[sources]]
kind = "open-images"
[sources.classes]
heron = [
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from curator.errors import CuratorError
from curator.manifests.labels import folder_name
from curator.manifests.recipe import NAME_PATTERN
from curator.manifests.toml_settings import toml_key
from curator.sources.class_index.search import ClassSearch, Near, Proposal, search_classes
from curator.sources.class_index.spelling import fold
from curator.text import Command

MOST_COMMENTS = 8
"""Classes of a label that the recipe names as comments."""
_PLACE = 28
"""The column that remarks begin in, if there is room."""


@dataclass(frozen=True)
class Choice:
    """What a label means: of what was found for its word, the classes that were chosen, none if nothing fits.

    ``same_as`` names the label that has its likeliest meaning already: another meaning is not put in its place.
    """

    label: str
    search: ClassSearch
    chosen: tuple[Proposal, ...]
    same_as: str = ""

    @property
    def others(self) -> tuple[Proposal, ...]:
        """What else was found."""
        return tuple(one for one in self.search.proposals if one not in self.chosen)


Ask = Callable[[Choice, Collection[str]], Choice]


def check_words(name: str, labels: Sequence[str]) -> None:
    """Refuse labels that are no words but surely were meant as some, before a class is guessed for each.

    Args:
        name: of the data set; one that cannot be is for :func:`check_new_recipe` to refuse.
        labels: as they were typed.

    Raises:
        CuratorError: several words are one label, or a label is a single letter or digit.
    """
    if not NAME_PATTERN.fullmatch(name):
        return
    parts = [part for label in labels for part in re.split(r"\s*[,;]\s*", label.strip()) if part]
    if letters := [part for part in parts if len(part) == 1 and part.isascii()]:
        words = Command.of("init", name, "heron", "stork")
        own = Command.of("init", name, options=("--from", "photos"))
        message = f"No class is meant by a single letter or digit: {', '.join(map(repr, letters))}."
        hint = ("Type words, such as ", words, "; pictures of your own may have any label: ", own, ".")
        raise CuratorError(message, hint)
    joined, why = next((label for label in labels if re.search("[,;]", label)), ""), "only spaces divide labels"
    if not joined and len(labels) == 1:
        joined, parts, why = labels[0], labels[0].split(), "it is in quotation marks"
    if joined and len(parts) > 1:
        typed = Command.of("init", name, *parts)
        raise CuratorError(f"{joined!r} is one label, as {why}.", ("For a label each, type ", typed, "."))


def search_labels(labels: Iterable[str]) -> dict[str, ClassSearch]:
    """Search the classes for each label, read as a word or a phrase; one without a letter or digit means nothing."""
    return {label: search_classes(label) if fold(label) else ClassSearch(label, "", (), 0, ()) for label in labels}


def best(search: ClassSearch) -> tuple[Proposal, ...]:
    """Return what a word most likely means; nothing if no class is called so.

    A class that Open Images lacks is joined by the next that is above or below it and is called so too: of ``cow``,
    ImageNet has cows, and Open Images cattle.
    """
    named = [one for one in search.proposals if one.is_named]
    if not named:
        return ()
    first, *rest = named
    in_line = (one for one in rest if one.mid and not first.mid and _is_in_line(one, first))
    return (first, *islice(in_line, 1))


def choose(searches: Mapping[str, ClassSearch], ask: Ask = lambda choice, taken: choice) -> list[Choice]:
    """Choose for each label what its word most likely means, no class for two labels.

    Args:
        searches: each label with what was found for it: see :func:`search_labels`.
        ask: given the likeliest choice, and the ids that other labels have, returns the choice of a person.
    """
    choices: list[Choice] = []
    for label, search in searches.items():
        taken, likeliest = ids_of(choices), Choice(label, search, best(search))
        same = next((one.label for one in choices if ids_of([one]) & ids_of([likeliest])), "")
        choices.append(ask(replace(likeliest, chosen=(), same_as=same) if same else likeliest, taken))
    return choices


def ids_of(choices: Iterable[Choice]) -> set[str]:
    """Return the ids at the sources of all that was chosen."""
    return {id_ for choice in choices for one in choice.chosen for id_ in (one.mid, one.synset) if id_}


def contained(choices: Sequence[Choice]) -> list[tuple[str, str]]:
    """Return the pairs of labels of which the first is a kind of the second: its pictures are pictures of that too."""
    above = {choice.label: {id_ for one in choice.chosen for id_ in one.above} for choice in choices}
    return [(label, other.label) for label, ids in above.items() for other in choices if ids & ids_of([other])]


def _is_in_line(one: Proposal, other: Proposal) -> bool:
    return bool({one.mid, one.synset} & {*other.above} or {other.mid, other.synset} & {*one.above})


def labels_of(choices: Sequence[Choice]) -> list[str]:
    """Return the labels of the recipe: those that mean something; all, if they are fewer than two."""
    meant = [choice.label for choice in choices if choice.chosen]
    return meant if len(meant) > 1 else [choice.label for choice in choices]


def own_lists(choices: Sequence[Choice]) -> list[str]:
    """Return the names of the lists, beside the recipe, of labels that mean nothing and are not left out."""
    labels = labels_of(choices)
    return [list_of(choice) for choice in choices if not choice.chosen and choice.label in labels]


def list_of(choice: Choice) -> str:
    """Return the name of the list, beside the recipe, that a label without a class has."""
    return f"{folder_name(choice.label)}.txt"


def sources_text(choices: Sequence[Choice]) -> str:
    """Compose the sources of a recipe: those of classes, and for a label without any a list to fill in.

    That list is a comment if the label is left out: see :func:`labels_of`.
    """
    labels = labels_of(choices)
    parts = [
        _source(choices, "open-images", "classes", _OPEN_IMAGES, lambda one: one.mid, _open_images_remark),
        _source(choices, "imagenet", "synsets", _IMAGENET, lambda one: one.synset, _imagenet_remark),
        *(_own_list(choice, choice.label in labels) for choice in choices if not choice.chosen),
    ]
    return "\n".join(filter(None, parts))


Id = Callable[[Proposal | Near], str]


def _source(
    choices: Sequence[Choice], kind: str, key: str, introduction: str, id_of: Id, remark: Callable[[Proposal], str]
) -> str:
    """Compose one source: for each label the chosen classes, and others as comments; all a comment if it has none."""
    lines = ["[[sources]]", f'kind = "{kind}"', f"[sources.{key}]"]
    for choice in (choice for choice in choices if choice.chosen):
        chosen = [_line(id_of(one), remark(one)) for one in choice.chosen if id_of(one)]
        mark = "# " if chosen else ""
        beside = islice(_beside(choice, id_of, remark, ids_of(choices)), MOST_COMMENTS)
        block = [*chosen, *(_line(id_, said, mark) for id_, said in beside)]
        block = [f"{toml_key(choice.label)} = [", *block, f"]{_watch(choice)}"] if block else []
        lines += block if chosen else [f"# {line}" for line in block]
    if len(lines) == 3:
        return ""
    is_used = any(map(id_of, (one for choice in choices for one in choice.chosen)))
    return introduction + "".join(f"{line}\n" if is_used else f"# {line.removeprefix('# ')}\n" for line in lines)


def _line(id_: str, remark: str, mark: str = "") -> str:
    return f"{f'    {mark}{json.dumps(id_)},':<{_PLACE}}# {remark}"


def _beside(
    choice: Choice, id_of: Id, remark: Callable[[Proposal], str], taken: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield the ids of classes that are not chosen, each once, with a remark: proposals, then narrower classes."""
    seen = {"", *taken}
    others = [(id_of(one), remark(one)) for one in choice.others]
    narrower = [(id_of(near), f"{near.name}: narrower") for one in choice.chosen for near in one.narrower]
    for id_, said in (*others, *narrower):
        if id_ not in seen:
            seen.add(id_)
            yield id_, said


def _open_images_remark(one: Proposal) -> str:
    more = ["broader" if one.match == "broader" else one.what, "has boxes" if one.has_boxes else ""]
    return ": ".join(filter(None, (one.name, "; ".join(filter(None, more)))))


def _imagenet_remark(one: Proposal) -> str:
    what = f": {one.what}" if one.what else ""
    return f"{one.name}{what}; {one.n_urls:,} addresses"


def _watch(choice: Choice) -> str:
    names = [near.name for one in choice.chosen[:1] for near in one.confusers[:4]]
    return f"  # look out for: {', '.join(names)}" if names else ""


def _own_list(choice: Choice, is_label: bool) -> str:
    """Compose the source of a label that no class fits: a list of addresses that a person makes."""
    label, file = (json.dumps(text, ensure_ascii=False) for text in (choice.label, list_of(choice)))
    near = f"; spelled nearly so: {', '.join(choice.search.nearest)}" if choice.search.nearest else ""
    why = f"{label} means the same as {json.dumps(choice.same_as, ensure_ascii=False)}"
    why = f"{why}, which has its class" if choice.same_as else f"No class was found for {label}{near}"
    mark, way = ("", "W") if is_label else ("# ", f"To have it, add {label} to labels, take away the # below, and w")
    return (
        f"# {why}.\n# {way}rite addresses of pictures of it, one a line, into {file}"
        f' beside this file.\n{mark}[[sources]]\n{mark}kind = "url-list"\n{mark}path = {file}\n{mark}label = {label}\n'
    )


_OPEN_IMAGES = """\
# Images that people verified to show a class of Open Images. The lines that begin with # name other classes that the
# word may mean, or that are near: take away the # of one that you want too.
"""

_IMAGENET = """\
# Addresses that ImageNet's lists named for a synset. Their server has been failing since 2024; an archived copy is
# tried too. With a fall11_urls.txt of your own (plain, .gz or .tgz), write urls = ["fall11_urls.txt"] below kind.
"""
