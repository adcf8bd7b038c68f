"""What a page says, before any template: headlines, cards, deadlines, strips, subjects, in four languages."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from makers import a_snapshot, a_span, a_subscriber, an_event
from page_makers import (
    LANGUAGES,
    NOW,
    PROJECTS,
    a_content,
    a_digest,
    calabria,
    essen,
    links,
    many,
    seminar,
    shipped,
    stakeholders,
)

from notifier.editions.base import Kind
from notifier.events.event import Deadline, Event, Format, Material, Online, Place, Registration, Status
from notifier.events.span import Span
from notifier.mail import event_views, subjects, views
from notifier.mail.event_views import Setting
from notifier.mail.strip import strip
from notifier.mail.views import Change
from notifier.mail.voice import shorten, unbroken
from notifier.mail.wrapping import finished, underline, wrap


def spaced(text: str) -> str:
    """The text with ordinary spaces."""
    return " ".join(text.split())


def a_setting(language: str = "pl", **fields: Any) -> Setting:
    return views.setting_of(a_content(calabria(), language=language, **fields))


def a_card(event: Event, language: str = "pl", **fields: Any) -> dict[str, Any]:
    return event_views.card(a_snapshot(event), a_setting(language, **fields))


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("pl", "Trzy spotkania do września"),
        ("en", "Three meetings until September"),
        ("de", "Drei Termine bis September"),
        ("bg", "Три срещи до септември"),
    ],
)
def test_the_headline_says_how_much_lies_ahead_and_how_far(language: str, wanted: str) -> None:
    content = a_digest(language)

    assert spaced(views.digest(content, views.setting_of(content))["headline"]["text"]) == wanted


def test_five_meetings_take_the_genitive_in_polish() -> None:
    content = a_content(*many(5))

    assert spaced(views.digest(content, views.setting_of(content))["headline"]["text"]) == (
        "Pięć spotkań do końca kwietnia"
    )


def test_a_headline_over_new_year_names_the_year() -> None:
    content = a_content(calabria(), seminar(span=a_span("2021-01-12")), language="de")

    assert spaced(views.digest(content, views.setting_of(content))["headline"]["text"]) == (
        "Zwei Termine bis Januar 2021"
    )


def test_one_meeting_is_named_by_its_days() -> None:
    content = a_content(calabria())
    view = views.digest(content, views.setting_of(content))

    assert spaced(view["headline"]["text"]) == "Jedno spotkanie: 28–29 kwietnia"
    assert spaced(view["sentence"]["text"]) == "Spotkanie projektu w Kalabrii, za 27 dni."
    assert view["subject"] == "Nadchodzące spotkanie: Kalabria 28–29 kwietnia"
    assert view["strip"] is None


def test_the_sentence_names_the_nearest_and_counts_changes() -> None:
    change = Change(seminar().uid, (("Forma", "na miejscu", "telekonferencja"),))
    content = a_digest(changes=(change,))

    assert spaced(views.digest(content, views.setting_of(content))["sentence"]["text"]) == (
        "Najbliższe: Spotkanie projektu w Kalabrii, za 27 dni. Jedno spotkanie się zmieniło."
    )


def test_a_foreign_title_does_not_stand_within_our_sentence() -> None:
    content = a_content(seminar(), calabria(span=a_span("2020-10-01")), language="bg")

    sentence = views.digest(content, views.setting_of(content))["sentence"]["text"]

    assert spaced(sentence) == "Предстои: 8 – 9 септември, след 160 дни."


def test_of_one_meeting_with_a_foreign_title_only_the_days_left_are_said_below_its_days() -> None:
    content = a_content(seminar(), language="bg")
    view = views.digest(content, views.setting_of(content))

    assert spaced(view["headline"]["text"]) == "Една среща: 8 – 9 септември"
    assert spaced(view["sentence"]["text"]) == "След 160 дни."


def test_a_subject_calls_a_meeting_online_by_its_project_before_it_cuts_the_title() -> None:
    content = a_content(seminar(), language="de")

    assert views.digest(content, views.setting_of(content))["subject"] == (
        "Nächster Termin: SMARTY 8.–9. September"
    )


def test_a_cyrillic_subject_does_not_seem_to_shout_to_filters_that_know_latin_letters_only() -> None:
    content = a_content(seminar(), language="bg")

    subject = views.digest(content, views.setting_of(content))["subject"]

    assert re.search("[a-z]", subject), subject


def test_a_deadline_with_an_hour_says_it_in_the_zone_of_the_event() -> None:
    by = datetime(2020, 4, 15, 10, 0, tzinfo=UTC)
    event = calabria(registration=Registration(link="https://region.example/register", by=by))

    assert [spaced(d["by"]) for d in event_views.deadlines(event, a_setting())] == [
        "15 kwietnia, 12:00 (Rzym)"
    ]


def test_the_nearest_meeting_can_go_into_calendars_on_the_web() -> None:
    setting = a_setting()
    event = stakeholders(online=Online(platform="MS Teams", link="https://teams.example/secret"))
    card = event_views.with_button(event_views.card(a_snapshot(event), setting), setting)

    hosts = [urlsplit(link["url"]).hostname for link in card["links"]]

    assert hosts == list(event_views.WEB_CALENDAR_HOSTS)
    assert event_views.OTHER_HOSTS.issuperset(hosts)
    assert not any("secret" in link["url"] for link in card["links"])


def test_a_cancelled_meeting_is_not_counted_as_ahead() -> None:
    content = a_content(calabria(status=Status.CANCELLED), stakeholders(), seminar())
    view = views.digest(content, views.setting_of(content))

    assert spaced(view["headline"]["text"]) == "Dwa spotkania do września"
    assert view["subject"] == ("Nadchodzące spotkania: SMARTY 14 lipca i jeszcze jedno")


def test_a_digest_without_meetings_says_what_it_has() -> None:
    content = a_content(sections={"recent": [essen()]}, language="en")
    view = views.digest(content, views.setting_of(content))

    assert view["headline"]["text"] == "Deadlines and materials"
    assert view["subject"] == "Deadlines and materials, 1 April 2020"
    assert not view["has_events"]


@pytest.mark.parametrize(
    ("language", "digest", "announcement", "reminder"),
    [
        (
            "pl",
            "Nadchodzące spotkania: Kalabria 28–29 kwietnia i 2 kolejne",
            "Nowe spotkanie: Spotkanie projektu w Kalabrii, 28–29 kwietnia",
            "Przypomnienie: Spotkanie projektu w Kalabrii, wtorek–środa 28–29 kwietnia",
        ),
        (
            "en",
            "Coming up: Calabria 28–29 April and 2 more",
            "New: Project meeting in Calabria, 28–29 April",
            "Reminder: Project meeting in Calabria, Tuesday–Wednesday 28–29 April",
        ),
        (
            "de",
            "Kommende Termine: Kalabrien 28.–29. April und 2 weitere",
            "Neu: Projekttreffen in Kalabrien, 28.–29. April",
            "Erinnerung: Projekttreffen in Kalabrien, Dienstag–Mittwoch, 28.–29. April",
        ),
        (
            "bg",
            "Предстоящи срещи: Калабрия 28 – 29 април и още 2",
            "Ново: Среща по проекта в Калабрия, 28 – 29 април",
            "Напомняне: Среща по проекта в Калабрия, вторник – сряда, 28 – 29 април",
        ),
    ],
)
def test_subjects_say_the_state_then_what_then_when(
    language: str, digest: str, announcement: str, reminder: str
) -> None:
    setting, events = a_setting(language), [calabria(), stakeholders(), seminar()]

    assert subjects.digest(events, setting) == digest
    assert subjects.announcement(events[0], setting) == announcement
    assert subjects.reminder(events[0], setting) == reminder


def test_a_subject_has_the_hour_of_a_timed_meeting_and_the_year_of_another_one() -> None:
    timed = calabria(span=a_span("2020-04-28", at="10:00", until="12:00"))
    later = calabria(span=a_span("2021-02-03"))

    assert subjects.reminder(timed, a_setting("pl")).endswith("wtorek 28 kwietnia, 10:00")
    assert subjects.announcement(later, a_setting("pl")).endswith("Kalabrii, 3 lutego 2021")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_very_long_title_is_cut_between_words_and_the_date_stays(language: str) -> None:
    long = calabria(title={language: "Spotkanie " * 19})
    setting = a_setting(language)

    for subject in (subjects.announcement(long, setting), subjects.reminder(long, setting)):
        assert len(subject) <= 110
        assert "Spotkanie…" in subject
        assert subject.endswith(subjects.dates(long, setting))


@pytest.mark.parametrize("language", LANGUAGES)
def test_preheaders_have_40_to_100_characters_and_do_not_repeat_the_subject(language: str) -> None:
    contents = [
        a_digest(language),
        a_content(calabria(), language=language),
        a_content(sections={"recent": [essen()]}, language=language),
        a_content(calabria(), kind=Kind.REMINDER, language=language),
        a_content(stakeholders(), kind=Kind.ANNOUNCEMENT, language=language),
    ]
    for content in contents:
        maker = views.digest if content.edition.kind == Kind.DIGEST else views.notice
        view = maker(content, views.setting_of(content))

        assert 40 <= len(view["preheader"]) <= 100, view["preheader"]
        assert view["preheader"] not in view["subject"]


def test_the_preheader_of_a_digest_tells_changes_first_then_the_next_dates() -> None:
    change = Change(seminar().uid, (("Forma", "na miejscu", "telekonferencja"),))
    plain, changed = a_digest(), a_digest(changes=(change,))

    assert views.digest(plain, views.setting_of(plain))["preheader"].startswith("14 lipca: 2. spotkanie")
    assert views.digest(changed, views.setting_of(changed))["preheader"].startswith(
        "Drugie Seminarium Tematyczne: telekonferencja"
    )


def test_a_card_tells_when_where_and_how_soon() -> None:
    card = a_card(calabria())

    assert spaced(card["when"]) == "wtorek–środa, 28–29 kwietnia 2020"
    assert spaced(card["left"]) == "za 27 dni"
    assert card["place"] == "Kalabria, Włochy"
    assert card["leaf"] | {} == {
        "month": "kwi",
        "days": "28–29",
        "weekday": "wt.–śr.",
        "is_wide": True,
        "is_marked": False,
    }
    assert [tag["text"] for tag in card["tags"]] == ["COHES3ION"]


def test_a_fallen_back_title_carries_its_language_and_a_note() -> None:
    title = a_card(seminar(), "de")["title"]

    assert (title["lang"], title["note"], title["mark"]) == ("pl", "auf Polnisch", "PL")
    assert a_card(seminar(), "pl")["title"]["lang"] == ""


def test_a_summary_in_the_language_of_its_title_is_not_noted_twice() -> None:
    same = a_card(seminar(summary={"pl": "Dwa dni."}), "de")["summary"]
    other = a_card(seminar(summary={"en": "Two days."}), "de")["summary"]

    assert (same["lang"], same["note"]) == ("pl", "")
    assert (other["lang"], other["note"]) == ("en", "auf Englisch")


def test_right_to_left_text_says_so() -> None:
    assert a_card(calabria(title={"ar": "اجتماع"}))["title"]["dir"] == "rtl"


def test_a_summary_is_made_of_the_first_sentence_where_there_is_none() -> None:
    card = a_card(seminar(summary={}, body={"pl": "Dwa **dni** rozmów. I więcej."}))

    assert card["summary"]["text"].replace("\u00a0", " ") == "Dwa dni rozmów."


@pytest.mark.parametrize(
    ("status", "word", "is_off", "has_calendar"),
    [
        (Status.TENTATIVE, "Planowane, niepotwierdzone", False, True),
        (Status.MOVED, "Przeniesione", False, True),
        (Status.POSTPONED, "Przełożone, nowy termin podamy", True, False),
        (Status.CANCELLED, "Odwołane", True, False),
    ],
)
def test_a_status_is_said_in_words(status: Status, word: str, is_off: bool, has_calendar: bool) -> None:
    card = a_card(calabria(status=status))

    assert card["tags"][-1]["text"] == word
    assert card["is_off"] is is_off
    assert bool(card["links"]) is has_calendar


def test_links_that_are_not_served_are_left_out() -> None:
    town = calabria(place=Place(name={"": "Sala"}, address="ul. Długa 7", city="Płock", country="PL"))
    few, more = a_card(town, links=links("feed")), a_card(town, links=links("event_ics", "event_page"))

    assert [link["text"] for link in few["links"]] == ["Mapa"]
    assert [link["text"] for link in more["links"]] == ["+ Do kalendarza", "Mapa", "Strona spotkania"]
    assert "query=ul.%20D%C5%82uga%207" in more["links"][1]["url"]


def test_the_button_takes_the_place_of_the_calendar_link() -> None:
    setting = a_setting()
    card = event_views.with_button(event_views.card(a_snapshot(calabria()), setting), setting)

    assert card["button"]["label"] == "Dodaj do kalendarza: Spotkanie projektu w\u00a0Kalabrii"
    assert [link["text"] for link in card["links"]] == ["Google", "Outlook"]


@pytest.mark.parametrize(
    ("show", "now", "is_told"),
    [
        ("subscribers", datetime(2020, 7, 13, 7, 59, tzinfo=UTC), False),
        ("subscribers", datetime(2020, 7, 13, 8, 0, tzinfo=UTC), True),
        ("public", NOW, True),
        ("none", datetime(2020, 7, 14, 7, 0, tzinfo=UTC), False),
    ],
)
def test_the_link_to_join_is_told_from_its_hour_on(show: str, now: datetime, is_told: bool) -> None:
    online = Online(platform="MS Teams", link="https://teams.example/secret", show=show)
    event = stakeholders(span=a_span("2020-07-14", at="10:00"), online=online)
    card = a_card(event, now=now)

    assert any("secret" in link["url"] for link in card["links"]) is is_told
    if show == "subscribers":
        assert ("link do spotkania od 13 lipca" in spaced(card["online"])) is not is_told


def test_passed_deadlines_are_gone_and_standing_calls_come_last() -> None:
    event = calabria(
        deadlines=(
            Deadline(what={"pl": "Nabór"}),
            Deadline(what={"pl": "Dziś"}, by=date(2020, 4, 1)),
            Deadline(what={"pl": "Wczoraj"}, by=date(2020, 3, 31)),
            Deadline(what={"pl": "Minęło"}, by=datetime(2020, 4, 1, 5, 0, tzinfo=UTC)),
        ),
        registration=Registration(link="https://region.example/z", by=date(2020, 4, 10)),
    )

    told = list(event_views.deadlines(event, a_setting()))

    assert [(spaced(d["by"]), d["what"]["text"]) for d in told] == [
        ("1 kwietnia", "Dziś"),
        ("10 kwietnia", "Zapisy"),
        ("Nabór stały", "Nabór"),
    ]
    assert told[1]["link"] == "https://region.example/z"


def test_links_of_other_schemes_do_not_reach_a_mail() -> None:
    assert event_views.web("javascript:alert(1)") is None
    assert event_views.web("http://region.example") is None
    assert event_views.web("https://region.example") == "https://region.example"


def test_the_strip_has_a_cell_a_week_and_counts_meetings() -> None:
    # Given two meetings in the last week of April and one that is called off in July
    events = [calabria(), stakeholders(span=a_span("2020-04-27")), seminar(status=Status.CANCELLED)]

    # When the strip is drawn on Wednesday 1 April
    made = strip(events, [], a_setting())

    # Then week 5 holds both, and September is marked
    assert made is not None
    assert len(made["weeks"]) == 25
    assert made["weeks"][4] == {"look": "held", "sign": "2"}
    assert made["weeks"][23]["look"] == "moved"
    assert [m["name"] for m in made["months"]][:3] == ["kwi", "maj", "cze"]
    assert sum(m["weeks"] for m in made["months"]) == 25
    assert [look["text"] for look in made["looks"]] == ["spotkanie", "zmiana"]
    assert "28–29 kwietnia" in spaced(made["label"])


def test_the_strip_shows_deadlines_and_no_month_without_a_day() -> None:
    month = calabria(span=Span(date(2020, 6, 1), date(2020, 6, 30), "Europe/Rome", is_month=True))
    due = stakeholders(deadlines=(Deadline(what={"pl": "x"}, by=date(2020, 4, 20)),))

    made = strip([month, due], [], a_setting())

    assert made is not None
    assert made["weeks"][3] == {"look": "due", "sign": "•"}
    assert [n for n, week in enumerate(made["weeks"]) if week["look"] == "held"] == [15]


def test_materials_in_one_other_language_are_noted_once() -> None:
    told = event_views.materials(essen(), a_setting())

    assert told["note"] == "po angielsku"
    assert {part["title"]["note"] for part in told["all"]} == {""}


def test_choices_and_frequency_are_in_words() -> None:
    catalogue = shipped().catalogue(("pl",))
    topics = {"sme": {"pl": "MŚP", "en": "SMEs"}}
    some = a_subscriber(projects=("smarty",), topics=("sme",), frequency="monthly")

    assert views.choices(some, catalogue, PROJECTS, topics) == "SMARTY, MŚP"
    assert views.choices(a_subscriber(), catalogue, PROJECTS, topics) == "wszystkie spotkania"
    assert views.frequency(some, catalogue) == "raz w miesiącu"


def test_a_variant_is_told_only_what_concerns_it() -> None:
    content = a_digest()
    few = a_digest(variant=content.variant.__class__(("pl",), (seminar().uid,), "v2"))
    view = views.digest(few, views.setting_of(few))

    assert view["headline"]["text"].startswith("Jedno spotkanie")
    assert view["deadlines"] == []
    assert view["recent"] == []


@pytest.mark.parametrize("kind", [Kind.DIGEST, Kind.ANNOUNCEMENT, Kind.REMINDER])
def test_template_context_is_plain_data(kind: Kind) -> None:
    content = a_digest() if kind == Kind.DIGEST else a_content(stakeholders(), kind=kind)
    maker = views.digest if kind == Kind.DIGEST else views.notice

    view = maker(content, views.setting_of(content))

    assert json.loads(json.dumps(view)) == view


@pytest.mark.parametrize(
    ("dates", "wanted"),
    [
        ("28–29 kwietnia 2020", "28–29~kwietnia 2020"),
        ("28.–29. April 2020", "28.–29.~April 2020"),
        ("28 – 29 април 2020\u202fг.", "28~–~29~април 2020~г."),
        ("28 April\u2009–\u20093 May 2020", "28~April~– 3~May 2020"),
    ],
)
def test_day_ranges_stay_with_their_month(dates: str, wanted: str) -> None:
    assert unbroken(dates).replace("\u00a0", "~") == wanted


def test_texts_are_cut_between_words() -> None:
    assert shorten("raz dwa trzy", 12) == "raz dwa trzy"
    assert shorten("raz dwa trzy", 11) == "raz dwa…"
    assert shorten("Gesundheitswirtschaftskonferenz", 10) == "Gesundhei…"


def test_text_is_wrapped_at_72_and_finished_with_plain_spaces() -> None:
    assert max(map(len, wrap("w\u00a0Essen " * 30).split("\n"))) <= 72
    assert underline("Łódź") == "Łódź\n----"
    assert finished("a\u00a0b\n\n\n\nc  \n-- \nd\n\n") == "a b\n\nc\n-- \nd\n"


def test_hybrid_meetings_tell_place_and_platform() -> None:
    event = calabria(format=Format.HYBRID, online=Online(platform="MS Teams"))
    card = a_card(event, "de")

    assert (card["place"], card["online"]) == ("Kalabrien, Italien", "MS Teams")
    assert card["tags"][-1]["text"] == "Vor Ort und online"


@pytest.mark.parametrize(
    "event",
    [
        an_event(visibility="subscribers"),
        an_event(visibility="group:board"),
        an_event(span=replace(a_span("2020-04-01", "2020-04-30"), is_month=True), status=Status.TENTATIVE),
    ],
)
def test_a_calendar_file_that_nobody_serves_is_not_linked(event):
    content = a_content(event)
    assert event_views.ics_link(event, views.setting_of(content)) is None


def test_before_the_event_only_materials_that_can_be_opened_are_listed():
    slides = (
        Material(title={"en": "Slides"}),
        Material(title={"en": "Agenda"}, link="https://region.example/a.pdf"),
    )
    ahead = calabria(materials=slides)
    told = event_views.materials(ahead, views.setting_of(a_content(ahead)))
    assert [m["title"]["text"] for m in told["all"]] == ["Agenda"]
    over = essen(materials=slides)
    told = event_views.materials(over, views.setting_of(a_content(over)))
    assert [m["title"]["text"] for m in told["all"]] == ["Slides", "Agenda"]
