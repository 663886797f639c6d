"""A recipe is checked whole: every mistake is found at once, with its line and a way out."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from curator.errors import CuratorError, OptionError, RecipeError
from curator.manifests.manifest import read_manifest
from curator.manifests.read_recipe import load_recipe, parse_recipe
from curator.manifests.recipe import Recipe
from curator.manifests.recipe_template import write_new_recipe
from curator.manifests.reviews import Review, read_reviews
from curator.manifests.tombstones import digest, read_tombstones
from curator.sources.registry import source_kinds

ROOT = Path(__file__).parents[2]
GOOD = """
name = "balls"
labels = ["rugby", "soccer"]

[[sources]]
kind = "imagenet"
synsets = { rugby = ["n00470966"], soccer = ["n00478262"] }
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, source_kinds())
    return [str(problem) for problem in caught.value.problems]


def test_a_good_recipe_has_every_default() -> None:
    """Keys that are left out have the defaults of the settings classes."""
    recipe = parse_recipe(GOOD, source_kinds())
    assert (recipe.balance.per_class, recipe.split.ratio, recipe.dedupe.max_distance) == (1224, 0.8, 10)
    assert recipe.target_of("rugby") == 2448


def test_a_recipe_is_frozen() -> None:
    """Nobody changes a recipe after it was read."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        parse_recipe(GOOD, source_kinds()).name = "other"  # type: ignore[misc]


def test_all_mistakes_are_reported_at_once_with_lines() -> None:
    """One reading finds the misspelt section, the misspelt key, the range and the type."""
    found = mistakes(GOOD + "[balance]\nper_class = 0\n[splt]\n[split]\nratoi = 0.7\nseed = 'x'\n")
    assert found == [
        "line 9: [balance] per_class must be >= 1, not 0",
        "line 10: [splt] is unknown, did you mean split?",
        "line 12: [split] ratoi is unknown, did you mean ratio?",
        "line 13: [split] seed must be a whole number, not 'x'",
    ]


def test_a_label_without_source_is_refused() -> None:
    """A label that no source can list would end empty."""
    assert mistakes(GOOD.replace('"soccer"]', '"soccer", "tennis"]')) == [
        "line 3: label 'tennis' has no source: add it to one, or a [[sources]] table"
    ]


def test_no_mistake_hides_another() -> None:
    """A repeated label does not hide an odd one, nor a misspelt section a label without source."""
    text = GOOD.replace('"soccer"]', '"soccer", " Tennis", "soccer"]') + "[splt]\n"
    found = "\n".join(mistakes(text))
    assert "two different labels" in found and "label ' Tennis' must be written 'Tennis'" in found
    assert "' Tennis' has no source" in found and "[splt] is unknown" in found


def test_labels_are_texts_or_a_table_of_what_means_them() -> None:
    """A list names the labels; a table adds what else means each, one text or several."""
    text = """
