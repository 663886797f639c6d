"""Tables as people and well-known sites have them open as they are; what cannot be used is refused in one sentence."""

# ruff: noqa: E501 (tables are easier to read with a row on each line)
from __future__ import annotations

import gzip
import io
import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from curator.errors import SourceError
from curator.manifests.labels import LabelFinder
from curator.sources.coco.coco_source import Coco
from curator.sources.url_list.url_list_source import UrlList
from curator.survey.annotations import survey_coco
from curator.survey.tables import survey_table
from tests.sources.test_remote import only_home_is_public

GBIF_HEADER = "gbifID\ttype\tformat\tidentifier\treferences\ttitle\tcreator\tpublisher\tlicense\trightsHolder\n"
GBIF_MEDIA = GBIF_HEADER + (
    "11\tStillImage\timage/jpeg\thttp://e.org/1.jpg\thttp://e.org/page/1\tRugby\tAnn\tSite\tCC BY\tAnn\n"
    "12\tStillImage\timage/jpeg\thttp://e.org/2.jpg\thttp://e.org/page/2\t\t\tSite\tCC0\tBob\n"
    "11\tSound\taudio/mpeg\thttp://e.org/1.mp3\t\t\t\t\t\t\n"
)
GBIF_RECORDS = "gbifID\tspecies\tscientificName\n12\tsoccer\tsoccer L., 1758\n11\trugby\trugby L., 1758\n13\tx\ty\n"
NAMES = LabelFinder({"rugby": ("rugby L., 1758", "Rugbyball"), "soccer": ("soccer L., 1758", "Fußball")})


def csv(text: str) -> dict[str, bytes]:
    return {"list.csv": text.encode()}


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=2)
    return out.getvalue()


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "notes"
    book.active.append(["nothing"])
    sheet = book.create_sheet("pictures")
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PAIR = {"1": "rugby", "2": "soccer"}
LISTED = {f"http://e.org/{number}.jpg": label for number, label in PAIR.items()}
LAION = pa.table({"URL": [*LISTED], "TEXT": ["a ball", "two"], "WIDTH": [3, 4], "label": [*PAIR.values()]})
CODED = LAION.set_column(3, "label", pa.array([*PAIR.values()]).dictionary_encode())
NESTED = pa.table({"image": [{"url": url} for url in LISTED], "category": [*PAIR.values()]})
INFO = {"info": {"features": {"label": {"names": ["soccer", "rugby"], "_type": "ClassLabel"}}}}
NUMBERED = pa.table({"image_url": [*LISTED], "label": [1, 0]}).replace_schema_metadata(
    {"huggingface": json.dumps(INFO)}
)
CARD = "dataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n"

