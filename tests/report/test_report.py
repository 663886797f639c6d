"""The report tells what is there, whatever that is, and lets nothing from the web become markup."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from curator.benchmark.figures.colours import colours
from curator.embed.weights import find_weights
from curator.errors import CuratorError, StateError
from curator.manifests.project import Project
from curator.manifests.reviews import Review, append_review
from curator.manifests.settings import EmbedSettings
from curator.observe.thumbnails import data_uri
from curator.report.build import build_report
from curator.report.markup import element, join, link, prose
from curator.report.plots import inlined
from curator.report.style import recolour, style_sheet
from curator.store.catalog_files import file_digest
from curator.store.paths import DataPaths

VOID = {"meta", "img", "br", "path", "use", "rect", "circle", "line"}


class Outline(HTMLParser):
    """Reads a page: its section ids, its tags, every address in it, and whether tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a start tag."""
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [str(given["id"])] if "id" in given else []
        self.sections += [str(given["id"])] if tag == "section" else []
        self.addresses += [str(given[name]) for name in ("src", "href", "xlink:href") if given.get(name)]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself, as in SVG."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Check that what is closed was opened last."""
        if tag not in VOID:
            assert self._open.pop() == tag


def read(path: Path) -> Outline:
    """Parse a page."""
    outline = Outline()
    outline.feed(path.read_text("utf-8"))
    return outline


def test_before_training_the_page_tells_what_is_there(reported_set: Any) -> None:
    """Counts, samples, drops and duplicates stand without a benchmark, and the page says how to get the rest."""
    page = build_report(reported_set.project)
    sections = read(page).sections
    assert {"samples", "counts", "drops", "duplicates"} <= set(sections)
    assert not {"results", "models", "wrong", "repeat"} & set(sections)
    text = page.read_text("utf-8")
    assert "No model was trained yet" in text
    assert sections[:2] == ["samples", "cautions"], "what is missing comes after what is there"
    assert "near-duplicate" in text
    assert "3 bits apart" in text


def test_before_the_split_the_page_tells_what_was_dropped(reported_set: Any) -> None:
    """With a catalog alone there are drops and duplicates, and the commands for the rest."""
    reported_set.paths.manifest.unlink()
    sections = set(read(build_report(reported_set.project)).sections)
    assert sections == {"drops", "cautions", "duplicates", "files"}


def test_with_nothing_there_the_next_command_is_named(reported_set: Any, tmp_path: Path) -> None:
    """No catalog, no manifest: the paragraph says `curator fetch`."""
    paths = DataPaths(tmp_path / "none", tmp_path / "none", "none")
    with pytest.raises(StateError, match="Run `curator fetch` first"):
        build_report(Project(reported_set.project.recipe, paths))
    assert not paths.report.exists()


def test_after_training_every_section_stands(reported_set: Any) -> None:
    """Results, details, wrong images, confounds, groups and how to repeat it."""
    reported_set.write_metrics()
    page = build_report(reported_set.project)
    assert read(page).sections == [
        "results", "cautions", "models", "wrong", "groups", "samples", "counts", "confounds", "drops", "duplicates",
        "files", "repeat",
    ]  # fmt: skip
    text = page.read_text("utf-8")
    assert "MobileNetV2 is better than CNN by 20.0 points" in text
    option = f"--recipe drawn --data {reported_set.paths.data_root}"
    assert f"curator why folder-0000000000000008 {option}" in text
    assert text.count("The label can be told without looking at the picture") == 1
    assert f"curator benchmark {option} --preset default --models cnn,mobilenet_v2 --seeds 0,1" in text


def test_the_suspects_have_a_section_with_before_and_after(reported_set: Any) -> None:
    """Accuracy in three ways with its intervals, what a person has decided, and a word if the network is another."""
    reported_set.write_suspects({"weights": _weights_at_hand()}, notes=("With fewer than 30 images, little.",))
    first, second, *_ = reported_set.rows
    for row, decision, new in ((first, "keep", ""), (second, "relabel", reported_set.labels[0])):
        review = Review("2026-01-02T03:04:05Z", "ann", row["sha256"], row["label"], decision, new)
        append_review(reported_set.paths.reviews, review)
    page = build_report(reported_set.project)
    assert "suspects" in read(page).sections
    text = re.sub(r"<[^>]+>", " ", page.read_text("utf-8").split('id="suspects"')[1])
    text = " ".join(text.split())
    assert "Leaving the suspects out raises accuracy by 2.0 points; relabelling them as suggested makes no" in text
    assert "Without the suspects 80.0% 75.0% to 85.0% +2.0 points +1.0 to +3.0" in text
    assert "12 images were judged. A person has decided on 2 of 5 suspects. curator review" in text
    assert "wrong label 4 2" in text and "low quality 1 0" in text and "fewer than 30 images" in text
    assert "out of date" not in page.read_text("utf-8")
    for changed, said in (
        ({"embed": {"model": "mobilenet_v2"}}, "EfficientNet-Lite0 found them, and [embed] has model 'efficientnet_"),
        ({"suspects": {}}, "[suspects] has other settings now"),
        ({"decoder": 0}, "an older decoder read the pictures"),
    ):
        reported_set.write_suspects({"weights": _weights_at_hand(), **changed})
        assert f"The suspects are out of date: {said}" in _plain(reported_set)
    reported_set.write_suspects(effect={}, suspected=0)
    assert "12 images were judged. A person has decided on all suspects: 1." in _plain(reported_set)


