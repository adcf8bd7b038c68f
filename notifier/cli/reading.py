"""An edition as it will be read: who gets it, in which languages, with which text. For approval and preview."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from notifier import jobs
from notifier.cli.project import Project
from notifier.editions.base import Edition, Mention
from notifier.facts import look
from notifier.mail.page import Page
from notifier.subscribers import audience
from notifier.subscribers.subscriber import Recipient, Subscriber, Variant

SAMPLE = "a.reader@example.org"


@dataclass(frozen=True)
class Seen:
    """What a person looks at before approving."""

    data: dict[str, Any]
    lines: list[str]
    text: list[str]  # subject and text in the first language of the organisation that it goes out in
    mentions: tuple[Mention, ...]
    content_hash: str


def desk(project: Project, *, with_drafts: bool = False) -> jobs.Desk:
    """The project as it is now, for looking only."""
    return jobs.Desk(project.app, look(project.app, project.now, with_drafts=with_drafts), jobs.Outcomes())


def of_edition(project: Project, edition: Edition, language: str | None) -> Seen:
    """State, audience and text of one edition, in one language or in each that will go out."""
    at = desk(project)
    current = jobs.current_edition(at, edition) or edition
    recipients = [] if edition.state.is_final else jobs.audience_of(at, current)
    counts = Counter(at.press.templates.catalogue(r.variant.languages).language for r in recipients)
    pages = pages_by_language(at, current, recipients, language)
    proofs = {code: at.press.filled(page, nobody(reader))[1] for code, (page, reader) in pages.items()}
    texts = {
        code: [f"--- {code}: {pages[code][0].subject}", "", text.rstrip()] for code, text in proofs.items()
    }
    order = [*project.config.organisation.languages, *pages]
    first = next((code for code in order if code in pages), "")
    content = at.press.content_hash(current)
    head = [
        f"{edition.key}",
        f"  state      {edition.state.value}" + (f" ({reason_of(edition)})" if edition.reason else ""),
        f"  due        {project.local(edition.due)}, useful until {project.local(edition.useful_until)}",
        f"  approved   {edition.approved_by or ('not needed' if current.prepare_at is None else 'not yet')}",
        f"  to         {len(recipients)} ({', '.join(f'{lang} {n}' for lang, n in sorted(counts.items())) or 'nobody'})",
        f"  content    {content}",
    ]
    data = {
        "edition": edition,
        "recipients": len(recipients),
        "languages": dict(sorted(counts.items())),
        "subject": pages[first][0].subject if first else edition.key,
        "content": content,
        "texts": {
            code: {"subject": p.subject, "preheader": p.preheader, "text": proofs[code]}
            for code, (p, _) in pages.items()
        },
    }
    lines = head + [line for text in texts.values() for line in ("", *text)]
    return Seen(data, lines, texts.get(first, []), current.mentions, content)


def nobody(reader: Subscriber) -> Subscriber:
    """Somebody with the same choices who does not exist: a proof is passed on, and must open nobody's subscription."""
    return replace(reader, email=SAMPLE, address=SAMPLE, public_id="0" * 16)


def reason_of(edition: Edition) -> str:
    """Why it is held, paused or cancelled, in the words of whoever said so."""
    return edition.reason.removeprefix(jobs.BY_PERSON)


def pages_by_language(
    at: jobs.Desk, edition: Edition, recipients: list[Recipient], language: str | None
) -> dict[str, tuple[Page, Subscriber]]:
    """One page a language: the variant that most readers of that language get, and one of these readers."""
    if not recipients:
        found = sample(at, edition, language)
        return {found[0].language: found} if edition.mentions or language else {}
    chosen: dict[str, tuple[Page, Subscriber]] = {}
    for key, _ in Counter(r.variant.key for r in recipients).most_common():
        recipient = next(r for r in recipients if r.variant.key == key)
        code = at.press.templates.catalogue(recipient.variant.languages).language
        if code not in chosen and language in (None, code):
            chosen[code] = (at.press.page(dated(edition), recipient.variant), recipient.subscriber)
    return dict(sorted(chosen.items()))


def sample(at: jobs.Desk, edition: Edition, language: str | None) -> tuple[Page, Subscriber]:
    """The page as somebody would read it who wants everything in this language."""
    organisation = at.app.config.organisation
    reader = sample_reader((language or organisation.languages[0],), at.app.config.organisation.sender)
    uids = tuple(dict.fromkeys(m.uid for m in edition.mentions))
    order = tuple(dict.fromkeys((*reader.languages, *organisation.languages)))
    return at.press.page(dated(edition), Variant(order, uids, audience.variant_key(order, uids))), reader


def sample_reader(languages: tuple[str, ...], sender: str) -> Subscriber:
    """Somebody who does not exist: for previews and checks."""
    from datetime import UTC, datetime

    from notifier.subscribers.subscriber import Consent, Standing

    consent = Consent(datetime(2020, 1, 12, 9, 0, tzinfo=UTC), "consent", "sample", "sample")
    return Subscriber(
        SAMPLE,
        SAMPLE,
        languages,
        standing=Standing.CONFIRMED,
        consent=consent,
        public_id="0" * 16,
        id=1,
    )


def dated(edition: Edition) -> Edition:
    """With the Date that it would have: when it is due."""
    return edition if edition.date else replace(edition, date=edition.due)
