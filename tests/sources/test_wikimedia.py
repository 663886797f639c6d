"""Files of Wikimedia Commons are listed as its API and its etiquette want it, each with a licence and an author."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from curator.catalog import kept
from curator.errors import RecipeError, SourceError
from curator.manifests.read_recipe import parse_recipe
from curator.manifests.settings import FetchSettings
from curator.pipeline import run_stages as pipeline
from curator.pipeline.acquire import AcquireOptions, plan_listing
from curator.sources.reading import json_api, resume
from curator.sources.registry import host_limits, source_kinds
from curator.sources.wikimedia import file_lists
from curator.sources.wikimedia.file_rows import file_row
from curator.sources.wikimedia.wikimedia_source import Wikimedia
from tests.small_webs import serving
from tests.small_worlds import recipe_text, small_project, write_folder
from tests.sources.killed import list_killed
from tests.sources.small_commons import Commons, handler_of

TREE = {
    "Rugby union": (("Scrums", "Rugby union logos", "Rucks"), 120),
    "Scrums": (("Rugby union", "Deep"), 7),  # a circle
    "Rucks": ((), 3),
    "Rugby union logos": ((), 9),
    "Deep": ((), 5),
    "Soccer": ((), 60),
}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is waited between two requests; it takes no time."""
    waited: list[float] = []
    monkeypatch.setattr(json_api, "sleep", waited.append)
    monkeypatch.setattr(resume, "BACKOFF_S", 0.0)
    return waited


@pytest.fixture
def commons(waits: list[float]) -> Iterator[Commons]:
    """A site with two trees of categories."""
    site = Commons(dict(TREE), {"scrum photo": 30})
    with serving(handler_of(site)) as port:
        site.url = f"http://127.0.0.1:{port}"
        yield site
    assert not site.faults  # whatever a test does, the etiquette is kept


def source_of(commons: Commons, **keys) -> Wikimedia:
    given = {"categories": {"rugby": ("Category:rugby_union",), "soccer": ("Soccer",)}, **keys}
    return Wikimedia(**given, api=f"{commons.url}/w/api.php")


def test_each_depth_is_a_tier_and_each_row_has_a_licence_and_an_author(commons, context, told):
    """Every file of each depth once, in circles too; no drawing, none without a licence, none of `except`."""
    commons.odd = [
        {**commons.page("Drawing", 0, mime="image/svg+xml"), "title": "File:Logo.svg"},
        commons.page("Unknown", 0, extmetadata={"Artist": {"value": "Ann"}}),
        {"pageid": 5, "ns": 6, "title": "File:Broken.jpg"},
    ]
    source = source_of(commons, search={"rugby": ("scrum photo",)}, depth=2, except_=("*LOGOS",))
    tiers = [source.list_images(tier, ("rugby", "soccer"), context) for tier in range(source.n_tiers)]
    assert [rows["label"].value_counts().to_dict() for rows in tiers] == [
        {"rugby": 150, "soccer": 60},
        {"rugby": 10},
        {"rugby": 5},
    ]
    assert len(commons.peers) == 3  # one connection for each depth
    rows = tiers[0]
    for name in ("license", "author", "landing_url", "url", "fallback_url", "title", "source_id", "source_class"):
        assert rows[name].notna().all() and not rows[name].str.contains("[<>]|&[a-z#]", regex=True).any(), name
    assert set(rows["author"]) == {"Ann & Bo", "Café Müller", "Uploader"}
    assert set(rows["author_url"].dropna()) == {"https://commons.wikimedia.org/wiki/User:Ann"}
    assert set(rows["license"]) == {
        "https://creativecommons.org/licenses/by-sa/4.0",
        "https://creativecommons.org/licenses/by/2.0/de/deed.en",
        "Public domain",
    }
    assert rows["url"].str.endswith("?width=960").all() and not rows["fallback_url"].str.contains("width").any()
    assert all(len(json.loads(extra)["sha1"]) == 40 for extra in rows["extra"])
    assert set(rows["source_class"]) == {"Category:Rugby union", "Category:Soccer", "search scrum photo"}
    for reason in ("of another kind than pictures", "without a licence", "without an address"):
        assert reason in told(), reason
    assert not any("logos" in one.get("gcmtitle", "") for one in commons.asked)
    n_asked = len(commons.asked)
    again = [source.list_images(tier, ("rugby", "soccer"), context) for tier in range(source.n_tiers)]
    assert len(commons.asked) == n_asked and [list(rows["record_id"]) for rows in again] == [
        list(rows["record_id"]) for rows in tiers
    ]
    assert all(read.cached for tier in range(3) for read in source.plan(tier, context))