TABLES: dict[str, tuple[dict[str, bytes], dict[str, object]]] = {
    "GBIF, joined": ({"multimedia.txt": GBIF_MEDIA.encode(), "occurrence.txt": GBIF_RECORDS.encode()}, {}),
    "GBIF, species": (
        {"multimedia.txt": GBIF_MEDIA.encode(), "occurrence.txt": GBIF_RECORDS.encode()},
        {"columns": {"label": "species"}},
    ),
    "iNaturalist": (
        csv(
            "id,url,image_url,license,scientific_name\n"
            "1,http://e.org/observations/1,http://e.org/1.jpg,CC-BY,rugby\n"
            "2,http://e.org/observations/2,http://e.org/2.jpg,,soccer\n"
        ),
        {},
    ),
    "LAION with labels": ({"a.parquet": parquet(LAION)}, {}),
    "dictionary-encoded": ({"a.parquet": parquet(CODED)}, {}),
    "nested in Parquet": ({"a.parquet": parquet(NESTED)}, {}),
    "named classes": ({"a.parquet": parquet(NUMBERED)}, {}),
    "classes in README.md": (
        {
            "list.csv": b"image_url,label\nhttp://e.org/1.jpg,1\nhttp://e.org/2.jpg,0\n",
            "README.md": f"---\n{CARD}          '0': soccer\n          '1': rugby\n---\n".encode(),
        },
        {},
    ),
    "columns of the recipe": (
        csv("foto;art;label\nhttp://e.org/1.jpg;Rugbyball;x\nhttp://e.org/2.jpg;Fußball;x\n"),
        {"columns": {"url": "Foto", "label": "art"}},
    ),
    "Wikimedia": (
        csv(
            "title,url,descriptionurl,artist,usage_terms,category\n"
            "a,http://e.org/1.jpg,http://e.org/File:1,Ann,CC BY,rugby\n"
            "b,http://e.org/2.jpg,http://e.org/File:2,,CC0,soccer\n"
        ),
        {},
    ),
    "UTF-16 with tabs": ({"a.txt": "url\tlabel\nhttp://e.org/1.jpg\trugby\nhttp://e.org/2.jpg\tFußball\n".encode("utf-16")}, {}),
    "UTF-32": ({"a.csv": "url,label\nhttp://e.org/1.jpg,rugby\nhttp://e.org/2.jpg,Fußball\n".encode("utf-32")}, {}),
    "cp1252": (
        {"a.csv": "url,label\nhttp://e.org/1.jpg,rugby\nhttp://e.org/2.jpg,Fußball\n".encode("cp1252")},
        {"encoding": "cp1252"},
    ),
    "gb18030": (
        {"a.csv": "url,label,title\nhttp://e.org/1.jpg,rugby,橄榄球\nhttp://e.org/2.jpg,soccer,足球\n".encode("gb18030")},
        {"encoding": "gb18030"},
    ),
    "its own sign": (
        csv("url^label\nhttp://e.org/1.jpg^rugby\nhttp://e.org/2.jpg^soccer\n"),
        {"delimiter": "^"},
    ),
    "a workbook": (
        {"a.xlsx": workbook(("Image URL", None, "Label"), ("http://e.org/1.jpg", 3, "rugby"), (), ("http://e.org/2.jpg", 1.5, "soccer"))},
        {"sheet": "pictures"},
    ),
    "a list in a cell": (
        {"a.jsonl": b'{"link": "http://e.org/1.jpg", "labels": ["rugby"]}\n{"link": "http://e.org/2.jpg", "labels": ["soccer"]}\n'},
        {},
    ),
    "JSON by label": ({"a.json": json.dumps({label: [url] for url, label in LISTED.items()}).encode()}, {}),
    "a folder of tables": (
        {
            "lists/train.csv": b"url,label\nhttp://e.org/1.jpg,rugby\n",
            "lists/test.csv.gz": gzip.compress(b"label,url,title\nsoccer,http://e.org/2.jpg,a\n"),
            "lists/notes.md": b"no table",
        },
        {"path": "lists"},
    ),
    "a pattern": (
        {
            "lists/train-0.parquet": parquet(LAION.slice(0, 1)),
            "lists/test-0.parquet": parquet(LAION.slice(1)),
            "lists/b.csv": b"x",
        },
        {"path": "lists/*.parquet"},
    ),
}  # fmt: skip


