"""What every transport promises, over every backend: SMTP to two servers, LMTP on a socket, Maildir, memory, sendmail."""

from __future__ import annotations

import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from smtp_server import FaultServer

from notifier.errors import DeliveryError
from notifier.mail import outbox
from notifier.mail.outbox import Action, EntryState, Outcome
from notifier.mail.page import Message
from notifier.transports import gate, maildir, memory, sendmail, smtp
from notifier.transports.base import Transport
from notifier.transports.catchall import CatchAll
from notifier.transports.gate import GateError

BODY = (
    b"Message-ID: <3.7@region.example>\r\nSubject: Calabria\r\n\r\n"
    b".\r\n..\r\n.leading dot\r\nFrom a line\r\n\ttab \r\n\r\n" + b"x" * 998 + b"\r\n\r\n.\r\n"
)


def a_message(number: int = 7, **fields: object) -> Message:
    message = Message(
        "bounces+x@region.example",
        "office@example.org",
        f"<3.{number}@region.example>",
        BODY.replace(b"<3.7@", f"<3.{number}@".encode()),
    )
    return replace(message, **fields)  # type: ignore[arg-type]


@dataclass
class Backend:
    transport: Transport
    arrived: Callable[[], list[bytes]]  # contents, sorted
    takes_samples: bool = True


def of_memory(tmp_path: Path) -> Iterator[Backend]:
    transport = memory.from_url("memory:")
    yield Backend(transport, lambda: sorted(m.content for m in transport.sent))


def of_maildir(tmp_path: Path) -> Iterator[Backend]:
    def arrived() -> list[bytes]:
        return sorted(p.read_bytes() for p in (tmp_path / "out box" / "new").glob("*"))

    yield Backend(maildir.from_url("maildir:out%20box", root=tmp_path), arrived)


def of_smtp_to_the_catch_all(tmp_path: Path) -> Iterator[Backend]:
    with CatchAll(tmp_path) as server:
        yield Backend(
            smtp.from_url(server.url, tls="none"), lambda: sorted(c.path.read_bytes() for c in server.caught)
        )


def of_smtp_to_a_raw_socket(tmp_path: Path) -> Iterator[Backend]:
    def unstuffed(raw: bytes) -> bytes:
        return raw.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")

    with FaultServer() as server:
        yield Backend(
            smtp.from_url(server.url, tls="none"), lambda: sorted(unstuffed(raw) for raw in server.contents)
        )


def of_lmtp_on_a_socket(tmp_path: Path) -> Iterator[Backend]:
    contents: list[bytes] = []

    class Lmtp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 test LMTP\r\n")
            for line in self.rfile:
                verb = line.split()[0].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go\r\n")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    if not lines or not lines[-1].endswith(b"\r\n"):
                        return
                    contents.append(b"".join(w.removeprefix(b".") for w in lines))
                self.wfile.write(
                    b"250 2.0.0 ok\r\n" if verb in b"LHLO MAIL RCPT DATA".split() else b"221 bye\r\n"
                )

    path = tmp_path / "lmtp"
    with socketserver.ThreadingUnixStreamServer(str(path), Lmtp) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield Backend(smtp.from_url(f"lmtp://{path}", tls="none"), lambda: sorted(contents))
        server.shutdown()
        thread.join()


def of_sendmail(tmp_path: Path) -> Iterator[Backend]:
    taken = tmp_path / "taken"
    taken.mkdir()
    program = a_program(
        tmp_path,
        f'test "$*" = "-i -f bounces+x@region.example -- office@example.org" || exit 64\n'
        f'file=$(mktemp {taken}/.part.XXXXXX); sh -c \'cat > "$1"; mv "$1" "$2"\' - "$file" {taken}/"$$"; exit $?',
    )

    def arrived() -> list[bytes]:
        return sorted(p.read_bytes().replace(b"\n", b"\r\n") for p in taken.glob("[!.]*"))

    yield Backend(sendmail.from_url(f"sendmail:{program}"), arrived, takes_samples=False)


def a_program(folder: Path, script: str) -> Path:
    program = folder / "sendmail"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


BACKENDS = (
    of_memory,
    of_maildir,
    of_smtp_to_the_catch_all,
    of_smtp_to_a_raw_socket,
    of_lmtp_on_a_socket,
    of_sendmail,
)


@pytest.fixture(params=BACKENDS, ids=lambda made: made.__name__)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    yield from request.param(tmp_path)


def test_content_arrives_byte_for_byte_and_is_accepted(backend: Backend) -> None:
    with backend.transport.open() as wire:
        receipt = wire.send(a_message(), lambda: None)
    assert receipt.outcome is Outcome.ACCEPTED
    assert outbox.classify(receipt).state is EntryState.ACCEPTED
    assert receipt.server
    assert backend.arrived() == [BODY]


def test_before_content_is_called_once_and_before_anything_arrives(backend: Backend) -> None:
    seen: list[int] = []
    with backend.transport.open() as wire:
        wire.send(a_message(), lambda: seen.append(len(backend.arrived())))
    assert seen == [0]


