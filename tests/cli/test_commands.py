"""The command line as a person meets it: exit codes, one clear paragraph, JSON that a program can check."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.pasted import in_terminal, read_words
from tests.nursery import run_curator
from tests.small_worlds import recipe_text, write_folder


def curator(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a person would, with an 80-column terminal's width."""
    return run_curator(*arguments, cwd=cwd, environment={"COLUMNS": "80", "CURATOR_RECIPE": "", **environment})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a recipe for twelve pictures a label."""
    folder = write_folder(tmp_path / "photos", 12)
    (tmp_path / "manifests" / "small").mkdir(parents=True)
    (tmp_path / "manifests" / "small" / "recipe.toml").write_text(recipe_text(folder))
    return tmp_path


def build(place: Path) -> subprocess.CompletedProcess[str]:
    """Fetch and split; give what the split said."""
    assert curator("fetch", cwd=place).returncode == 0
    return curator("split", cwd=place)


def counts_add_up(counts: dict[str, Any]) -> bool:
    return counts["listed"] == counts["kept"] + sum(counts["dropped"].values())


def test_the_four_commands_build_a_data_set(place: Path) -> None:
    """Fetch, dedupe, balance, split with the only recipe there is; status adds up; verify finds nothing."""
    for command in (("fetch",), ("dedupe",), ("balance",), ("split", "--ratio", "0.8")):
        done = curator(*command, cwd=place)
        assert done.returncode == 0, done.stderr
    assert "manifest: manifests/small/manifest.csv" in done.stdout
    status = json.loads(curator("status", "--json", cwd=place).stdout)
    assert status["kept"] == 20 and counts_add_up(status)
    assert all(counts_add_up(part) for part in (*status["labels"].values(), *status["sources"].values()))
    assert status["splits"] == {"test": {"rugby": 2, "soccer": 2}, "train": {"rugby": 8, "soccer": 8}}
    verified = curator("verify", cwd=place)
    assert verified.returncode == 0 and "20 images verified" in verified.stdout


def test_no_line_is_wider_than_the_terminal_and_nothing_is_coloured_when_piped(place: Path) -> None:
    """Tables fit 80 columns; a pipe gets no escape codes."""
    done = build(place)
    assert "\x1b" not in done.stdout + done.stderr
    table = [line for line in done.stdout.splitlines() if not line.startswith(("manifest:", "folders:"))]
    assert max(map(len, table)) <= 80


def test_json_is_alone_on_stdout(place: Path) -> None:
    """Progress and remarks go to stderr."""
    done = curator("fetch", "--json", cwd=place)
    assert json.loads(done.stdout)["listed"] == 24
    assert "fetched: 24 of 24" in done.stderr


def test_quiet_says_nothing_but_the_result(place: Path) -> None:
    """Only warnings reach stderr."""
    assert curator("fetch", "--quiet", cwd=place).stderr == ""


def test_a_plan_downloads_nothing(place: Path) -> None:
    """--plan lists and counts; no image and no catalog appears."""
    done = curator("fetch", "--plan", "--json", cwd=place)
    assert json.loads(done.stdout)["labels"]["rugby"]["listed"] == 12
    assert not (place / "data" / "small" / "images").exists()
    assert not (place / "data" / "small" / "catalog").exists()


@pytest.mark.slow
def test_run_does_the_whole_job(place: Path) -> None:
    """From the list to the report in one command, with the benchmark kept small."""
    pytest.importorskip("tensorflow")
    path = place / "manifests" / "small" / "recipe.toml"
    small = '[benchmark]\nmodels = ["cnn"]\nepochs = 1\nseeds = [0]\nimage_size = 32\n'
    path.write_text(path.read_text() + small)
    done = curator("run", cwd=place)
    assert done.returncode == 0, done.stderr
    assert (place / "data" / "small" / "benchmark" / "report.html").stat().st_size > 10_000


def test_run_takes_what_the_split_takes(place: Path) -> None:
    """Without a benchmark, so many images a label, in this ratio; another ratio is refused at once."""
    words = ("run", "--no-benchmark", "--per-class", "6", "--ratio")
    done = curator(*words, "0.5", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    half = {"rugby": 3, "soccer": 3}
    assert json.loads(done.stdout)["splits"] == {"train": half, "test": half}
    assert not (place / "data" / "small" / "benchmark").exists()
    other = curator(*words, "0.9", cwd=place)
    assert other.returncode == 2 and "`curator split --resplit --ratio 0.9` makes a new split" in other.stderr
    assert "listed" not in other.stderr


def test_why_tells_a_story_by_id_path_and_hash(place: Path) -> None:
    """One image is found by each of its names."""
    build(place)
    manifest = (place / "manifests" / "small" / "manifest.csv").read_text().splitlines()
    row = dict(zip(manifest[0].split(","), manifest[1].split(","), strict=True))
    for name in (row["record_id"], row["sha256"], row["sha256"][:10], f"data/small/{row['file']}", row["source_id"]):
        done = curator("why", name, cwd=place)
        assert done.returncode == 0 and row["record_id"] in done.stdout, name
    assert row["split"] in done.stdout and row["sha256"] in done.stdout
    (story,) = json.loads(curator("why", row["record_id"], "--json", cwd=place).stdout)
    assert story["sha256"] == row["sha256"] and story["attempts"][0]["outcome"] == "ok"


def test_verify_lists_what_differs(place: Path) -> None:
    """A changed store file, a missing folder file and a stranger are each named; exit code 1."""
    build(place)
    files = sorted((place / "data" / "small" / "train" / "rugby").iterdir())
    files[0].chmod(0o644)
    files[0].write_bytes(b"changed")
    files[1].unlink()
    (files[2].parent / "stranger.jpg").write_bytes(b"?")
    done = curator("verify", "--json", cwd=place)
    problems = {Path(finding["path"]).name: finding["problem"] for finding in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert problems[files[1].name] == "missing"
    assert problems["stranger.jpg"] == "is not in the manifest"
    assert "its bytes differ from the manifest's SHA-256" in problems.values()


def test_too_few_images_exit_1_and_name_the_command_that_works(place: Path) -> None:
    """The message can be typed back."""
    curator("fetch", cwd=place)
    done = curator("split", "--per-class", "50", cwd=place)
    assert done.returncode == 1 and "curator split --per-class max" in done.stderr
    assert curator("split", "--per-class", "max", cwd=place).returncode == 0


def test_the_command_that_works_is_told_for_exact_counts_too(place: Path) -> None:
    """``train`` and ``test`` cannot be had from fewer images: the command proposed keeps their proportion."""
    recipe = place / "manifests/small/recipe.toml"
    lines = [
        line
        for line in recipe.read_text().splitlines()
        if not line.startswith(("per_class", "ratio", "[balance]", "[split]"))
    ]
    recipe.write_text("\n".join([*lines, "[balance]", "per_class = 50", "[split]", "train = 40", "test = 10", ""]))
    curator("fetch", cwd=place)
    for given in ((), ("--per-class", "12")):  # too few to balance, and balanced but too few to split
        words = curator("split", *given, cwd=place).stderr.split("`")[1].split()
        assert words == ["curator", "split", "--per-class", "max", "--ratio", "0.8"]
    done = curator(*words[1:], "--json", cwd=place)
    assert done.returncode == 0 and set(json.loads(done.stdout)["splits"]) == {"train", "test"}


def test_a_replay_of_local_files_does_not_ask_for_the_recipe_that_was_named(place: Path) -> None:
    """It says what the recipe lacks, and what makes the data set where the photographs are; that works as pasted."""
    build(place)
    manifest = "manifests/small/manifest.csv"
    assert "or name the recipe, `--recipe NAME`" in curator("replay", manifest, cwd=place).stderr
    said = curator("replay", manifest, "--recipe", "small", cwd=place).stderr
    assert "nobody else can fetch, and small has no [store]" in said and "NAME" not in said
    commands = in_terminal(said)
    assert commands == ["curator split --recipe small", "curator export imagefolder --recipe small"]
    assert [curator(*read_words(command), cwd=place).returncode for command in commands] == [0, 0]
    pytest.importorskip("obstore")
    recipe = place / "manifests/small/recipe.toml"
    recipe.write_text(recipe.read_text() + f'[store]\nurl = "{(place / "store").as_uri()}"\n')
    said = curator("replay", manifest, "--recipe", "small", cwd=place).stderr
    assert "the [store] of small has none of them" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("split", "--ratio", "1.5"), "error: --ratio must be < 1, not 1.5"),
        (("dedupe", "--keep", "best"), "error: --keep must be one of 'largest', 'first', not 'best'"),
        (("dedupe", "--across-labels", "x", "--mode", "y"), "what was typed has 2 mistakes: - --mode must be"),
        (("dedupe", "--against", "nowhere"), "Mend --against, or [dedupe] against of the recipe."),
        (("split", "--val", "most"), "error: --val must be a share such as 0.1 or a whole number of images"),
        (("run", "--folds", "1", "--no-benchmark"), "error: --folds must be >= 2, not 1"),
        (("benchmark", "--seeds", "a"), "error: --seeds must be whole numbers"),
        (("benchmark", "--epochs", "0"), "error: --epochs must be >= 1, not 0"),
        (
            ("fetch", "--retry", "dask"),
            "Error: Invalid value for '--retry': 'dask' is not one of 'none', 'failed', 'all'.",
        ),
        (("balance", "--per-class", "many"), "error: --per-class must be a whole number, max or all, not 'many'"),
        (("status", "--recipe", "smal"), "did you mean small"),
        (("why", "nobody"), "Run `curator fetch` first."),
        (("verify",), "`curator split` writes it."),
        (("init", "Bad Name", "a", "b"), "'Bad Name' must be lower-case"),
        (("init", "one", "heron"), "error: name at least two different labels: `curator init one heron stork`"),
    ],
)
def test_wrong_usage_gets_one_paragraph_and_exit_2(place: Path, arguments: tuple[str, ...], words: str) -> None:
    """What is wrong, where, and what to do next; never a traceback."""
    done = curator(*arguments, cwd=place)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_init_writes_a_recipe_that_is_good(tmp_path: Path) -> None:
    """The new recipe can be read at once, and a second init does not overwrite it."""
    assert curator("init", "birds", "heron", "stork", cwd=tmp_path).returncode == 0
    assert json.loads(curator("status", "--json", cwd=tmp_path).stdout)["next"] == "curator fetch"
    again = curator("init", "birds", "heron", "stork", cwd=tmp_path)
    assert again.returncode == 2 and "exists already" in again.stderr


def test_a_fresh_folder_names_init(tmp_path: Path) -> None:
    """No recipe at all: the way out is named."""
    assert "curator init" in curator("fetch", cwd=tmp_path).stderr


def test_several_recipes_are_listed(place: Path) -> None:
    """Two recipes and none chosen: both are named."""
    curator("init", "birds", "heron", "stork", cwd=place)
    assert "birds, small" in curator("status", cwd=place).stderr
    assert curator("status", cwd=place, CURATOR_RECIPE="small").returncode == 0


def test_a_data_folder_that_cannot_be_written_is_named(place: Path) -> None:
    """A file where the data folder should be: one paragraph, exit 1."""
    (place / "blocked").write_text("a file")
    done = curator("fetch", "--data", "blocked", cwd=place)
    assert done.returncode == 1 and "blocked" in done.stderr and "Traceback" not in done.stderr


def test_a_catalog_of_a_newer_version_is_refused(place: Path) -> None:
    """The message says to upgrade; no command that would write it anew overwrites it."""
    curator("fetch", cwd=place)
    code = (
        "import curator.catalog as c; c.VERSION = 99\n"
        "from pathlib import Path; from curator.store.catalog_files import *\n"
        "import dataclasses\n"
        "p = Path('data/small/catalog/2-fetched.parquet')\n"
        "write_catalog(p, read_catalog(p), dataclasses.replace(read_record(p), version=99))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=place, check=True)
    newer = (place / "data/small/catalog/2-fetched.parquet").read_bytes()
    for command in (("split",), ("fetch",), ("fetch", "--force")):
        done = curator(*command, cwd=place)
        assert done.returncode == 2 and "newer curator" in done.stderr
    assert (place / "data/small/catalog/2-fetched.parquet").read_bytes() == newer


def test_a_manifest_that_is_gone_is_what_to_make_next(place: Path) -> None:
    """No command that needs the manifest is proposed before it stands again."""
    build(place)
    (place / "manifests/small/manifest.csv").unlink()
    assert json.loads(curator("status", "--json", cwd=place).stdout)["next"].startswith("curator split")
    assert curator("split", cwd=place).returncode == 0
    assert json.loads(curator("status", "--json", cwd=place).stdout)["next"] == "curator benchmark"


def test_a_label_that_nobody_lists_is_counted_as_nothing(place: Path) -> None:
    """Zero is told, and that a split can succeed only after the label has another source."""
    for path in (place / "photos" / "soccer").iterdir():
        path.unlink()
    done = curator("fetch", "--json", cwd=place)
    told = json.loads(done.stdout)
    assert done.returncode == 1 and told["labels"]["soccer"] == {"listed": 0, "kept": 0, "dropped": {}}
    assert told["next"] == "curator split"
    assert told["remark"].startswith("there is no image of soccer: give it another source in ")


def test_the_next_command_means_the_same_data_set(place: Path) -> None:
    """What is proposed can be typed back: it names the recipe and the data folder where they are not the default."""
    asked = ("--recipe", "small", "--data", "elsewhere")
    told = json.loads(curator("fetch", "--json", *asked, cwd=place).stdout)
    assert told["next"] == "curator dedupe --recipe small --data elsewhere"
    done = curator("balance", "--per-class", "50", *asked, cwd=place)
    assert "`curator split --per-class max --recipe small --data elsewhere` would take" in done.stderr
    done = curator("verify", *asked, cwd=place)
    assert "`curator split --recipe small --data elsewhere` writes it." in done.stderr.replace("\n", " ")
    done = curator("split", "--recipe", "nobody", cwd=place)
    assert "`curator init mine --from photos` writes one of your photographs" in " ".join(done.stderr.split())


def test_a_full_disk_is_one_paragraph(place: Path) -> None:
    """ENOSPC in mid-write: what stood before stands, and the message says so."""
    curator("fetch", cwd=place)
    code = (
        "import os, sys, errno, curator.store.whole_files as w\n"
        f"def full(path): raise OSError({errno.ENOSPC}, os.strerror({errno.ENOSPC}))\n"
        "w.sync_file = full\n"
        "sys.argv = ['curator', 'split']\n"
        "from curator.cli.app import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "No space left" in done.stderr and "Traceback" not in done.stderr
    left = [path.name for path in (place / "data" / "small").rglob(".tmp-*")]
    assert left == []
    assert curator("split", cwd=place).returncode == 0


def test_ctrl_c_exits_130_and_says_how_to_go_on(place: Path) -> None:
    """An interrupt is no failure: the same command goes on."""
    code = (
        "import os, signal, sys, curator.pipeline.acquire as a\n"
        "def interrupt(*_, **__): signal.raise_signal(signal.SIGINT)\n"
        "a.fetch_images = interrupt\n"
        "sys.argv = ['curator', 'fetch']\n"
        "from curator.cli.app import main; main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 130 != -signal.SIGINT
    assert "run the same command again to go on" in done.stderr
    assert curator("fetch", cwd=place).returncode == 0


def test_the_version_is_told(tmp_path: Path) -> None:
    """``curator --version`` needs no recipe."""
    assert curator("--version", cwd=tmp_path).stdout.startswith("curator ")
