"""The notebook of the documentation, run by Jupyter as a reader does."""

import pytest

import retain
from retain.cli.run import run, run_command

MAX_LINES = 15


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_notebook_runs_and_the_shell_goes_on(checkout, tmp_path, monkeypatch, capsys):
    nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed; type: make test")
    from nbclient import NotebookClient

    book = nbformat.read(checkout / "docs" / "tutorials" / "notebook.ipynb", as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert sum(len(cell.source.splitlines()) for cell in code) <= MAX_LINES
    assert not any(cell.outputs for cell in code)  # none is committed
    NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [out.get("data", {}) for cell in code for out in cell.outputs]
    texts = "\n".join(data.get("text/plain", "") for data in shown)
    assert "campaign " in texts
    assert "overall" in texts
    assert any("image/png" in data for data in shown)
    pages = "".join(data.get("text/html", "") for data in shown)
    assert "<table" in pages
    assert "<script" not in pages
    monkeypatch.chdir(tmp_path)
    path = retain.load("outputs/mine").records[0].config["data"]["path"]
    words = ["data=table", f"data.path={path}", "data.id=customer"]
    money = ["data.target=declined", "data.profit=profit", "data.profit_unit=euros"]
    sweep = ["-m", "study.name=mine", "model=logreg,tree", "sampler=none,smote"]
    assert run_command(run, [*words, *money, *sweep], "run") == 0
    assert "4 done before" in capsys.readouterr().out
