"""Ask the index of a web archive what it has of addresses, one request at a time and at most one a second.

>>> captures_place("https://web.archive.org/cdx/search/cdx"), captures_place("https://arquivo.pt/wayback/cdx")
('https://web.archive.org/web/', 'https://arquivo.pt/wayback/')
>>> captures_place("http://localhost:8080/mine/cdx")
'http://localhost:8080/mine/'
"""

from __future__ import annotations

import re
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from curator.errors import SourceError
from curator.events import Listener, Warned
from curator.fetch.ledger.schema import HostWait, Note, RobotsText
from curator.fetch.network.guard import name_private_host
from curator.fetch.policy import Verdict
from curator.fetch.politeness.robots import Rules, read_rules, robots_url, text_of_answer
from curator.manifests.settings import FetchSettings
from curator.reasons import Drop
from curator.sources.base import ListingContext
from curator.sources.reading.http import BrokenOffError, StreamedAnswer
from curator.sources.reading.json_api import JsonApi, Later, RefusedError
from curator.sources.reading.json_text import DECODER, without_halves
from curator.sources.web_archive.captures import Capture, address_key, last_address, read_captures

LEAST_GAP_S = 1.0
"""Least seconds between two requests to an archive, for its index and for captures together."""

MOST_LINES = 1_000
"""Lines of the index that one request returns at most."""

MANY = 3
"""So many addresses in one folder are looked up by one request."""

_MOST_REFUSED = 3
"""So often in a row a host's addresses are refused until the rest of them waits for another run, and so many hosts in
a row: for one more, it is us that the archive refuses."""
_NOT_HERE = (400, 403, 404, 451)
"""What an archive answers for one address that it has not, or does not show to anybody."""
_NOTHING = "no captures found"
"""What pywb's index says with a 404: an answer, no refusal."""
_HIDDEN = "accesscontrolexception"
"""What the Internet Archive's index says with a 403 of a site whose owner wants no captures shown: not about us."""
_INTERNAL = (
    "local", "localhost", "localdomain", "internal", "intranet", "private", "lan", "home", "corp", "arpa", "test",
    "invalid", "onion", "alt",
)  # fmt: skip
_TEXT_BYTES = 1 << 20
_HINT = "What was found is kept; run the same command again later, and it goes on where it stopped."


def captures_place(index: str) -> str:
    """Return what the addresses of captures begin with, by the address of the archive's index."""
    return f"{place}web/" if (place := index.removesuffix("cdx/search/cdx")) != index else index.removesuffix("cdx")


def capture_address(index: str, capture: Capture) -> str:
    """Return the address of a capture as it was captured (``id_``), without the archive's own changes."""
    return f"{captures_place(index)}{capture.time}id_/{capture.original}"


def may_be_told(address: str, allow_private: bool) -> bool:
    """Return whether an archive may hear of an address: it is on the public web by its name, and nobody signs in.

    >>> [may_be_told(f"http://{host}/a.jpg", False) for host in ("h.example", "10.0.0.1", "nas", "nas.lan")]
    [True, False, False, False]
    >>> may_be_told("http://ann:s3cret@h.example/a.jpg", True)
    False
    """
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    is_internal = "." not in host or host.rpartition(".")[2] in _INTERNAL
    is_web = re.match("https?://", address, re.IGNORECASE) is not None and "@" not in parts.netloc
    return is_web and (allow_private or not (is_internal or name_private_host(address)))


