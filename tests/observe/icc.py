"""ICC profiles made here from published numbers, and those numbers applied in floating point to compare with."""

import struct

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])

# Published matrices, linear RGB to XYZ of D65 (http://www.brucelindbloom.com/index.html?Eqn_RGB_XYZ_Matrix.html; those
# of Display P3 from https://www.w3.org/TR/css-color-4/#color-conversion-code), and the exponent of their curve.
TO_D65 = {
    "Adobe RGB": (
        [[0.5767309, 0.1855540, 0.1881852], [0.2973769, 0.6273491, 0.0752741], [0.0270343, 0.0706872, 0.9911085]],
        563 / 256,
    ),
    "Display P3": (
        [[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0.0, 0.0451134, 1.0439444]],
        None,
    ),
    "BT.2020, gamma 2.2": (
        [[0.6369580, 0.1446169, 0.1688810], [0.2627002, 0.6779981, 0.0593017], [0.0, 0.0280727, 1.0609851]],
        2.2,
    ),
    "sRGB": (
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
        None,
    ),
}
# Of D50, as their profiles have it.
TO_D50 = {
    "ProPhoto": (
        [[0.7976749, 0.1351917, 0.0313534], [0.2880402, 0.7118741, 0.0000857], [0.0, 0.0, 0.8252100]],
        1.8,
    ),
    "eciRGB, gamma 1.8": (
        [[0.6502043, 0.1780774, 0.1359384], [0.3202499, 0.6020711, 0.0776791], [0.0, 0.0678390, 0.7573710]],
        1.8,
    ),
}
FROM_D65_TO_D50 = np.array(  # Bradford; http://www.brucelindbloom.com/index.html?Eqn_ChromAdapt.html
    [[1.0478112, 0.0228866, -0.0501270], [0.0295424, 0.9904844, -0.0170491], [-0.0092345, 0.0150436, 0.7521316]]
)
SPACES = {name: (FROM_D65_TO_D50 @ np.array(matrix), gamma) for name, (matrix, gamma) in TO_D65.items()} | {
    name: (np.array(matrix), gamma) for name, (matrix, gamma) in TO_D50.items()
}
"""Matrix from linear RGB to XYZ of D50, and the exponent of the curve; None for sRGB's."""


def profile(tags, space=b"RGB ", kind=b"mntr", pcs=b"XYZ "):
    """An ICC profile, version 4.3, of these tags."""
    start = 132 + 12 * len(tags)
    table, bodies = [], b""
    for name, body in tags.items():
        table.append(struct.pack(">4sII", name, start + len(bodies), len(body)))
        bodies += body + bytes(-len(body) % 4)
    illuminant = xyz(D50)[8:]
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x12s48x", start + len(bodies), 0x04300000, kind, space, pcs, b"acsp", illuminant
    )
    return header + struct.pack(">I", len(tags)) + b"".join(table) + bodies


def xyz(values):
    """A tag of type XYZ."""
    return struct.pack(">4s4x3i", b"XYZ ", *(round(float(value) * 65536) for value in values))


def curve(gamma):
    """A tag of one curve: an exponent, or sRGB's."""
    if gamma is None:
        numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        return struct.pack(">4s4xHH5i", b"para", 3, 0, *(round(number * 65536) for number in numbers))
    return struct.pack(">4s4xHHi", b"para", 0, 0, round(gamma * 65536))


def rgb_profile(name):
    """The profile of a space of :data:`SPACES`."""
    matrix, gamma = SPACES[name]
    columns = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, matrix.T), strict=True))
    return profile({b"wtpt": xyz(D50), **columns, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(gamma))})


def grey_profile(gamma):
    """A profile of grey with this curve."""
    return profile({b"wtpt": xyz(D50), b"kTRC": curve(gamma)}, space=b"GRAY")


def ink_profile():
    """A profile of four inks whose table says another colour than their plain inversion: a grid of 2 to each side."""
    corners = np.array(np.meshgrid(*[[0, 1]] * 4, indexing="ij")).reshape(4, -1).T  # C, M, Y, K
    light = np.clip(1 - corners[:, :3] * [0.9, 0.8, 0.7] - 0.9 * corners[:, 3:], 0, 1)
    lab = np.stack([light.mean(axis=1), 0.5 + (light[:, 0] - light[:, 1]) / 4, 0.5 + (light[:, 1] - light[:, 2]) / 4])
    table = np.rint(lab.T * 255).astype(np.uint8).tobytes()
    identity = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 if n in (0, 4, 8) else 0 for n in range(9)))
    lut = struct.pack(">4s4xBBBx", b"mft1", 4, 3, 2) + matrix + identity * 4 + table + identity * 3
    return profile({b"wtpt": xyz(D50), b"A2B0": lut, b"A2B1": lut}, space=b"CMYK", kind=b"prtr", pcs=b"Lab ")


def linear(values, gamma):
    """Values of 0 to 255 as light, 0 to 1."""
    values = np.asarray(values, np.float64) / 255
    if gamma is not None:
        return values**gamma
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def srgb_of_linear(light):
    """Linear sRGB, clipped, as values of 0 to 255."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def in_srgb(values, name):
    """What a space's RGB, shape (…, 3), is in sRGB by the published matrices."""
    matrix, gamma = SPACES[name]
    to_srgb = np.linalg.inv(SPACES["sRGB"][0]) @ matrix
    return srgb_of_linear(linear(values, gamma) @ to_srgb.T)
