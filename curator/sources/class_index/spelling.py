"""How words are compared: folded, in singular and plural, and how many slips of the finger apart.

>>> fold("Crane (Machine)"), fold("Café-au-lait"), fold("Sprenger's tulip")
('crane machine', 'cafe au lait', 'sprengers tulip')
>>> number_forms("rugby balls"), number_forms("knives"), number_forms("trouser")
(['rugby balls', 'rugby ball'], ['knives', 'knif', 'knife', 'kniv', 'knive'], ['trouser', 'trousers'])
>>> slips("rugbi", "rugby", 2), slips("hre", "her", 2), slips("heron", "stork", 2)
(1, 1, 3)
"""

from __future__ import annotations

import re
import unicodedata

_APART = re.compile(r"[\W_]+")
_SINGULARS = (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("men", "man"), ("es", ""), ("s", ""))
_IRREGULAR = {"teeth": "tooth", "feet": "foot", "geese": "goose", "mice": "mouse"}
"""What a phrase may end with, such as ``milk teeth``."""


def fold(text: str) -> str:
    """Return a text in lower case, without accents and signs, its words apart by one space each."""
    if not text.isascii():
        text = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return _APART.sub(" ", re.sub("['\u2019]", "", text)).strip().casefold()


def number_forms(phrase: str) -> list[str]:
    """Return a folded phrase as it is, then what may be its singular, then its plural; not all are words."""
    forms = [phrase]
    if (phrase.endswith("s") and not phrase.endswith("ss")) or phrase.endswith("men"):
        cut = [(end, new) for end, new in _SINGULARS if phrase.endswith(end) and len(phrase) > len(end) + 1]
        forms += [phrase.removesuffix(end) + new for end, new in cut]
    elif (last := phrase.rpartition(" ")[2]) in _IRREGULAR:
        forms.append(phrase.removesuffix(last) + _IRREGULAR[last])
    elif phrase.endswith("y") and not re.search("[aeiou]y$", phrase):
        forms.append(phrase[:-1] + "ies")
    else:
        forms.append(phrase + ("es" if re.search("(?:s|x|z|ch|sh)$", phrase) else "s"))
    return list(dict.fromkeys(forms))


def slips(one: str, other: str, most: int) -> int:
    """Count the letters to insert, leave out, replace or swap with the next to make one text the other.

    This is the restricted Damerau-Levenshtein distance (F. J. Damerau, 1964, doi:10.1145/363958.363994); where it is
    more than ``most``, ``most + 1`` is returned.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, mine in enumerate(other, 1):
            cost = min(last[j] + 1, row[-1] + 1, last[j - 1] + (letter != mine))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == mine:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return min(last[-1], most + 1)
