"""The store holds each file once, whole, under its hash, and outlives every kind of death."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from curator.errors import DiskError
from curator.store.image_files import (
    Unnamed,
    name_files,
    recover,
    stored_hashes,
    sync_files,
    to_be_named,
    write_incoming,
    write_temporary,
    written_elsewhere,
)
from curator.store.image_store import stored_prefixes
from curator.store.paths import DataPaths

DATA = b"the bytes of a picture"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def paths(tmp_path):
    """An empty store."""
    return DataPaths(tmp_path, tmp_path, "balls")


def files(paths):
    """All files in the store, temporary ones too."""
    return sorted(path for path in paths.images.rglob("*") if path.is_file())


def test_a_file_gets_its_name_only_when_it_is_whole(paths):
    """Until it is named it stands under a temporary name in the same folder."""
    temporary = write_temporary(paths, DATA, SHA256, "jpeg")
    final = paths.image(SHA256, "jpeg")
    assert Path(temporary).parent == final.parent
    assert (Path(temporary).exists(), final.exists()) == (True, False)
    sync_files(paths.images, [temporary])
    name_files([Unnamed.of(temporary)])
    assert (Path(temporary).exists(), final.read_bytes()) == (False, DATA)
    assert final.stat().st_mode & 0o777 == 0o444


def test_the_same_content_is_written_once(paths):
    """A second copy is not even written; two written at the same time become one."""
    both = [write_temporary(paths, DATA, SHA256, "png") for _ in range(2)]
    name_files(map(Unnamed.of, both[:1]))
    inode = paths.image(SHA256, "png").stat().st_ino
    name_files(map(Unnamed.of, both[1:]))
    assert write_temporary(paths, DATA, SHA256, "png") is None
    assert files(paths) == [paths.image(SHA256, "png")]
    assert paths.image(SHA256, "png").stat().st_ino == inode  # links to it stay links to it


def test_what_comes_in_gets_the_name_of_its_content_or_is_gone_at_the_next_start(paths):
    """Until then it has no name that anybody reads, and lies in no folder of a content."""
    first = write_incoming(paths, [DATA[:5], b"", DATA[5:]])
    second = write_incoming(paths, [b"another"])
    assert [Path(one.path).parent for one in (first, second)] == [paths.images.absolute()] * 2
    assert (first.n_bytes, Path(first.path).stat().st_mode & 0o777) == (len(DATA), 0o444)
    assert list(stored_hashes(paths)) == []
    assert to_be_named(paths, first, SHA256, "jpeg") == (first.path, str(paths.image(SHA256, "jpeg").absolute()))
    recover(paths, {bytes.fromhex(SHA256): "jpeg"}.get)
    assert files(paths) == [paths.image(SHA256, "jpeg")]
    assert paths.image(SHA256, "jpeg").read_bytes() == DATA


def test_two_that_come_in_with_the_same_content_become_one(paths):
    """The second is removed when it would get its name."""
    name_files([to_be_named(paths, write_incoming(paths, [DATA]), SHA256, "jpeg") for _ in range(2)])
    assert files(paths) == [paths.image(SHA256, "jpeg")]


@pytest.mark.parametrize(("sha256", "kind"), [("../" * 21 + "a", "jpeg"), (SHA256[:-1], "png"), (SHA256, "../x")])
def test_no_name_leads_out_of_the_store(paths, sha256, kind):
    """What a file is called comes from who read a stranger's bytes."""
    with pytest.raises(ValueError, match=sha256[:9]):
        to_be_named(paths, write_incoming(paths, [DATA]), sha256, kind)
    folder = paths.images.absolute()
    for path in (f"{folder}/{sha256[:2]}/.tmp-0123456789ab-{sha256}.{kind}", f"{folder}/../a", str(folder)):
        with pytest.raises(ValueError, match=r"\S"):
            written_elsewhere(paths, path, sha256, kind)


def test_what_another_process_wrote_is_known_by_its_name(paths):
    """No other token, content or format than it would have: a NUL in it, and the file cannot be named."""
    written = write_temporary(paths, DATA, SHA256, "jpeg")
    assert written_elsewhere(paths, written, SHA256, "jpeg") == Unnamed.of(written)
    other = written.replace(SHA256, "ab" * 32)
    for bad in (written.replace(".tmp-", ".tmp-\0", 1), written.replace(".tmp-", ".tmp-0"), other, f"{written}/", ""):
        with pytest.raises(ValueError, match=r"^"):
            written_elsewhere(paths, bad, SHA256, "jpeg")
    with pytest.raises(ValueError, match=SHA256):
        written_elsewhere(paths, written, SHA256, "a" * 300)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no process")
