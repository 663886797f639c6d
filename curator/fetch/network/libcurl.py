"""Load pycurl so that it meets its own libcurl, whatever the process has loaded before.

TensorFlow brings an older libcurl and makes its symbols visible to all; a pycurl that is imported after it would be
bound to those and refuse to start. See ``RTLD_DEEPBIND`` in https://man7.org/linux/man-pages/man3/dlopen.3.html.

>>> pycurl.version.startswith("PycURL/")
True
"""

from __future__ import annotations

import os
import sys

_flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0))
try:
    import pycurl as pycurl
finally:
    sys.setdlopenflags(_flags)