def put(folder, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def listed(context, **settings) -> pd.DataFrame:
    """List all labels."""
    context = replace(context, label_names=NAMES)
    source = UrlList(**settings)
    assert [*source.problems(context.labels), *source.missing(context.base_dir)] == []
    return source.list_images(0, context.labels, context)


@pytest.mark.parametrize("name", TABLES)
def test_real_tables_open_as_they_are(name, tmp_path, context):
    """The addresses and labels are the same, whatever the form and the names of the columns."""
    files, settings = TABLES[name]
    put(tmp_path, files)
    rows = listed(context, **{"path": next(iter(files)), **settings})
    assert dict(zip(rows["url"], rows["label"], strict=True)) == LISTED


def test_what_a_table_says_of_a_picture_is_kept(tmp_path, context, told):
    """Licence, author, title and page by the names of GBIF; a sound is left out and counted; sides by files' names."""
    put(tmp_path, TABLES["GBIF, joined"][0] | TABLES["a folder of tables"][0])
    rows = listed(context, path="multimedia.txt").sort_values("url")
    columns = ["license", "author", "title", "landing_url"]
    assert rows[columns].fillna("").values.tolist() == [
        ["CC BY", "Ann", "Rugby", "http://e.org/page/1"],
        ["CC0", "", "", "http://e.org/page/2"],
    ]
    assert "multimedia.txt: 1 row of a type other than still image (line 4) was left out" in told()
    assert "the label is the scientific name in occurrence.txt beside it" in told()
    rows = listed(context, path=("lists/train.csv", "lists/test.csv.gz"))
    assert dict(zip(rows["label"], rows["listed_split"], strict=True)) == {"rugby": "train", "soccer": "test"}
    put(tmp_path, csv("url,label,set,group\nhttp://e.org/1,rugby,Valid,p7\nhttp://e.org/2,rugby,fold1,\n"))
    rows = listed(context, path="list.csv").sort_values("url")
    assert rows[["listed_split", "listed_group"]].values.tolist() == [["val", "p7"], [pd.NA, pd.NA]]
    assert "1 row is of no side in the column set (fold1 1)" in told()


@pytest.fixture
def pictures(tmp_path):
    """Two pictures beside the table, one outside of its folder, one behind a link."""
    for name in ("set/images/1.png", "set/images/2.png", "secret.png", "elsewhere/3.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (80, 70), (len(name), 0, 0)).save(tmp_path / name)
    (tmp_path / "set/images/3.png").symlink_to(tmp_path / "elsewhere/3.png")
    return tmp_path / "set"


def test_local_files_are_found_only_where_they_may_be(pictures, context, told):
    """By name, by id, with backslashes, absolute within the folder; else the address; all others are counted."""
    cells = ["images/1.png", "images\\2.png", "images/2", f"{pictures}/images/1.png", "images/./1.png", "x.png"]
    cells += ["../secret.png", f"{pictures.parent}/secret.png", "images/../../secret.png", "images/3.png", "y.png", ""]
    urls = {5: "http://e.org/x.png"}
    lines = [f"{cell},rugby,{urls.get(number, '')}" for number, cell in enumerate(cells)]
    put(pictures, csv("\n".join(["filename,label,url", *lines])))
    rows = listed(context, path="set/list.csv")
    assert sorted(rows["local_path"].dropna()) == [f"{pictures}/images/1.png", f"{pictures}/images/2.png"]
    assert rows["url"].dropna().tolist() == ["http://e.org/x.png"]
    assert sorted(rows["source_id"].dropna()) == ["images/1.png", "images/2.png"]
    for words in (
        "3 rows whose file lies outside of the folder (`root` names one that holds all) (lines 8, 9, 10) were left out",
        "1 row whose file is a link that leads out of the folder (`links = true` follows it) (line 11) was left out",
        "1 row whose file does not exist (line 12) was left out",
        "1 row whose file does not exist is requested at its address",
        "1 row without address or file (line 13) was left out",
        "3 rows repeating an address and its label were left out",
    ):
        assert words in told()
    assert (
        f"{pictures}/images/3.png" in listed(context, path="set/list.csv", links=True)["local_path"].dropna().tolist()
    )
    put(pictures, csv("file,label\n1.png,rugby\n2.png,soccer\n"))
    with pytest.raises(SourceError, match=r"names 2 files whose file does not exist, such as '1\.png'\. Write `root ="):
        listed(context, path="set/list.csv")
    assert len(listed(context, path="set/list.csv", root="set/images")) == 2


def test_a_list_from_an_address_never_names_local_files(server, pictures, context):
    """Its column of files stays text; if it has nothing else it is refused; `local_path` is a column nowhere."""
    place = server.serve("/list.csv", f"file,label,url\n{pictures}/images/1.png,rugby,http://e.org/1\n")
    rows = listed(context, path=place)
    assert rows["local_path"].isna().all()
    assert listed(context, path=place, columns={"path": "file"})["local_path"].isna().all()
    only = server.serve("/only.csv", "file,label\nimages/1.png,rugby\n")
    with pytest.raises(SourceError, match=r"an address must not\. Download it beside the files"):
        listed(context, path=only, root="set")
    put(pictures, csv(f"local_path,label,url\n{pictures}/images/1.png,rugby,http://e.org/1\n"))
    assert listed(context, path="set/list.csv")["local_path"].isna().all()


def test_pictures_within_parquet_are_written_once(server, tmp_path, context):
    """Those of wanted labels only, each distinct one once; again nothing is read; from an address too."""
    data = [io.BytesIO() for _ in range(3)]
    for number, out in enumerate(data):
        Image.new("RGB", (80, 70), (number, 0, 0)).save(out, "PNG")
    numbers = [0, 0, 1, 2]
    images = [{"bytes": data[n].getvalue(), "path": f"{n}.png"} for n in numbers] + [{"bytes": None, "path": "4.png"}]
    info = {"info": {"features": {"label": {"names": ["soccer", "rugby", "golf"], "_type": "ClassLabel"}}}}
    table = pa.table({"image": images, "label": [1, 1, 0, 2, 0]}).replace_schema_metadata(
        {"huggingface": json.dumps(info)}
    )
    put(tmp_path, {"set/data.parquet": parquet(table)})
    place = server.serve("/data.parquet", parquet(table))
    for path in ("set/data.parquet", place):
        rows = listed(context, path=path).sort_values("source_id")
        assert rows[["label", "source_id"]].values.tolist() == [["rugby", "0.png"], ["soccer", "1.png"]]
        for name, number in zip(rows["local_path"], (0, 1), strict=True):
            assert Path(name).read_bytes() == data[number].getvalue()
    files = sorted((tmp_path / "sources" / "pictures").rglob("*.png"))
    assert len(files) == 2
    before = [file.stat().st_mtime_ns for file in files]
    again = listed(context, path=place)
    assert sorted(again["record_id"]) == sorted(rows["record_id"])
    assert [file.stat().st_mtime_ns for file in files] == before
    assert server.gets() == ["/data.parquet"]


def test_a_manifest_is_a_table(tmp_path, context):
    """By its files if the data are beside it, else by its addresses; texts lose their apostrophes."""
    header = "record_id,label,split,sha256,file,format,source_id,url,license,author,title,split_group"
    lines = [
        f"url-list-1,rugby,train,{'0' * 64},train/rugby/url-list-1.png,png,a,http://e.org/1,CC0,'=Ann,'-t,g",
        f"folder-2,soccer,test,{'1' * 64},test/soccer/folder-2.png,png,b,,CC BY,,,",
    ]
    put(tmp_path, {"manifests/one/manifest.csv": "\n".join([header, *lines, ""]).encode()})
    rows = listed(context, path="manifests/one/manifest.csv")
    assert rows[["url", "author", "title", "license"]].values.tolist() == [["http://e.org/1", "=Ann", "-t", "CC0"]]
    put(tmp_path, {f"data/one/{name}.png": b"x" for name in ("train/rugby/url-list-1", "test/soccer/folder-2")})
    rows = listed(context, path="manifests/one/manifest.csv").sort_values("label")
    assert [os.path.relpath(path, tmp_path) for path in rows["local_path"]] == [
        "data/one/train/rugby/url-list-1.png",
        "data/one/test/soccer/folder-2.png",
    ]
    assert rows["listed_split"].tolist() == ["train", "test"]
    assert rows["extra"].isna().all()


@pytest.mark.parametrize(
    ("files", "settings", "message"),
    [
        (csv("image_url,link,label\nhttp://a/1,http://a/2,rugby\n"), {}, 'two columns that could be the address: image_url and link. Write which one is, such as `columns = { url = "image_url" }`'),
        (csv("url,species,category\nhttp://a/1,rugby,x\n"), {}, 'two columns that could be the label: species and category. Write which one is, such as `columns = { label = "species" }`'),
        (csv("url,rugby,soccer\nhttp://a/1,1,0\nhttp://a/2,0,1\n"), {}, "has a column for each label (rugby, soccer) with 0 or 1 in it. Curator gives a picture one label: write a column `label`"),
        (csv("url,label1,label2\nhttp://a/1,rugby,soccer\n"), {}, 'several columns of labels: label1, label2. Curator gives a picture one label: write a column `label` with the one of each row, or `columns = { label = "label1" }`'),
        (csv("url,label\nhttp://a/1,rugby|soccer\nhttp://a/2,soccer|rugby\n"), {}, "several labels in 2 of 2 rows in its column label, such as 'rugby|soccer'. Curator gives"),
        ({"a.parquet": parquet(pa.table({"url": [*LISTED], "caption": ["a", "b"]}))}, {}, 'has no column `label` (its columns are url, caption). Name the column, such as `columns = { label ='),
        ({"multimedia.txt": GBIF_MEDIA.encode()}, {}, "has no column `label`"),
        (csv("url,label\nhttp://a/1,rugby\n"), {"columns": {"url": "ulr"}}, "has no column 'ulr', which `columns` names as `url`, did you mean url?"),
        ({"a.csv": b"url,label\nhttp://a/1,rugby\n", "b.csv": b"link,kind\nhttp://a/1,rugby\n"}, {"path": ("a.csv", "b.csv")}, "b.csv has no column url, label, which a.csv has (its columns are link, kind). Read tables of other columns by"),
        ({"a.xlsx": workbook(("url", "label"))}, {"sheet": "picture"}, "has no sheet 'picture', did you mean pictures?"),
        ({"a.xlsx": workbook(("url", "label"))[:900]}, {}, "is no Excel workbook that can be read"),
        (csv("url,label\nhttp://a/1,rugb\xe9\n"), {"encoding": "ascii"}, "not UTF-8 (line 2). Mend these lines, or try another `encoding` than ascii"),
        (csv("url,label\n"), {}, "has no row behind its header"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_what_to_write(files, settings, message, tmp_path, context):
    """One sentence for what was seen, one for what to write."""
    put(tmp_path, files)
    with pytest.raises(SourceError, match=re.escape(message)):
        listed(context, **{"path": next(iter(files)), **settings})


def test_a_workbook_without_its_library_says_what_to_install(tmp_path, context, monkeypatch):
    """The extra is named."""
    put(tmp_path, {"a.xlsx": workbook(("url", "label"))})
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(SourceError, match=r"which openpyxl reads\. Run `pip install 'imageset-curator\[xlsx\]'`"):
        listed(context, path="a.xlsx")


def test_the_keys_are_checked():
    """Roles, folders, signs, encodings, patterns: all at once."""
    source = UrlList(
        path=("ftp://e.org", "a.csv"),
        columns={"lable": "x"},
        root=("here", "ftp://e.org"),
        delimiter=";;",
        encoding="latin-99",
    )
    found = dict(source.problems(("rugby", "soccer")))
    assert {*found} == {"columns", "root", "delimiter", "encoding", "path"}
    assert found["columns"] == "names 'lable', did you mean label?"


def test_one_row_of_several_labels_is_counted(tmp_path, context, told):
    """It is left out, unless the recipe says what it means."""
    lines = [f"http://e.org/{n}.jpg,{label}" for n, label in enumerate(["rugby"] * 4 + ["soccer", "rugby;soccer"])]
    put(tmp_path, csv("\n".join(["url,label", *lines])))
    assert len(listed(context, path="list.csv")) == 5
    assert "1 row with several labels (line 7) was left out" in told()
    finder = LabelFinder({"rugby": ("rugby;soccer",), "soccer": ()})
    rows = UrlList(path="list.csv").list_images(0, context.labels, replace(context, label_names=finder))
    assert (rows["label"] == "rugby").sum() == 5


CATEGORIES = [{"id": 1, "name": "rugby"}, {"id": 2, "name": "Fußball"}, {"id": 3, "name": "person"}]
SHOWN = {10: [1, 3], 11: [2, 2], 12: [1, 2], 13: [3], 14: [], 15: [2], 16: [1]}


def coco(*numbers: int, **more: object) -> bytes:
    """Annotations of these images, and one of another."""
    images = [
        {"id": n, "file_name": f"{n}.png", "license": 4, **({} if n > 14 else {"coco_url": f"http://e.org/{n}.jpg"})}
        for n in numbers
    ]
    shown = [{"id": 100 * n + i, "image_id": n, "category_id": c} for n in numbers for i, c in enumerate(SHOWN[n])]
    shown.append({"id": 1, "image_id": 99, "category_id": 1})
    licences = [{"id": 4, "name": "BY", "url": "http://e.org/by"}]
    return json.dumps(
        {"info": {}, "licenses": licences, "images": images, "annotations": shown, "categories": CATEGORIES, **more},
        indent=1,
    ).encode()


def list_coco(context, **settings) -> pd.DataFrame:
    context = replace(context, label_names=NAMES)
    source = Coco(**settings)
    assert [*source.problems(context.labels), *source.missing(context.base_dir)] == []
    return source.list_images(0, context.labels, context)


def test_annotations_of_coco_are_labels(server, tmp_path, context, told):
    """One wanted label a picture; all others are counted; sides by the files' names; local files before addresses."""
    put(tmp_path, {"a/instances_train2017.json": coco(10, 11, 12, 13, 14, 15), "a/instances_val2017.json": coco(16)})
    rows = list_coco(context, path="a")
    assert rows[["label", "url", "license", "listed_split"]].sort_values("url").values.tolist() == [
        ["rugby", "http://e.org/10.jpg", "http://e.org/by", "train"],
        ["soccer", "http://e.org/11.jpg", "http://e.org/by", "train"],
    ]
    for words in (
        "1 picture of two wanted labels or more was left out",
        "1 picture of labels outside the recipe (person 1) was left out",
        "1 picture without annotations was left out",
        "1 picture without an address was left out",
        "1 entry among its annotations whose image_id is not in the file was left out",
    ):
        assert f"instances_train2017.json: {words}" in told()
    put(tmp_path, {f"train2017/{n}.png": b"x" for n in (10, 15)} | {"val2017/16.png": b"x"})
    rows = list_coco(context, path=("a/instances_train2017.json", "a/instances_val2017.json"), images=".")
    files = {Path(path).relative_to(tmp_path).as_posix() for path in rows["local_path"].dropna()}
    assert files == {"train2017/10.png", "train2017/15.png", "val2017/16.png"}
    assert sorted(rows["listed_split"]) == ["train", "train", "train", "val"]
    place = server.serve("/a.json", coco(10))
    for _ in range(2):
        assert list_coco(context, path=place)["label"].tolist() == ["rugby"]
    assert server.gets() == ["/a.json"]
    assert "must not name local files" in Coco(path=place, images=".").problems(context.labels)[0][1]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"images": []}', "has no annotations and no categories. Name annotations of COCO"),
        (b"[1]", "is no JSON object"),
        (b'{"images": [{"id": ', "no JSON that can be read"),
        (coco(13), "have no picture of rugby, soccer"),
    ],
)
def test_what_is_no_coco_is_said(body, message, tmp_path, context):
    """What is missing, and what to name instead."""
    put(tmp_path, {"a.json": body})
    with pytest.raises(SourceError, match=re.escape(message)):
        list_coco(context, path="a.json")


def test_a_table_from_an_address_is_read_once_for_the_survey_and_the_fetch(server, tmp_path, context, monkeypatch):
    """The survey keeps it where the fetch looks."""
    only_home_is_public(monkeypatch)
    place = server.serve(
        "/a.csv", "link,art\n" + "".join(f"http://e.org/{n}.jpg,{PAIR[str(1 + n % 2)]}\n" for n in range(8))
    )
    found = survey_table([place], tmp_path, cache_dir=context.cache_dir)
    assert dict(found.counts) == {"rugby": 4, "soccer": 4}
    source = {key: value for key, value in found.sources[0].items() if key != "kind"}
    assert len(UrlList(**source).list_images(0, context.labels, context)) == 8
    assert server.gets() == ["/a.csv"]
    assert survey_coco([server.serve("/list.json", '[{"url": "http://e.org/1"}]')], tmp_path) is None
    assert dict(survey_coco([server.serve("/coco.json", coco(11))], tmp_path).counts) == {"Fußball": 1}
