"""Draw docs/images/before-after-{light,dark}.webp: a messy folder, what curator decides about it, and what is left.

The scenes are those of the rendered world; what the picture says of each file is what ``curator`` said of it just now.

    python docs/scripts/before_after.py
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFile, ImageFont, ImageOps

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import curator  # noqa: E402
from curator.demo.alterations import HTML_PAGE, mirrored, resized, tiny, truncated  # noqa: E402
from curator.demo.drawing.scenes import draw_scene, encode_jpeg  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SCALE = 1.7
TILE = (96, 70)
RUGBY = {"ball": 1, "line-out": 2, "tackle": 9, "ruck": 13, "kick": 17, "scrum": 20}
SOCCER = {
    **{"wall": 9, "ball": 8, "corner": 5, "free kick": 12, "goal": 15, "kick-off": 4, "IMG_2041": 17},
    **{"IMG_2042": 16, "IMG_2043": 21, "IMG_2047": 18, "IMG_2051": 13, "IMG_2052": 0},
}


@dataclass(frozen=True)
class Theme:
    """The colours of one version of the picture."""

    name: str
    ground: str
    panel: str
    text: str
    faint: str
    out: str
    kept: str


THEMES = (
    Theme("light", "#ffffff", "#f4f5f7", "#1f2328", "#59636e", "#b3261e", "#1a7f37"),
    Theme("dark", "#0d1117", "#1a2029", "#f0f3f6", "#9ba5b0", "#ff8a80", "#56d364"),
)


def main() -> None:
    """Make the folder, run curator on it, and draw both versions."""
    with tempfile.TemporaryDirectory() as place:
        photos, fates, folder = make_data_set(Path(place))
        for theme in THEMES:
            drawn = draw(theme, photos, fates, folder)
            drawn.save(IMAGES / f"before-after-{theme.name}.webp", quality=82, method=6)
            print(f"docs/images/before-after-{theme.name}.webp: {drawn.width} x {drawn.height}")


def make_data_set(place: Path) -> tuple[Path, dict[str, str], Path]:
    """Write the messy folder and split it; return it, what became of each of its files, and the data set's folder."""
    photos = write_photos(place / "photos")
    balls = curator.create(
        "mine",
        labels=["rugby", "soccer"],
        sources=[{"kind": "folder", "path": str(photos)}],
        manifests=place / "manifests",
        data=place / "data",
        emit=lambda event: None,
    )
    for step in (balls.fetch, balls.dedupe, balls.split):
        step()
    table = balls.table
    is_mirrored = table["turn"].fillna("").str.contains("mirror")
    reasons = table["drop_reason"].fillna("").where(~is_mirrored, "mirrored copy")
    names = table["source_id"].astype(str)
    return photos, dict(zip(names, reasons, strict=True)), balls.paths.folder


def write_photos(photos: Path) -> Path:
    """Write twelve files of rugby and eighteen of soccer; ten of them are of no use."""
    drawn = {
        label: {name: encode_jpeg(draw_scene(label, (40, seed, 0)), 90) for name, seed in names.items()}
        for label, names in (("rugby", RUGBY), ("soccer", SOCCER))
    }
    rugby, soccer = drawn["rugby"], drawn["soccer"]
    shared = encode_jpeg(draw_scene("rugby", (40, 23, 0)), 90)
    files = {
        **{f"rugby/{name}.jpg": data for name, data in rugby.items()},
        "rugby/ball (1).jpg": resized(rugby["ball"], 0.6),
        "rugby/ruck flipped.jpg": mirrored(rugby["ruck"]),
        "rugby/scrum half.jpg": truncated(rugby["scrum"]),
        "rugby/download.jpg": HTML_PAGE,
        "rugby/match.jpg": shared,
        "rugby/thumb.jpg": tiny(rugby["kick"]),
        **{f"soccer/{name}.jpg": data for name, data in soccer.items()},
        "soccer/ball copy.jpg": soccer["ball"],
        "soccer/goal small.jpg": resized(soccer["goal"], 0.5),
        "soccer/IMG_2044.jpg": blank(),
        "soccer/match.jpg": shared,
        "soccer/photo.jpg": HTML_PAGE,
        "soccer/wall web.jpg": resized(soccer["wall"], 0.7, 40),
    }
    for name, data in files.items():
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(data)
    return photos