def test_an_exception_of_before_content_passes_and_nothing_arrives(backend: Backend) -> None:
    class ClaimLostError(Exception):
        pass

    def refuse() -> None:
        raise ClaimLostError

    with backend.transport.open() as wire:
        with pytest.raises(ClaimLostError):
            wire.send(a_message(1), refuse)
        assert wire.send(a_message(2), lambda: None).outcome is Outcome.ACCEPTED
    assert backend.arrived() == [a_message(2).content]


def test_many_messages_on_two_wires_all_arrive_once(backend: Backend) -> None:
    messages = [a_message(n) for n in range(12)]
    with backend.transport.open() as one, backend.transport.open() as two:
        for n, message in enumerate(messages):
            assert (one, two)[n % 2].send(message, lambda: None).outcome is Outcome.ACCEPTED
    assert backend.arrived() == sorted(m.content for m in messages)


BAD_CONTENTS = {
    "no end": b"Subject: x\r\n\r\nbody",
    "empty": b"",
    "bare LF": b"a\r\n\nb\r\n",
    "bare CR": b"a\rb\r\n",
    "CR CR LF": b"a\r\r\n",
    "smuggled": b"a\n.\r\nMAIL FROM:<x@y>\r\n",
    "8-bit": "żółw\r\n".encode(),
    "NUL": b"a\0b\r\n",
    "long line": b"x" * 999 + b"\r\n",
}


@pytest.mark.parametrize("content", BAD_CONTENTS.values(), ids=BAD_CONTENTS.keys())
def test_content_that_could_be_read_as_something_else_does_not_pass(content: bytes) -> None:
    with pytest.raises(GateError, match="M502 content"):
        gate.check(a_message(content=content))


BAD_ADDRESSES = [
    "",
    "office",
    "@example.org",
    "office@",
    "a@b@example.org",
    "office@example.org>\r\nRCPT TO:<x@y.example",
    "office@example.org\r\nDATA",
    "office @example.org",
    "<office@example.org>",
    '"of fice"@example.org',
    "office@[127.0.0.1]",
    "office@exämple.org",
    "öffice@example.org",
    "office\0@example.org",
    "office\x85@example.org",
    "office\u2028@example.org",
    "a@example.org,b@example.org",
    "o" * 243 + "@example.org",
]


@pytest.mark.parametrize("role", ["sender", "recipient"])
@pytest.mark.parametrize("address", BAD_ADDRESSES, ids=ascii)
def test_an_address_that_means_something_on_the_wire_does_not_pass(role: str, address: str) -> None:
    with pytest.raises(GateError, match=f"M502 {role}"):
        gate.check(a_message(**{role: address}))


@pytest.mark.parametrize(
    "address", ["of\u202efice@example.org", "żó\u200błw@example.org", "żółw@exämple.org"]
)
def test_smtputf8_opens_the_gate_for_letters_only(address: str) -> None:
    gate.check(a_message(recipient="żółw@example.org", needs_smtputf8=True))
    with pytest.raises(GateError):
        gate.check(a_message(recipient=address, needs_smtputf8=True))


@pytest.mark.parametrize(
    "fields", [{"content": b"a\n.\r\n"}, {"sender": "a b@x.org"}, {"recipient": "a@x.org>\r\nDATA"}], ids=str
)
def test_every_transport_asks_the_gate(backend: Backend, fields: dict[str, object]) -> None:
    message = a_message(**fields)
    with backend.transport.open() as wire:
        with pytest.raises(GateError, match="M502") as caught:
            wire.send(message, lambda: pytest.fail("content was about to leave"))
        assert isinstance(caught.value, DeliveryError) and isinstance(caught.value, ValueError)
        assert not caught.value.temporary
        assert backend.arrived() == []
        assert wire.send(a_message(), lambda: None).outcome is Outcome.ACCEPTED


def test_sample_addresses_are_taken_only_where_nobody_is_written_to(backend: Backend) -> None:
    assert backend.transport.takes_samples is backend.takes_samples


@pytest.mark.parametrize(
    ("url", "takes_samples"),
    [
        ("smtp://127.0.0.1:25", True),
        ("smtp://localhost", True),
        ("smtp://[::1]", True),
        ("smtp://127.9.9.9", True),
        ("smtp://mail.region.example", False),
        ("smtp://192.168.1.1", False),
        ("smtp://localhost.region.example", False),
        (["smtp://127.0.0.1", "smtp://mail.region.example"], False),
    ],
)
def test_a_relay_takes_samples_only_on_loopback(url: str | list[str], takes_samples: bool) -> None:
    assert smtp.from_url(url).takes_samples is takes_samples


def test_where_there_is_no_way_out_open_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for transport in (
        smtp.from_url(f"smtp://127.0.0.1:{port}"),
        smtp.from_url(f"lmtp://{tmp_path}/none", tls="none"),
        maildir.from_url("maildir:file", root=tmp_path),
        sendmail.from_url("sendmail:none", root=tmp_path),
    ):
        with pytest.raises(DeliveryError) as caught:
            transport.open()
        assert caught.value.server


