"""Whatever a relay does, at whatever stage: a receipt that tells the truth, or a DeliveryError, and nothing else."""

from __future__ import annotations

import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from smtp_server import INSIDE, OFFERS, Act, FaultServer

from notifier.errors import DeliveryError
from notifier.mail import outbox
from notifier.mail.outbox import Action, EntryState, Outcome, Receipt
from notifier.mail.page import Message
from notifier.transports import smtp
from notifier.transports.gate import GateError
from notifier.transports.session import Timeouts

#: For faults that only end by our patience; all others get the long ones, so that a busy machine changes nothing.
SHORT = Timeouts(connect=5, greeting=0.4, envelope=0.4, data=0.4, block=0.4, final=0.4, goodbye=0.4)
LONG = Timeouts(connect=5, greeting=5, envelope=5, data=5, block=5, final=5, goodbye=5)
BODY = b"Message-ID: <3.7@region.example>\r\nSubject: Calabria\r\n\r\n" + b"28-29 April 2020\r\n" * 20


def a_message(content: bytes = BODY, **fields: object) -> Message:
    given = {"sender": "bounces+x@region.example", "recipient": "office@example.org"} | fields
    return Message(message_id="<3.7@region.example>", content=content, **given)  # type: ignore[arg-type]


def carried(
    server: FaultServer, message: Message | None = None, timeouts: Timeouts = LONG, **settings: object
) -> tuple[Receipt, int]:
    """The receipt, and how often content was allowed to leave."""
    asked: list[int] = []
    transport = smtp.from_url(server.url, tls="none", timeouts=timeouts, **settings)  # type: ignore[arg-type]
    with transport.open() as wire:
        receipt = wire.send(message or a_message(), lambda: asked.append(1))
    return receipt, len(asked)


FAULTS: dict[str, Act] = {
    "4xx": b"451 4.3.0 try later\r\n",
    "421": b"421 4.3.2 shutting down\r\n",
    "5xx": b"550 5.0.0 no\r\n",
    "cut": "cut",
    "rst": "rst",
    "hang": "hang",
    "garbage": b"\x00\xff\x1b[2J hello\r\n",
    "8 KB line": b"250 " + b"x" * 8192 + b"\r\n",
    "endless": b"250-x\r\n" * 4000,
}
D, R, U, B, A = Outcome.DEFERRED, Outcome.REFUSED, Outcome.UNKNOWN, Outcome.RETURNED, Outcome.ACCEPTED
ERROR = None
#: What is due for each fault, in the order of FAULTS.
DUE: dict[str, tuple[Outcome | None, ...]] = {
    "banner": (ERROR,) * 9,
    "ehlo": (ERROR,) * 9,
    "mail": (D, D, ERROR, B, B, B, B, B, B),
    "rcpt": (D, D, R, B, B, B, B, B, B),
    "data": (D, D, R, B, B, B, B, B, B),
    "inside": (D, D, R, U, U, U, U, U, U),
    "dot": (D, D, R, U, U, U, U, U, U),
    "quit": (A,) * 9,
}
GRID = [(stage, fault, due) for stage, row in DUE.items() for fault, due in zip(FAULTS, row, strict=True)]


@pytest.mark.parametrize(("stage", "fault", "due"), GRID, ids=lambda v: str(v))
def test_every_fault_at_every_stage_ends_as_specified(stage: str, fault: str, due: Outcome | None) -> None:
    patience = SHORT if fault == "hang" else LONG
    with FaultServer({stage: FAULTS[fault]}) as server:
        if due is ERROR:
            with pytest.raises(DeliveryError) as caught:
                carried(server, timeouts=patience)
            assert caught.value.server.startswith("127.0.0.1:")
            return
        receipt, left = carried(server, timeouts=patience)
    assert receipt.outcome is due
    assert left == (1 if stage in ("inside", "dot", "quit") else 0)
    assert receipt.server.startswith("127.0.0.1:")
    assert len(receipt.text) <= 200 and receipt.text.isprintable()
    assert receipt.stage == ("content" if stage in ("inside", "dot", "quit") else stage)
    if due in (B, U):
        verdict = outbox.classify(receipt)
        assert verdict.state is (EntryState.UNKNOWN if due is U else EntryState.PLANNED)
        is_readable = fault in ("cut", "rst", "hang")
        assert verdict.action is (Action.THROTTLE if is_readable else Action.STEP_DOWN)


