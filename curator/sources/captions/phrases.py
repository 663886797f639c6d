"""Which label the words of a caption mean: whole words, without regard to case, width and composition of letters.

>>> phrases = Phrases({"rugby": ("rugby", "scrum*"), "football": ("american football",), "soccer": ("football",)})
>>> texts = ["Scrum-half at RUGBY, 1995", "rugbyleague", "an American   football", "football and rugby", None]
>>> [phrases.meaning(text) for text in texts]
[('rugby', 'scrum*'), None, ('football', 'american football'), ('', 'football, rugby'), None]
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

_SEPARATOR = r"[\s_-]+"
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
"""Letters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese."""

SEVERAL = ""
"""The label of a caption with words of two labels."""


def folded_text(text: str) -> str:
    """Return a text as captions are compared (Unicode Standard, 3.13, Default Caseless Matching).

    >>> folded_text("STRASSE") == folded_text("straße"), folded_text("Cafe\u0301") == folded_text("CAFÉ")
    (True, True)
    """
    return (
        text.casefold()
        if text.isascii()
        else unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    )


class Phrases:
    """The words and phrases of each label; ``*`` stands for the rest of a word, and the longer phrase goes first."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        pairs = {folded_text(text.strip()): (label, text) for label, texts in words.items() for text in texts}
        ordered = sorted(pairs, key=len, reverse=True)
        self._meanings = [pairs[phrase] for phrase in ordered]
        self._found = re.compile("|".join(f"({_pattern(phrase)})" for phrase in ordered) or "(?!)")
        ascii_phrases = [phrase for phrase in ordered if phrase.isascii()]
        self._rough = "|".join(_roughly(phrase) for phrase in ascii_phrases)

    def meaning(self, caption: str | None) -> tuple[str, str] | None:
        """Return the label and the phrase that a caption has, :data:`SEVERAL` if phrases of two, None if none."""
        found = self._found.finditer(folded_text(caption)) if caption else ()
        meant = dict.fromkeys(self._meanings[(match.lastindex or 1) - 1] for match in found)
        labels = {label for label, _ in meant}
        if len(labels) > 1:
            return SEVERAL, ", ".join(text for _, text in meant)
        return next(iter(meant), None)

    def may_be_in(self, captions: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return which captions are worth a closer look: all that have a phrase, and few others.

        In captions of ASCII a phrase is found by Arrow, a hundred times as fast; all others are worth one.
        """
        is_plain = pc.fill_null(pc.string_is_ascii(captions), True)
        if not self._rough:
            return pc.invert(is_plain)
        has_phrase = pc.fill_null(pc.match_substring_regex(captions, self._rough, ignore_case=True), False)
        return pc.or_(has_phrase, pc.invert(is_plain))


def _pattern(phrase: str) -> str:
    """Write a phrase as a regular expression over folded text."""
    parts = [part for part in re.split(_SEPARATOR, phrase) if part]
    body = _SEPARATOR.join(re.escape(part).replace(r"\*", r"[^\W_]*") for part in parts)
    before = "" if _UNSPACED.match(phrase[:1]) else r"(?<![^\W_])"
    after = "" if _UNSPACED.match(phrase[-1:]) else r"(?![^\W_])"
    return f"{before}{body}{after}"


def _roughly(phrase: str) -> str:
    """Write it as RE2 reads it, which knows no look-around."""
    parts = [part for part in re.split(_SEPARATOR, phrase) if part]
    return _SEPARATOR.join(
        re.sub(r"[^A-Za-z0-9*]", lambda found: f"\\x{{{ord(found[0]):x}}}", part).replace("*", "[A-Za-z0-9]*")
        for part in parts
    )


def phrase_problems(words: Mapping[str, Iterable[str]]) -> list[str]:
    """Say what is wrong with the phrases of labels, as sentences without their subject.

    >>> phrase_problems({"rugby": ("-", "Ball"), "soccer": ("ball",)})
    ["names '-', which has no letter", "names 'ball' for rugby and for soccer"]
    """
    owners: dict[str, str] = {}
    found = []
    for label, texts in words.items():
        for text in texts:
            if not any(map(str.isalnum, text)):
                found.append(f"names {text!r}, which has no letter")
            elif (owner := owners.setdefault(folded_text(text.strip()), label)) != label:
                found.append(f"names {text!r} for {owner} and for {label}")
    return found
