"""What ``curator review`` does: check that the page's packages are there, serve it, say what comes next.

>>> len(MODULES)
2
"""

from __future__ import annotations

import getpass
import importlib
import importlib.util
import sys
from typing import Any

from curator.cli import tables
from curator.cli.session import Session
from curator.errors import CuratorError
from curator.text import Command, spell

MODULES = ("starlette", "uvicorn")
"""What the extra ``review`` installs."""


def review(session: Session, who: str | None, port: int) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        CuratorError: the extra ``review`` is not installed.
        StateError: nothing was fetched yet, or the reviews file is damaged.
    """
    project = session.project

    def announce(address: str, n_images: int) -> None:
        if session.as_json:
            tables.print_json({"address": address, "images": n_images, "reviews": str(project.paths.reviews)})
            sys.stdout.flush()
        else:
            tables.print_text(f"{tables.plural(n_images, 'image')} to review at {address}\nCtrl-C ends it.\n")

    n_decisions = _server().serve_review(project, who or getpass.getuser(), port, announce)
    if not session.as_json:
        said = f"{tables.plural(n_decisions, 'decision')} in {project.paths.reviews}. Run "
        tables.print_note(spell((said, Command("split"), " to honour them."), session.option))


def _server() -> Any:
    missing = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if missing:
        hint = "Install them with `pip install 'imageset-curator[review]'`."
        raise CuratorError(f"The review page needs {' and '.join(missing)}.", hint)
    return importlib.import_module("curator.review.server")
