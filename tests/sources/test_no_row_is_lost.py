"""Every row of a table is read, or refused with a reason and its line; and a form is told by content."""

from __future__ import annotations

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator.errors import SourceError
from curator.events import Noted, Warned
from curator.sources.open_images.classes import read_class_names
from curator.sources.open_images.reader import MetadataReader, Wanted
from curator.sources.open_images.wanted_rows import filter_csv
from curator.sources.reading import blocks
from curator.sources.reading.blocks import LineBlocks
from curator.sources.reading.delimited import read_delimited
from curator.sources.reading.tally import FIELDS, NOT_UTF8, TOO_LONG, UNCLOSED, Tally
from curator.sources.url_list.formats import Writing, read_url_table
from curator.sources.url_list.forms import list_form
from curator.sources.url_list.url_list_source import UrlList


def read(body: bytes, name: str = "l.csv", quoting: str = "auto"):
    """Read a list."""
    return read_url_table(io.BufferedReader(io.BytesIO(body)), name, Writing(quoting))


def rows_of(n: int, sign: str = ",", **odd: str) -> bytes:
    """A table of n rows; ``odd`` are titles by row number, such as ``r3``."""
    lines = [sign.join((f"http://e.org/{i}.jpg", odd.get(f"r{i}", f"title {i}"), "rugby")) for i in range(n)]
    return "\n".join([sign.join(("url", "title", "label")), *lines, ""]).encode()


def refused(found) -> dict[str, list[int]]:
    """The first lines of each reason."""
    return {reason: one.lines for reason, one in found.tally.refused.items()}


@pytest.mark.parametrize("sign", [",", "\t"])
@pytest.mark.parametrize("odd", ['"Big', '5" disc', '"Big" one', 'a "b', '"', '""', '"""', '"a""b', 'x"'])
def test_a_bare_quote_swallows_nothing(sign, odd):
    """At the start of a field, within it, closed with text behind it: in one row, in some, and in two neighbours."""
    for which in ({"r10"}, {"r10", "r500", "r900"}, {"r10", "r11"}, {"r0"}, {"r999"}):
        found = read(rows_of(1000, sign, **dict.fromkeys(which, odd)), "l.csv" if sign == "," else "l.tsv")
        assert found.tally.n_rows == found.rows.num_rows == 1000
        assert found.rows["url"].to_pylist() == [f"http://e.org/{i}.jpg" for i in range(1000)]
        assert found.lines.to_pylist() == list(range(2, 1002))


def test_quotes_in_a_table_with_tabs_mean_nothing_unless_it_says_so():
    """A title in quotes keeps them; fields that are plainly quoted as in CSV, or a recipe that says so, do not."""
    assert read(rows_of(3, "\t", r1='"Big"'), "l.tsv").rows["title"][1].as_py() == '"Big"'
    assert read(rows_of(3, "\t", r1='"Big"'), "l.tsv", "csv").rows["title"][1].as_py() == "Big"
    assert read(rows_of(3, "\t", r1='"a ""b"" c"'), "l.tsv").rows["title"][1].as_py() == 'a "b" c'
    assert read(rows_of(3, ",", r1='"Big"'), "l.csv", "none").rows["title"][1].as_py() == '"Big"'


def test_line_ends_within_quotes_belong_to_the_field():
    """Also many, with commas, blank lines, CR LF, over the end of a block, and beside a bare quote."""
    odd = {"r1": '"a\nb, c, d\n\ne"', "r5": '"x\r\ny"', "r7": '"Big', "r9": '"\n"'}
    found = read(rows_of(12, **odd))
    assert found.tally.n_rows == found.rows.num_rows == 12
    titles = found.rows["title"].to_pylist()
    assert [titles[i] for i in (1, 5, 7, 9)] == ["a\nb, c, d\n\ne", "x\r\ny", '"Big', "\n"]
    assert found.lines.to_pylist()[:3] == [2, 3, 7]


def test_blocks_may_end_anywhere(monkeypatch):
    """Rows that run over lines are put together over the end of a block, whatever its size."""
    body = rows_of(60, r1='"a\nb"', r20='"Big', r40='"c\nd\ne"', r59='"end\n"')
    whole = read(body).rows.to_pylist()
    for size in range(40, 400, 7):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        lines = LineBlocks(io.BufferedReader(io.BytesIO(body.split(b"\n", 1)[1])))
        names = ["url", "title", "label"]
        found = read_delimited(lines, names, names, witness=("url", "http://"))
        assert found.rows.to_pylist() == whole
        assert found.tally.n_rows == 60


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_line_end_is_one(end):
    """LF, CR LF and CR alone, with blank lines and without an end at the last line; mixed ones too."""
    body = rows_of(20).decode().replace("\n", end).encode()
    for one in (body, body.rstrip(), body.replace(end.encode(), 2 * end.encode()), b"\xef\xbb\xbf" + body):
        found = read(one)
        assert (found.tally.n_rows, found.rows.num_rows) == (20, 20)
    assert read(body + rows_of(20).split(b"\n", 1)[1]).rows.num_rows == 40


