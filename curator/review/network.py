"""Under which names a browser reaches the page, and whether one may be opened here.

>>> names_of("127.0.0.1")
('127.0.0.1', 'localhost')
>>> may_open({}, "linux", True), may_open({"DISPLAY": ":0"}, "linux", True), may_open({}, "darwin", True)
(False, True, True)
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

_EVERY = ("0.0.0.0", "::", "")  # noqa: S104 - what a person may give


def names_of(host: str) -> tuple[str, ...]:
    """Return the names of the machine under which a page on this address is opened, the best one first."""
    if host in ("127.0.0.1", "localhost", "::1"):
        return ("127.0.0.1", "localhost") if host != "::1" else ("[::1]", "localhost")
    if host not in _EVERY:
        return (f"[{host}]" if ":" in host else host,)
    return tuple(dict.fromkeys((own_address(), socket.gethostname().lower(), "127.0.0.1", "localhost")))


def own_address() -> str:
    """Return the address of this machine in its network; no packet is sent. Without a network: 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # https://www.rfc-editor.org/rfc/rfc5737: nobody has it
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def may_open(environment: Mapping[str, str], platform: str, is_terminal: bool) -> bool:
    """Return whether a browser can be opened: a person is there, with a display, and no test or distant shell."""
    if not is_terminal or any(name in environment for name in ("PYTEST_CURRENT_TEST", "CI", "SSH_CONNECTION")):
        return False
    return platform in ("darwin", "win32") or any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
