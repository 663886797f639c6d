"""Frames of videos: which are taken, what they are called, and what becomes of videos that cannot be read."""

from __future__ import annotations

import errno
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from curator.errors import DiskError, SourceError
from curator.pipeline import run_stages as pipeline
from curator.pipeline.acquire import AcquireOptions
from curator.pipeline.forget import forget
from curator.reasons import Stage
from curator.sources.video import frames
from curator.sources.video.video_source import Video
from curator.survey.survey import survey
from tests.small_worlds import small_project

RATE, SCENE_FRAMES = 10, 15


def write_video(path: Path, n_scenes: int, seed: int) -> None:
    """Write a video of 1.5 s a scene: a view that moves across a picture made at random."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (160, 120))
    assert writer.isOpened()
    rng = np.random.default_rng(seed)
    for _ in range(n_scenes):
        small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = cv2.resize(small, (200, 120), interpolation=cv2.INTER_CUBIC)
        for shift in range(SCENE_FRAMES):
            writer.write(np.ascontiguousarray(picture[:, shift : shift + 160]))
    writer.release()


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two labels with two videos each; and what only says that it is a video: text, a playlist, half of one."""
    root = tmp_path_factory.mktemp("videos")
    names = ("rugby/match 1.avi", "rugby/train/b.avi", "soccer/test/1.avi", "soccer/train/2.avi")
    for number, name in enumerate(names):
        write_video(root / name, 2, number)
    (root / "rugby/notes.txt").write_text("no video")
    (root / "rugby/text.mp4").write_text("no video either")
    (root / "soccer/list.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\n{root}/rugby/match 1.avi\n")
    whole = (root / "rugby/match 1.avi").read_bytes()
    (root / "soccer/cut.avi").write_bytes(whole[: len(whole) // 4])
    return root


def test_frames_are_taken_at_a_rate_and_stay_together(videos, context, told):
    """One a second from the first on, named by video and second; those of a video are one group; a side is kept."""
    rows = Video(path=str(videos)).list_images(0, context.labels, context).set_index("source_id")
    names = [f"rugby/match 1.avi#t={second}.000" for second in range(3)]
    assert [name for name in rows.index if "match" in name] == names
    assert set(rows["listed_group"][names]) == {"rugby/match 1.avi"}
    assert rows["listed_split"].dropna().groupby(level=0).first()["soccer/test/1.avi#t=0.000"] == "test"
    assert all(cv2.imread(path).shape == (120, 160, 3) for path in rows["local_path"])
    assert "left out what is no label's video: .txt 1" in told()


def test_what_cannot_be_read_is_named_and_the_others_go_on(videos, context, told):
    """Text, and a playlist that names another file: no video; half a video gives what it has, and that is said."""
    rows = Video(path=str(videos), every=0.5).list_images(0, context.labels, context)
    said = told()
    for name in ("rugby/text.mp4", "soccer/list.mp4"):
        assert f"{videos / name} was left out: no video that can be decoded here" in said
    of_half = rows["source_id"].str.startswith("soccer/cut.avi").sum()
    assert 0 < of_half < 6 and "cut.avi ends after" in said
    with pytest.raises(SourceError, match="no frame of 1 video of it was to be had"):
        Video(path=str(videos / "rugby/text.mp4"), label="rugby").list_images(0, ("rugby",), context)
    with pytest.raises(SourceError, match="has no video for rugby, soccer; it holds"):
        Video(path=str(videos / "rugby"), layout="nested").list_images(0, context.labels, context)


def test_one_frame_a_scene(videos, context):
    """Each of the two scenes once, a quarter of a second after it begins."""
    video = Video(path=str(videos / "rugby/match 1.avi"), label="rugby", scenes=True)
    rows = video.list_images(0, ("rugby",), context)
    assert rows["source_id"].tolist() == [f"match 1.avi#t={second}" for second in ("0.300", "1.800")]


def test_a_video_is_read_once(videos, context, monkeypatch):
    """The next listing starts no reader; another rate, or a frame that is gone, reads again, and gives the same."""
    video = Video(path=str(videos / "rugby/match 1.avi"), label="rugby")
    before = video.list_images(0, ("rugby",), context)
    started = []
    start = subprocess.Popen
    monkeypatch.setattr(frames.subprocess, "Popen", lambda *a, **k: started.append(a) or start(*a, **k))
    assert video.list_images(0, ("rugby",), context).equals(before) and not started
    Path(before["local_path"][1]).unlink()
    assert video.list_images(0, ("rugby",), context).equals(before) and len(started) == 1


def test_a_reader_that_dies_costs_its_video_only(videos, context, monkeypatch, told):
    """It is named as left out, nothing of it is kept as known, and the next listing tries it again."""
    video = Video(path=str(videos), label="rugby")
    monkeypatch.setattr(frames, "READER", "curator.no_such_reader")
    with pytest.raises(SourceError, match="no frame of 7 videos"):
        video.list_images(0, ("rugby",), context)
    assert told().count("the decoder crashed, or used too much memory or time") == 7
    monkeypatch.undo()
    assert len(video.list_images(0, ("rugby",), context))


def test_two_commands_from_videos_to_folders(videos, tmp_path):
    """No video is on both sides, names say video and second; what is forgotten is gone from the frames kept, too."""
    found = survey([str(videos)])
    assert (dict(found.counts), found.unit) == ({"rugby": 3, "soccer": 4}, "video")
    text = (
        f'name = "small"\nlabels = ["rugby", "soccer"]\n[[sources]]\nkind = "video"\npath = "{videos}"\n'
        '[balance]\nper_class = "all"\n[dedupe]\nmode = "off"\n[split]\nratio = 0.5\n'
    )
    project = small_project(tmp_path, text)
    pipeline.fetch(project)
    rows = pipeline.decide(project, Stage.SPLIT, {}).table
    kept = rows[rows["split"].notna()]
    assert kept.groupby("listed_group")["split"].nunique().max() == 1 and set(kept["split"]) == {"train", "test"}
    names = sorted(path.name for path in project.paths.folder.glob("t*/rugby/*"))
    assert any(name.startswith("match_1_avi_t_2_000-") for name in names)
    sha256 = kept["sha256"].iloc[0]
    assert list(project.paths.sources.rglob(f"*{sha256}*"))
    forget(project, sha256)
    pipeline.fetch(project, AcquireOptions())
    assert not list(project.paths.folder.rglob(f"*{sha256}*"))


@pytest.mark.parametrize(
    "line",
    [
        {"ms": 0, "sha256": "../../victim", "token": "0a"},
        {"ms": 0, "sha256": "a" * 64, "token": "../../0a"},
        {"ms": 0, "file": "/etc/hostname", "temporary": "/etc/hostname"},
        {"ms": "0", "sha256": "a" * 64, "token": ""},
        [],
    ],
)
def test_no_path_and_no_nonsense_of_a_reader_is_taken(videos, context, monkeypatch, told, line):
    """It reads what strangers made: whatever it says, the video is left out, and no file is renamed or removed."""
    monkeypatch.setattr(frames, "_lines", lambda *arguments: iter([{"stated_ms": 1000}, line, {"read_ms": 1000}]))
    with pytest.raises(SourceError, match="no frame of 1 video of it was to be had"):
        Video(path=str(videos / "rugby/match 1.avi"), label="rugby").list_images(0, ("rugby",), context)
    assert "the decoder crashed, or used too much memory or time" in told()


def test_a_full_disk_is_told_as_one(videos, context, monkeypatch):
    """It ends the listing, as everywhere; the video is not called damaged."""
    monkeypatch.setattr(frames, "_lines", lambda *arguments: iter([{"stated_ms": 1000}, {"disk": errno.ENOSPC}]))
    with pytest.raises(DiskError, match="No space left on device"):
        Video(path=str(videos / "rugby/match 1.avi"), label="rugby").list_images(0, ("rugby",), context)
