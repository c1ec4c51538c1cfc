"""The site that `make docs` builds, in a browser: each page looks right, and the search finds."""

import functools
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

WIDTHS_PX = (1280, 390)
PHRASES = {
    "profit at risk": "docs/explanation/value.html",
    "ожидаемая прибыль": "docs/glossary.html",
    "validation.folds": "docs/reference/config.html",
}
"""What a reader searches for, and the page that has it."""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture(scope="module")
def site(checkout):
    """The folder of the site; if it is not built, tests skip unless RETAIN_REQUIRE_DOCS is set."""
    folder = checkout / "docs" / "_build" / "html"
    if not (folder / "index.html").is_file():
        text = "the site is not built; type: make docs"
        (pytest.fail if os.environ.get("RETAIN_REQUIRE_DOCS") else pytest.skip)(text)
    return folder


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served."""
    handler = functools.partial(Quiet, directory=site)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def view(browser, address):
    """A window, and what went wrong in it: errors of the console, requests to anywhere else."""
    context, wrong = browser.new_context(), []
    window = context.new_page()
    window.on("pageerror", lambda error: wrong.append(str(error)))
    window.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    window.route(
        lambda url: not url.startswith((address, "data:")),
        lambda route: (wrong.append(route.request.url), route.abort()),
    )
    yield window, wrong
    context.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_page_fits_its_window_and_needs_no_network(site, address, view, mode):
    window, wrong = view
    window.emulate_media(color_scheme=mode)
    found = (path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    pages = sorted(page for page in found if not page.startswith(("_static/", "index.html")))
    assert len(pages) > 80
    problems = {}
    for page in pages:
        window.goto(f"{address}/{page}")
        assert window.evaluate("document.documentElement.dataset.theme") == mode
        for width in WIDTHS_PX:
            window.set_viewport_size({"width": width, "height": 900})
            if window.evaluate("document.documentElement.scrollWidth") > width:
                problems.setdefault(page, []).append(f"scrolls sideways at {width} px")
        if wrong:
            problems.setdefault(page, []).extend(wrong)
            wrong.clear()
    assert problems == {}


def test_the_address_of_the_site_leads_to_the_first_page(address, view):
    window, wrong = view
    window.goto(f"{address}/index.html")
    window.wait_for_url("**/docs/index.html")
    assert wrong == []


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_search_finds_the_page(address, view, phrase):
    window, wrong = view
    window.goto(f"{address}/search.html")
    window.goto(f"{address}/search.html?q={phrase}")
    window.locator("#search-results li").first.wait_for()
    window.wait_for_function("document.querySelector('#search-results .search-summary')")
    found = window.locator("#search-results li a").evaluate_all(
        "all => all.map(one => one.pathname)"
    )
    assert f"/{PHRASES[phrase]}" in found[:10]
    assert wrong == []
