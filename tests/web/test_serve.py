"""`notifier serve`: the real server on a port and on a socket file."""

from __future__ import annotations

import logging
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import CONFIG, free_port, serving
from visitor import NOBODY, READER

from notifier.app import App
from notifier.cli import exits
from notifier.configfile import load
from notifier.mail.links import Links
from notifier.store.base import Store
from notifier.subscribers.subscriber import Standing

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.getLogger("httpx").setLevel(logging.WARNING)
    yield


def links_of(folder: Path) -> Links:
    """As the mails of this project would carry them."""
    return App(load(folder / "config.toml", {}).config).links


def test_on_a_port_a_reader_leaves_and_a_program_polls(store: Store, tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, f"127.0.0.1:{port}", f"http://127.0.0.1:{port}") as server:
        links = links_of(tmp_path)
        with httpx.Client(trust_env=False) as client:
            page = client.get(links.unsubscribe(READER))
            assert page.status_code == 200
            assert "server" not in page.headers
            head = client.head(links.unsubscribe(READER))
            assert (head.status_code, head.content) == (200, b"")
            answer = client.post(links.unsubscribe(READER), files={"List-Unsubscribe": (None, "One-Click")})
            assert (answer.status_code, answer.text) == (200, "You have been unsubscribed.\n")
            feed = client.get(links.feed("pl") or "")
            assert feed.headers["content-encoding"] == "gzip"
            assert "Kalabrii" in feed.text
            known = client.get(links.feed("pl") or "", headers={"if-none-match": feed.headers["etag"]})
            assert known.status_code == 304
            too_large = client.post(links.unsubscribe(NOBODY), content=b"a" * 1_000_000)
            assert too_large.status_code == 413
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=20)[1]

    reader = store.subscribers.by_public_id(READER)
    assert reader is not None
    assert reader.standing is Standing.LEFT
    # The log tells what was asked for, and nobody's token or address
    assert "GET /u/{token} 200" in said
    assert links.token(READER, "unsubscribe")[:12] not in said
    assert "127.0.0.1 -" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_on_a_socket_file_the_proxy_finds_it_and_it_is_gone_afterwards(
    store: Store, tmp_path: Path, way: signal.Signals
) -> None:
    # Given a socket file that an earlier server left when it was killed
    path = tmp_path / "web.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    with serving(tmp_path, f"unix:{path}", "https://events.region.example") as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), trust_env=False) as client:
            url = links_of(tmp_path).unsubscribe(READER)
            answer = client.post(url.replace("https:", "http:"), data=ONE_CLICK)
            assert answer.status_code == 200
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
        server.send_signal(way)
        server.communicate(timeout=20)
        assert server.returncode == exits.DONE
    assert not path.exists()


def test_a_new_project_is_served_without_making_a_database(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"):
        answer = httpx.get(f"http://127.0.0.1:{port}/feed/pl/all.ics", trust_env=False)

    assert answer.status_code == 503
    assert not (tmp_path / "state/notifier.db").exists()


@pytest.mark.parametrize(
    "listen", ["nowhere", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:99999", "unix:/no/such/folder/x"]
)
def test_a_place_that_cannot_be_had_is_said_in_one_line(tmp_path: Path, listen: str) -> None:
    done = ended(tmp_path, listen)

    assert done.returncode == exits.USAGE
    assert listen in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_another_has_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = ended(tmp_path, f"127.0.0.1:{other.getsockname()[1]}")

    assert done.returncode == exits.USAGE
    assert "in use" in done.stderr


def test_a_socket_file_that_another_listens_to_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        done = ended(tmp_path, f"unix:{path}")
        assert done.returncode == exits.USAGE
        assert path.exists()


def ended(folder: Path, listen: str) -> subprocess.CompletedProcess[str]:
    """`notifier serve`, which ends by itself because it cannot listen."""
    (folder / "config.toml").write_text(CONFIG.format(base_url="http://127.0.0.1"), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "notifier",
        "--config",
        str(folder / "config.toml"),
        "serve",
        "--listen",
        listen,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=os.environ)
