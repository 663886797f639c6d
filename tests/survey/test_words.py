"""``curator init NAME word word`` and ``curator search``: from words to a recipe that a fetch takes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curator.cli.app import app
from curator.manifests.read_recipe import load_recipe
from curator.sources.class_index.search import search_classes
from curator.sources.registry import source_kinds
from tests.cli.pasted import read_words
from tests.sources.test_open_images import ALL_IMAGES, BOXABLE, HUMAN, TEST_IMAGES, VALIDATION_IMAGES, images, labels

HERON, STORK = "/m/01jgnh", "/m/0jtjg"


@pytest.fixture
def curator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command in an empty project; give its result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CURATOR_RECIPE", raising=False)
    return lambda *words: CliRunner().invoke(app, [*words])


def recipe_of(name: str) -> dict[str, dict[str, list[str]]]:
    """Read a written recipe as curator does; give its labels, and each source's classes by its kind."""
    path = Path("manifests") / name / "recipe.toml"
    recipe = load_recipe(path, source_kinds())
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["sources"]
    assert len(tables) == len(recipe.sources)
    found = {table["kind"]: table.get("classes") or table.get("synsets") or table["path"] for table in tables}
    return {"labels": [*recipe.labels], **found}


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_words_become_a_recipe_that_a_fetch_plans(curator) -> None:
    """From two words to counts: the recipe is taken as it is, but for where the tables are."""
    said = curator("init", "waders", "heron", "storks")
    assert said.exit_code == 0, said.output
    assert f"heron: Heron, {HERON}, n02008041 (1,419 addresses)" in said.output
    assert "nobody could be asked, so the likeliest classes were taken" in said.output
    assert said.output.endswith("next: curator fetch --plan\n")
    assert recipe_of("waders") == {
        "labels": ["heron", "storks"],
        "open-images": {"heron": [HERON], "storks": [STORK]},
        "imagenet": {"heron": ["n02008041"], "storks": ["n02002075"]},
    }
    path = Path("manifests/waders/recipe.toml")
    text = path.read_text(encoding="utf-8")
    assert '    # "/m/01c5w8",          # Great blue heron: heron, wading bird\n' in text  # another class, as a comment
    assert "\n]  # look out for: " in text and max(map(len, text.splitlines())) <= 120
    tables = {
        "/v7/oidv7-class-descriptions.csv": f"LabelName,DisplayName\n{HERON},Heron\n{STORK},Stork\n",
        "/v5/class-descriptions-boxable.csv": f"{HERON},Heron\n",
        HUMAN["val"]: labels((1, HERON, "1"), (2, STORK, "1")),
        HUMAN["test"]: labels((4, STORK, "1")),
        HUMAN["train"]: labels((6, HERON, "1"), (7, STORK, "1")),
        VALIDATION_IMAGES: images(1, 2),
        TEST_IMAGES: images(4),
        BOXABLE: images(6),
        ALL_IMAGES: images(1, 2, 4, 6, 7),
        "/n02008041.txt": "http://a.example/1.jpg\n",
        "/n02002075.txt": "http://a.example/2.jpg\nhttp://a.example/3.jpg\n",
    }
    for place, table in tables.items():
        (file := Path("tables") / place[1:]).parent.mkdir(parents=True, exist_ok=True)
        file.write_text(table, encoding="utf-8")
    text = text.replace('kind = "open-images"\n', 'kind = "open-images"\nmetadata = "../../tables"\n')
    path.write_text(text.replace('kind = "imagenet"\n', 'kind = "imagenet"\nurls = ["../../tables/{wnid}.txt"]\n'))
    planned = curator("fetch", "--plan", "--json")
    assert planned.exit_code == 0, planned.output
    counts = {label: part["listed"] for label, part in json.loads(planned.stdout)["labels"].items()}
    assert counts == {"heron": 2 + 1, "storks": 3 + 2}


