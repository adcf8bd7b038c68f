"""A project in a folder, and `notifier` run in it as a person or cron would: a process, or `main` called here."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notifier.app import App
from notifier.cli.main import main
from notifier.configfile import load

CONFIG = """\
[organisation]
name = "Cooperation Office"
sender = "events@region.example"
postal_address = "1 Sample Street, 00-000 Sampletown"
languages = ["en", "pl"]
timezone = "Europe/Warsaw"
[web]
base_url = "https://events.region.example"
[editions.digest]
approval = "none"
[editions.announcement]
approval = "none"
[editions.update]
delay = "0s"
[transports]
url = "{url}"
tls = "none"
"""
HEADINGS = "email;name;languages;frequency;consent_at;consent_basis;consent_source;consent_text"


@dataclass(frozen=True)
class Ran:
    """What one run of `notifier` said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Office:
    """A project in `folder`."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def state(self) -> Path:
        return self.folder / "data/state"

    @property
    def stamp(self) -> Path:
        return self.state / "idle"

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Ran:
        """`notifier --config … WORDS` as a process; stdin is no terminal."""
        return run("--config", str(self.config), *words, cwd=self.folder, env=env)

    def here(self, *words: str) -> Ran:
        """The same in this process, for what is not the point of a test. Relative paths are the project's own."""
        return here("--config", str(self.config), *words)

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """The same, not waited for, as the leader of its own process group."""
        return subprocess.Popen(
            [sys.executable, "-m", "notifier", "--config", str(self.config), *words],
            cwd=self.folder,
            env=clean(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def app(self) -> App:
        """What the ledger says now; close it."""
        return App(load(self.config, {}).config)

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def tell(
        self, slug: str = "meeting", *, days: int = 30, title: str = "Cluster meeting", more: str = ""
    ) -> Path:
        """An event file for whole days that begin in so many days from now."""
        day = (datetime.now(UTC) + timedelta(days=days)).date()
        text = f"---\nuid: {slug}@events.region.example\ntitle: {title}\nwhen: {day}\ntype: meeting\nsummary: What clusters need.\n{more}---\nWe meet.\n"
        return self.write(f"data/events/{day.year}/{day}-{slug}.md", text)

    def people(self, count: int, *, pending: int = 0) -> list[str]:
        """So many confirmed readers, and some that are pending; their addresses."""
        rows = [f"r{n}@example.org;;en;each;2020-01-07;consent;paper form;form-v1" for n in range(count)]
        rows += [f"pending{n}@example.org;;en;each;;;;" for n in range(pending)]
        file = self.write("people.csv", "\n".join([HEADINGS, *rows]) + "\n")
        assert self.here("subscribers", "import", str(file), "--accept-consent").code == 0
        return [f"r{n}@example.org" for n in range(count)]


def an_office(folder: Path, url: str = "maildir:outbox", *, config: str = "") -> Office:
    """A project of its own with an empty data folder."""
    office = Office(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("events", "projects", "series", "notes"):
        (folder / "data" / name).mkdir(parents=True, exist_ok=True)
    office.write("config.toml", CONFIG.format(url=url) + config)
    return office


def run(*words: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
    """`notifier WORDS` as a process in `cwd`."""
    done = subprocess.run(
        [sys.executable, "-m", "notifier", *words],
        cwd=cwd,
        env=clean(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def here(*words: str | Path) -> Ran:
    """`notifier WORDS` in this process, for speed."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    code = ended.value.code
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())


def clean(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment without any setting of a project, and `env` over it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NOTIFIER_", "CREDENTIALS_"))}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1]), **(env or {})}


def ids(contents: Sequence[bytes]) -> list[str]:
    """The Message-ID of each message."""
    from email import message_from_bytes

    return [str(message_from_bytes(content)["Message-ID"]).strip() for content in contents]
