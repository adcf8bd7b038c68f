"""The files beside an event, project or series that tell it in other languages: SLUG.LANG.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from notifier.sources.bodytext import check_body
from notifier.sources.fields import Fields
from notifier.sources.findings import Findings
from notifier.sources.frontmatter import Document, Map, parse

FIELDS = ("title", "summary", "change_note", "translated_from")
_LIMITS = {"title": 200, "summary": 300, "change_note": 2_000}


@dataclass
class Told:
    """The long and short texts of one thing, by language."""

    title: dict[str, str] = field(default_factory=dict)
    summary: dict[str, str] = field(default_factory=dict)
    change_note: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)
    stale: tuple[str, ...] = ()


@dataclass(frozen=True)
class Translation:
    language: str
    document: Document


def fingerprint(title: str, summary: str, change_note: str, body: str) -> str:
    """What `translated_from` holds: the first 12 hex digits of the SHA-256 of the original's texts.

    The four texts are joined by NUL, in this order, each without spaces at its ends.
    """
    joined = "\0".join(text.strip() for text in (title, summary, change_note, body))
    return hashlib.sha256(joined.encode()).hexdigest()[:12]


def fingerprint_of(told: Told, language: str) -> str:
    texts = (told.title, told.summary, told.change_note, told.body)
    return fingerprint(*(text.get(language, "") for text in texts))


def blank(original: bytes, default_language: str) -> str:
    """The text of a new translation file: the original as comments above lines to fill in, and its fingerprint.

    Until a line is filled in it says nothing, so an unfinished translation is never sent.
    """
    document = parse("", original)
    fields = Fields(document.front, document.findings, tuple(document.front.entries))
    language = fields.text("language") or default_language
    told = Told()
    for name in ("title", "summary", "change_note"):
        getattr(told, name).update(fields.texts(name, language))
    body = told.body[language] = document.body.strip()
    lines = []
    for name in ("title", "summary", "change_note"):
        if text := getattr(told, name).get(language):
            lines += [f"# {text}", f"{name}:"]
    lines.append(f"translated_from: {fingerprint_of(told, language)}")
    if body:
        lines += [f"# {line}".rstrip() for line in body.split("\n")]
    return "\n".join(["---", *lines, "---", ""])


def add(
    told: Told, original: Findings, slug: str, language: str, translations: Iterable[Translation]
) -> None:
    """Put the translations beside the original's texts; what is wrong with one is told in its own file."""
    origin = fingerprint_of(told, language)
    for translation in translations:
        _add_one(told, original.file, slug, language, translation, origin)


def _add_one(
    told: Told, original: str, slug: str, language: str, translation: Translation, origin: str
) -> None:
    front, findings, tag = translation.document.front, translation.document.findings, translation.language
    if not translation.document.is_readable:
        return
    if tag == language:
        findings.add("E031", front, f"{original} itself is in {tag}: a translation is in another language")
        return
    _refuse_other_fields(front, findings, original)
    fields = Fields(front, findings, tuple(front.entries))
    for name, limit in _LIMITS.items():
        texts: dict[str, str] = getattr(told, name)
        line = fields.text(name, limit)
        if line and tag in texts:
            text = f'"{name}" in {tag} is given twice, first in {original}'
            findings.add("E006", fields.place(name), text, f"remove line {fields.place(name).line}")
        elif line:
            texts[tag] = line
    if body := translation.document.body.strip():
        told.body[tag] = body
        check_body(translation.document)
    made_from = fields.text("translated_from")
    if made_from and made_from != origin:
        told.stale += (tag,)
        text = f"translated from an older text of {original}; it has changed since"
        fixes = [f"notifier events translate {slug} {tag}", f"translated_from: {origin}"]
        findings.warn("W102", fields.place("translated_from"), text, fixes)


def _refuse_other_fields(front: Map, findings: Findings, original: str) -> None:
    for name, (key, _) in front.entries.items():
        if name not in FIELDS:
            text = f'"{name[:60]}" is not a field of a translation'
            findings.add("E031", key, text, f"move line {key.line} to {original}")
