"""A mirror holds every image by its content, whole at every instant; rows in = written + refused by reason."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

import curator
from curator.cli.app import app
from curator.errors import CuratorError, StateError
from curator.export.mirror import to_folder
from curator.export.mirror.kind import DAMAGED, NO_ADDRESS, NOT_STORED, OF_OTHERS, PRESENT, REPAIRED, WRITTEN
from curator.manifests.manifest import manifest_text, read_manifest
from tests.s3_server import bytes_in, names_in, s3_server
from tests.small_worlds import write_folder


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> curator.Dataset:
    """A finished data set of 12 images, a third of which have no address of the web."""
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "photos", 6)
    data = curator.create("small", labels=["rugby", "soccer"], sources=[{"kind": "folder", "path": "photos"}])
    data.split()
    rows = read_manifest(data.paths.manifest)
    url = [f"https://h.example/a b/{n}.jpg" if n % 3 else None for n in range(len(rows))]
    archived = [f"https://archive.example/{n}" if n == 1 else None for n in range(len(rows))]
    rows = rows.assign(url=url, fallback_url=url, archive_url=archived)
    data.paths.manifest.write_text(manifest_text(rows), encoding="utf-8")
    return data


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_holds_each_file_once_by_its_content(small: curator.Dataset, tmp_path: Path) -> None:
    """Twice: written, then there already; the bytes have the SHA-256 that names them; the manifest lies beside them."""
    first = small.mirror(tmp_path / "backup")
    assert first.counts == {WRITTEN: 12} and not first.refused
    files = files_of(tmp_path / "backup")
    images = {name: content for name, content in files.items() if name.startswith("images/")}
    assert len(images) == 12 and len(files) == 13
    for name, content in images.items():
        digest = hashlib.sha256(content).hexdigest()
        assert name == f"images/{digest[:2]}/{digest}.jpg"
    assert small.mirror(tmp_path / "backup").counts == {PRESENT: 12}
    assert files_of(tmp_path / "backup") == files
    for n, status in ((0, 0), (1, 1)):  # the lines that it prints verify the folder; one damaged file is found
        done = subprocess.run(["bash", "-c", first.snippet], cwd=first.path, capture_output=True, check=False)
        assert done.returncode == status, (n, done)
        damaged = next((tmp_path / "backup" / "images").glob("*/*"))
        damaged.chmod(0o644)
        damaged.write_bytes(b"rot")


def test_what_is_damaged_or_gone_is_said_and_what_is_of_others_stays(small: curator.Dataset, tmp_path: Path) -> None:
    """Rows in = written + refused, by reason; a damaged copy is written anew; no file of others is touched."""
    target = tmp_path / "backup"
    names = sorted(small.paths.images.rglob("*.jpg"))
    (target / "images").mkdir(parents=True)
    mine = {target / "images" / ".tmp-notes": b"mine", target / "images" / "holiday.jpg": b"x", target / "a.txt": b"y"}
    for path, content in mine.items():
        path.write_bytes(content)
    blocked = target / names[0].relative_to(small.paths.folder)
    blocked.mkdir(parents=True)
    names[1].unlink()
    names[2].chmod(0o644)
    names[2].write_bytes(b"rot")
    copy = target / names[3].relative_to(small.paths.folder)
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(b"half a file")
    left = copy.with_name(f".tmp-mirror-{'0' * 12}-{names[3].name}")
    left.write_bytes(b"of a run that was killed")
    done = small.mirror(target)
    assert done.counts == {WRITTEN: 8, REPAIRED: 1, OF_OTHERS: 1, NOT_STORED: 1, DAMAGED: 1}
    assert len(done.outcomes) == 12 and sum(done.counts.values()) == 12
    assert sum(done.refused.values()) == 3 and copy.read_bytes() == names[3].read_bytes() and not left.exists()
    assert all(path.read_bytes() == content for path, content in mine.items()) and blocked.is_dir()
    assert not list(target.rglob(".tmp-mirror-*"))


def test_a_mirror_that_is_interrupted_leaves_whole_files_and_goes_on(
    small: curator.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C amid the files: nothing half has a final name, nothing is left behind, and the next run adds the rest."""
    monkeypatch.setattr(to_folder, "_BATCH", 2)
    real, seen = to_folder._copy, []

    def stop(*given) -> str:  # type: ignore[no-untyped-def]
        seen.append(given)
        if len(seen) == 6:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(to_folder, "_copy", stop)
    with pytest.raises(KeyboardInterrupt):
        small.mirror(tmp_path / "backup")
    files = files_of(tmp_path / "backup")
    assert len(files) == 4
    assert all(hashlib.sha256(content).hexdigest() in name for name, content in files.items())
    assert small.mirror(tmp_path / "backup").counts == {WRITTEN: 8, PRESENT: 4}