def test_processes_that_were_forked_write_the_same_content_at_once(paths):
    """Each under a name of its own."""
    children = []
    for _ in range(3):
        child = os.fork()
        if not child:
            os._exit(write_temporary(paths, DATA, SHA256, "png") is None)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert len(files(paths)) == 3


def test_recovery_names_what_the_ledger_knows_and_removes_the_rest(paths):
    """Killed between the ledger and the naming, a file is named at the next start; killed before, it is rubbish."""
    known = write_temporary(paths, DATA, SHA256, "gif")
    unknown = write_temporary(paths, b"other", "0" * 64, "gif")
    (paths.images / "ab").mkdir()
    (paths.images / "ab" / ".tmp-what is this").write_bytes(b"")
    recover(paths, {bytes.fromhex(SHA256): "gif"}.get)
    assert not Path(known).exists()
    assert not Path(unknown).exists()
    assert files(paths) == [paths.image(SHA256, "gif")]
    assert list(stored_hashes(paths)) == [bytes.fromhex(SHA256)]


def test_recovery_never_names_half_a_file(paths):
    """Of two writers of the same content that were killed, the one that was not done is removed."""
    half = write_temporary(paths, DATA[:5], SHA256, "gif")
    recover(paths, lambda sha256: "gif")
    assert not Path(half).exists()
    assert files(paths) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("name", [".tmp-0123456789ab-", f"{SHA256[:2]}/.tmp-0123456789ab-{SHA256}.gif"])
def test_recovery_reads_and_names_no_link_and_no_pipe(paths, tmp_path, name):
    """Whoever put it there: what it points to is not taken into the store, and a pipe is not waited for."""
    outside, place = tmp_path / "outside", paths.images / name
    outside.write_bytes(DATA)
    place.parent.mkdir(parents=True)
    for put in (lambda: place.symlink_to(outside), lambda: place.symlink_to("nowhere"), lambda: os.mkfifo(place)):
        put()
        recover(paths, lambda sha256: "gif")
        assert [path for path in paths.images.rglob("*") if not path.is_dir()] == []
    assert outside.read_bytes() == DATA
    place.mkdir()
    recover(paths, lambda sha256: "gif")


def test_an_empty_store_is_no_error(paths):
    """Nothing was ever stored."""
    recover(paths, lambda sha256: "gif")
    assert list(stored_hashes(paths)) == []


def test_a_full_disk_leaves_no_partial_file(paths, monkeypatch):
    """Half of the bytes fit: the half is removed, and the error is the system's."""
    writes = iter([5])

    def write(descriptor, pieces):
        try:
            return next(writes)
        except StopIteration:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None

    monkeypatch.setattr("curator.store.image_files.os.writev", write)
    with pytest.raises(OSError, match="No space left"):
        write_temporary(paths, DATA, SHA256, "jpeg")
    assert files(paths) == []


def test_large_writes_may_come_in_parts(paths, monkeypatch):
    """A system that takes less than it was given is given the rest."""
    write = os.write
    monkeypatch.setattr("curator.store.image_files.os.writev", lambda opened, pieces: write(opened, pieces[0][:7]))
    temporary = write_temporary(paths, DATA, SHA256, "jpeg")
    assert Path(temporary).read_bytes() == DATA


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_files_are_synced_on_each_platform(paths, monkeypatch, platform):
    """Where one call cannot sync all, each file is synced."""
    monkeypatch.setattr("curator.store.image_files.sys.platform", platform)
    temporary = write_temporary(paths, DATA, SHA256, "jpeg")
    synced = []
    fsync = os.fsync
    monkeypatch.setattr("curator.store.image_files.os.fsync", lambda fd: synced.append(fd) or fsync(fd))
    sync_files(paths.images, [temporary])
    assert len(synced) == (platform != "linux")


def test_a_failing_sync_is_a_disk_error(paths, tmp_path):
    """No traceback for a folder that is gone."""
    with pytest.raises(DiskError, match="No such file"):
        sync_files(Path(tmp_path / "gone"))


def test_a_name_that_cannot_be_given_is_a_disk_error(paths):
    """The temporary file is gone: somebody cleaned up under us."""
    temporary = write_temporary(paths, DATA, SHA256, "jpeg")
    Path(temporary).unlink()
    with pytest.raises(DiskError, match="Cannot write"):
        name_files([Unnamed.of(temporary)])


def test_a_stray_file_is_none_of_the_store(paths):
    """A name that is no SHA-256, though of hex digits, is neither listed nor taken for a part of another one."""
    name_files([Unnamed.of(write_temporary(paths, DATA, SHA256, "gif"))])
    for stray in ("cafe.jpg", "00.jpg", "ab" * 33, "notes.txt"):
        (paths.images / SHA256[:2] / stray).write_bytes(b"x")
    assert list(stored_hashes(paths)) == [bytes.fromhex(SHA256)]
    assert len(stored_prefixes(paths)) == 1