def test_a_word_that_means_nothing_leaves_the_rest(curator) -> None:
    """It is left out, and the recipe says how to add it; where fewer than two would remain, it has an empty list."""
    said = curator("init", "three", "heron", "qzxwv", "stork")
    assert "note: qzxwv: No class of Open Images or ImageNet is called 'qzxwv'. It is left out" in said.output
    assert recipe_of("three")["labels"] == ["heron", "stork"]
    text = Path("manifests/three/recipe.toml").read_text(encoding="utf-8")
    assert '# No class was found for "qzxwv".\n# To have it, add "qzxwv" to labels' in text
    assert text.count('\n# path = "qzxwv.txt"\n') == 1 and not Path("manifests/three/qzxwv.txt").exists()
    mended = text.replace('["heron", "stork"]', '["heron", "stork", "qzxwv"]').replace(
        "# [[sources]]\n", "[[sources]]\n", 1
    )
    for line in ('kind = "url-list"', 'path = "qzxwv.txt"', 'label = "qzxwv"'):
        mended = mended.replace(f"# {line}\n", f"{line}\n", 1)
    Path("manifests/three/recipe.toml").write_text(mended, encoding="utf-8")
    assert recipe_of("three")["url-list"] == "qzxwv.txt"  # as the comment says
    said = curator("init", "two", "Käfer", "heron")
    assert "spelled nearly so: kale" in said.output and "one a line, into manifests/two/K" in one_line(said.output)
    assert recipe_of("two")["labels"] == ["Käfer", "heron"]
    assert Path("manifests/two/Käfer.txt").read_text(encoding="utf-8") == ""
    said = curator("init", "none", "!!!", "犬")
    assert said.exit_code == 0 and 'kind = "open-images"' not in Path("manifests/none/recipe.toml").read_text("utf-8")


def test_what_open_images_has_only_more_broadly_is_a_comment(curator) -> None:
    """No picture of something else is listed unasked; without its marks the comment is part of the recipe."""
    said = one_line(curator("init", "kitchen", "fridge", "oven").output)
    assert "note: Open Images has no class fridge; broader: Refrigerator (/m/040b_t);" in said
    assert recipe_of("kitchen")["open-images"] == {"oven": ["/m/029bxz"]}
    path = Path("manifests/kitchen/recipe.toml")
    before, block, behind = path.read_text(encoding="utf-8").partition("# fridge = [\n")
    inside, end, behind = behind.partition("\noven = [")
    block = "".join(line.removeprefix("# ") for line in (block + inside).splitlines(keepends=True))
    path.write_text(before + block + end + behind, encoding="utf-8")
    assert recipe_of("kitchen")["open-images"]["fridge"][0] == "/m/040b_t"
    curator("init", "lists", "fridge", "lorry")
    assert {*recipe_of("lists")} == {"labels", "imagenet"}  # Open Images is a comment as a whole


def test_no_class_stands_for_two_labels(curator) -> None:
    """The next meaning is taken, or none; a label that is a kind of another is pointed out."""
    said = curator("init", "pets", "dog", "hound dog", "dogs!", "animal", "rugbi").output
    found = recipe_of("pets")
    taken = [mid for mids in found["open-images"].values() for mid in mids]
    assert len(taken) == len({*taken}) and found["open-images"]["dog"] == ["/m/0bt9lr"]
    assert "note: dog is a kind of animal" in one_line(said)
    assert "(nothing is called rugbi; this is rugby)" in said


class Typed(io.StringIO):
    """What a person types, or sees, in a terminal."""

    def isatty(self) -> bool:
        return True


