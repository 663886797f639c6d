"""Light and weather of a scene: the sun, the sky's colours, haze, and the camera's colour rendering.

>>> light = choose_light(np.random.default_rng(7))
>>> light.weather in WEATHERS
True
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from curator.demo.drawing.camera import FloatArray, Image, to_pixels

Colour = tuple[float, float, float]
"""Blue, green, red, each 0 to 255."""
WEATHERS = ("clear", "cloudy", "overcast", "golden", "floodlit", "rain", "fog")
_SKIES: dict[str, tuple[Colour, Colour]] = {  # at the zenith, at the horizon
    "clear": ((205, 130, 62), (236, 208, 176)),
    "cloudy": ((200, 150, 105), (228, 214, 200)),
    "overcast": ((176, 170, 163), (216, 213, 208)),
    "golden": ((170, 128, 104), (126, 186, 240)),
    "floodlit": ((40, 22, 14), (72, 46, 34)),
    "rain": ((132, 126, 120), (174, 170, 164)),
    "fog": ((204, 202, 198), (214, 212, 208)),
}
_STRENGTHS = {"clear": 0.9, "cloudy": 0.6, "overcast": 0.1, "golden": 0.8, "floodlit": 0.35, "rain": 0.0, "fog": 0.0}


@dataclass(frozen=True)
class Light:
    """One scene's light; ``sun`` is the ground direction that shadows fall in, times their length per metre."""

    weather: str
    sky_top: Colour
    sky_low: Colour
    sun: FloatArray
    strength: float
    side: float
    fog_m: float
    tint: FloatArray
    gamma: float
    saturation: float


def choose_light(rng: np.random.Generator) -> Light:
    """Draw a light from the same distribution for every label."""
    weather = str(rng.choice(WEATHERS, p=[0.24, 0.2, 0.18, 0.12, 0.12, 0.07, 0.07]))
    top, low = _SKIES[weather]
    azimuth = rng.uniform(0, 2 * math.pi)
    slant = {"golden": 2.6, "floodlit": 0.7}.get(weather, rng.uniform(0.4, 1.4))
    warmth = {"golden": 0.12, "floodlit": -0.03, "rain": -0.03}.get(weather, 0.0)
    return Light(
        weather=weather,
        sky_top=vary(rng, top, 16),
        sky_low=vary(rng, low, 12),
        sun=slant * np.array([math.cos(azimuth), math.sin(azimuth)]),
        strength=_STRENGTHS[weather],
        side=1.0 if math.cos(azimuth) < 0 else -1.0,
        fog_m={"fog": rng.uniform(30, 90), "rain": 160.0, "floodlit": 900.0}.get(weather, rng.uniform(250, 900)),
        tint=np.array([1.0, 1.0, 1.0]) + rng.uniform(-0.07, 0.07, 3) + [-warmth, 0.0, warmth],
        gamma=float(rng.uniform(0.8, 1.25)),
        saturation=float(rng.uniform(0.55, 1.2)),
    )


def vary(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Move a colour a little, its brightness more than its hue."""
    blue, green, red = np.clip(
        np.array(colour) + rng.uniform(-spread, spread) + rng.uniform(-spread, spread, 3) / 2, 0, 255
    )
    return float(blue), float(green), float(red)


def shade(colour: Colour, factor: float) -> Colour:
    """Darken (factor under 1) or lighten a colour."""
    blue, green, red = (min(255.0, channel * factor) for channel in colour)
    return blue, green, red


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Blend two colours; ``share`` is the second's, 0 to 1."""
    blue, green, red = (one + (other - one) * share for one, other in zip(first, second, strict=True))
    return blue, green, red


def haze(colour: Colour, depth_m: float, light: Light) -> Colour:
    """Return ``colour`` as seen through ``depth_m`` of air."""
    return mix(colour, light.sky_low, depth_m / (depth_m + 2.5 * light.fog_m))


def grade(image: Image, light: Light, rng: np.random.Generator) -> Image:
    """Render the picture as a camera would: tint, gamma, saturation, a vignette and sensor noise."""
    height, width = image.shape[:2]
    floats = image.astype(np.float32)
    grey = floats.mean(axis=2, keepdims=True)
    floats = grey + (floats - grey) * np.float32(light.saturation)
    down, right = (np.linspace(-1, 1, n, dtype=np.float32) for n in (height, width))
    vignette = np.float32(rng.uniform(0, 0.4) / 2) * ((down * down)[:, None] + right * right)
    floats *= light.tint.astype(np.float32) * (1 - vignette)[..., None]
    curve = np.rint((np.arange(256) / 255.0) ** light.gamma * 255.0).astype(np.uint8)
    sigma = rng.uniform(4, 11) if light.weather in ("floodlit", "fog") else rng.uniform(1, 6)
    grain = rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(sigma * 0.8)
    chroma = rng.standard_normal(((height + 1) // 2, (width + 1) // 2, 3), dtype=np.float32) * np.float32(sigma * 0.5)
    coarse = chroma.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return to_pixels(curve[to_pixels(floats)] + grain + coarse + np.float32(0.5))
