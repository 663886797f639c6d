"""Measure the fetch stage against curl, img2dataset and loops of requests and aiohttp: ``python bench_fetch.py``.

Photos of about 70 KB are served on this machine (by nginx where it is installed), at once or 20 ms late with each fifth
link dead. The contenders are run in turns, each run in a process of its own into an empty folder, after a sync of the
disk; what is judged is the median of the ratios between runs of one round. CPU seconds and memory are those of all
processes of a run. A marginal cost is that of a large run less that of a run of one address, the least that all
contenders take. The peers live in an environment of their own under the system's temporary folder.

``--size small`` takes its marginal costs from 4,400 addresses; ``--size full`` from 13,200, and runs all contenders in
both modes. ``--photos DIR`` serves photos from a folder instead of rendered scenes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from fetch_contenders import Contender, at_defaults, contenders, missing  # noqa: E402
from loopback_web import LATENCY_S, N_HOSTS, Web, has_many_addresses, serve_photos  # noqa: E402
from measured_run import MeasuredRun, measure  # noqa: E402
from photo_set import write_photos  # noqa: E402
from verdict import Verdict, at_least, at_most, conclude  # noqa: E402

ROUNDS = 3
N_WHOLE = 4_400
N_LARGE = 13_200
DEAD_SHARE = 0.2
MODES = {"clean": "no latency, all links alive", "rough": f"{1000 * LATENCY_S:.0f} ms latency, 20% of the links dead"}

Key = tuple[str, str, int]
"""Contender, mode, addresses."""


@dataclass
class Results:
    """The runs of each contender, mode and number of addresses, one a round."""

    runs: dict[Key, list[MeasuredRun]] = field(default_factory=lambda: defaultdict(list))

    def rates(self, name: str, mode: str) -> list[float]:
        """Images a second of the whole runs."""
        n_images = images_of(mode, N_WHOLE)
        return [n_images / run.wall_s for run in self.runs[name, mode, N_WHOLE]]

    def marginal_ms(self, name: str, n_large: int) -> list[float]:
        """CPU milliseconds an image (CPU seconds per 1,000) beyond the start, round by round."""
        start = name.removesuffix("-raw")
        pairs = zip(self.runs[name, "clean", n_large], self.runs[start, "clean", 1], strict=True)
        return [1000 * (large.cpu_s - one.cpu_s) / (n_large - 1) for large, one in pairs]


def images_of(mode: str, n_urls: int) -> int:
    """Count the addresses that bring an image."""
    return n_urls if mode == "clean" else round(n_urls * (1 - DEAD_SHARE))


def schedule(size: str, all_of_them: Sequence[Contender]) -> Iterator[tuple[Contender, str, int, int]]:
    """List the runs of one round: contender, mode, addresses, hosts."""
    n_large = N_LARGE if size == "full" else N_WHOLE
    by_name = {contender.name: contender for contender in all_of_them}
    for contender in all_of_them:
        yield contender, "clean", N_WHOLE, 1
    for name in by_name if size == "full" else ("curl", "curator", "img2dataset"):
        if name in by_name:
            yield by_name[name], "rough", N_WHOLE, 1
    for name in ("curl", "curl+decode", "curator", "download-only", "img2dataset", "img2dataset-raw"):
        if name in by_name:
            if n_large != N_WHOLE:
                yield by_name[name], "clean", n_large, 1
            if name != "img2dataset-raw":  # it starts as img2dataset does
                yield by_name[name], "clean", 1, 1
    if has_many_addresses():
        yield at_defaults(), "clean", N_WHOLE, N_HOSTS


def run_once(contender: Contender, urls: Sequence[str], n_images: int, folder: Path) -> MeasuredRun:
    """Run one contender into an empty folder, check that it got what there is, and free the space.

    Files are emptied, not removed: ext4 makes a new file at a tenth of its speed for a minute after many were removed,
    because it looks for numbers that none of those had. So one contender's clearing up would slow down the next.

    Raises:
        RuntimeError: it failed, or has not as many files as it should.
    """
    place = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    command = contender.prepare(urls, place)
    os.sync()
    run = measure(command, cwd=place, env=_environment(), allowed=contender.exit_codes)
    files = [path for path in place.rglob("*") if path.is_file()]
    n_files = sum(1 for path in files if path.suffix == ".jpg")
    if n_files != n_images:
        raise RuntimeError(f"{contender.name} got {n_files} of {n_images} images: {run.output}")
    for path in files:
        path.chmod(0o600)
        os.truncate(path, 0)
    return run


def _environment() -> dict[str, str]:
    """This environment, in which Python keeps the modules that it compiled, as it does where nothing forbids it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT), "no_proxy": "*"}


def measure_all(size: str, all_of_them: Sequence[Contender], webs: dict[str, Web], folder: Path) -> Results:
    """Run all rounds, and say of each run what it took."""
    results = Results()
    for number in range(ROUNDS):
        for contender, mode, n_urls, n_hosts in schedule(size, all_of_them):
            urls = webs[mode].urls(n_urls, dead=mode == "rough", n_hosts=n_hosts)
            run = run_once(contender, urls, images_of(mode, n_urls), folder)
            results.runs[contender.name, mode, n_urls].append(run)
            figures = f"{run.wall_s:6.2f} s wall  {run.cpu_s:6.2f} s CPU"
            print(f"round {number + 1}  {contender.name:<17}  {mode}  {n_urls:>6,}  {figures}", flush=True)
    return results


