import os

import pytest


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

    return write
