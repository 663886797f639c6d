"""Look at files on the disk in workers of their own, of which one that is hostile can kill only its own; keep no copy.

>>> import tempfile
>>> page = Path(tempfile.mkdtemp()) / "photo.jpg"
>>> _ = page.write_bytes(b"<html>")
>>> [(number, sighting.observation.flaw.value) for number, sighting in look_at_files([page], max_pixels=1)]
[(0, 'not-an-image')]
"""

from __future__ import annotations

import selectors
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from curator.observe.observation import Sighting
from curator.observe.workers.pool import ObservedFile, ObserverPool, serve
from curator.store.image_store import in_turn, is_away

_MOST_WAITING = 64


def look_at_files(files: Sequence[Path], max_pixels: int) -> Generator[tuple[int, Sighting | None], None, None]:
    """Yield each file's number and what was seen of it, None if it could not be read; in no fixed order.

    Args:
        files: paths.
        max_pixels: larger images are not decoded.
    """
    gone = []
    for number, sighting in _look(files, max_pixels):
        if sighting is None and is_away(files[number]):
            gone.append(number)  # another process has made room by it meanwhile
        else:
            yield number, sighting
    for number, sighting in _look([files[number] for number in gone], max_pixels):
        yield gone[number], sighting


def _look(files: Sequence[Path], max_pixels: int) -> Iterator[tuple[int, Sighting | None]]:
    done: list[ObservedFile] = []
    with selectors.DefaultSelector() as selector, ObserverPool(None, max_pixels, selector, done.append) as pool:
        for number, file in enumerate(in_turn(files)):
            pool.submit(number, file)
            while pool.n_jobs > (_MOST_WAITING if number + 1 < len(files) else 0):
                serve(selector, timeout_s=1.0)
                pool.check()
            yield from ((result.job, result.sighting) for result in done)
            done.clear()
