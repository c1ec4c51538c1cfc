"""No text of a tree turns the writing direction of a page, and all can still be followed."""

import json
import re
from urllib.parse import quote

import pytest

from retain.dashboard.export import export_site
from retain.dashboard.index import OutputsReader
from retain.dashboard.links import ServerLinks
from retain.dashboard.page_cache import PageCache
from retain.dashboard.watch import OutputsWatch
from retain.record.document import identity, slug_of
from retain.wording import BIDI_CONTROLS

from .conftest import compared, compared_watch, copy_before, spoil

TURNED = f"gnp{BIDI_CONTROLS}exe"


@pytest.fixture
def turned(copied):
    """Outputs with every control of the writing direction wherever they take a text."""
    for path in sorted(copied.glob("*/*/record.json")):
        tree = json.loads(path.read_text("utf-8"))
        tree["config"]["model"][TURNED] = f"{TURNED}{tree['id']}"
        tree["id"] = identity(tree["config"])
        path.write_text(json.dumps(tree), "utf-8")
        name = f"{slug_of(tree['config'])}-{tree['id']}"
        path.parent.rename(path.parent.with_name(name))
    spoil(copied, TURNED)
    return copied


def texts(value):
    """Yield all texts of a JSON value."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


def check(page):
    assert not set(page) & set(BIDI_CONTROLS)
    island = json.loads(re.search(r'id="island">(.*?)</script>', page, re.DOTALL)[1])
    assert not {letter for text in texts(island) for letter in text} & set(BIDI_CONTROLS)
    return island


def test_no_page_of_the_server_turns(turned):
    watch = OutputsWatch(turned)
    watch.read()
    pages = PageCache(watch, TURNED, "en", compared_watch(copy_before(turned), turned))
    (study,) = watch.index.studies
    assert "\\u202e" in study.name
    whole = [row for row in study.rows if row.state == "done"]
    assert TURNED in whole[0].config["model"]
    rows = [f"{study.name}/{row.id}" for row in (*study.rows[:4], *whole[:4])]
    for page in (pages.studies(), pages.campaigns(), pages.trees(), pages.history([study.name])):
        check(page)
        assert "\\u202e" in page
    check(pages.not_found())
    assert "\\u202e" in pages.compare(rows)
    check(pages.compare(rows))


def test_a_link_to_a_turned_name_leads_to_its_page(turned):
    watch = OutputsWatch(turned)
    watch.read()
    pages = PageCache(watch, "outputs", "en")
    island = check(pages.runs([]))
    (name,), ids = island["runs"]["study"]["levels"], island["runs"]["id"]
    assert pages.runs([name])
    assert pages.compare([f"{name}/{ids[0]}"])
    assert quote(name, safe="") in ServerLinks().history(name)


def test_the_page_of_trees_leads_to_a_turned_study(turned):
    watch = OutputsWatch(turned)
    watch.read()
    pages = PageCache(watch, "outputs", "en", compared_watch(copy_before(turned), turned))
    (study,) = watch.index.studies
    assert f'<h2><a href="{ServerLinks().runs([study.name])}">' in pages.trees()


def test_no_page_of_an_export_turns(turned, tmp_path):
    index = OutputsReader(turned).read()
    trees = compared(copy_before(turned), turned)
    export_site(index, tmp_path / "site", TURNED, "ru", hashed_ids=False, trees=trees)
    pages = [path.read_text("utf-8") for path in (tmp_path / "site").glob("*.html")]
    assert len(pages) >= 5
    for page in pages:
        check(page)
