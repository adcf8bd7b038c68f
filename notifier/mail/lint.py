"""The lint of mails: everything that must not leave, or should be looked at before it does.

Run for each page before its edition is opened, by `notifier check` on samples, and on messages with their headers.
Errors stop the edition, warnings are shown. Every id has a text in `notifier explain`. M201 is told where it arises,
in `render`: a stand-in that is lost cannot be seen afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from notifier.config import Config
from notifier.editions.base import Kind
from notifier.errors import Problem
from notifier.events import calendar
from notifier.events.event import Event, Project
from notifier.mail import contrast, lint_html, lint_message, seen, twins
from notifier.mail.compose import WITH_CALENDAR
from notifier.mail.encoding import encode
from notifier.mail.event_views import OTHER_HOSTS
from notifier.mail.finding import Finding, once
from notifier.mail.languages import Catalogue
from notifier.mail.links import Links
from notifier.mail.page import Attachment, Hole, Page, Piece
from notifier.mail.seen import Seen, plain
from notifier.mail.subjects import LONGEST, PREHEADER, WANTED

WARNED, REFUSED = 80_000, 100_000  # bytes; Gmail cuts at some 102 kB
#: Stand-ins for what is a recipient's own.
SAMPLE = {"address": "a.reader@example.org", "consent_date": "–", "frequency": "–", "choices": "–"}
WHY = ("address", "consent_date")
_PERSONAL = r"/(?:u|confirm|preferences|invitation)/"
_METHOD = re.compile(rb"^METHOD:([A-Z]+)\r?$", re.M)
_UID = re.compile(rb"^UID[:;]", re.M)


@dataclass(frozen=True)
class Facts:
    """What a page is judged by besides itself."""

    base_url: str
    postal_address: str
    catalogue: Catalogue
    #: (language, title) of each event as this page's readers are told it
    titles: tuple[tuple[str, str], ...] = ()
    #: hosts that may be linked to, subdomains included, besides ours: the events' own and `mail.link_hosts`
    hosts: frozenset[str] = field(default_factory=frozenset)
    links: Links | None = None  # to verify the personal link of a message


def lint(page: Page, raw: bytes | None, facts: Facts) -> list[Problem]:
    """Every finding about a page, and about one message made from it where `raw` is given; errors first.

    The file of a problem is the one that `notifier preview` writes, e.g. digest.pl.html.
    """
    html, text = (filled(part, facts) for part in (page.html, page.text))
    looked_at = seen.read(html)
    found = {
        "html": [*_of_html(page, looked_at, facts), *_size(page.html, "HTML part")],
        "txt": [*_twin(page, looked_at, text, facts), *_size(page.text, "text")],
        "eml": [*_subject(page, facts), *_preheader(page), *_foot(page, looked_at, facts), *_calendars(page)],
    }
    found["eml"] += [
        Finding("M304", f"not translated: {msgid!r}", f"translate it in {page.language}.po", "warning")
        for msgid in sorted(facts.catalogue.missing)
    ]
    if raw is not None:
        found["eml"] += lint_message.findings(raw, kind=page.kind, language=page.language, links=facts.links)
    problems = [
        f.at(f"{page.kind}.{page.language}.{end}") for end, findings in found.items() for f in once(findings)
    ]
    return sorted(problems, key=lambda p: (not p.is_error, p.code))


def filled(pieces: tuple[Piece, ...], facts: Facts) -> str:
    """A part with a sample in each hole."""
    own = SAMPLE | {"unsubscribe_url": f"{facts.base_url.rstrip('/')}/u/sample"}
    return "".join(own.get(p.name, "–") if isinstance(p, Hole) else p for p in pieces)


def _of_html(page: Page, looked_at: Seen, facts: Facts) -> Iterator[Finding]:
    yield from lint_html.findings(
        looked_at, language=page.language, titles=facts.titles, base_url=facts.base_url, hosts=facts.hosts
    )
    yield from contrast.findings(looked_at)


def _twin(page: Page, looked_at: Seen, text: str, facts: Facts) -> Iterator[Finding]:
    sent_on = page.date.date() if page.date else None
    yield from twins.findings(looked_at, text, language=page.language, titles=facts.titles, sent_on=sent_on)


def _size(pieces: tuple[Piece, ...], what: str) -> Iterator[Finding]:
    """M501."""
    decoded = sum(len(piece.encode()) for piece in pieces if isinstance(piece, str))
    size = max(decoded, encode(pieces).size_bytes) if decoded > WARNED // 2 else decoded
    if size > WARNED:
        limit, severity = (REFUSED, "error") if size > REFUSED else (WARNED, "warning")
        yield Finding(
            "M501",
            f"the {what} has {size // 1000} kB; the limit is {limit // 1000} kB: Gmail hides what is beyond 102 kB",
            "shorten texts, or lower [editions.digest] window",
            "error" if severity == "error" else "warning",
        )


def _subject(page: Page, facts: Facts) -> Iterator[Finding]:
    """M104."""
    subject, size = page.subject, len(page.subject)
    if not subject.strip():
        yield Finding("M104", "the subject is empty")
    elif size > LONGEST:
        yield Finding(
            "M104", f"the subject has {size} characters; {LONGEST} are the limit", "shorten the title"
        )
    elif size > WANTED:
        yield Finding(
            "M104", f"the subject has {size} characters; phones show some 40", "a shorter title", "warning"
        )
    if any(c.isalpha() for c in subject) and subject == subject.upper() and subject != subject.lower():
        yield Finding("M104", "the subject is all capitals: it reads as shouting, and filters count it")
    for word in relative_words(facts.catalogue):
        is_title = any(_has(word, title) for _, title in facts.titles)  # "Tomorrow's industry" is a name
        if _has(word, subject) and not is_title:
            yield Finding("M104", f'the subject says "{word}", and is read late', "say the date")


def relative_words(catalogue: Catalogue) -> list[str]:
    """`dziś`, `jutro`, `za 3 dni`, up to a month."""
    was_missing = set(catalogue.missing)
    words = [catalogue.days_left(days) for days in range(32)]
    catalogue.missing.intersection_update(was_missing)  # asked by us, not by the page
    return words


def _has(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.I) is not None


def _preheader(page: Page) -> Iterator[Finding]:
    """M105."""
    if page.kind == Kind.CONFIRM:
        return
    told = plain(page.preheader)
    if not told:
        yield Finding(
            "M105", "there is no preheader: lists show the first words of the mail instead", "", "warning"
        )
    elif len(told) not in PREHEADER:
        yield Finding("M105", f"the preheader has {len(told)} characters; 40 to 100 are shown", "", "warning")
    if told and told.casefold() in page.subject.casefold():
        yield Finding("M105", "the preheader repeats the subject", "say something more", "warning")


def _foot(page: Page, looked_at: Seen, facts: Facts) -> Iterator[Finding]:
    """M601; M602 for personal links that are everybody's."""
    for part, pieces in (("HTML", page.html), ("text", page.text)):
        holes = {piece.name for piece in pieces if isinstance(piece, Hole)}
        if "unsubscribe_url" not in holes:
            yield Finding(
                "M601", f"the {part} has no unsubscribe link", "print {{ unsubscribe_url }} in the footer"
            )
        if page.kind != Kind.CONFIRM and not holes.issuperset(WHY):
            yield Finding(
                "M601",
                f"the {part} does not say why one gets it",
                "print {{ address }} and {{ consent_date }} in the footer",
            )
        constants = "".join(piece for piece in pieces if isinstance(piece, str))
        told = plain(looked_at.text if part == "HTML" else constants).replace("\n", " ")
        address = plain(facts.postal_address).replace("\n", " ")
        if not address or address not in told:
            yield Finding(
                "M601",
                f"the {part} has no postal address",
                "[organisation] postal_address, printed in the footer",
            )
        if found := re.search(re.escape(facts.base_url.rstrip("/")) + _PERSONAL, constants):
            yield Finding(
                "M602", f"the {part} holds the personal link {found[0]}… of one recipient for all of them"
            )


