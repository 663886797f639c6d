"""Which column of a table is what: the address, the label, a local file, the side, the licence and so on.

A column is found by its name: the role's own name first, else one of the names that well-known tables use for it. A
name that may mean an address or a file, such as ``image``, means what its values are.

>>> table = {"identifier": ["http://e.org/1.jpg"], "species": ["Ardea cinerea"], "rightsHolder": ["Ann"]}
>>> find_columns(table)
{'url': 'identifier', 'label': 'species', 'author': 'rightsHolder'}
>>> find_columns({"image_url": ["http://e.org/1.jpg"], "link": ["http://e.org/1"], "label": ["rugby"]})
Traceback (most recent call last):
curator.errors.SourceError: has two columns that could be the address: image_url and link Write which one is, ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import median_high

from curator.errors import SourceError
from curator.manifests.toml_settings import suggest

ROLES: Mapping[str, tuple[str, ...]] = {
    "url": (
        "imageurl", "imgurl", "imageuri", "photourl", "photoimageurl", "pictureurl", "mediaurl", "fileurl",
        "contenturl", "downloadurl",
        "originalurl", "topurl", "accessuri", "identifier", "image", "img", "photo", "picture", "file",
        "link", "imagelink", "href", "src", "uri", "urls", "cocourl", "flickrurl",
    ),
    "label": (
        "class", "classname", "classlabel", "category", "categoryname", "species", "scientificname", "labels",
        "labelname",
    ),
    "path": (
        "file", "filename", "filepath", "image", "imagepath", "imagefile", "imagename", "img", "imgpath", "imgname",
        "relativepath", "relpath", "localfile", "photo", "picture",
    ),
    "group": ("groupid", "splitgroup"),
    "split": ("set", "subset", "partition"),
    "license": ("licence", "rights", "usageterms", "licenseurl", "licenceurl"),
    "author": ("creator", "rightsholder", "photographer", "artist", "ownername", "creatorname"),
    "author_url": ("creatorurl", "photographerurl", "authorprofileurl"),
    "title": ("caption", "text", "alttext"),
    "landing_url": (
        "references", "page", "pageurl", "sourceurl", "landingpage", "originallandingurl", "foreignlandingurl",
        "descriptionurl", "observationurl",
    ),
    "fallback_url": (),
    "source_id": ("imageid", "photoid", "id"),
    "source_class": (),
    "rotation": (),
}  # fmt: skip
"""What a column may be, and the names that other tables have for it, without case, spaces, ``_``, ``-`` and ``.``."""

_ALL_NAMES = {re.sub("_", "", name) for role, names in ROLES.items() for name in (role, *names)}
_LESS_LIKELY_LABELS = {"target", "diagnosis", "classid", "categoryid", "labelid", "y"}
"""Names of columns of labels that are mostly numbers, where no other column is one."""

ADDRESS = r"\s*[A-Za-z][A-Za-z0-9+.-]*:/?/"
"""How an address begins."""

_ADDRESS = re.compile(ADDRESS)
_PICTURE = re.compile(r"(?i)\.(?:jpe?g|png|gif|webp|tiff?|bmp|avif|heic)\b")
_RANKS_OF_LIFE = {"kingdom", "phylum", "order", "family", "genus"}
_LONGEST_LABEL = 60
_NUMBERED = re.compile(r"(?i)(?:label|class|category|tag)s?[ _-]?\d+")
_WHAT = {"url": "the address", "label": "the label", "path": "the file"}

Sample = Mapping[str, Sequence[str | None]]
"""The names of the columns, and some values of each."""


class MissingColumnError(SourceError):
    """A table lacks a column for a role.

    Attributes:
        role: the role.
        columns: what to write, if only one of its columns can be meant.
        has_candidates: whether several can.
        sample: its columns, with some of their values.
    """

    def __init__(
        self, role: str, message: str, hint: str, columns: Sequence[str] = (), sample: Sample | None = None
    ) -> None:
        super().__init__(message, hint)
        self.role, self.sample = role, sample or {}
        self.columns = {role: columns[0]} if len(columns) == 1 else {}
        self.has_candidates = bool(columns)


class SeveralLabelsError(SourceError):
    """A table has its labels in several columns."""


def folded(name: str) -> str:
    """Return a column's name without what does not distinguish it."""
    return name.strip().strip('"').strip().casefold()