@pytest.mark.parametrize("stage", ["banner", "ehlo", "mail", "rcpt", "data", "dot"])
def test_a_reply_that_drips_is_waited_for_as_a_whole_and_not_by_the_byte(stage: str) -> None:
    with FaultServer({stage: "drip"}) as server:
        if stage in ("banner", "ehlo"):
            with pytest.raises(DeliveryError):
                carried(server, timeouts=SHORT)
        else:
            receipt, _ = carried(server, timeouts=SHORT)
            assert receipt.outcome is (U if stage == "dot" else B)
        # ... and a patient client reads it
        assert carried(server, timeouts=LONG)[0].outcome is A


def test_an_acceptance_after_our_patience_is_doubt_and_not_a_failure() -> None:
    with FaultServer({"dot": "late"}, late_s=1.0) as server:
        receipt, left = carried(server, timeouts=SHORT)
        assert (receipt.outcome, left) == (U, 1)


def test_a_server_that_accepts_and_cuts_at_once_has_accepted() -> None:
    with FaultServer({"quit": "rst"}) as server:
        assert carried(server)[0].outcome is A
    with FaultServer({"dot": b"250 2.0.0 ok\r\n421 4.3.2 bye\r\n"}) as server:
        transport = smtp.from_url(server.url, tls="none", timeouts=LONG)
        with transport.open() as wire:
            assert wire.send(a_message(), lambda: None).outcome is A
            second = wire.send(a_message(), lambda: None)
            assert (second.outcome, second.stage) == (B, "mail")
            assert outbox.classify(second).action is Action.THROTTLE


@pytest.mark.parametrize("fault", [b"552 5.3.4 too large\r\n", "552 and deaf"])
def test_a_refusal_inside_the_content_counts_because_the_dot_never_left(fault: Act) -> None:
    large = a_message(BODY + (b"y" * 70 + b"\r\n") * 200_000)
    with FaultServer({"inside": fault}) as server:
        receipt, _ = carried(server, large, timeouts=LONG if isinstance(fault, bytes) else SHORT)
    assert (receipt.outcome, receipt.enhanced) == (R, "5.3.4")
    assert outbox.classify(receipt).action is Action.STOP_EDITION


@pytest.mark.parametrize("stage", ["rcpt", "data", "dot"])
def test_nothing_more_is_said_to_a_relay_that_closes(stage: str) -> None:
    with FaultServer({stage: FAULTS["421"]}) as server:
        receipt, _ = carried(server)
        assert outbox.classify(receipt).state is EntryState.PLANNED
    assert not any(c in ("RSET", "QUIT") for c in server.commands)


@pytest.mark.parametrize(
    "reply", [b"354 go\r\n", b"250 ok\r\n250 ok\r\n", b"200-a\r\n250 b\r\n", b"2500 x\r\n"]
)
def test_a_reply_out_of_step_closes_the_connection(reply: bytes) -> None:
    with FaultServer({"mail": reply}) as server:
        receipt, left = carried(server)
    assert (receipt.outcome, receipt.enhanced, left) == (B, "5.5.0", 0)
    assert not any(c.startswith(("DATA", "QUIT")) for c in server.commands)


def test_an_intermediate_reply_to_the_whole_content_is_doubt() -> None:
    with FaultServer({"dot": b"354 go on\r\n"}) as server:
        receipt, left = carried(server)
    assert (receipt.outcome, receipt.enhanced, left) == (U, "5.5.0", 1)


def test_content_is_not_sent_on_a_250_to_data() -> None:
    with FaultServer({"data": b"250 2.0.0 ok\r\n"}) as server:
        receipt, left = carried(server)
    assert (receipt.outcome, left, server.contents) == (B, 0, [])


def test_a_sender_that_is_refused_is_the_relays_word_on_us_and_no_recipients_fault() -> None:
    with (
        FaultServer({"mail": b"550 5.1.8 sender unknown\r\n"}) as server,
        pytest.raises(DeliveryError) as caught,
    ):
        carried(server)
    error = caught.value
    assert (error.temporary, error.code, error.enhanced) == (False, 550, "5.1.8")
    with FaultServer({"mail": b"552 5.3.4 too large\r\n"}) as server:
        assert carried(server)[0].outcome is R
    with FaultServer({"mail": b"452 4.3.1 no space\r\n"}) as server:
        assert carried(server)[0].outcome is D


