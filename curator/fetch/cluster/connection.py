"""The connection of this process to a cluster of Ray; what a person is told if there is none.

>>> open_ray(EngineSettings("ray", "127.0.0.1:1"))  # doctest: +SKIP
Traceback (most recent call last):
curator.errors.CuratorError: There is no Ray cluster at 127.0.0.1:1. `ray start --head` starts one on this machine; \
[engine] address, or RAY_ADDRESS, names another.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from curator.errors import CuratorError
from curator.manifests.settings import EngineSettings

_KNOCK_S = 10.0
_CONNECTED_BY: dict[str, str] = {}
"""The address that was asked for, by the one that Ray names the cluster by."""


def open_ray(settings: EngineSettings) -> Any:
    """Connect to a cluster, unless this process is connected, and return the module ``ray``.

    Raises:
        CuratorError: Ray is not installed, there is no cluster, or it cannot be used from here.
    """
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError as error:
        hint = "Install it with `pip install 'imageset-curator[ray]'`, here and on every machine of the cluster."
        raise CuratorError("The engine ray needs the package Ray.", hint) from error
    address = settings.address or os.environ.get("RAY_ADDRESS") or "auto"
    connected = ray.get_runtime_context().gcs_address if ray.is_initialized() else ""
    if connected and settings.address not in ("", "auto", connected, _CONNECTED_BY.get(connected)):
        message = f"This process is connected to the Ray cluster at {connected}, not to that at {address}."
        raise CuratorError(message, "Call ray.shutdown() first.")
    if not connected:
        _connect(ray, address)
        _CONNECTED_BY[ray.get_runtime_context().gcs_address] = address
    return ray


def _connect(ray: Any, address: str) -> None:
    place = "here" if address == "auto" else f"at {address}"
    try:
        _knock(address)
    except (OSError, ValueError) as error:
        raise _no_cluster(place) from error
    try:
        with _kept_as_it_was():
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
            if worker := getattr(getattr(ray, "_private", None), "worker", None):
                worker._worker_logs_enabled = False  # or it tells stdout, where JSON is, of nodes that died
    except Exception as error:  # of another version of Ray or of Python, for instance: Ray has no one class for it
        if address == "auto" and isinstance(error, ConnectionError):
            raise _no_cluster(place) from error
        why = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        hint = (
            "Python and Ray must have the same versions on every machine; and a cluster that wants a token, which its "
            "RAY_AUTH_MODE says, wants it from here, too."
        )
        raise CuratorError(f"The Ray cluster {place} cannot be used: {why}.", hint) from error


def _no_cluster(place: str) -> CuratorError:
    hint = "`ray start --head` starts one on this machine; [engine] address, or RAY_ADDRESS, names another."
    return CuratorError(f"There is no Ray cluster {place}.", hint)


def lacking(error: Exception) -> CuratorError | None:
    """Say what to install on the machine where a task of Ray failed for want of a module; else None."""
    if not (found := re.search(r"No module named '[\w.]+'", str(error))):
        return None
    hint = "Every machine needs it: `pip install 'imageset-curator[ray]'` of the same version."
    place = getattr(error, "ip", "") or "?"
    return CuratorError(f"The machine {place} of the cluster lacks what a worker needs: {found[0]}.", hint)


def _knock(address: str) -> None:
    """Connect to a cluster's address and away again: Ray itself would try for minutes.

    Raises:
        OSError: nobody is there.
    """
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=_KNOCK_S).close()


@contextmanager
def _kept_as_it_was() -> Iterator[None]:
    """Undo what Ray does to a process that connects: its own handler of SIGTERM, its own debugger."""
    handler, debugger = signal.getsignal(signal.SIGTERM), os.environ.get("PYTHONBREAKPOINT")
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
        if debugger is None:
            os.environ.pop("PYTHONBREAKPOINT", None)
