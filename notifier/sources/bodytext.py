"""What can be wrong with a body without rendering it: links that are none, images without words, private addresses."""

from __future__ import annotations

import re

from notifier.sources.findings import Findings, Place, Placed
from notifier.sources.frontmatter import Document

_SCHEMES = frozenset(("http", "https", "mailto", "tel"))
_LINK = re.compile(r"\]\([ \t]{0,3}<?([A-Za-z][A-Za-z0-9+.-]{0,30}):")
_IMAGE = re.compile(r"!\[[ \t]{0,10}\]\(")
_MAIL_HOST = re.compile(r"[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4})")
_PRIVATE_HOSTS = {
    *(
        "gmail.com",
        "googlemail.com",
        "yahoo.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "icloud.com",
        "me.com",
    ),
    *("proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "t-online.de", "freenet.de", "libero.it"),
    *("wp.pl", "o2.pl", "onet.pl", "op.pl", "interia.pl", "gazeta.pl", "vp.pl", "tlen.pl", "seznam.cz"),
    *("abv.bg", "mail.bg", "dir.bg", "mail.ru"),
}


def check_body(document: Document) -> None:
    """E023, W110 and W107 of a body, each at its place."""
    body, findings = document.body, document.findings
    for found in _LINK.finditer(body):
        if found[1].lower() not in _SCHEMES:
            place = _place(document, found.start(1), len(found[1]) + 1)
            findings.add("E023", place, f'"{found[1]}:" is not an http or https link')
    for found in _IMAGE.finditer(body):
        place = _place(document, found.start(), len(found[0]))
        findings.warn(
            "W110", place, "an image without words for those who do not see it", "![what it shows]("
        )
    if "@" in body:
        for found in _MAIL_HOST.finditer(body):
            if found[1].lower() in _PRIVATE_HOSTS:
                _warn_private(findings, _place(document, found.start(), len(found[0])))


def check_address(findings: Findings, place: Placed, text: str) -> None:
    """W107 for a private address in a field."""
    if any(found[1].lower() in _PRIVATE_HOSTS for found in _MAIL_HOST.finditer(text[:2_000])):
        _warn_private(findings, place)


def _warn_private(findings: Findings, place: Placed) -> None:
    findings.warn("W107", place, "looks like a private address; name a public office")


def _place(document: Document, at: int, length: int) -> Place:
    before = document.body.count("\n", 0, at)
    return Place(document.body_line + before, at - document.body.rfind("\n", 0, at), length)