def test_a_refused_recipient_is_forgotten_and_the_next_goes_on_the_same_connection() -> None:
    with FaultServer({"rcpt": b"550-5.1.1 nobody\r\n550 5.1.1 of this name\r\n"}) as server:
        wire = smtp.from_url(server.url, tls="none", timeouts=LONG).open()
        for _ in range(2):
            receipt = wire.send(a_message(), lambda: None)
            assert (receipt.outcome, receipt.code, receipt.enhanced) == (R, 550, "5.1.1")
            assert receipt.text == "nobody of this name"
        wire.__exit__(None, None, None)
    verbs = [c.split(" ")[0] for c in server.commands]
    assert verbs == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "RSET", "QUIT"]


@pytest.mark.parametrize("fault", ["4xx", "421", "cut", "garbage"])
def test_a_relay_that_cannot_forget_is_left_and_the_wire_begins_anew(fault: str) -> None:
    faults = {"rcpt": b"550 5.1.1 nobody\r\n", "rset": FAULTS[fault]}
    with FaultServer(faults, only_first=1) as server:
        with smtp.from_url(server.url, tls="none", timeouts=LONG).open() as wire:
            assert wire.send(a_message(), lambda: None).outcome is R
            assert wire.send(a_message(), lambda: None).outcome is A
        assert server.connections == 2


def test_a_lost_connection_is_opened_anew_for_the_next_message() -> None:
    with FaultServer({"dot": "cut"}, only_first=1) as server:
        transport = smtp.from_url(server.url, tls="none", timeouts=LONG)
        with transport.open() as wire:
            assert [wire.send(a_message(), lambda: None).outcome for _ in range(2)] == [U, A]
    with FaultServer({"mail": "cut"}) as server:
        wire = smtp.from_url(server.url, tls="none", timeouts=LONG).open()
        assert wire.send(a_message(), lambda: None).outcome is B
    with pytest.raises(DeliveryError):  # it is gone by now
        wire.send(a_message(), lambda: None)


def test_a_ledger_that_says_no_leaves_no_message_behind() -> None:
    class LeaseLostError(Exception):
        pass

    def refuse() -> None:
        raise LeaseLostError

    with FaultServer() as server:
        with smtp.from_url(server.url, tls="none", timeouts=LONG).open() as wire:
            with pytest.raises(LeaseLostError):
                wire.send(a_message(), refuse)
            assert wire.send(a_message(), lambda: None).outcome is A
        assert (server.accepted, len(server.contents)) == (1, 1)


def test_before_content_comes_after_354_and_before_the_first_byte() -> None:
    with FaultServer() as server:
        seen: list[tuple[str, int]] = []
        with smtp.from_url(server.url, tls="none", timeouts=LONG).open() as wire:
            wire.send(a_message(), lambda: seen.append((server.commands[-1], len(server.contents))))
        assert seen == [("DATA", 0)]
        assert len(server.contents) == 1


def test_a_connection_carries_its_share_and_then_a_new_one_is_opened() -> None:
    with FaultServer() as server:
        transport = smtp.SmtpTransport(
            [smtp.Relay.parse(server.url)], tls="none", timeouts=LONG, messages_per_connection=3
        )
        with transport.open() as wire:
            for _ in range(7):
                assert wire.send(a_message(), lambda: None).outcome is A
        assert server.connections == 3
        assert server.commands.count("QUIT") == 3


def test_the_next_relay_is_used_when_one_does_not_open() -> None:
    with FaultServer({"banner": b"554 5.3.2 closed\r\n"}) as first, FaultServer() as second:
        transport = smtp.from_url([first.url, second.url], tls="none", timeouts=LONG)
        with transport.open() as wire:
            assert wire.send(a_message(), lambda: None).outcome is A
        assert second.accepted == 1
    with FaultServer({"banner": FAULTS["5xx"]}) as first, FaultServer({"ehlo": FAULTS["4xx"]}) as second:
        with pytest.raises(DeliveryError) as caught:
            smtp.from_url([first.url, second.url], tls="none", timeouts=LONG).open()
        assert caught.value.temporary, "one of them may work later"


