"""Lists of one's own: every form, local or remote, with a clear word on what is wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.errors import SourceError
from curator.manifests.labels import LabelFinder
from curator.sources.url_list.formats import read_url_table
from curator.sources.url_list.forms import list_form
from curator.sources.url_list.url_list_source import UrlList

ROWS = [
    {"url": "http://e.org/1,a.jpg", "label": "rugby", "license": "CC BY 4.0", "camera": 'a "b", c'},
    {"url": "http://e.org/2.jpg", "label": "soccer", "license": "", "camera": "line\nbreak"},
]


def delimited(delimiter: str) -> bytes:
    """The rows as CSV or TSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(ROWS[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(ROWS)
    return out.getvalue().encode()


def parquet() -> bytes:
    """The rows as Parquet."""
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), out)
    return out.getvalue()


FORMS = {
    "list.csv": delimited(","),
    "list.tsv": delimited("\t"),
    "list.csv.gz": gzip.compress(delimited(",")),
    "list.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "list.parquet": parquet(),
    "export": delimited(","),
    "BOM.csv": b"\xef\xbb\xbf" + delimited(",").replace(b"url,label", b"URL, Label", 1),
}


def list_all(settings, context):
    """List all labels."""
    return settings.list_images(0, context.labels, context)


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_rows(name, tmp_path, context):
    """Columns that the catalog knows go there, others into extra; empty text is none."""
    (tmp_path / name).write_bytes(FORMS[name])
    rows = list_all(UrlList(path=name), context)
    assert rows["url"].tolist() == [row["url"] for row in ROWS]
    assert rows["label"].tolist() == ["rugby", "soccer"]
    assert rows["license"].tolist() == ["CC BY 4.0", pd.NA]
    assert [json.loads(extra) for extra in rows["extra"]] == [{"camera": row["camera"]} for row in ROWS]


def test_one_url_a_line_takes_the_label_of_the_recipe(tmp_path, context):
    """Commas and quotes belong to the URL; blank lines are nothing; other schemes are listed for the fetch to judge."""
    (tmp_path / "urls.txt").write_text('http://e.org/a,b"c.jpg\r\n\r\n  ftp://e.org/b.jpg\nhttp://e.org/a,b"c.jpg\n')
    rows = list_all(UrlList(path="urls.txt", label="soccer"), context)
    assert rows["url"].tolist() == ['http://e.org/a,b"c.jpg', "ftp://e.org/b.jpg"]
    assert set(rows["label"]) == {"soccer"}
    with pytest.raises(SourceError, match=r"no column `label` .*label = \"rugby\""):
        list_all(UrlList(path="urls.txt"), context)


def test_what_is_left_out_is_counted_aloud(tmp_path, context, told):
    """Rows without URL, of other labels, and with too many fields: each is counted and told."""
    lines = ["label,url", "rugby,http://e.org/1.jpg", "rugby, ", "cricket,http://e.org/2.jpg", "rugby,a,b", ",http://x"]
    (tmp_path / "l.csv").write_text("\n".join(lines))
    assert len(list_all(UrlList(path="l.csv"), context)) == 1
    assert "l.csv: 1 of 5 rows were refused: 1 with another number of fields than the header (line 5)" in told()
    assert "1 row without address or file (line 3) was left out" in told()
    assert "1 row without label (line 6) was left out" in told()
    assert "1 row of labels outside the recipe (cricket 1) was left out" in told()


def test_a_list_cannot_name_local_files(tmp_path, context):
    """A column local_path stays text in extra: no list from elsewhere makes curator read this machine's files."""
    (tmp_path / "l.csv").write_text("label,url,local_path\nrugby,http://e.org/1.jpg,/etc/hostname\n")
    rows = list_all(UrlList(path="l.csv"), context)
    assert rows["local_path"].isna().all()
    assert json.loads(rows["extra"].iloc[0]) == {"local_path": "/etc/hostname"}


