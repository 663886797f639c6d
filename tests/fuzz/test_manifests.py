"""Texts that are read back, with chance mutations: each command does its work, or ends with one paragraph.

Beside the project lies a folder of bait, at which many of the mutations aim. Nothing outside the project may be opened,
changed or removed, whatever a text says: an audit hook and the bait itself tell. A failure names its seed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from curator.catalog import Stage
from curator.cli.app import app
from curator.manifests.manifest import read_manifest
from curator.manifests.reviews import Review, append_review
from curator.manifests.tombstones import append_tombstones, digest
from curator.pipeline import run_stages as pipeline
from tests.fuzz.rounds import seeds
from tests.small_worlds import recipe_text, small_project, write_folder

CELLS = (
    "", " ", "22,561", "1e5", "12.0", "-5", "0", "TRUE", "null", "nan", "NA", "=1+1", "'", '"', '""', "a\rb",
    "a\nb", "a\r\nb", "\x00", "\x85", "\u2028", "\u202e", "\U0001f3c9", "x" * 200_000, "../../etc/passwd",
    "/etc/passwd", "train", "test", "rugby", "99999999999999999999", "1.23457E+15", "http://[",
    "../../bait/thesis.odt", "train/rugby/../../../../bait/thesis.odt", "*", "**", "?" * 64, "..", "../..",
    "train/rugby/thesis.odt", "/proc/self/environ", "a" * 64, "file:///etc/passwd",
    "../../bait", ";", ",", "\t", "\\", "'=1", "0x10", "\u0661", "inf",
)  # fmt: skip


def in_a_cell(lines: list[str], chance: random.Random) -> list[str]:
    row = chance.randrange(len(lines))
    cells = lines[row].split(",")
    new = chance.choice(CELLS)
    cells[chance.randrange(len(cells))] = new if chance.random() < 0.5 else '"' + new.replace('"', '""') + '"'
    return [*lines[:row], ",".join(cells), *lines[row + 1 :]]


def in_a_line(lines: list[str], chance: random.Random) -> list[str]:
    row = chance.randrange(len(lines))
    kind = chance.randrange(7)
    if kind == 0:
        return [*lines[:row], *lines[row + 1 :]]
    if kind == 1:
        return [*lines[:row], lines[row], *lines[row:]]
    if kind == 2:
        return [*lines[:row], chance.choice(["", ",", "," * 22, "  ", '"', "#"]), *lines[row:]]
    if kind == 3:
        return [*lines[:row], lines[row] + chance.choice([",", ",x", '"', ";"]), *lines[row + 1 :]]
    if kind == 4:
        return [*lines[:row], lines[row][: chance.randrange(len(lines[row]) + 1)], *lines[row + 1 :]]
    if kind == 5:
        place = chance.randrange(23)
        return [",".join(cell for at, cell in enumerate(line.split(",")) if at != place) for line in lines]
    place = chance.randrange(23)
    return [",".join([*(cells := line.split(",")), cells[place % len(cells)]]) for line in lines]


def in_the_bytes(data: bytes, chance: random.Random) -> bytes:
    kind = chance.randrange(9)
    place = chance.randrange(len(data) + 1)
    whole: dict[int, Callable[[], bytes]] = {
        0: lambda: data[:place],
        1: lambda: data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :],
        2: lambda: data[:place] + chance.randbytes(chance.randrange(1, 9)) + data[place:],
        3: lambda: b"\xef\xbb\xbf" + data,
        4: lambda: data.replace(b"\n", chance.choice([b"\r\n", b"\r", b"\n\n", b"\n\r"])),
        5: lambda: data.replace(b",", chance.choice([b";", b"\t", b" ,"])),
        6: lambda: data.decode("utf-8", "replace").encode(chance.choice(["utf-16", "utf-16-le", "utf-32"]), "replace"),
        7: lambda: data[:place] + b"\x00" * chance.randrange(1, 40) + data[place:],
        8: lambda: b"sep=;\n" + data,
    }
    return whole[kind]()


def mutated(good: bytes, seed: int) -> bytes:
    """Mutate a manifest once to three times, in a cell, a line or the bytes."""
    chance = random.Random(seed)
    lines = good.decode().splitlines()
    for _ in range(chance.randrange(1, 4)):
        if lines:
            lines = chance.choice([in_a_cell, in_a_line])(lines, chance)
    data = ("\n".join(lines) + "\n").encode()
    return in_the_bytes(data, chance) if chance.random() < 0.4 else data


pytestmark = pytest.mark.torture("manifests and all else that is read back, mutated; four or five commands each")

HOSTILE = (
    None, True, -1, 10**30, 1e308, "", "../../bait/thesis.odt", "*", "a" * 64, "x" * 100_000, "\x1b[2J", "\u202e", [],
    {}, [[]], {"train": ["../../bait"]}, {"": None}, ["*"], "train", "2026-01-01T00:00:00Z", "relabel",
)  # fmt: skip
RAW = (
    '{"a": ' * 5_000, "[" * 5_000, "9" * 10_000, '{"a": NaN}', "\x00", '{"a": 1, "a": 2}', "\ufeff", "null", "[]",
    '{"sha256": "\\ud800"}', "\n\n", "{", "x = 0x" + "f" * 10_000, "x = " + "9" * 10_000, "x = " + "[" * 5_000,
)  # fmt: skip


def changed(value: Any, chance: random.Random) -> Any:
    """Change one value of a JSON text, somewhere in it."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        name = chance.choice(sorted(value))
        if chance.random() < 0.15:
            return {("../../bait" if key == name else key): one for key, one in value.items()}
        return {**value, name: changed(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        place = chance.randrange(len(value))
        return [*value[:place], changed(value[place], chance), *value[place + 1 :]]
    return chance.choice(HOSTILE)


def changed_text(data: bytes, name: str, chance: random.Random) -> bytes:
    """Change a JSON text, a line of one, or the bytes of any."""
    if chance.random() < 0.3:
        raw = chance.choice(RAW).encode("utf-8", "surrogatepass")
        place = chance.choice([0, len(data)])
        return chance.choice([raw, data[:place] + raw + data[place:]])
    if chance.random() < 0.3 or name.endswith(".toml"):
        return in_the_bytes(data, chance)
    lines = data.decode().splitlines() if name.endswith(".jsonl") else [data.decode()]
    place = chance.randrange(len(lines))
    lines[place] = json.dumps(changed(json.loads(lines[place]), chance))
    return "\n".join(lines).encode() + chance.choice([b"", b"\n", b'\n{"half'])


def changed_catalog(path: Path, chance: random.Random) -> None:
    """Change what a catalog says that it was made from, or a cell of it."""
    table = pq.read_table(path)
    if chance.random() < 0.5:
        record = changed(json.loads(table.schema.metadata[b"curator"]), chance)
        text = chance.choice([json.dumps(record), chance.choice(RAW)])
        table = table.replace_schema_metadata({b"curator": text.encode("utf-8", "surrogatepass")})
    else:
        rows = table.to_pylist()
        row = chance.choice(rows)
        row[chance.choice(["sha256", "format", "record_id", "label", "split", "local_path", "url"])] = chance.choice(
            CELLS
        )
        table = table.from_pylist(rows, schema=table.schema)
    pq.write_table(table, path)


def changed_evidence(path: Path, chance: random.Random) -> None:
    """Change a cell of a table that only this machine writes, or its bytes."""
    table = pq.read_table(path)
    if chance.random() < 0.4 or not table.num_rows:
        path.write_bytes(in_the_bytes(path.read_bytes(), chance))
        return
    rows, field = table.to_pylist(), chance.choice([*table.schema])
    odd: tuple[Any, ...] = CELLS
    if pa.types.is_list(field.type) or pa.types.is_fixed_size_list(field.type):
        odd = (None, [float("nan")] * 6, [1e38] * 2, [0.0] * 6)
    elif not pa.types.is_string(field.type):
        odd = (None, 0, 127, -128, -1)
    chance.choice(rows)[field.name] = chance.choice(odd)
    try:
        table = pa.Table.from_pylist(rows, pa.schema([one.with_nullable(True) for one in table.schema]))
    except (pa.ArrowException, TypeError):  # of another length than the column's
        return
    pq.write_table(table.replace_schema_metadata(pq.read_schema(path).metadata), path)


class Watch:
    """Hears what this process opens, changes and removes; a hook cannot be taken away, so there is one."""

    def __init__(self) -> None:
        self.forbidden, self.allowed, self.heard = "", "", list[str]()
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note what touches the forbidden folder outside the one that is allowed within it."""
        if self.forbidden and (event == "open" or event.startswith("os.") or event.startswith("shutil.")):
            for one in arguments:
                if isinstance(one, str | bytes) and (path := self.place_of(os.fsdecode(one), arguments)):
                    self.heard.append(f"{event} {path}")

    def place_of(self, name: str, arguments: tuple[Any, ...]) -> str:
        """Return the path if it is forbidden."""
        folders = [one for one in arguments[1:] if isinstance(one, int) and one > 2 and not name.startswith("/")]
        homes = [self.read_link(one) for one in folders] or [""]
        paths = [os.path.abspath(f"{home or '.'}/{name}" if name[:1] != "/" else name) for home in homes]  # noqa: PTH100
        inside = (path for path in paths if f"{path}/".startswith(f"{self.forbidden}/"))
        return next(
            (path for path in inside if not f"{path}/".startswith(f"{self.allowed}/") and path != self.forbidden), ""
        )

    def read_link(self, descriptor: int) -> str:
        try:
            return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
        except OSError:
            return ""

    @contextmanager
    def around(self, forbidden: Path, allowed: Path) -> Iterator[list[str]]:
        """Listen while a block runs."""
        self.heard.clear()
        self.forbidden, self.allowed = str(forbidden), str(allowed)
        try:
            yield self.heard
        finally:
            self.forbidden = ""


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of four pictures a label, and a copy."""
    root = tmp_path_factory.mktemp("finished")
    photos = write_folder(root / "photos", 4)
    for label in ("rugby", "soccer"):  # copies, so that pairs of pictures are compared
        Image.open(photos / label / "000.jpg").resize((120, 90)).save(photos / label / "copy.jpg")
    project = small_project(root, recipe_text(photos, per_class="max"))
    pipeline.fetch(project)
    pipeline.decide(project, Stage.BALANCED, {"balance": {"per_class": 3}})
    pipeline.decide(project, Stage.SPLIT, {})
    assert pq.read_table(project.paths.judged).num_rows
    rows = read_manifest(project.paths.manifest)
    for sha256, label in zip(rows["sha256"][:2], rows["label"][:2], strict=True):
        append_review(
            project.paths.reviews, Review("2026-01-02T03:04:05Z", "ann", sha256, label, "keep", reason="good")
        )
    append_tombstones(project.paths.forgotten, {"host": [digest("h.example")], "content": ["cd" * 32]})
    return root


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, with bait beside it; a file of the bait is named as a stored one might be."""
    root = tmp_path / "project"
    shutil.copytree(finished, root)
    for name in ("thesis.odt", "images/aa/" + "a" * 64 + ".jpg", "rugby/thesis.odt"):
        (bait := tmp_path / "bait" / name).parent.mkdir(parents=True, exist_ok=True)
        bait.write_text(name)
    monkeypatch.chdir(root)
    monkeypatch.delenv("CURATOR_RECIPE", raising=False)
    return root


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def commands(chance: random.Random) -> list[list[str]]:
    """Those that read the manifest, one of those that write by it last."""
    place = "manifests/small/manifest.csv"
    looking = [["verify"], ["report"], ["diff", place, "good.csv"], ["diff", "good.csv", place], ["replay", place]]
    looking += [["dedupe", "--against", "bad.csv", "--report-only"], ["status"], ["why", "http://h.example/1.jpg"]]
    form = chance.choice(["imagefolder", "keras", "webdataset", "parquet", "tfrecord", "croissant", "coco"])
    writing = [["export", form], ["split"], ["split", "--resplit"], ["forget", "host:h.example"], ["forget", "ab" * 32]]
    return [*chance.sample(looking, 4), chance.choice(writing)]


def try_commands(
    root: Path, watch: Watch, words: list[list[str]], spoil: Callable[[], None], about: object
) -> list[int]:
    """Run commands, each on what ``spoil`` has spoilt: exit code 0, 1 or 2, one paragraph, and nothing outside."""
    bait, codes = contents(root.parent / "bait"), list[int]()
    for command in words:
        spoil()
        with watch.around(root.parent, root) as heard:
            done = CliRunner().invoke(app, command)
        assert done.exception is None or isinstance(done.exception, SystemExit), (about, command, repr(done.exception))
        assert done.exit_code in (0, 1, 2), (about, command, done.output)
        assert done.exit_code != 2 or "error:" in done.output, (about, command, done.output)
        assert not heard, (about, command, heard)
        codes.append(done.exit_code)
    assert contents(root.parent / "bait") == bait, about
    assert sorted(path.name for path in root.parent.iterdir()) == ["bait", "project"], about
    return codes


@pytest.mark.parametrize("seed", seeds(16))
def test_no_manifest_ends_a_command_with_a_traceback_or_leads_out(seed: int, project: Path, watch: Watch) -> None:
    """Each command that reads one."""
    manifest = project / "manifests" / "small" / "manifest.csv"
    good = manifest.read_bytes()
    bad = mutated(good, seed)
    (project / "good.csv").write_bytes(good)
    (project / "bad.csv").write_bytes(bad)
    words = commands(random.Random(seed))
    codes = try_commands(project, watch, words, lambda: manifest.write_bytes(bad), seed)
    assert len(codes) == len(words) == 5


RECORDS = (
    "manifests/small/manifest.json", "manifests/small/reviews.jsonl", "manifests/small/forgotten.jsonl",
    "manifests/small/recipe.toml", "data/small/overrides.json", "data/small/fetched-from.json", "data/small/owner",
    "data/small/sums.jsonl", "data/small/catalog/5-split.parquet", "data/small/catalog/2-fetched.parquet",
    "data/small/catalog/judged.parquet", "data/small/fetched-files.parquet",
)  # fmt: skip


@pytest.mark.parametrize("seed", seeds(24))
def test_no_other_text_does(seed: int, project: Path, watch: Watch) -> None:
    """What is read back beside the manifest, and what a catalog says of itself."""
    chance = random.Random(seed)
    name = RECORDS[seed % len(RECORDS)]
    path = project / name
    if path.stem in ("judged", "fetched-files"):
        changed_evidence(path, chance)
    elif path.suffix == ".parquet":
        changed_catalog(path, chance)
    elif name.endswith("owner"):
        path.write_bytes(chance.choice([b"../../../bait/thesis.odt\n", b"\x00", b"/etc/passwd", b"x" * 9_000, b"\xff"]))
    else:
        path.write_bytes(changed_text(path.read_bytes(), name, chance))
    bad = path.read_bytes()
    sha256 = read_manifest(project / "manifests/small/manifest.csv")["sha256"].iloc[0]
    words = [["status"], ["verify", "--fast"], ["split"], ["why", sha256], ["export", "keras"], ["forget", sha256]]
    codes = try_commands(project, watch, chance.sample(words, 4), lambda: path.write_bytes(bad), (seed, name))
    assert len(codes) == 4


def test_no_link_below_a_data_folder_is_followed(project: Path, watch: Watch) -> None:
    """A folder that is a link to the bait is refused by what writes, links or removes; a file is not published."""
    data, bait = project / "data" / "small", project.parent / "bait"
    sha256 = read_manifest(project / "manifests/small/manifest.csv")["sha256"].iloc[0]
    before = contents(bait)
    shard = f"images/{sha256[:2]}"
    for name in ("images", "train", "exports", "converted", shard):
        if aside := (data / name).exists():
            (data / name).rename(data / "aside")
        (data / name).symlink_to(bait / name if name == "images" else bait)
        for command in (["forget", sha256], ["split", "--force"], ["export", "keras"]):
            done = CliRunner().invoke(app, command)
            assert done.exit_code == 2, (name, command, done.output)
            assert "is a link" in done.output
        (data / name).unlink()
        if aside:
            (data / "aside").rename(data / name)
    stored = next((data / "images").rglob("*.jpg"))
    stored.unlink()
    stored.symlink_to(bait / "thesis.odt")
    assert "is a link" in CliRunner().invoke(app, ["split", "--force"]).output
    (data / "lock").unlink()
    (data / "lock").symlink_to(bait / "thesis.odt")
    assert "is a link" in CliRunner().invoke(app, ["split"]).output
    assert contents(bait) == before
