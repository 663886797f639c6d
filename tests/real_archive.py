"""A real server of a web archive, pywb, with captures that a test makes; `make test-archive` installs it."""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.fake_archive import Captured

_WRITE = """
import base64, io, json, sys
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter
with open(sys.argv[1], "wb") as file:
    writer = WARCWriter(file, gzip=True)
    for address, moment, body, kind, status in json.load(sys.stdin):
        body, lines = base64.b64decode(body), [("Content-Type", kind)]
        lines += [("Location", address + "/elsewhere")] if status == 302 else []
        head = StatusAndHeaders(f"{status} said", [*lines, ("Content-Length", str(len(body)))], protocol="HTTP/1.1")
        when = "{}-{}-{}T{}:{}:{}Z".format(moment[:4], *(moment[at:at + 2] for at in range(4, 14, 2)))
        record = writer.create_warc_record(address, "response", payload=io.BytesIO(body), http_headers=head,
                                           warc_headers_dict={"WARC-Date": when})
        writer.write_record(record)
"""


class Pywb(NamedTuple):
    """A server at work: its index, and the file that it logs requests in."""

    index: str
    log: Path

    def requests(self, pattern: str) -> list[str]:
        """The paths that were requested and match, in order."""
        asked = re.findall(r'"GET (/mine/\S+) HTTP', self.log.read_text("utf-8", "replace"))
        return [path for path in asked if re.search(pattern, path)]


@contextmanager
def pywb(programs: Path, folder: Path, captures: Iterable[Captured]) -> Iterator[Pywb]:
    """Serve these captures as the collection ``mine`` within the block; ``programs`` is the bin of pywb's venv."""
    rows = [(one.address, one.time, base64.b64encode(one.body).decode(), one.kind, one.status) for one in captures]
    write = [programs / "python", "-c", _WRITE, "mine.warc.gz"]
    subprocess.run(write, cwd=folder, input=json.dumps(rows), text=True, check=True)
    for words in (["init", "mine"], ["add", "mine", "mine.warc.gz"]):
        subprocess.run([programs / "wb-manager", *words], cwd=folder, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        command = [programs / "wayback", "-b", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            index = f"http://127.0.0.1:{port}/mine/cdx"
            _wait_for(f"{index}?url=example.com", server)
            yield Pywb(index, folder / "log")
        finally:
            server.terminate()
            server.wait(60)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(address, timeout=30).close()
            return
        except OSError:
            if time.monotonic() > until or server.poll() is not None:
                raise
            time.sleep(0.1)