@pytest.mark.parametrize("label", ["../../etc", "Tennis", "Great Egret", "-x", "ünder"])
def test_a_label_that_is_none_is_left_out(tmp_path, context, told, label):
    """Text from outside never becomes a folder name; and a row that this recipe does not want is no error."""
    (tmp_path / "l.csv").write_text(f"label,url\nrugby,http://e.org/1.jpg\n{label},http://e.org/2.jpg\ncat,http://c\n")
    assert list_all(UrlList(path="l.csv"), context)["label"].tolist() == ["rugby"]
    assert f"2 rows of labels outside the recipe ({', '.join(sorted([f'{label} 1', 'cat 1']))}) were left out" in told()


def test_other_labels_are_named_most_frequent_first(tmp_path, context, told):
    """Five of them, and how many more there are; alone they are an error that says what to write."""
    lines = [f"Bird {n},http://e.org/{n}/{i}" for n in range(9) for i in range(n + 1)]
    (tmp_path / "l.csv").write_text("\n".join(["label,url", *lines, "rugby,http://e.org/r"]))
    list_all(UrlList(path="l.csv"), context)
    assert (
        "45 rows of labels outside the recipe (Bird 8 9, Bird 7 8, Bird 6 7, Bird 5 6, Bird 4 5 and 4 more)" in told()
    )
    (tmp_path / "l.csv").write_text("label,url\nRugger ,http://e.org/r\n")
    with pytest.raises(SourceError, match=r'of rugby, soccer but of Rugger 1\. .*labels = { rugby = \["Rugger"\], … }'):
        list_all(UrlList(path="l.csv"), context)


def test_a_table_of_labels_maps_its_values(tmp_path, context, told):
    """As written, without regard to case, or by a pattern; what means none is left out."""
    values = ["rugby", "Rugby", "n0002-ball", "Fußball", "FUSSBALL", "golf"]
    lines = [f"{value},http://e.org/{n}.jpg" for n, value in enumerate(values)]
    (tmp_path / "l.csv").write_text("\n".join(["label,url", *lines]))
    finder = LabelFinder({"rugby": ("n0002*",), "soccer": ("Fußball",)})
    rows = list_all(UrlList(path="l.csv"), replace(context, label_names=finder)).sort_values("url")
    assert rows["label"].tolist() == ["rugby", "rugby", "rugby", "soccer", "soccer"]
    assert "1 row of labels outside the recipe (golf 1) was left out" in told()


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("l.csv", b"", "is empty"),
        ("l.csv", b"<!DOCTYPE html><p>", "web page"),
        ("l.csv", b"foto,label\nhttp://e.org,rugby\n", r'no column `url` .*foto, label.*`columns = { url = "foto" }'),
        ("l.csv", b"name,label\nx,rugby\n", r'no column `url` .*name, label.*`columns = { url = "link" }'),
        ("l.csv", b"url,kind\nhttp://e.org,rugby\n", r'no column `label`.*`columns = { label = "kind" }.* for all'),
        ("l.csv", b"url,url,label\na,b,c\n", "names a column twice"),
        ("l.csv", b"url,label,title\nhttp://e,rugby,caf\xe9\n", r"no row that can be read: .* not UTF-8 \(line 2\)"),
        ("l.csv", b"url,label,caf\xe9\n", "not UTF-8 in line 1"),
        ("l.csv", b"url,label\nhttp://e.org/1.jpg,cricket\n", "lists no image of rugby, soccer but of cricket 1"),
        ("l.jsonl", b'{"url"\n{"url": 1\n', r"2 other than a JSON object \(lines 1, 2\)"),
        ("l.jsonl", b'{"url": "http://e.org/1.jpg",\n"label": }\n', "no JSON that can be read: .* in line 2"),
        ("l.jsonl", b'{"url": "caf\xe9"}\n', "not UTF-8 in line 1"),
        ("l.parquet", b"PAR1 and nothing more", "no Parquet file"),
        ("l.csv.gz", gzip.compress(b"url,label\n" * 1000, mtime=0)[:20], "damaged or cut short"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, context, name, body, message):
    """A list that cannot be used says where and what was found instead."""
    (tmp_path / name).write_bytes(body)
    with pytest.raises(SourceError, match=message) as caught:
        list_all(UrlList(path=name), context)
    assert f"The list {name} " in str(caught.value)