def _calendars(page: Page) -> Iterator[Finding]:
    """M401, M402."""
    if page.attachments and page.kind not in WITH_CALENDAR:
        yield Finding("M401", f"a mail of the kind {page.kind} carries no calendar file", "link to it")
    for attachment in page.attachments:
        yield from _calendar(attachment)


def _calendar(attachment: Attachment) -> Iterator[Finding]:
    methods, uids = _METHOD.findall(attachment.content), len(_UID.findall(attachment.content))
    if methods != [attachment.method.encode()]:
        inside = ", ".join(m.decode() for m in methods) or "none"
        yield Finding(
            "M401", f"{attachment.filename}: method={attachment.method} in MIME, METHOD: {inside} inside"
        )
    if attachment.method == "REQUEST" and uids != 1:
        yield Finding("M401", f"{attachment.filename}: {uids} meetings in one invitation")
    for words in calendar.validate(attachment.content):
        yield Finding("M402", f"{attachment.filename}: {words}")


def hosts(config: Config, events: Iterable[Event], projects: Mapping[str, Project]) -> frozenset[str]:
    """The hosts that a mail about `events` may link to: theirs, the organisation's, and `mail.link_hosts`."""
    urls = [config.organisation.privacy_url]
    for event in events:
        parts = (event.registration, event.online, *event.deadlines, *event.materials)
        online = [session.online for session in event.sessions]
        urls += [event.link, *(part.link for part in (*parts, *online) if part)]
        urls += [organiser.web for organiser in event.organisers]
        urls += [projects[event.project].web] if event.project in projects else []
    return OTHER_HOSTS | set(config.mail.link_hosts) | {h for url in urls if (h := urlsplit(url).hostname)}