def test_a_lone_cr_in_a_row_belongs_to_its_field():
    """Where other lines end with LF."""
    for sign, name in ((",", "l.csv"), ("\t", "l.tsv")):
        found = read(rows_of(5, sign, r2="a\rb"), name)
        assert found.rows["title"][2].as_py() == "a\rb"
        assert (found.tally.n_rows, found.tally.n_refused) == (5, 0)


def test_what_is_refused_is_counted_with_its_line():
    """Too few and too many fields, bytes that are no UTF-8, a quote without its other in a broken row."""
    lines = rows_of(400).split(b"\n")
    lines[3], lines[4], lines[8] = b"short", lines[4] + b",x", lines[8].replace(b"title", b"caf\xe9\xed\xa0\x80")
    lines[9] = b'http://e.org/8.jpg,"a, b, c,rugby'
    lines[12] += b",,"  # empty fields too many are no harm
    found = read(b"\n".join(lines))
    assert (found.tally.n_rows, found.rows.num_rows) == (400, 396)
    assert refused(found) == {FIELDS: [4, 5], NOT_UTF8: [9], UNCLOSED: [10]}
    assert 11 in found.lines.to_pylist()
    assert read(b"url,label\n" + b"http://e/1,rugby\n" * 10 + b"\0\0\0\0\n").tally.n_refused == 1


def test_long_fields_and_long_headers_are_no_traceback():
    """Over 131,072 bytes, which the csv module refuses; over 16 MiB without a line end is said."""
    long = "x" * 200_000
    body = f"url,label,{long}\nhttp://e.org/1.jpg,rugby,{long}\n".encode()
    assert read(body).rows[2][0].as_py() == long
    with pytest.raises(SourceError, match="a line of more than 16 MiB"):
        read(b"url,label," + b"x" * (21 << 20))
    found = read(rows_of(2) + b"x" * (21 << 20) + b"\r\n" + rows_of(3).split(b"\n", 1)[1])
    assert (found.lines.to_pylist(), found.tally.n_rows, refused(found)) == ([2, 3, 5, 6, 7], 6, {TOO_LONG: [4]})


def test_headers_of_all_kinds():
    """Comments before it, Excel's sep=, names in quotes and over lines, separators behind it, repeated within."""
    body = b"http://e.org/1.jpg,rugby\n"
    for head in (
        b"# made by x\n\nurl,label\n",
        b"sep=,\nurl,label\n",
        b'"URL" , "label"\n',
        b"\xef\xbb\xbfurl,label\r\n",
    ):
        assert read(head + body).rows.to_pylist() == [{"url": "http://e.org/1.jpg", "label": "rugby"}]
    assert read(b'url,label,"one\nname"\nhttp://e.org/1.jpg,rugby,x\n').rows.column_names[2] == "one\nname"
    assert read(b"url,label,,\nhttp://e.org/1.jpg,rugby,,\n").rows.num_rows == 1
    assert read(b'url,label,"bare\nhttp://e.org/1.jpg,rugby,x\n').rows.num_rows == 1
    assert read(b"url,label\n").rows.num_rows == 0
    with pytest.raises(SourceError, match="has no header: it begins with 'http://e"):
        read(b"http://e.org/1.jpg\trugby\n" * 3, "l.txt")


def test_a_header_within_is_left_out(tmp_path, context, told):
    """Tables that were put one behind the other."""
    (tmp_path / "l.csv").write_bytes(rows_of(3) + b"\xef\xbb\xbf" + rows_of(3).replace(b"e.org/", b"e.org/x"))
    assert len(UrlList(path="l.csv").list_images(0, context.labels, context)) == 6
    assert "l.csv: 1 row repeating the header (line 5) was left out" in told()


def test_more_than_one_in_a_hundred_is_a_warning(tmp_path, context, events):
    """One row of 100 is noted, two are a warning, and it is repeated when the list comes from the cache."""
    for n, kind in ((1, Noted), (2, Warned)):
        (tmp_path / "l.csv").write_bytes(rows_of(100 - n) + b"broken\n" * n)
        UrlList(path="l.csv").list_images(0, context.labels, context)
        (event,) = (event for event in events if "refused" in getattr(event, "message", ""))
        assert type(event) is kind
        assert f"{n} of 100 rows were refused: {n} {FIELDS} (line{'s' * (n > 1)} {102 - n}" in event.message
        events.clear()