def test_a_port_where_nobody_listens_is_an_error_that_may_pass() -> None:
    with FaultServer() as server:
        pass
    with pytest.raises(DeliveryError) as caught:
        smtp.from_url(server.url, tls="none", timeouts=LONG).open()
    assert caught.value.temporary


def test_size_is_declared_and_smtputf8_only_when_needed() -> None:
    with FaultServer() as server:
        carried(server)
        carried(server, a_message(recipient="żółw@example.org", needs_smtputf8=True))
    mails = [c for c in server.commands if c.startswith("MAIL")]
    assert mails[0] == f"MAIL FROM:<bounces+x@region.example> SIZE={len(BODY)}"
    assert mails[1] == f"MAIL FROM:<bounces+x@region.example> SIZE={len(BODY)} SMTPUTF8"
    assert "RCPT TO:<żółw@example.org>" in server.commands


def test_an_address_beyond_ascii_fails_here_when_the_relay_cannot_carry_it() -> None:
    with FaultServer(offers=("SIZE",)) as server:
        receipt, left = carried(server, a_message(recipient="żółw@example.org", needs_smtputf8=True))
    assert (receipt.outcome, receipt.code, receipt.enhanced, left) == (R, 0, "5.6.7", 0)
    assert not any(c.startswith("MAIL") for c in server.commands)


def test_a_relay_without_extensions_gets_plain_commands() -> None:
    with FaultServer(offers=()) as server:
        assert carried(server)[0].outcome is A
    assert "MAIL FROM:<bounces+x@region.example>" in server.commands


def test_escapes_and_secrets_of_a_reply_never_reach_a_terminal() -> None:
    with FaultServer({"rcpt": b"550 5.1.1 \x1b]0;evil\x07 no\xff \xe2\x80\xae\r\n"}) as server:
        receipt, _ = carried(server)
    assert receipt.text.isprintable()
    assert receipt.text.startswith("\\x1b]0;evil\\x07 no")


# --- smuggling -----------------------------------------------------------------------------------------------------

ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r"]
VARIANTS = [before + b"." + after for before in ENDS for after in ENDS]
SECOND = (
    b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n"
)


@pytest.mark.parametrize("variant", VARIANTS, ids=repr)
def test_no_lone_dot_in_any_spelling_makes_a_second_message(variant: bytes) -> None:
    content = BODY + b"before" + variant + SECOND
    with FaultServer() as server:
        try:
            receipt, _ = carried(server, a_message(content))
        except GateError as error:
            assert "M502" in str(error)
            assert server.contents == [] and not any(c.startswith("MAIL") for c in server.commands)
            assert variant != b"\r\n.\r\n"
        else:
            assert receipt.outcome is A
            assert variant == b"\r\n.\r\n"
            assert server.accepted == 1
            assert not any("evil" in c for c in server.commands)
            assert server.contents[0] == BODY + b"before\r\n..\r\n" + SECOND + b".\r\n"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([b".", b"..", b"\r\n", b"a", b"\r\n.\r\n", b"\r\n.", b" "]), max_size=12))
def test_what_passes_the_gate_arrives_as_one_message_with_the_same_bytes(
    echo: FaultServer, pieces: list[bytes]
) -> None:
    content = b"".join(pieces) + b"\r\n"
    echo.contents.clear()
    with smtp.from_url(echo.url, tls="none", timeouts=LONG).open() as wire:
        assert wire.send(a_message(content), lambda: None).outcome is A
    (raw,) = echo.contents
    assert raw.endswith(b".\r\n")
    lines = raw.removesuffix(b".\r\n").split(b"\r\n")
    assert b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines) == content


@pytest.fixture(scope="module")
def echo() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


