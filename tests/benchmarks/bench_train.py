"""Measure training on 2,448 synthetic pictures: our pipeline against the article's way and Keras' own folder reader.

Every way runs in a process of its own that waits for its turn, so that epochs interleave and peak memory is its own:
``python bench_train.py [IMAGES] [ROUNDS]``. Weights are chance: they cost the same.

- ours: 8-bit memory-mapped arrays through the benchmark's learner (the article's preset: no augmentation), with the
  checkpoint that follows each epoch;
- arrays: ``model.fit`` on float32 arrays, as in the article;
- folder: ``keras.utils.image_dataset_from_directory`` over JPEG files.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from verdict import at_least, at_most, conclude

N_IMAGES, ROUNDS, SIDE, BATCH, N_LABELS = 2448, 3, 224, 32, 2
AT_ONCE = 32
TRANSFER_EPOCHS = 500
WAYS = ("ours", "arrays", "folder")


def make_pictures(folder, n):
    """Write ``n`` smooth noisy JPEG files into a folder for each label, and their pixels as one array."""
    pixels = np.lib.format.open_memmap(folder / "pixels.npy", "w+", np.uint8, (n, SIDE, SIDE, 3))
    rng = np.random.default_rng(0)
    for index in range(n):
        coarse = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        pixels[index] = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        path = folder / "files" / str(index % N_LABELS) / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels[index])
    pixels.flush()


def ours(folder):
    """Prepare our learner; returns what one epoch is."""
    from curator.benchmark.checkpoints import Checkpoint, CheckpointFile
    from curator.benchmark.models.cnn import CNN
    from curator.benchmark.models.model import TrainingSet

    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    rows = np.arange(len(pixels))
    data = TrainingSet(pixels, rows % N_LABELS, rows, N_LABELS, BATCH)
    learner = CNN.prepare(data, CNN.presets["article"], None)(0)
    file, epochs = CheckpointFile(folder / "cnn.npz", "bench"), iter(range(1000))

    def run():
        epoch = next(epochs)
        learner.train_epoch(epoch, 1e-6, lambda *_: None)
        file.save(Checkpoint(learner.state(), learner.weights(), epoch))

    return run


def compiled_cnn():
    """Build the article's network for plain Keras training, pixels scaled outside."""
    from curator.benchmark.models.cnn import build_cnn
    from curator.benchmark.models.keras_backend import keras

    with_scaling = build_cnn(N_LABELS, SIDE)
    plain = [layer for layer in with_scaling.layers if not isinstance(layer, keras.layers.Rescaling)]
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *plain])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-6), loss, metrics=["accuracy"])
    return model


def arrays(folder):
    """Prepare the article's way, though in float32 and not its float64."""
    model, pixels = compiled_cnn(), np.load(folder / "pixels.npy", mmap_mode="r")
    inputs = np.empty(pixels.shape, np.float32)
    np.divide(pixels, 255, out=inputs)
    labels = np.arange(len(inputs)) % N_LABELS
    return lambda: model.fit(inputs, labels, batch_size=BATCH, epochs=1, verbose=0)


def folder(place):
    """Prepare Keras' folder reader, which decodes every file every epoch."""
    from curator.benchmark.models.keras_backend import keras

    model = compiled_cnn()
    read = keras.utils.image_dataset_from_directory
    files = read(place / "files", image_size=(SIDE, SIDE), batch_size=BATCH, verbose=False)
    scaled = files.map(lambda pixels, labels: (pixels / 255.0, labels)).prefetch(2)
    return lambda: model.fit(scaled, epochs=1, shuffle=False, verbose=0)


def build_frozen_base(side):
    """Build MobileNetV2 without its top, as Keras has it; its weights are chance."""
    from curator.benchmark.models.keras_backend import keras

    shape = (side, side, 3)
    base = keras.applications.MobileNetV2(input_shape=shape, include_top=False, weights=None, pooling="avg")
    base.trainable = False
    return base