name = "pets"
labels = { "Golden Retriever" = ["golden*", "Goldie"], "Käfer" = [], "犬" = "dog" }
[[sources]]
kind = "imagenet"
synsets = { "Golden Retriever" = ["n02099601"], "Käfer" = ["n02164464"], "犬" = ["n02084071"] }
"""
    recipe = parse_recipe(text, source_kinds())
    assert recipe.labels == ("Golden Retriever", "Käfer", "犬")
    assert recipe.label_names == {"Golden Retriever": ("golden*", "Goldie"), "Käfer": (), "犬": ("dog",)}
    assert mistakes(text.replace("[]", "5"))[0] == "line 3: labels must be a list of text, not 5"
    assert "both name 'dog'" in "\n".join(mistakes(text.replace("Goldie", "dog")))


def test_an_unknown_source_kind_gets_a_suggestion() -> None:
    """A misspelt kind names the near one."""
    (mistake,) = mistakes(GOOD.replace('"imagenet"', '"imagnet"'))
    assert "did you mean imagenet?" in mistake and mistake.startswith("line 6:")


def test_exact_counts_must_add_up() -> None:
    """The two counts together are what balance must give."""
    (mistake,) = mistakes(GOOD + "[balance]\nper_class = 10\n[split]\ntrain = 8\ntest = 3\n")
    assert mistake == "line 9: [balance] per_class must be train + test = 11, not 10"


def test_each_label_may_have_its_own_number() -> None:
    """Every label has one, no other does; twice as many are to be obtained."""
    recipe = parse_recipe(GOOD + "[balance]\nper_class = { rugby = 10, soccer = 20 }\n", source_kinds())
    assert (recipe.target_of("rugby"), recipe.target_of("soccer")) == (20, 40)
    assert mistakes(GOOD + "[balance]\nper_class = { rugbi = 10, soccer = 20 }\n") == [
        "line 9: [balance] per_class names 'rugbi', which is not in labels, did you mean rugby?",
        "line 9: [balance] per_class has no number for rugby",
    ]
    assert mistakes(GOOD + "[balance]\nper_class = { rugby = 0, soccer = 20 }\n") == [
        "line 9: [balance] per_class must be >= 1, not 0"
    ]
    assert "or a table of a whole number" in mistakes(GOOD + '[balance]\nper_class = "most"\n')[0]


def test_train_alone_is_refused() -> None:
    """Exact counts come in a pair."""
    assert mistakes(GOOD + "[split]\ntrain = 8\n") == [
        "line 9: [split] train and test go together: set both, or ratio alone"
    ]


def test_val_is_a_share_or_a_number_that_leaves_room_for_test() -> None:
    """A share goes with the ratio, a number with either; both are checked on the command line, too."""
    assert parse_recipe(GOOD + "[split]\nval = 0.1\n", source_kinds()).split.val == 0.1
    assert (
        parse_recipe(
            GOOD + "[balance]\nper_class = 20\n[split]\ntrain = 12\nval = 2\ntest = 6\n", source_kinds()
        ).split.val
        == 2
    )
    assert mistakes(GOOD + "[split]\nval = 0.2\n") == [
        "line 9: [split] val must be below 0.2, since ratio is 0.8 and test has the rest"
    ]
    assert mistakes(GOOD + "[split]\nval = 1.5\n") == [
        "line 9: [split] val must be a share below 1 or a whole number of images, not 1.5"
    ]
    assert mistakes(GOOD + "[split]\nval = 0\n") == ["line 9: [split] val must be > 0, not 0"]
    assert mistakes(GOOD + "[balance]\nper_class = 20\n[split]\ntrain = 12\nval = 0.1\ntest = 8\n") == [
        "line 12: [split] val must be a whole number of images beside train and test, not 0.1"
    ]
    assert mistakes(GOOD + "[balance]\nper_class = 20\n[split]\ntrain = 12\nval = 2\ntest = 8\n") == [
        "line 9: [balance] per_class must be train + val + test = 22, not 20"
    ]
    recipe = parse_recipe(GOOD + "[split]\nval = 0.1\n", source_kinds())
    assert recipe.with_overrides("split", ratio=0.7).split.val == 0.1
    with pytest.raises(OptionError) as error:
        recipe.with_overrides("split", ratio=0.95)
    beside = "--ratio cannot be with what the recipe says: [split] val must be below 0.05, since ratio is 0.95"
    assert str(error.value) == f"{beside} and test has the rest"
    with pytest.raises(OptionError, match=r"^--val must be below 0\.05, since ratio is 0\.95"):
        recipe.with_overrides("split", ratio=0.95, val=0.3)
    with pytest.raises(OptionError, match=r"^--engine must be one of 'local', 'ray', not 'dask'$"):
        recipe.with_overrides("engine", kind="dask")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            'allow = ["foo", "cc-bx", "foo"]',
            ["allow names 'foo' and 'cc-bx' (did you mean CC-BY?), which are no licences; the"],
        ),
        ("allow = 5", ["allow must be a list of text, not 5"]),
        ('allow = ["MIT", 5]', ["allow must be a list of text, not ['MIT', 5]"]),
        ('allow = []\nunknown = "x"', ["allow must name the licences", "unknown must be one of 'drop', 'keep'"]),
        ("unknwn = 3", ["allow must name the licences", "unknwn is unknown, did you mean unknown?"]),
    ],
)
def test_what_is_wrong_with_licences_is_said_once(section: str, said: list[str]) -> None:
    """The default that stands in for what cannot be read is no second mistake."""
    found = mistakes(f"{GOOD}[licence]\n{section}\n")
    assert len(found) == len(said)
    assert all(any(words in one for one in found) for words in said), found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "not valid TOML"),
        ('labels = ["a", "b"]\n', "name must be"),
        ('name = "x"\nlabels = ["a"]\n', "at least two different labels"),
        ('name = "x"\nlabels = ["a", "b"]\n', "at least one [[sources]]"),
    ],
)
def test_what_is_missing_is_named(text: str, words: str) -> None:
    """A recipe without its basic parts says which."""
    assert any(words in mistake for mistake in mistakes(text))


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    """The message names the byte."""
    (tmp_path / "recipe.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(RecipeError, match="not UTF-8 text"):
        load_recipe(tmp_path / "recipe.toml", source_kinds())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_recipe_in_another_unicode_form_says_what_to_do(tmp_path: Path, encoding: str) -> None:
    """What Windows' editors call Unicode."""
    (tmp_path / "recipe.toml").write_text("name = 'x'\n", encoding=encoding)
    with pytest.raises(RecipeError, match=f"is {encoding[:6].upper()} text: save it as UTF-8"):
        load_recipe(tmp_path / "recipe.toml", source_kinds())


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Windows' editors write one before UTF-8, in recipes, reviews, tombstones and manifests alike."""
    text = 'name = "x"\r\nlabels = ["a", "b"]\r\n[[sources]]\r\nkind = "folder"\r\npath = "."\r\n'
    (tmp_path / "recipe.toml").write_text(text, encoding="utf-8-sig", newline="")
    assert load_recipe(tmp_path / "recipe.toml", source_kinds()).name == "x"
    review = Review("2026-01-02T03:04:05Z", "ann", "ab" * 32, "a", "drop")
    (tmp_path / "reviews.jsonl").write_text(review.as_line(), encoding="utf-8-sig")
    assert read_reviews(tmp_path / "reviews.jsonl") == (review,)
    line = json.dumps({"kind": "host", "sha256": digest("e.org")})
    (tmp_path / "forgotten.jsonl").write_text(line, encoding="utf-8-sig")
    assert read_tombstones(tmp_path / "forgotten.jsonl")["host"] == {digest("e.org")}
    row = f"folder-1,a,train,{'ab' * 32},train/a/folder-1.png,png"
    manifest = f"record_id,label,split,sha256,file,format\n{row}\n"
    (tmp_path / "manifest.csv").write_text(manifest, encoding="utf-8-sig")
    assert read_manifest(tmp_path / "manifest.csv")["record_id"].tolist() == ["folder-1"]