def test_in_a_terminal_it_asks(curator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter takes the likeliest, numbers others, 0 none; it asks again if that cannot be, or is another label's."""
    from curator.cli.init import init_of_words

    monkeypatch.setattr(sys, "stdin", Typed("2, 3\nboth\n9\n1,0\n\n1\n0\n"))
    monkeypatch.setattr(sys, "stdout", shown := Typed())
    monkeypatch.setenv("COLUMNS", "100")
    init_of_words("asked", ["football", "heron", "herons", "qzxwv"])
    game, american = search_classes("football").proposals[1:3]
    found = recipe_of("asked")
    assert found["labels"] == ["football", "heron"]
    assert found["open-images"] == {"football": [american.mid], "heron": [HERON]}
    assert found["imagenet"]["football"] == [game.synset, american.synset]
    said = shown.getvalue()
    assert said.count("Which is football?") == 1 and said.count("Which is heron?") == 4
    assert said.count("Which is herons?") == 2 and "Another label has Heron" in said and "Which is qzxwv?" not in said
    assert said.count("Type numbers from 1 to 6, or 0.") == 3 and "nobody could be asked" not in said


def test_a_search_is_a_table_or_json(curator) -> None:
    """The proposals with ids and counts, what to look out for, what to type next; the same as one JSON document."""
    said = curator("search", "football").output
    assert said.startswith("football may mean 2 things\n") and "look out for: American football (/m/0jm_)" in said
    assert said.endswith("next: curator init NAME football LABEL\n")
    said = one_line(curator("search", "Rugby", "ball").output)
    assert "1 Rugby ball ball, sports equipment /m/0wdt60w, boxes n04118538 1,508" in said
    found = json.loads(curator("search", "football", "--json", "-n", "2").stdout)
    assert [one["mid"] for one in found["proposals"]] == ["/m/01226z", ""] and found["n_meanings"] == 2
    assert "nothing is called freedom alone" in curator("search", "freedom").output
    said = curator("search", "rugbi").output
    assert said.startswith("nothing is called rugbi; this is rugby\n") and "spelled nearly so: rugby, " in said


def test_a_search_without_result_is_one_paragraph(curator) -> None:
    """With the nearest words, and the way out; exit code 1, for JSON too."""
    done = curator("search", "happines")
    assert done.exit_code == 1 and done.stdout == ""
    assert one_line(done.stderr) == (
        "error: No class of Open Images or ImageNet is called 'happines'; spelled nearly so: happening, happy. Try the "
        "plain English word for what the pictures show, or a more general one: `curator search bird`."
    )
    done = curator("search", "happines", "--json")
    assert done.exit_code == 1 and json.loads(done.stdout)["nearest"] == ["happening", "happy"]
    assert "There is no word in '?'" in curator("search", "?").stderr


def test_what_cannot_be_a_recipe_is_refused_before_anything_is_asked(curator) -> None:
    """One label, a bad name, a recipe that exists."""
    assert "at least two different labels" in curator("init", "one", "heron").stderr
    assert "must be lower-case" in curator("init", "Bad Name", "heron", "stork").stderr
    curator("init", "birds", "heron", "stork")
    assert "exists already" in curator("init", "birds", "heron", "stork").stderr


def test_labels_that_are_no_words_are_refused_with_what_to_type(curator) -> None:
    """Commas, quotation marks, single letters: no class is guessed, and the command that is named works."""
    for typed, said in (
        (("heron,stork", "gull"), "'heron,stork' is one label"),
        (("heron; stork; gull",), "'heron; stork; gull' is one label"),
        (("heron stork gull",), "as it is in quotation marks"),
    ):
        error = curator("init", "birds", *typed).stderr
        assert said in error and error.endswith("For a label each, type `curator init birds heron stork gull`.\n")
        read_words("curator init birds heron stork gull")
    for letters in (("a,b,c",), ("a", "b", "c")):
        error = curator("init", "z", *letters).stderr
        assert "by a single letter or digit: 'a', 'b', 'c'" in error and "`curator init z heron stork`" in error
    assert not Path("manifests").exists()
    assert curator("init", "birds", "golden eagle", "heron").exit_code == 0


def test_a_word_that_means_the_same_as_another_gets_no_other_meaning(curator) -> None:
    """It is left out, and said why; no class is put in its place that shows something else."""
    said = one_line(curator("init", "pets", "mouse", "mice", "heron", "cat1", "cat2").output)
    assert "note: mice: it means the same as mouse, which has its class. It is left out" in said
    assert "note: cat2: it means the same as cat1, which has its class." in said
    assert recipe_of("pets")["labels"] == ["mouse", "heron", "cat1"]
    assert '"mice" means the same as "mouse"' in Path("manifests/pets/recipe.toml").read_text(encoding="utf-8")


def test_words_become_a_recipe_without_what_tables_need(tmp_path: Path) -> None:
    """Importing Arrow took a third of the time of `curator init`."""
    for command in ("init ball rugby soccer", "search heron"):
        code = (
            "import sys\nfrom curator.cli.app import main\nsys.argv = ['curator', *sys.argv[1].split()]\n"
            "try:\n    main()\nexcept SystemExit:\n    pass\n"
            "print(sorted({'numpy', 'pandas', 'pyarrow', 'PIL', 'cv2'} & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.stdout.splitlines()[-1:] == ["[]"], done
