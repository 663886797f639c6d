"""The observing process: is told of files on its socket, observes or renders them, and replies with the result.

Run as ``python -m curator.observe.workers.main SOCKET``; the first line that it reads there is its settings, in JSON.
It trusts no file and is trusted by nobody: it replies in JSON, and it may be killed at any time.

>>> values, luma = answer(b"", BYTES, None, max_pixels=1)
>>> values["observation"]["flaw"].value, luma
('empty', b'')
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import signal
import socket
import struct
import sys
from functools import partial
from pathlib import Path
from typing import Any

from curator.observe.observation import look_at
from curator.observe.workers.confine import confine
from curator.observe.workers.rendered import read_file, rendered, why_unreadable
from curator.observe.workers.replies import encode_sighting, is_stored
from curator.store.image_files import write_temporary
from curator.store.paths import DataPaths

REQUEST = struct.Struct("<BIQ")
"""Header of a request: what of a file follows, the length in bytes of a rendering that goes before it (see
:mod:`curator.observe.workers.rendered`; none: the file is to be observed), and the length of what follows."""

BYTES, PATH, INCOMING = range(3)
"""What follows: the file's bytes; its path; or the path of one that is in the store already, which nobody changes."""

REPLY = struct.Struct("<II")
"""Header of a reply: the lengths in bytes of the JSON object and of the luma that follow; two zeros say only that the
process is ready."""

_BUFFER_BYTES = 1 << 16
_SPARE_BYTES = 1 << 30
_BYTES_A_PIXEL = 16


def main(arguments: list[str]) -> None:
    """Serve requests until the socket is closed, or nobody is left to read the reply."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=int(arguments[0]))
    with contextlib.suppress(ConnectionError):
        channel.sendall(REPLY.pack(0, 0))
        stream = io.BufferedReader(channel.makefile("rb", buffering=0), _BUFFER_BYTES)
        if line := stream.readline():
            paths, max_pixels = decode_settings(line)
            limit_memory(max_pixels)
            confine_to(paths)
            serve(channel, stream, paths, max_pixels)


def encode_settings(paths: DataPaths | None, max_pixels: int) -> bytes:
    r"""Make a line of what a process needs to know before its first request.

    >>> encode_settings(DataPaths(Path("/data"), Path(), "balls"), 1000)
    b'["/data", "balls", 1000]\n'
    """
    place = [str(paths.data_root.absolute()), paths.name] if paths else ["", ""]
    return json.dumps([*place, max_pixels]).encode() + b"\n"


def decode_settings(line: bytes) -> tuple[DataPaths | None, int]:
    """Undo :func:`encode_settings`; without a place, nothing is stored."""
    data_root, name, max_pixels = json.loads(line)
    return DataPaths(Path(data_root), Path(), name) if name else None, max_pixels


def serve(channel: socket.socket, stream: io.BufferedReader[Any], paths: DataPaths | None, max_pixels: int) -> None:
    """Reply to each request that ``stream`` reads from the channel, in order, until there are no more.

    Raises:
        ConnectionError: the other side was killed.
    """
    while header := stream.read(REQUEST.size):
        kind, n_rendering, length = REQUEST.unpack(header)
        rendering, payload = stream.read(n_rendering), stream.read(length)
        if len(payload) < length:
            return
        if rendering:
            last = rendered(payload, kind == PATH, rendering, max_pixels, partial(reply_on, channel))
        else:
            last = answer(payload, kind, paths, max_pixels)
        reply_on(channel, *last)


def reply_on(channel: socket.socket, values: dict[str, Any], data: bytes) -> None:
    """Send a reply: values that JSON has, and bytes."""
    reply = json.dumps(values).encode()
    channel.sendall(REPLY.pack(len(reply), len(data)) + reply + data)


def limit_memory(max_pixels: int) -> None:
    """Let this process use 1 GiB and 16 bytes a pixel more than now; a system without such limits goes without."""
    try:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return
    most = now + _SPARE_BYTES + _BYTES_A_PIXEL * max_pixels
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def confine_to(paths: DataPaths | None) -> None:
    """Confine this process as far as the kernel allows it: to the store, or to reading."""
    if paths:
        with contextlib.suppress(OSError):  # the first write reports it
            paths.images.mkdir(parents=True, exist_ok=True)
    confine([paths.images] if paths else [])


def answer(payload: bytes, kind: int, paths: DataPaths | None, max_pixels: int) -> tuple[dict[str, Any], bytes]:
    """Look at one file and, if there is a store and it is not in it, write it there under a temporary name.

    Returns:
        The reply, as JSON values, and the luma.
    """
    try:
        data = payload if kind == BYTES else read_file(payload) if kind == PATH else read_incoming(payload)
    except (OSError, MemoryError) as error:
        if kind == INCOMING:  # what was just written
            return {"disk": why_unreadable(error), "errno": getattr(error, "errno", None)}, b""
        return {"unreadable": why_unreadable(error)}, b""
    sighting = look_at(data, max_pixels=max_pixels)
    observation = sighting.observation
    values, luma = encode_sighting(sighting)
    reply: dict[str, Any] = {"observation": values, "temporary": None}
    if paths and kind != INCOMING and is_stored(observation):
        try:
            reply["temporary"] = write_temporary(paths, data, observation.sha256, str(observation.format))
        except OSError as error:
            return {"disk": error.strerror or str(error), "errno": error.errno}, b""
    return reply, luma


def read_incoming(name: bytes) -> bytes:
    """Read a file that this program has just written, without a look at what kind of file it is.

    Raises:
        OSError: it cannot be read.
        MemoryError: it is larger than the memory of this process.
    """
    with io.FileIO(name) as file:
        return file.readall()


if __name__ == "__main__":
    main(sys.argv[1:])
