"""No byte from outside that a terminal would obey reaches it, whatever command prints it, as text or as JSON."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curator.cli.app import app
from curator.text import printable
from tests.fuzz.rounds import counted
from tests.small_worlds import picture

HOSTILE = "\x1b]0;owned\x07\x9b31m\x85\u202e\x7f[/b] \\[/x] [red]{x}%s"
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
COMMANDS = (
    "init other --from hostile",
    "init third --from hostile.csv",
    "fetch",
    "dedupe --explain",
    "dedupe",
    "balance",
    "split",
    "status",
    "why SOME",
    "verify",
    "report",
    "export imagefolder",
    "diff manifests/mine/manifest.csv manifests/mine/manifest.csv",
    "forget AUTHOR",
    "replay manifests/mine/manifest.csv",
    "run --no-benchmark",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures, a table of them, and a recipe: odd texts wherever a stranger may have written them."""
    place = tmp_path_factory.mktemp("hostile")
    (place / "hostile").mkdir()
    columns = ["path", "label", "author", "title", "license", "landing_url", "group"]
    rows = []
    for n in range(12):
        label = "rugby" if n % 2 else "soccer"
        name = f"{n}{HOSTILE.replace('/', '-')}.jpg"
        (place / "hostile" / label).mkdir(exist_ok=True)
        picture(n % 10).save(place / "hostile" / label / name)
        rows.append([f"hostile/{label}/{name}", label, *[f"{n} {HOSTILE}"] * 5])
    (place / "hostile" / "rugby" / f"odd {HOSTILE.replace('/', '-')}.jpg").write_bytes(b"no picture")
    rows.append([f"hostile/none{HOSTILE}.jpg", "rugby", *[HOSTILE] * 5])
    rows.append([f"hostile/rugby/1{HOSTILE}.jpg", HOSTILE, *[HOSTILE] * 5])
    with (place / "hostile.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    recipe = place / "manifests" / "mine" / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    source = 'kind = "url-list"\npath = "../../hostile.csv"\nroot = "../.."'
    text = f'name = "mine"\nlabels = ["rugby", "soccer"]\n[[sources]]\n{source}\n[balance]\nper_class = "all"\n'
    recipe.write_text(text, encoding="utf-8")
    return place


@pytest.mark.torture
def test_every_commands_output_is_clean(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output and standard error; JSON says the same as before, escaped."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("CURATOR_RECIPE", "manifests/mine/recipe.toml")
    seen = ""
    for command in COMMANDS:
        manifest = place / "manifests/mine/manifest.csv"
        some = manifest.read_text(encoding="utf-8").splitlines()[1].split(",")[0] if manifest.is_file() else ""
        words = [{"SOME": some, "AUTHOR": f"1 {HOSTILE}"}.get(word, word) for word in command.split()]
        for more in ([], ["--json"]):
            done = CliRunner().invoke(app, [*words, *([] if words[0] == "init" else more)])
            with counted("commands over hostile texts, what they print searched for control bytes"):
                assert done.exit_code == 0 or words[0] in ("init", "forget", "replay"), (words, done.output)
                assert not done.exception or isinstance(done.exception, SystemExit), (words, done.exception)
                assert not FORBIDDEN.search(done.output), (words, FORBIDDEN.search(done.output), ascii(done.output))
            if more and done.stdout.startswith("{"):
                json.loads(done.stdout)
            seen += done.output
    assert printable(HOSTILE)[:12] in seen


@pytest.mark.parametrize(
    "text",
    [
        'name = "mine"\n"\\u001b]0;x\\u0007\\u009b[/x]" = 1\n',
        'name = "mine"\nlabels = ["a\\u001b[31m", "b\\u009b"]\n',
        'name = "mine\x1b]0;x\x07"\n',
        'name = "mine"\nlabels = ["a", "b"]\n[[sources]]\nkind = "\\u001b[1m[/x]"\n',
        'name = "mine"\nlabels = ["a", "b"]\n[[sources]]\nkind = "folder"\npath = "\\u001b]0;x\\u0007[/]"\n',
    ],
)  # fmt: skip
def test_a_hostile_recipe_is_refused_in_clean_text(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys, labels and values may hold anything."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(text, encoding="utf-8")
    for command in ("fetch", "status", "split"):
        done = CliRunner().invoke(app, [command, "--recipe", str(tmp_path / "recipe.toml")])
        is_missing = "folder" in text and command == "status"  # what is not there now hinders only a fetch
        assert done.exit_code == (0 if is_missing else 2), done.output
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        assert not FORBIDDEN.search(done.output), ascii(done.output)
