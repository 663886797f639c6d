"""The observing process: reads files from its socket, observes them, writes those worth storing, tells what it found.

Run as ``python -m curator.observe.worker_main SOCKET DATA_ROOT NAME MAX_PIXELS``. It trusts no file and is trusted by
nobody: it answers in JSON, and it may be killed at any time.

>>> decode_observation(encode_observation(observe_image(b"", max_pixels=1))).flaw.value
'empty'
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import socket
import struct
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from curator.observe import Observation, observe_image
from curator.reasons import Drop
from curator.store.image_files import write_temporary
from curator.store.paths import DataPaths

REQUEST = struct.Struct("<?Q")
"""Header of a request: whether a path follows (else the bytes themselves), and the length in bytes."""

REPLY = struct.Struct("<Q")
"""Header of a reply: the length in bytes of the JSON object that follows; 0 says only that the process is ready."""

UNSTORED = frozenset({Drop.NOT_AN_IMAGE, Drop.EMPTY})
"""Flaws of files that the store does not keep."""

_FIELDS = tuple(field.name for field in fields(Observation))
_SPARE_BYTES = 1 << 30
_BYTES_A_PIXEL = 16


def main(arguments: list[str]) -> None:
    """Serve requests until the socket is closed, or nobody is left to hear the answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=int(arguments[0]))
    paths, max_pixels = DataPaths(Path(arguments[1]), Path(), arguments[2]), int(arguments[3])
    limit_memory(max_pixels)
    with contextlib.suppress(ConnectionError):
        channel.sendall(REPLY.pack(0))
        serve(channel, paths, max_pixels)


def serve(channel: socket.socket, paths: DataPaths, max_pixels: int) -> None:
    """Answer each request in its turn until there are no more.

    Raises:
        ConnectionError: the other side was killed.
    """
    stream = channel.makefile("rb", buffering=1 << 16)
    while header := stream.read(REQUEST.size):
        is_path, length = REQUEST.unpack(header)
        payload = stream.read(length)
        if len(payload) < length:
            return
        reply = json.dumps(answer(payload, is_path, paths, max_pixels)).encode()
        channel.sendall(REPLY.pack(len(reply)) + reply)


def limit_memory(max_pixels: int) -> None:
    """Let this process use 1 GiB and 16 bytes a pixel more than now; a system without such limits goes without."""
    try:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return
    most = now + _SPARE_BYTES + _BYTES_A_PIXEL * max_pixels
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def answer(payload: bytes, is_path: bool, paths: DataPaths, max_pixels: int) -> dict[str, Any]:
    """Observe one file and write it to the store under a temporary name: what the reply says, as JSON values."""
    if is_path:
        try:
            payload = Path(payload.decode("utf-8", "surrogateescape")).read_bytes()
        except OSError as error:
            return {"unreadable": error.strerror or str(error)}
    observation = observe_image(payload, max_pixels=max_pixels)
    reply: dict[str, Any] = {"observation": encode_observation(observation), "temporary": None}
    if is_stored(observation):
        try:
            temporary = write_temporary(paths, payload, observation.sha256, str(observation.format))
        except OSError as error:
            return {"disk": error.strerror or str(error)}
        reply["temporary"] = temporary and str(temporary)
    return reply


def is_stored(observation: Observation) -> bool:
    """Tell whether the store keeps this file: every image, usable or not."""
    return observation.format is not None and observation.flaw not in UNSTORED


def encode_observation(observation: Observation) -> dict[str, Any]:
    """Make an observation of JSON values: bytes in hexadecimal."""
    values = ((name, getattr(observation, name)) for name in _FIELDS)
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in values}


def decode_observation(values: dict[str, Any]) -> Observation:
    """Undo :func:`encode_observation`.

    Raises:
        ValueError, TypeError: no observation made this.
    """
    values = dict(values)
    for key in ("phash_turns", "phash256", "thumbnail"):
        values[key] = None if values[key] is None else bytes.fromhex(values[key])
    values["flaw"] = None if values["flaw"] is None else Drop(values["flaw"])
    return Observation(**values)


if __name__ == "__main__":
    main(sys.argv[1:])