def refuse_repeated(names: Iterable[str]) -> None:
    """Refuse names of columns that are one: they would overwrite each other.

    Raises:
        SourceError: two are equal without regard to case.

    >>> refuse_repeated(["Label", "url", "label"])
    Traceback (most recent call last):
    curator.errors.SourceError: names a column twice: Label and label Rename or remove one of them, ...
    """
    written: dict[str, list[str]] = {}
    for name in names:
        written.setdefault(folded(name), []).append(name.strip())
    if twice := [" and ".join(same) for same in written.values() if len(same) > 1]:
        hint = "Rename or remove one of them, whichever is not meant: upper and lower case make no difference."
        raise SourceError(f"names a column twice: {', '.join(twice)[:200]}", hint)


def count_titles(rows: Sequence[Sequence[str | None]]) -> int:
    """Count the rows above the header, among the first rows of a table.

    A title fills at most half as many fields as the rows mostly do, and names no column as tables call them.

    >>> count_titles([["Birds of 2024"], ["link", "art", "note"], ["http://e.org/1.jpg", "Reiher", ""]])
    1
    """
    filled = [[text for text in row if text and text.strip()] for row in rows]
    usual = median_high([len(texts) for texts in filled]) if filled else 0
    for number, texts in enumerate(filled):
        if 2 * len(texts) > usual or any(_squeezed(text) in _ALL_NAMES for text in texts):
            return number
    return 0


def is_known(name: str) -> bool:
    """Return whether a name is that of an address or a file in some table.

    >>> is_known("URL"), is_known("image_url"), is_known("name")
    (True, True, False)
    """
    return any(_squeezed(name) in (role, *ROLES[role]) for role in ("url", "path"))


def may_have_role(name: str) -> bool:
    """Return whether a column may be something, or make another one something else, by its name.

    >>> may_have_role("image_url"), may_have_role("genus"), may_have_role("width")
    (True, True, False)
    """
    return _squeezed(name) in _ALL_NAMES | _LESS_LIKELY_LABELS | _RANKS_OF_LIFE


def column_problems(columns: Mapping[str, str]) -> list[str]:
    """Say what is wrong with ``columns`` of a recipe, as sentences without their subject."""
    return [f"names {role!r}{suggest(role, ROLES) or _ROLES_ARE}" for role in columns if role not in ROLES]


_ROLES_ARE = f"; what a column may be is {', '.join(ROLES)}"


