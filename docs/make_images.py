"""Make the pictures of README and docs from a verdict: its page in a browser, and its fishbone.

    python docs/make_images.py outputs/demo/verdict

The browser is ``RETAIN_CHROMIUM`` or the system's Chromium; where there is none, the pictures stay
as they are. So does a picture that would look the same. Each has 64 colours, so that none is over
150 kB.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDTH_PX = 1280
MAX_HEIGHT_PX = 860
COLOURS = 64
SAME = 1.0
"""Mean difference of two pictures, in levels of 256, up to which they look the same."""


def main(verdict: str) -> None:
    """Write ``page.png``, ``campaign.png`` and ``fishbone.png``."""
    folder = Path(verdict).resolve()
    IMAGES.mkdir(exist_ok=True)
    _save(Image.open(folder / "fishbone.png"), "fishbone.png")
    chromium = os.environ.get("RETAIN_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("There is no Chromium: the pictures of the page stay as they are.\n")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        window = browser.new_page(viewport={"width": WIDTH_PX, "height": WIDTH_PX})
        window.goto((folder / "report.html").as_uri())
        window.wait_for_timeout(1000)
        _save(_screenshot(window, "body", "#campaign"), "page.png")
        _save(_screenshot(window, "#campaign", "#label-audit"), "campaign.png")


def _screenshot(window: Page, first: str, after: str) -> Image.Image:
    """Return a picture from one element to another, cut off below where it is tall."""
    top, bottom = (
        window.locator(part).evaluate("element => element.getBoundingClientRect().top + scrollY")
        for part in (first, after)
    )
    area = {"x": 0, "y": top, "width": WIDTH_PX, "height": min(bottom - top, MAX_HEIGHT_PX)}
    return Image.open(io.BytesIO(window.screenshot(clip=area, full_page=True)))


def _save(picture: Image.Image, name: str) -> None:
    """Write a picture at most ``WIDTH_PX`` wide with few colours, unless it would look the same."""
    small = picture.convert("RGB")
    small.thumbnail((WIDTH_PX, WIDTH_PX), Image.Resampling.LANCZOS)
    few = small.quantize(COLOURS)
    if not _looks_like(few.convert("RGB"), IMAGES / name):
        few.save(IMAGES / name, optimize=True)


def _looks_like(picture: Image.Image, path: Path) -> bool:
    """Return whether a file holds much the same picture."""
    if not path.exists():
        return False
    before = Image.open(path).convert("RGB")
    if before.size != picture.size:
        return False
    return max(ImageStat.Stat(ImageChops.difference(before, picture)).mean) <= SAME


if __name__ == "__main__":
    main(*sys.argv[1:])
