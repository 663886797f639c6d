"""Load pycurl so that it meets its own libcurl, whatever the process has loaded before.

TensorFlow brings an older libcurl and makes its symbols visible to all; a pycurl that is imported after it would be
bound to those and refuse to start. See ``RTLD_DEEPBIND`` in https://man7.org/linux/man-pages/man3/dlopen.3.html.

>>> pycurl.version.startswith("PycURL/")
True
>>> refuse_old((7, "7.88.1", 0x075801, "", 0, "", 0, "", ("http", "https")))
Traceback (most recent call last):
curator.errors.CuratorError: libcurl 7.88.1 is older than 8.4.0, from which on ... `pip install --upgrade pycurl` ...
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from curator.errors import CuratorError

OLDEST = 0x080400
"""8.4.0: reads addresses and redirects as they are judged here, and overflows at no proxy's answer (CVE-2023-38545)."""

_flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0))
try:
    import pycurl as pycurl
finally:
    sys.setdlopenflags(_flags)


def refuse_old(version: Sequence[Any]) -> None:
    """Refuse a libcurl that is too old, or that has no TLS.

    Args:
        version: what ``pycurl.version_info`` returns.

    Raises:
        CuratorError: says which there is and how to get another.
    """
    name, number, protocols = version[1], version[2], version[8]
    newer = (
        "`pip install --upgrade pycurl` brings a newer one with it (a system's own pycurl has the system's libcurl)."
    )
    if number < OLDEST:
        what = f"libcurl {name} is older than 8.4.0, from which on it reads addresses as curator checks them."
        raise CuratorError(what, newer)
    if "https" not in protocols:
        raise CuratorError(f"libcurl {name} was built without TLS: it requests no https address.", newer)


refuse_old(pycurl.version_info())
