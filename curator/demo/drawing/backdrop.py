"""What is behind the pitch: sky and clouds, hills, trees, houses, stands with a crowd, advertising boards.

>>> smooth_noise(np.random.default_rng(0), (4, 6), cell_px=2).shape
(4, 6)
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from curator.demo.drawing import brush
from curator.demo.drawing.camera import Camera, FloatArray, Image, to_pixels
from curator.demo.drawing.light import Colour, Light, haze, mix, shade, vary

_SEAT_M = 0.8


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cell_px: float) -> FloatArray:
    """Draw smooth noise of mean 0 and range -1 to 1: float32, ``shape`` (height, width).

    Elementwise sums and products only: OpenCV's resize of floats differs from version to version in the last bit.
    """
    height, width = shape
    grid = rng.random((int(height / cell_px) + 2, int(width / cell_px) + 2), dtype=np.float32) * 2 - 1
    row, down = _cells(height, cell_px)
    tall = grid[row] + (grid[row + 1] - grid[row]) * down[:, None]
    column, right = _cells(width, cell_px)
    return tall[:, column] + (tall[:, column + 1] - tall[:, column]) * right


def _cells(n: int, cell_px: float) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Return each pixel's cell, and its eased way to the next one, 0 to 1."""
    place = np.arange(n) / cell_px
    cell = place.astype(np.intp)
    way = (place - cell).astype(np.float32)
    return cell, way * way * (3 - 2 * way)


def paint_sky(camera: Camera, light: Light, rng: np.random.Generator) -> Image:
    """Paint the whole picture as sky: a gradient from zenith to horizon, and clouds."""
    level = float(np.clip(camera.horizon()[0][1], 20, camera.height * 1.2))
    size = (min(camera.height, int(level * 1.3) + 20), camera.width)
    share = np.clip(np.arange(size[0], dtype=np.float32) / np.float32(level), 0, 1)[:, None, None] ** 2
    sky = np.array(light.sky_top, np.float32) * (1 - share) + np.array(light.sky_low, np.float32) * share
    cell = camera.width / rng.uniform(1.5, 4)
    clouds = smooth_noise(rng, size, cell) + 0.5 * smooth_noise(rng, size, cell / 2.3)
    clouds += 0.3 * smooth_noise(rng, size, cell / 6) + 0.15 * smooth_noise(rng, size, cell / 14)
    amount = {"clear": 0.15, "cloudy": 1.0, "golden": 0.5, "floodlit": 0.1}.get(light.weather, 0.35)
    white = np.clip(clouds * 1.3 + rng.uniform(-0.3, 0.3), 0, 1)[..., None] * np.float32(amount)
    bright = np.array(mix(light.sky_low, (255, 255, 255), 0.5 if light.weather != "floodlit" else 0.1), np.float32)
    canvas = np.zeros((camera.height, camera.width, 3), np.uint8)
    canvas[: size[0]] = to_pixels(sky + (bright - sky) * white)
    return canvas


def paint_backdrop(canvas: Image, camera: Camera, light: Light, rng: np.random.Generator, distance_m: float) -> None:
    """Draw one kind of backdrop, ``distance_m`` beyond the camera, from edge to edge."""
    kind = str(rng.choice(("stand", "trees", "houses", "hills", "boards", "stand-and-boards")))
    if kind != "stand":
        _ridge(canvas, camera, light, rng, distance_m * 3, rng.uniform(10, 35), (58, 84, 60))
    if kind == "trees" or rng.random() < 0.25:
        _ridge(canvas, camera, light, rng, distance_m * 1.3, rng.uniform(6, 15), (34, 66, 40))
    if kind == "houses":
        _houses(canvas, camera, light, rng, distance_m * 1.2)
    if kind.startswith("stand"):
        _stand(canvas, camera, light, rng, distance_m)
    if kind.endswith("boards"):
        _boards(canvas, camera, light, rng, distance_m - 2)


def _wall(camera: Camera, distance_m: float, left: float, right: float, low: float, high: float) -> FloatArray:
    """Project an upright rectangle that faces the camera; ``left`` and ``right`` in metres from its axis."""
    level = np.array([camera.forward[0], camera.forward[1], 0.0])
    level /= np.linalg.norm(level)
    across = np.array([level[1], -level[0], 0.0])
    foot = camera.position * [1, 1, 0] + level * distance_m
    corners = [(left, high), (right, high), (right, low), (left, low)]
    return camera.project([foot + across * side + np.array([0, 0, z]) for side, z in corners])[0]


def _half_width(camera: Camera, distance_m: float) -> float:
    return 0.75 * camera.width * distance_m / camera.focal_px + 5


def _ridge(
    canvas: Image, camera: Camera, light: Light, rng: np.random.Generator, distance_m: float, top_m: float, base: Colour
) -> None:
    half = _half_width(camera, distance_m)
    corners = _wall(camera, distance_m, -half, half, 0, top_m)
    n = 60
    rough = smooth_noise(rng, (2, n), n / 6)[0] * 0.35 + smooth_noise(rng, (2, n), 2)[0] * 0.12
    share = np.linspace(0, 1, n)[:, None]
    top = corners[0] + (corners[1] - corners[0]) * share
    bottom = corners[3] + (corners[2] - corners[3]) * share
    edge = top + (bottom - top) * np.clip(0.35 + rough, 0, 1)[:, None]
    colour = haze(shade(vary(rng, base, 18), _exposure(light)), distance_m * 0.8, light)
    outline = np.concatenate([edge, bottom[::-1]])
    first, last = np.clip([outline[:, 1].min() - 1, outline[:, 1].max() + 2], 0, camera.height).astype(int)
    if first >= last:
        return
    size, window = (last - first, camera.width), canvas[first:last]
    mask = np.zeros(size, np.uint8)
    brush.polygon(mask, outline - [0, first], 255.0)
    mottle = 1 + 0.22 * smooth_noise(rng, size, 9) + 0.2 * smooth_noise(rng, size, 3)
    painted = np.clip(np.array(colour, np.float32) * mottle[..., None], 0, 255)
    weight = mask[..., None].astype(np.float32) / 255
    window[:] = (window + (painted - window) * weight).astype(np.uint8)


