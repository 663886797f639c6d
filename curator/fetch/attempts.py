"""What a finished request says, as the ledger records it, and which images came over http that were listed with https.

>>> downgrades, told = Downgrades(), []
>>> for number in range(2):
...     page, picture = f"https://h.example/{number}", f"http://cdn.example/{number}"
...     downgrades.note(Attempt(page, "h.example", 0.0, 0.1, OK, final_url=picture))
>>> downgrades.tell(told.append)
>>> told[0].message
'2 images listed with https came over http, where they can be changed on the way: h.example 2'
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from curator.events import Listener, Warned
from curator.fetch.ledger.schema import LET_IN_PRIVATE, OK, VIA, Attempt
from curator.fetch.network.guard import is_public_address
from curator.fetch.network.transfer import Transfer
from curator.fetch.policy import Verdict
from curator.manifests.settings import FetchSettings
from curator.reasons import Drop
from curator.text import plural

_N_NAMED = 5


def attempt_of(
    transfer: Transfer,
    verdict: Verdict,
    address: str,
    host: str,
    settings: FetchSettings,
    behind: Mapping[Drop, str],
) -> Attempt:
    """Gather what is recorded of a finished request.

    Args:
        address: as it was listed.
        settings: of the recipe.
        behind: the settings behind each reason; see :func:`curator.fetch.policy.settings_behind`.
    """
    final_url, ip = transfer.final_url if verdict.http_status is not None else address, transfer.ip
    is_let_in = settings.allow_private_hosts and ip and not settings.proxy and not is_public_address(ip)
    return Attempt(
        address=address,
        host=host,
        started_at=transfer.started_at,
        seconds=time.monotonic() - transfer.started,
        outcome=verdict.reason or OK,
        http_status=verdict.http_status,
        detail=verdict.detail,
        final_url=final_url if final_url != address else None,
        ip=f"{VIA}{ip}" if settings.proxy and ip else ip or None,
        n_bytes=transfer.n_bytes,
        settings=behind.get(verdict.reason) if verdict.reason else LET_IN_PRIVATE if is_let_in else None,
        opt_out=verdict.opt_out,
        referer=transfer.referer or None,
    )


class Downgrades:
    """The images, by their host, whose request began with https and was redirected to http."""

    def __init__(self) -> None:
        self._n_of = Counter[str]()

    def note(self, attempt: Attempt, *, left_https: bool = False) -> None:
        """Count an image that came, if that is so; ``left_https`` says that a redirect on the way did so."""
        if attempt.address[:6].lower() == "https:" and (left_https or (attempt.final_url or "").startswith("http:")):
            self._n_of[attempt.host] += 1

    def add(self, others: Downgrades) -> None:
        """Count those that someone else noted."""
        self._n_of += others._n_of

    def tell(self, emit: Listener) -> None:
        """Warn of them; nothing if there are none."""
        if not self._n_of:
            return
        n, hosts = self._n_of.total(), self._n_of.most_common(_N_NAMED)
        named = ", ".join(f"{host} {count:,}" for host, count in hosts)
        more = f" and {plural(len(self._n_of) - _N_NAMED, 'more host')}" if len(self._n_of) > _N_NAMED else ""
        what = f"{plural(n, 'image')} listed with https came over http, where they can be changed on the way"
        emit(Warned(f"{what}: {named}{more}"))
