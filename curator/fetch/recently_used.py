"""Keep what was used last, up to a number of bytes: a cache whose memory does not depend on who fills it.

>>> kept = RecentlyUsed[str](most_bytes=100)
>>> kept.put("a", "first", 60), kept.put("b", "second", 60)
(None, None)
>>> kept.get("a"), kept.get("b")
(None, 'second')
"""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")


class RecentlyUsed(Generic[Value]):
    """Values by name; beyond ``most_bytes`` those go that were not used for longest. The newest always stays."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._n_bytes = most_bytes, 0
        self._values: dict[str, tuple[Value, int]] = {}

    def get(self, name: str) -> Value | None:
        """Give a value, or None where it is not kept."""
        found = self._values.pop(name, None)
        if found is None:
            return None
        self._values[name] = found
        return found[0]

    def put(self, name: str, value: Value, n_bytes: int) -> None:
        """Keep a value that takes ``n_bytes``, in the place of the one that had this name."""
        self._n_bytes += n_bytes - self._values.pop(name, (None, 0))[1]
        self._values[name] = value, n_bytes
        while self._n_bytes > self._most_bytes and len(self._values) > 1:
            oldest = next(iter(self._values))
            self._n_bytes -= self._values.pop(oldest)[1]
