"""README.md of an export: the data card, with the YAML header that Hugging Face reads.

Counts, sources, filters, duplicates found, licences and known biases, all from the manifest and what was recorded with
it. No date: the same data set produces the same card.

>>> size_category(2448)
'1K<n<10K'
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from curator.addresses import host_names
from curator.export.attribution import AS_SERVED, changed_sentence, escape
from curator.export.material import Columns, Format, Material, splits_yaml
from curator.manifests.licences import licence_address, licence_id, licence_name, licences
from curator.manifests.made_with import MadeWith
from curator.manifests.manifest import FOLD
from curator.manifests.spdx import spdx_id
from curator.text import plural, was

MOST_HOSTS = 10
_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M", 10_000_000: "1M<n<10M"}
_SETTINGS = ("licence", "quality", "dedupe", "balance", "split")
_PLACES = ("against",)
"""Settings that name folders of the machine, which a card must not."""
_REBUILD = (
    "`manifest.csv` beside this file names every image, its address and its SHA-256. "
    "`curator replay manifest.csv` downloads them again, keeps what is still the same, and reports what is gone."
)
_LOCAL = "`manifest.csv` beside this file names every image and its SHA-256. No address is known: keep this folder."
_ABOUT_REASONS = "Every image that was listed and is not here was dropped for one of these reasons:"


def card_text(material: Material, form: Format, confounds: dict[str, Any] | None) -> str:
    """Format the data card.

    Args:
        material: the data set.
        form: the format of the export.
        confounds: the confound check of a benchmark on this very manifest; None if there was none.
    """
    rows, labels = material.rows, material.labels
    groups = "Near-duplicates stay on one side of the split, as do other groups that `[split] group_by` names."
    n_web = int(rows["url"].notna().sum())
    origin = {0: "local files", len(rows): "the open web"}.get(n_web, "the open web and from local files")
    classes = f"{plural(len(labels), 'class', 'classes')} ({', '.join(map(escape, labels))})"
    summary = f"{plural(len(rows), 'image')} of {classes} from {origin}. {groups}"
    counts = rows.groupby(["label", "split"]).size()
    counted = [[escape(label), *(int(counts.get((label, split), 0)) for split in material.splits)] for label in labels]
    licensed = [[escape(licence_name(name)), n, _spdx(name)] for name, n in licences(rows).items()]
    note = "Licences are as the sources state them; nobody has asked the authors. ATTRIBUTION.md credits each image."
    if material.n_withheld:
        note += _withheld(material.n_withheld)
    parts = (
        _header(material, form),
        [f"# {material.name}", "", summary, ""],
        ["## How to open it", "", f"{form.name}: {form.summary}.", "", "```python", form.snippet, "```", ""],
        ["## Counts", "", *_table(["label", *material.splits], counted), ""],
        _folds(rows),
        ["## Images", "", material.resizing.sentence() if material.resizing else AS_SERVED, ""],
        [changed, ""] if (changed := changed_sentence(material)) else [],
        ["## Sources", "", *_sources(rows), ""],
        ["## Filters", "", *_filters(material.made_with), ""],
        ["## Licences", "", *_table(["licence", "images", "SPDX"], licensed), "", note, ""],
        ["## Known biases", "", *_biases(confounds), ""],
        ["## How to rebuild it", "", _REBUILD if n_web else _LOCAL, ""],
    )
    return "\n".join(line for part in parts for line in part)


def _withheld(n: int) -> str:
    what = f"{plural(n, 'further image')} of the manifest {was(n)} not passed on, as no known licence allows it"
    return f" {what}: `manifest.csv` names each, and `curator replay manifest.csv` downloads it from where it is."


def _spdx(licence: str) -> str:
    return f"`{known}`" if (known := spdx_id(licence)) else ""


def _folds(rows: pd.DataFrame) -> list[str]:
    """Say how the images of train are divided for cross-validation; nothing if they are not."""
    if FOLD not in rows:
        return []
    text = (
        f"The images of train are in {rows[FOLD].max()} folds, whose numbers are in `manifest.csv` and, where the "
        "format has room, with each image: train on all folds but one, evaluate on that one, leave test alone until "
        "the end. What must stay together is in one fold."
    )
    return ["## Folds", "", text, ""]


def size_category(n: int) -> str:
    """Name a number of images as Hugging Face does."""
    return next((name for limit, name in _SIZES.items() if n < limit), "10M<n<100M")


def _header(material: Material, form: Format) -> list[str]:
    return [
        "---",
        f"pretty_name: {material.name}",
        *_licence(list(licences(material.rows))),
        "task_categories:",
        "- image-classification",
        "size_categories:",
        f"- {size_category(len(material.rows))}",
        *splits_yaml(form.files, material.splits).splitlines(),
        *(_features(form.columns(material)) if form.columns else []),
        "---",
        "",
    ]


def _licence(stated: Sequence[str]) -> list[str]:
    """Name the licence for the Hub, however often and in whatever form it is stated.

    >>> _licence(["CC BY 2.0", "https://creativecommons.org/licenses/by/2.0/"])
    ['license: cc-by-2.0']
    >>> _licence(["CC BY-SA 2.0"])[1:]
    ['license_name: cc-by-sa-2.0', 'license_link: https://creativecommons.org/licenses/by-sa/2.0/']
    """
    ids, names = {licence_id(one) for one in stated}, {licence_name(one) for one in stated}
    if len(ids) == 1 and ids != {"other"}:
        return [f"license: {ids.pop()}"]
    name, link = "see-attribution", None
    if len(names) == 1:
        name, link = re.sub(r"[^a-z0-9.]+", "-", names.pop().lower()).strip("-.") or name, licence_address(stated[0])
    return ["license: other", f"license_name: {name}", f"license_link: {link or 'ATTRIBUTION.md'}"]


def _features(columns: Columns) -> list[str]:
    """List the columns for Hugging Face, a class as a ``ClassLabel``: the names in the order of their numbers.

    See https://github.com/huggingface/hub-docs/blob/main/datasetcard.md.
    """
    lines = ["dataset_info:", "  features:"]
    for name, kind in columns.items():
        lines.append(f"  - name: {name}")
        if isinstance(kind, str):
            lines.append(f"    dtype: {kind}")
        elif isinstance(kind, tuple):
            names = [f"          '{number}': {_yaml_text(label)}" for number, label in enumerate(kind)]
            lines += ["    dtype:", "      class_label:", "        names:", *names]
        else:
            parts = [line for part, its in kind.items() for line in (f"    - name: {part}", f"      dtype: {its}")]
            lines += ["    struct:", *parts]
    return lines


def _yaml_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return [
        "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in line) + " |" for line in lines
    ]


def _sources(rows: pd.DataFrame) -> list[str]:
    by_source = rows["source"].value_counts().sort_index()
    hosts = pd.Series(host_names(rows["url"], "local file")).value_counts()
    lines = _table(["source", "images"], [[escape(str(name)), int(n)] for name, n in by_source.items()])
    top = sorted(hosts.items(), key=lambda item: (-item[1], str(item[0])))[:MOST_HOSTS]
    named = ", ".join(f"{escape(str(host))} {int(n):,}" for host, n in top)
    return [*lines, "", f"Hosts ({len(hosts):,}; the most frequent): {named}.", *_rescued(rows)]


def _rescued(rows: pd.DataFrame) -> list[str]:
    """Say which images are no longer where they were; nothing if all are."""
    places = rows["archive_url"].dropna() if "archive_url" in rows else ()
    if not len(places):
        return []
    archives = ", ".join(escape(host) for host in sorted(set(host_names(places, ""))))
    what = f"{len(places):,} of the images {'is a capture' if len(places) == 1 else 'are captures'} of a web archive"
    named = "`archive_url` and `archived_at` in `manifest.csv` name each and its time"
    return ["", f"{what} ({archives}), as their addresses were dead: {named}."]


def _filters(made_with: MadeWith) -> list[str]:
    settings, counts = made_with.settings, made_with.counts
    lines = [f"- `[{name}]` {_settings(settings[name])}" for name in _SETTINGS if name in settings]
    if dropped := counts.get("dropped"):
        listed = f"{plural(counts['listed'], 'image was', 'images were')} listed and {counts['kept']:,} kept."
        lines += ["", f"{listed} {_ABOUT_REASONS}", "", *_table(["reason", "images"], list(dropped.items()))]
    return lines or ["Not recorded."]


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in values.items() if value is not None and key not in _PLACES)


def _biases(confounds: dict[str, Any] | None) -> list[str]:
    if not confounds:
        return ["No confound check was made on this manifest."]  # a benchmark of it makes one
    rows = [[kind, f"{value:.2f}"] for kind, value in confounds["accuracy"].items()]
    verdict = confounds["warning"] or "No fact about the files alone tells the label better than the check's limit."
    about = "Balanced accuracy with which facts about the file alone tell the label"
    return [verdict, "", f"{about} (chance {confounds['chance']:.2f}):", "", *_table(["fact", "accuracy"], rows)]
