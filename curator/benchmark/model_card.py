"""README.md of a saved model: the model card, with the YAML header that Hugging Face reads.

See https://github.com/huggingface/hub-docs/blob/main/modelcard.md. No date: the same training produces the same card.

>>> PREPROCESSING.format(side=224)[:60]
'RGB of 8 bits, upright (EXIF orientation applied), the whole'
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from curator.text import percent

PREPROCESSING = (
    "RGB of 8 bits, upright (EXIF orientation applied), the whole picture squeezed to {side} x {side} pixels "
    "(bilinear); pixels are scaled inside the model"
)

_SNIPPET = """\
import json

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("model.onnx")
picture = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
picture = picture.resize(({side}, {side}), Image.Resampling.BILINEAR, reducing_gap=2.0)
(probabilities,) = session.run(None, {{"pixels": np.asarray(picture)[np.newaxis]}})
labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])
print(labels[probabilities[0].argmax()], probabilities[0].max())
"""

_KERAS_SNIPPET = """\
import keras

model = keras.saving.load_model("model.keras")  # the same pixels, the same probabilities
"""


def card_text(facts: Mapping[str, Any]) -> str:
    """Format the card from the facts that ``model.json`` has."""
    parts = (_header(facts), _summary(facts), _use(facts), _data(facts), _metrics(facts), _training(facts))
    return "\n".join(line for part in parts for line in part) + "\n" + "\n".join(_licence(facts)) + "\n"


def _header(facts: Mapping[str, Any]) -> Iterator[str]:
    has_keras = "model.keras" in facts["files"]
    yield "---"
    yield "license: other"
    yield "license_name: see-licence"
    yield "license_link: README.md"
    yield f"library_name: {'keras' if has_keras else 'onnx'}"
    yield "pipeline_tag: image-classification"
    yield "tags:"
    yield from ("- image-classification", "- onnx", *(["- keras"] if has_keras else []))
    yield "metrics:"
    yield "- accuracy"
    if not facts["smoke_test"]:
        yield from _results(facts)
    yield "---"
    yield ""


def _results(facts: Mapping[str, Any]) -> Iterator[str]:
    """List the result for the Hub (``model-index``)."""
    reached = facts["test"]["accuracy"]
    yield "model-index:"
    yield f"- name: {_yaml(facts['data_set'] + '-' + facts['name'])}"
    yield "  results:"
    yield "  - task:"
    yield "      type: image-classification"
    yield "    dataset:"
    yield f"      name: {_yaml(facts['data_set'])}"
    yield f"      type: {_yaml(facts['data_set'])}"
    yield "      split: test"
    yield "    metrics:"
    yield "    - type: accuracy"
    yield f"      value: {reached['mean']:.4f}"
    yield f"      name: {_yaml('Accuracy, 95% interval ' + _span(reached))}"


def _summary(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {facts['title']} for {facts['data_set']}"
    yield ""
    yield f"{facts['about']} It tells apart {len(facts['labels'])} labels: {', '.join(map(_escape, facts['labels']))}."
    yield ""
    if facts["smoke_test"]:
        yield "**This is a smoke test (`--quick`): the model is hardly trained, and its figures mean nothing.**"
        yield ""


def _use(facts: Mapping[str, Any]) -> Iterator[str]:
    side = facts["side"]
    yield "## How to use it"
    yield ""
    yield f"`model.onnx` runs by itself. Its input `pixels` is uint8 (batch, {side}, {side}, 3): {_input(side)}."
    yield "Its output `probabilities` is float32 (batch, labels), in the order of `labels.txt`."
    yield ""
    yield from ("```python", *_SNIPPET.format(side=side).splitlines(), "```", "")
    if "model.keras" in facts["files"]:
        yield from ("```python", *_KERAS_SNIPPET.splitlines(), "```", "")


def _input(side: int) -> str:
    return PREPROCESSING.format(side=side)


def _data(facts: Mapping[str, Any]) -> Iterator[str]:
    parts = [part for part in ("train", "watched", "test") if not (part == "watched" and facts["watched_is_test"])]
    yield "## Data"
    yield ""
    yield f"The data set {facts['data_set']}, whose manifest has the SHA-256 `{facts['manifest_sha256']}`."
    yield "Images in *watched* decided when training stopped."
    yield ""
    yield from _table(["label", *parts], [[_escape(label), *(f"{of[part]:,}" for part in parts)]
                                          for label, of in facts["counts"].items()])  # fmt: skip
    yield ""
    yield "`trained_on.csv` names the images that training saw, by their SHA-256."
    yield ""


def _metrics(facts: Mapping[str, Any]) -> Iterator[str]:
    test, seeds = facts["test"], facts["over_seeds"]
    rows = [["this model", f"{test['n']:,}", percent(test["accuracy"]["mean"]), _span(test["accuracy"])]]
    if seeds["n"] > 1:
        one = seeds["accuracy"]
        rows.append([f"mean of {seeds['n']} seeds", f"{test['n']:,}", percent(one["mean"]), _span(one)])
    yield "## Metrics"
    yield ""
    yield "Accuracy on the test images, which training never saw; the interval is a bootstrap over groups of images"
    yield "(near-duplicates, one author, one page)."
    yield ""
    yield from _table(["", "test images", "accuracy", "95% interval"], rows)
    yield ""
    yield from _table(["label", "right"], [[_escape(one), percent(share)] for one, share in facts["by_label"].items()])
    yield ""
    for warning in facts["warnings"]:
        yield from (f"> {warning}", "")


def _training(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "## Training"
    yield ""
    yield f"Preset `{facts['preset']}`, seed {facts['seed']}, {facts['epochs']} epochs, {facts['parameters']:,}"
    yield f"parameters, by curator {facts['curator']} (decoder {facts['decoder']}). Pixels are scaled as"
    yield f"`{facts['pixels']}`, inside the model."
    if weights := facts["weights"]:
        yield f"The base is {weights['title']}; the file of its weights has the SHA-256 `{weights['sha256']}`."
    yield ""


def _licence(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "## Licence"
    yield ""
    if facts["licence"]:
        yield f"The base's weights, trained on ImageNet, are under {facts['licence']}. What was trained here is yours"
        yield "to license, as far as the licences of the images allow: ATTRIBUTION.md of an export lists them."
    else:
        yield "Trained from scratch: the model is yours to license, as far as the licences of the images allow:"
        yield "ATTRIBUTION.md of an export lists them."


def _span(figures: Mapping[str, float]) -> str:
    return f"{percent(figures['low'])} to {percent(figures['high'])}"


def _yaml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _escape(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|" else sign for sign in text)


def _table(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    for line in (header, ["---", *["---:"] * (len(header) - 1)], *rows):
        yield f"| {' | '.join(line)} |"
