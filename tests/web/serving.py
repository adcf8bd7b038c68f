"""`notifier serve` as a process of its own, on a free port or a socket file."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = """\
config_version = 1
[organisation]
name = {{ pl = "Biuro współpracy międzyregionalnej", en = "Office for Interregional Cooperation" }}
sender = "events@region.example"
postal_address = "ul. Przykładowa 1, 00-000 Warszawa"
languages = ["pl", "en", "de", "bg"]
timezone = "Europe/Warsaw"
[paths]
state = "state"
[[newsletter]]
name = "events"
title = {{ pl = "Przegląd spotkań", en = "Meetings ahead", de = "Kommende Termine", bg = "Предстоящи срещи" }}
[web]
base_url = "{base_url}"
"""


@contextmanager
def serving(folder: Path, listen: str, base_url: str = "http://127.0.0.1") -> Iterator[subprocess.Popen[str]]:
    """The server of the project in `folder`, listening at `listen`; ended at the end."""
    (folder / "config.toml").write_text(CONFIG.format(base_url=base_url), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "notifier",
        "--at",
        "2020-04-01 08:00",
        "--config",
        str(folder / "config.toml"),
        "serve",
        "--listen",
        listen,
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        _wait(server, listen)
        yield server
    finally:
        server.terminate()
        server.communicate(timeout=20)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _wait(server: subprocess.Popen[str], listen: str) -> None:
    """Until the server answers.

    Raises:
        RuntimeError: it ended, or did not answer for 20 s; with what it said.
    """
    until = time.monotonic() + 20
    while time.monotonic() < until and server.poll() is None:
        if _answers(listen):
            return
        time.sleep(0.05)
    server.kill()
    raise RuntimeError(f"the server does not answer: {server.communicate()[1]}")


def _answers(listen: str) -> bool:
    if listen.startswith("unix:"):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(listen.removeprefix("unix:")) == 0
    host, _, port = listen.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
