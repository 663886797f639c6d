"""Softmax regression with a quadratic penalty, by L-BFGS: a hundred thousand images in seconds, without a framework.

Liu and Nocedal 1989, https://doi.org/10.1007/BF01589116; Nocedal and Wright 2006, algorithms 7.4 and 7.5.

>>> inputs, labels = np.array([[-1.0], [-0.8], [0.9], [1.0]], np.float32), np.array([0, 0, 1, 1])
>>> predict(fit(inputs, labels, n_labels=2, penalty=0.1), inputs).argmax(axis=1).tolist()
[0, 0, 1, 1]
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Weights = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

N_STEPS = 100
MEMORY = 8
TOLERANCE = 1e-4
"""The fit ends once no derivative of the mean loss is larger: far below what changes any order of suspicion."""


def fit(inputs: FloatArray, labels: IntArray, n_labels: int, penalty: float, start: Weights | None = None) -> Weights:
    """Minimise the mean cross-entropy plus half the penalty times the squares of the weights, the bias left out.

    Args:
        inputs: float32 (images, dimensions).
        labels: label indices (images,).
        n_labels: outputs.
        penalty: of a weight's square.
        start: weights to begin with.

    Returns:
        float64 (dimensions + 1, labels); the last row is the bias.
    """
    shape = (inputs.shape[1] + 1, n_labels)
    rows = np.arange(len(labels))

    def loss(flat: Weights) -> tuple[float, Weights]:
        weights = flat.reshape(shape)
        logits = inputs @ weights[:-1].astype(inputs.dtype) + weights[-1].astype(inputs.dtype)
        logits -= logits.max(axis=1, keepdims=True)
        error = np.exp(logits)
        sums = error.sum(axis=1)
        value = float(np.log(sums).mean(dtype=np.float64) - logits[rows, labels].mean(dtype=np.float64))
        error /= sums[:, None]
        error[rows, labels] -= 1
        gradient = np.empty(shape)
        gradient[:-1] = inputs.T @ error
        gradient[-1] = error.sum(axis=0, dtype=np.float64)
        gradient /= len(rows)
        gradient[:-1] += penalty * weights[:-1]
        return value + penalty / 2 * float((weights[:-1] ** 2).sum()), gradient.ravel()

    return minimise(loss, np.zeros(shape).ravel() if start is None else start.ravel()).reshape(shape)


def predict(weights: Weights, inputs: FloatArray) -> npt.NDArray[np.float32]:
    """Return the probabilities of the labels: float32 (images, labels)."""
    logits = inputs @ weights[:-1].astype(np.float32) + weights[-1].astype(np.float32)
    logits -= logits.max(axis=1, keepdims=True)
    exponents = np.exp(logits)
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float32)


def minimise(loss: Callable[[Weights], tuple[float, Weights]], start: Weights) -> Weights:
    """Minimise a smooth convex function, which returns its value and its gradient, by L-BFGS.

    >>> minimise(lambda x: (float(((x - 3) ** 2).sum()), 2 * (x - 3)), np.zeros(2)).round(3).tolist()
    [3.0, 3.0]
    """
    at, (value, gradient) = start, loss(start)
    history: list[tuple[Weights, Weights, float]] = []
    for _ in range(N_STEPS):
        if np.abs(gradient).max() <= TOLERANCE:
            break
        step = -_times_inverse_curvature(history, gradient)
        slope, length = float(step @ gradient), 1.0
        for _ in range(30):
            ahead = at + length * step
            value_ahead, gradient_ahead = loss(ahead)
            if value_ahead <= value + 1e-4 * length * slope:
                break
            length /= 2
        else:
            break  # as low as the precision of the inputs goes
        moved, turned = ahead - at, gradient_ahead - gradient
        if (curvature := float(moved @ turned)) > 1e-12:
            history = [*history[1 - MEMORY :], (moved, turned, curvature)]
        at, value, gradient = ahead, value_ahead, gradient_ahead
    return at


def _times_inverse_curvature(history: list[tuple[Weights, Weights, float]], gradient: Weights) -> Weights:
    """Multiply by the inverse of the second derivatives as the last steps have shown them (the two-loop recursion)."""
    result, factors = gradient.copy(), []
    for moved, turned, curvature in reversed(history):
        factors.append(float(moved @ result) / curvature)
        result -= factors[-1] * turned
    if history:
        _, turned, curvature = history[-1]
        result *= curvature / float(turned @ turned)
    else:
        result /= max(float(np.linalg.norm(gradient)), 1.0)
    for (moved, turned, curvature), factor in zip(history, reversed(factors), strict=True):
        result += (factor - float(turned @ result) / curvature) * moved
    return result
