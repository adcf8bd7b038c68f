"""`notifier check`: what it looks at, what it says, what it mends, and that it writes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from makers import a_config, a_span, an_event

from notifier import check
from notifier.app import App
from notifier.check import Findings
from notifier.cli.main import main
from notifier.configfile import load, without_effect
from notifier.events.event import Event, Project, Registration
from notifier.mail import samples
from notifier.sources.base import Reading

NOW = datetime(2020, 4, 1, 6, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[1]
CONFIG = """\
[organisation]
name = {pl = "Biuro", en = "Office"}
sender = "events@region.example"
postal_address = "1 Sample Street, 00-000 Sampletown"
languages = ["en", "pl"]
timezone = "Europe/Warsaw"
[[newsletter]]
title = {en = "Meetings ahead"}
[editions.digest]
approval = "none"
"""
MEETING = """\
---
uid: 20200428-calabria@events.region.example
title: {en: Calabria, pl: Kalabria}
summary: {en: The next meeting., pl: Następne spotkanie.}
when: 2020-04-28..2020-04-29
format: in-person
---
"""
FILE = "data/events/2020/2020-04-28-calabria.md"


def found_in(folder: Path, *events: Event, language: str | None = "en", **sections: object) -> Findings:
    reading = Reading(
        events=events, projects={"cohes3ion": Project(key="cohes3ion", name={"en": "COHES3ION"})}
    )
    app = App(a_config(folder, **sections), read=lambda: reading)
    return check.run(app, NOW, language=language)


def codes(found: Findings) -> set[str]:
    return {problem.code for problem in found.problems}


def test_sound_meetings_and_the_shipped_templates_have_no_error(tmp_path: Path) -> None:
    found = found_in(tmp_path, an_event(), language=None)
    assert [p for p in found.problems if p.is_error] == []
    assert found.held == ()
    # Four languages of all samples, and of the coming editions
    assert found.composed >= 4 * 14 + 4


def test_every_kind_is_composed_in_every_situation() -> None:
    names = [s.name for s in samples.situations("events", ("pl", "en"), "Europe/Warsaw")]
    assert len(names) == len(set(names)) == 14
    assert {name.split(",")[0] for name in names} == {"digest", "announcement", "reminder"}
    assert f"digest, {samples.MANY} meetings" in names


def test_nothing_is_written_and_no_database_is_needed(tmp_path: Path) -> None:
    found_in(tmp_path, an_event())
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_stranger_holds_the_editions_that_would_carry_it(tmp_path: Path) -> None:
    # Given a text that links to a host which is none of the event's own
    body = {"en": "Sleep [here](https://hotel.example/book)."}
    known = found_in(tmp_path, an_event(body=body), mail={"link_hosts": ["hotel.example"]})
    strange = found_in(tmp_path, an_event(body=body))

    # Then its notices wait, and those of an organisation that trusts the host do not
    assert known.held == ()
    assert {key.split("/")[0] for key in strange.held} == {"reminder"}
    problem = next(p for p in strange.problems if p.code == "M602")
    assert problem.file.endswith("(en)")
    assert 'link_hosts = ["hotel.example"]' in problem.fix


def test_the_addresses_of_the_event_s_own_fields_are_no_strangers(tmp_path: Path) -> None:
    registration = Registration(link="https://forms.example/1")
    assert found_in(tmp_path, an_event(registration=registration, link="https://host.example/")).held == ()


def test_a_broken_template_is_told_once_with_its_line(tmp_path: Path) -> None:
    own = tmp_path / "templates"
    shutil.copytree(ROOT / "templates", own)
    row = own / "parts/row.html"
    row.write_text(row.read_text() + "{{ event.nobody }}")
    found = found_in(tmp_path, an_event())
    told = [p for p in found.problems if p.code == "E302"]
    assert len(told) == 1
    assert told[0].file.endswith("parts/row.html")
    assert told[0].line > 0
    assert "event.title" in told[0].fix


def test_a_template_that_forgets_the_postal_address_is_found(tmp_path: Path) -> None:
    own = tmp_path / "templates"
    shutil.copytree(ROOT / "templates", own)
    footer = own / "parts/footer.html"
    footer.write_text(footer.read_text().replace("{{ page.postal_address }}", ""))
    found = found_in(tmp_path, an_event())
    assert {p.code for p in found.problems if p.is_error} == {"M601"}
    assert any(key.startswith("reminder") for key in found.held)


def test_a_language_without_a_catalogue_is_an_error_and_an_unfinished_one_a_warning(tmp_path: Path) -> None:
    own = tmp_path / "templates/locale"
    own.mkdir(parents=True)
    (own / "cs.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n'
        'Plural-Forms: nplurals=3; plural=(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2;\\n"\n\nmsgid "Map"\nmsgstr "Mapa"\n'
    )
    organisation = a_config(tmp_path).organisation.model_dump() | {"languages": ["en", "cs", "fr"]}
    found = found_in(tmp_path, an_event(), language=None, organisation=organisation)
    missing = [p for p in found.problems if p.code == "E301"]
    assert [p.file.rpartition("/")[2] for p in missing] == ["fr.po"]
    unfinished = [p for p in found.problems if p.code == "M304" and "texts are not" in p.text]
    assert [(p.file.rpartition("/")[2], p.severity) for p in unfinished] == [("cs.po", "warning")]
    assert "'Map'" not in unfinished[0].text


def test_an_hour_that_no_calendar_can_say_is_a_note(tmp_path: Path) -> None:
    twice = an_event("night", span=a_span("2020-10-25", at="02:30", until="04:00"))
    found = found_in(tmp_path, an_event(), twice)
    assert [note.split(":")[0] for note in found.notes] == ["night"]


def test_the_matrix_shows_each_field_in_each_language(tmp_path: Path) -> None:
    event = an_event(title={"en": "A", "pl": "B"}, body={"en": "Text."}, stale=("pl",))
    found = found_in(tmp_path, event)
    assert found.matrix[event.slug] == {"pl": "T--!", "en": "TSB", "de": "---", "bg": "---"}


# As a command


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One sound meeting in two languages."""
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(MEETING)
    return tmp_path


