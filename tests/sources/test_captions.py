"""Rows of a table of captions are found by whole words, as a stream; what is left out is counted with its reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator.errors import RecipeError, SourceError
from curator.manifests.labels import LabelFinder
from curator.manifests.read_recipe import parse_recipe
from curator.sources.captions.captions_source import Captions
from curator.sources.registry import source_kinds
from tests.peak_memory import forget_peak, peak_bytes

WORDS = {"rugby": ("rugby", "scrum*", "Straße"), "soccer": ("football", "犬"), "american": ("american football",)}
LABELS = tuple(WORDS)
CAPTIONS = {
    "A RUGBY match": "rugby",
    'the "big" scrum-half, 1995': "rugby",
    "in der STRASSE": "rugby",
    "auf der Straße": "rugby",
    "\uff52\uff55\uff47\uff42\uff59 in full width": "rugby",
    "rugby's rules, and scrums": "rugby",
    "an american  football on a table": "american",
    "大きな犬がいる": "soccer",
    "football_boots": "soccer",
    "rugbyleague footballer": None,
    "a rugby ball and a football": "of two labels",
    "rugby Shirt for sale, size L": "of `except`",
    "": "without a caption",
    "a cat": None,
}
EXCEPT = ("shirt for sale",)


def rows() -> list[tuple[str, str]]:
    return [(f"http://e.org/{number}.jpg", caption) for number, caption in enumerate(CAPTIONS)]


def write(path: Path, form: str) -> Path:
    """Write the rows as well-known tables have them."""
    if form == "cc12m.tsv":  # no header, the address first
        path.write_text("".join(f"{url}\t{caption}\n" for url, caption in rows()))
    elif form == "cc3m.tsv":  # no header, the caption first
        path.write_text("".join(f"{caption}\t{url}\n" for url, caption in rows()))
    elif form == "laion.parquet":
        table = {
            "URL": [url for url, _ in rows()],
            "TEXT": [text or None for _, text in rows()],
            "WIDTH": range(len(CAPTIONS)),
        }
        pq.write_table(pa.table({key: list(values) for key, values in table.items()}), path, row_group_size=4)
    elif form == "table.csv":
        path.write_text(
            "url,alt text\n" + "".join(f'{url},"{text.replace(chr(34), chr(34) * 2)}"\n' for url, text in rows())
        )
    else:
        lines = ({"caption": caption, "url": url, "license": "CC BY 4.0"} for url, caption in rows())
        path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.mark.parametrize("form", ["cc12m.tsv", "cc3m.tsv", "laion.parquet", "table.csv", "parts.jsonl"])
def test_a_caption_means_the_label_whose_words_it_has(tmp_path, context, told, form):
    """Each form of table; whole words, folded; two labels and `except` are left out and counted, the others are not."""
    write(tmp_path / form, form)
    columns = {"caption": "alt text"} if form == "table.csv" else None
    source = Captions(path=form, words=WORDS, except_=EXCEPT, columns=columns)
    context = replace(context, labels=LABELS)
    listed = source.list_images(0, LABELS, context)
    urls = dict(rows())
    assert {urls[url]: label for url, label in zip(listed["url"], listed["label"], strict=True)} == {
        caption: label for caption, label in CAPTIONS.items() if label in LABELS
    }
    assert set(listed["title"]) == {caption for caption, label in CAPTIONS.items() if label in LABELS}
    assert set(listed["source_class"]) == {"rugby", "scrum*", "Straße", "football", "犬", "american football"}
    for reason in {label for label in CAPTIONS.values() if label and label not in LABELS}:
        assert f"{form}: 1 of {len(CAPTIONS)} rows w" in told() and reason in told()
    if form == "laion.parquet":
        assert json.loads(listed["extra"].iloc[0]) == {"width": "0"}
    if form == "parts.jsonl":
        assert set(listed["license"]) == {"CC BY 4.0"}
    assert list(source.list_images(0, ("rugby",), context)["label"].unique()) == ["rugby"]
    assert [read.cached for read in source.plan(0, context)] == [True]


def test_parts_from_addresses_go_on_where_they_were_cut(tmp_path, server, context):
    """A part that was read is kept: the next run reads those after it; without `words` the labels' names count."""
    places = [
        server.serve(f"/part{n}.tsv", f"http://e.org/{n}.jpg\ta rugby, a scrum\nhttp://e.org/x{n}.jpg\tfooty\n")
        for n in range(3)
    ]
    server.pages["/part2.tsv"].statuses = [404]
    names = LabelFinder({"rugby": (), "soccer": ("foot*",)})
    source, context = Captions(path=tuple(places)), replace(context, label_names=names)
    with pytest.raises(SourceError, match=r"part2\.tsv answered 404"):
        source.list_images(0, ("rugby", "soccer"), context)
    server.requests.clear()
    listed = source.list_images(0, ("rugby", "soccer"), replace(context, fresh=set()))
    assert listed["label"].value_counts().to_dict() == {"rugby": 3, "soccer": 3}
    assert server.gets() == ["/part2.tsv"]


