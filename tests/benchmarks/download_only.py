"""Download a list of addresses with curator's engine alone: ``python download_only.py LIST FOLDER CONNECTIONS``.

Requests, politeness, ledger and store are those of ``curator fetch``, but nothing looks at the images: the bytes are
hashed with SHA-256 and stored where they arrive, in the one process that there is.
"""

from __future__ import annotations

import hashlib
import selectors
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT)]

from curator.fetch.committer import Committer  # noqa: E402
from curator.fetch.engine import Engine  # noqa: E402
from curator.fetch.ledger.ledger import Ledger  # noqa: E402
from curator.fetch.ledger.schema import Remembered  # noqa: E402
from curator.fetch.plan import FetchOptions, make_plan  # noqa: E402
from curator.fetch.row_addresses import parse_rows  # noqa: E402
from curator.manifests.project import Project  # noqa: E402
from curator.manifests.recipe import Recipe  # noqa: E402
from curator.manifests.settings import FetchSettings  # noqa: E402
from curator.observe.observation import Observation, Sighting  # noqa: E402
from curator.observe.workers.pool import ObservedFile  # noqa: E402
from curator.sources.base import listed_rows  # noqa: E402
from curator.store.image_files import Unnamed, write_temporary  # noqa: E402
from curator.store.paths import DataPaths  # noqa: E402


class Hasher:
    """Takes the place of the observing processes: knows of a file its hash and its length."""

    n_jobs = n_bytes = 0
    have_plenty = False

    def __init__(self, paths: DataPaths, on_done: Callable[[ObservedFile], None]) -> None:
        self._paths, self._on_done = paths, on_done

    def start(self) -> None:
        """There is no process to start."""

    def submit(self, job: int, source: Sequence[bytes] | Path) -> None:
        """Hash and store one file at once."""
        data = source.read_bytes() if isinstance(source, Path) else b"".join(source)
        sha256 = hashlib.sha256(data).hexdigest()
        temporary = write_temporary(self._paths, data, sha256, "jpeg")
        file = Unnamed.of(temporary) if temporary else None
        self._on_done(ObservedFile(job, Sighting(Observation(sha256, len(data), format="jpeg")), file))

    def check(self) -> None:
        """There is nothing that could be stuck."""


def download(urls: list[str], folder: Path, connections: int) -> None:
    """Download every address into a store in ``folder``."""
    paths = DataPaths(folder, folder, "bench")
    numbers = [str(number) for number in range(len(urls))]
    table = listed_rows("url-list", "web", 0, {"label": ["photo"] * len(urls), "key": numbers, "url": urls})
    fetch = FetchSettings(connections=connections, per_host=connections, retries=0, allow_private_hosts=True)
    project = Project(Recipe("bench", ("photo",), (), fetch), paths)
    with Ledger(paths.attempts) as ledger, selectors.DefaultSelector() as selector:
        plan = make_plan(table, parse_rows(table), ledger, project, FetchOptions())
        with Committer(ledger, paths, project.recipe.quality.max_pixels) as committer:
            engine = Engine(plan, project, committer, selector, frozenset(), Remembered({}, ()))
            engine.run(Hasher(paths, engine.note_observed), lambda: False)


if __name__ == "__main__":
    download(Path(sys.argv[1]).read_text(encoding="utf-8").split(), Path(sys.argv[2]), int(sys.argv[3]))
