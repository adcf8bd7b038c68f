"""config.toml: where it is found, what overrides it, and every problem with its line, caret and fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import an_office

from notifier.config import MAX_BYTES, VERSION
from notifier.configfile import Loaded, Secret, credential, find, load, problem_at, scan
from notifier.errors import ConfigError, Problem

SOUND = """\
[organisation]
name = "Cooperation Office"
sender = "events@region.example"
postal_address = "1 Sample Street, 00-000 Sampletown"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def told(file: Path, text: str, environ: dict[str, str] | None = None) -> Loaded:
    file.write_text(text, encoding="utf-8")
    return load(file, environ or {})


def problems(file: Path, text: str, environ: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(ConfigError) as refused:
        told(file, text, environ)
    return refused.value.problems


def problem(file: Path, text: str, environ: dict[str, str] | None = None) -> Problem:
    found = problems(file, text, environ)
    assert len(found) == 1, [f"{p.code} {p.text}" for p in found]
    assert found[0].file == str(file)
    return found[0]


def underlined(found: Problem) -> str:
    """What the caret line stands under."""
    return found.source[found.column - 1 : found.column - 1 + found.length]


# Every code, with its place


def test_e200_no_toml(file: Path) -> None:
    found = problem(file, SOUND + 'languages = ["pl", "en"\ntimezone = "Europe/Warsaw"\n')
    assert (found.code, found.line) == ("E200", 6)
    assert found.text.startswith("not TOML: ")
    assert found.source == 'timezone = "Europe/Warsaw"'


def test_e200_at_the_end_of_the_file(file: Path) -> None:
    found = problem(file, SOUND + "languages = [")
    assert (found.code, found.line) == ("E200", 5)


def test_e200_no_utf_8(file: Path) -> None:
    file.write_bytes(SOUND.encode() + 'reply_to = "büro@region.example"\n'.encode("cp1252"))
    with pytest.raises(ConfigError) as refused:
        load(file, {})
    found = refused.value.problems[0]
    assert (found.code, found.line, found.fix) == ("E200", 5, "save it as UTF-8")


def test_e200_not_there_too_long_or_too_deep(file: Path) -> None:
    with pytest.raises(ConfigError) as missing:
        load(file, {})
    assert (missing.value.problems[0].code, missing.value.problems[0].fix) == ("E200", "notifier init")
    assert "the limit is" in problem(file, "#" * (MAX_BYTES + 1)).text
    assert problem(file, "x = " + "[" * 5000 + "]" * 5000).code == "E200"


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ('password = "s3cret"', 'password = "credential:transports_password"'),
        (
            'url = "smtp://events:s3cret@mail.region.example:587"',
            'take the password out of the URL; password = "credential:transports_password"',
        ),
    ],
)
def test_e201_a_secret_in_the_file_is_named_and_never_shown(file: Path, line: str, fix: str) -> None:
    found = problem(file, f"{SOUND}[transports]\n{line}\n")
    assert (found.code, found.line, found.column, found.fix) == ("E201", 6, 1, fix)
    assert "s3cret" not in repr(found)


def test_e201_not_for_a_credential_or_a_user_alone(file: Path) -> None:
    told(
        file,
        f'{SOUND}[transports]\nurl = "smtp://events@mail.region.example"\npassword = "credential:smtp"\n',
    )


@pytest.mark.parametrize(
    ("text", "line", "key", "fix"),
    [
        ("[transport]\n", 5, "transport", 'did you mean "transports"?'),
        ('[transports]\nrates = "5/s"\n', 6, "rates", 'did you mean "rate"?'),
        ("[editions.digest]\nwindows = 3\n", 6, "windows", 'did you mean "window"?'),
        ('[[newsletter]]\ntitel = "x"\n', 6, "titel", 'did you mean "title"?'),
        ('[[newsletter]]\nname = "a"\n[[newsletter]]\nexept = []\n', 8, "exept", 'did you mean "except"?'),
        ('mail = { completness = "warn" }\n', 5, "completness", 'did you mean "completeness"?'),
        ("[web]\nquite_another = 1\n", 6, "quite_another", "remove it"),
    ],
)
def test_e202_an_unknown_key_with_the_nearest_one(
    file: Path, text: str, line: int, key: str, fix: str
) -> None:
    found = problem(file, SOUND + text if text.startswith("[") else _after(text))
    assert (found.code, found.line, found.fix) == ("E202", line, fix)
    assert underlined(found) == key
    assert 'unknown key "' in found.text and key in found.text


def _after(text: str) -> str:
    """Top-level keys come before the first section; the lines are counted the same."""
    return f"#\n#\n#\n#\n{text}{SOUND}"