def test_a_list_from_an_address_tells_again_what_was_refused(server, context, told, events):
    """Also when it comes from the cache; whichever way it is packed."""
    place = server.serve("/l.csv", gzip.compress(rows_of(30) + b"broken\n"))
    for _ in range(2):
        UrlList(path=place).list_images(0, context.labels, context)
        assert "1 of 31 rows were refused" in told()
        events.clear()
    assert server.gets() == ["/l.csv"]
    for cut in (100, 150):
        server.serve(f"/{cut}.csv", gzip.compress(rows_of(3000))[:cut])
        with pytest.raises(SourceError, match="damaged or cut short"):
            UrlList(path=f"{server.url}/{cut}.csv").list_images(0, context.labels, context)


def test_open_images_tables_lose_nothing():
    """A bare quote, a row that is short, a class without an id: all is read or counted."""
    lines = [f"{n:016x},verification,/m/06bqd,{'often' if n == 5 else 1}" for n in range(50)]
    lines[7] = lines[7].replace("verification", '"veri')
    lines[9] = "short"
    body = "\n".join(["ImageID,Source,LabelName,Confidence", *lines]).encode()
    columns = ("ImageID", "LabelName", "Confidence")
    found = filter_csv(io.BufferedReader(io.BytesIO(body)), columns, "LabelName", ["/m/06bqd"], ("X",))
    assert (found.rows.num_rows, found.tally.n_rows) == (49, 50)
    assert refused(found) == {FIELDS: [11]}
    body = b'LabelName,DisplayName\n/m/1,"Big\n/m/2,Two\n/m/3,"a ""b"", c"\nnone,x\n/m/4\n/m/5,caf\xe9\n'
    names = read_class_names(io.BufferedReader(io.BytesIO(body)))
    assert names.names == {"/m/1": "Big", "/m/2": "Two", "/m/3": 'a "b", c'}
    assert (names.tally.n_rows, names.tally.n_refused) == (6, 3)


def test_json_lines_and_parquet_lose_nothing():
    """A broken line is one row; text of Parquet that is none too."""
    lines = [json.dumps({"url": f"http://e.org/{i}.jpg", "label": "rugby"}) for i in range(10)]
    lines[4] = lines[4][:9]
    lines[5] = '["a"]'
    found = read("\n".join(lines).encode(), "l.jsonl")
    assert (found.rows.num_rows, found.tally.n_rows) == (8, 10)
    assert refused(found) == {"other than a JSON object": [5, 6]}
    out = io.BytesIO()
    pq.write_table(pa.table({"url": pa.array([b"http://e.org/1", b"\xff", None]), "label": ["rugby"] * 3}), out)
    found = read(out.getvalue(), "l.parquet")
    assert (found.rows.num_rows, found.tally.n_rows, refused(found)) == (2, 3, {NOT_UTF8: [2]})


