"""Who takes part in the fetch benchmark, and the command that each is run with.

>>> [contender.name for contender in contenders()][:3]
['curl', 'curl+decode', 'curator']
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
HOME = Path(tempfile.gettempdir()) / "curator-bench-fetch-peers"
PYTHON = HOME / ("Scripts" if os.name == "nt" else "bin") / "python"
PACKAGES = {"img2dataset": "img2dataset", "requests": "requests", "aiohttp": "aiohttp"}
CONNECTIONS = 64
"""Transfers in flight at once, of every contender but ``requests``."""

REQUESTS_THREADS = 16
"""More only wait for the interpreter."""

IMG2DATASET_THREADS = 32
"""In each of as many processes as there are cores: together the 64 transfers of the others."""

_TUNED = f"connections = {CONNECTIONS}\nper_host = {CONNECTIONS}\nretries = 0\n"
_RECIPE = """name = "bench"
labels = ["even", "odd"]
[[sources]]
kind = "url-list"
path = "urls.csv"
[fetch]
allow_private_hosts = true
"""

Prepare = Callable[[Sequence[str], Path], list[str]]


@dataclass(frozen=True)
class Contender:
    """One way to download a list.

    Attributes:
        name: how tables call it.
        settings: how it is set, in words.
        prepare: writes what it needs for a list of addresses into an empty folder, and gives the command to run there.
        exit_codes: what it ends with where all went well; some differ where links were dead or images are few.
    """

    name: str
    settings: str
    prepare: Prepare
    exit_codes: tuple[int, ...] = (0,)


def contenders() -> list[Contender]:
    """List all: the limit first, then ours, then the peers."""
    tuned = f"connections = per_host = {CONNECTIONS}, retries = 0"
    i2d = f"{os.cpu_count()} processes x {IMG2DATASET_THREADS} threads, resize_mode=no, compute_hash=None, retries=0"
    return [
        Contender("curl", f"curl --parallel --parallel-max {CONNECTIONS}", _curl, (0, 7, 22)),
        Contender("curl+decode", f"the same, then a bare strict decode by {os.cpu_count()} processes", _curl_decode),
        Contender(
            "curator", f"curator fetch --all; {tuned}", lambda urls, place: _curator(urls, place, _TUNED), (0, 1)
        ),
        Contender("download-only", f"its engine, SHA-256 and store; {tuned}", _download_only),
        Contender("img2dataset", f"{i2d}, skip_reencode", _peer("img2dataset", IMG2DATASET_THREADS)),
        Contender("img2dataset-raw", f"{i2d}, disable_all_reencoding", _peer("img2dataset-raw", IMG2DATASET_THREADS)),
        Contender("requests", f"{REQUESTS_THREADS} threads, a session each", _peer("requests", REQUESTS_THREADS)),
        Contender("aiohttp", f"one session, {CONNECTIONS} tasks", _peer("aiohttp", CONNECTIONS)),
    ]


def at_defaults() -> Contender:
    """Our whole fetch as it is shipped, but for the leave to ask this machine."""
    return Contender("curator, defaults", "as shipped", lambda urls, place: _curator(urls, place, ""), (0, 1))


def missing(names: Sequence[str]) -> dict[str, str]:
    """Install the peers that are named where they are not there yet; name those that cannot run, with the reason."""
    if not PYTHON.exists():
        venv.create(HOME, with_pip=True)
    lacking = {} if shutil.which("curl") else dict.fromkeys(("curl", "curl+decode"), "curl is not installed")
    for package in sorted(
        {PACKAGES[name.removesuffix("-raw")] for name in names if name.removesuffix("-raw") in PACKAGES}
    ):
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            lacking |= {name: why for name in names if name.removesuffix("-raw") == package}
    return lacking


def _curl(urls: Sequence[str], place: Path) -> list[str]:
    lines = (f'url = "{url}"\noutput = "{number}.jpg"\n' for number, url in enumerate(urls))
    (place / "urls.cfg").write_text("".join(lines), encoding="utf-8")
    return ["curl", "--silent", "--fail", "--parallel", "--parallel-max", str(CONNECTIONS), "--config", "urls.cfg"]


def _curl_decode(urls: Sequence[str], place: Path) -> list[str]:
    _curl(urls, place)
    return [sys.executable, str(HERE / "curl_decode.py"), str(place), str(CONNECTIONS)]


def _curator(urls: Sequence[str], place: Path, settings: str) -> list[str]:
    folder = place / "manifests" / "bench"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(_RECIPE + settings, encoding="utf-8")
    rows = (f"{url},{('even', 'odd')[number % 2]}\n" for number, url in enumerate(urls))
    (folder / "urls.csv").write_text("url,label\n" + "".join(rows), encoding="utf-8")
    return [sys.executable, "-m", "curator", "fetch", "--all", "--quiet", "--recipe", "bench"]


def _download_only(urls: Sequence[str], place: Path) -> list[str]:
    return [sys.executable, str(HERE / "download_only.py"), str(_list(urls, place)), str(place), str(CONNECTIONS)]


def _peer(name: str, workers: int) -> Prepare:
    def prepare(urls: Sequence[str], place: Path) -> list[str]:
        return [str(PYTHON), str(HERE / "fetch_peers.py"), name, str(_list(urls, place)), str(place), str(workers)]

    return prepare


def _list(urls: Sequence[str], place: Path) -> Path:
    path = place / "list.txt"
    path.write_text("\n".join(urls), encoding="utf-8")
    return path
