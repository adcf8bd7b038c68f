"""Independent programs judge our calendar files: libical, ical.js, recurring-ical-events, dateutil, ICU's zone data.

What a program needs and does not find skips its tests with the reason; nothing here is needed to use the package.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import witnesses
from dateutil.tz import tzical
from makers import a_snapshot, a_span, an_event

from notifier.events import calendar, vtimezone
from notifier.events.calendar import CalendarSettings, Entry
from notifier.events.event import Event, Material, Online, Organiser, Place, Session, Snapshot, Status

ROOT = Path(__file__).parents[1]
TOOLS = ROOT.parent / "shared" / "tools" / "ical"
NOW = datetime(2020, 4, 1, 6, 0, tzinfo=UTC)
SETTINGS = CalendarSettings(
    organiser_name="Urząd Marszałkowski; biuro spotkań",
    organiser_mail="events@region.example",
    url_for_event=lambda event, language: f"https://notifier.example/event/{event.slug}.{language}",
    feed_name={"en": "Meetings, visits", "pl": "Spotkania", "bg": "Събития", "de": "Treffen"},
    timezone="Europe/Warsaw",
)
LONG = "Регионално развитие, клъстери; обратна черта: C:\\събития\\2026 и „кавички“ " * 30


def real_shapes() -> list[Event]:
    """The shapes of the real meetings, and those that no page has: hours, nights, changes of state."""
    teams = Online(platform="MS Teams", link="https://meet.example/l/19%3ameeting", show="public")
    two_days = (
        Session(title={"pl": "Wizyta studyjna"}, span=a_span("2014-12-18", at="10:00", until="15:00"), place=Place(city="Płock")),
        Session(title={"pl": "Spotkanie w urzędzie"}, span=a_span("2014-12-19", at="09:00", until="13:00")),
    )  # fmt: skip
    return [
        an_event("essen", span=a_span("2020-01-15", "2020-01-16", zone="Europe/Berlin"), number=2),
        an_event("calabria", title={"pl": "Spotkanie w Kalabrii", "de": "Treffen in Kalabrien"}),
        an_event("grow", title={"bg": "Конференция Grow your Region, второ издание; Валенсия"}, body={"bg": LONG},
                 place=Place(name={"bg": "Валенсия"}, geo=(39.4699, -0.3763)), language="bg"),
        an_event("wallonia", span=a_span("2014-12-18", "2014-12-19", at="10:00", until="13:00"), sessions=two_days),
        an_event("rgi", span=a_span("2020-07-14"), format="online", online=teams, place=None),
        an_event("seminar", span=a_span("2020-09-08", at="10:00", until="13:30"), status=Status.TENTATIVE),
        an_event("york", span=a_span("2020-03-08", at="01:30", until="03:30", zone="America/New_York"),
                 organisers=(Organiser(name='Host "one", two', mail="host@example.org"),)),
        an_event("night", span=a_span("2020-10-24", "2020-10-25", at="22:00", until="05:00")),
        an_event("autumn", span=a_span("2020-10-25", at="02:30", until="03:30")),
        an_event("cairo", span=a_span("2024-06-05", at="10:00", until="12:00", zone="Africa/Cairo")),
        an_event("nuuk", span=a_span("2026-06-05", at="10:00", until="12:00", zone="America/Nuuk")),
        an_event("start", span=a_span("2020-05-05", at="09:00"), registration=None),
        an_event("cancelled", span=a_span("2020-05-06", at="09:00", until="17:00"), status=Status.CANCELLED),
        an_event("postponed", status=Status.POSTPONED, change_note={"en": "The hall is closed."}),
        an_event("members", visibility="subscribers", topics=("sme", "industry-4-0"),
                 materials=(Material(title={"en": "Slides"}, link="https://region.example/a,b;c.pdf"),)),
    ]  # fmt: skip


def snapshots() -> list[Snapshot]:
    return [
        a_snapshot(event, sequence=number % 3, revision=number + 1)
        for number, event in enumerate(real_shapes())
    ]


@pytest.fixture(autouse=True, scope="module")
def _pinned_zones() -> Iterator[None]:
    before = zoneinfo.TZPATH
    _zones_from(())
    yield
    _zones_from(before)


def _zones_from(paths: tuple[str, ...]) -> None:
    zoneinfo.reset_tzpath(to=paths)
    ZoneInfo.clear_cache()
    vtimezone.holds.cache_clear()


@pytest.fixture(scope="module")
def tools() -> Path:
    if not TOOLS.is_dir():
        pytest.skip("the folder of independent checks is not beside the checkout")
    return TOOLS


@pytest.fixture(scope="module")
def files(_pinned_zones: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of file that leaves: one per event and language, all in one, feeds, an empty feed."""
    folder = tmp_path_factory.mktemp("ics")
    everything = snapshots()
    made = {
        f"event-{s.event.slug}": calendar.publish([s], ["en", "pl"], settings=SETTINGS) for s in everything
    }
    made["all-bg"] = calendar.publish(everything, ["bg"], settings=SETTINGS, name="Всички събития " * 8)
    for language in ("pl", "de"):
        made[f"feed-{language}"] = calendar.feed(everything, [language], settings=SETTINGS, now=NOW)
    made["feed-empty"] = calendar.feed([], ["en"], settings=SETTINGS, now=NOW)
    for name, raw in made.items():
        (folder / f"{name}.ics").write_bytes(raw)
    return {name: folder / f"{name}.ics" for name in made}


