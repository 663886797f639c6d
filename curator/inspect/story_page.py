"""The page of a story: the image beside each one that it was compared with, and one laid over the other; one file.

>>> [name for name in ("title", "images", "below", "matrix") if name in _pair.__doc__]
['title', 'images', 'below', 'matrix']
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from curator.inspect.compared import PIXELS, Found, describe
from curator.inspect.told_apart import explain
from curator.manifests.project import Project
from curator.observe.thumbnails import data_uri
from curator.report.laid_over import place_on
from curator.report.markup import Html, data_script, element, page
from curator.report.style import read_resource, style_sheet

if TYPE_CHECKING:
    from curator.inspect.story import Story

MOST = 24
"""Pairs of one story that are shown; the rest are counted."""
_SIDE_PX = 480


def story_page(stories: Sequence[Story], project: Project) -> str:
    """Write the page of the stories of one name."""
    shown = [_explained(story, project) for story in stories]
    rows = [row for story, pairs in zip(stories, shown, strict=True) if pairs for row in (story.facts, *pairs)]
    labels = list(dict.fromkeys(row["label"] for row in rows))
    pairs = [[_pair(story.facts, other, labels) for other in one] for story, one in zip(stories, shown, strict=True)]
    data = {"labels": labels, "stories": pairs, "pictures": _read_pictures(project, rows)}
    main = element(
        "main",
        [_tell(project.recipe.name, story, place) for place, story in enumerate(stories)],
        element("noscript", element("p", "The pictures need JavaScript.")),
        element("footer", "Made by curator."),
        class_="why",
    )
    title = ": ".join([project.recipe.name, *(_call(story.facts) for story in stories[:1])])
    style = style_sheet("style.css", "pairs.css", "why.css")
    return page(title, [main, data_script(data)], style, read_resource("pairs.js") + read_resource("why.js"))


def _explained(story: Story, project: Project) -> list[Found]:
    """Return the first pairs of a story, with why those were told apart for which nobody has looked yet."""
    first = story.compared[:MOST]
    n_same = sum(one["verdict"] != "two" for one in first)
    return [*first[:n_same], *explain(project, story.facts, first[n_same:])]


def _pair(this: Mapping[str, Any], other: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    """Gather what the script shows of a pair.

    Returns:
        ``title``; ``images``, this and the other one; and, if it is known, the ``matrix`` that lays one over the one
        ``below``: that of which less is in the other, since the edge of a part is seen on a whole.
    """
    images = [
        [row["drop_reason"] or "kept", labels.index(row["label"]), _size(row), row["record_id"], row["sha256"], None]
        for row in (this, other)
    ]
    below = 0 if other["overlap"] is None or other["overlap"][0] <= other["overlap"][1] else 1
    ends = {"sha256": this["sha256"], "transform": other["transform"]}
    said = describe(other)
    return {
        "title": said[0].upper() + said[1:],
        "images": images,
        "below": below,
        "matrix": place_on(ends, images[below][4]),
    }


def _call(facts: Mapping[str, Any]) -> str:
    """Return the name that a person knows: a local file's, or the end of an address.

    >>> _call({"local_path": None, "url": "http://a.example/b/na%20me.jpg?size=9", "record_id": "x-1"})
    'na me.jpg'
    >>> _call({"local_path": None, "url": "http://a.example/?id=5", "record_id": "x-1"})
    'x-1'
    """
    if facts["local_path"]:
        return str(facts["source_id"] or facts["local_path"])
    end = re.split("[?#]", facts["url"] or "", maxsplit=1)[0].rpartition("/")[2]
    return unquote(end) if "." in end else str(facts["record_id"])  # /image?id=5 names nothing


def _size(row: Mapping[str, Any]) -> str:
    return f"{row['width']} x {row['height']}" if row["width"] else "size unknown"


def _read_pictures(project: Project, rows: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    """Make a small picture of each content, as an address that holds it."""
    formats = {row["sha256"]: row["format"] for row in rows}

    def make(item: tuple[str, str]) -> str | None:
        return data_uri(project.paths.image(*item), project.recipe.quality.max_pixels, _SIDE_PX)

    with ThreadPoolExecutor() as threads:
        return dict(zip(formats, threads.map(make, formats.items()), strict=True))


def _tell(name: str, story: Story, place: int) -> list[Html | None]:
    """Write a story: its texts, then where the script puts its pairs."""
    record_id, _, state = story.lines[0].partition("  ")
    lines = [(line[2:10].strip(), line[11:]) for line in story.lines[1:] if not line.startswith(PIXELS)]
    more = len(story.compared) + story.facts.get("told_apart_left_out", 0) - MOST
    return [
        element(
            "header",
            element("p", name, class_="kicker"),
            element("h1", _call(story.facts)),
            element("p", state, " ", element("small", element("code", record_id)), class_="lead"),
        ),
        element("dl", [[element("dt", heading), element("dd", text)] for heading, text in lines], class_="files"),
        element("div", id=f"pairs{place}"),
        element("p", f"and {more:,} more", class_="note") if more > 0 else None,
    ]
