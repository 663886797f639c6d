"""Whether to print in colour: ``NO_COLOR`` says no (https://no-color.org), ``FORCE_COLOR`` yes, else a terminal does.

>>> import io
>>> is_coloured(io.StringIO(), {}), is_coloured(io.StringIO(), {"FORCE_COLOR": "1"})
(False, True)
>>> is_coloured(io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"})
False
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

BOLD, YELLOW, _PLAIN = "\x1b[1m", "\x1b[33m", "\x1b[0m"


def is_coloured(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether what is written to a stream may hold escape codes."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR") not in (None, "", "0"):
        return True
    return stream.isatty() and environment.get("TERM") not in ("dumb", "unknown")


def coloured(text: str, code: str, stream: TextIO) -> str:
    """Return a text between escape codes if the stream takes them."""
    return f"{code}{text}{_PLAIN}" if text and is_coloured(stream) else text