def test_only_what_a_decoder_reads_is_a_picture():
    """JPEG, PNG, WebP, GIF, TIFF; no drawing, document, sound, film or scan of a book."""
    kinds = {
        "image/jpeg image/png image/webp image/gif image/tiff": True,
        "image/svg+xml application/pdf application/ogg audio/ogg video/webm image/vnd.djvu image/x-xcf": False,
    }
    for names, is_picture in kinds.items():
        for mime in names.split():
            row = file_row(Commons(url="http://h.example").page("Rugby", 0, mime=mime))
            assert (row["left_out"] is None) is is_picture, mime


def test_a_listing_that_breaks_off_goes_on_where_it_was(commons, context, monkeypatch):
    """What was requested before is not requested again; nothing is lost or doubled."""
    monkeypatch.setattr(file_lists, "ANSWERS_A_PART", 3)
    commons.tree, commons.halves = {"Soccer": ((), 1_000)}, False
    source = source_of(commons, categories={"soccer": ("Soccer",)})
    commons.always = lambda asked: (500, {}, b"") if len(commons.asked) > 8 else None
    with pytest.raises(SourceError, match="answered 500 Internal Server Error, 3 times in a row"):
        source.list_images(0, ("soccer",), context)
    before = {json.dumps(one) for one in commons.asked[:8]}
    commons.always = lambda asked: None
    n_asked = len(commons.asked)
    rows = source.list_images(0, ("soccer",), replace(context, fresh=set()))
    assert len(rows) == 1_000 and rows["source_id"].is_unique
    assert not before & {json.dumps(one) for one in commons.asked[n_asked:]}


def test_a_listing_that_is_killed_goes_on_where_it_was(commons, context, monkeypatch, tmp_path):
    """All but the answers of the last part is kept; the rows are those of a listing that nobody killed."""
    monkeypatch.setattr(file_lists, "ANSWERS_A_PART", 3)
    commons.tree, commons.halves = {"Soccer": ((), 1_000)}, False
    source = source_of(commons, categories={"soccer": ("Soccer",)})
    expected = source.list_images(0, ("soccer",), replace(context, cache_dir=tmp_path / "elsewhere"))
    n_all = len(commons.asked)
    before = list_killed(commons, "asked", 9, lambda: source.list_images(0, ("soccer",), context))
    rows = source.list_images(0, ("soccer",), replace(context, fresh=set()))
    assert rows["record_id"].tolist() == expected["record_id"].tolist() and len(rows) == 1_000
    assert n_all < len(before) + len(commons.asked) <= n_all + 3 and len(before) == 8


def test_a_busy_server_is_left_alone_as_long_as_it_wants(commons, context, waits, told):
    """Maxlag, a rate limit and a 503, each with Retry-After; then the listing goes on."""
    lagged = {"error": {"code": "maxlag", "info": "Waiting for 10.0.0.1: 7.5 seconds lagged.", "lag": 7.5}}
    limited = {"error": {"code": "ratelimited", "info": "You've exceeded your rate limit."}}
    commons.replies = [
        (200, {"Retry-After": "5", "X-Database-Lag": "7"}, json.dumps(lagged).encode()),
        (200, {}, json.dumps(limited).encode()),
        (503, {"Retry-After": "12"}, b"<html>"),
        (429, {"Retry-After": "3"}, b""),
    ]
    assert len(source_of(commons).list_images(0, ("soccer",), context)) == 60
    assert waits == [5, 0, 12, 3]
    assert "Waiting for 10.0.0.1: 7.5 seconds lagged): waiting 5 seconds" in told()