def called(folder: Path, *arguments: str, options: Sequence[str] = ()) -> Answer:
    out, err = StringIO(), StringIO()
    line = [
        "--config",
        str(folder / "config.toml"),
        "--at",
        "2020-04-01 08:00",
        *options,
        "check",
        *arguments,
    ]
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as done:
        main(line)
    return Answer(int(done.value.code or 0), out.getvalue(), err.getvalue())


def test_warnings_alone_are_no_failure_but_with_strict(project: Path) -> None:
    warned = called(project)
    assert (warned.code, warned.out) == (0, "1 warning in 1 event.\n")
    assert "W101" in warned.err  # the newsletter's title has no Polish
    assert "newsletter.title is missing in pl" in warned.err
    assert called(project, "--strict").code == 4
    assert called(project, "--strict", "--ignore", "W1").code == 0


def test_a_broken_event_names_the_digests_that_wait(project: Path) -> None:
    (project / FILE).write_text(MEETING.replace("2020-04-28..2020-04-29", "28.04.2020"))
    answer = called(project, "--select", "E")
    assert answer.code == 4
    assert answer.out.startswith("1 error in 1 event. ")
    assert "editions are held back: digest/events/2020-04, digest/events/2020-W15" in answer.out
    assert f"{FILE}:5:7" in answer.err
    assert "fix: when: 2020-04-28" in answer.err


def test_the_answer_as_one_json_document(project: Path) -> None:
    (project / FILE).write_text(MEETING.replace("2020-04-28..2020-04-29", "28.04.2020"))
    answer = called(project, "--output-format", "json")
    told = json.loads(answer.out)
    assert (told["schema"], told["exit"], answer.err) == ("notifier/check/1", 4, "")
    problem = next(p for p in told["problems"] if p["code"] == "E010")
    assert (problem["line"], problem["column"], problem["severity"]) == (5, 7, "error")
    assert told["data"]["held"]


def test_the_answer_as_annotations_of_a_pull_request(project: Path) -> None:
    (project / FILE).write_text(MEETING.replace("2020-04-28..2020-04-29", "28.04.2020"))
    answer = called(project, "--output-format", "github", "--select", "E010")
    first = answer.out.splitlines()[0]
    assert first == (
        f"::error file={FILE},line=5,col=7,title=E010::not a date: write year-month-day (fix: when: 2020-04-28)"
    )


def test_with_a_path_only_what_is_wrong_there_is_told(project: Path) -> None:
    other = project / "data/events/2020/2020-05-05-other.md"
    other.write_text(MEETING.replace("20200428-calabria", "20200505-other").replace("in-person", "nowhere"))
    (project / FILE).write_text(MEETING.replace("2020-04-28..2020-04-29", "28.04.2020"))
    answer = called(project, str(other))
    assert (answer.code, answer.out[:8]) == (4, "1 error ")
    assert "E011" in answer.err
    assert "E010" not in answer.err


def test_diff_shows_what_fix_writes_and_writes_nothing(project: Path) -> None:
    # Given a file without a uid that has start and end
    broken = MEETING.replace("uid: 20200428-calabria@events.region.example\n", "")
    broken = broken.replace("when: 2020-04-28..2020-04-29", "start: 2020-04-28\nend: 2020-04-29")
    (project / FILE).write_text(broken)

    # When the change is only to be seen
    shown = called(project, "--diff")
    assert (shown.code, (project / FILE).read_text()) == (4, broken)
    assert "+when: 2020-04-28 .. 2020-04-29" in shown.out
    assert "-start: 2020-04-28" in shown.out

    # Then --fix makes it, once, and the file passes
    fixed = called(project, "--fix", "--select", "E")
    assert fixed.code == 0
    assert f"mended {FILE}" in fixed.out
    assert "when: 2020-04-28 .. 2020-04-29" in (project / FILE).read_text()
    assert [p.name for p in (project / FILE).parent.iterdir()] == ["2020-04-28-calabria.md"]
    assert called(project, "--diff").out == "nothing that a program may mend by itself\n"


def test_more_words_show_translations_and_how_much_was_composed(project: Path) -> None:
    answer = called(project, options=["-v"])
    assert "mails were composed and linted." in answer.out
    assert "2020-04-28-calabria  TS-  TS-" in answer.out


def test_a_language_that_is_not_spoken_is_wrong_usage(project: Path) -> None:
    assert called(project, "--language", "fr").code == 2


def test_a_key_that_does_nothing_is_said_to_do_nothing(tmp_path):
    # Given somebody who limits the rate, which this version does not do
    text = '[organisation]\nname = "Office"\nsender = "a@region.example"\npostal_address = "x"\n[transports]\nurl = "maildir:outbox"\nrate = "5/s"\n'
    (tmp_path / "config.toml").write_text(text)
    loaded = load(tmp_path / "config.toml", {})
    (found,) = without_effect(loaded.config)
    assert (found.code, found.line, found.severity) == ("W202", 7, "warning")
    # And without the key there is nothing to say
    (tmp_path / "config.toml").write_text(text.replace('rate = "5/s"\n', ""))
    assert list(without_effect(load(tmp_path / "config.toml", {}).config)) == []