@pytest.mark.parametrize(
    ("text", "line", "words", "fix"),
    [
        (
            '[organisation]\nname = "x"\npostal_address = "y"\n',
            1,
            '"organisation.sender" is missing',
            "add to [organisation]: sender = …",
        ),
        ("", 0, '"organisation" is missing', "add [organisation]"),
    ],
)
def test_e203_a_key_is_missing(file: Path, text: str, line: int, words: str, fix: str) -> None:
    found = problem(file, text)
    assert (found.code, found.line, found.text, found.fix) == ("E203", line, words, fix)


@pytest.mark.parametrize(
    ("text", "under", "words"),
    [
        ('timezone = "Europe/Warszawa"\n', '"Europe/Warszawa"', "unknown time zone"),
        ('timezone = "CET"\n', '"CET"', "unknown time zone"),
        ('[transports]\nrate = "fast"\n', '"fast"', "not a rate"),
        ('[editions.digest]\nwindow = "two months"\n', '"two months"', "not a duration"),
        ('[editions.digest]\nmax_size = "big"\n', '"big"', "not a size"),
        ('[editions.digest]\napproval = "maybe"\n', '"maybe"', "editions.digest.approval"),
        ('[editions.digest]\nempty = "perhaps"\n', '"perhaps"', "editions.digest.empty"),
        ('[editions.reminder]\nbefore = ["7d", "soon"]\n', '"soon"', "not a duration"),
        ('[transports]\nconnections = "many"\n', '"many"', "transports.connections"),
        ("[subscribers]\ndouble_opt_in = 7\n", "7", "subscribers.double_opt_in"),
        ("languages = []\n", "[]", "organisation.languages: name at least one"),
    ],
)
def test_e204_a_wrong_value_is_underlined(file: Path, text: str, under: str, words: str) -> None:
    found = problem(file, SOUND + text)
    assert found.code == "E204"
    assert underlined(found) == under
    assert words in found.text


@pytest.mark.parametrize(
    ("text", "under"),
    [
        ('[[newsletter]]\nname = "a"\n[newsletter.schedule]\nweekly = "Someday 07:30"\n', '"Someday 07:30"'),
        ('[[newsletter]]\nname = "a"\nexcept = ["2026-12-24..2026-12-20"]\n', '"2026-12-24..2026-12-20"'),
        ('[editions.reminder]\nat = "25:00"\n', '"25:00"'),
        ('[editions.reminder]\nquiet_hours = "never"\n', '"never"'),
        ('[transports]\nurl = "pigeon://loft"\n', '"pigeon://loft"'),
    ],
)
def test_e204_what_only_a_higher_floor_can_judge_ends_with_12_as_well(
    tmp_path: Path, text: str, under: str
) -> None:
    office = an_office(tmp_path)
    base, _, _ = office.config.read_text().partition("[transports]")
    office.config.write_text(base + text)
    ran = office.here("tick")
    assert ran.code == 12
    assert "error[E204]" in ran.err
    assert under in ran.err
    assert f" --> {office.config}:" in ran.err


def test_e204_at_a_place_that_is_given_from_above(file: Path) -> None:
    text = SOUND + '[[newsletter]]\nname = "a"\n[newsletter.schedule]\nweekly = "Someday"\n'
    file.write_text(text)
    found = problem_at(file, ("newsletter", 0, "schedule", "weekly"), "no such day")
    assert (found.code, found.line, underlined(found)) == ("E204", 8, '"Someday"')
    # The nearest key above stands in for one that is not written
    assert problem_at(file, ("newsletter", 0, "schedule", "monthly"), "x").line == 7
    assert problem_at(file, ("editions", "reminder", "at"), "x").line == 0


def test_e205_a_credential_that_no_place_has() -> None:
    with pytest.raises(ConfigError) as refused:
        credential("credential:smtp_password", {})
    found = refused.value.problems[0]
    assert found.code == "E205"
    assert "NOTIFIER_SMTP_PASSWORD" in found.fix


def test_e206_a_file_that_others_may_write_decides_what_is_sent_in_our_name(file: Path) -> None:
    file.write_text(SOUND)
    file.chmod(0o646)
    with pytest.raises(ConfigError) as refused:
        load(file, {})
    found = refused.value.problems[0]
    assert (found.code, found.fix) == ("E206", f"chmod 0640 {file}")
    file.chmod(0o644)
    load(file, {})


def test_e207_made_for_a_newer_program_is_the_only_problem_told(file: Path) -> None:
    found = problem(file, f"config_version = {VERSION + 1}\nfuture = 1\n{SOUND}")
    assert (found.code, found.line, found.fix) == ("E207", 1, "upgrade notifier")
    assert underlined(found) == "config_version"


# All at once, framed


