"""The rules of the lint that look at a page's HTML: M202 to M207, M303, M602."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from urllib.parse import urlsplit

from notifier.mail.finding import Finding
from notifier.mail.seen import Seen, is_language, plain

SCHEMES = ("https", "mailto", "webcal")
NARROWEST = 320  # px, the narrowest phone
#: Text that cannot break on a phone without the style block, where the sheet's padding is 32 px.
LONGEST_UNBROKEN = 36
_FORBIDDEN = frozenset(
    {"script", "form", "input", "textarea", "select", "iframe", "object", "embed", "video", "audio", "link"}
)
_FORBIDDEN_CSS = re.compile(r"\b(?:var|calc|rgba?|hsla?|oklch|url|expression)\(|!important|@", re.I)
#: What whole families of mail programs do not show (caniemail): Outlook on Windows, Gmail's applications.
_WEAK = re.compile(
    r"^(?:position|float|transform|animation|transition|filter|object-fit|clip-path|background-image|box-shadow|opacity"
    r"|grid(?:-.*)?|flex(?:-.*)?|gap)$"
)
_MEDIA = re.compile(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}")
_DECLARED = re.compile(r"([^{}]+)\{([^{}]*)\}")
_PX = re.compile(r"(\d+(?:\.\d+)?)px")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def findings(
    seen: Seen, *, language: str, titles: Collection[tuple[str, str]], base_url: str, hosts: Collection[str]
) -> Iterator[Finding]:
    """What is wrong with a page in `language`.

    `titles` are (language, text) of the events as this page's readers are told them; `hosts` may be linked to,
    subdomains included, besides that of `base_url`.
    """
    yield from _style(seen)
    yield from _active(seen, base_url)
    yield from _pictures(seen)
    yield from _structure(seen)
    yield from _links(seen)
    yield from _width(seen)
    yield from _languages(seen, language, titles)
    yield from _hosts(seen, base_url, hosts)


def _style(seen: Seen) -> Iterator[Finding]:
    """M202, M203."""
    blocks = _MEDIA.findall(seen.css)
    if not blocks:
        yield Finding(
            "M202", "the style block with @media rules is gone", 'keep <style data-premailer="ignore">'
        )
    for block in blocks:
        for selector, declarations in _DECLARED.findall(block):
            if any(d.strip() and "!important" not in d for d in declarations.split(";")):
                yield Finding(
                    "M202",
                    f"{plain(selector)}: a rule in @media without !important loses to the inlined style",
                    "write !important behind every value in kept.css",
                )
    for element in seen.elements:
        for name, value in element.style.items():
            if found := _FORBIDDEN_CSS.search(value):
                yield Finding(
                    "M202",
                    f"{element.name}: {found[0]!r} is not understood in style attributes",
                    "use plain values and hex colours",
                )
            if _WEAK.match(name) or value in ("flex", "grid"):
                yield Finding(
                    "M203",
                    f"{element.name}: {name}: {value} is not shown by Outlook or by Gmail's applications",
                    "lay out with tables",
                    "warning",
                )


def _active(seen: Seen, base_url: str) -> Iterator[Finding]:
    """M204."""
    for element in seen.elements:
        if element.tag in _FORBIDDEN:
            yield Finding("M204", f"<{element.tag}> must not stand in a mail", "take it out of the template")
        for name in element.attributes:
            if name.startswith("on"):
                yield Finding(
                    "M204", f"{element.name} has the event attribute {name!r}", "take it out of the template"
                )
    for link in seen.links:
        scheme = link.url.partition(":")[0].lower()
        # A base_url without https is for trying things out on one machine.
        if scheme not in SCHEMES and not _is_ours(link.url, base_url):
            yield Finding(
                "M204",
                f"the link {link.url[:80]!r} does not begin with https:, mailto: or webcal:",
                "write the https:// address",
            )


def _pictures(seen: Seen) -> Iterator[Finding]:
    """M205."""
    for element in (e for e in seen.elements if e.tag == "img"):
        source = element.attributes.get("src", "")
        if absent := [name for name in ("alt", "width", "height") if name not in element.attributes]:
            yield Finding(
                "M205",
                f"the picture {source[:60]!r} has no {', no '.join(absent)}",
                'give it all three; alt="" for decoration',
            )
        if source.startswith("data:"):
            yield Finding("M205", "a data: picture is not shown by most mail programs", "link to it by https")


def _structure(seen: Seen) -> Iterator[Finding]:
    """M206: headings, tables, ids."""
    levels = [int(e.tag[1]) for e in seen.elements if re.fullmatch("h[1-6]", e.tag)]
    if levels.count(1) != 1 or levels[0] != 1:
        yield Finding(
            "M206",
            f"there are {levels.count(1)} headings of the first level; the first heading is one, and the only one",
            "use <h1> once, at the top",
        )
    for above, level in pairwise(levels):
        if level > above + 1:
            yield Finding("M206", f"a heading <h{level}> follows <h{above}>", f"use <h{above + 1}>")
    for element in seen.elements:
        if element.tag == "table" and element.attributes.get("role") not in ("presentation", "none"):
            yield Finding(
                "M206",
                f'{element.name} has no role="presentation": it is read out as data',
                'add role="presentation"',
            )
    ids = [e.attributes["id"] for e in seen.elements if "id" in e.attributes]
    for name in {name for name in ids if ids.count(name) > 1}:
        yield Finding("M206", f"the id {name!r} stands twice", "make it unique")


def _links(seen: Seen) -> Iterator[Finding]:
    """M206: links that say where they lead."""
    targets: dict[str, str] = {}
    for link in seen.links:
        if not link.label:
            yield Finding(
                "M206", f"the link to {link.url[:80]!r} has no text", "give it words, or an aria-label"
            )
        elif targets.setdefault(link.label.casefold(), link.url) != link.url:
            yield Finding(
                "M206",
                f'two links say "{link.label[:60]}" and lead to different places',
                "say in the link where it leads; in a template by aria-label",
            )


def _width(seen: Seen) -> Iterator[Finding]:
    """M207."""
    for element in seen.elements:
        wide = [element.attributes.get("width", "")] if element.attributes.get("width", "").isdigit() else []
        wide = [f"{value}px" for value in wide]
        wide += [element.style.get(name, "") for name in ("width", "min-width")]
        for value in wide:
            if (found := _PX.fullmatch(value.strip())) and float(found[1]) > NARROWEST - 20:
                yield Finding(
                    "M207",
                    f"{element.name} is {value} wide, which scrolls on a phone",
                    "width:100% with max-width",
                )
    for text, element in seen.runs:
        if not element.is_hidden and _is_unbroken(element.style) and len(plain(text)) > LONGEST_UNBROKEN:
            yield Finding(
                "M207",
                f'"{plain(text)[:50]}" cannot break and is wider than a phone',
                "take out white-space: nowrap",
            )


def _is_unbroken(style: Mapping[str, str]) -> bool:
    return style.get("white-space") in ("nowrap", "pre")


def _languages(seen: Seen, language: str, titles: Collection[tuple[str, str]]) -> Iterator[Finding]:
    """M303: what is read in the right voice."""
    tags = [e.attributes["lang"] for e in seen.elements if "lang" in e.attributes]
    for tag in {tag for tag in tags if not _TAG.fullmatch(tag)}:
        yield Finding("M303", f"{tag!r} is no language tag", 'write one such as "pl" or "en-GB"')
    for where, found in (
        ("<html>", [e for e in seen.elements if e.tag == "html"]),
        ('the wrapper (role="article")', [e for e in seen.elements if e.attributes.get("role") == "article"]),
    ):
        if not found or found[0].attributes.get("lang") != language or not found[0].attributes.get("dir"):
            yield Finding(
                "M303",
                f"{where} does not carry lang={language!r} and dir",
                "webmail drops one of both, so both carry them",
            )
    for tag, title in titles:
        title = plain(title).replace("\n", " ")
        if title and title in seen.text and not is_language(tag, language) and title not in seen.text_in(tag):
            yield Finding(
                "M303",
                f'"{title[:60]}" is in {tag} and not marked so',
                "print it with told(…), which adds lang",
            )


def _hosts(seen: Seen, base_url: str, hosts: Collection[str]) -> Iterator[Finding]:
    """M602."""
    for link in seen.links:
        host = (urlsplit(link.url).hostname or "") if "://" in link.url else ""
        if host and not _is_ours(link.url, base_url) and not any(is_within(host, known) for known in hosts):
            yield Finding(
                "M602",
                f"the link {link.url[:80]} leads to {host}, which is neither ours nor the event's own",
                f'if it is right: [mail] link_hosts = ["{host}"]',
            )


def _is_ours(url: str, base_url: str) -> bool:
    return url == base_url.rstrip("/") or url.startswith(base_url.rstrip("/") + "/")


def is_within(host: str, known: str) -> bool:
    """Whether `host` is `known` or a name below it."""
    return host.lower() == known.lower() or host.lower().endswith(f".{known.lower()}")
