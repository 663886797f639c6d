r"""What the commands that share a data set do: export it.

>>> opening(Path("data/balls/exports/keras"), "import keras")
'To open it, in data/balls/exports/keras:\n\n    import keras\n'
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from curator.export import export_dataset, find_format
from curator.render import tables
from curator.session import Session


def export(session: Session, name: str) -> None:
    """Write one format and say how to open it."""
    form = find_format(name)
    folder, n_images = export_dataset(session.project, form)
    if session.as_json:
        tables.print_json({"format": form.name, "path": str(folder), "images": n_images})
        return
    tables.print_note(f"{tables.plural(n_images, 'image')}: {folder}")
    tables.print_text(opening(folder, form.snippet))


def opening(folder: Path, snippet: str) -> str:
    """Say how an export is opened."""
    return f"To open it, in {folder}:\n\n{textwrap.indent(snippet, '    ')}\n"