# --- TLS and login -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem and certificates `good`, `expired` (for 127.0.0.1), `wrong` (another host), `self`."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority",
            "-days", "3650", "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    openssl("req", "-x509", *key, "-keyout", "self.key", "-out", "self.pem", "-subj", "/CN=127.0.0.1",
            "-days", "3650", "-addext", "subjectAltName=IP:127.0.0.1")  # fmt: skip
    for name, host, begin, end in (
        ("good", "IP:127.0.0.1", "20200101000000Z", "20991231000000Z"),
        ("wrong", "DNS:mail.region.example", "20200101000000Z", "20991231000000Z"),
        ("expired", "IP:127.0.0.1", "20190101000000Z", "20200101000000Z"),
    ):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(f"subjectAltName={host}\n")
        (folder / "index.txt").write_text("")
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nrand_serial=yes\nnew_certs_dir=.\npolicy=p\n"
            "default_md=sha256\n[p]\ncommonName=supplied\n"
        )
        openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
                "-in", f"{name}.csr", "-out", f"{name}.pem", "-startdate", begin, "-enddate", end,
                "-extfile", f"{name}.ext")  # fmt: skip
    return folder


def certificate(authority: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / f"{name}.pem", authority / f"{name}.key")
    return context


def secured(server: FaultServer, authority: Path, **settings: object) -> Receipt:
    url = server.url
    if "user" in settings:
        url = url.replace("://", f"://{settings.pop('user')}@")
    transport = smtp.from_url(url, timeouts=LONG, ca_file=authority / "ca.pem", **settings)  # type: ignore[arg-type]
    with transport.open() as wire:
        return wire.send(a_message(), lambda: None)


@pytest.mark.parametrize("is_implicit", [False, True])
def test_mail_goes_out_under_verified_tls(authority: Path, is_implicit: bool) -> None:
    with FaultServer(tls=certificate(authority, "good"), is_implicit=is_implicit) as server:
        assert secured(server, authority).outcome is A
        assert server.commands.count("STARTTLS") == (0 if is_implicit else 1)
        assert sum(c.startswith("EHLO") for c in server.commands) == (1 if is_implicit else 2)


@pytest.mark.parametrize("is_implicit", [False, True])
@pytest.mark.parametrize("name", ["wrong", "self", "expired"])
def test_a_certificate_that_proves_nothing_ends_it(authority: Path, name: str, is_implicit: bool) -> None:
    with FaultServer(tls=certificate(authority, name), is_implicit=is_implicit) as server:
        with pytest.raises(DeliveryError, match="TLS failed") as caught:
            secured(server, authority)
        assert not caught.value.temporary
        assert not any(c.startswith(("MAIL", "AUTH")) for c in server.commands)


def test_no_authority_but_the_systems_is_believed_by_default(authority: Path) -> None:
    with FaultServer(tls=certificate(authority, "good")) as server, pytest.raises(DeliveryError, match="TLS"):
        smtp.from_url(server.url, timeouts=LONG).open()


def test_tls_before_1_2_is_refused(authority: Path) -> None:
    transport = smtp.from_url("smtp://mail.region.example")
    assert transport._context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert transport._context.check_hostname and transport._context.verify_mode is ssl.CERT_REQUIRED


def test_a_relay_that_offers_no_tls_gets_no_mail_even_on_this_machine() -> None:
    with FaultServer() as server:
        with pytest.raises(DeliveryError, match="STARTTLS") as caught:
            smtp.from_url(server.url, timeouts=LONG).open()
        assert not caught.value.temporary
        assert [c.split(" ")[0] for c in server.commands] == ["EHLO"]


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("stage", ["starttls", "auth"])
def test_every_fault_of_tls_and_login_is_the_relays(authority: Path, stage: str, fault: str) -> None:
    tls = certificate(authority, "good")
    with FaultServer({stage: FAULTS[fault]}, tls=tls, offers=("AUTH PLAIN",)) as server:
        with pytest.raises(DeliveryError):
            transport = smtp.from_url(
                server.url.replace("://", "://me@"),
                password="xyzzy",
                timeouts=SHORT if fault == "hang" else LONG,
                ca_file=authority / "ca.pem",
            )
            transport.open()
        assert not any(c.startswith("MAIL") for c in server.commands)


def test_clear_text_behind_the_220_closes_the_connection(authority: Path) -> None:
    injected = b"250-test\r\n250 AUTH PLAIN\r\n"
    with FaultServer(tls=certificate(authority, "good"), behind_starttls=injected) as server:
        with pytest.raises(DeliveryError, match="in between") as caught:
            secured(server, authority)
        assert not caught.value.temporary
        assert server.commands[-1] == "STARTTLS"


