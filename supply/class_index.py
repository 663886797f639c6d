"""Make the index of classes that the package ships, from the word lists of Open Images, ImageNet and WordNet 3.0.

    python supply/class_index.py --open-images DIR --imagenet FILE --wordnet DIR

DIR of Open Images holds ``oidv6-class-descriptions.csv``, ``class-descriptions-boxable.csv`` and
``bbox_labels_600_hierarchy.json``; FILE is ``classes_in_imagenet.csv`` (``synid,class_name,urls,flickr_urls``); DIR of
WordNet is ``/usr/share/wordnet`` of Debian's package ``wordnet-base``: ``data.noun``, ``index.noun``, ``noun.exc`` and
``cntlist.rev`` (https://wordnet.princeton.edu/documentation/wndb5wn). No gloss is shipped: glosses only help here to
decide which synset a class such as "Crane (Machine)" is.

An entry is what one class is called everywhere: a class of Open Images, a synset, or both. How a class finds its
synset, and what the file holds, is in docs/decisions/0025-class-index.md.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from curator.sources.class_index.meanings import worth  # noqa: E402
from curator.sources.class_index.spelling import fold, number_forms  # noqa: E402

TARGET = ROOT / "curator" / "sources" / "class_index" / "classes.txt.gz"
HEADER = "curator class index 1"

PICTURED = {"03", "04", "05", "06", "08", "13", "17", "18", "20"}
"""The lexicographer files of what a picture may show: https://wordnet.princeton.edu/documentation/lexnames5wn."""
FACTORS = {"18": 0.6, "04": 0.9, "11": 0.7, "14": 0.6, "15": 0.6, "08": 0.8, "25": 0.5, "27": 0.8, "19": 0.8}
"""How likely a word means what is in such a file, to a person who wants pictures: a thing 1, others 0.4."""
THINGS = {"05", "06", "13", "17", "20"}
GENERAL = 150
"""What has more classes right below it is too general to say anything by them."""
MOST_CHILDREN = 12
_TAXON = re.compile(r"(?:genus|(?:sub|super|infra)?(?:family|order|class|phylum|division|tribe|kingdom)) [A-Z]")
"""How WordNet names groups of species, which nobody looks for by such a name."""

CORRECTED = {
    "/m/01n5jq": "n06793426",  # Poster
    "/m/025nd": "n03026626",  # Christmas tree
    "/m/0420v5": "n04023962",  # Punching bag
    "/m/050gv4": "n03959485",  # Plate
    "/m/05s2s": "n00017222",  # Plant
    "/m/063rgb": "n03775199",  # Mixer
    "/m/07c52": "n04405907",  # Television
    "/m/09gys": "n01971280",  # Squid
    "/m/0cjq5": "n01982650",  # Lobster
    "/m/0d5gx": "n02980441",  # Castle
    "/m/0d8zb": "n01910747",  # Jellyfish
    "/m/0fszt": "n07628870",  # Cake
    "/m/0h2r6": "n04520170",  # Van
    "/m/0nybt": "n01456756",  # Seahorse
    "/m/04blr": "n03627232",  # Knot
    "/m/0ddnlv": "n04224395",  # Siren
    "/m/0h8lw51": "n04496872",  # Tumbler
    "/m/02h00q": "n03595614",  # Jersey
    "/m/03jz06": "n04319937",  # Stilts
    "/m/0cybg8": "n04542715",  # Waders
    "/m/0ch_k": "n04428191",  # Thresher
    "/m/06r797": "n03766044",  # Miller
    "/m/09777": "n02534734",  # Salmon
    "/m/01j692": "n02532602",  # Sardine
    "/m/0dmq2": "n03791053",  # Scooter
    "/m/0hpx4": "n12281241",  # Birch
} | dict.fromkeys(
    (
        "/m/0d4w1",
        "/m/04_mqc9",
        "/m/0j9qfzr",
        "/m/0j9kg3c",
        "/m/025rsfk",
        "/m/036k5h",
        "/m/01b5dy",
        "/m/03bt1gh",
        "/m/0jnvp",
    ),
    "",
)
"""What these classes are, where the rule chose another sense: all 600 with boxes were read, and the others of animals.

Last, those that no synset fits: Closet, Trumpeter, Salmon (Food), Sardines, Copper, Grey, Jade, Games, Baby.
"""