def test_two_data_sets_share_a_folder_and_a_new_manifest_keeps_the_old(small: curator.Dataset, tmp_path: Path) -> None:
    """The manifest is named by its content."""
    small.mirror(tmp_path / "backup")
    rows = read_manifest(small.paths.manifest)
    small.paths.manifest.write_text(manifest_text(rows.iloc[:6]), encoding="utf-8")
    assert small.mirror(tmp_path / "backup").counts == {PRESENT: 6}
    kept = sorted((tmp_path / "backup" / "manifests").glob("small-*.csv"))
    assert sorted(len(read_manifest(path)) for path in kept) == [6, 12]


def test_git_annex_gets_keys_names_and_addresses(small: curator.Dataset, tmp_path: Path) -> None:
    """A line a file and a line an address, in the form that its commands read; those without an address are refused."""
    done = small.mirror(tmp_path / "annex", to="git-annex")
    assert done.counts == {WRITTEN: 8, NO_ADDRESS: 4}
    rows = read_manifest(small.paths.manifest).set_index("sha256")
    lines = (tmp_path / "annex" / "annex-files-small.txt").read_text().splitlines()
    assert len(lines) == 8
    for line in lines:
        key, name = line.split(" ", 1)
        sha256 = key.rpartition("--")[2].removesuffix(".jpg")
        assert key == f"SHA256E-s{rows['n_bytes'][sha256]}--{sha256}.jpg" and name == rows["file"][sha256]
    addresses = (tmp_path / "annex" / "annex-urls-small.txt").read_text().splitlines()
    assert len(addresses) == 9 and sum("archive.example" in one for one in addresses) == 1
    assert all(one.count(" ") == 1 for one in addresses)
    assert small.mirror(tmp_path / "annex", to="git-annex").counts == {PRESENT: 8, NO_ADDRESS: 4}
    (tmp_path / "annex" / "annex-urls-small.txt").write_text("my own notes\n")
    with pytest.raises(CuratorError, match=r"annex-urls-small.txt is no list of git-annex keys. Move it away"):
        small.mirror(tmp_path / "annex", to="git-annex")


def test_dvc_gets_an_import_for_each_image(small: curator.Dataset, tmp_path: Path) -> None:
    """With address, size and MD5; one of others stays; what changed sides leaves its old place."""
    target = tmp_path / "dvc"
    rows = read_manifest(small.paths.manifest)
    first, second = (f"{file}.dvc" for file in rows["file"][rows["url"].notna()].iloc[:2])
    (target / first).parent.mkdir(parents=True)
    (target / first).write_text("outs: []\n")
    done = small.mirror(target, to="dvc")
    assert done.counts == {WRITTEN: 7, NO_ADDRESS: 4, OF_OTHERS: 1} and (target / first).read_text() == "outs: []\n"
    text = (target / second).read_text()
    content = (small.paths.folder / second.removesuffix(".dvc")).read_bytes()
    assert f"- md5: {hashlib.md5(content).hexdigest()}\n  size: {len(content)}\n" in text
    assert '- path: "https://h.example/a%20b/' in text and text.startswith("# curator mirror: small\nfrozen: true\n")
    (target / second).write_text(text + "md5: added by dvc update\n")
    assert small.mirror(target, to="dvc").counts == {PRESENT: 7, NO_ADDRESS: 4, OF_OTHERS: 1}
    gone = rows[rows["file"] + ".dvc" != second]
    small.paths.manifest.write_text(manifest_text(gone), encoding="utf-8")
    small.mirror(target, to="dvc")
    assert not (target / second).exists() and (target / first).exists()