def refusing(commons: Commons, status: int = 200, body: bytes | dict = b"", **headers: str) -> None:
    text = json.dumps(body).encode() if isinstance(body, dict) else body
    commons.always = lambda asked: (status, {key.replace("_", "-"): value for key, value in headers.items()}, text)


WRONG = {
    "an error": ({"body": {"error": {"code": "badvalue", "info": "Unrecognised."}}}, "badvalue: Unrecognised"),
    "a page": ({"body": b"<!doctype html><p>Sorry"}, "answered with a web page"),
    "no JSON": ({"body": b"{]"}, "what is no JSON"),
    "a list": ({"body": b"[1]"}, "no object of JSON"),
    "a text": ({"body": {"query": {"pages": "none"}, "continue": "more"}}, "No file is in Category:Soccer"),
    "403": ({"status": 403, "body": b"Please respect our robot policy."}, "403 Forbidden .Please respect our robot"),
    "for ever": ({"body": {"batchcomplete": True, "continue": {"gcmcontinue": "file|1"}}}, "no further page"),
    "half": ({"body": {"continue": {"iicontinue": "1"}}}, "does not come to the end"),
    "too long": ({"status": 429, "Retry_After": "86400"}, "left alone for 86,400 seconds"),
    "always busy": ({"body": {"error": {"code": "maxlag", "info": "x"}}}, r"maxlag: x\), 11 times in a row"),
    "empty": ({"body": {"batchcomplete": True}}, "No file is in Category:Soccer. Look at their names on 127"),
}


