"""Upload large files to the hub's storage, as the batch API of Git LFS says: in one piece, or in parts.

What the storage has already is not sent again, so that an upload that broke off goes on with what is missing.

>>> part_of(LocalFile(Path("a"), 25, ""), 3, 10)
(20, 5)
>>> list(part_addresses({"chunk_size": "10", "2": "b", "1": "a", "10": "c"}))
['a', 'b', 'c']
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path as Path
from typing import Any

from curator.errors import SourceError
from curator.events import Listener, MetadataFinished, MetadataRead, MetadataStarted
from curator.pipeline.hub.hub_api import LFS, Hub
from curator.pipeline.hub.local_file import LocalFile
from curator.sources.reading.json_api import Sent

_ODD = "Run the same command again: what is uploaded already is not sent twice."


def upload(hub: Hub, repo: str, files: Mapping[str, LocalFile], emit: Listener) -> None:
    """Bring the content of these files, by name, to the hub's storage; the data set itself is not changed by it."""
    by_content = {file.sha256: (name, file) for name, file in files.items()}
    sizes = {sha256: file.n_bytes for sha256, (_, file) in by_content.items()}
    for sha256, actions in (hub.wanted_uploads(repo, sizes) if sizes else {}).items():
        name, file = by_content[sha256]
        emit(MetadataStarted(f"to the hub: {name}", file.n_bytes))
        _upload(hub, file, actions, partial(_report, emit, f"to the hub: {name}"))
        emit(MetadataFinished(f"to the hub: {name}"))


def _report(emit: Listener, name: str, n_bytes: int) -> None:
    emit(MetadataRead(name, n_bytes))


def _upload(hub: Hub, file: LocalFile, actions: Mapping[str, Any], report: Any) -> None:
    to = actions.get("upload")
    href, headers = _action(to)
    if "chunk_size" not in headers:
        hub.put(href, _sent(file, 0, file.n_bytes, report), headers)
    else:
        _upload_parts(hub, file, href, headers, report)
    if actions.get("verify"):
        href, headers = _action(actions["verify"])
        hub.put(href, _json({"oid": file.sha256, "size": file.n_bytes}), headers)


def _upload_parts(hub: Hub, file: LocalFile, href: str, headers: Mapping[str, Any], report: Any) -> None:
    """Send each part to its own address, and say at the end which came."""
    told, addresses = str(headers["chunk_size"]), list(part_addresses(headers))
    size = int(told) if told.isascii() and told.isdecimal() and len(told) < 18 else 0
    if not size or len(addresses) != -(-file.n_bytes // size):
        raise SourceError(f"The hub {hub.address} wants a file in parts that do not fit it.", _ODD)
    parts = []
    for number, address in enumerate(addresses, 1):
        reply = hub.put(address, _sent(file, *part_of(file, number, size), report), {})
        if not reply.etag:
            raise SourceError(f"The storage of {hub.address} does not say that a part came.", _ODD)
        parts.append({"partNumber": number, "etag": reply.etag})
    hub.put(href, _json({"oid": file.sha256, "parts": parts}), {})


def part_addresses(headers: Mapping[str, Any]) -> Iterator[str]:
    """Yield the address of each part, in order: the values of the headers that are numbers."""
    for name in sorted((name for name in headers if name.isdecimal()), key=int):
        yield str(headers[name])


def part_of(file: LocalFile, number: int, size: int) -> tuple[int, int]:
    """Return the offset and the size of a part, of which the first is 1."""
    start = (number - 1) * size
    return start, min(size, file.n_bytes - start)


def _sent(file: LocalFile, start: int, n_bytes: int, report: Any) -> Sent:
    def read(offset: int, n: int) -> bytes:
        data = file.read(start + offset, min(n, n_bytes - offset))
        report(len(data))
        return data

    return Sent("PUT", "", n_bytes, read)


def _json(facts: Mapping[str, Any]) -> Sent:
    return Sent.of("POST", LFS, json.dumps(facts).encode("ascii"))


def _action(action: Any) -> tuple[str, Mapping[str, Any]]:
    href = action.get("href") if isinstance(action, dict) else None
    headers = action.get("header") if isinstance(action, dict) else None
    if not isinstance(href, str):
        raise SourceError("The hub does not say where a file is to be uploaded.", _ODD)
    return href, headers if isinstance(headers, dict) else {}