@dataclass
class Synset:
    """A noun synset: names, the file of its lexicographer, parents, the first words of its gloss."""

    names: list[str]
    file: str
    parents: list[str]
    gloss: str
    n_urls: int | None = None
    n_flickr: int = 0

    @property
    def factor(self) -> float:
        """How likely a word means it, to a person who wants pictures."""
        return 1.0 if self.file in THINGS else FACTORS.get(self.file, 0.4)


@dataclass
class Entry:
    """One line of the index."""

    mid: str = ""
    name: str = ""
    has_boxes: bool = False
    synset: str = ""
    synonyms: list[str] = field(default_factory=list)
    n_urls: int | None = None
    n_flickr: int = 0
    parents: list[int] = field(default_factory=list)
    children: list[int] = field(default_factory=list)

    @property
    def is_listed(self) -> bool:
        """Whether a source has images of it."""
        return bool(self.mid or self.n_urls)

    def line(self) -> str:
        """Compose the line: id, name, boxes at Open Images; synset, counts at ImageNet; names; above; below."""
        listed = ["", "", ""] if self.n_urls is None else [self.synset, str(self.n_urls), str(self.n_flickr)]
        near = (" ".join(map(str, numbers)) for numbers in (self.parents, self.children))
        boxes = "b" if self.has_boxes else ""
        return "\t".join([self.mid, self.name, boxes, *listed, "|".join(self.synonyms), *near])


class WordNet:
    """The nouns of WordNet 3.0, without those that name one thing, such as a town; ImageNet has a few, such as the sun.

    ``counts`` are the addresses of each synset, all and those at Flickr.
    """

    def __init__(self, folder: Path, counts: Mapping[str, tuple[int, int]]) -> None:
        self.synsets = {
            key: one
            for key, one, names_one_thing in _synsets(folder / "data.noun")
            if key in counts or not names_one_thing
        }
        for key, (n_urls, n_flickr) in counts.items():
            self.synsets[key].n_urls, self.synsets[key].n_flickr = n_urls, n_flickr
        self.senses: dict[str, dict[str, float]] = defaultdict(dict)
        for lemma, ids in _index(folder / "index.noun"):
            counts = self._counts(lemma, folder)
            for place, synset in enumerate(ids, 1):
                if synset in self.synsets:
                    share = (counts.get(place, 0) + 0.5) / (sum(counts.values()) + 0.5 * len(ids))
                    strength = (0.5 / place + 0.5 * share) * self.synsets[synset].factor
                    known = self.senses[fold(lemma)]
                    known[synset] = max(known.get(synset, 0), strength)
        self.irregular = dict(_irregular(folder / "noun.exc"))

    def _counts(self, lemma: str, folder: Path) -> dict[int, int]:
        if not hasattr(self, "_all_counts"):
            self._all_counts: dict[str, dict[int, int]] = defaultdict(dict)
            for line in (folder / "cntlist.rev").read_text(encoding="latin-1").splitlines():
                key, sense, n = line.split()
                word, _, kind = key.partition("%")
                if kind.startswith("1:"):
                    self._all_counts[word][int(sense)] = int(n)
        return self._all_counts.get(lemma, {})

    def above(self, synset: str) -> set[str]:
        """Return a synset and all its hypernyms."""
        seen: set[str] = set()
        todo = [synset]
        while todo:
            one = todo.pop()
            if one in self.synsets and one not in seen:
                seen.add(one)
                todo += self.synsets[one].parents
        return seen


def _synsets(path: Path) -> Iterator[tuple[str, Synset, bool]]:
    """Yield each synset with its id, and whether it names one thing."""
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith(" "):  # the licence
            continue
        facts, _, gloss = line.partition(" | ")
        parts = facts.split()
        end = 4 + 2 * int(parts[3], 16)
        pointers = [parts[end + 1 + 4 * i : end + 5 + 4 * i] for i in range(int(parts[end]))]
        names = [name.replace("_", " ") for name in parts[4:end:2]]
        parents = [f"n{offset}" for kind, offset, *_ in pointers if kind in ("@", "@i")]
        yield f"n{parts[0]}", Synset(names, parts[1], parents, gloss), any(kind == "@i" for kind, *_ in pointers)


def _index(path: Path) -> Iterator[tuple[str, list[str]]]:
    for line in path.read_text(encoding="latin-1").splitlines():
        if not line.startswith(" "):
            parts = line.split()
            yield parts[0], [f"n{offset}" for offset in parts[-int(parts[2]) :]]


