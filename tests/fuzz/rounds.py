"""How much is tried: a small, fixed part in `make test`, and much more, from a seed of your own, in `make fuzz`.

``CURATOR_FUZZ`` multiplies the number of inputs; ``CURATOR_FUZZ_SEED`` starts elsewhere. A failing test names the seed.
"""

import os


def seeds(n_inputs):
    """The seeds of a fuzzer that tries this many inputs in `make test`, a range."""
    first = int(os.environ.get("CURATOR_FUZZ_SEED", "0"))
    return range(first, first + n_inputs * int(os.environ.get("CURATOR_FUZZ", "1")))


def examples(n_examples):
    """How many examples Hypothesis tries: a third in `make test`, all of them and more in `make fuzz`."""
    return (
        max(10, n_examples // 3) if "CURATOR_FUZZ" not in os.environ else n_examples * int(os.environ["CURATOR_FUZZ"])
    )