BAD = {
    "no caption": ("url,width\nhttp://e.org/1.jpg,7\n", r"has no column of captions \(its columns are url, width"),
    "empty captions": ("url,caption\nhttp://e.org/1.jpg,\n", "has no caption in its column caption"),
    "no address": ("caption,width\na rugby,7\n", "has no column of addresses"),
    "no word": (
        "url,caption\nhttp://e.org/1.jpg,a cat\n",
        "none of the words rugby, soccer in 1 caption. Write other `words`",
    ),
    "nothing": ("", "is empty"),
    "a page": ("<!doctype html><p>Sorry</p>", "is a web page"),
    "addresses alone": ("http://e.org/1.jpg\nhttp://e.org/2.jpg\n", "has no column of captions"),
    "three columns": ("http://e.org/1.jpg\trugby\t7\n", "has no header: it begins with"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_table_without_captions_is_one_paragraph(tmp_path, context, what):
    """It names the table, what is wrong, and what to write."""
    text, message = BAD[what]
    (tmp_path / "list.tsv").write_text(text)
    with pytest.raises(SourceError, match=message) as error:
        Captions(path="list.tsv", words={"rugby": ("rugby",), "soccer": ("soccer",)}).list_images(
            0, ("rugby", "soccer"), context
        )
    assert str(error.value).startswith("The table list.tsv") and error.value.hint


def test_mistakes_of_a_recipe_are_reported(tmp_path):
    """An unknown label, words of two labels, without letters, a role that is none; `except` is a key."""
    text = 'name = "a"\nlabels = ["rugby", "soccer"]\n[[sources]]\nkind = "captions"\npath = "a.tsv"\n'
    for keys, message in {
        'words = { rugbi = ["x"] }': "names 'rugbi', which is not in labels, did you mean rugby",
        'words = { rugby = ["Ball"], soccer = ["ball"] }': "names 'ball' for rugby and for soccer",
        'except = ["!"]': "except names '!', which has no letter",
        'columns = { captoin = "TEXT" }': "did you mean caption",
    }.items():
        with pytest.raises(RecipeError, match=message):
            parse_recipe(text + keys, source_kinds())
    assert parse_recipe(text + 'except = ["shirt"]', source_kinds()).sources[0].except_ == ("shirt",)


def test_memory_does_not_grow_with_the_table(tmp_path, context):
    """Of rows of 80 MB, only those with a word are kept."""
    line = f"http://e.org/1.jpg\t{'an everyday photograph of something else, ' * 24}\n"
    for name, n in (("small.tsv", 8_000), ("large.tsv", 80_000)):
        (tmp_path / name).write_text("http://e.org/1.jpg\ta rugby\n" + line * n)
        forget_peak()
        before = peak_bytes()
        listed = Captions(path=name).list_images(0, ("rugby", "soccer"), context)
        grown = peak_bytes() - before
        assert len(listed) == 1
    assert grown < 60_000_000


def test_a_table_says_how_it_is_written(tmp_path, context):
    """By the keys that messages propose; another way of writing is another table."""
    (tmp_path / "old.csv").write_bytes('link;text\nhttp://e.org/1.jpg;"Straße"\n'.encode("cp1252"))
    context = replace(context, labels=LABELS)
    given = {"path": "old.csv", "words": WORDS, "columns": {"caption": "text"}}
    with pytest.raises(SourceError, match="`encoding = "):
        Captions(**given).list_images(0, LABELS, context)
    written = {"encoding": "cp1252", "delimiter": ";", "quoting": "csv"}
    assert Captions(**given, **written).list_images(0, LABELS, context)["title"].tolist() == ["Straße"]
    mistakes = Captions(**given, encoding="cp12522", delimiter="::").problems(LABELS)
    assert [key for key, _ in mistakes] == ["delimiter", "encoding"]