def _irregular(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="latin-1").splitlines():
        plural, *singulars = line.split()
        yield fold(plural), fold(singulars[0])


@dataclass
class OpenImagesWords:
    """The classes of Open Images: names, which have boxes, and the parents of those."""

    names: dict[str, str]
    boxable: set[str]
    parents: dict[str, list[str]]

    def above(self, mid: str) -> set[str]:
        """Return the names of a class's ancestors."""
        ancestors = [one for parent in self.parents.get(mid, ()) for one in (parent, *self.above(parent))]
        return {fold(self.names.get(one, one)) for one in ancestors}


def read_open_images(folder: Path) -> OpenImagesWords:
    """Read the three files."""
    names = dict(_rows(folder / "oidv6-class-descriptions.csv"))
    boxable = dict(_rows(folder / "class-descriptions-boxable.csv"))
    tree = json.loads((folder / "bbox_labels_600_hierarchy.json").read_text(encoding="utf-8"))
    parents: dict[str, list[str]] = defaultdict(list)

    def walk(node: dict[str, object]) -> None:
        for child in node.get("Subcategory", []):  # type: ignore[attr-defined]
            if node["LabelName"] in boxable and node["LabelName"] not in parents[child["LabelName"]]:
                parents[child["LabelName"]].append(str(node["LabelName"]))
            walk(child)

    walk(tree)
    return OpenImagesWords({**boxable, **names}, set(boxable), dict(parents))


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from (row[:2] for row in csv.reader(stream) if row and row[0].startswith("/"))


def count_addresses(path: Path) -> dict[str, tuple[int, int]]:
    """Return how many addresses ImageNet's lists held of each synset, and how many of these at Flickr."""
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["synid"]: (int(row["urls"]), int(row["flickr_urls"])) for row in csv.DictReader(stream)}


def pair(words: OpenImagesWords, wordnet: WordNet) -> dict[str, str]:
    """Find the synset of each class: the best fits first, each synset once."""
    fits = sorted((-fit, mid, synset) for mid in words.names for synset, fit in _fits(mid, words, wordnet) if fit > 0.1)
    pairs = dict(CORRECTED)
    taken = set(pairs.values())
    for _, mid, synset in fits:
        if mid not in pairs and synset not in taken:
            pairs[mid] = synset
            taken.add(synset)
    return {mid: synset for mid, synset in pairs.items() if synset}


def _fits(mid: str, words: OpenImagesWords, wordnet: WordNet) -> Iterator[tuple[str, float]]:
    """Yield the synsets that a class may be, each with how well it fits."""
    name, remark = _split_name(words.names[mid])
    above = words.above(mid)
    best: dict[str, float] = {}
    for form in number_forms(name):
        for synset, strength in wordnet.senses.get(form, {}).items():
            one = wordnet.synsets[synset]
            called = {fold(other) for key in wordnet.above(synset) for other in wordnet.synsets[key].names}
            said = set(fold(one.gloss).split())
            tokens = said | {token for other in called for token in other.split()}
            if remark and not _shares(remark, tokens):
                continue
            fit = strength + (0.15 if one.n_urls else 0) - (0.3 if form != name else 0)
            fit += 0.3 if one.file == "05" and one.n_urls else 0  # a beaver before a hat of its fur
            fit += 0 if not remark else 1.3 if _shares(remark, tokens - said) else 0.6
            if above:
                fit += 0.3 * min(2, len(above & called))
                fit -= 0 if any(word.split()[-1] in tokens for word in above) else 0.2
            if one.file not in THINGS | {"18"}:
                fit -= 0.5 if mid in words.boxable else 0 if one.file == "04" else 0.2
            best[synset] = max(best.get(synset, -1), fit + (0.2 if mid in words.boxable else 0))
    yield from best.items()


def _shares(remark: str, tokens: set[str]) -> bool:
    return any(form in tokens for token in remark.split() for form in number_forms(token))


def _split_name(name: str) -> tuple[str, str]:
    """Split ``Crane (Machine)`` into what it is called and the remark that says which it is."""
    found = re.fullmatch(r"(.+?) \((.+)\)", name)
    return (fold(found[1]), fold(found[2])) if found else (fold(name), "")