def blank() -> bytes:
    """Make a picture of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", (400, 300), "#7d8f6d").save(stream, "JPEG")
    return stream.getvalue()


# ---- drawing


def draw(theme: Theme, photos: Path, fates: dict[str, str], folder: Path) -> Image.Image:
    """Draw the picture: files with their reasons on the left, train and test on the right."""
    width, height = 1010, 566
    picture = Image.new("RGBA", (round(width * SCALE), round(height * SCALE)))
    page = Page(picture, theme)
    page.panel(0, 0, 640, height)
    page.panel(706, 0, width - 706, height)
    page.arrow(652, height // 2, 42)
    top = 14.0
    for label in ("rugby", "soccer"):
        files = sorted(path for path in (photos / label).iterdir())
        n_out = sum(bool(fates.get(f"{label}/{path.name}")) for path in files)
        page.write(16, top, f"photos/{label}/", 17, theme.text)
        page.write(624, top + 2, f"{len(files)} files, {n_out} out", 14, theme.faint, "ra")
        top = page.tiles(16, top + 26, files, lambda path: fates[f"{path.parent.name}/{path.name}"]) + 8
    top = 14.0
    for split in ("train", "test"):
        for label in ("rugby", "soccer"):
            files = sorted((folder / split / label).iterdir())
            page.write(722, top, f"{split}/{label}/", 17, theme.text)
            page.write(994, top + 2, str(len(files)), 14, theme.faint, "ra")
            top = page.thumbnails(722, top + 26, files) + 12
    page.write(722, top + 2, "manifest.csv", 17, theme.text)
    for number, line in enumerate(("each image's side, label, hash, origin,", "author and licence: what you cite")):
        page.write(722, top + 26 + 18 * number, line, 14, theme.faint)
    return picture


class Page:
    """A picture that is drawn in units of a laid-out page."""

    def __init__(self, picture: Image.Image, theme: Theme) -> None:
        self.picture, self.theme, self.pen = picture, theme, ImageDraw.Draw(picture)

    def write(self, x: float, y: float, text: str, size: float, colour: str, anchor: str = "la") -> None:
        """Write a line of text in the font that comes with Pillow."""
        font = ImageFont.load_default(size * SCALE)
        self.pen.text((x * SCALE, y * SCALE), text, colour, font, anchor)

    def panel(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a ground with round corners."""
        box = [x * SCALE, y * SCALE, (x + width) * SCALE - 1, (y + height) * SCALE - 1]
        self.pen.rounded_rectangle(box, 12 * SCALE, self.theme.panel)

    def arrow(self, x: float, y: float, length: float) -> None:
        """Draw an arrow to the right."""
        tip = x + length
        points = [(x, y - 4), (tip - 16, y - 4), (tip - 16, y - 14), (tip, y), (tip - 16, y + 14), (tip - 16, y + 4)]
        self.pen.polygon([(a * SCALE, b * SCALE) for a, b in [*points, (x, y + 4)]], self.theme.faint)

    def tiles(self, x: float, y: float, files: list[Path], fate_of: Callable[[Path], str]) -> float:
        """Draw six files a row, each with its name, or with the reason why it is out; return where the rows end."""
        for number, path in enumerate(files):
            left, top = x + number % 6 * (TILE[0] + 6.4), y + number // 6 * (TILE[1] + 24)
            fate = fate_of(path)
            self.thumbnail(left, top, TILE, path, is_out=bool(fate))
            text = fate or path.stem
            self.write(
                left + TILE[0] / 2, top + TILE[1] + 3, text, 12.5, self.theme.out if fate else self.theme.faint, "ma"
            )
        return y + -(-len(files) // 6) * (TILE[1] + 24)

    def thumbnails(self, x: float, y: float, files: list[Path]) -> float:
        """Draw four small pictures a row; return where the rows end."""
        for number, path in enumerate(files):
            self.thumbnail(x + number % 4 * 69, y + number // 4 * 52, (64, 47), path, is_out=False)
        return y + -(-len(files) // 4) * 52

    def thumbnail(self, x: float, y: float, size: tuple[float, float], path: Path, is_out: bool) -> None:
        """Draw one picture, cut to the shape of its place; what is out is faint and struck through."""
        pixels = (round(size[0] * SCALE), round(size[1] * SCALE))
        picture = ImageOps.fit(open_anyhow(path, self.theme), pixels)
        if is_out:
            picture = Image.blend(picture, Image.new("RGB", pixels, self.theme.panel), 0.55)
        corners = Image.new("L", pixels)
        ImageDraw.Draw(corners).rounded_rectangle([0, 0, pixels[0] - 1, pixels[1] - 1], 4 * SCALE, 255)
        self.picture.paste(picture, (round(x * SCALE), round(y * SCALE)), corners)
        if is_out:
            (a, b), reach = ((x + size[0] / 2) * SCALE, (y + size[1] / 2) * SCALE), 13 * SCALE
            for slope in (1, -1):
                ends = [(a - reach, b - slope * reach), (a + reach, b + slope * reach)]
                self.pen.line(ends, self.theme.out, round(3.4 * SCALE))


def open_anyhow(path: Path, theme: Theme) -> Image.Image:
    """Open a picture as far as it goes; show the text of what is none."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except OSError:
        page = Image.new("RGB", (260, 190), theme.ground)
        font = ImageFont.load_default(46)
        ImageDraw.Draw(page).text((130, 95), "<html>", theme.faint, font, "mm")
        return page
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


if __name__ == "__main__":
    main()
