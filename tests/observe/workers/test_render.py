"""No file on the disk is decoded in this process: one that was exchanged for a bomb costs only its worker."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image, ImageFile

from curator.embed.squares import read_square
from curator.errors import CuratorError
from curator.export.loaders.split_pictures import open_picture
from curator.export.resizing import Resizing
from curator.observe.pixels import decode_rgb
from curator.observe.renderings import Rendering
from curator.observe.thumbnails import data_uri, encode_small
from curator.observe.workers import render as render_module
from curator.observe.workers.render import UndecodableError, render, render_picture, render_to
from tests.observe.drawings import draw, encode
from tests.peak_memory import forget_peak, peak_bytes

PHOTO = encode(draw(120, 90), "JPEG")
SABOTAGE = """
import json, os
import curator.observe.pixels as pixels
import curator.observe.workers.confine as confinement
confinement.confine = lambda writable: ()
decode_rgb = pixels.decode_rgb
def sabotaged(data, **limits):
    if data.startswith(b"ABORT"):
        os.abort()
    if data.startswith(b"BLOCK"):
        while True:
            pass
    if data.startswith(b"ONCE") and not os.path.exists(data[4:]):
        os.mkdir(data[4:])
        os.kill(os.getpid(), 9)
    if data.startswith(b"SAY"):
        honest, said = json.dumps, eval(data[3:])
        def lie(values):
            json.dumps = honest if values else lie
            return said if values else honest(values)
        json.dumps = lie
    if data.startswith(b"GREEDY"):
        bytearray(1 << 36)
    return decode_rgb(data, **limits)
pixels.decode_rgb = sabotaged
"""


LIES = (
    b"SAY '[' * 10000", b"SAY '[]'", b"SAY 'x'", b"SAY '9' * 100000", b"SAY '{\"size\": [1]}'", b"SAY '{\"errno\": 7}'",
    b"SAY '{\"size\": [9, 9]}'", b"SAY '{\"size\": [-1, 9]}'",
)  # fmt: skip
"""What a decoder that was broken has its process say of a rendering."""


def bomb(width: int, height: int) -> bytes:
    """A PNG of one colour: 400 million pixels are 300 KB."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(9)
    row = bytes(1 + width * 3)
    body = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def bomb_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bomb") / "bomb.png"
    path.write_bytes(bomb(20_000, 5_100))
    return path


@pytest.fixture
def sabotage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the workers' decoder crash, block or take all memory, on files that say so."""
    folder = tmp_path / "sabotage"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SABOTAGE)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(render_module, "_PROCESSES", render_module._Processes())


def test_every_way_to_show_a_picture_refuses_too_many_pixels(bomb_file: Path) -> None:
    """By its header: thumbnails, embedded pictures, squares for networks, exports, loaders, converted files."""
    sha256 = hashlib.sha256(bomb_file.read_bytes()).hexdigest()
    forget_peak()
    before = peak_bytes()
    assert encode_small(bomb_file, 256) is None and data_uri(bomb_file) is None
    for work in (
        lambda: read_square(bomb_file, sha256, 224),
        lambda: open_picture(bomb_file),
        lambda: Resizing(64).write(bomb_file, bomb_file.with_suffix(".out.png"), 100_000_000),
    ):
        with pytest.raises(CuratorError, match=r"20000 x 5100 pixels are more than `max_pixels` \(100,000,000\)"):
            work()
    assert peak_bytes() - before < 100_000_000
    # With a larger limit it is shown: the picture takes memory in the worker, and next to none here.
    small = encode_small(bomb_file, 64, max_pixels=102_000_000)
    assert small is not None and Image.open(io.BytesIO(small)).size == (64, 16)
    assert peak_bytes() - before < 100_000_000


