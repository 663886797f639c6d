"""Where the fragments of a fetch lie while many work on them: their rows, what is known of them, and their commits.

A fragment's commit is its sealed ledger, put in place by a link, which succeeds for the first only: whoever worked on
the same fragment, because it seemed dead, comes too late and throws its own away. Of a commit that was added to the
ledger an empty file stays until the run is over, so that this holds then, too. A folder holds the fragments of one
run; the next run renames it before it reads it, so that nobody who is still at work for that one can commit any more.

>>> import tempfile
>>> paths = DataPaths(Path(tempfile.mkdtemp()), Path(), "balls")
>>> folder = FragmentFolder.make(paths)
>>> with Ledger(folder.path / "local.sqlite"):
...     pass
>>> folder.publish(folder.path / "local.sqlite", 7), folder.publish(folder.path / "local.sqlite", 7)
(True, False)
>>> folder.commits()
[7]
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from curator import catalog
from curator.fetch.ledger.carry import absorb, copy_known, seal
from curator.fetch.ledger.ledger import Ledger as Ledger
from curator.store.paths import DataPaths
from curator.store.syncing import sync_file
from curator.store.whole_files import disk_errors, temporary_beside

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("record_id", "url", "fallback_url", "local_path", "landing_url")
"""The columns of a catalog that a fetch reads."""

_COMMIT = re.compile(r"(\d+)\.commit\.sqlite")


@dataclass(frozen=True)
class FragmentFolder:
    """The folder of one run's fragments."""

    path: Path

    @classmethod
    def make(cls, paths: DataPaths) -> FragmentFolder:
        """Make one for a new run.

        Raises:
            DiskError: the disk refuses.
        """
        path = paths.fragments / secrets.token_hex(8)
        with disk_errors(path):
            path.mkdir(parents=True)
        return cls(path)

    def put(self, number: int, rows: pd.DataFrame, ledger: Path, known: Sequence[str]) -> None:
        """Write the rows of a fragment, and what the ledger knows of the addresses ``known``.

        Raises:
            DiskError: the disk refuses.
        """
        with disk_errors(self.table(number)):
            pq.write_table(
                pa.Table.from_pandas(rows, catalog.schema_of(COLUMNS), preserve_index=False), self.table(number)
            )
        if known:
            copy_known(ledger, known, self.known(number))
            seal(self.known(number))

    def read(self, number: int) -> pd.DataFrame:
        """Read the rows of a fragment, all other columns null.

        Raises:
            OSError: they are not there.
        """
        return catalog.conform(catalog.from_arrow(pq.read_table(self.table(number))))

    def table(self, number: int) -> Path:
        """The file of a fragment's rows."""
        return self.path / f"{number:06}.parquet"

    def known(self, number: int) -> Path:
        """The ledger that a fragment starts from, if anything is known of its addresses."""
        return self.path / f"{number:06}.known.sqlite"

    def commit(self, number: int) -> Path:
        """The ledger that a fragment was finished with, or cut."""
        return self.path / f"{number:06}.commit.sqlite"

    def publish(self, ledger: Path, number: int) -> bool:
        """Publish the ledger of a fragment, unless it is published.

        Returns:
            Whether it is this one that counts.

        Raises:
            DiskError: the disk refuses; or the run is over, and its folder gone.
        """
        seal(ledger)
        final = self.commit(number)
        temporary = temporary_beside(final)
        with disk_errors(final):
            try:
                shutil.copyfile(ledger, temporary)
                sync_file(temporary)
                os.link(temporary, final)
                sync_file(final.parent)
            except FileExistsError:  # or the answer to a first try was lost, as NFS may
                return temporary.samefile(final)
            finally:
                temporary.unlink(missing_ok=True)
        return True

    def commits(self) -> list[int]:
        """List the fragments that have a commit which was not added to the ledger."""
        found = (match for path in self.path.iterdir() if (match := _COMMIT.fullmatch(path.name)))
        return sorted(number for match in found if self.has_commit(number := int(match[1])))

    def has_commit(self, number: int) -> bool:
        """Return whether a fragment has a commit that was not added to the ledger."""
        try:
            return self.commit(number).stat().st_size > 0
        except FileNotFoundError:
            return False

    def absorb(self, number: int, ledger: Path) -> None:
        """Add what a fragment brought to the data set's ledger, and remove the fragment's files but for the empty one.

        Raises:
            DiskError, StateError: see :func:`curator.fetch.ledger.carry.absorb`.
        """
        absorb(self.commit(number), ledger)
        with disk_errors(self.path):
            empty = temporary_beside(self.commit(number))
            empty.touch()
            empty.replace(self.commit(number))
            for path in (self.table(number), self.known(number)):
                path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder of a run that is over."""
        shutil.rmtree(self.path, ignore_errors=True)


def absorb_left(paths: DataPaths) -> bool:
    """Add to the ledger what previous runs committed and did not live to add.

    Returns:
        Whether there was such a run; its workers may still have requests in flight.

    Raises:
        DiskError, StateError: see :func:`curator.fetch.ledger.carry.absorb`.
    """
    if not paths.fragments.is_dir():
        return False
    with disk_errors(paths.fragments):
        for left in sorted(path for path in paths.fragments.iterdir() if path.is_dir()):
            closed = left if left.name.startswith("over-") else left.rename(left.with_name(f"over-{left.name}"))
            folder = FragmentFolder(closed)
            for number in folder.commits():
                folder.absorb(number, paths.attempts)
            folder.remove()
        paths.fragments.rmdir()
    return True
