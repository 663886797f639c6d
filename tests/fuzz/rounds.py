"""How much is tried: a sample in `make test`, all of it in `make torture`, which counts what was tried and what held.

An attack is a test, or a file of them, with the mark ``torture("what is attacked")``: that is all that a further one
needs. A test that tries many inputs has the mark without words, and counts them (:func:`counted`). Chance inputs take
their number from :func:`seeds`, lists of places from :func:`sample`; a failing test names the seed or the place.
``CURATOR_FUZZ`` multiplies the number of inputs, ``CURATOR_FUZZ_SEED`` starts elsewhere, and with ``CURATOR_TORTURE``
every place is tried.
"""

import json
import os
import random
from contextlib import contextmanager
from pathlib import Path

FULL = bool(os.environ.get("CURATOR_TORTURE"))
COUNTS = Path(os.environ.get("CURATOR_TORTURE_COUNTS", os.devnull))


def seeds(n_inputs):
    """The seeds of a fuzzer that tries this many inputs in `make test`, a range."""
    first = int(os.environ.get("CURATOR_FUZZ_SEED", "0"))
    return range(first, first + n_inputs * int(os.environ.get("CURATOR_FUZZ", "1")))


def examples(n_examples):
    """How many examples Hypothesis tries: a third in `make test`, all and as many times as asked in the full size."""
    return n_examples * int(os.environ.get("CURATOR_FUZZ", "1")) if FULL else max(10, n_examples // 3)


def sample(everything, n, seed):
    """All of a list in the full size, else ``n`` of it, the first and the last among them."""
    if FULL or len(everything) <= n:
        return list(everything)
    inner = random.Random(str(seed)).sample(range(1, len(everything) - 1), max(0, n - 2))
    return [everything[place] for place in sorted({0, len(everything) - 1, *inner})]


def count(what, n_tried, n_held):
    """Note what was tried, and how much of it held; a test with the mark ``torture`` is noted by itself."""
    with COUNTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"what": what, "tried": n_tried, "held": n_held}) + "\n")


@contextmanager
def counted(what, n_tried=1):
    """Note so many attempts as held, unless something is raised within: then that none of them held."""
    n_held = 0
    try:
        yield
        n_held = n_tried
    finally:
        count(what, n_tried, n_held)


def table():
    """What was noted, summed up, a line an attack."""
    found = {}
    for line in COUNTS.read_text(encoding="utf-8").splitlines():
        facts = json.loads(line)
        tried, held = found.get(facts["what"], (0, 0))
        found[facts["what"]] = (tried + facts["tried"], held + facts["held"])
    lines = [f"| {what} | {tried:,} | {held:,} |" for what, (tried, held) in sorted(found.items())]
    return "\n".join(["| attack | tried | held |", "|---|---:|---:|", *lines])


if __name__ == "__main__":
    print(table())