def test_a_remote_list_is_read_once(server, context):
    """A list at an address is cached; the plan knows its size before and nothing to read after."""
    place = server.serve("/list.csv?x=1", FORMS["list.csv"])
    settings = UrlList(path=place, name="mine")
    assert [(read.name, read.n_bytes) for read in settings.plan(0, context)] == [
        ("list.csv?x=1", len(FORMS["list.csv"]))
    ]
    first = list_all(settings, context)
    pd.testing.assert_frame_equal(list_all(settings, context), first)
    assert server.gets() == ["/list.csv?x=1"]
    assert set(first["source"]) == {"mine"}
    assert [read.cached for read in settings.plan(0, context)] == [True]
    with pytest.raises(SourceError, match="answered 404"):
        list_all(UrlList(path=server.url + "/none.csv"), context)


def test_further_types_become_text_or_numbers(tmp_path, context):
    """Numbers, lists and missing values of Parquet and JSONL are kept; rotation is a number of degrees."""
    row = {"URL": "http://e.org/1.jpg", "label": "rugby", "rotation": 90, "tags": ["a", "b"], "title": None, "n": 3}
    (tmp_path / "l.jsonl").write_text(json.dumps(row))
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "l.parquet")
    for name in ("l.jsonl", "l.parquet"):
        rows = list_all(UrlList(path=name), context)
        assert rows["rotation"].tolist() == [90]
        assert rows["title"].isna().all()
        assert json.loads(rows["extra"].iloc[0]) == {"tags": '["a", "b"]', "n": "3"}


def test_a_rotation_is_a_whole_number_of_degrees_up_to_a_turn(tmp_path, context):
    """However a number is written; what is no number, or more than a turn, is not known."""
    said = {"90": 90, "1e+002": 100, "1e-100": 0, "+9.0E1": 90, "360.5": 360, "-360": -360, "361": None, "1e999": None}
    said |= {"1e9999": None, "north": None, "nan": None, "inf": None, "0x10": None, "": None}
    lines = [f"http://e.org/{number}.jpg,rugby,{text}" for number, text in enumerate(said)]
    (tmp_path / "l.csv").write_text("\n".join(["url,label,rotation", *lines]))
    rows = list_all(UrlList(path="l.csv"), context).sort_values(
        "url", key=lambda urls: urls.str.extract(r"(\d+)\.")[0].astype(int)
    )
    assert [None if pd.isna(degrees) else degrees for degrees in rows["rotation"]] == [*said.values()]


def test_the_recipe_is_checked():
    """A label outside the recipe and a place of another scheme are told together."""
    found = UrlList(path="ftp://e.org/none.csv", label="rugbi").problems(("rugby", "soccer"))
    assert [key for key, _ in found] == ["label", "path"]
    assert UrlList(path="x", label="soccer").covers(("rugby", "soccer")) == ("soccer",)
    assert UrlList(path="x").covers(("rugby", "soccer")) == ("rugby", "soccer")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=20)


@settings(deadline=None)  # a crowded machine is no fault
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=20))
def test_delimited_and_json_lists_read_what_was_written(rows):
    """CSV (quoted), TSV (quoted) and JSONL give back any text, row by row."""
    for delimiter, name in ((",", "a.csv"), ("\t", "a.tsv")):
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("url", "title"), *rows])
        assert read_back(out.getvalue(), name) == rows
    assert read_back("\n".join(json.dumps({"url": a, "title": b}) for a, b in rows), "a.jsonl") == rows


def read_back(text: str, name: str) -> list[tuple[str, str]]:
    """Read a list as pairs of url and title."""
    table = read_url_table(io.BufferedReader(io.BytesIO(text.encode())), name).rows
    return list(zip(table["url"].to_pylist(), table["title"].to_pylist(), strict=True))


def test_a_form_is_told_by_bytes_where_the_ending_does_not():
    """Parquet's magic bytes win over any ending; a .txt with a header of url is a table."""
    assert list_form("a.csv", b"PAR1....") == "parquet"
    assert list_form("a.txt", b"url\tlabel\n") == "tsv"
    assert list_form("a.txt", b"http://e.org/a.jpg\n") == "lines"
