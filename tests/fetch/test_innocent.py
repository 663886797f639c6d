"""What the machine lacks or a host does costs no image of another: open files, and files that kill decoders."""

from __future__ import annotations

import errno
import io
import socket
from types import SimpleNamespace

import pytest

from curator.fetch.network import room
from curator.reasons import Drop
from tests.small_webs import PictureHandler, serving
from tests.small_worlds import picture

SABOTAGE = """
import os
import curator.observe.observation as observation
look_at = observation.look_at
def sabotaged(data, *, max_pixels):
    data = bytes(data)
    if data.startswith(b"ABORT"):
        os.abort()
    return look_at(data, max_pixels=max_pixels)
observation.look_at = sabotaged
"""


class Handler(PictureHandler):
    """Answers with pictures, and under ``/bad/`` with what kills a decoder."""

    def do_GET(self) -> None:  # noqa: N802 -- http.server's name
        stream = io.BytesIO()
        picture(len(self.path) + int(self.path[-5])).save(stream, "JPEG")
        self.send_body(200, self.path.encode().join([b"ABORT", b""]) if "/bad/" in self.path else stream.getvalue())


def test_a_host_whose_files_kill_decoders_is_given_up(listed, shelf, reasons, tmp_path, monkeypatch):
    """After three; the others are fetched, and `--retry failed` asks again."""
    (tmp_path / "sabotage").mkdir()
    (tmp_path / "sabotage" / "sitecustomize.py").write_text(SABOTAGE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "sabotage"))
    with serving(Handler) as bad, serving(Handler) as good:
        urls = [f"http://127.0.0.1:{bad}/bad/{n // 10}/{n % 10}.jpg" for n in range(40)]
        table = shelf.fetch(listed([*urls, *(f"http://127.0.0.1:{good}/{n}.jpg" for n in range(6))]))
        found = dict(zip(table["url"], reasons(table), strict=True))
        assert [found[url] for url in found if url not in urls] == [None] * 6
        assert {found[url] for url in urls} == {Drop.DECODER_CRASHED}
        crashed = table[table["url"].isin(urls)]["drop_detail"]
        n_unseen = int(crashed.str.startswith("not looked at").sum())
        assert 25 <= n_unseen <= 37
        monkeypatch.delenv("PYTHONPATH")
        again = shelf.fetch(listed(urls), retry="failed")
        assert set(reasons(again)) == {Drop.NOT_AN_IMAGE}


def test_sockets_that_cannot_be_had_are_waited_for(listed, shelf, reasons, monkeypatch):
    """The run goes on with fewer connections; no image is refused for it."""
    lacking, made = [errno.EMFILE] * 9, socket.socket

    def scarce(*args, **kwargs):
        if lacking:
            raise OSError(lacking.pop(), "Too many open files")
        return made(*args, **kwargs)

    with serving(Handler) as port:
        monkeypatch.setattr("curator.fetch.network.transfer.socket", SimpleNamespace(socket=scarce))
        urls = [f"http://127.0.0.1:{port}/{n}.jpg" for n in range(9)]
        assert reasons(shelf.fetch(listed(urls))) == [None] * 9
    assert not lacking


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "raised"),
    [(1024, 1 << 20, 64, 1024), (256, 256, 8, 256), (256, 4096, 64, 704), (16, 16, 1, 16), (-1, -1, 64, -1)],
)
def test_the_limit_of_open_files_is_raised_or_kept_to(soft, hard, connections, raised, monkeypatch):
    """As far as this process may; else there are fewer connections."""
    limits = [(soft, hard)]
    known = SimpleNamespace(
        RLIMIT_NOFILE=0,
        RLIM_INFINITY=-1,
        getrlimit=lambda which: limits[-1],
        setrlimit=lambda which, pair: limits.append(pair),
    )
    monkeypatch.setattr(room, "resource", known)
    assert (room.room_for(64), limits[-1][0]) == (connections, raised)
    assert room.idle_for(connections) >= 1
