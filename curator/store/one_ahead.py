"""Make the next of a row of things while the one before it is in use, in a thread.

>>> list(one_ahead(iter("ab")))
['a', 'b']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")


def one_ahead(items: Iterable[_Item]) -> Iterator[_Item]:
    """Yield ``items`` in order; one at most is made before it is asked for, and errors come where it would come."""
    coming, end = iter(items), object()
    with ThreadPoolExecutor(1, "one-ahead") as thread:
        following = thread.submit(next, coming, end)
        while (item := following.result()) is not end:
            following = thread.submit(next, coming, end)
            yield item  # type: ignore[misc]  # it is not the end
            del item  # it may be large
