"""What the documentation site shows beyond docs/*.md: the README, two more pages, the notebooks, the decisions.

Links are written as they work in the repository; here they become links between pages of the site.

>>> linked("[code](docs/files.md), [tour](../docs/tour.ipynb), [how](CONTRIBUTING.md#style)", "")
'[code](files.md), [tour](tour-notebook.md), [how](contributing.md#style)'
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BESIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "SECURITY.md": "security.md",
}
"""Pages that lie beside docs/, and what they are called on the site."""
_ELSEWHERE = {**BESIDE, "LICENSE": "licence.md"}
_ROW, _CODE = re.compile(r"^\|.*$", re.MULTILINE), re.compile(r"`[^`]*`")
"""In the code of a table the site needs no escape before a bar, where code hosts do."""
_LINK = re.compile(r"(\]\(|(?:src|srcset|href)=\")(?!https?:|#|mailto:)([^)\"#\s]+)")


def on_config(config: Any) -> Any:
    """Put every decision into the navigation, by its title."""
    pages = [{title_of(page): f"decisions/{page.name}"} for page in decisions()]
    inside = next(part["Inside"] for part in config.nav if "Inside" in part)
    next(part["Decisions"] for part in inside if "Decisions" in part).extend(pages)
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are not Markdown below docs/."""
    from mkdocs.structure.files import File

    texts = {new: linked((ROOT / old).read_text("utf-8"), "") for old, new in BESIDE.items()}
    texts["licence.md"] = f"# Licence\n\n```text\n{(ROOT / 'LICENSE').read_text('utf-8')}```\n"
    texts["decisions/index.md"] = decisions_page()
    texts |= {f"{path.stem}-notebook.md": notebook_page(path) for path in sorted(DOCS.glob("*.ipynb"))}
    for name, text in texts.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn the links of a page, and pictures that differ between light and dark, into those of the site."""
    text = both_schemes(linked(markdown, "../" * page.file.src_uri.count("/")))
    return _ROW.sub(lambda row: _CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), text)


def linked(text: str, up: str) -> str:
    """Return the text with its links as they are on the site.

    Args:
        up: the way from the page to the top of the site, such as ``../``.
    """

    def link(found: re.Match[str]) -> str:
        target = re.sub(r"^(\.\./)*docs/", up, found[2])
        name = target.rpartition("/")[2]
        if name in _ELSEWHERE and not target.startswith("decisions/"):
            target = up + _ELSEWHERE[name]
        target = re.sub(r"decisions/$", "decisions/index.md", target)
        return found[1] + target.replace(".ipynb", "-notebook.md")

    return _LINK.sub(link, text)


_PICTURE = re.compile(
    r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">'
    r'\s*<img ([^>]*)src="([^"]+)"([^>]*)>\s*</picture>'
)


def both_schemes(text: str) -> str:
    """Write ``<picture>`` with a source for dark as the theme wants it: two images, one of which is shown."""
    return _PICTURE.sub(r'<img class="only-light" \2src="\3"\4><img class="only-dark" \2src="\1"\4>', text)


def decisions() -> list[Path]:
    """Return the decisions in order."""
    return sorted(path for path in (DOCS / "decisions").glob("[0-9]*.md"))


def title_of(page: Path) -> str:
    """Return a page's heading without its number."""
    return re.sub(r"^# (0*\d+[.:] )?", "", page.read_text("utf-8").split("\n")[0])


def decisions_page() -> str:
    """List the decisions."""
    rows = [f"- [{int(page.name[:4])}. {title_of(page)}]({page.name})" for page in decisions()]
    return "# Decisions\n\nWhy it is built as it is: one page for each choice that is hard to undo.\n\n" + "\n".join(
        rows
    )


# ---- notebooks


def notebook_page(path: Path) -> str:
    """Turn a notebook, with the outputs that it holds, into a page."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n\n".join(cell_text(cell) for cell in cells)


def cell_text(cell: dict[str, Any]) -> str:
    """Turn one cell into Markdown."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return linked(source, "")
    return "\n\n".join([f"```python\n{source}\n```", *filter(None, map(output_text, cell.get("outputs", [])))])


def output_text(output: dict[str, Any]) -> str:
    """Turn what a cell left into Markdown: a picture, HTML, or text."""
    data = {kind: "".join(text) for kind, text in output.get("data", {}).items()}
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            return f'<img class="output" alt="" src="data:{kind};base64,{data[kind].strip()}">'
    if "text/html" in data:
        return f'<div class="output">{data["text/html"]}</div>'
    text = data.get("text/plain") or "".join(output.get("text", ""))
    return f"```{{ .text .output }}\n{text.rstrip()}\n```" if text.strip() else ""