PAIR = [{"url": "http://e.org/1.jpg", "label": "rugby"}, {"url": "http://e.org/2.jpg", "label": "soccer"}]
FORMS = {
    "tabs.csv": b"url\tlabel\nhttp://e.org/1.jpg\trugby\nhttp://e.org/2.jpg\tsoccer\n",
    "commas.tsv": b"url,label\nhttp://e.org/1.jpg,rugby\nhttp://e.org/2.jpg,soccer\n",
    "semicolons.csv": b"url;label\nhttp://e.org/1.jpg;rugby\nhttp://e.org/2.jpg;soccer\n",
    "bars.txt": b"label|url\nrugby|http://e.org/1.jpg\nsoccer|http://e.org/2.jpg\n",
    "table.txt": b"url,label\r\nhttp://e.org/1.jpg,rugby\r\nhttp://e.org/2.jpg,soccer\r\n",
    "array.txt": json.dumps(PAIR).encode(),
    "array.jsonl": json.dumps(PAIR).encode(),
    "pretty.txt": json.dumps(PAIR, indent=2).encode(),
    "pretty.csv": b"\xef\xbb\xbf" + json.dumps({"info": {"year": 1}, "images": PAIR}, indent=4).encode(),
    "one by one.json": "\n".join(json.dumps(row, indent=1) for row in PAIR).encode(),
    "lines.json": "\n".join(map(json.dumps, PAIR)).encode(),
    "packed.csv": gzip.compress(json.dumps(PAIR).encode()),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_form_is_told_by_content(name, tmp_path, context):
    """Whatever the ending says."""
    (tmp_path / name).write_bytes(FORMS[name])
    rows = UrlList(path=name).list_images(0, context.labels, context)
    assert rows[["url", "label"]].to_dict("records") == PAIR


def test_addresses_one_a_line_are_told_too():
    """In a JSON array, below a header, among comments, in a .csv without any."""
    for name, body in {
        "a.txt": b"# mine\nhttp://e.org/a,b.jpg\n\nhttp://e.org/2\n",
        "a.json": b'["http://e.org/a,b.jpg", "http://e.org/2"]',
        "a.csv": b"http://e.org/a,b.jpg\nhttp://e.org/2\n",
        "b.csv": b"url\nhttp://e.org/a,b.jpg\nhttp://e.org/2",
    }.items():
        found = read(body, name)
        assert found.rows.column_names == ["url"]
        assert found.rows["url"].to_pylist() == ["http://e.org/a,b.jpg", "http://e.org/2"]
        assert found.tally.n_rows == 2


@pytest.mark.parametrize(
    ("name", "body", "what"),
    [
        ("l.csv", b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", "no Excel workbook that can be read.* Save its sheet"),
        ("l.xls", b"\xd0\xcf\x11\xe0\xa1\xb1", "a workbook of Excel 2003.* Save it as .xlsx"),
        ("l.csv", b"PK\x03\x04\x14\0\x06\0list.csv", "a ZIP archive.* Unpack"),
        ("l.csv.bz2", b"BZh91AY", "bzip2"),
        ("l.csv", "url,label\n".encode("utf-16"), "no row behind its header"),
        ("l.csv", "url,label\n".encode("utf-16-be"), "UTF-16.*encoding = .utf-16-le"),
        ("l.csv", "url,label,café\n".encode("latin-1"), "not UTF-8.*encoding = .cp1252.*gb18030"),
        (
            "l.csv",
            b"http://e.org/1.jpg,rugby\nhttp://e.org/2.jpg,soccer\n",
            "no header.* Write `url,label` as its first",
        ),
        ("l.csv", b"rugby;http://e.org/1.jpg\nsoccer;http://e.org/2.jpg\n", "Write `label;url` as its first line"),
        ("l.txt", b"http://e.org/1 http://e.org/2\n", r"1 with two addresses \(line 1\)"),
        ("l.json", b"[]", "JSON without any row.* as an object, such as"),
        ("l.json", b'{"a": {}}', "without any value"),
        ("l.json", b'[["http://e.org/1", "rugby"]]', "JSON that holds lists where its rows should be"),
        ("l.json", b'{"images": [], "annotations": [], "categories": []}', 'kind = "coco"'),
        ("l.txt", b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture"),
        ("l.parquet", b"<html><body>Not found", "web page"),
        ("l.csv", b"\n <div class='x'>gone</div>", "web page"),
        ("l.txt", b"some words that\nare no list\n", "no address and no header"),
        ("l.txt", b"name,place\na,b\nc,d\n", "no column `url`"),
        ("l.json", b'{"url": ', "no JSON that can be read"),
        ("l.csv", b"\xef\xbb\xbf\n\n", "is empty"),
    ],
)
def test_what_is_no_list_is_named(name, body, what, tmp_path, context):
    """It says what it is, and what to do."""
    (tmp_path / name).write_bytes(body)
    with pytest.raises(SourceError, match=f"(?s){what}"):
        UrlList(path=name, label="rugby").list_images(0, context.labels, context)


def test_an_escaped_list_is_requested_as_a_browser_would(tmp_path, context, told):
    """If most that have an & have it as &amp; only; the ids are those of what is requested."""
    clean = [f"http://e.org/?a={n}&b='{n}'" for n in range(4)]
    escaped = [url.replace("&", "&amp;" if n % 2 else "&#38;").replace("'", "&#39;") for n, url in enumerate(clean)]
    plain = "http://e.org/?a=1&b=&amp;x"
    texts = {"escaped": [*escaped, plain, "http://e.org/none"], "clean": [*clean, plain, "http://e.org/none"]}
    rows = {}
    for name, urls in texts.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(urls))
        rows[name] = UrlList(path=f"{name}.txt", label="rugby").list_images(0, context.labels, context)
    assert rows["escaped"]["url"].tolist() == rows["clean"]["url"].tolist() == texts["clean"]
    assert rows["escaped"]["record_id"].tolist() == rows["clean"]["record_id"].tolist()
    assert "escaped.txt: 4 of 5 addresses with an & in them have it as in the source of a web page" in told()
    assert "clean.txt" not in told()
    (tmp_path / "few.txt").write_text("\n".join([escaped[1], *clean]))
    assert UrlList(path="few.txt", label="rugby").list_images(0, ("rugby",), context)["url"][0] == escaped[1]


def test_rows_that_repeat_another_are_counted(tmp_path, context, told):
    """The same address under the same label is one image."""
    (tmp_path / "l.csv").write_bytes(rows_of(3) + rows_of(3).split(b"\n", 1)[1])
    assert len(UrlList(path="l.csv").list_images(0, context.labels, context)) == 3
    assert "3 rows repeating an address and its label were left out" in told()


def test_an_ending_decides_only_where_bytes_do_not():
    """A table without a column url is one all the same, so that what it has can be named."""
    assert list_form("a.tsv", b"link\n") == "tsv"
    assert list_form("a", b"link\tclass\nx\ty\n") == "tsv"


def test_what_is_kept_of_a_tally_comes_back():
    """Through JSON, as it lies in the cache."""
    tally = Tally(500)
    for line in range(9):
        tally.refuse(FIELDS, line)
    assert Tally.from_facts(json.loads(json.dumps(tally.as_facts()))) == tally
    assert tally.in_words().endswith("(lines 0, 1, 2, 3, 4 …)")


def test_one_word_that_is_no_number_does_not_lose_a_table(tmp_path, context, told):
    """A Confidence of one row in a table of Open Images."""
    lines = [f"{n:016x},verification,/m/06bqd,{'often' if n == 5 else 1}" for n in range(50)]
    (tmp_path / "labels.csv").write_text("\n".join(["ImageID,Source,LabelName,Confidence", *lines]))
    (tmp_path / "oidv7-class-descriptions.csv").write_text("/m/06bqd,Rugby\n")
    reader = MetadataReader(str(tmp_path), "human", Wanted({"rugby": ("Rugby",)}), context)
    assert reader.present("labels.csv").rows.num_rows == 49
    assert "labels.csv: 1 of 50 rows were refused: 1 with a Confidence that is not a number (line 7)" in told()


def test_addresses_in_quotes_are_addresses():
    """One a line; and in a table with tabs, which then is quoted, whatever its header is."""
    assert read(b'"http://e.org/1"\n"http://e.org/2"\n').rows["url"].to_pylist() == ["http://e.org/1", "http://e.org/2"]
    found = read(b'label\turl\ttitle\n"rugby"\t"http://e.org/1"\t"a\tb"\n"soccer"\t"http://e.org/2"\t"c"\n')
    assert [row["title"] for row in found.rows.to_pylist()] == ["a\tb", "c"]
    assert found.rows["url"].to_pylist() == ["http://e.org/1", "http://e.org/2"]


def test_json_of_odd_layouts_is_read():
    """A comma behind each object, more digits than Python reads, and other lists beside the one of addresses."""
    objects = [{"url": f"http://e.org/{i}", "label": "rugby"} for i in range(3)]
    listed = ",\n".join(map(json.dumps, objects)).encode()
    assert (read(listed).rows.num_rows, read(listed).tally.n_refused) == (3, 0)
    many = b'[{"url": "http://e.org/1", "label": "rugby", "n": ' + b"9" * 5000 + b"}]"
    assert read(many).rows["n"].to_pylist() == ["9" * 5000]
    assert read(many[1:-1] + b"\n" + many[1:-1]).rows.num_rows == 2
    assert read(json.dumps({"images": objects, "kinds": [{"id": 1}]}).encode()).rows.num_rows == 3
    columns = {name: [one[name] for one in objects] for name in ("url", "label")}
    by_label = {"rugby": columns["url"]}
    by_row = {name: dict(enumerate(values)) for name, values in columns.items()}
    nested = {"data": {"images": [{"image": {"url": one["url"]}, "label": one["label"]} for one in objects]}}
    for whole in (columns, by_label, by_row, nested):
        rows = read(json.dumps(whole).encode()).rows
        assert [sorted(row.values()) for row in rows.to_pylist()] == [sorted(one.values()) for one in objects]
    found = read(b'[1, 2, {"url": "http://e.org/1"}]')
    assert (found.rows.to_pylist(), found.tally.n_rows, found.tally.n_refused) == ([{"url": "http://e.org/1"}], 3, 2)


def test_entries_are_named_as_such():
    """Refused entries of a JSON list."""
    assert read(b'[{"url": "http://e.org/1"}, 1, 2]').tally.in_words().endswith("(entries 2, 3)")
