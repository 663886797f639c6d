"""The part of the page that says how to get the same figures again.

>>> plan = {"smoke_test": True, "preset": "default", "seeds": [0], "models": ["cnn"], "batch_size": 32}
>>> command({"name": "a", "plan": plan | {"image_size": 96, "training": {"cnn": {"epochs": 6}}}}, " --recipe a")
'curator benchmark --recipe a --quick --models cnn --seeds 0 --batch-size 32 --epochs 6'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curator.report.facts import Facts
from curator.report.markup import Section, element, section, table
from curator.text import plural


def command(metrics: Mapping[str, Any], option: str) -> str:
    """Write the command that repeats a benchmark; ``option`` names the data set."""
    plan = metrics["plan"]
    smoke_test = plan["smoke_test"]
    epochs = {plan["training"][model]["epochs"] for model in plan["models"]}
    options = [
        "--quick" if smoke_test else f"--preset {plan['preset']}",
        f"--models {','.join(plan['models'])}",
        f"--seeds {','.join(map(str, plan['seeds']))}",
        *([] if smoke_test else [f"--image-size {plan['image_size']}"]),
        f"--batch-size {plan['batch_size']}",
        *([f"--epochs {epochs.pop()}"] if len(epochs) == 1 else []),
    ]
    return f"curator benchmark{option} {' '.join(options)}"


def reproduce_section(facts: Facts) -> Section | None:
    """List the command, the hashes, the versions and the settings."""
    metrics = facts.metrics
    if not metrics:
        return None
    n_images = metrics["n_images"]
    sizes = f"{plural(n_images['train'], 'image')} to train, {n_images['test']:,} to test"
    finished = f"Finished {metrics['finished_at']}; {sizes}. Every number of this page is in "
    numbers, plots = (element("a", name, href=name) for name in ("metrics.json", "plots"))
    hashes = [[name, element("code", value)] for name, value in metrics["hashes"].items()]
    versions = [[name, str(value)] for name, value in metrics["environment"].items()]
    settings = [
        [f"{model}: {key}", str(value)]
        for model, one in metrics["plan"]["training"].items()
        for key, value in one.items()
    ]
    return section(
        "repeat",
        "To repeat this",
        element("pre", command(metrics, facts.project.option)),
        element("p", finished, numbers, ", every chart as SVG and PNG in ", plots, ".", class_="note"),
        element("details", element("summary", "Hashes (SHA-256)"), table(["file", "hash"], hashes)),
        element("details", element("summary", "Versions"), table(["what", "version"], versions)),
        element("details", element("summary", "Training settings"), table(["setting", "value"], settings)),
    )