def _plain(reported_set: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", build_report(reported_set.project).read_text("utf-8")).split())


def _weights_at_hand() -> str:
    """Return the hash of the network's weights; any, if they are not installed."""
    try:
        return file_digest(find_weights(EmbedSettings(), Path()))
    except CuratorError:
        return "w"


def test_text_from_the_web_never_becomes_markup(reported_set: Any) -> None:
    """Titles and authors are escaped, web addresses and the data set's files become links, and nothing is loaded."""
    reported_set.write_metrics()
    outline = read(build_report(reported_set.project))
    assert "script" not in outline.tags
    allowed = ("https://example.org/", "data:image/", "#", "../", "metrics.json", "plots")
    assert outline.addresses
    assert all(address.startswith(allowed) for address in outline.addresses)


def test_no_two_parts_of_the_page_share_an_id(reported_set: Any) -> None:
    """The plots' own names do not collide inside one page."""
    pytest.importorskip("seaborn")
    reported_set.write_metrics()
    ids = read(build_report(reported_set.project)).ids
    assert len(ids) == len(set(ids))


def test_a_missing_model_is_told_in_red(reported_set: Any) -> None:
    """Which model is missing, and why, stands below the result as a warning."""
    metrics_changes = {"missing": {"mobilenet_v2": "No weights. Pass --weights."}, "comparison": None}
    reported_set.write_metrics(**metrics_changes)
    text = build_report(reported_set.project).read_text("utf-8")
    told = '<li class="grave"><strong>MobileNetV2 is missing</strong><p>No weights. Pass --weights.</p></li>'
    assert text.index('id="results"') < text.index(told) < text.index('id="models"')


def test_figures_of_another_manifest_are_flagged(reported_set: Any) -> None:
    """After a new split the page says that the benchmark's figures are of other images, and shows no wrong images."""
    reported_set.write_metrics(hashes={"manifest": "00"})
    page = build_report(reported_set.project)
    assert "The manifest has changed since the benchmark" in page.read_text("utf-8")
    assert "wrong" not in read(page).sections


def test_a_smoke_test_is_called_one_wherever_its_numbers_stand(reported_set: Any) -> None:
    """Every section with figures of a model says so, and every plot of one too."""
    pytest.importorskip("seaborn")
    reported_set.write_metrics(smoke_test=True, article=None)
    text = build_report(reported_set.project).read_text("utf-8")
    for name in ("results", "models", "wrong", "groups"):
        (content,) = re.findall(rf'<section id="{name}">.*?</section>', text, re.DOTALL)
        assert '<small class="badge">smoke test</small>' in content
    assert "did better in this smoke test" in text
    assert "0.83" not in text
    plots = list((reported_set.paths.benchmark / "plots").glob("*[!s].svg"))
    drawn = [path.read_text("utf-8") for path in plots if path.stem.startswith(("acc", "cur", "con", "cal"))]
    assert len(drawn) == 7 and all("(smoke test)" in svg for svg in drawn)


def test_a_copy_of_a_forgotten_image_is_counted_and_not_paired(reported_set: Any) -> None:
    """The row that it was a copy of is no longer in the catalog."""
    reported_set.rows = [row for row in reported_set.rows if row["record_id"] != f"folder-{2:016x}"]
    reported_set.write_catalog()
    assert "near-duplicate" in build_report(reported_set.project).read_text("utf-8")


def test_an_interrupted_benchmark_is_told(reported_set: Any) -> None:
    """Half a run: its curves stand, the page says how to go on."""
    reported_set.write_metrics()
    cnn = json.loads((reported_set.paths.benchmark / "metrics.json").read_text("utf-8"))["models"]["cnn"]
    half = [{"model": "mobilenet_v2", "seed": 0, "history": cnn["runs"][0]["history"]}]
    models = {"cnn": cnn}
    reported_set.write_metrics(interrupted=True, models=models, comparison=None, unfinished=half)
    text = build_report(reported_set.project).read_text("utf-8")
    assert "curator benchmark --resume --recipe drawn" in text
    assert "(not finished)" in text


def test_plots_are_saved_as_svg_and_png(reported_set: Any) -> None:
    """Every plot stands beside the page in both forms."""
    pytest.importorskip("seaborn")
    reported_set.write_metrics()
    build_report(reported_set.project)
    folder = reported_set.paths.benchmark / "plots"
    names = {"accuracy", "class-counts", "confounds"}
    names |= {f"{kind}-{model}" for kind in ("curves", "confusion", "calibration") for model in ("cnn", "mobilenet_v2")}
    assert {path.name for path in folder.iterdir()} == {f"{name}.{end}" for name in names for end in ("svg", "png")}


def test_without_matplotlib_the_page_stands_and_names_the_extra(
    reported_set: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables, pictures and text need no extra."""
    really_import = importlib.import_module

    def absent(name: str) -> Any:
        if name.startswith("curator.benchmark"):
            raise ModuleNotFoundError(name="matplotlib")
        return really_import(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    reported_set.write_metrics()
    page = build_report(reported_set.project)
    assert "imageset-curator[benchmark]" in page.read_text("utf-8")
    assert "results" in read(page).sections


def test_the_report_never_loads_keras(reported_set: Any) -> None:
    """Importing and building the report leaves TensorFlow and Keras alone."""
    code = "import sys, curator.report; print({'keras', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_picture_that_cannot_be_read_leaves_a_gap_and_no_error(reported_set: Any) -> None:
    """A file gone since the split does not stop the report."""
    row = reported_set.rows[0]
    reported_set.paths.image(row["sha256"], "png").unlink()
    assert "no picture" in build_report(reported_set.project).read_text("utf-8")


def test_the_page_has_the_plots_colours() -> None:
    """Each colour of the plots is a variable of the page with its light and its dark value; no two are equal."""
    light, dark = style_sheet("style.css").split("@media screen and (prefers-color-scheme: dark)")[:2]
    for name, colour in colours().items():
        if name != "paper":
            assert f"--{name}: {colour.light};" in light
            assert f"--{name}: {colour.dark};" in dark
    assert len({colour.light for colour in colours().values()}) == len(colours())


def test_an_svg_becomes_part_of_the_page() -> None:
    """Prologue and size go, names get the figure's own prefix, colours become variables."""
    drawn = '<path id="a" style="fill: #2a6fdb"/><use xlink:href="#a"/></svg>'
    svg = f'<?xml version="1.0"?>\n<svg height="10pt" viewBox="0 0 1 1" width="20pt">{drawn}'
    made = recolour(inlined(svg, "plot"))
    expected = '<path id="plot-a" style="fill: var(--model-cnn)"/><use xlink:href="#plot-a"/></svg>'
    assert made == f'<svg viewBox="0 0 1 1">{expected}'


def test_every_picture_is_linked_to_its_page_or_else_to_its_file(reported_set: Any) -> None:
    """A page of the web if the list named one; a stranger's `javascript:` is none."""
    page = build_report(reported_set.project)
    links = re.findall(r'<a href="([^"]+)"[^>]*><img [^>]*alt="[a-z]+: folder-([0-9a-f]+)"', page.read_text("utf-8"))
    found = {int(number, 16): address for address, number in links}
    assert found[1] == "https://example.org/1" and len(found) == 13
    assert found[8] == "../test/disc/folder-0000000000000008.png"


def test_licences_have_names_and_several_spellings_are_one(reported_set: Any) -> None:
    """Creative Commons by address and by code, one that is no address, and none."""
    stated = ["https://creativecommons.org/licenses/by/2.0/", "CC_BY_2_0", "all rights reserved", None]
    for number, row in enumerate(reported_set.rows):
        row["license"] = stated[number % 4]
    reported_set.write_manifest()
    text = build_report(reported_set.project).read_text("utf-8")
    (table,) = re.findall(r"<h3>Licences</h3>(.*?)</table>", text, re.DOTALL)
    assert re.findall(r'href="([^"]+)"', table) == ["https://creativecommons.org/licenses/by/2.0/"]
    cells = re.findall(r"<tr><th[^>]*>(?:<a[^>]*>)?([^<]+)(?:</a>)?</th><td>(\d+)</td>", table)
    assert dict(cells) == {"CC BY 2.0": "6", "all rights reserved": "3", "licence not stated": "3"}


@pytest.mark.parametrize("split", ["train", "val"])
def test_val_is_counted_where_it_has_images(reported_set: Any, split: str) -> None:
    """A data set without such images does not speak of them."""
    reported_set.rows[0]["split"] = split
    reported_set.write_manifest()
    text = build_report(reported_set.project).read_text("utf-8")
    assert ("<li>1 val</li>" in text) == ('<th scope="col">val</th>' in text) == (split == "val")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "http://[", None, ""])
def test_only_web_addresses_become_links(address: str | None) -> None:
    """Anything else is its text alone."""
    assert link(address, "<page>") == "&lt;page&gt;"


def test_markup_is_escaped_once() -> None:
    """Text is escaped, markup is not escaped again, attributes are quoted."""
    assert join("<", element("b", "&"), None, ["x", element("br")]) == "&lt;<b>&amp;</b>x<br>"
    assert element("a", "t", title='"<') == '<a title="&quot;&lt;">t</a>'
    assert prose("run `a < b` now") == "run <code>a &lt; b</code> now"


def test_thumbnails_are_small_and_upright(reported_set: Any) -> None:
    """A thumbnail is a JPEG inside the page; a file that is no image gives none."""
    row = reported_set.rows[0]
    address = data_uri(reported_set.paths.image(row["sha256"], "png"))
    assert address is not None
    assert address.startswith("data:image/jpeg;base64,/9j/")
    assert data_uri(reported_set.paths.manifest) is None
