import os

import pytest

from retain.plugins import registry


@pytest.fixture
def registered():
    """What a test registers is forgotten after it."""
    before = dict(registry._REGISTERED)
    yield registry._REGISTERED
    registry._REGISTERED.clear()
    registry._REGISTERED.update(before)


@pytest.fixture
def plugin_file(tmp_path, monkeypatch, registered):
    """A writer of modules that `RETAIN_PLUGINS` names, as this process and its workers see them."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(folder)

    def write(name, text):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        named = [*filter(None, [os.environ.get("RETAIN_PLUGINS")]), name]
        monkeypatch.setenv("RETAIN_PLUGINS", ",".join(named))

    yield write
    registry._import.cache_clear()
    registry._BROKEN.clear()
