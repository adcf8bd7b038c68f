"""A page: in which language, in whose words, and how it travels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from notifier.mail import languages, sandbox
from notifier.mail.voice import Voice, direction
from notifier.web.documents import weight
from notifier.web.hall import Hall, hall_of

#: Pages with a token and pages of one moment: nobody keeps, indexes or passes them on.
PRIVATE = {"cache-control": "no-store", "x-robots-tag": "noindex", "vary": "Accept-Language"}
LONGEST_HEADER = 500


def page(
    request: Request,
    name: str,
    voice: Voice,
    values: Mapping[str, Any],
    *,
    offered: Sequence[str] = (),
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The template `web/NAME.html` in the language of `voice`, with links to the same page in the `offered` ones.

    Raises:
        TemplateError: the template cannot be read or filled.
    """
    hall = hall_of(request)
    told = {"page": sandbox.frozen(_frame(hall, voice, offered)), "_": voice.text, **sandbox.frozen(values)}
    text = sandbox.render(hall.templates.html, f"web/{name}.html", told)
    all_headers = {**PRIVATE, "content-language": voice.language, **(headers or {})}
    return Response(text, status, media_type="text/html", headers=all_headers)


def voice_for(request: Request, reads: Sequence[str] = ()) -> Voice:
    """The voice for a reader of `reads`, in order; `?lang=` goes before, the browser's and our languages after them."""
    hall = hall_of(request)
    asked = request.query_params.get("lang", "")
    wanted = [asked] if asked in hall.languages else list(reads or accepted(request))
    ours = hall.config.organisation.languages
    catalogue = hall.templates.catalogue((*wanted, *ours))
    return Voice(catalogue, (catalogue.language, *ours))


def accepted(request: Request) -> list[str]:
    """The languages of an Accept-Language header, most wanted first."""
    field = request.headers.get("accept-language", "")[:LONGEST_HEADER]
    weighed = []
    for part in field.split(","):
        tag, *parameters = (piece.strip() for piece in part.split(";"))
        if tag and tag != "*" and (q := weight(parameters)):
            weighed.append((-q, tag))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]


def offer(hall: Hall, reads: Iterable[str] = ()) -> list[str]:
    """The languages a page is offered in: ours, then the reader's, as far as they have a catalogue."""
    known = (
        languages.negotiate([tag], ["", *hall.languages])
        for tag in (*hall.config.organisation.languages, *reads)
    )
    return list(dict.fromkeys(filter(None, known)))


def _frame(hall: Hall, voice: Voice, offered: Iterable[str]) -> dict[str, Any]:
    organisation = hall.config.organisation
    return {
        "lang": voice.language,
        "dir": direction(voice.language),
        "prefix": hall.prefix,
        "sender": voice.told(organisation.name),
        "postal_address": organisation.postal_address,
        "contact": organisation.reply_to or organisation.sender,
        "others": [
            {"lang": tag, "dir": direction(tag), "name": own_name(tag)}
            for tag in offered
            if tag != voice.language
        ],
    }


def own_name(tag: str) -> str:
    """A language as its speakers call it: "Polski", "Български"."""
    name = languages.locale_of(tag).get_language_name() or tag
    return name[:1].upper() + name[1:]