def wanted_synsets(wordnet: WordNet, paired: Iterable[str]) -> set[str]:
    """Return the synsets that the index holds: ImageNet's, those of classes, what a picture may show, all above."""
    wanted = set(paired) | {
        key
        for key, one in wordnet.synsets.items()
        if one.n_urls is not None or (one.file in PICTURED and not any(map(_TAXON.match, one.names)))
    }
    return wanted | {above for key in wanted for above in wordnet.above(key)}


def make_entries(words: OpenImagesWords, wordnet: WordNet, pairs: dict[str, str]) -> list[Entry]:
    """Make the entries, by what they are called: what is near in the words is near here too, and packs well."""
    rest = wanted_synsets(wordnet, pairs.values()) - set(pairs.values())
    keys = [(mid, pairs.get(mid, "")) for mid in words.names] + [("", synset) for synset in rest]
    keys.sort(key=lambda key: (fold(words.names[key[0]] if key[0] else wordnet.synsets[key[1]].names[0]), key))
    place = {key: i for i, pair in enumerate(keys) for key in pair if key}
    entries = []
    for mid, synset in keys:
        facts = wordnet.synsets.get(synset, Synset([], "", [], ""))
        entry = Entry(mid, words.names.get(mid, ""), mid in words.boxable, synset, facts.names)
        entry.n_urls, entry.n_flickr = facts.n_urls, facts.n_flickr
        above = [place[one] for one in (*words.parents.get(mid, ()), *facts.parents) if one in place]
        entry.parents = [one for one in dict.fromkeys(above) if one != place[mid or synset]]
        entries.append(entry)
    add_children(entries)
    return entries


def add_children(entries: list[Entry]) -> None:
    """Note right below which entries there are such that a source has, those first of which there is most."""
    below: dict[int, list[int]] = defaultdict(list)
    for number, entry in enumerate(entries):
        for parent in entry.parents if entry.is_listed else ():
            below[parent].append(number)
    for parent, children in below.items():
        if len(children) <= GENERAL:
            children.sort(key=lambda child: (-worth(entries[child], 0), child))
            entries[parent].children = children[:MOST_CHILDREN]


def make_names(entries: list[Entry], wordnet: WordNet) -> dict[str, dict[int, int]]:
    """Map each word to the entries that it may mean, with how strongly, 0 to 9."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for i, entry in enumerate(entries):
        strengths: dict[str, float] = {}
        for name in entry.synonyms:
            strengths[fold(name)] = wordnet.senses[fold(name)].get(entry.synset, 0.1)
        if entry.name:
            plain, remark = _split_name(entry.name)
            strengths[fold(entry.name)] = 1.0
            strengths[plain] = max(strengths.get(plain, 0), 0.5 if remark else 1.0)
        for name, strength in strengths.items():
            if name:
                found[name][i] = round(9 * min(1, strength))
    return found


def compose(entries: list[Entry], names: dict[str, dict[int, int]], irregular: dict[str, str]) -> str:
    """Compose the file: entries, words, irregular plurals, each part ended by an empty line."""
    words = [
        f"{name}\t" + " ".join(f"{i}:{strength}" if strength < 9 else f"{i}" for i, strength in sorted(ids.items()))
        for name, ids in sorted(names.items())
    ]
    plurals = [f"{plural}\t{one}" for plural, one in sorted(irregular.items()) if one in names and plural not in names]
    return "\n".join([HEADER, *(entry.line() for entry in entries), "", *words, "", *plurals, ""])


def main() -> None:
    """Write the index, and print how large it is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option in ("--open-images", "--imagenet", "--wordnet"):
        parser.add_argument(option, type=Path, required=True)
    parser.add_argument("--to", type=Path, default=TARGET)
    chosen = parser.parse_args()
    wordnet, words = WordNet(chosen.wordnet, count_addresses(chosen.imagenet)), read_open_images(chosen.open_images)
    pairs = pair(words, wordnet)
    entries = make_entries(words, wordnet, pairs)
    names = make_names(entries, wordnet)
    packed = gzip.compress(compose(entries, names, wordnet.irregular).encode("utf-8"), mtime=0)
    chosen.to.write_bytes(packed)
    print(f"{len(entries):,} entries, {len(pairs):,} classes with a synset, {len(names):,} names")
    print(f"{len(packed):,} bytes")


if __name__ == "__main__":
    main()
