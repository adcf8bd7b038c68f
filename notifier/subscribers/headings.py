"""The columns of subscribers.csv, and what people call them in Polish, German, Bulgarian and English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

COLUMNS = (
    "email",
    "name",
    "languages",
    "newsletters",
    "projects",
    "series",
    "topics",
    "regions",
    "frequency",
    "kinds",
    "timezone",
    "country",
    "groups",
    "invitations",
    "consent_at",
    "consent_basis",
    "consent_source",
    "consent_text",
)

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "email": (
        *(
            "mail",
            "e-mail",
            "email address",
            "adres",
            "adres e-mail",
            "adres email",
            "e-mail-adresse",
            "adresse",
        ),
        *("имейл", "е-поща", "електронна поща", "адрес"),
    ),
    "name": ("nazwa", "imię i nazwisko", "bezeichnung", "име", "наименование"),
    "languages": ("language", "język", "języki", "sprache", "sprachen", "език", "езици"),
    "newsletters": ("newsletter", "biuletyn", "biuletyny", "бюлетин", "бюлетини"),
    "projects": ("project", "projekt", "projekty", "projekte", "проект", "проекти"),
    "series": ("serie", "seria", "cykl", "cykle", "reihe", "reihen", "поредица", "поредици", "серии"),
    "topics": ("topic", "temat", "tematy", "thema", "themen", "тема", "теми"),
    "regions": ("region", "regiony", "regionen", "регион", "региони"),
    "frequency": ("częstotliwość", "częstość", "häufigkeit", "честота"),
    "kinds": ("kind", "rodzaj", "rodzaje", "art", "arten", "вид", "видове"),
    "timezone": ("time zone", "strefa czasowa", "zeitzone", "часова зона"),
    "country": ("kraj", "państwo", "land", "държава", "страна"),
    "groups": ("group", "grupa", "grupy", "gruppe", "gruppen", "група", "групи"),
    "invitations": ("invitation", "zaproszenia", "einladungen", "покани"),
    "consent_at": ("data zgody", "einwilligung am", "дата на съгласието"),
    "consent_basis": ("podstawa zgody", "rechtsgrundlage", "основание на съгласието"),
    "consent_source": ("źródło zgody", "nachweis der einwilligung", "източник на съгласието"),
    "consent_text": ("treść zgody", "einwilligungstext", "текст на съгласието"),
}


def column_of(heading: str) -> str:
    """The column that a heading means, in any case and with any of space, "-" and "_" between words; "" for none."""
    return _BY_HEADING.get(_folded(heading), "")


def _folded(heading: str) -> str:
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", heading).casefold()).strip()


_BY_HEADING = {
    _folded(heading): column for column in COLUMNS for heading in (column, *_ALIASES.get(column, ()))
}