def test_what_was_offered_before_tls_is_forgotten(authority: Path) -> None:
    with FaultServer(
        tls=certificate(authority, "good"), offers=("SIZE", "AUTH PLAIN"), offers_in_tls=()
    ) as server:
        with pytest.raises(DeliveryError, match="no login"):
            secured(server, authority, user="me", password="xyzzy")
        assert not any(c.startswith("AUTH") for c in server.commands)
        assert secured(server, authority).outcome is A
        assert "MAIL FROM:<bounces+x@region.example>" in server.commands


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        ("AUTH LOGIN PLAIN", ["AUTH PLAIN AG1lQGhvbWUAeHl6enk="]),
        ("AUTH=PLAIN", ["AUTH PLAIN AG1lQGhvbWUAeHl6enk="]),
        ("AUTH LOGIN", ["AUTH LOGIN", "bWVAaG9tZQ==", "eHl6enk="]),
    ],
)
def test_the_login_is_plain_or_login_inside_tls(authority: Path, offer: str, expected: list[str]) -> None:
    with FaultServer(tls=certificate(authority, "good"), offers=(offer,)) as server:
        assert secured(server, authority, user="me%40home", password="xyzzy").outcome is A
        after = server.commands[3:]
        assert after[: len(expected)] == expected


def test_a_wrong_password_is_told_without_the_password(authority: Path) -> None:
    echo = b"535 5.7.8 rejected: AUTH PLAIN AG1lAHh5enp5 xyzzy\r\n"
    with FaultServer({"auth": echo}, tls=certificate(authority, "good"), offers=("AUTH PLAIN",)) as server:
        with pytest.raises(DeliveryError) as caught:
            secured(server, authority, user="me", password="xyzzy")
        assert server.commands[-1].startswith("AUTH PLAIN")
    assert (caught.value.code, caught.value.enhanced, caught.value.temporary) == (535, "5.7.8", False)
    assert "xyzzy" not in str(caught.value) and "AG1l" not in str(caught.value)
    assert "rejected" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("smtp://mail.region.example", {"tls": "none"}),
        ("smtp://10.0.0.1", {"tls": "none"}),
        ("smtp://localhost.evil.example", {"tls": "none"}),
        ("lmtp://mail.region.example", {"tls": "none"}),
        ("smtp://me@127.0.0.1", {"tls": "none", "password": "xyzzy"}),
        ("smtp://me@mail.region.example", {}),
        ("smtp://me:xyzzy@mail.region.example", {}),
        ("smtp://me:xyz/zy@mail.region.example", {}),
        ("lmtp:///run/lmtp", {}),
        ("http://mail.region.example", {}),
        ("smtp://", {}),
        ("smtp://mail.region.example/path", {}),
        ("smtp://mail.region.example?x=1", {}),
        ("smtp://mail.region.example:99999", {}),
        ("smtp://me%0d%0aQUIT@mail.region.example", {"password": "x"}),
        ([], {}),
    ],
)
def test_settings_that_would_be_unsafe_are_refused_before_any_connection(
    url: str, settings: dict[str, str]
) -> None:
    with pytest.raises(ValueError) as caught:
        smtp.from_url(url, **settings)  # type: ignore[arg-type]
    assert "xyz" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("smtp://mail.region.example", 25),
        ("smtp://me@mail.region.example", 587),
        ("smtps://me@mail.region.example", 465),
        ("lmtp://[::1]", 24),
        ("smtp://mail.region.example:2525", 2525),
    ],
)
def test_a_relays_usual_port(url: str, port: int) -> None:
    assert smtp.Relay.parse(url).port == port


def test_lmtp_greets_with_lhlo() -> None:
    with FaultServer() as server:
        transport = smtp.from_url(server.url.replace("smtp", "lmtp"), tls="none", timeouts=LONG)
        with transport.open() as wire:
            assert wire.send(a_message(), lambda: None).outcome is A
        assert server.commands[0].startswith("LHLO ")


def test_inside_faults_strike_inside() -> None:
    assert len(BODY) > INSIDE and "SMTPUTF8" in OFFERS
