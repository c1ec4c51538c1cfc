"""Make the pictures of README and docs from a verdict: its page in a browser, and its fishbone.

    python docs/make_images.py outputs/demo/verdict [CHROMIUM]

The page is shown 1,280 pixels wide. Pictures have 64 colours, so that none is over 150 kB.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDTH_PX = 1280
COLOURS = 64


def main(verdict: str, chromium: str = "/usr/bin/chromium") -> None:
    """Write ``page.png`` and ``fishbone.png``."""
    folder = Path(verdict).resolve()
    IMAGES.mkdir(exist_ok=True)
    _save(Image.open(io.BytesIO(_screenshot(folder / "report.html", chromium))), "page.png")
    _save(Image.open(folder / "fishbone.png"), "fishbone.png")


def _screenshot(page: Path, chromium: str) -> bytes:
    """Return a picture of the first section of a page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        window = browser.new_page(viewport={"width": WIDTH_PX, "height": WIDTH_PX})
        window.goto(page.as_uri())
        window.wait_for_timeout(1000)
        second = window.locator("h2:visible").nth(1).bounding_box() or {"y": WIDTH_PX}
        top = {"x": 0, "y": 0, "width": WIDTH_PX, "height": min(second["y"] - 40, WIDTH_PX)}
        return window.screenshot(clip=top)


def _save(picture: Image.Image, name: str) -> None:
    """Write a picture at most ``WIDTH_PX`` wide with few colours."""
    small = picture.convert("RGB")
    small.thumbnail((WIDTH_PX, WIDTH_PX), Image.Resampling.LANCZOS)
    small.quantize(COLOURS).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
