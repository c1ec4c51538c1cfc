"""The server answers whom it should, with what it should, and nothing brings it down."""

import asyncio
import http.client
import json
import random
import re
import socket
import string
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import quote

import pytest

from retain.dashboard.index import OutputsReader
from retain.dashboard.page_cache import PageCache
from retain.dashboard.security import HEADERS, MAX_URL_BYTES, ServerAccess
from retain.dashboard.server import make_application, report_policy
from retain.dashboard.watch import OutputsWatch

from .conftest import MARKUP, serving

ELSEWHERE = ThreadPoolExecutor(1)
"""A thread without a loop: a browser of other tests has one in this."""


class Answer:
    """An answer of the application."""

    def __init__(self, messages):
        self.status = messages[0]["status"]
        self.headers = {k.decode(): v.decode() for k, v in messages[0]["headers"]}
        self.text = b"".join(one.get("body", b"") for one in messages[1:]).decode()


@pytest.fixture(scope="module")
def access():
    return ServerAccess(8000)


@pytest.fixture(scope="module")
def make(access):
    def application(folder):
        watch = OutputsWatch(folder)
        watch.read()
        return make_application(PageCache(watch, folder.name, "en"), access)

    return application


@pytest.fixture(scope="module")
def application(make, made):
    return make(made)


def ask(application, path, *, method="GET", **headers):
    """Ask an application as an ASGI server does, and return its answer."""
    plain, _, query = path.partition("?")
    messages = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        messages.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": plain,
        "raw_path": plain.encode(),
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
    ELSEWHERE.submit(asyncio.run, application(scope, receive, send)).result()
    return Answer(messages)


def known(access, **more):
    return {"host": f"127.0.0.1:{access.port}", "cookie": f"retain-8000={access.token}", **more}


PATHS = ("/", "/runs", "/runs?study=models", "/history?study=models", "/campaigns", "/trees")


@pytest.mark.parametrize("path", PATHS)
def test_who_has_the_secret_gets_every_page(application, access, path):
    answer = ask(application, path, **known(access))
    assert answer.status == 200
    assert answer.text.startswith("<!DOCTYPE html>")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert access.token not in answer.text


def test_a_page_runs_its_own_script_and_style_alone(application, access):
    text = ask(application, "/", **known(access)).text
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"\son\w+=|javascript:", text.partition("<script>")[0])


def test_the_link_lets_in_and_the_browser_keeps_the_secret(application, access):
    host = {"host": "localhost:8000"}
    answer = ask(application, access.link.partition("8000")[2], **host)
    assert answer.status == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert ask(application, "/runs", cookie=cookie.partition(";")[0], **host).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"cookie": ""}, 403),
        ({"cookie": "retain-8000=wrong"}, 403),
        ({"cookie": "retain-8000"}, 403),
        ({"cookie": "\xff=\xff; ;;="}, 403),
        ({"host": "evil.example:8000"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"host": "127.0.0.1:8001"}, 421),
        ({"host": ""}, 421),
    ],
)
def test_everybody_else_is_refused(application, access, headers, status):
    answer = ask(application, "/", **known(access, **headers))
    assert answer.status == status
    assert "<" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"])
def test_nothing_can_be_sent(application, access, method):
    assert ask(application, "/", method=method, **known(access)).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/runs?study=nothing",
        "/runs?study=models&study=nothing",
        "/history",
        "/history?study=models&study=trees",
        "/compare",
        "/compare?run=models",
        "/compare?run=models/00000000",
        "/compare?run=/",
        "/report?study=trees",
        "/report?study=../models",
        "/../../etc/passwd",
        f"/runs?study={quote(MARKUP)}",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(application, access, path):
    answer = ask(application, path, **known(access))
    assert answer.status == 404
    assert "There is no such page" in answer.text
    assert MARKUP not in answer.text


def test_a_long_address_is_refused(application, access):
    path = "/runs?study=" + "x" * MAX_URL_BYTES
    assert ask(application, path, **known(access)).status == 414


def test_runs_are_compared_by_their_addresses(application, access, made):
    rows = OutputsReader(made).read().study("models").rows[:3]
    query = "&".join(f"run=models/{row.id}" for row in rows)
    answer = ask(application, f"/compare?{query}&{query}", **known(access))
    assert answer.status == 200
    assert answer.text.count('data-metric="roc_auc"') == 1


# The page of a verdict may be anybody's: it belongs to no site, and runs retain's own script alone.
def test_the_page_of_a_verdict_is_shut_off(application, access):
    answer = ask(application, "/report?study=models", **known(access))
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert policy == report_policy()
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy


def test_a_hostile_tree_is_shown_and_its_markup_is_text(make, access, hostile):
    application = make(hostile)
    study = quote(MARKUP)
    for path in ("/", "/runs", f"/runs?study={study}", f"/history?study={study}", "/campaigns"):
        answer = ask(application, path, **known(access))
        assert answer.status == 200
        assert MARKUP not in answer.text
        assert len(answer.text) < 500_000
    for row in OutputsReader(hostile).read().studies[0].rows[:6]:
        answer = ask(application, f"/compare?run={study}/{quote(row.id)}", **known(access))
        assert answer.status == 200
        assert MARKUP not in answer.text


