"""The browser that shows pages."""

import os
import shutil

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
]


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium; where none is, tests skip unless RETAIN_REQUIRE_CHROMIUM is set."""
    found = os.environ.get("RETAIN_CHROMIUM") or shutil.which("chromium")
    if found is None:
        text = "there is no chromium on PATH; set RETAIN_CHROMIUM to a browser"
        if os.environ.get("RETAIN_REQUIRE_CHROMIUM"):
            pytest.fail(text)
        pytest.skip(text)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=found, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()
