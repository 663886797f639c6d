r"""The process that reads one video: it writes the frames that are wanted, and says when in the video each is.

Run as ``python -m curator.sources.video.frame_reader ORDER``, in JSON; it prints one line of JSON about the video, one
a frame, and one about its end. FFmpeg, in OpenCV, reads what strangers made: so this process may write into one folder
only, reach no network (:mod:`curator.observe.workers.confine`), open only files that hold a video themselves (a
playlist names other files), and use only so much memory, and time a frame.

A scene begins where the mean change of hue, saturation and value from one frame to the next is large, as in
PySceneDetect's ContentDetector: https://www.scenedetect.com/docs/latest/api/detectors.html

>>> dark, light = np.zeros((9, 16, 3), np.uint8), np.full((9, 16, 3), 200, np.uint8)
>>> change(dark, light) > SCENE_CHANGE > change(dark, dark)
True
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from curator.observe.workers.confine import confine
from curator.store.image_files import write_temporary
from curator.store.paths import FRAMES, DataPaths
from curator.store.whole_files import TEMPORARY_PREFIX

Frame = npt.NDArray[np.uint8]

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,h264,hevc,m4v"
"""What FFmpeg may take a file for: nothing that names other files or addresses."""
SCENE_CHANGE = 27.0
"""Mean change of hue, saturation and value, of 256, at which a scene begins: PySceneDetect's default."""
SETTLED_MS = 250.0
"""How long after its beginning the frame of a scene is taken: a cross-fade is over."""
JPEG_QUALITY = 95
MOST_PIXELS = 8192 * 4320
MOST_BYTES = 4 << 30
MOST_CPU_S = 60
"""Processor time in which the next frame is there, or none is."""

_SMALL = (256, 144)


def main() -> None:
    """Read the video that the order names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this process ends it
    order = json.loads(sys.argv[1])
    folder = Path(order["folder"])
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = f"protocol_whitelist;file|format_whitelist;{CONTAINERS}"
    confine([folder])
    try:
        for line in read_frames(order, DataPaths(folder, folder, FRAMES)):
            print(json.dumps(line), flush=True)
    except BrokenPipeError:
        os._exit(1)  # nobody reads any more
    except OSError as error:
        print(json.dumps({"disk": error.errno or 0}), flush=True)


def read_frames(order: dict[str, Any], store: DataPaths) -> Iterator[dict[str, Any]]:
    """Yield how long the video says it is, each frame that was written, and how far it was read; or why it was not."""
    capture = cv2.VideoCapture(order["path"], cv2.CAP_FFMPEG)
    width, height, rate, n_frames = (
        capture.get(what)
        for what in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT)
    )
    if not capture.isOpened():
        yield {"unreadable": "no video that can be decoded here"}
    elif width * height > MOST_PIXELS:
        yield {"unreadable": f"its frames of {width:,.0f} x {height:,.0f} pixels are larger than 8K"}
    else:
        last_ms = 0.0
        yield {"stated_ms": 1000 * n_frames / rate if rate > 0 and n_frames > 0 else 0}
        choose = _first_of_scenes if order["scenes"] else _at_a_rate
        for at_ms, frame in choose(_grabbed(capture, rate), capture, order["every_ms"]):
            last_ms = at_ms
            if frame is not None:
                yield {"ms": round(at_ms), **_write(frame, store)}
        yield {"read_ms": last_ms}


Times = Iterator[float]
Chosen = Iterator[tuple[float, Frame | None]]
"""When each frame is shown, in milliseconds; the frame itself where it is wanted."""


def _grabbed(capture: cv2.VideoCapture, rate: float) -> Times:
    """Go from frame to frame, and yield when each is shown, in milliseconds from the beginning."""
    before = -1.0
    while _in_time(capture.grab):
        at_ms = float(capture.get(cv2.CAP_PROP_POS_MSEC))
        if at_ms <= before:  # a stream without times: by its rate
            at_ms = before + 1000 / (rate if rate > 0 else 25)
        yield max(at_ms, 0.0)
        before = at_ms


def _in_time(step: Any) -> Any:
    """Do a step that must not take for ever: the signal ends this process."""
    signal.setitimer(signal.ITIMER_PROF, MOST_CPU_S)
    try:
        return step()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _at_a_rate(times: Times, capture: cv2.VideoCapture, every_ms: float) -> Chosen:
    """Take the first frame, and each first one that is so much later than the one wanted before."""
    wanted_ms = 0.0
    for at_ms in times:
        frame = _in_time(capture.retrieve)[1] if at_ms >= wanted_ms else None
        if frame is not None:
            wanted_ms = (at_ms // every_ms + 1) * every_ms
        yield at_ms, frame


def _first_of_scenes(times: Times, capture: cv2.VideoCapture, every_ms: float) -> Chosen:
    """Take one frame of each scene: as soon as it has settled, or its last one if it is over sooner."""
    before, began_ms, candidate = None, 0.0, None
    for at_ms in times:
        frame = _in_time(capture.retrieve)[1]
        if frame is None:
            continue
        small = cv2.cvtColor(cv2.resize(frame, _SMALL, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2HSV)
        if before is None or change(before, small) > SCENE_CHANGE:
            if candidate is not None:
                yield candidate
            began_ms, candidate = at_ms, (at_ms, frame)
        elif candidate is not None:
            candidate = (at_ms, frame)
        if candidate is not None and at_ms - began_ms >= SETTLED_MS:
            yield candidate
            candidate = None
        else:
            yield at_ms, None
        before = small
    if candidate is not None:
        yield candidate


def change(before: Frame, after: Frame) -> float:
    """Return how much two frames in HSV differ: the mean of the three channels' mean differences, 0 to 255."""
    return float(cv2.absdiff(before, after).mean())


def _write(frame: Frame, store: DataPaths) -> dict[str, str]:
    """Write a frame as JPEG under a temporary name; return its content, and the token in that name, if it is new."""
    data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
    sha256 = hashlib.sha256(data).hexdigest()
    temporary = Path(write_temporary(store, data, sha256, "jpeg") or "").name
    return {"sha256": sha256, "token": temporary.removeprefix(TEMPORARY_PREFIX).partition("-")[0]}


if __name__ == "__main__":
    main()