def test_an_import_names_the_archive_of_a_rescued_image_and_the_whole_address(
    small: curator.Dataset, tmp_path: Path
) -> None:
    """The image's own address is dead; one that only begins alike is another one; quotes are no difference."""
    rows = read_manifest(small.paths.manifest)
    rescued = rows["archive_url"].notna().idxmax()
    small.mirror(tmp_path, to="dvc")
    place = tmp_path / f"{rows['file'][rescued]}.dvc"
    assert '- path: "https://archive.example/1"\n' in place.read_text()
    small.paths.manifest.write_text(manifest_text(rows.assign(archive_url=None)), encoding="utf-8")
    assert small.mirror(tmp_path, to="dvc").counts[WRITTEN] == 1
    longer = place.read_text().replace('a%20b/1.jpg"', 'a%20b/1.jpg?large"').replace('"', "")
    place.write_text(longer)
    assert small.mirror(tmp_path, to="dvc").counts[WRITTEN] == 1 and "?large" not in place.read_text()
    place.write_text(place.read_text().replace('"', ""))
    assert WRITTEN not in small.mirror(tmp_path, to="dvc").counts


def test_two_data_sets_have_lists_of_their_own(small: curator.Dataset, tmp_path: Path) -> None:
    """In one folder neither replaces the other's, and what is printed names its own."""
    done = small.mirror(tmp_path / "annex", to="git-annex")
    before = files_of(tmp_path / "annex")
    other = curator.create("other", labels=["rugby", "soccer"], sources=[{"kind": "folder", "path": "photos"}])
    other.split()
    told = other.mirror(tmp_path / "annex", to="git-annex")
    assert files_of(tmp_path / "annex").keys() - before == {"annex-files-other.txt", "annex-urls-other.txt"}
    assert {name: files_of(tmp_path / "annex")[name] for name in before} == before
    assert "batch < annex-files-other.txt" in told.snippet and "batch < annex-urls-small.txt" in done.snippet


@pytest.mark.skipif(not shutil.which("git-annex"), reason="git-annex is not installed")
def test_git_annex_reads_the_lists(small: curator.Dataset, tmp_path: Path) -> None:
    """The real one makes a link for each line, and knows the addresses."""
    target = tmp_path / "annex"
    done = small.mirror(target, to="git-annex")
    who = {f"GIT_{role}_{what}": "ann@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    script = "git init -q . && git annex init -q here && " + " && ".join(done.snippet.splitlines()[:2])
    subprocess.run(["bash", "-c", script], cwd=target, env={**os.environ, **who}, check=True, capture_output=True)
    keys = {line.split(" ")[0] for line in (target / "annex-files-small.txt").read_text().splitlines()}
    links = [path for path in target.rglob("*.jpg") if path.is_symlink() and ".git" not in path.parts]
    assert {path.readlink().name for path in links} == keys and len(links) == 8


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("photos/rugby/000.jpg", "is a file. Choose a folder."),
        ("data/small/images", "in the data set's own folder"),
        (" ", "is empty. Name a folder"),
    ],
)
def test_a_place_that_cannot_be_one(small: curator.Dataset, target: str, said: str) -> None:
    """One paragraph; nothing is written."""
    with pytest.raises(CuratorError, match=said):
        small.mirror(target)
    if (place := Path(target)).suffix == "" and target.strip():
        with pytest.raises(CuratorError, match=said):
            small.mirror(f"file://{place.absolute()}")