@pytest.fixture(scope="module")
def libical(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    for name in ("gcc", "pkg-config"):
        witnesses.program(name)
    flags = run("pkg-config", "--cflags", "--libs", "libical")
    if flags.returncode:
        witnesses.missing("libical-dev is not installed")
    program = tmp_path_factory.mktemp("libical") / "libical_check"
    built = run("gcc", "-O1", str(tools / "libical_check.c"), "-o", str(program), *flags.stdout.split())
    assert built.returncode == 0, built.stderr
    return program


@pytest.fixture(scope="module")
def icaljs() -> Path:
    """The folder in which `node` finds ical.js."""
    return witnesses.node_modules().parent


def run(*command: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_bytes_are_clean(tools: Path, files: dict[str, Path]) -> None:
    found = run(sys.executable, str(tools / "bytes_lint.py"), *map(str, files.values()))
    assert (found.returncode, found.stdout) == (0, "")


def test_the_objects_are_clean(tools: Path, files: dict[str, Path]) -> None:
    found = run(sys.executable, str(tools / "object_lint.py"), *map(str, files.values()))
    assert (found.returncode, found.stdout) == (0, "")


def test_our_own_check_finds_them_clean(files: dict[str, Path]) -> None:
    assert {name: calendar.validate(path.read_bytes()) for name, path in files.items()} == {
        name: [] for name in files
    }


def test_libical_finds_neither_a_bad_value_nor_a_broken_restriction(
    libical: Path, files: dict[str, Path]
) -> None:
    verdicts = {name: run(str(libical), str(path)) for name, path in files.items()}
    assert {name: done.stdout for name, done in verdicts.items() if not done.stdout.startswith("ok ")} == {}


def expected(path: Path) -> str:
    """The occurrences as the snapshots have them: instants in UTC, plain days with an exclusive end."""
    uids = {entry.uid for entry in calendar.load(path.read_bytes())}
    shown = [calendar.entry(snapshot, ["en"], SETTINGS) for snapshot in snapshots()]
    return "\n".join(sorted(_occurrence(entry) for entry in shown if entry and entry.uid in uids))


def _occurrence(entry: Entry) -> str:
    span = next(e.span for e in real_shapes() if e.uid == entry.uid)
    if entry.span.is_all_day:
        return f"{entry.uid}\t{span.first}\t{span.last + timedelta(days=1)}"
    ends = span.ends_at if span.ends else span.starts_at
    return f"{entry.uid}\t{span.starts_at:%Y-%m-%dT%H:%M:%SZ}\t{ends:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("name", ["all-bg", "feed-pl", "feed-de", "event-night"])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_ical_js_sees_our_occurrences_wherever_the_reader_is(
    tools: Path, icaljs: Path, files: dict[str, Path], name: str, zone: str
) -> None:
    seen = run("node", str(tools / "expand_icaljs.mjs"), str(files[name]), cwd=icaljs, TZ=zone)
    assert (seen.returncode, seen.stdout.strip()) == (0, expected(files[name])), seen.stderr


@pytest.mark.parametrize("name", ["all-bg", "feed-pl", "feed-de", "event-night"])
def test_recurring_ical_events_sees_our_occurrences(tools: Path, files: dict[str, Path], name: str) -> None:
    command = (sys.executable, str(tools / "expand_python.py"), str(files[name]))
    seen = run(*command, TZ="Asia/Tokyo", PYTHONTZPATH="")
    assert (seen.returncode, seen.stdout.strip()) == (0, expected(files[name])), seen.stderr


def test_the_zones_are_those_of_icu(tools: Path, icaljs: Path, files: dict[str, Path]) -> None:
    check = (str(tools / "vtimezone_check.mjs"), str(files["all-bg"]), "2020-01-01", "2022-03-11")
    seen = run("node", *check, cwd=icaljs)
    zones = [line.split(":")[0] for line in seen.stdout.splitlines()[1:]]
    # Nuuk's present rule is of 2024; judged from then on below, against zoneinfo.
    assert zones == ["America/New_York", "America/Nuuk", "Europe/Warsaw"]
    assert [
        line for line in seen.stdout.splitlines()[1:] if "0 different" not in line and "Nuuk" not in line
    ] == []


def bad_samples() -> list[str]:
    return sorted(path.name for path in (TOOLS / "samples" / "bad").glob("*.ics")) if TOOLS.is_dir() else []


@pytest.mark.parametrize("name", [name for name in bad_samples() if name != "bad-date.ics"])
def test_our_own_check_refuses_each_bad_sample(tools: Path, name: str) -> None:
    assert calendar.validate((tools / "samples" / "bad" / name).read_bytes()) != []


@pytest.mark.parametrize("name", ["feed", "invite-request", "invite-update", "invite-cancel"])
def test_our_own_check_passes_each_good_sample(tools: Path, name: str) -> None:
    assert calendar.validate((tools / "samples" / "good" / f"{name}.ics").read_bytes()) == []


# Zones: dateutil reads our VTIMEZONE, zoneinfo says what is true


def offsets_differ(zone: str, first: date, days: int) -> tuple[datetime, ...]:
    """The weekly noons at which our VTIMEZONE, read by dateutil, is not what zoneinfo says."""
    truth = ZoneInfo(zone)
    noon = datetime(first.year, first.month, first.day, 12, tzinfo=UTC)
    weekly = [(noon + timedelta(days=day)).astimezone(truth) for day in range(0, days, 7)]
    told = tuple((local.replace(tzinfo=None), local.utcoffset()) for local in weekly)
    return compared(tuple(line for line in vtimezone.lines(zone) if not line.startswith("TZID:")), told)


@cache  # many names, few rules
def compared(
    lines: tuple[str, ...], told: tuple[tuple[datetime, timedelta | None], ...]
) -> tuple[datetime, ...]:
    ours = tzical(io.StringIO("\r\n".join([lines[0], "TZID:Some/Where", *lines[1:]]) + "\r\n")).get()
    return tuple(local for local, offset in told if local.replace(tzinfo=ours).utcoffset() != offset)


@pytest.fixture(scope="module")
def zones() -> list[str]:
    """One name for each zone of the tzdata package; the other names are links to it."""
    folder = resources.files("tzdata") / "zoneinfo"
    named = {
        folder.joinpath(*zone.split("/")).read_bytes(): zone
        for zone in sorted(vtimezone.zones(), reverse=True)
    }
    return sorted(named.values())


def test_every_zone_that_we_write_is_right_each_week_for_800_days(zones: list[str]) -> None:
    written = [zone for zone in zones if vtimezone.holds(zone, 2025, 2028)]
    in_utc = sorted(set(zones) - set(written))
    print("times in UTC for events of 2026:", *in_utc)
    wrong = {zone: found for zone in written if (found := offsets_differ(zone, date(2026, 1, 1), 800))}
    assert wrong == {}
    assert "Africa/Cairo" in in_utc
    assert len(in_utc) < 30
    assert not any(zone.startswith("Europe/") for zone in in_utc)


def test_a_zone_that_we_do_not_write_would_be_wrong(zones: list[str]) -> None:
    # The other half: nothing goes out in UTC without need. Shifts of a few days escape a weekly look, so not all.
    refused = [zone for zone in zones if not vtimezone.holds(zone, 2015, 2018) and vtimezone.lines(zone)]
    needless = [zone for zone in refused if not offsets_differ(zone, date(2015, 1, 1), 4 * 365)]
    assert len(refused) > 20
    assert len(needless) <= len(refused) // 10, needless
