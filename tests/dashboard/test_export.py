"""The export is the same pages as files: small, whole, and without customers where asked."""

import re

import pytest

from retain.dashboard.export import export_site
from retain.dashboard.index import OutputsReader
from retain.errors import RetainError
from retain.record.manifest import write_manifest
from retain.storage.reading import parse_json

from .conftest import MARKUP, compared


@pytest.fixture(scope="module")
def made_index(made):
    return OutputsReader(made).read()


@pytest.fixture(scope="module")
def trees(made, earlier):
    return compared(earlier, made)


@pytest.fixture(scope="module")
def site(made_index, trees, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "site"
    export_site(made_index, folder, "outputs", "en", hashed_ids=False, trees=trees)
    return folder


@pytest.fixture(scope="module")
def hashed(made_index, trees, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "hashed"
    export_site(made_index, folder, "outputs", "en", hashed_ids=True, trees=trees)
    return folder


def texts(folder):
    return {path.name: path.read_text("utf-8") for path in folder.glob("*.html")}


def customers(text):
    moved = text.partition('id="moved"')[2].partition("</section>")[0]
    return re.findall(r'<th scope="row"><code>([^<]+)</code>', moved)


def test_every_study_has_its_pages(site):
    studies = ("models", "trees")
    kinds = ("runs", "history", "compare")
    expected = {f"{kind}-{study}.html" for kind in kinds for study in studies}
    common = {"index.html", "campaigns.html", "runs.html", "trees.html"}
    assert set(texts(site)) == {*expected, *common}


def test_every_link_leads_to_a_page_of_the_export(site):
    pages = texts(site)
    for text in pages.values():
        links = re.findall(r'href="([^"#]*)(?:#[^"]*)?"', text.partition("<script>")[0])
        assert {link for link in links if link} <= set(pages)


def test_a_page_asks_nothing_of_anybody(site):
    for text in texts(site).values():
        assert "connect-src 'none'" in text
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_the_page_of_runs_knows_what_can_be_compared(site, made_index):
    text = texts(site)["runs-models.html"]
    island = parse_json(re.search(r'id="island">(.*?)</script>', text)[1], "island")
    page, ids = island["links"]["compared"]["models"]
    assert page == "compare-models.html"
    tags = made_index.study("models").tags
    winner = next(id_ for id_, tag in tags.items() if tag == "winner")
    assert ids[0] == winner
    assert set(ids[:2]) <= set(tags)


def test_hashed_customers_are_nobody_and_the_same_in_all_of_an_export(site, hashed, made_index):
    plain, hidden = (customers(texts(folder)["compare-models.html"]) for folder in (site, hashed))
    assert len(plain) == len(hidden) > 10
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in hidden)
    assert len(set(zip(plain, hidden, strict=True))) == len(set(plain)) == len(set(hidden))
    for text in texts(hashed).values():
        for id_ in plain:
            assert f">{id_}<" not in text


def test_with_hashed_customers_the_page_of_two_trees_quotes_no_file(site, hashed):
    shown, hidden = (texts(folder)["trees.html"] for folder in (site, hashed))
    assert "record.json" in shown
    assert "record.json" not in hidden


def test_without_another_folder_no_page_of_two_trees_is_written(made_index, tmp_path):
    export_site(made_index, tmp_path / "site", "outputs", "en", hashed_ids=False)
    pages = texts(tmp_path / "site")
    assert "trees.html" not in pages
    assert not any('"trees.html"' in text for text in pages.values())


def test_hashes_of_two_exports_tell_nothing_of_each_other(hashed, made_index, tmp_path):
    export_site(made_index, tmp_path / "site", "outputs", "en", hashed_ids=True)
    one, other = (
        customers(texts(folder)["compare-models.html"]) for folder in (hashed, tmp_path / "site")
    )
    assert not set(one) & set(other)


def test_reasons_are_left_out_with_the_ids(hostile, tmp_path):
    index = OutputsReader(hostile).read()
    export_site(index, tmp_path / "open", "outputs", "en", hashed_ids=False)
    export_site(index, tmp_path / "shut", "outputs", "en", hashed_ids=True)
    broken = "is not JSON"
    assert any(broken in text for text in texts(tmp_path / "open").values())
    assert not any(broken in text for text in texts(tmp_path / "shut").values())
    assert not any(MARKUP in text for text in texts(tmp_path / "open").values())
    assert all(re.fullmatch(r"[\w.-]+", name) for name in texts(tmp_path / "open"))


def test_an_earlier_export_is_replaced_as_a_whole(made_index, invented, tmp_path):
    export_site(
        OutputsReader(invented).read(), tmp_path / "site", "outputs", "en", hashed_ids=False
    )
    export_site(made_index, tmp_path / "site", "outputs", "ru", hashed_ids=False)
    assert '<html lang="ru">' in texts(tmp_path / "site")["index.html"]
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    export_site(made_index, tmp_path / "again", "outputs", "ru", hashed_ids=False)
    assert set(texts(tmp_path / "site")) == set(texts(tmp_path / "again"))


def add_page(site):
    (site / "notes.html").write_text("mine", "utf-8")


def edit_page(site):
    (site / "index.html").write_text("mine", "utf-8")


def add_folder(site):
    (site / "models").mkdir()


def list_what_is_no_page(site):
    (site / "mine.csv").write_text("mine", "utf-8")
    write_manifest(site, "0" * 64)


def link_a_page(site):
    (site / "index.html").unlink()
    (site / "index.html").symlink_to("campaigns.html")


@pytest.mark.parametrize(
    "change", [add_page, edit_page, add_folder, list_what_is_no_page, link_a_page]
)
def test_an_export_that_somebody_changed_is_left_alone(made_index, tmp_path, change):
    site = tmp_path / "site"
    export_site(made_index, site, "outputs", "en", hashed_ids=False)
    change(site)
    before = sorted(site.iterdir())
    with pytest.raises(RetainError, match="holds what no export wrote"):
        export_site(made_index, site, "outputs", "en", hashed_ids=False)
    assert sorted(site.iterdir()) == before


def test_a_folder_with_anything_else_is_left_alone(made_index, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(RetainError, match="holds what no export wrote; expected a new folder"):
        export_site(made_index, tmp_path, "outputs", "en", hashed_ids=False)
    with pytest.raises(RetainError, match="is no folder"):
        export_site(made_index, tmp_path / "mine.txt", "outputs", "en", hashed_ids=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
