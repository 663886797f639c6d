"""Photos that searches of Flickr find, under allowed licences; the key goes to the API and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlsplit

import pytest

from curator.errors import RecipeError, SourceError
from curator.manifests.read_recipe import parse_recipe
from curator.sources.flickr import search_pages
from curator.sources.flickr.flickr_source import Flickr
from curator.sources.reading import json_api, resume
from curator.sources.registry import source_kinds
from tests.small_webs import PictureHandler, serving
from tests.sources.killed import list_killed

SECRET = "0123456789abcdef"
URLS = ["", "by-nc-sa/2.0", "by-nc/2.0", "by-nc-nd/2.0", "by/2.0", "by-sa/2.0", "by-nd/2.0"]
LICENCES = [
    {"id": n, "name": "", "url": url and f"https://creativecommons.org/licenses/{url}/"} for n, url in enumerate(URLS)
]


@dataclass
class SmallFlickr:
    """How many photos each search finds, and what was asked; ``answers`` come before others, ``always`` instead."""

    found: dict[str, int] = field(default_factory=dict)
    answers: list[object] = field(default_factory=list)
    always: object = None
    asked: list[dict[str, str]] = field(default_factory=list)

    def reply(self, asked: dict[str, str]) -> object:
        self.asked.append(asked)
        if asked.get("api_key") != SECRET:
            return {"stat": "fail", "code": 100, "message": f"Invalid API Key ({asked.get('api_key')})"}
        if self.answers:
            return self.answers.pop(0)
        if asked["method"] == "flickr.photos.licenses.getInfo":
            return {"licenses": {"license": LICENCES}, "stat": "ok"}
        if self.always is not None:
            return self.always
        assert (asked["format"], asked["nojsoncallback"], asked["per_page"]) == ("json", "1", "500")
        allowed, n = asked["license"].split(","), self.found.get(asked["text"], 0)
        first = 500 * (int(asked["page"]) - 1)
        photos = []
        for number in range(first, min(first + 500, n)):
            size, licence = "url_l" if number % 2 else "url_z", allowed[number % len(allowed)]
            who = {"owner": f"{number % 7}@N00", "ownername": f"Ann {number % 7}", "title": f"Ruck {number}"}
            photos.append({"id": str(number), **who, "license": licence, size: f"https://live.example/{number}.jpg"})
        return {"photos": {"page": first // 500 + 1, "pages": -(-n // 500), "total": n, "photo": photos}, "stat": "ok"}


@pytest.fixture
def flickr(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallFlickr]:
    """A small Flickr, and a key for it; what is waited takes no time."""
    site = SmallFlickr({"rugby match": 1_100, "soccer": 3})

    class Handler(PictureHandler):
        def do_GET(self) -> None:  # noqa: N802 -- http.server's name
            asked = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            answer = site.reply(asked)
            self.send_body(200, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    monkeypatch.setenv("FLICKR_API_KEY", SECRET)
    monkeypatch.setattr(resume, "BACKOFF_S", 0.0)
    with serving(Handler) as port:
        monkeypatch.setattr(search_pages, "API", f"http://127.0.0.1:{port}/services/rest/")
        yield site


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(json_api, "sleep", waited.append)
    return waited


SOURCE = Flickr(search={"rugby": ("rugby match",), "soccer": ("soccer",)})


def test_searches_are_listed_page_by_page_under_allowed_licences(flickr, context, waits, tmp_path, told):
    """Licence, author and page of each; a second between two requests; cut, it goes on; the key is written nowhere."""
    flickr.answers = [{"stat": "fail", "code": code, "message": "not available"} for code in (105, "201")]
    listed = SOURCE.list_images(0, ("rugby", "soccer"), context)
    assert listed["label"].value_counts().to_dict() == {"rugby": 1_100, "soccer": 3}
    assert set(listed["license"]) == {f"https://creativecommons.org/licenses/{one}/2.0/" for one in ("by", "by-sa")}
    for name in ("license", "author", "author_url", "landing_url", "url", "title", "source_id"):
        assert listed[name].notna().all(), name
    assert {one["license"] for one in flickr.asked if "license" in one} == {"4,5"}
    assert waits.count(search_pages.PAUSE_S) == len(flickr.asked) - 1
    n_asked = len(flickr.asked)
    assert (
        len(SOURCE.list_images(0, ("rugby",), replace(context, fresh=set()))) == 1_100 and len(flickr.asked) == n_asked
    )
    flickr.found["ruck"] = 900
    source, flickr.answers = Flickr(search={"rugby": ("ruck",)}), []
    page_1 = flickr.reply({**flickr.asked[-1], "text": "ruck", "page": "1"})
    flickr.answers = [page_1, {"stat": "fail", "code": 999, "message": f"Odd key {SECRET}"}]
    with pytest.raises(SourceError, match=r"answered the search ruck with an error \(Odd key \*\*\*\)"):
        source.list_images(0, ("rugby",), context)
    flickr.asked.clear()
    assert len(source.list_images(0, ("rugby",), replace(context, fresh=set()))) == 900
    assert [one["page"] for one in flickr.asked] == ["2"]
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert written and not any(SECRET.encode() in data for data in written) and SECRET not in told()


BAD = {
    "no key": ("", None, "answers only with a key, and FLICKR_API_KEY is not set. Make one"),
    "refused": ("wrong", None, "refuses the key in FLICKR_API_KEY. Make one"),
    "a page": (SECRET, b"<html>Sorry", "answered with a web page"),
    "busy": (SECRET, {"stat": "fail", "code": 10}, "its search is not available., 11 times in a row"),
    "empty for ever": (
        SECRET,
        {"stat": "ok", "photos": {"pages": 10**9, "photo": []}},
        "No search finds a photo under CC0",
    ),
    "a list": (SECRET, [1], "no object of JSON"),
}


def test_a_listing_that_is_killed_requests_no_page_again(flickr, context, waits, tmp_path):
    """Of three pages of a search those that came are kept."""
    expected = SOURCE.list_images(0, context.labels, replace(context, cache_dir=tmp_path / "elsewhere"))
    n_all = len(flickr.asked)
    list_killed(flickr, "asked", n_all, lambda: SOURCE.list_images(0, context.labels, replace(context, fresh=set())))
    rows = SOURCE.list_images(0, context.labels, replace(context, fresh=set()))
    assert rows["record_id"].tolist() == expected["record_id"].tolist() and len(rows) == 1_103
    assert len(flickr.asked) < n_all - 1


@pytest.mark.parametrize("what", BAD)
def test_a_search_that_fails_is_one_paragraph(flickr, context, waits, monkeypatch, what):
    """It names the host and the way out, and never the key."""
    key, always, message = BAD[what]
    monkeypatch.setenv("FLICKR_API_KEY", key)
    flickr.always = always
    with pytest.raises(SourceError, match=message) as error:
        SOURCE.list_images(0, ("soccer",), context)
    assert error.value.hint and "wrong" not in str(error.value) and SECRET not in str(error.value)
    assert len(flickr.asked) < 30


def test_mistakes_of_a_recipe_are_reported():
    """An unknown label, a licence that is none, none at all."""
    text = 'name = "a"\nlabels = ["rugby", "soccer"]\n[[sources]]\nkind = "flickr"\n'
    good = 'search = { rugby = ["a"], soccer = ["b"] }\n'
    for keys, message in {
        'search = { rugbi = ["a"] }': "names 'rugbi', which is not in labels, did you mean rugby",
        f'{good}licences = ["CC-BYSA"]': "licences must be one of 'CC0'|did you mean CC-BY-SA",
        f"{good}licences = []": "licences must name at least one licence",
    }.items():
        with pytest.raises(RecipeError, match=message):
            parse_recipe(text + keys, source_kinds())
