"""subscribers.csv in and out: encodings, headings, each problem with its place, consent, formulas, the round trip."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import a_subscriber, an_office

from notifier.config import Newsletter, Subscribers
from notifier.errors import ContentError
from notifier.subscribers import roster, sheet
from notifier.subscribers.headings import COLUMNS, column_of
from notifier.subscribers.roster import Roster
from notifier.subscribers.subscriber import EVERYTHING, KINDS, Consent, Standing, Subscriber

CONFIG = an_office(
    newsletter=(Newsletter(name="events"), Newsletter(name="visits")),
    subscribers=Subscribers(
        topics={"industry-4-0": {"en": "Industry 4.0"}, "sme": {"en": "SMEs"}}, regions=("PL92",)
    ),
)
PROJECTS, SERIES = ("smarty", "cohes3ion"), ("smarty-rgi",)
SAMPLE = Path(__file__).parents[1] / "data/samples/subscribers.csv"


def read(text: str | bytes, *, accept_consent: bool = False) -> Roster:
    raw = text if isinstance(text, bytes) else text.encode()
    return roster.read(raw, CONFIG, projects=PROJECTS, series=SERIES, accept_consent=accept_consent)


def one(heading: str, cell: str) -> Roster:
    """What a file with one row and one column beside the address gives."""
    return read(f"email;{heading}\noffice@example.org;{cell}\n")


def places(found: Roster) -> list[tuple[int, int, str]]:
    return [(p.line, p.column, p.code) for p in found.problems]


def test_an_empty_row_but_for_the_address_is_everything_biweekly_and_silent() -> None:
    (subscriber,) = read("email\noffice@example.org\n").subscribers
    assert subscriber == Subscriber(
        email="office@example.org", address="office@example.org", languages=("pl",)
    )
    assert (subscriber.standing, subscriber.frequency, subscriber.kinds) == (
        Standing.PENDING,
        "biweekly",
        KINDS,
    )
    assert subscriber.projects == subscriber.topics == subscriber.newsletters == EVERYTHING


def test_every_column_is_read() -> None:
    text = (
        "email,name,languages,newsletters,topics,projects,series,regions,frequency,kinds,timezone,country,groups,invitations\n"
        "Office@Example.org,Sekretariat,pl EN-gb,events,sme industry-4-0,SMARTY,smarty-rgi,PL92,Weekly,"
        "digest reminder,Europe/Sofia,bg,board staff,yes\n"
    )
    assert read(text) == Roster(
        (
            Subscriber(
                email="Office@Example.org",
                address="office@example.org",
                name="Sekretariat",
                languages=("pl", "en-gb"),
                newsletters=("events",),
                topics=("sme", "industry-4-0"),
                projects=("smarty",),
                series=("smarty-rgi",),
                regions=("PL92",),
                frequency="weekly",
                kinds=("digest", "reminder"),
                timezone="Europe/Sofia",
                country="BG",
                groups=("board", "staff"),
                wants_invitations=True,
            ),
        ),
        separator=",",
    )


CONSENT = "email;consent_at;consent_basis;consent_source;consent_text\noffice@example.org;"


@pytest.mark.parametrize(
    ("cells", "accept", "standing"),
    [
        ("2020-01-07;consent;paper form;form-v1", True, Standing.CONFIRMED),
        ("2020-01-07;consent;paper form;form-v1", False, Standing.PENDING),
        (";consent;paper form;form-v1", True, Standing.PENDING),
        ("2020-01-07;;paper form;form-v1", True, Standing.PENDING),
        ("2020-01-07;consent;;form-v1", True, Standing.PENDING),
        ("2020-01-07;consent;paper form;", True, Standing.PENDING),
        (";;;", True, Standing.PENDING),
    ],
)
def test_only_all_four_fields_and_an_express_word_confirm_a_row(
    cells: str, accept: bool, standing: Standing
) -> None:
    (subscriber,) = read(CONSENT + cells + "\n", accept_consent=accept).subscribers
    assert subscriber.standing is standing
    assert (subscriber.consent is not None) is (cells == "2020-01-07;consent;paper form;form-v1")


def test_a_day_of_consent_is_its_midnight_in_utc_and_an_instant_keeps_its_time() -> None:
    for cell, at in (
        ("2020-01-07", datetime(2020, 1, 7, tzinfo=UTC)),
        ("2020-01-07T10:30:00+01:00", datetime(2020, 1, 7, 9, 30, tzinfo=UTC)),
    ):
        (subscriber,) = read(f"{CONSENT}{cell};consent;form;v1\n").subscribers
        assert subscriber.consent == Consent(at, "consent", "form", "v1")


@pytest.mark.parametrize(
    ("heading", "cell", "code", "words"),
    [
        ("newsletters", "event", "E020", 'unknown newsletter "event"'),
        ("topics", "smes", "E020", 'unknown topic "smes"'),
        ("projects", "smart", "E020", 'unknown project "smart"'),
        ("series", "rgi", "E020", 'unknown series "rgi"'),
        ("regions", "PL91", "E020", 'unknown region "PL91"'),
        ("frequency", "daily", "E011", 'unknown frequency "daily"'),
        ("kinds", "digest confirm", "E011", 'unknown kind "confirm"'),
        ("languages", "pl,en", "E011", 'unknown language "pl,en"'),
        ("timezone", "Warsaw", "E014", 'unknown zone "Warsaw"'),
        ("country", "POL", "E011", 'unknown country "POL"'),
        ("invitations", "maybe", "E011", "neither yes nor no"),
        ("consent_at", "7.01.2020", "E401", '"7.01.2020" is not a date'),
        ("consent_at", "2020-02-30", "E401", '"2020-02-30" is not a date'),
        ("consent_at", "2020-01-07T10:30:00", "E401", "no offset"),
    ],
)
def test_a_cell_that_says_nothing_is_told_by_row_column_and_heading(
    heading: str, cell: str, code: str, words: str
) -> None:
    found = one(heading, cell)
    assert places(found) == [(2, 2, code)]
    assert words in found.problems[0].text
    assert heading in found.problems[0].text
    assert found.problems[0].fix
    assert found.subscribers == ()


def test_a_star_among_keys_is_everything_and_none_alone_is_nothing() -> None:
    assert one("projects", "smarty *").subscribers[0].projects == EVERYTHING
    assert one("projects", "none").subscribers[0].projects == ()
    assert one("kinds", "none").subscribers[0].kinds == ()
    assert places(one("projects", "none smarty")) == [(2, 2, "E020")]


def test_near_names_are_offered() -> None:
    assert one("projects", "smarti").problems[0].fix == "did you mean smarty"
    assert one("projects", "xyz").problems[0].fix == "one of: cohes3ion, smarty"


def test_all_problems_are_told_at_once_and_the_good_rows_are_read() -> None:
    text = (
        "email;projects;topics\n"
        "nobody;smarty;x\n"
        "office@example.org;smarty;sme\n"
        "\n"
        '"OFFICE@example.org";"nonsense\nsmarty";\n'
        "press@example.org;;\n"
        "clerk@example.org;;cooking\n"
    )
    found = read(text)
    # Lines are those of the file: a blank one counts, and a cell of two lines counts as two
    assert places(found) == [(2, 1, "E408"), (2, 3, "E020"), (5, 1, "E404"), (5, 2, "E020"), (8, 3, "E020")]
    assert "repeats row 3" in found.problems[2].text
    assert [s.address for s in found.subscribers] == ["office@example.org", "press@example.org"]


def test_an_invalid_address_says_what_is_wrong_with_it() -> None:
    (problem,) = read("name;email\nOffice;office@[127.0.0.1]\n").problems
    assert (problem.line, problem.column, problem.code) == (2, 2, "E408")
    assert problem.text.startswith("address invalid: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name;languages\nOffice;pl\n", [(1, 1, "E403")]),
        ("email;Name;NAME\na@example.org;x;y\n", [(1, 3, "E006")]),
        ("email;E-Mail\na@example.org;b@example.org\n", [(1, 2, "E006")]),
        ("email;name\na@example.org;x;y\n", [(2, 3, "E405")]),
        ("", [(0, 0, "E405")]),
        ("\n \n", [(0, 0, "E405")]),
        ('email;name\na@example.org;"x\n', [(2, 1, "E405")]),
        ('email;name\na@example.org;"x"y\n', [(2, 1, "E405")]),
        ("email;name\na@example.org;x\x07y\n", [(2, 1, "E405")]),
        ("email;name\n\na@example.org;" + "x" * 4001 + "\n", [(3, 1, "E405")]),
        ("email;name\na@example.org;" + "я" * 2001 + "\n", [(2, 1, "E405")]),
        (";".join(["email"] + ["x"] * 50) + "\n", [(1, 1, "E405")]),
        ("email\n" + "x" * 200_000 + "\n", [(2, 1, "E405")]),
        ("email\0\n", [(0, 0, "E405")]),
        ("email\na@example.org\n".encode("utf-16"), [(0, 0, "E405")]),
        (b"email;name\na@example.org;\x98\x81\n", [(2, 1, "E405")]),
        (b"x" * 10_000_001, [(0, 0, "E405")]),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_place(
    text: str | bytes, expected: list[tuple[int, int, str]]
) -> None:
    found = read(text)
    assert places(found) == expected
    assert found.subscribers == ()


def test_too_many_rows_are_refused() -> None:
    rows = b"x\n" * (sheet.MAX_ROWS + 1)  # the header is none
    assert len(sheet.read(rows, "list.csv").rows) == sheet.MAX_ROWS
    with pytest.raises(ContentError, match="more than 500000 rows"):
        sheet.read(rows + b"x\n", "list.csv")


def test_trailing_separators_and_short_rows_are_taken() -> None:
    found = read("email;name;languages\na@example.org;A;;;\nb@example.org\n")
    assert found.problems == ()
    assert len(found.subscribers) == 2


def test_an_unknown_column_is_a_warning() -> None:
    (problem,) = one("proyects", "x").problems
    assert (problem.code, problem.severity, problem.fix) == ("E002", "warning", "did you mean projects")
    assert len(one("proyects", "x").subscribers) == 1


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        ("email;name\na@example.org;Biuro Współpracy Międzyregionalnej\n", "cp1250", "Biuro Współpracy Międzyregionalnej"),
        ("email;name\na@example.org;Wirtschaftsförderung Süd\n", "cp1250", "Wirtschaftsförderung Süd"),
        ("имейл;име\na@example.org;Клъстер, офис\n", "cp1251", "Клъстер, офис"),
        ("email;name\na@example.org;Zażółć gęślą jaźń\n", "utf-8", "Zażółć gęślą jaźń"),
        ("email;name\na@example.org;Клъстер\n", "utf-8-sig", "Клъстер"),
    ],
)  # fmt: skip
def test_encodings_of_office_programs_are_detected_and_named(text: str, encoding: str, name: str) -> None:
    found = read(text.encode(encoding))
    assert found.encoding == encoding.removesuffix("-sig")
    assert found.subscribers[0].name == name


@pytest.mark.parametrize(
    "header",
    [
        "Adres e-mail;Imię i nazwisko;Języki;Projekty;Częstotliwość;Strefa czasowa;Kraj",
        "E-Mail-Adresse;Bezeichnung;Sprachen;Projekte;Häufigkeit;Zeitzone;Land",
        "ИМЕЙЛ;Име;Езици;Проекти;Честота;Часова зона;Държава",
        "EMAIL;Name;Languages;Project;frequency;Time_Zone;country",
    ],
)
def test_headings_are_known_in_four_languages(header: str) -> None:
    found = read(f"{header}\na@example.org;Office;de;smarty;monthly;Europe/Berlin;DE\n")
    assert found.problems == ()
    (subscriber,) = found.subscribers
    assert (subscriber.name, subscriber.languages, subscriber.projects) == ("Office", ("de",), ("smarty",))
    assert (subscriber.frequency, subscriber.timezone, subscriber.country) == (
        "monthly",
        "Europe/Berlin",
        "DE",
    )


def test_no_heading_means_two_columns() -> None:
    assert [column_of(name) for name in COLUMNS] == list(COLUMNS)
    assert column_of("consent at") == "consent_at"
    assert column_of("") == column_of("telephone") == ""


def test_without_lists_of_projects_series_and_regions_every_key_of_their_form_goes() -> None:
    raw = b"email;projects;series;regions\na@example.org;new;other;DEA5 PL\n"
    (subscriber,) = roster.read(raw, an_office()).subscribers
    assert (subscriber.projects, subscriber.series, subscriber.regions) == (
        ("new",),
        ("other",),
        ("DEA5", "PL"),
    )
    assert [
        p.code for p in roster.read(b"email;regions\na@example.org;Mazowsze\n", an_office()).problems
    ] == ["E020"]


@pytest.mark.parametrize("start", list("=+-@\t\r＝＋－＠") + ["'"])
def test_a_cell_that_a_spreadsheet_would_run_is_guarded_and_comes_back(start: str) -> None:
    # Given a name that begins as a formula does
    name = f"{start}SUM(A1)"
    raw = roster.write([a_subscriber(name=name)])
    # Then it leaves with a quote before it, and comes back without
    assert f'"\'{name}"'.encode() in raw
    assert read(raw).subscribers[0].name == name.strip()
    # And the raw form is as it is
    assert f'"{name}"'.encode() in roster.write([a_subscriber(name=name)], is_raw=True)


def test_import_takes_off_exactly_one_quote() -> None:
    assert one("name", "''s-Hertogenbosch").subscribers[0].name == "'s-Hertogenbosch"


def test_the_export_is_what_spreadsheets_open_as_it_is_meant() -> None:
    raw = roster.write([a_subscriber(name='Zażółć "x"; y')])
    header, row, end = raw.decode("utf-8-sig").split("\r\n")
    assert raw.startswith(b"\xef\xbb\xbf")
    assert header == ";".join(f'"{name}"' for name in COLUMNS)
    assert '"Zażółć ""x""; y"' in row
    assert end == ""


def test_who_left_is_not_exported() -> None:
    readers = [a_subscriber(f"{s.value}@example.org", standing=s) for s in Standing]
    assert [s.address for s in read(roster.write(readers)).subscribers] == ["pending@example.org", "confirmed@example.org"]  # fmt: skip


TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20).map(
    lambda text: sheet._cell("'" + text, 1, "")
)
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1), timezones=st.just(UTC)) | st.dates(
    datetime(1970, 1, 2).date()
).map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))


def chosen(keys: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.just(EVERYTHING) | st.lists(st.sampled_from(keys), unique=True).map(tuple)


SUBSCRIBERS = st.builds(
    Subscriber,
    email=st.sampled_from(["Office@Example.org", "+office@example.org", "офис@пример.бг"]),
    address=st.just(""),
    languages=st.lists(st.sampled_from(["pl", "en-GB", "bg"]), min_size=1, unique=True).map(tuple),
    name=TEXT,
    newsletters=chosen(("events", "visits")),
    projects=chosen(PROJECTS),
    series=chosen(SERIES),
    topics=chosen(("sme", "industry-4-0")),
    regions=chosen(("PL92",)),
    kinds=st.lists(st.sampled_from(KINDS), unique=True).map(tuple),
    frequency=st.sampled_from(["each", "weekly", "biweekly", "monthly"]),
    timezone=st.sampled_from(["", "Europe/Sofia"]),
    country=st.sampled_from(["", "BG"]),
    groups=st.lists(st.sampled_from(["board", "=staff", "'x"]), unique=True).map(tuple),
    wants_invitations=st.booleans(),
    consent=st.none() | st.builds(Consent, MOMENTS, TEXT.filter(bool), TEXT.filter(bool), TEXT.filter(bool)),
)


@given(SUBSCRIBERS, st.booleans())
@settings(deadline=None)
def test_what_goes_out_comes_back_as_it_was(subscriber: Subscriber, accept: bool) -> None:
    # Given any subscriber, confirmed where there is evidence
    address = roster.normalise(subscriber.email).normalised
    standing = Standing.CONFIRMED if subscriber.consent and accept else Standing.PENDING
    subscriber = replace(subscriber, address=address, standing=standing)
    # When exported and imported
    found = read(roster.write([subscriber]), accept_consent=accept)
    # Then nothing is lost
    assert found.problems == ()
    assert found.subscribers == (subscriber,)


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda t: f"email;name\n{t}".encode("utf-8", "replace"))
)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    found = read(raw)
    assert all(p.code.startswith("E") and p.text.isprintable() for p in found.problems)


def test_the_sample_rows_are_sound_and_one_is_pending() -> None:
    if not SAMPLE.is_file():
        pytest.skip("the sample subscribers are not beside the tests")
    settings = an_office(subscribers=Subscribers(topics={t: {} for t in ("industry-4-0", "sme", "clusters")}))
    found = roster.read(SAMPLE.read_bytes(), settings, projects=PROJECTS, series=SERIES, accept_consent=True)
    assert found.problems == ()
    standings = [s.standing for s in found.subscribers]
    assert (standings.count(Standing.CONFIRMED), standings.count(Standing.PENDING)) == (11, 1)