@pytest.mark.parametrize("url", ["", "maildir:", "memory", "smtp://x"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    for made in (maildir.from_url, memory.from_url, sendmail.from_url):
        with pytest.raises(ValueError, match="write"):
            made(url)


def test_the_maildir_names_files_by_message_id_and_a_repeat_replaces_itself(tmp_path: Path) -> None:
    with maildir.from_url("maildir:box", root=tmp_path).open() as wire:
        for _ in range(2):
            wire.send(a_message(), lambda: None)
        wire.send(a_message(message_id="<../../escape@x>"), lambda: None)
    names = sorted(p.name for p in (tmp_path / "box" / "new").iterdir())
    assert names[0] == "3.7@region.example"
    assert len(names) == 2 and names[1].isalnum()
    assert (tmp_path / "box" / "new" / names[0]).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "box").stat().st_mode & 0o077 == 0
    assert not list((tmp_path / "box" / "tmp").iterdir())
    assert [p.name for p in tmp_path.iterdir()] == ["box"]


def test_a_maildir_that_cannot_be_written_defers(tmp_path: Path) -> None:
    with maildir.from_url("maildir:box", root=tmp_path).open() as wire:
        (tmp_path / "box" / "new").rmdir()
        receipt = wire.send(a_message(), lambda: None)
    assert receipt.outcome is Outcome.DEFERRED
    assert outbox.classify(receipt).action is Action.THROTTLE


@pytest.mark.parametrize(
    ("script", "outcome", "enhanced"),
    [
        ("cat > /dev/null; exit 0", Outcome.ACCEPTED, "2.0.0"),
        (f"cat > /dev/null; exit {os.EX_TEMPFAIL}", Outcome.DEFERRED, "4.0.0"),
        (f"cat > /dev/null; exit {os.EX_NOUSER}", Outcome.REFUSED, "5.1.1"),
        (f"cat > /dev/null; exit {os.EX_NOHOST}", Outcome.REFUSED, "5.1.2"),
        (f"exit {os.EX_UNAVAILABLE}", Outcome.DEFERRED, "4.3.0"),
        (f"exit {os.EX_USAGE}", Outcome.DEFERRED, "4.3.0"),
        ("cat > /dev/null; kill -9 $$", Outcome.UNKNOWN, ""),
        ("exec sleep 5", Outcome.UNKNOWN, ""),
    ],
)
def test_the_exit_code_of_sendmail_decides(
    tmp_path: Path, script: str, outcome: Outcome, enhanced: str
) -> None:
    transport = sendmail.SendmailTransport(a_program(tmp_path, f"echo why >&2\n{script}"), timeout_s=0.5)
    with transport.open() as wire:
        receipt = wire.send(a_message(), lambda: None)
    assert (receipt.outcome, receipt.enhanced) == (outcome, enhanced)
    assert receipt.text == {"ACCEPTED": "queued"}.get(outcome.name, receipt.text)
    if outcome is Outcome.DEFERRED:
        assert receipt.text == "why"


def test_a_wrapper_of_sendmail_that_is_stopped_sends_no_empty_message(tmp_path: Path) -> None:
    class ClaimLostError(Exception):
        pass

    def refuse_once_it_reads() -> None:
        while not (tmp_path / "reads").exists():
            time.sleep(0.01)
        raise ClaimLostError

    inner = f"touch {tmp_path}/reads; cat > {tmp_path}/part; mv {tmp_path}/part {tmp_path}/sent"
    program = a_program(tmp_path, f"sh -c '{inner}'; exit $?")
    with sendmail.from_url(f"sendmail:{program}").open() as wire, pytest.raises(ClaimLostError):
        wire.send(a_message(), refuse_once_it_reads)
    time.sleep(0.3)
    assert not (tmp_path / "sent").exists()


def test_sendmail_does_not_take_a_recipient_for_an_option(tmp_path: Path) -> None:
    program = a_program(tmp_path, f'cat > /dev/null; printf "%s\\n" "$@" > {tmp_path}/arguments')
    with sendmail.from_url(f"sendmail:{program}").open() as wire:
        wire.send(a_message(recipient="-oQ/tmp@example.org"), lambda: None)
    assert (tmp_path / "arguments").read_text().split("\n")[:5] == [
        "-i",
        "-f",
        "bounces+x@region.example",
        "--",
        "-oQ/tmp@example.org",
    ]


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=80) | st.text(alphabet=".\r\na \0", max_size=30).map(str.encode))
def test_the_gate_passes_exactly_what_lines_of_crlf_can_hold(content: bytes) -> None:
    lines = content.split(b"\r\n")
    is_sound = (
        lines[-1] == b""
        and len(lines) > 1
        and all(len(w) <= 998 and not set(w) & {0, 10, 13} and max(w, default=0) < 128 for w in lines)
    )
    assert (gate.content_fault(content) == "") is is_sound
    if is_sound:
        wire_lines = gate.stuffed(content).split(b"\r\n")
        assert b"." not in wire_lines
        assert [w.removeprefix(b".") if w.startswith(b".") else w for w in wire_lines] == lines