class CaptureIndex(JsonApi):
    """The index of one archive; used as a context, which closes the connection.

    Args:
        fetch: ``archive`` is its address; the rest says who asks, through which proxy, and how patient we are.
        remember: takes what the archive says of itself: its robots.txt, and that it wants to be left alone.
        n_refused: so often in a row each host's addresses were refused in this run, which is counted on.
    """

    def __init__(
        self,
        fetch: FetchSettings,
        emit: Listener,
        remember: Callable[[Note], object],
        n_refused: Counter[str] | None = None,
    ) -> None:
        context = ListingContext((), Path(), fetch=fetch, emit=emit)
        super().__init__(
            fetch.archive, "web archive", context, hints=(_HINT, _HINT), pause_s=LEAST_GAP_S, follows=False
        )
        self._fetch, self._remember = fetch, remember
        self._n_refused = Counter[str]() if n_refused is None else n_refused
        self._refused_in_a_row: set[str] = set()

    def look_up(self, addresses: Collection[str]) -> Iterator[dict[str, list[Capture]]]:
        """Yield what the index has of these addresses, an answer at a time: the captures that may be a picture.

        Addresses in one folder are looked up together; what such an answer may have left out is asked for alone. Of an
        address that the archive refuses to look up nothing is yielded: another run may ask again.

        Raises:
            SourceError: the archive refuses, or is busy for too long.
        """
        folders = defaultdict(list)
        for address in dict.fromkeys(addresses):
            is_in_folder = "?" not in address and address.count("/") > 2
            folders[address.rpartition("/")[0] + "/" if is_in_folder else address].append(address)
        for folder, members in folders.items():
            alone = members
            if len(members) >= MANY:
                found, alone = self._look_up_folder(folder, members)
                yield found
            for address in alone:
                lines = self._lines({"url": address, "collapse": "digest"})
                if lines is not None:
                    yield {address: [one for one in read_captures(lines) if one.shows(address)]}

    def _look_up_folder(self, folder: str, members: list[str]) -> tuple[dict[str, list[Capture]], list[str]]:
        """Return what was found of a folder's addresses, and those of which the answer may have been cut."""
        lines = self._lines({"url": folder, "matchType": "prefix"})
        if lines is None:
            return {}, members
        captures = defaultdict(list)
        for capture in read_captures(lines):
            captures[address_key(capture.original)].append(capture)
        found = {address: captures.get(address_key(address), []) for address in members}
        if len(lines) < MOST_LINES:
            return found, []
        if (last := last_address(lines)) is None:
            return {}, members
        cut = _place(last)  # of the address at the end there may be more
        whole = {address: some for address, some in found.items() if some and _place(address) != cut}
        return whole, [address for address in members if address not in whole]

    def _lines(self, parameters: dict[str, str]) -> list[Any] | None:
        """Return the lines of an answer; None if this is refused, or was of this host until now."""
        host = address_key(parameters["url"])[0]
        if self._n_refused[host] >= _MOST_REFUSED:
            return None
        further = {"output": "json", "filter": "statuscode:200", "limit": str(MOST_LINES)}
        try:
            lines: list[Any] = self.ask(parameters | further, f"{self.host}'s index")
        except RefusedError as error:
            if error.status != 404 or _NOTHING not in error.message.lower():
                self._count_refusal(host, error)
                return None
            lines = []
        self._n_refused.pop(host, None)
        self._refused_in_a_row.clear()
        return lines

    def _count_refusal(self, host: str, error: RefusedError) -> None:
        """Leave a host's addresses be after three refusals in a row; raise the error if it is us that is refused."""
        self._n_refused[host] += 1
        if _HIDDEN not in error.message.lower():
            self._refused_in_a_row.add(host)
        if error.status not in _NOT_HERE or len(self._refused_in_a_row) > _MOST_REFUSED:
            raise error
        if self._n_refused[host] == _MOST_REFUSED:
            said = f"{error.message.rstrip('.')} for {host}, {_MOST_REFUSED} times in a row"
            self._context.emit(Warned(f"rescue: {said}: its other addresses are not looked up in this run."))

    def obey_robots(self, known: bytes | None) -> float:
        """Follow the archive's robots.txt; return the least seconds between two requests that it wants.

        Args:
            known: the text as it was fetched within a day, zlib; None: it is requested.

        Raises:
            SourceError: it disallows the index, or could not be had.
        """
        rules = read_rules(zlib.decompress(known)) if known is not None else self._request_rules()
        if not rules.allows(self.address):
            raise SourceError(f"{self.host}'s robots.txt disallows its index, and the recipe says robots = true.")
        self._pause_s = max(self._pause_s, rules.delay_s)
        return self._pause_s

    def _request_rules(self) -> Rules:
        url = robots_url(self.address)
        try:
            answer = StreamedAnswer(url, self._fetch, follows=False)
            body = answer.read(_TEXT_BYTES) if answer.status == 200 else b""
            answer.close()
            text = text_of_answer(Verdict(answer.verdict.reason, http_status=answer.status), body)
        except BrokenOffError:
            text = None
        time.sleep(self._pause_s)
        if text is None:
            raise SourceError(f"{url} could not be read.", _HINT)
        self._remember(RobotsText(url, time.time(), zlib.compress(text)))
        return read_rules(text)

    def parsed(self, body: bytes) -> Any:
        """Read one array, or an object a line."""
        if body.lstrip()[:1] != b"{":
            found = super().parsed(body) if body.strip() else []
            if not isinstance(found, list):
                raise self._refused("answered with what is no index of captures")
            return found
        try:
            return [
                DECODER.decode(without_halves(line))
                for line in body.decode("utf-8", "replace").splitlines()
                if line.strip()
            ]
        except (ValueError, RecursionError) as error:
            raise self._refused("answered with what is no JSON") from error

    def _wait(self, later: Later, times: int) -> None:
        if later.wait_s:
            verdict = Verdict(Drop.RATE_LIMITED, http_status=429, wait_s=later.wait_s)
            self._remember(HostWait.requested_by(self.host.lower(), time.time(), verdict))
        super()._wait(later, times)


def _place(address: str) -> str:
    """Return what an index orders its lines by: it takes addresses that differ in case for one."""
    return "".join(address_key(address)).lower()
