"""Give a host up whose files kill decoders: each may take half a minute, and it may have a thousand of them.

>>> watch = CrashWatch()
>>> [bool(watch.note(7, flaw)) for flaw in (Drop.DECODER_CRASHED, None, *[Drop.DECODER_CRASHED] * 3)]
[False, False, False, True, False]
"""

from __future__ import annotations

from collections import Counter

from curator.fetch.policy import Verdict
from curator.reasons import Drop

MOST_CRASHES = 3
"""So many files of a host, and a quarter of those that came, may kill the decoder's process."""


class CrashWatch:
    """What came of the files of each host, by its number, in this run; ``given_up`` has those that are."""

    def __init__(self) -> None:
        self._n_crashed: Counter[int] = Counter()
        self._n_seen: Counter[int] = Counter()
        self.given_up: dict[int, Verdict] = {}

    def note(self, host: int, flaw: Drop | None) -> Verdict | None:
        """Count a file of a host, -1 for one of this machine; return why the host is given up for it, if it is."""
        self._n_seen[host] += 1
        if flaw != Drop.DECODER_CRASHED or host < 0 or host in self.given_up:
            return None
        self._n_crashed[host] += 1
        n = self._n_crashed[host]
        if n < MOST_CRASHES or 4 * n <= self._n_seen[host]:
            return None
        detail = f"not looked at: {n} files of its host crashed the decoder, or took too long"
        self.given_up[host] = Verdict(Drop.DECODER_CRASHED, detail)
        return self.given_up[host]
