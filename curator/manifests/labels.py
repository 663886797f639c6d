"""Labels as people write them: which texts may be one, the folder that each gets, and what else means it in a source.

>>> folder_name("Golden Retriever"), folder_name("Käfer"), folder_name("犬"), folder_name("a/b: *")
('Golden_Retriever', 'Käfer', '犬', 'a_b')
>>> finder = LabelFinder({"dog": ("Hund", "n02084071*"), "cat": ()})
>>> finder.find("Hund"), finder.find("n02084071-dog"), finder.find("CAT"), finder.find("cow")
('dog', 'dog', 'cat', None)
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

_LONGEST = 200
_LONGEST_FOLDER_BYTES = 80
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)  # no names of files on Windows
_WILD = re.compile(r"[*?\[]")


_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufeff\uffa0]"
)
"""Characters that nobody sees, or that turn the direction of writing: https://www.unicode.org/reports/tr9/"""

_JOINERS = re.compile("(?<![^\x00-\u02ff])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\u02ff])")
"""The joiners that nobody sees: between letters of Persian or Hindi they are spelling, and they are parts of emoji."""


def as_written(text: str) -> str:
    r"""Return a text as labels are compared and kept: as Unicode composes it (NFC), without spaces at its ends.

    Without characters, too, that nobody sees.

    >>> as_written(" he\u200bron\u202e"), len(as_written("\u0645\u06cc\u200c\u062e"))
    ('heron', 4)
    """
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", _JOINERS.sub("", _UNSEEN.sub("", text))).strip()


def has_unseen(text: str) -> bool:
    """Return whether a text has characters that :func:`as_written` takes out, since nobody sees them."""
    return not text.isascii() and bool(_UNSEEN.search(text) or _JOINERS.search(text))


def label_problem(label: Any) -> str | None:
    """Say why something cannot be a label, or None."""
    if not isinstance(label, str) or not as_written(label):
        return f"label {label!r} must be text"
    if label != as_written(label):
        how = "without spaces at its ends, accents composed"
        how = "without characters that nobody sees" if has_unseen(label) else how
        return f"label {label!r} must be written {as_written(label)!r}: {how}"
    if len(label) > _LONGEST:
        return f"label {label[:40]!r}… is longer than {_LONGEST} characters"
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in label):
        return f"label {label!r} has a character that is no text"
    return None


def folder_name(label: str) -> str:
    """Derive the name of a label's folder: letters and digits of any script, ``-``, ``_`` and ``.``.

    Everything else becomes ``_``. A name that would be too long, empty, or a device on Windows is made another by a
    hash or a ``_``. Labels of lower-case letters, digits, ``-`` and ``_`` are their own folder's name.
    """
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" or c in "-_." else " " for c in as_written(label))
    name = "_".join(part for word in kept.split() if (part := word.strip("."))).lstrip("-.")
    if not name or len(name.encode()) > _LONGEST_FOLDER_BYTES:
        short = name.encode()[:_LONGEST_FOLDER_BYTES].decode("utf-8", "ignore")
        name = f"{short or 'label'}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"
    return f"{name}_" if _DEVICES.fullmatch(name) else name


def label_problems(names: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """List what is wrong with a recipe's labels and their other names, each as a sentence."""
    yield from (problem for label in names if (problem := label_problem(label)))
    texts = {label: label for label in names if isinstance(label, str)}
    for what, key in (("the folder", lambda text: folder_name(text).casefold()), ("the name", fold)):
        shared = Counter(map(key, texts))
        for name, n in shared.items():
            if n > 1:
                mine = " and ".join(repr(label) for label in texts if key(label) == name)
                yield f"labels {mine} would share {what} {name!r}: rename all but one"
                return
    owners: dict[str, str] = {}
    for label, others in names.items():
        for other in others:
            if owners.setdefault(as_written(other), label) != label:
                yield f"labels {owners[as_written(other)]!r} and {label!r} both name {other!r}"


def fold(text: str) -> str:
    """Return a text as labels are compared: without case, and with one sign for a space; -1 is no 1."""
    return " ".join(re.sub(r"(?!^-[0-9])[\s_-]+", " ", as_written(text)).split()).casefold() or text


class LabelFinder:
    """Which label a folder's name or a value of a table means.

    In this order: the label or one of its other names as written; the same without regard to case, ``_``, ``-`` and
    spaces; a pattern with ``*``, ``?`` or ``[…]`` among its other names, of the label that comes first.
    """

    def __init__(self, names: Mapping[str, tuple[str, ...]]) -> None:
        self.names = names
        own = {label: label for label in names}
        others = {as_written(text): label for label, texts in names.items() for text in texts}
        self._patterns = [(text, label) for text, label in others.items() if _WILD.search(text)]
        self._exact = others | own
        self._folded = {fold(text): label for text, label in self._exact.items()}
        self._folded |= {fold(label): label for label in names}
        self._known: dict[str, str | None] = {}

    def find(self, text: str) -> str | None:
        """Return the label that a text means, or None."""
        if text not in self._known:
            self._known[text] = self._find(as_written(text))
        return self._known[text]

    def _find(self, text: str) -> str | None:
        found = self._exact.get(text) or self._folded.get(fold(text))
        return found or next((label for pattern, label in self._patterns if fnmatchcase(text, pattern)), None)