def test_a_missing_file_names_init(tmp_path: Path) -> None:
    """The way out stands in the message."""
    with pytest.raises(CuratorError, match="curator init"):
        load_recipe(tmp_path / "none.toml", source_kinds())


def test_an_option_overrides_its_key() -> None:
    """Options carry the names of recipe keys; None leaves the key alone."""
    recipe = parse_recipe(GOOD, source_kinds()).with_overrides("split", ratio=0.7, seed=None)
    assert (recipe.split.ratio, recipe.split.seed) == (0.7, 0)


def test_an_option_out_of_range_is_refused_by_its_name() -> None:
    """The message names the option, not the recipe."""
    with pytest.raises(RecipeError, match=r"--max-distance must be <= 16, not 99"):
        parse_recipe(GOOD, source_kinds()).with_overrides("dedupe", max_distance=99)


def article() -> Recipe:
    return load_recipe(ROOT / "manifests" / "rugby-soccer-article" / "recipe.toml", source_kinds())


def test_the_committed_recipes_are_good() -> None:
    """The default asks for 1,224 a class at 0.8; the article's for 1,224 + 305 exactly."""
    default = load_recipe(ROOT / "manifests" / "rugby-soccer" / "recipe.toml", source_kinds())
    assert (default.balance.per_class, default.split.ratio) == (1224, 0.8)
    assert (article().balance.per_class, article().split.train, article().split.test) == (1529, 1224, 305)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[split]\nseed = 99999999999999999999\n", "seed must be a number of at most 64 bits"),
        (f"[split]\nseed = 0x{'f' * 100_000}\n", "seed must be a number of at most 64 bits"),
        (f"[split]\nseed = {'9' * 1_000_000}\n", "has a number or a date that cannot be"),
        (f"[split]\nseed = {'[' * 100_000}\n", "nested too deep"),
        ("[quality]\nmax_aspect = inf\n", "max_aspect must be a number of at most 64 bits"),
        ("[fetch]\ndelay_s = 10000000000000000000000\n", "delay_s must be a number of at most 64 bits"),
        ('[fetch]\ncontact = "me@example.org\\r\\nX-Evil: 1"\n', "contact must be of ASCII characters in one line"),
        ('[fetch]\ncontact = "Jörg, 東京"\n', "contact must be of ASCII characters in one line"),
        ('[fetch]\nproxy = "http://proxy\\u0000"\n', "proxy must be of ASCII characters in one line"),
        (
            '[fetch]\narchive = "web.archive.org"\n',
            "archive must be the http(s) address of a CDX server, which ends in /cdx",
        ),
        (
            '[fetch]\narchive = "https://ann:pw@h.example/cdx"\n',
            "archive takes no user name and no password: write 'https://h.example/cdx'",
        ),
        (
            '[fetch]\ncontact = "https://ann:pw@h.example"\n',
            "contact takes no user name and no password: write 'https://h.example'; every host reads it",
        ),
        (
            '[store]\nurl = "s3://key:secret@bucket/x"\n',
            "url takes no user name and no password: write 's3://bucket/x'; its keys come from the environment",
        ),
        ('[benchmark]\nmodels = [[["cnn"]]]\n', "models must be a list of text"),
        ("[[sources]]\nkind = [1]\n", "kind must be one of"),
    ],
)
def test_no_value_is_too_much_for_the_reader(more: str, said: str) -> None:
    """Numbers beyond 64 bits, depth, and what would break a request: a mistake, told in a line of some length."""
    found = mistakes(GOOD + more)
    assert any(said in one for one in found), found
    assert all(len(one) < 400 for one in found)


def test_a_recipe_with_a_password_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Others on the machine cannot read it; one without is written as any file is."""
    modes = []
    for number, who in enumerate(("ann:s3cret@", "")):
        source = {"kind": "url-list", "path": f"https://{who}lists.example/pets.csv"}
        path = write_new_recipe(tmp_path, f"pets{number}", ["dog", "cat"], [source], {}, source_kinds())
        modes.append(path.stat().st_mode & 0o077)
    assert modes[0] == 0 and modes[1] != 0
