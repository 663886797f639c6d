"""What an observing process does with a request to render a file: read, check, decode, and send piece by piece.

>>> import io
>>> from PIL import Image
>>> Image.new("RGB", (2, 1), "red").save(file := io.BytesIO(), "png")
>>> pieces = []
>>> request = encode_rendering(Rendering())
>>> rendered(file.getvalue(), False, request, 2, lambda values, data: pieces.append(data))
({'size': [2, 1]}, b'')
>>> b"".join(pieces).hex(" ", 3)
'ff0000 ff0000'
>>> rendered(b"<html>", False, request, 2, lambda values, data: None)
({'undecodable': 'no decoder here opens an HTML page'}, b'')
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

from curator.observe.renderings import Rendering, draw, write

Send = Callable[[dict[str, Any], bytes], None]
_PIECE_BYTES = 1 << 18


def encode_rendering(rendering: Rendering, sha256: str = "") -> bytes:
    """Make a request of a rendering, and of the SHA-256 that the file must have, if any."""
    return json.dumps({"rendering": asdict(rendering), "sha256": sha256}).encode()


def rendered(
    payload: bytes, is_path: bool, request: bytes, max_pixels: int, send: Send
) -> tuple[dict[str, Any], bytes]:
    """Send a file's rendering in pieces, each with no values: whoever reads them knows that there is progress.

    Returns:
        The last reply: the ``size`` of the picture; or why there is none, and the pieces are nothing: ``unreadable``,
        ``changed`` or ``undecodable``.
    """
    asked = json.loads(request)
    rendering = Rendering(**asked["rendering"])
    try:
        data = read_file(payload) if is_path else payload
    except (OSError, MemoryError) as error:
        return {"unreadable": why_unreadable(error)}, b""
    if asked["sha256"] and hashlib.sha256(data).hexdigest() != asked["sha256"]:
        return {"changed": True}, b""
    try:
        picture = draw(data, rendering, max_pixels)
        pieces = _Pieces(send)
        write(picture, rendering, cast(IO[bytes], pieces))
        pieces.flush()
    except ConnectionError:  # nobody is left to read it
        raise
    except MemoryError:
        return {"undecodable": "there is not enough memory for it"}, b""
    except Exception as error:  # decoders and encoders raise whatever they like
        return {"undecodable": str(error) or type(error).__name__}, b""
    return {"size": list(picture.size)}, b""


class _Pieces:
    """A file to write to, whose bytes are sent as soon as there are enough."""

    def __init__(self, send: Send) -> None:
        self._send, self._kept = send, bytearray()

    def write(self, data: bytes) -> int:
        self._kept += data
        if len(self._kept) >= _PIECE_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        if self._kept:
            self._send({}, bytes(self._kept))
            self._kept.clear()


def opened_regular(path: Path) -> io.BufferedReader:
    """Open a file to read; never a pipe or a device, which may have no end.

    Raises:
        OSError: it is none, or cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("it is no regular file")
    return os.fdopen(descriptor, "rb")


def read_file(name: bytes) -> bytes:
    """Read the file of a request.

    Raises:
        OSError: it cannot be read.
        MemoryError: it is larger than the memory of this process.
    """
    with opened_regular(Path(os.fsdecode(name))) as file:
        return file.read()


def why_unreadable(error: Exception) -> str:
    """Say why a file cannot be read."""
    if isinstance(error, MemoryError):
        return "it is too large"
    return getattr(error, "strerror", None) or str(error)