def _exposure(light: Light) -> float:
    return {"floodlit": 0.28, "rain": 0.75, "golden": 0.8}.get(light.weather, 1.0)


def _houses(canvas: Image, camera: Camera, light: Light, rng: np.random.Generator, distance_m: float) -> None:
    half = _half_width(camera, distance_m)
    left = -half
    while left < half:
        width, high = rng.uniform(7, 22), rng.uniform(5, 13)
        colour = vary(rng, ((150, 170, 190), (110, 125, 170), (190, 195, 200))[rng.integers(3)], 30)
        seen = haze(shade(colour, _exposure(light)), distance_m, light)
        brush.polygon(canvas, _wall(camera, distance_m, left, left + width, 0, high), seen)
        roof = _wall(camera, distance_m, left - 0.5, left + width + 0.5, high, high + rng.uniform(1.5, 4))
        ridge = (roof[0] * 0.75 + roof[1] * 0.25, roof[0] * 0.25 + roof[1] * 0.75)
        brush.polygon(canvas, [*ridge, *roof[2:]], shade(seen, 0.6))
        for start in np.arange(left + 1.5, left + width - 2, 3.0):
            window = _wall(camera, distance_m, start, start + 1.1, high - 3, high - 1.4)
            brush.polygon(canvas, window, shade(seen, 0.45))
        left += width + rng.uniform(0, 9)


def _stand(canvas: Image, camera: Camera, light: Light, rng: np.random.Generator, distance_m: float) -> None:
    half = _half_width(camera, distance_m)
    high = rng.uniform(7, 26)
    texture = _crowd(light, rng, n_rows=int(high / _SEAT_M), n_seats=160)
    corners = _wall(camera, distance_m, -half, half, 1.0, high)
    first, last = np.clip([corners[:, 1].min(), corners[:, 1].max() + 1], 0, camera.height).astype(int)
    if first < last:
        side, up = camera.upright(distance_m, first, last)
        inside = (up >= 1.0) & (up < high)
        rows = ((high - up[inside]) * (8 / _SEAT_M)).astype(np.intp) % texture.shape[0]
        columns = (side[inside] * (8 / _SEAT_M)).astype(np.intp) % texture.shape[1]
        canvas[first:last][inside] = texture[rows, columns]
    if rng.random() < 0.6:
        roof = _wall(camera, distance_m, -half, half, high, high + rng.uniform(1.5, 4))
        brush.polygon(canvas, roof, haze(shade(vary(rng, (120, 115, 110), 50), _exposure(light)), distance_m, light))
    barrier = haze(vary(rng, (110, 110, 110), 60), distance_m, light)
    brush.polygon(canvas, _wall(camera, distance_m, -half, half, 0, 1.0), barrier)


def _crowd(light: Light, rng: np.random.Generator, n_rows: int, n_seats: int) -> Image:
    """Draw rows of seats, some empty, with a head and a coat each; 8 x 8 pixels a seat."""
    seat = np.array(vary(rng, ((140, 60, 40), (50, 50, 150), (90, 90, 90), (60, 110, 60))[rng.integers(4)], 25))
    fans = np.array([vary(rng, (128, 128, 128), 110) for _ in range(2)])
    greys = rng.uniform(30, 190, (n_rows, n_seats, 1)) + rng.uniform(-30, 30, (n_rows, n_seats, 3))
    in_colours = rng.random((n_rows, n_seats, 1)) < rng.uniform(0.1, 0.7)
    taken = rng.random((n_rows, n_seats)) < rng.uniform(0.25, 0.98)
    coats = np.where(in_colours, fans[rng.integers(2, size=(n_rows, n_seats))], greys)
    coats = np.where(taken[..., None], coats, seat)
    tones = np.array([120, 150, 205]) * rng.uniform(0.4, 1.1, (n_rows, n_seats, 1))
    skins = np.where(taken[..., None], tones, seat * 0.8)
    texture = coats.repeat(8, axis=0).repeat(8, axis=1).reshape(n_rows * 8, n_seats * 8, 3)
    heads = skins.repeat(4, axis=0).repeat(4, axis=1).reshape(n_rows, 4, n_seats, 4, 3)
    blocks = texture.reshape(n_rows, 8, n_seats, 8, 3)
    blocks[:, :4] = seat * 0.55
    blocks[:, :4, :, 2:6] = heads
    dimmed = to_pixels(texture * _exposure(light) * rng.uniform(0.5, 0.95))
    return to_pixels(cv2.GaussianBlur(dimmed, (0, 0), 1.2))


def _boards(canvas: Image, camera: Camera, light: Light, rng: np.random.Generator, distance_m: float) -> None:
    half = _half_width(camera, distance_m)
    left = -half - rng.uniform(0, 6)
    while left < half:
        colour = haze(shade(vary(rng, (128, 128, 128), 125), 0.7 + 0.3 * _exposure(light)), distance_m, light)
        brush.polygon(canvas, _wall(camera, distance_m, left, left + 5.9, 0, 0.95), colour)
        ink = vary(rng, (128, 128, 128), 127)
        for letter in range(int(rng.integers(3, 8))):
            start = left + 0.8 + 0.6 * letter
            brush.polygon(canvas, _wall(camera, distance_m, start, start + rng.uniform(0.2, 0.45), 0.25, 0.7), ink)
        left += 6
