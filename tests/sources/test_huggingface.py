"""Data sets of the Hugging Face hub, and of folders, are read as Parquet; a token goes to the hub and nowhere else."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator.errors import SourceError
from curator.sources.captions.captions_source import Captions
from curator.sources.huggingface.hub import DataSetOnHub, classes_of, with_token
from curator.sources.huggingface.huggingface_source import HuggingFace
from curator.sources.reading.read import headers_for
from curator.sources.url_list.class_names import names_beside
from curator.sources.url_list.table_files import table_files
from tests.small_worlds import picture
from tests.sources.killed import list_killed

LABELS = ("cat", "dog")
CLASSES = {"features": [{"name": "label", "dtype": {"class_label": {"names": {"0": "cat", "1": "dog"}}}}]}
SECRET = "hf_s3cretToken"
FEATURES = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}


def jpeg(seed: int) -> bytes:
    stream = io.BytesIO()
    picture(seed).save(stream, "JPEG")
    return stream.getvalue()


def shard(first: int, n: int = 4, *, metadata: bool = False, addresses: bool = False) -> bytes:
    """Make a Parquet file as `datasets` writes it: pictures or addresses, and numbers of classes."""
    numbers = range(first, first + n)
    labels = pa.array([number % 3 for number in numbers], pa.int64())
    if addresses:
        table = pa.table({"image_url": [f"http://e.org/{number}.jpg" for number in numbers], "label": labels})
    else:
        images = [{"bytes": jpeg(number), "path": f"{number}.jpg"} for number in numbers]
        table = pa.table({"image": images, "label": labels})
    table = table.replace_schema_metadata({b"huggingface": json.dumps(FEATURES).encode()} if metadata else None)
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


@pytest.fixture
def hub(server, monkeypatch):
    """A hub that serves one data set, whose files it redirects to another host, as the real one does."""
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", SECRET)
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    files = {}
    for split, first in {"train": 0, "validation": 4}.items():
        page = f"/api/datasets/ann/pets/parquet/default/{split}/0.parquet"
        server.serve(f"/cdn/{split}.parquet", shard(first))
        files[split] = [server.serve(page, location=f"{elsewhere}/cdn/{split}.parquet")]
    card = {"id": "ann/pets", "cardData": {"license": "cc-by-4.0", "dataset_info": CLASSES}}
    server.serve("/api/datasets/ann/pets", json.dumps(card))
    server.serve("/api/datasets/ann/pets/parquet", json.dumps({"default": files}))
    return server


def test_a_data_set_of_the_hub_is_listed_and_the_token_goes_nowhere_else(hub, context, tmp_path, told, events):
    """Pictures, names of classes from the card, sides from splits, the licence; the second run requests nothing."""
    source, context = HuggingFace(repo="ann/pets"), replace(context, labels=LABELS)
    assert [(read.name, read.n_bytes > 1000) for read in source.plan(0, context)] == [("0.parquet", True)] * 2
    listed = source.list_images(0, LABELS, context)
    found = listed.groupby(["listed_split", "label"]).size().to_dict()
    assert found == {("train", "cat"): 2, ("train", "dog"): 1, ("val", "cat"): 1, ("val", "dog"): 2}
    assert set(listed["license"]) == {"cc-by-4.0"} and set(listed["kind"]) == {"huggingface"}
    assert {Path(path).read_bytes() for path in listed["local_path"]} == {jpeg(n) for n in range(8) if n % 3 < 2}
    sent = {path: headers.get("Authorization") for _, path, headers in hub.requests}
    assert {path for path, token in sent.items() if token} == {path for path in sent if path.startswith("/api")}
    assert set(filter(None, sent.values())) == {f"Bearer {SECRET}"}
    hub.requests.clear()
    assert len(source.list_images(0, ("dog",), replace(context, fresh=set()))) == 3 and not hub.requests
    assert len(HuggingFace(repo="ann/pets", splits=("train",)).list_images(0, LABELS, context)) == 3
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert written and not any(SECRET.encode() in data for data in written)
    assert SECRET not in told() + repr(events) + repr(context)


def test_a_listing_that_broke_off_requests_no_file_again(hub, context):
    """What came of the first file is kept, and so are the hub's answers: the next run goes on with the second."""
    source, context = HuggingFace(repo="ann/pets"), replace(context, labels=LABELS)
    hub.serve("/cdn/validation.parquet", shard(4), statuses=[404] * 9)
    with pytest.raises(SourceError, match="404"):
        source.list_images(0, LABELS, context)
    hub.serve("/cdn/validation.parquet", shard(4))
    hub.requests.clear()
    assert len(source.list_images(0, LABELS, replace(context, fresh=set()))) == 6
    assert {path for _, path, _ in hub.requests} == {
        "/api/datasets/ann/pets/parquet/default/validation/0.parquet",
        "/cdn/validation.parquet",
    }


