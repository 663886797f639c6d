"""Every source is in one tuple; a toy source is added by one module and one entry there, and no other file changes."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from curator.catalog import kept
from curator.errors import RecipeError
from curator.events import SourceListed
from curator.manifests.project import Project
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.toml_settings import key_of
from curator.pipeline import run_stages as pipeline
from curator.pipeline.acquire import settings_of_fetch
from curator.sources import registry
from curator.sources.base import Source
from curator.sources.folder.folder_source import Folder
from curator.sources.open_images.open_images_source import OpenImages
from curator.store.paths import DataPaths
from tests.small_webs import PictureHandler, serving

PAGE = Path(__file__).parents[2] / "docs" / "recipe.md"

TOY = '''"""The counting source: a site whose images are numbered."""

from dataclasses import dataclass
from typing import ClassVar

from curator.manifests.toml_settings import setting
from curator.sources.base import Source, listed_rows


@dataclass(frozen=True)
class Counting(Source):
    """``kind = "counting"``: images 0, 1, 2 … of a site."""

    kind: ClassVar[str] = "counting"

    site: str = setting(doc="the site's address")
    first: int = setting(0, "the first number", minimum=0)
    n_images: int = setting(3, "how many images a label", minimum=1)
    name: str = setting("", "the source's name in tables; its kind if not given")

    def problems(self, labels):
        return [] if self.site.startswith("http") else [("site", "must be an address")]

    def bulk_address(self):
        return self.site

    def list_images(self, tier, labels, context):
        numbers = range(self.first, self.first + self.n_images * len(labels))
        rows = [(labels[number % len(labels)], f"{self.site}/{number}.jpg") for number in numbers]
        columns = {"label": [label for label, _ in rows], "url": [url for _, url in rows]}
        return listed_rows(self.kind, self.title, tier, {**columns, "key": columns["url"]})
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> registry.Entry:
    """Add the counting source: one module, one entry in SOURCES."""
    (tmp_path / "counting.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "counting", raising=False)
    added = registry.Entry("counting", "counting", "Counting")
    monkeypatch.setattr(registry, "SOURCES", (*registry.SOURCES, added))
    return added


def recipe_text(**keys: object) -> str:
    """Write a recipe with one counting source."""
    lines = [f"{key} = {str(value) if isinstance(value, int) else repr(value)}" for key, value in keys.items()]
    fetch = '[fetch]\nallow_private_hosts = true\nretries = 0\n[balance]\nper_class = "max"\n'
    table = "\n".join(["[[sources]]", 'kind = "counting"', *lines])
    return f'name = "counted"\nlabels = ["even", "odd"]\n{table}\n{fetch}'


def test_every_kind_is_one_entry_of_the_tuple() -> None:
    """A recipe names a source by its kind; the servers that serve whole data sets are those that a source names."""
    own = ["imagenet", "open-images", "url-list", "folder", "coco"]
    assert list(registry.source_kinds()) == [
        *own,
        "wikimedia",
        "captions",
        "huggingface",
        "inaturalist",
        "flickr",
        "video",
    ]
    for kind, source in registry.source_kinds().items():
        assert issubclass(source, Source) and source.kind == kind
    hosts = registry.host_limits([Folder(path="x"), OpenImages(classes={}, images="http://h:8/b")], 8)
    assert hosts == {"h:8": registry.BULK_REQUESTS}


def test_only_the_sources_of_a_recipe_are_imported() -> None:
    """Reading one costs no other's imports, of which some are large."""
    script = """
import sys
from curator.manifests.read_recipe import parse_recipe
from curator.sources.registry import source_kinds
parse_recipe('name = "a"\\nlabels = ["b", "c"]\\n[[sources]]\\nkind = "folder"\\npath = "d"', source_kinds())
print(sorted(name for name in sys.modules if name.endswith("_source") or name == "cv2"))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert said.stdout == "['curator.sources.folder.folder_source']\n"


def test_a_toy_source_is_listed_and_fetched(toy: registry.Entry, tmp_path: Path) -> None:
    """Its recipe is read, its images come, its host counts as one for whole data sets, and the record names it."""

    class Handler(PictureHandler):
        def do_GET(self) -> None:  # noqa: N802 -- http.server's name
            self.send_picture()

    events: list[object] = []
    with serving(Handler) as port:
        site = f"http://127.0.0.1:{port}"
        recipe = parse_recipe(recipe_text(site=site, first=3, name="toys"), registry.source_kinds())
        paths = DataPaths(tmp_path / "data", tmp_path / "manifests", "counted")
        project = Project(recipe, paths, events.append)
        table = kept(pipeline.fetch(project).table)
    assert sorted(table["url"]) == [f"{site}/{number}.jpg" for number in range(3, 9)]
    assert set(table["kind"]) == {"counting"}
    assert SourceListed("toys", {"even": 3, "odd": 3}) in events
    assert registry.host_limits(recipe.sources, 8) == {f"127.0.0.1:{port}": registry.BULK_REQUESTS}
    (recorded,) = settings_of_fetch(recipe, pipeline.AcquireOptions())["sources"]
    assert recorded == {"kind": "counting", "site": site, "first": 3, "n_images": 3, "name": "toys"}


def test_a_toy_sources_own_keys_are_checked(toy: registry.Entry) -> None:
    """A missing key, an unknown one, one out of range, what only the source sees; without the entry, its kind."""
    mistakes = {
        "site is missing": {},
        "frist is unknown, did you mean first": {"site": "http://h.example", "frist": 1},
        "first must be >= 0": {"site": "http://h.example", "first": -1},
        "site must be an address": {"site": "here"},
    }
    for message, keys in mistakes.items():
        with pytest.raises(RecipeError, match=message):
            parse_recipe(recipe_text(**keys), registry.source_kinds())
    with pytest.raises(RecipeError, match="kind must be one of 'imagenet'"):
        parse_recipe(recipe_text(site="http://h.example"), {"imagenet": registry.source_kinds()["imagenet"]})


def undocumented(sources: Iterable[type[Source]], page: str) -> list[str]:
    """Name the sources that a page has no section for, and the keys that have no row in their source's section."""
    missing = []
    for source in sources:
        section = page.partition(f'## [[sources]] kind = "{source.kind}"\n')[2].partition("\n## ")[0]
        keys = [key_of(field) for field in dataclasses.fields(source)]  # type: ignore[arg-type]
        rows = [key for key in keys if not re.search(rf"^\| `{key}` \|", section, re.MULTILINE)]
        missing += [f"{source.kind}: {key}" for key in rows] if section else [source.kind]
    return missing