def test_no_manifest_no_kind_and_a_folder_that_is_a_link(small: curator.Dataset, tmp_path: Path) -> None:
    """Each is said; through a link nothing is written."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="is a link"):
        small.mirror(tmp_path / "backup")
    (tmp_path / "backup" / "images").rename(tmp_path / "backup" / "latest")  # a link of somebody else is no matter
    assert small.mirror(tmp_path / "backup").counts == {WRITTEN: 12}
    with pytest.raises(CuratorError, match=r"no mirror of the kind 'annex'.*git-annex"):
        small.mirror(tmp_path / "new", to="annex")
    small.paths.manifest.unlink()
    with pytest.raises(StateError, match="curator split"):
        small.mirror(tmp_path / "new")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_command_prints_what_became_of_each_and_ends_with_1_if_some_are_missing(
    small: curator.Dataset, tmp_path: Path
) -> None:
    """Both for a person and as JSON."""
    shown = CliRunner().invoke(app, ["mirror", "backup"])
    assert shown.exit_code == 0 and "12 images: backup" in shown.output and "sha256sum" in shown.output
    said = CliRunner().invoke(app, ["mirror", "lists", "--to", "git-annex", "--json"])
    assert said.exit_code == 1
    assert json.loads(said.stdout)["outcomes"] == {"written": 8, "without an address of the web": 4}


def test_an_object_store_holds_each_file_once(
    small: curator.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put if absent: written, then there already; what is of another length is made anew; nothing else is touched."""
    with s3_server(monkeypatch) as client:
        client.put_object(Bucket="pictures", Key="backup/images/own.txt", Body=b"mine")
        first = small.mirror("s3://pictures/backup")
        assert first.counts == {WRITTEN: 12} and "aws s3 sync s3://pictures/backup ." in first.snippet
        names = [name for name in names_in(client) if name.endswith(".jpg")]
        for name in names:
            digest = hashlib.sha256(bytes_in(client, name)).hexdigest()
            assert name == f"backup/images/{digest[:2]}/{digest}.jpg"
        assert len(names) == 12 and len(names_in(client)) == 14
        assert small.mirror("s3://pictures/backup").counts == {PRESENT: 12}
        whole = bytes_in(client, names[0])
        client.put_object(Bucket="pictures", Key=names[0], Body=whole[:-1])
        stored = next(small.paths.images.glob("*/*"))
        stored.chmod(0o644)
        stored.write_bytes(b"rot")
        expected = {PRESENT: 10, REPAIRED: 1, DAMAGED: 1} if stored.name not in names[0] else {PRESENT: 11, DAMAGED: 1}
        assert small.mirror("s3://pictures/backup").counts == expected
        assert bytes_in(client, "backup/images/own.txt") == b"mine"
        with pytest.raises(CuratorError, match="is no folder, and dvc writes lists into one"):
            small.mirror("s3://pictures/backup", to="dvc")
        with pytest.raises(CuratorError, match="is no address of an object store"):
            small.mirror("ftp://pictures/backup")
        done = CliRunner().invoke(app, ["mirror", "s3://pictures/other", "--recipe", "small"])
        assert done.exit_code == 1, done.output  # one is damaged
        assert len([name for name in names_in(client) if name.startswith("other/images")]) == 11


def test_a_mirror_in_a_folder_of_objects_is_checked_by_the_line_that_it_prints(
    small: curator.Dataset, tmp_path: Path
) -> None:
    """`file://` makes what a plain folder has."""
    pytest.importorskip("obstore")
    done = small.mirror(f"file://{tmp_path}/objects")
    plain = small.mirror(tmp_path / "plain")
    assert done.counts == plain.counts and files_of(tmp_path / "objects") == files_of(tmp_path / "plain")
    assert subprocess.run(["bash", "-c", done.snippet], capture_output=True, check=False).returncode == 0
