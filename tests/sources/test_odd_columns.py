"""Columns whose names are one, or look like parts of others; classes by number; names that UTF-8 cannot write."""

from __future__ import annotations

import io
import json

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from curator.errors import SourceError
from curator.sources.url_list.class_names import names_in_metadata
from curator.sources.url_list.url_list_source import UrlList

URLS = ["http://e.org/1.jpg", "http://e.org/2.jpg"]
LABELS = ["rugby", "soccer"]


def listed(context, name, data, **settings):
    (context.base_dir / name).write_bytes(data)
    return UrlList(path=name, **settings).list_images(0, context.labels, context)


def parquet(**columns) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def workbook(*rows) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


TWICE = {
    "a.csv": b"url,Label,label\nhttp://e.org/1,rugby,soccer\n",
    "a.parquet": parquet(url=URLS, Label=LABELS, label=LABELS[::-1]),
    "within.parquet": parquet(url=URLS, image=[{"Label": 1}] * 2, **{"image.label": LABELS}),
    "a.jsonl": b'{"url": "http://e.org/1", "Label": "rugby", "label": "soccer"}\n' * 2,
    "a.json": json.dumps([{"url": "http://e.org/1", "meta": {"x": 1}, "meta.X": 2}]).encode(),
    "a.xlsx": workbook(["url", "Label", "label"], ["http://e.org/1", "rugby", "soccer"]),
}


@pytest.mark.parametrize("name", TWICE)
def test_columns_of_one_name_are_refused(name, context):
    """Whatever the form: none overwrites the other silently, and both are named as they are written."""
    with pytest.raises(SourceError, match=r"names a column twice: \S+ and \S+\. Rename or remove one of them"):
        listed(context, name, TWICE[name])


def test_a_flat_column_may_be_called_as_one_within_a_struct(context):
    """``image.bytes`` of pictures are written out, those of anything else are text; a struct is read as before."""
    pictures = []
    for number in range(2):
        out = io.BytesIO()
        Image.new("RGB", (9, 9), (number, 0, 0)).save(out, "PNG")
        pictures.append(out.getvalue())
    names = ["1.png", "2.png"]
    flat = parquet(**{"image.bytes": pictures, "image.path": names, "label": LABELS, "image": [1, 2]})
    inner = [{"bytes": data, "path": name} for data, name in zip(pictures, names, strict=True)]
    for data in (flat, parquet(**{"set.image": inner, "label": LABELS})):
        rows = listed(context, "a.parquet", data, columns={"source_id": "image.path"} if data is flat else None)
        found = dict(zip(rows["label"], rows["local_path"], strict=True))
        assert [open(found[label], "rb").read() for label in LABELS] == pictures  # noqa: SIM115, PTH123
    rows = listed(context, "b.parquet", parquet(**{"url": URLS, "label": LABELS, "image.bytes": [b"x", b"y"]}))
    assert [json.loads(extra) for extra in rows["extra"]] == [{"image.bytes": "x"}, {"image.bytes": "y"}]


def test_halves_of_characters_are_written_as_question_marks(context):
    """JSON may name them in a value, in a column's name, and in the name of a class."""
    lines = [
        json.dumps({"url": url, "label": label, "a\ud800b": "c\udfff"}) for url, label in zip(URLS, LABELS, strict=True)
    ]
    for name, text in {"a.jsonl": "\n".join(lines), "a.json": f"[{','.join(lines)}]"}.items():
        rows = listed(context, name, text.encode())
        assert rows["label"].tolist() == LABELS and {*rows["extra"]} == {'{"a?b": "c?"}'}
    info = {"info": {"features": {"label": {"names": ["a\ud800"], "_type": "ClassLabel"}}}}
    assert names_in_metadata({b"huggingface": json.dumps(info).encode()}) == {"label": {"0": "a?"}}


@pytest.mark.parametrize("numbers", [(0, 1), (1, 2), (7, 3)])
def test_numbers_of_classes_mean_what_the_card_says(numbers, context):
    """Wherever they begin, and in whatever order they stand; a number without a name is no class."""
    names = "".join(f"        '{number}': {label}\n" for number, label in zip(numbers, LABELS, strict=True))
    card = f"---\n  - name: label\n    dtype:\n      class_label:\n        names:\n{names}---\n"
    (context.base_dir / "README.md").write_text(card)
    rows = "".join(f"{url},{number}\n" for url, number in zip([*URLS, "http://e.org/3"], [*numbers, 9], strict=True))
    found = listed(context, "a.csv", f"url,label\n{rows}".encode())
    assert dict(zip(found["url"], found["label"], strict=True)) == dict(zip(URLS, LABELS, strict=True))
