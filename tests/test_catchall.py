"""The catch-all server: byte for byte, deterministic names, duplicates counted, fast enough for a rehearsal."""

from __future__ import annotations

import smtplib
import time
from email import message_from_bytes
from pathlib import Path

from notifier.transports.catchall import CatchAll

CONTENT = b"Message-ID: <3.7@region.example>\r\nSubject: Calabria\r\nX-Folded: a\r\n\tb\r\n\r\n..two dots\r\n.\ttab  \r\n\r\n"


def hand_in(server: CatchAll, *contents: bytes, recipient: str = "office@example.org") -> None:
    host, _, port = server.url.removeprefix("smtp://").partition(":")
    with smtplib.SMTP(host, int(port)) as client:
        for content in contents:
            client.sendmail("bounces@region.example", [recipient], content)


def test_a_message_is_kept_byte_for_byte_under_a_name_from_its_id(tmp_path: Path) -> None:
    with CatchAll(tmp_path / "maildir") as server:
        hand_in(server, CONTENT)
        (caught,) = server.caught
    assert caught.path == tmp_path / "maildir" / "new" / "3.7@region.example"
    assert caught.path.read_bytes() == CONTENT
    assert (caught.sender, caught.recipient) == ("bounces@region.example", "office@example.org")
    assert caught.message_id == "<3.7@region.example>"
    assert caught.path.stat().st_mode & 0o777 == 0o600


def test_a_repeat_is_counted_and_kept_beside_the_first(tmp_path: Path) -> None:
    with CatchAll(tmp_path) as server:
        hand_in(server, CONTENT, CONTENT, CONTENT.replace(b"<3.7@", b"<3.8@"))
        assert server.duplicates == 1
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "3.7@region.example",
        "3.7@region.example.2",
        "3.8@region.example",
    ]


def test_an_id_that_would_leave_the_folder_becomes_a_hash(tmp_path: Path) -> None:
    with CatchAll(tmp_path / "inbox") as server:
        hand_in(server, b"Message-ID: <../../evil@x>\r\n\r\n", b"Subject: none\r\n\r\nwithout an id\r\n")
        names = [caught.path.name for caught in server.caught]
    assert all(len(name) == 32 and name.isalnum() for name in names)
    assert [p.name for p in tmp_path.iterdir()] == ["inbox"]


def test_two_runs_over_the_same_messages_leave_the_same_files(tmp_path: Path) -> None:
    contents = [CONTENT.replace(b"<3.7@", f"<3.{n}@".encode()) for n in range(5)]
    for run in ("first", "second"):
        with CatchAll(tmp_path / run) as server:
            hand_in(server, *contents)
    first, second = (
        {p.relative_to(tmp_path / run): p.read_bytes() for p in (tmp_path / run).rglob("*") if p.is_file()}
        for run in ("first", "second")
    )
    assert first == second
    assert len(first) == 5


def test_a_folded_message_id_is_read(tmp_path: Path) -> None:
    with CatchAll(tmp_path) as server:
        hand_in(server, b"Subject: x\r\nMessage-ID:\r\n <9.1@region.example>\r\n\r\nbody\r\n")
        assert server.caught[0].message_id == "<9.1@region.example>"


def test_five_hundred_messages_all_arrive(tmp_path: Path) -> None:
    with CatchAll(tmp_path) as server:
        began = time.monotonic()
        hand_in(
            server,
            *(CONTENT.replace(b"<3.7@", f"<4.{n}@".encode()) + b"x" * 900 + b"\r\n" for n in range(500)),
        )
        print(f"500 messages in {time.monotonic() - began:.2f} s")
        assert len(server.caught) == 500
        assert server.duplicates == 0
    ids = {message_from_bytes(p.read_bytes())["Message-ID"] for p in (tmp_path / "new").iterdir()}
    assert len(ids) == 500


def test_the_server_stops_with_a_client_still_connected(tmp_path: Path) -> None:
    with CatchAll(tmp_path) as server:
        host, _, port = server.url.removeprefix("smtp://").partition(":")
        client = smtplib.SMTP(host, int(port))
        client.ehlo()
    client.close()


def test_a_full_folder_defers_the_message_and_does_not_count_it(tmp_path: Path) -> None:
    with CatchAll(tmp_path) as server:
        (tmp_path / "new").rmdir()
        host, _, port = server.url.removeprefix("smtp://").partition(":")
        with smtplib.SMTP(host, int(port)) as client:
            try:
                client.sendmail("a@region.example", ["b@example.org"], CONTENT)
            except smtplib.SMTPDataError as error:
                assert error.smtp_code == 452
            else:
                raise AssertionError("taken, though it was not kept")
        assert server.caught == []