def test_a_listing_that_is_killed_requests_no_file_again(hub, context, tmp_path):
    """Killed when it asks for the second file, it goes on there."""
    source, context = HuggingFace(repo="ann/pets"), replace(context, labels=LABELS)
    expected = source.list_images(0, LABELS, replace(context, cache_dir=tmp_path / "elsewhere"))
    hub.requests.clear()
    source.list_images(0, LABELS, replace(context, cache_dir=tmp_path / "another", fresh=set()))
    second = [path for _, path, _ in hub.requests].index("/cdn/validation.parquet") + 1
    list_killed(hub, "requests", second, lambda: source.list_images(0, LABELS, replace(context, fresh=set())))
    rows = source.list_images(0, LABELS, replace(context, fresh=set()))
    assert rows["record_id"].tolist() == expected["record_id"].tolist() and len(rows) == 6
    assert {path for _, path, _ in hub.requests} == {
        "/api/datasets/ann/pets/parquet/default/validation/0.parquet",
        "/cdn/validation.parquet",
    }


REFUSED = {
    "no such data set": ({"statuses": [404] * 9}, {}, "404 Not Found. Look at its name on the hub"),
    "private, no token": ({"statuses": [401] * 9}, {"HF_TOKEN": ""}, "401 Unauthorized. .* `export HF_TOKEN=hf_…`"),
    "token refused": ({"statuses": [403] * 9}, {}, "403 Forbidden. The token in HF_TOKEN is refused"),
    "a page": ({"body": b"<html>Sorry"}, {}, r"answered with a web page \(HTML\)"),
    "no files": ({"body": b'{"default": {"train": []}}'}, {}, "has no Parquet files on the hub .* `path = "),
    "local files": ({"body": b'{"default": {"train": ["/etc/passwd", 7]}}'}, {}, "has no Parquet files on the hub"),
    "configurations": (
        {"body": b'{"a": {"train": ["http://e.org/1"]}, "b": {}}'},
        {},
        r"several configurations \(a, b",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_hub_that_refuses_is_one_paragraph(hub, context, monkeypatch, what):
    """It names the data set, what the hub said, and the way out."""
    page, environment, message = REFUSED[what]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    hub.serve("/api/datasets/ann/pets/parquet", **page)
    with pytest.raises(SourceError, match=message) as error:
        HuggingFace(repo="ann/pets").list_images(0, LABELS, context)
    assert str(error.value).startswith("The data set ann/pets: ") and SECRET not in str(error.value)


def test_a_split_or_configuration_that_is_not_there_is_named(hub, context):
    """With those that are."""
    for keys, message in {
        "splits": ({"splits": ("dev",)}, r"has no split dev \(its splits are train, validation\)"),
        "config": ({"config": "defualt"}, "has no configuration 'defualt', did you mean default"),
    }.values():
        with pytest.raises(SourceError, match=message):
            HuggingFace(repo="ann/pets", **keys).list_images(0, LABELS, context)


@pytest.mark.parametrize("form", ["metadata", "card", "addresses"])
def test_a_folder_of_parquet_files_needs_no_hub(tmp_path, context, monkeypatch, form):
    """A clone of a data set: names in the file or in its card two folders above, pictures or addresses."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    top = tmp_path / "pets"
    for split in ("train", "test"):
        (top / "plain" / split).mkdir(parents=True)
        data = shard(0 if split == "train" else 4, metadata=form == "metadata", addresses=form == "addresses")
        (top / "plain" / split / "0000.parquet").write_bytes(data)
    classes = "dataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n"
    (top / "README.md").write_text(
        f"---\nlicense: cc0-1.0\n{classes}          '0': cat\n          '1': dog\n---\n# Pets\n"
    )
    source, context = HuggingFace(path="pets", config="plain"), replace(context, labels=LABELS)
    listed = source.list_images(0, LABELS, context)
    assert listed.groupby(["listed_split", "label"]).size().to_dict() == {
        ("test", "cat"): 1, ("test", "dog"): 2, ("train", "cat"): 2, ("train", "dog"): 1,
    }  # fmt: skip
    assert set(listed["license"]) == {"cc0-1.0"}
    assert listed["url" if form == "addresses" else "local_path"].notna().all()
    assert not source.missing(tmp_path) and source.local_state(tmp_path)
    assert len(replace(source, splits=("test",)).list_images(0, LABELS, context)) == 3
    with pytest.raises(SourceError, match="has no Parquet file"):
        replace(source, config="fancy").list_images(0, LABELS, context)


@pytest.mark.parametrize("place", ["plain/0.parquet", "plain-0.parquet"])
def test_a_folder_of_several_configurations_asks_for_one(tmp_path, context, place):
    """As its card names them, in folders or in files called so: they are not read as one data set."""
    top = tmp_path / "pets"
    for name in (place, place.replace("plain", "fancy")):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(shard(0, metadata=True))
    names = "".join(f"- config_name: {name}\n  data_files: {name}*\n" for name in ("plain", "fancy"))
    (top / "README.md").write_text(f"---\nconfigs:\n{names}---\n# Pets\nconfig_name: text\n")
    source, context = HuggingFace(path="pets"), replace(context, labels=LABELS)
    with pytest.raises(SourceError, match=r"several configurations \(plain, fancy\)\. .* `config = \"plain\"`"):
        source.list_images(0, LABELS, context)
    assert len(replace(source, config="plain").list_images(0, LABELS, context)) == 3
    if "/" not in place:  # a folder of tables, of captions for one, is asked the same
        with pytest.raises(SourceError, match=r"several configurations \(plain, fancy\): .*pets/plain\*") as error:
            table_files("pets", tmp_path)
        assert Captions(path="pets").missing(tmp_path) == [("path", f"names nothing: {error.value.message[:-1]}")]
        assert [Path(one).name for one in table_files("pets/plain*", tmp_path)] == ["plain-0.parquet"]


def test_the_token_stays_with_the_hub_whatever_the_address_looks_like(hub, context):
    """Also where libcurl does not follow a redirect by itself, and never to the hub's host without its scheme."""
    elsewhere, context = hub.url.replace("127.0.0.1", "localhost"), replace(context, labels=LABELS)
    page = "/api/datasets/ann/pets/parquet/default/train/0.parquet"
    hub.serve(page, location=f"{elsewhere}/odd path|x.parquet")
    hub.serve("/odd%20path%7Cx.parquet", shard(0))
    assert len(HuggingFace(repo="ann/pets", splits=("train",)).list_images(0, LABELS, context)) == 3
    sent = {path: headers.get("Authorization") for _, path, headers in hub.requests}
    assert sent[page] == f"Bearer {SECRET}" and sent["/odd%20path%7Cx.parquet"] is None
    known = with_token(context)
    assert headers_for(f"{hub.url}/a", known) and not headers_for(hub.url.replace("http:", "https:"), known)


@pytest.mark.parametrize("address", ["http://hub.example", "HTTP://me@hub.example:80"])
def test_no_token_crosses_the_open_web_in_clear(context, monkeypatch, address):
    """Whoever lets it lead inside knows the way there."""
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setenv("HF_TOKEN", SECRET)
    outside = replace(context, fetch=replace(context.fetch, allow_private_hosts=False))
    assert not with_token(outside).headers and with_token(context).headers
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example")
    assert with_token(outside).headers


def test_each_configuration_has_its_own_names(tmp_path):
    """A number of one is not named as in another; of a folder, what configurations name differently is not known."""
    infos = [
        {"config_name": name, "features": [{"name": "Label", "dtype": {"class_label": {"names": {"0": text}}}}]}
        for name, text in {"a": "cat", "b": "car"}.items()
    ]
    known = DataSetOnHub({"a": {}, "b": {}}, classes_of({"dataset_info": infos}))
    assert [known.names(config) for config in ("a", "b")] == [{"label": {"0": "cat"}}, {"label": {"0": "car"}}]
    assert DataSetOnHub({"x": {}}, classes_of({"dataset_info": infos[0]})).names("x") == {"label": {"0": "cat"}}
    feature = {"names": ["cat"], "_type": "ClassLabel"}
    told = {
        name: {"features": {"label": feature | {"names": [text]}, "kind": feature}}
        for name, text in (("a", "x"), ("b", "y"))
    }
    (tmp_path / "dataset_infos.json").write_text(json.dumps(told))
    assert names_beside(tmp_path)[0] == {"kind": {"0": "cat"}}