def print_whole_runs(results: Results, names: Sequence[str]) -> None:
    """Show the whole runs, start-up included, as medians."""
    for mode, words in MODES.items():
        print(f"\n{N_WHOLE:,} addresses, whole runs; {words}")
        print(f"{'':<17}  {'images/s':>8}  {'CPU s per 1,000':>15}  {'peak MB, all':>12}  {'parent':>6}")
        for name in names:
            runs, n_images = results.runs[name, mode, N_WHOLE], images_of(mode, N_WHOLE)
            if runs:
                rate, cpu = (median(values) for values in (results.rates(name, mode), [run.cpu_s for run in runs]))
                tree, parent = max(r.tree_bytes for r in runs) / 1e6, max(r.parent_bytes for r in runs) / 1e6
                print(f"{name:<17}  {rate:>8,.0f}  {1000 * cpu / n_images:>15.2f}  {tree:>12,.0f}  {parent:>6,.0f}")


def print_marginal(results: Results, n_large: int, names: Sequence[str]) -> None:
    """Show what one more image costs."""
    print(f"\nmarginal CPU s per 1,000: a run of {n_large:,} less one of a single address")
    for name in names:
        if results.runs[name, "clean", n_large] and results.runs[name.removesuffix("-raw"), "clean", 1]:
            print(f"{name:<17}  {median(results.marginal_ms(name, n_large)):.2f}")


def judge(results: Results, n_large: int, lacking: dict[str, str]) -> list[Verdict]:
    """Compare with the targets."""
    verdicts = []

    def compare(name: str, limit: float, measured: str, over: str, least: bool = False, mode: str = "") -> None:
        if lost := lacking.get(measured) or lacking.get(over):
            verdicts.append(Verdict(name, f"not measured ({lost})", f"{'>=' if least else '<='} {limit:g}", False))
            return
        a, b = (results.rates(n, mode) if mode else results.marginal_ms(n, n_large) for n in (measured, over))
        ratio = median(x / y for x, y in zip(a, b, strict=True))
        verdicts.append((at_least if least else at_most)(name, ratio, limit))

    for mode in MODES:
        compare(f"images/s, whole run, {mode}: curator / img2dataset", 4, "curator", "img2dataset", True, mode)
    compare("marginal CPU: curator / img2dataset, decoding", 0.6, "curator", "img2dataset")
    compare("marginal CPU: download-only / img2dataset, raw", 0.6, "download-only", "img2dataset-raw")
    compare("marginal CPU: download-only / curl", 2.2, "download-only", "curl")
    compare("marginal CPU: curator / curl + a bare strict decode", 1.5, "curator", "curl+decode")
    verdicts.append(_judge_memory(results, n_large))
    return verdicts


def _judge_memory(results: Results, n_large: int) -> Verdict:
    """The bound on bytes in flight (64 MB) and some, whatever the number of addresses."""
    large, one = (max(r.parent_bytes for r in results.runs["curator", "clean", n]) for n in (n_large, 1))
    name = f"parent's peak memory, {n_large:,} addresses less one"
    if not large:
        return Verdict(name, "not measured (no /proc)", "<= 150 MB", False)
    return at_most(name, (large - one) / 1e6, 150, "MB")


def print_settings(size: str, web: Web, mean_bytes: float, all_of_them: Sequence[Contender]) -> None:
    """Say what is measured, and how each contender is set."""
    print(f"size {size}; {ROUNDS} rounds; served by {web.server}; photos of {mean_bytes / 1000:.0f} KB; ", end="")
    print(f"{os.cpu_count()} cores; clean: {MODES['clean']}; rough: {MODES['rough']}")
    hosts = f"; {N_HOSTS} hosts" if has_many_addresses() else ""
    for contender in [*all_of_them, at_defaults()]:
        print(f"  {contender.name:<17}  {contender.settings}{hosts if contender.name.endswith('defaults') else ''}")


def main() -> int:
    """Measure, show, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--photos", type=Path, help="a folder of photos to serve")
    given = parser.parse_args()
    n_large = N_LARGE if given.size == "full" else N_WHOLE
    names = [contender.name for contender in contenders()]
    lacking = missing(names)
    for name, why in lacking.items():
        print(f"skipped {name}: {why}", flush=True)
    present = [contender for contender in contenders() if contender.name not in lacking]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        mean_bytes = write_photos(folder / "photos", n_large, given.photos)
        (folder / "web").mkdir()
        with serve_photos(folder / "photos", folder / "web") as (prompt, late):
            print_settings(given.size, prompt, mean_bytes, present)
            results = measure_all(given.size, present, {"clean": prompt, "rough": late}, folder)
    print_whole_runs(results, [*names, at_defaults().name])
    print_marginal(results, n_large, names)
    print()
    return conclude(judge(results, n_large, lacking))


if __name__ == "__main__":
    sys.exit(main())
