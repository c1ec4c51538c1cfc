"""``retain-dashboard`` called as a user calls it."""

import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from retain.cli.dashboard import dashboard
from retain.cli.run import run_command
from retain.record.manifest import write_manifest


@pytest.fixture
def outputs(here):
    """A folder with one study, of which nothing but a broken run is there."""
    run = here / "outputs" / "models" / "svc-0123abcd"
    run.mkdir(parents=True)
    (run / "record.json").write_text("{}", "utf-8")
    return here / "outputs"


def called(*words):
    return run_command(dashboard, words, "dashboard")


@pytest.mark.parametrize("words", [("outputs/",), ("outputs=outputs",), ()])
def test_a_folder_is_exported(outputs, here, capsys, words):
    assert called(*words, "export=site") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "1 run cannot be read: models/svc-0123abcd",
        "4 pages written; open site/index.html",
    ]
    assert "svc-0123abcd" not in (here / "site" / "index.html").read_text("utf-8")
    assert "0123abcd" in (here / "site" / "runs-models.html").read_text("utf-8")


def test_as_json_an_export_is_counted(outputs, capsys):
    assert called("export=site", "ids=hashed", "--json") == 0
    unread = {"unreadable": ["models/svc-0123abcd"], "outside": []}
    written = {"export": "site", "n_pages": 4}
    assert json.loads(capsys.readouterr().out) == {**written, **unread}


def test_an_export_beside_another_folder_has_its_page(outputs, here, capsys):
    shutil.copytree(outputs, here / "before")
    assert called("export=site", "against=before", "-q") == 0
    text = (here / "site" / "trees.html").read_text("utf-8")
    assert "one of the trees has no finished run" in text
    assert "models" in text
    (here / "empty").mkdir()
    assert called("export=site", "against=empty") == 2
    assert "'empty' holds no run" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("export", ["outputs", ".", "outputs/site", "link", "link/site", "before"])
def test_an_export_never_meets_the_folders_that_are_shown(outputs, here, capsys, export):
    shutil.copytree(outputs, here / "before")
    (here / "link").symlink_to("outputs")
    for folder in (outputs, here / "before"):
        write_manifest(folder, "0" * 64)
    before = sorted(here.rglob("*"))
    assert called(f"export={export}", "against=before") == 2
    assert "expected a folder beside it" in " ".join(capsys.readouterr().err.split())
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere",), "outputs: 'nowhere' is no folder; expected the folder with the studies"),
        (("against=nowhere",), "against: 'nowhere' is no folder; expected the folder with the"),
        (("against=./outputs",), "against: './outputs' is the folder that is shown"),
        (("against=outputs/models",), "'outputs/models' is one study; expected its folder"),
        (("port=80",), "port is 80; expected 0, or a port from 1024 to 65535"),
        (("prot=0",), "Did you mean 'port'"),
        (("language=de",), "language is 'de'; expected 'en' or 'ru'"),
        (("ids=hashed",), "ids=hashed is for an export; type export=FOLDER ids=hashed"),
        (("outputs", "more"), "two folders are named; expected one"),
        (("-q",), "--quiet would print no link; type --json"),
    ],
)
def test_a_wrong_line_says_what_to_type(outputs, capsys, words, message):
    assert called(*words) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_without_its_packages_it_says_what_to_install(outputs, capsys, monkeypatch):
    monkeypatch.setattr("retain.cli.dashboard.REQUIRED_PACKAGES", ("no_such_package",))
    assert called() == 2
    assert "pip install 'retain[dashboard]'" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(outputs, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert called(f"port={port}") == 2
    assert f"another program listens at {port}" in capsys.readouterr().err


@pytest.mark.slow
def test_the_link_that_it_prints_works_until_ctrl_c(outputs):
    code = "from retain.cli.dashboard import main; main()"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = subprocess.Popen([sys.executable, "-c", code, "outputs/"], **pipes)
    assert started.stdout.readline() == "outputs/: 1 study, 1 run\n"
    assert started.stdout.readline() == "1 run cannot be read: models/svc-0123abcd\n"
    found = re.fullmatch(r"Open http://127\.0\.0\.1:(\d+)(/\S+)\n", started.stdout.readline())
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
    connection.request("GET", found[2])
    answer = connection.getresponse()
    assert answer.status == 200
    assert b"models" in answer.read()
    cookie = answer.getheader("set-cookie").partition(";")[0]
    connection.request("GET", "/live", headers={"Cookie": cookie})
    assert connection.getresponse().readline().startswith(b"data: ")
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=20)
    assert (started.returncode, errors) == (0, "")
    connection.close()
