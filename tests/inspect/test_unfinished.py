"""A fetch that is at work, was interrupted or killed is reported as far as it is, and its counts add up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import curator
from curator.catalog import Stage
from curator.errors import CuratorError, ShortfallError, SourceError, StateError
from curator.events import Event, FetchStarted, ImageFetched, SourceListed
from curator.fetch.ledger.ledger import Ledger
from curator.inspect.stage_status import Status
from curator.inspect.status import read_status
from curator.inspect.why import find_stories
from curator.manifests.project import Project
from curator.pipeline import run_stages as pipeline
from curator.store.lock import locked
from curator.store.paths import DataPaths
from curator.text import spell
from tests.ledger_file import query
from tests.small_webs import PictureHandler, serving
from tests.small_worlds import small_project


class Web(PictureHandler):
    """Each fifth picture is gone."""

    def do_GET(self) -> None:  # noqa: N802
        if int(self.path[1:-4]) % 5 == 4:
            self.send_body(404)
        else:
            self.send_picture()


def write_project(root: Path, port: int, n: int, more: str = "") -> Project:
    """List ``n`` pictures of a web under two labels."""
    rows = [f"http://127.0.0.1:{port}/{number}.jpg,{('rugby', 'soccer')[number % 2]}" for number in range(n)]
    (root / "list.csv").write_text("\n".join(["url,label", *rows, ""]), encoding="utf-8")
    text = f"""
