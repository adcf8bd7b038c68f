"""The rules of the lint that look at a whole message: M101, M102, M103, M303, M401, M502, M602."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from email import message_from_bytes
from email.utils import parsedate_to_datetime

from notifier.editions.base import Kind
from notifier.errors import LinkError
from notifier.mail.finding import Finding
from notifier.mail.headers import ENCODED, FOLDED, HARD, ORDER
from notifier.mail.links import Links

OPTIONAL = frozenset(
    {"Reply-To", "References", "In-Reply-To", "List-Help", "List-Subscribe", "List-Owner", "List-Archive"}
    | {"Precedence"}
)
BODY_LINE = 76
_FIELD = re.compile(rb"([!-9;-~]+):[ \t]*((?:[^\r\n]|\r\n[ \t])*)\r\n")
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_NO_REPLY = re.compile(r"\b(?:no|do-?not)[-_.]?reply\b", re.I)
_NOT_7BIT = re.compile(rb"[^\x09\x0a\x0d\x20-\x7e]")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


def findings(raw: bytes, *, kind: str, language: str, links: Links | None = None) -> Iterator[Finding]:
    """What is wrong with a message as it would leave; with `links` its personal link is verified too."""
    yield from _bytes(raw)
    head, _, _ = raw.partition(b"\r\n\r\n")
    fields = [(name.decode(), value.decode("latin-1")) for name, value in _FIELD.findall(head + b"\r\n")]
    values = {name: re.sub(r"\r\n[ \t]", " ", value) for name, value in fields}
    yield from _present([name for name, _ in fields], kind)
    yield from _rules(values, language)
    yield from _structured(values)
    yield from _folded(head)
    yield from _signed(values)
    yield from _parts(raw)
    if links:
        yield from _personal(values, links)


def _bytes(raw: bytes) -> Iterator[Finding]:
    """M502: what one hop or another would change, and every signature would break."""
    if found := _NOT_7BIT.search(raw):
        yield Finding(
            "M502", f"byte 0x{found[0][0]:02X} at {found.start()}: a message is 7-bit without controls"
        )
    if _BARE.search(raw):
        yield Finding("M502", "a CR or LF stands alone: some servers take it for the end of the message")
    if not raw.endswith(b"\r\n"):
        yield Finding("M502", "the message does not end with CRLF")
    head, _, body = raw.partition(b"\r\n\r\n")
    for part, limit in ((head, HARD), (body, BODY_LINE)):
        longest = max(map(len, part.split(b"\r\n")))
        if longest > limit:
            yield Finding("M502", f"a line has {longest} octets; the limit is {limit}")


def _present(names: list[str], kind: str) -> Iterator[Finding]:
    """M101: which fields stand there, how often, in which order."""
    known = {name.lower(): name for name in ORDER}
    wanted = set(ORDER) - OPTIONAL | (set() if kind == Kind.CONFIRM else {"Precedence"})
    counts = Counter(known.get(name.lower(), name) for name in names)
    for name in (n for n in ORDER if n in wanted and not counts[n]):
        yield Finding("M101", f"the header {name} is missing")
    for name, count in counts.items():
        if count > 1 and name != "DKIM-Signature":
            yield Finding("M101", f"the header {name} stands {count} times")
        if name not in ORDER and name != "DKIM-Signature":
            yield Finding("M101", f"the header {name} is not one that we send")
    ours = [name for name in names if name in ORDER]
    if ours != sorted(ours, key=ORDER.index):
        yield Finding("M101", "the headers stand in another order than they should")


def _rules(values: Mapping[str, str], language: str) -> Iterator[Finding]:
    """M101: what a field may say."""
    sender_id = values.get("Feedback-ID", "").split(":")
    rules: dict[str, Callable[[str], bool]] = {
        "List-Unsubscribe-Post": lambda v: v == "List-Unsubscribe=One-Click",
        "List-Unsubscribe": lambda v: len(re.findall(r"<https?:[^>]+>", v)) == 1,
        "List-Post": lambda v: v == "NO",
        "Auto-Submitted": lambda v: v == "auto-generated",
        "X-Auto-Response-Suppress": lambda v: v == "All",
        "MIME-Version": lambda v: v == "1.0",
        "To": lambda v: bool(_ADDRESS.fullmatch(v) or v.endswith(":;")),
        "Message-ID": lambda v: bool(re.fullmatch(r"<[a-z0-9.]+@[^\s<>@]+>", v)) and len(v) <= BODY_LINE,
        "Date": lambda v: bool(re.search(r" [+-]\d{4}$", v)) and _is_date(v),
        "Feedback-ID": lambda v: 1 <= len(sender_id) <= 4 and 5 <= len(sender_id[-1]) <= 15,
    }
    for name, is_right in rules.items():
        if name in values and not is_right(values[name]):
            yield Finding("M101", f"{name}: {values[name][:80]!r} breaks its rule")
    if _NO_REPLY.search(values.get("Reply-To") or values.get("From", "")):
        yield Finding(
            "M101", "answers go to a no-reply address", "[organisation] reply_to = a box that somebody reads"
        )
    if values.get("Content-Language", language) != language:
        yield Finding(
            "M303", f"Content-Language is {values['Content-Language']!r} and the page is in {language!r}"
        )


def _is_date(value: str) -> bool:
    try:
        parsedate_to_datetime(value)
    except ValueError:
        return False
    return True


def _structured(values: Mapping[str, str]) -> Iterator[Finding]:
    """M102."""
    for name, value in values.items():
        if name not in ENCODED and ("=?" in value or not value.isascii()):
            yield Finding(
                "M102",
                f"{name} holds an encoded-word or a character that is not ASCII: mail providers ignore it",
            )


def _folded(head: bytes) -> Iterator[Finding]:
    """M101: long lines that could be folded."""
    for line in head.split(b"\r\n"):
        if len(line) > FOLDED and b" " in line.partition(b": ")[2].strip():
            yield Finding(
                "M101", f"{line[:30].decode('latin-1')}…: a line of {len(line)} octets is not folded"
            )


def _signed(values: Mapping[str, str]) -> Iterator[Finding]:
    """M103."""
    signature = re.search(r"\bd=([^;\s]+)", values.get("DKIM-Signature", ""))
    sender = values.get("From", "").rpartition("@")[2].rstrip(">").lower()
    if signature and signature[1].lower() != sender and not sender.endswith(f".{signature[1].lower()}"):
        yield Finding(
            "M103", f"From is at {sender}, and {signature[1]} signs", "sign with a key of the sender's domain"
        )


def _parts(raw: bytes) -> Iterator[Finding]:
    """M401: the method of the MIME part is that of the calendar in it; M502 for parts that hops would recode."""
    for part in message_from_bytes(raw).walk():
        if part.get_content_type() == "text/calendar":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            inside = re.findall(rb"^METHOD:([A-Z]+)\r?$", content, re.M)
            if inside != [str(part.get_param("method")).encode()]:
                yield Finding(
                    "M401",
                    f"method={part.get_param('method')} in MIME, METHOD:{b', '.join(inside).decode()} inside",
                )
        if not part.is_multipart() and part.get("Content-Transfer-Encoding") not in (
            "quoted-printable",
            "base64",
        ):
            yield Finding("M502", f"{part.get_content_type()} is neither quoted-printable nor base64")


def _personal(values: Mapping[str, str], links: Links) -> Iterator[Finding]:
    """M602: the link that acts is signed."""
    token = re.search(r"/u/([^/>?]+)", values.get("List-Unsubscribe", ""))
    try:
        links.verify(token[1] if token else "", "unsubscribe")
    except LinkError as error:
        yield Finding("M602", f"the unsubscribe link would not open: {error}")
