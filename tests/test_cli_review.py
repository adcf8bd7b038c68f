"""What a command means when things change while somebody looks: approvals, holds, sending by hand, what wakes a tick."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from office import HEADINGS, Office, Ran, an_office

from notifier import jobs
from notifier.cli import stamp
from notifier.cli.project import opened
from notifier.cli.tick import fingerprint, is_idle
from notifier.editions.base import Edition
from notifier.subscribers.address import masked

KEY = "announcement/meeting@events.region.example"
SHARED = {"at": None, "verbose": 0, "quiet": False, "output_format": "text", "color": "auto"}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Two readers, and a first tick behind it: what is told from now on is news. Announcements are approved."""
    made = an_office(tmp_path)
    made.config.write_text(
        made.config.read_text().replace(
            '[editions.announcement]\napproval = "none"', '[editions.announcement]\napproval = "required"'
        )
    )
    made.people(2)
    assert made.here("tick").code == 0
    return made


def messages(office: Office) -> list[EmailMessage]:
    """What arrived, by address."""
    files = (office.folder / "outbox/new").glob("*")
    found = [message_from_bytes(f.read_bytes(), policy=policy.default) for f in files]
    return sorted((m for m in found if isinstance(m, EmailMessage)), key=lambda m: str(m["To"]))


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def edition(office: Office, key: str = KEY) -> Edition:
    app = office.app()
    found = app.store.editions.get(key)
    app.close()
    assert found is not None
    return found


def said(ran: Ran, code: int = 0) -> str:
    assert ran.code == code, ran
    return ran.out + ran.err


# What wakes a tick


def test_an_approval_while_a_tick_is_under_way_wakes_the_next_one(office: Office) -> None:
    office.tell()
    with opened({**SHARED, "config": str(office.config)}) as project:
        before = fingerprint(stamp.watched(project.config))
        assert office.here("tick").code == 0

        assert office.here("editions", "approve", KEY, "--yes").code == 0
        stamp.leave(project.config, None, fingerprint=before)  # by the tick that read before

    assert office.stamp.exists()
    assert not is_idle(office.config)
    assert office.here("tick").code == 0
    assert len(messages(office)) == 2


def test_a_link_into_nowhere_that_an_editor_leaves_disturbs_no_tick(office: Office) -> None:
    office.tell()
    os.symlink("user@host.123:99", office.folder / "data/events/.#2030-04-28-x.md")
    office.write("data/events/#2030-04-28-x.md#.md", "not saved yet")

    assert said(office.here("tick")) == ""
    assert is_idle(office.config)


def test_the_heartbeat_of_idle_ticks_is_no_gap(office: Office) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    app = office.app()
    app.store.note("last_tick", long_ago.isoformat())
    app.store.editions.turn_back(long_ago)
    app.close()
    office.tell()

    assert said(office.here("tick")) == ""

    assert not edition(office).reason.startswith(jobs.BY_GAP)


def test_a_clock_that_jumped_is_accepted_by_a_person(office: Office) -> None:
    app = office.app()
    boot, offset = str(app.store.noted("clock")).split(" ")
    app.store.note("clock", f"{boot} {float(offset) + 4000}")
    app.close()
    office.stamp.unlink()
    assert "notifier tick --accept-clock" in said(office.here("tick"), code=5)

    assert said(office.here("tick", "--accept-clock")) == ""

    assert said(office.here("tick")) == ""
    assert office.stamp.exists()


def test_an_address_is_masked_everywhere_alike() -> None:
    assert masked("office@example.org") == "o…@example.org"
    assert masked("") == ""
