"""The page of an audit: what was found, in the order of what it does to a result, each with pictures to judge it by.

>>> [make.__name__ for make in SECTIONS][:3]
['findings_section', 'cost_section', 'leaks_section']
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from curator.inspect.audit.observed import MAX_PIXELS
from curator.inspect.audit.page_pairs import conflicts_section, copies_section, leaks_section, shown_rows
from curator.inspect.audit.page_parts import Pictures
from curator.inspect.audit.page_tables import (
    about_section,
    confounds_section,
    cost_section,
    findings_section,
    groups_section,
    labels_section,
    suspects_section,
    unreadable_section,
)
from curator.inspect.audit.result import Audit
from curator.observe.thumbnails import data_uri
from curator.report.markup import Section, contents, element, page
from curator.report.style import style_sheet
from curator.store.whole_files import write_text_whole
from curator.text import plural

Make = Callable[[Audit, Pictures], Section | None]

SECTIONS: tuple[Make, ...] = (
    findings_section,
    cost_section,
    leaks_section,
    conflicts_section,
    suspects_section,
    confounds_section,
    groups_section,
    copies_section,
    unreadable_section,
    labels_section,
    about_section,
)
"""The sections in the page's order; each returns what it can say, or None."""


def write_page(found: Audit) -> Path:
    """Write the page that ``found`` names: one file that needs no other; return its path.

    Raises:
        DiskError: the disk refuses.
    """
    pictures = _read_pictures(found)
    made = [one for make in SECTIONS if (one := make(found, pictures)) is not None]
    sides = found.published.table["listed_split"].value_counts()
    sizes = [plural(len(found.published.table), "image"), plural(len(found.published.labels), "label")]
    sizes += [f"{sides[side]:,} {side}" for side in found.published.sides]
    names = " and ".join(Path(place).name or place for place in found.places)
    header = element(
        "header",
        element("p", "Audit of a published set", class_="kicker"),
        element("h1", element("bdi", names)),
        element("p", found.published.kind, class_="lead"),
        element("ul", [element("li", size) for size in sizes], class_="sizes"),
    )
    main = element("main", [one.html for one in made], element("footer", "Made by curator."))
    body = [element("div", header, contents(made), main, class_="layout")]
    write_text_whole(found.page, page(f"Audit of {names}", body, style_sheet("style.css")))
    return found.page


def _read_pictures(found: Audit) -> Pictures:
    """Make small pictures of all rows that sections show, each once."""
    rows = shown_rows(found)
    paths = found.table["local_path"].tolist()
    with ThreadPoolExecutor() as threads:
        made = threads.map(lambda row: data_uri(Path(paths[row]), MAX_PIXELS), rows)
        return dict(zip(rows, made, strict=True))