def find_columns(sample: Sample, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Find which column is what, in the order of :data:`ROLES`.

    Args:
        sample: the columns, as they are named, with some of their values.
        given: roles to names of columns, as a recipe has them.

    Raises:
        SourceError: a column that is given does not exist, or two may be the address, the label or the file.
    """
    found = {role: _named(role, name, sample) for role, name in (given or {}).items()}
    values = {name: [value for value in texts if value and value.strip()] for name, texts in sample.items()}
    are_addresses = {name for name, texts in values.items() if 2 * sum(map(is_address, texts)) > len(texts)}
    for role in ROLES:
        taken = {*found.values()}
        names = [name for name in sample if name not in taken and _fits(role, name, sample, values, are_addresses)]
        if role not in found and (name := _best(role, names, is_optional=role == "path" and "url" in found)):
            found[role] = name
    if "label" not in found:
        weak = [name for name in sample if _squeezed(name) in _LESS_LIKELY_LABELS and name not in found.values()]
        coded = [name for name in weak if 0 < 2 * len({*values[name]}) <= len(values[name])]
        found |= {"label": coded[0]} if len(coded) == 1 else {}
    if "url" in found and "url" not in (given or {}):
        _prefer_picture(found, values)
    return {role: found[role] for role in ROLES if role in found}


def is_address(text: str) -> bool:
    """Return whether a text begins as an address does."""
    return bool(_ADDRESS.match(text.strip(' "')))


def unnamed_addresses(sample: Sample) -> list[str]:
    """Name the columns whose values are addresses, of pictures before others."""
    texts = {name: [value for value in values if value and value.strip()] for name, values in sample.items()}
    names = [name for name, values in texts.items() if values and all(map(is_address, values))]
    pictures = [name for name in names if _share(_PICTURE.search, texts[name]) > 0.5]
    return pictures or names


def unnamed_labels(sample: Sample, taken: Iterable[str]) -> list[str]:
    """Name the columns that could be labels by their values: a few short texts, each in several rows.

    >>> unnamed_labels({"url": ["http://e.org/1"] * 4, "art": ["a", "b", "a", "b"], "n": ["1", "2", "3", "4"]}, ["url"])
    ['art']
    """
    found = []
    for name, column in sample.items():
        texts = [value.strip() for value in column if value and value.strip()]
        n_distinct = len({*texts})
        is_short = all(len(text) <= _LONGEST_LABEL and not is_address(text) for text in texts)
        is_word = sum(any(map(str.isalpha, text)) for text in texts) == len(texts)
        if name not in taken and n_distinct > 1 and 2 * n_distinct <= len(texts) and is_short and is_word:
            found.append(name)
    return found


def several_labels(sample: Sample) -> str:
    """Say that a table has its labels in several columns, and which; nothing if it does not seem so."""
    numbered = [name for name in sample if _NUMBERED.fullmatch(name.strip())]
    if len(numbered) > 1:
        return f"has several columns of labels: {', '.join(numbered)}"
    marks = {"0", "1", "0.0", "1.0", "true", "false"}
    ones = [name for name, values in sample.items() if {str(value).strip().casefold() for value in values} <= marks]
    if len(ones) > 1 and any(sample.values()):
        return f"has a column for each label ({', '.join(ones[:5])}{' …' * (len(ones) > 5)}) with 0 or 1 in it"
    return ""


def _named(role: str, name: str, sample: Sample) -> str:
    if (found := next((one for one in sample if folded(one) == folded(name)), None)) is None:
        near = suggest(name, sample) or f"; its columns are {', '.join(sample)[:200]}"
        raise SourceError(f"has no column {name!r}, which `columns` names as `{role}`{near}")
    return found


def _fits(role: str, name: str, sample: Sample, values: Sample, are_addresses: Iterable[str]) -> bool:
    """Return whether a column may be what its name says: addresses are addresses, files and labels are not."""
    squeezed = _squeezed(name)
    if squeezed == _squeezed(role):
        return True
    if squeezed not in ROLES[role] or (role in ("url", "label", "path") and not values[name]):
        return False
    if role == "label" and squeezed == "class" and _RANKS_OF_LIFE & {*map(_squeezed, sample)}:
        return False
    if role in ("url", "landing_url", "author_url"):
        return name in are_addresses
    return role not in ("path", "label") or name not in are_addresses


def _best(role: str, names: Sequence[str], *, is_optional: bool) -> str | None:
    """Choose one of the columns that may play a role: the one of its own name, else the only one."""
    own = [name for name in names if folded(name) == role] or [n for n in names if _squeezed(n) == _squeezed(role)]
    if own or len(names) < 2:
        return next(iter([*own, *names]), None)
    if role not in _WHAT or is_optional:
        return min(names, key=lambda name: ROLES[role].index(_squeezed(name)))
    shown = f"{', '.join(names[:-1])} and {names[-1]}"
    hint = f'Write which one is, such as `columns = {{ {role} = "{names[0]}" }}`, beside its path in the recipe.'
    n = {2: "two", 3: "three"}.get(len(names), str(len(names)))
    raise SourceError(f"has {n} columns that could be {_WHAT[role]}: {shown}", hint)


def _prefer_picture(found: dict[str, str], values: Sample) -> None:
    """Take ``image_url`` for the address if ``url`` holds pages, as in exports of iNaturalist."""
    address = found.get("url", "")
    pictures = [name for name in values if _squeezed(name) in ("imageurl", "photourl") and name != address]
    if len(pictures) != 1 or _share(_PICTURE.search, values[address]) > 0.1:
        return
    if _share(_PICTURE.search, values[pictures[0]]) > 0.5:
        found["url"] = pictures[0]
        found.setdefault("landing_url", address)


def _share(test: object, texts: Sequence[str | None]) -> float:
    return sum(bool(text and test(text)) for text in texts) / max(len(texts), 1)  # type: ignore[operator]


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_.\-]+", "", folded(name))