def test_docs_name_each_source_and_each_of_its_keys(toy: registry.Entry) -> None:
    """docs/recipe.md is complete; the toy source is missed until it has a section, its keys until they have rows."""
    page = PAGE.read_text(encoding="utf-8")
    everything = [entry.load() for entry in registry.SOURCES]
    assert undocumented((source for source in everything if source.kind != toy.kind), page) == []
    assert undocumented(everything, page) == ["counting"]
    page += '\n## [[sources]] kind = "counting"\n\n| `site` | | the address |\n| `name` | `""` | its name |\n'
    assert undocumented(everything, page) == ["counting: first", "counting: n_images"]


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        ("wikimedia", "categories", "Category: "),
        ("wikimedia", "search", " "),
        ("open-images", "classes", ""),
        ("inaturalist", "taxa", "\\t"),
        ("flickr", "search", ""),
    ],
)
def test_an_empty_text_is_a_mistake_of_the_recipe(kind: str, key: str, text: str) -> None:
    """An API would refuse the whole list for it, or a search of nothing would find anything."""
    recipe = (
        f'name = "a"\nlabels = ["rugby", "soccer"]\n[[sources]]\nkind = "{kind}"\n{key} = {{ rugby = ["x", "{text}"] }}'
    )
    with pytest.raises(RecipeError, match=f"{key} has an empty text for rugby"):
        parse_recipe(recipe, registry.source_kinds())