@pytest.mark.parametrize("what", ["the same two", "categories alone"])
def test_pages_that_come_for_ever_end_the_list(commons, context, monkeypatch, what):
    """Two pages in turn, and new ones without a file: one sentence, and nothing that leads in a circle is kept."""
    monkeypatch.setattr(file_lists, "ANSWERS_A_PART", 1)
    monkeypatch.setattr(file_lists, "MOST_EMPTY", 5)

    def answer(asked: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        n = int(asked.get("gcmcontinue", "0"))
        category = {"ns": 14, "title": f"Category:{n}", "pageid": n}
        page = commons.page("Soccer", n) if what == "the same two" else category
        rest = {"gcmcontinue": str(3 - n if n else 1) if what == "the same two" else str(n + 1)}
        return 200, {}, json.dumps({"batchcomplete": True, "query": {"pages": [page]}, "continue": rest}).encode()

    commons.always = answer
    for _ in range(2):
        with pytest.raises(SourceError, match=r"sends no further page of Category:Soccer, for ever\. Run the command"):
            source_of(commons).list_images(0, ("soccer",), context)
    assert len(commons.asked) < 12
    commons.always = lambda asked: None
    if what == "the same two":
        assert len(source_of(commons).list_images(0, ("soccer",), context)) > 50


@pytest.mark.parametrize("what", WRONG)
def test_an_answer_that_is_none_is_one_paragraph(commons, context, what):
    """It says which list, what the server said, and what to do."""
    how, message = WRONG[what]
    refusing(commons, **how)
    with pytest.raises(SourceError, match=message) as error:
        source_of(commons).list_images(0, ("soccer",), context)
    assert "127.0.0.1" in str(error.value) and error.value.hint
    assert len(commons.asked) <= 110


def test_who_names_nobody_to_write_to_is_told_so_and_nothing_is_requested(commons, context):
    """The policy of Wikimedia; a category that does not exist is a warning beside others that do."""
    with pytest.raises(SourceError, match=r"how to be reached. Write `contact"):
        source_of(commons).list_images(0, ("rugby",), replace(context, fetch=FetchSettings(allow_private_hosts=True)))
    assert not commons.asked


def test_the_other_sources_go_on_and_images_come_at_two_requests_at_once(commons, tmp_path, told, events):
    """A recipe with a folder beside it: a plan counts, a fetch brings; tier by tier, only while a label is short."""
    commons.tree = {"Rugby": (("Never needed",), 4), "Scrums": (("Rucks",), 1), "Rucks": ((), 2)}
    more = f"""
    [[sources]]
    kind = "wikimedia"
    categories = {{ rugby = ["Rugby"], soccer = ["Scrums", "Not there"] }}
    depth = 5
    api = "{commons.url}/w/api.php"
    [fetch]
    allow_private_hosts = true
    target = 6
    contact = "me@example.org"
    """
    project = replace(
        small_project(tmp_path, recipe_text(write_folder(tmp_path / "own", 3), "max", more=more)), emit=events.append
    )
    planned = plan_listing(project, AcquireOptions()).table
    assert planned.groupby(["source", "label"]).size()["wikimedia"].to_dict() == {"rugby": 4, "soccer": 3}
    assert "Not there has no file" in told() and not any("Never" in str(one) for one in commons.asked)
    table = kept(pipeline.fetch(project).table)
    assert (table["source"] == "wikimedia").sum() >= 6
    assert (
        host_limits([Wikimedia()], 8) == {"upload.wikimedia.org": 2} and host_limits([Wikimedia()], 1).popitem()[1] == 1
    )

    refusing(commons, 403, b"no")
    project = replace(project, recipe=replace(project.recipe, sources=(project.recipe.sources[0], source_of(commons))))
    assert set(plan_listing(project, AcquireOptions()).table["source"]) == {"folder"}
    assert "The source wikimedia could not be listed" in told()


def test_mistakes_of_a_recipe_are_reported():
    """No list, an unknown label, a width that the site does not keep, no address; `except` is a key."""
    text = 'name = "a"\nlabels = ["rugby", "soccer"]\n[[sources]]\nkind = "wikimedia"\n'
    for keys, message in {
        "": "categories or search is missing",
        'categories = { rugbi = ["x"] }': "names 'rugbi', which is not in labels, did you mean rugby",
        'search = { rugby = ["x"], soccer = ["y"] }\nwidth = 800': "width must be one of 120, 250, 330, 500",
        'search = { rugby = ["x"], soccer = ["y"] }\napi = "commons"': "api must be an http or https address",
    }.items():
        with pytest.raises(RecipeError, match=message):
            parse_recipe(text + keys, source_kinds())
    keys = 'search = { rugby = ["x"], soccer = ["y"] }\nexcept = ["Logos"]'
    assert parse_recipe(text + keys, source_kinds()).sources[0].except_ == ("Logos",)


def test_a_category_that_has_only_categories_is_a_beginning(commons, context):
    """Its files are those of the depths below it; without them, it is a mistake."""
    commons.tree["Balls"] = (("Scrums",), 0)
    given = {"categories": {"rugby": ("Balls",)}, "depth": 1}
    source = source_of(commons, **given)
    tiers = [source.list_images(tier, ("rugby",), context) for tier in range(source.n_tiers)]
    assert [len(rows) for rows in tiers] == [0, 7]
    with pytest.raises(SourceError, match=r"No file is in Category:Balls\."):
        source_of(commons, **given | {"depth": 0}).list_images(0, ("rugby",), context)


def test_most_ends_the_reading_of_a_category_also_on_the_way_to_those_below(commons, context, monkeypatch):
    """The subcategories that were seen until then are gone on with, and the plan says that nothing is to be read."""
    monkeypatch.setattr(file_lists, "ANSWERS_A_PART", 1)
    commons.tree["Rugby union"] = (("Scrums",), 5000)
    source = source_of(commons, categories={"rugby": ("Rugby union",)}, depth=1, most=100)
    assert [len(source.list_images(tier, ("rugby",), context)) > 0 for tier in (0, 1)] == [True, True]
    assert len(commons.asked) < 20
    assert all(read.cached for tier in (0, 1) for read in source.plan(tier, context))