def test_a_folder_that_goes_while_it_is_served_is_missed_on_every_page(copied, access):
    watch = OutputsWatch(copied)
    watch.read()
    application = make_application(PageCache(watch, copied.name, "en"), access)
    moved = copied.rename(copied.with_name("moved"))
    watch.read()
    for path in ("/", "/runs", "/history?study=invented", "/campaigns", "/trees", "/nothing"):
        text = ask(application, path, **known(access)).text.partition("<main>")[2]
        text = text.partition("</main>")[0]
        assert "The folder can no longer be read" in text
        assert "retain-dashboard FOLDER" in text
        assert "no study here yet" not in text
    moved.rename(copied)
    watch.read()
    text = ask(application, "/", **known(access)).text
    assert "can no longer be read" not in text
    assert "invented" in text


def test_what_goes_wrong_in_one_page_leaves_the_others(make, access, made, monkeypatch, caplog):
    application = make(made)
    with monkeypatch.context() as patch:
        patch.setattr(PageCache, "campaigns", lambda _: 1 / 0)
        answer = ask(application, "/campaigns", **known(access))
    assert (answer.status, answer.text) == (500, "Internal Server Error")
    assert "ZeroDivisionError" in caplog.text
    assert ask(application, "/campaigns", **known(access)).status == 200


def test_ten_thousand_random_requests_are_answered(application, access):
    chance = random.Random(0)  # noqa: S311 - no secret
    words = ["runs", "compare", "history", "report", "trees", "study", "run", "models"]
    words += ["..", "%00", MARKUP]
    letters = string.printable + "\xff\u0416"

    def text():
        own = "".join(chance.choices(letters, k=chance.randrange(12)))
        return chance.choice([own, chance.choice(words), quote(own)])

    statuses = set()
    for number in range(10_000):
        path = "/" + "/".join(text() for _ in range(chance.randrange(3)))
        query = "&".join(f"{text()}={text()}" for _ in range(chance.randrange(4)))
        headers = known(access) if number % 5 == 0 else {"host": "127.0.0.1:8000"}
        headers[chance.choice(["accept", "cookie", "range"])] = quote(text())
        method = chance.choice(["GET", "GET", "GET", "HEAD", "POST"])
        statuses.add(ask(application, f"{path}?{query}", method=method, **headers).status)
    assert statuses <= {200, 400, 403, 404, 405, 414}
    assert ask(application, "/", **known(access)).status == 200


@pytest.fixture(scope="module")
def served(made):
    with serving(made) as one:
        yield one


def test_bytes_that_are_no_request_do_not_stop_the_server(served):
    port = served.access.port
    for junk in (b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 200_000):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as wire:
            wire.sendall(junk)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", f"/?token={served.access.token}")
    assert connection.getresponse().status == 200
    connection.close()


def test_connections_that_ask_nothing_are_ended(made, monkeypatch):
    monkeypatch.setattr("retain.dashboard.protocol.REQUEST_SECONDS", 0.5)
    with serving(made) as one, ExitStack() as idle:
        address = ("127.0.0.1", one.access.port)
        wires = [idle.enter_context(socket.create_connection(address, 5)) for _ in range(80)]
        for wire in wires:
            wire.sendall(b"GET / HT")
        assert all(map(is_ended, wires))
        assert is_answered(one)


def is_ended(wire):
    try:
        return wire.recv(1) == b""
    except ConnectionResetError:
        return True


def is_answered(one, connection=None):
    connection = connection or http.client.HTTPConnection("127.0.0.1", one.access.port, timeout=5)
    with closing(connection):
        connection.request("GET", f"/?token={one.access.token}")
        return connection.getresponse().status == 200


def test_half_a_second_request_ends_a_connection_too(made, monkeypatch):
    monkeypatch.setattr("retain.dashboard.protocol.REQUEST_SECONDS", 0.5)
    with serving(made) as one:
        connection = http.client.HTTPConnection("127.0.0.1", one.access.port, timeout=5)
        connection.request("GET", f"/?token={one.access.token}")
        assert connection.getresponse().read()
        connection.sock.sendall(b"GET / HTTP/1.1\r\nHost: x")
        assert is_ended(connection.sock)
        connection.close()
        assert is_answered(one)


def test_a_crowd_that_asks_nothing_shuts_nobody_out(made):
    with serving(made) as one, ExitStack() as crowd:
        address = ("127.0.0.1", one.access.port)
        for number in range(300):
            wire = crowd.enter_context(socket.create_connection(address, 5))
            wire.sendall(b"GET / HT" if number % 2 else b"")
            if number % 50 == 0:
                assert is_answered(one)
        assert is_answered(one)


def test_progress_comes_as_events_while_files_change(served, made):
    connection = http.client.HTTPConnection("127.0.0.1", served.access.port, timeout=15)
    cookie = f"{served.access.cookie}={served.access.token}"
    connection.request("GET", "/live", headers={"Cookie": cookie})
    answer = connection.getresponse()
    assert answer.getheader("content-type").startswith("text/event-stream")

    def event():
        text = answer.readline() + answer.readline()
        return json.loads(text.decode().removeprefix("data: "))

    first = event()
    assert first["sweeps"]["models"]["progress"] == "finished"
    file = made / "trees" / "status.json"
    before = file.read_text("utf-8")
    file.write_text(json.dumps({**json.loads(before), "state": "interrupted"}), "utf-8")
    second = event()
    file.write_text(before, "utf-8")
    assert second["sweeps"]["trees"]["progress"] == "interrupted"
    assert second["version"] > first["version"]
    connection.close()