def test_all_problems_come_at_once_sorted_and_framed_with_a_caret(tmp_path: Path) -> None:
    office = an_office(tmp_path)
    office.config.write_text(SOUND + 'timezone = "Mars/Base"\n[transports]\nrates = "5/s"\npassword = "pw"\n')
    ran = office.here("plan")
    assert ran.code == 12
    heads = [line for line in ran.err.splitlines() if line.startswith("error[")]
    assert [head[6:10] for head in heads] == ["E204", "E202", "E201"]
    lines = ran.err.splitlines()
    at = lines.index('5 | timezone = "Mars/Base"')
    assert lines[at + 1] == "  |            ^^^^^^^^^^^"
    assert f" --> {office.config}:5:12" in ran.err
    assert "3 problems; nothing was sent." in ran.err
    assert "pw" not in ran.err.replace("password", "")


# The environment, the places


def test_any_key_may_come_from_the_environment_and_its_origin_is_told(file: Path) -> None:
    loaded = told(
        file,
        SOUND + '[transports]\nrate = "1/s"\n',
        {
            "NOTIFIER__TRANSPORTS__RATE": "5/s",
            "NOTIFIER__EDITIONS__REMINDER__BEFORE": '["3d"]',
            "NOTIFIER__SUBSCRIBERS__DOUBLE_OPT_IN": "false",
            "NOTIFIER_OTHER": "not ours",
        },
    )
    assert loaded.config.transports.rate == 5
    assert [d.days for d in loaded.config.editions.reminder.before] == [3]
    assert loaded.config.subscribers.double_opt_in is False
    assert loaded.origins["transports", "rate"] == "environment NOTIFIER__TRANSPORTS__RATE"
    assert loaded.origins["organisation", "sender"] == "config.toml:3"


def test_a_wrong_key_in_the_environment_is_a_problem_with_its_name(file: Path) -> None:
    found = problems(file, SOUND, {"NOTIFIER__TRANSPORTS__RATES": "5/s"})
    assert [(p.code, p.fix) for p in found] == [("E202", 'did you mean "rate"?')]
    assert "transports.rates" in found[0].text


@pytest.mark.parametrize("name", ["NOTIFIER__TRANSPORTS", "NOTIFIER__", "NOTIFIER__ORGANISATION__SENDER__X"])
def test_an_override_that_fits_nowhere_is_refused_and_no_bug(file: Path, name: str) -> None:
    assert problems(file, SOUND, {name: "5"})[0].code in ("E202", "E204")


def test_the_configuration_is_looked_for_in_four_places(tmp_path: Path) -> None:
    assert find("a.toml", {"NOTIFIER_CONFIG": "b.toml"}, tmp_path) == tmp_path / "a.toml"
    assert find(None, {"NOTIFIER_CONFIG": "b.toml"}, tmp_path) == tmp_path / "b.toml"
    (tmp_path / "config.toml").write_text("")
    assert find(None, {}, tmp_path) == tmp_path / "config.toml"


def test_the_working_example_is_sound(tmp_path: Path) -> None:
    load(Path(__file__).parents[1] / "config.toml", {})


# Secrets


def test_a_credential_comes_from_the_first_place_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "smtp").write_text("from systemd\n")
    (tmp_path / "elsewhere").write_text("from a file\n")
    environ = {
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "NOTIFIER_SMTP_FILE": str(tmp_path / "elsewhere"),
        "NOTIFIER_SMTP": "from a variable",
    }
    assert credential("credential:smtp", environ) == "from systemd"
    del environ["CREDENTIALS_DIRECTORY"]
    assert credential("credential:smtp", environ) == "from a file"
    del environ["NOTIFIER_SMTP_FILE"]
    assert credential("credential:smtp", environ) == "from a variable"
    assert credential("", environ) == ""


def test_a_secret_is_not_printed_by_accident() -> None:
    secret = Secret("s3cret")
    assert "s3cret" not in f"{secret!r} {secret}"
    assert "s3cret" not in f"{[secret]} {secret:>10}"


# Positions


def test_every_key_of_the_example_is_found_where_it_stands() -> None:
    import tomllib

    text = (Path(__file__).parents[1] / "config.toml").read_text(encoding="utf-8")
    marks, lines = dict(scan(text)), text.splitlines()

    def keys(value: object, prefix: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
        below = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        return [k for name, inner in below for k in [(*prefix, name), *keys(inner, (*prefix, name))]]

    found = [key for key in keys(tomllib.loads(text)) if key != ("editions",)]  # which has no line of its own
    for key in found:
        mark = marks[key]
        written = lines[mark.line - 1][mark.column - 1 : mark.column - 1 + mark.length]
        if isinstance(key[-1], str):
            assert written.split(".")[-1].strip("\"' ") == key[-1]
        else:
            assert written, key


def test_a_string_may_hold_what_looks_like_a_key(file: Path) -> None:
    text = SOUND + 'reply_to = """\n[transports]\nrate = 3 # "\n"""\n[web]\nlisten = 3\n'
    found = problems(file, text)
    assert [(p.code, p.line) for p in found if "listen" in p.text] == [("E204", 10)]