def test_a_rendering_is_what_the_decoder_here_would_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pixels and the same bytes, also of a file that takes many pieces, from several threads at once."""
    noise = np.random.default_rng(1).integers(0, 256, (700, 900, 3), np.uint8)
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    with ThreadPoolExecutor(4) as threads:
        pictures = list(threads.map(lambda _: render_picture(path, Rendering(), 630_000), range(8)))
    assert all(np.array_equal(np.asarray(one), noise) for one in pictures)
    with (tmp_path / "again.png").open("wb") as file:
        assert render_to(file, path, Rendering("PNG"), 630_000) == (900, 700)
    decode_rgb(path.read_bytes()).save(tmp_path / "here.png", "PNG")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "here.png").read_bytes()
    jpeg = Rendering("JPEG", options={"quality": 95, "subsampling": 0, "optimize": True})
    monkeypatch.setattr(ImageFile, "MAXBLOCK", 1 << 22)  # else Pillow cannot optimize noise
    decode_rgb(path.read_bytes()).save(tmp_path / "here.jpg", "JPEG", **jpeg.options)
    assert render(path, jpeg, 630_000) == (tmp_path / "here.jpg").read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"ABORT", "the decoder crashed"),
        (b"BLOCK", r"took longer than 2 s"),
        (b"GREEDY", "memory"),
        (b"ONCE", "no decoder here|no known kind"),
        *((said, "the decoder replied what none does|crashed") for said in LIES),
    ],
)
def test_a_file_that_kills_its_worker_is_named_and_the_next_is_rendered(
    sabotage: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, words: str
) -> None:
    """A crash, an endless loop, greed; and a worker that was killed from outside costs no picture."""
    if data == b"GREEDY" and sys.platform != "linux":
        pytest.skip("the memory limit works on Linux")
    monkeypatch.setattr(render_module, "MAX_SECONDS", 2.0)
    data += os.fsencode(tmp_path / "once") if data == b"ONCE" else b""
    path = tmp_path / "file.png"
    path.write_bytes(data)
    with pytest.raises(UndecodableError, match=words):
        render_picture(path, Rendering(), 1_000_000)
    assert render(PHOTO, Rendering("JPEG", "within", 40), 1_000_000).startswith(b"\xff\xd8")


@pytest.mark.parametrize("kind", ["absent", "pipe", "device", "folder"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    """In the place of a stored image may stand a pipe or a device without end."""
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(UndecodableError, match=r"No such file|no regular file|directory"):
        render(path, Rendering(), 1_000_000)


def test_processes_stop_when_there_is_no_work_and_are_not_shared_with_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook that showed pictures once keeps no processes; a data loader's forked workers have their own."""
    start, workers = render_module._started, []
    monkeypatch.setattr(render_module, "_PROCESSES", render_module._Processes())
    monkeypatch.setattr(render_module, "_IDLE_SECONDS", 0.4)
    monkeypatch.setattr(render_module, "_started", lambda max_pixels: workers.append(start(max_pixels)) or workers[-1])
    render(PHOTO, Rendering(), 1_000_000)
    assert workers[0].process.wait(240) is not None
    program = """
import os, sys
from pathlib import Path
from curator.observe.renderings import Rendering
from curator.observe.workers.render import render
first = render(Path(sys.argv[1]), Rendering(), 1_000_000)
child = os.fork()
if not child:
    os._exit(render(Path(sys.argv[1]), Rendering(), 1_000_000) != first)
assert render(Path(sys.argv[1]), Rendering(), 1_000_000) == first
assert os.waitpid(child, 0)[1] == 0
"""
    path = tmp_path / "photo.jpg"
    path.write_bytes(PHOTO)
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=300)


def test_a_process_that_changes_its_folder_has_the_right_file_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that is kept from the first folder renders what the same relative name means in the second."""
    monkeypatch.setattr(render_module, "_PROCESSES", render_module._Processes())
    starts = Mock(wraps=render_module._started)
    monkeypatch.setattr(render_module, "_started", starts)
    shades = (10, 200)
    for shade in shades:
        (tmp_path / str(shade)).mkdir()
        Image.new("L", (64, 64), shade).save(tmp_path / str(shade) / "photo.png")
    for shade in (*shades, *shades):
        monkeypatch.chdir(tmp_path / str(shade))
        assert render_picture(Path("photo.png"), Rendering(), 1_000_000).getpixel((0, 0)) == (shade,) * 3
    assert starts.call_count == 1