name = "small"
labels = ["rugby", "soccer"]
[[sources]]
kind = "url-list"
path = "{(root / "list.csv").as_posix()}"
[fetch]
allow_private_hosts = true
target = {n}
{more}
[balance]
per_class = 2
"""
    return small_project(root, text)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with serving(Web) as port:
        yield write_project(tmp_path, port, 20)


def adds_up(status: Status) -> bool:
    """Listed = kept + dropped + waiting, in whole, by label and by source."""
    parts = [status.counts, *status.labels.values(), *status.sources.values()]
    sums = [part["kept"] + sum(part["dropped"].values()) + part.get("waiting", 0) for part in parts]
    whole = {name: sum(part[name] for part in status.labels.values()) for name in ("listed", "kept")}
    return sums == [part["listed"] for part in parts] and all(status.counts[name] == n for name, n in whole.items())


def interrupt_at(project: Project, kind: type[Event], count: int = 1) -> Project:
    """Have the work interrupted when the event comes for the ``count``-th time."""
    left = [count]

    def listen(event: Event) -> None:
        left[0] -= isinstance(event, kind)
        if not left[0]:
            raise KeyboardInterrupt

    return replace(project, emit=listen)


@pytest.mark.parametrize(
    ("kind", "count"), [(SourceListed, 1), (FetchStarted, 1), (ImageFetched, 1), (ImageFetched, 9)]
)
def test_an_interrupted_first_fetch_is_reported_as_far_as_it_is(
    project: Project, kind: type[Event], count: int
) -> None:
    """Wherever it stopped: while listing, before the first request, amid the images."""
    with pytest.raises(KeyboardInterrupt):
        pipeline.fetch(interrupt_at(project, kind, count))
    status = read_status(project)
    assert adds_up(status)
    assert status.headline == "fetch not finished"
    assert status.unfinished is not None
    assert not status.unfinished.is_running
    assert status.counts["listed"] == (0 if kind is SourceListed else 20)
    settled = query(project.paths.attempts, "SELECT count(DISTINCT address) FROM attempts")[0][0]
    assert status.counts["listed"] - status.counts.get("waiting", 0) == settled
    assert status.counts["kept"] == query(project.paths.attempts, "SELECT count(*) FROM observations")[0][0]
    assert spell(status.next).startswith("`curator fetch")
    assert any("to go on, run" in spell(text) for text in status.news)
    assert json.loads(json.dumps(status.as_json()))["unfinished"]["is_running"] is False
    pipeline.fetch(project)
    status = read_status(project)
    assert (status.unfinished, status.headline, status.counts["kept"]) == (None, "fetched", 16)
    assert "waiting" not in status.counts
    assert adds_up(status)


def test_each_image_of_an_unfinished_fetch_has_its_story(project: Project) -> None:
    """By its address, its record id and its hash: what was requested, what came of it, or that it was not yet."""
    with pytest.raises(KeyboardInterrupt):
        pipeline.fetch(interrupt_at(project, ImageFetched, 6))
    status = read_status(project)
    found = [
        find_stories(project, f"{url}")[0] for (url,) in query(project.paths.attempts, "SELECT address FROM attempts")
    ]
    fates = [story.lines[0].rpartition(", ")[2].rstrip(")") for story in found]
    assert fates.count("kept so far") == status.counts["kept"] > 0
    assert fates.count("dropped") == sum(status.counts["dropped"].values())
    for story, fate in zip(found, fates, strict=True):
        assert any(line.startswith("  request  20") for line in story.lines)
        assert find_stories(project, story.facts["record_id"])[0].facts["url"] == story.facts["url"]
        if fate == "kept so far":
            assert find_stories(project, story.facts["sha256"][:12])[0].facts["url"] == story.facts["url"]
    assert status.unfinished is not None and status.unfinished.table is not None
    waiting = set(status.unfinished.table["url"]) - {story.facts["url"] for story in found}
    story = find_stories(project, waiting.pop())[0]
    assert "not settled yet" in story.lines[0]
    assert story.facts["attempts"] == []
    with pytest.raises(CuratorError, match="is called"):
        find_stories(project, "http://h.example/other.jpg")


def test_before_any_listing_the_answer_is_that_nothing_is_known(project: Project) -> None:
    """A fetch that was interrupted while it read the lists."""
    with pytest.raises(StateError, match="Nothing was fetched yet"):
        find_stories(project, "http://h.example/1.jpg")
    with pytest.raises(KeyboardInterrupt):
        pipeline.fetch(interrupt_at(project, SourceListed))
    with pytest.raises(StateError, match="Nothing was fetched yet"):
        find_stories(project, "http://h.example/1.jpg")
    assert "still at the lists" in spell(read_status(project).news[0])


def test_a_listing_that_failed_is_no_unfinished_fetch(tmp_path: Path) -> None:
    """No list could be read, so there is nothing to go on with: status proposes what it did before."""
    project = write_project(tmp_path, 9, 4)
    (tmp_path / "list.csv").write_text("number,label\n1,rugby\n")
    with pytest.raises(SourceError):
        pipeline.fetch(project)
    status = read_status(project)
    assert (status.unfinished, status.headline, status.news) == (None, "nothing done yet", ())


def test_an_interrupted_second_fetch_leaves_the_split_and_says_how_far_it_is(project: Project) -> None:
    """The counts of the split stand; the news says what the ledger has beyond it, also of images listed since."""
    pipeline.fetch(project)
    pipeline.decide(project, Stage.SPLIT, {})
    listing = project.recipe.base_dir.parents[1] / "list.csv"
    url = listing.read_text(encoding="utf-8").splitlines()[1].rpartition("/")[0]
    more = "".join(f"{url}/{number}.jpg,rugby\n" for number in range(30, 40))
    listing.write_text(listing.read_text(encoding="utf-8") + more, encoding="utf-8")
    before = read_status(project)
    with pytest.raises(KeyboardInterrupt):
        pipeline.fetch(interrupt_at(project, ImageFetched, 3))
    status = read_status(project)
    assert (status.stage, status.counts, status.labels) == (before.stage, before.counts, before.labels)
    assert "of 30 listed" in spell(status.news[0])
    assert "Dataset" in repr(curator.open(str(project.recipe.path), data=project.paths.folder.parent, emit=print))
    new = query(project.paths.attempts, "SELECT address FROM attempts WHERE outcome = 'ok' ORDER BY id DESC LIMIT 1")[
        0
    ][0]
    assert find_stories(project, new)[0].facts["url"] == new


def test_what_an_earlier_version_left_is_counted_by_the_ledger(project: Project) -> None:
    """It wrote no listing before it requested, and noted no beginning."""
    with pytest.raises(KeyboardInterrupt):
        pipeline.fetch(interrupt_at(project, ImageFetched, 9))
    project.paths.catalog(Stage.LISTED).unlink()
    query(project.paths.attempts, "DELETE FROM runs")
    status = read_status(project)
    assert status.unfinished is not None
    n = sum(status.unfinished.outcomes.values())
    assert n > 0
    assert f"{n} addresses tried before" in spell(status.news[0])


def test_looking_does_not_stand_in_the_way_of_a_fetch(tmp_path: Path) -> None:
    """Who looks whether the lock is held holds it for an instant; a fetch that begins then waits for that instant."""
    from curator.store.lock import find_holder

    path = tmp_path / "lock"
    assert find_holder(path) is None
    with locked(path, "fetch"):
        assert find_holder(path)["command"] == "fetch"
    assert find_holder(path) is None
    looking = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, os, sys, time\nd = os.open(sys.argv[1], os.O_RDONLY)\n"
         "fcntl.flock(d, fcntl.LOCK_SH)\nprint(flush=True)\ntime.sleep(0.03)", str(path)], stdout=subprocess.PIPE,
    )  # fmt: skip
    looking.stdout.readline()
    with locked(path, "fetch"):
        pass
    looking.wait()


def test_status_and_why_tell_of_a_fetch_at_work_and_after_it_was_killed(tmp_path: Path) -> None:
    """From another process, while the lock is held, again and again; at last a killed fetch goes on and ends whole."""
    n = int(os.environ.get("CURATOR_TEST_KILLS", "3")) * 20
    answers = threading.Semaphore(0)

    class HeldWeb(Web):
        """So many are answered, the others when more may be."""

        def do_GET(self) -> None:  # noqa: N802
            answers.acquire()
            super().do_GET()

    with serving(HeldWeb) as port:
        project = write_project(tmp_path, port, n, "per_host = 4\ntimeout_s = 600")
        paths, seen = project.paths, []
        command = [sys.executable, "-m", "curator", "fetch", "--quiet", "--recipe", str(project.recipe.path)]
        command += ["--data", str(paths.folder.parent)]
        for share in (0.1, 0.5):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            answers.release(int(share * n) + 8)  # more than is waited for: who was killed took some
            wait_until(lambda: count_attempts(paths) >= share * n, process)  # noqa: B023
            wait_until(lambda: getattr(read_status(project).unfinished, "is_running", False), process)
            status = read_status(project)
            assert adds_up(status)
            assert status.unfinished is not None
            assert status.unfinished.is_running
            assert "is at work" in spell(status.news[0])
            assert find_stories(project, f"http://127.0.0.1:{port}/0.jpg")[0].lines
            process.send_signal(signal.SIGKILL)
            process.communicate()
            status = read_status(project)
            assert adds_up(status)
            assert not status.unfinished.is_running
            assert status.counts["listed"] == n
            seen.append(status.counts["kept"])
        assert 0 < seen[0] <= seen[1] < n
        answers.release(10 * n)
        pipeline.fetch(project)
        assert read_status(project).counts["kept"] == n - n // 5


def count_attempts(paths: DataPaths) -> int:
    if not paths.attempts.exists():
        return 0
    with Ledger(paths.attempts, to_read=True) as ledger:
        return sum(ledger.count_outcomes().values())


def wait_until(condition, process: subprocess.Popen[bytes], limit_s: float = 240) -> None:
    limit = time.monotonic() + limit_s
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < limit
        time.sleep(0.02)


SETTINGS = {
    ("target = 20", "target = 20\nmax_bytes = 1000"): "max_bytes (25,000,000, now 1,000); 16 images are",
    ("target = 20", "target = 20\nhonour_noai = false"): "honour_noai (true, now false); what it concerns is",
    ("allow_private_hosts = true", "allow_private_hosts = false"): (
        "allow_private_hosts (true, now false); what it concerns is"
    ),
    ("[balance]", "[quality]\nmin_side = 1000\n[balance]"): "min_side (64, now 1,000); 16 images are",
    ("[balance]", "[quality]\nmax_pixels = 100\n[balance]"): "max_pixels (100,000,000, now 100); 16 images are",
    ("[balance]", "[quality]\nmax_aspect = 1.1\n[balance]"): "max_aspect (5, now 1.1); 16 images are",
}


@pytest.mark.parametrize("edit", SETTINGS)
def test_status_says_that_a_setting_has_changed_until_the_next_fetch(project: Project, edit: tuple[str, str]) -> None:
    """And how many images are decided anew; the fetch decides, and the news is gone, in both directions."""
    root, text = project.recipe.base_dir.parents[1], project.recipe.path.read_text(encoding="utf-8")
    pipeline.fetch(project)
    first = read_status(project)
    assert first.news == ()
    changed = small_project(root, text.replace(*edit))
    assert f"changed since the last fetch: {SETTINGS[edit]} decided anew by the next fetch" in spell(
        read_status(changed).news[0]
    )
    pipeline.fetch(changed)
    assert read_status(changed).news == ()
    back = small_project(root, text)
    assert "decided anew" in spell(read_status(back).news[0])
    pipeline.fetch(back)
    assert read_status(back).counts == first.counts


def test_too_few_images_after_a_change_of_settings_name_the_fetch(project: Project) -> None:
    """Each empty label is named with its reason; once the setting has changed, what helps is the next fetch."""
    root, text = project.recipe.base_dir.parents[1], project.recipe.path.read_text(encoding="utf-8")
    closed = small_project(root, text.replace("allow_private_hosts = true", "allow_private_hosts = false"))
    pipeline.fetch(closed)
    path, data = str(project.recipe.path), project.paths.folder.parent
    with pytest.raises(ShortfallError) as first:
        curator.open(path, data=data, emit=lambda event: None).split()
    each = "10 of 10 listed as rugby and 10 of 10 listed as soccer are out as private-address"
    assert f"{each}: `allow_private_hosts = true` under `[fetch]` in the recipe" in str(first.value)
    small_project(root, text)
    with pytest.raises(ShortfallError, match="decided anew by the next fetch: run `curator fetch"):
        curator.open(path, data=data, emit=lambda event: None).split()


def test_the_plan_counts_what_is_decided_anew(project: Project) -> None:
    """Without a request, and without marking it."""
    root, text = project.recipe.base_dir.parents[1], project.recipe.path.read_text(encoding="utf-8")
    small = small_project(root, text.replace("target = 20", "target = 20\nmax_bytes = 1000"))
    pipeline.fetch(small)
    assert read_status(small).counts["dropped"]["too-many-bytes"] == 16
    small_project(root, text)
    dataset = curator.open(str(project.recipe.path), data=project.paths.folder.parent, emit=lambda event: None)
    for _ in range(2):
        notes = dataset.plan().notes
        assert [spell(note) for note in notes] == [
            "16 images are decided anew, as settings have changed: too-many-bytes 16"
        ]
    assert dataset.fetch().counts["kept"] == 16
    assert dataset.plan().notes == ()