def transfer_ours(folder):
    """Prepare ours: the base once an image, then 500 epochs of the head, watched and kept; one call does all of it."""
    from curator.benchmark.checkpoints import CheckpointFile
    from curator.benchmark.models.keras_backend import rescaling
    from curator.benchmark.models.mobilenet_v2 import MOBILENET_V2
    from curator.benchmark.models.model import UNIT
    from curator.benchmark.models.transfer import FeatureData, HeadLearner
    from curator.benchmark.train import Run, train
    from curator.embed.mobilenet_v2 import make_blocks
    from curator.embed.models import assemble
    from curator.events import ignore

    base, pixels = build_frozen_base(SIDE), np.load(folder / "pixels.npy", mmap_mode="r")
    rows = np.arange(len(pixels))

    def rate(compute):
        start = time.perf_counter()
        features = [compute(pixels[first : first + AT_ONCE]) for first in range(0, len(pixels), AT_ONCE)]
        return np.concatenate(features), time.perf_counter() - start

    def run():
        blocks = make_blocks({layer.name: layer.get_weights() for layer in base.layers})
        scaled = rescaling(UNIT)
        features, feature_s = rate(assemble("MobileNetV2", "", blocks, UNIT, SIDE).run)
        _, keras_s = rate(lambda batch: base.predict_on_batch(scaled(batch)))
        data, training = FeatureData(features[None], rows % N_LABELS, rows, N_LABELS), MOBILENET_V2.presets["article"]
        watched, file = rows[: len(rows) // 4], CheckpointFile(folder / "head.npz", "bench")
        start = time.perf_counter()
        train(
            Run("head", 0, training, data.labels, watched, watched, file, ignore), HeadLearner(data, training, 0, BATCH)
        )
        return {"feature_s": feature_s, "keras_feature_s": keras_s, "head_s": time.perf_counter() - start}

    return run


def transfer_plain(folder):
    """Prepare the article's transfer model: the base in every epoch, float32 arrays."""
    from curator.benchmark.models.keras_backend import keras

    base, pixels = build_frozen_base(SIDE), np.load(folder / "pixels.npy", mmap_mode="r")
    inputs = pixels.astype(np.float32) / np.float32(255)
    labels = np.eye(N_LABELS, dtype=np.float32)[np.arange(len(inputs)) % N_LABELS]
    layers = [keras.Input((SIDE, SIDE, 3)), base, keras.layers.Dropout(0.2), keras.layers.Dense(N_LABELS)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(1e-5), keras.losses.CategoricalCrossentropy(from_logits=True))
    return lambda: model.fit(inputs, labels, batch_size=BATCH, epochs=1, verbose=0)


def work(way, place):
    """Serve one way: each line on standard input runs an epoch; answers seconds, peak memory and what it returned."""
    epoch = globals()[way](Path(place))
    for _ in sys.stdin:
        start = time.perf_counter()
        told = epoch()
        seconds = time.perf_counter() - start
        peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        told = told if isinstance(told, dict) else {}
        print(json.dumps({"seconds": seconds, "peak_gb": peak_gb, **told}), flush=True)


class Worker:
    """A process that runs one way's epochs when asked."""

    def __init__(self, way, place):
        command = [sys.executable, __file__, "--work", way, str(place)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def epoch(self):
        """Run one epoch; returns what it measured."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def interleaved(ways, place, rounds):
    """Run an epoch of every way, again and again, the first round apart; returns each way's measurements."""
    workers = {way: Worker(way, place) for way in ways}
    found = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, worker in workers.items():
            measured = worker.epoch()
            print(f"  round {number}, {way}: {measured['seconds']:.1f} s", file=sys.stderr, flush=True)
            if number or rounds == 0:
                found[way].append(measured)
    for worker in workers.values():
        worker.close()
    return found


def median(measured, key):
    """Median of one figure."""
    return statistics.median(one[key] for one in measured)


def main(n_images=N_IMAGES, rounds=ROUNDS):
    """Measure, print and judge."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        make_pictures(place, n_images)
        cnn = interleaved(WAYS, place, rounds)
        transfer = interleaved(("transfer_plain", "transfer_ours"), place, 0)
    print(f"{n_images} pictures of {SIDE} pixels, {rounds} rounds after one to warm up")
    for way in WAYS:
        seconds, peak_gb = median(cnn[way], "seconds"), median(cnn[way], "peak_gb")
        print(f"  CNN epoch, {way:7s} {seconds:7.1f} s   peak {peak_gb:.2f} GB")
    ours_t, plain_s = transfer["transfer_ours"][0], transfer["transfer_plain"][0]["seconds"]
    ours_s = ours_t["feature_s"] + ours_t["head_s"]
    ours_rate, keras_rate = (n_images / ours_t[key] for key in ("feature_s", "keras_feature_s"))
    print(f"  transfer, features {ours_rate:.0f}/s, with Keras {keras_rate:.0f}/s")
    print(f"  transfer, {TRANSFER_EPOCHS} epochs of the head {ours_t['head_s']:.1f} s; a plain epoch {plain_s:.1f} s")
    ratios = [a["seconds"] / b["seconds"] for a, b in zip(cnn["ours"], cnn["arrays"], strict=True)]
    peaks = median(cnn["ours"], "peak_gb") / median(cnn["arrays"], "peak_gb")
    return conclude(
        [
            at_most("CNN epoch, ours / arrays", statistics.median(ratios), 1.0),
            at_most("peak memory, ours / arrays", peaks, 0.5),
            at_least("500 transfer epochs, plain / ours", TRANSFER_EPOCHS * plain_s / ours_s, 100),
            at_most("500 epochs of the head", ours_t["head_s"], 20, "s"),
            at_least("features, ours / Keras", ours_t["keras_feature_s"] / ours_t["feature_s"], 1.5),
        ]
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(*sys.argv[2:4])
    else:
        sys.exit(main(*map(int, sys.argv[1:3])))
