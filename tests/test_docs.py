"""The documents: every command in them runs, every link leads somewhere, the generated pages are those of the program."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from notifier.cli import config_keys, exits, reference
from notifier.cli.codes import CODES
from notifier.cli.main import cli
from notifier.config import NOT_YET

ROOT = Path(__file__).parents[1]
HOWTO = sorted((ROOT / "docs/howto").glob("*.md"))
PAGES = [ROOT / "README.md", *HOWTO]
ALL_PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
#: Pages that are followed in a copy of the checkout, in an empty folder, and (all others) in the demo project.
IN_CHECKOUT = {"developer-add-a-source.md", "developer-add-a-kind.md", "developer-add-a-transport.md"}
IN_EMPTY = {"README.md"}
CHECKOUT = ("notifier", "templates", "data", "tests", "config.toml", "pyproject.toml")
MAX_DECISION = 60
#: Named in texts, and not there yet.
COMING = {"notifier collect", "notifier events cancel"}

_FENCE = re.compile(r"^```(\w*)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
_NAMED = re.compile(r"`notifier(?: --?[\w-]+(?: (?:\"[^\"]*\"|[\w./]*[./][\w./]*))?)* ([a-z]+(?: [a-z]+)*)")
_CODE = re.compile(r"[\"'({ ]([EWM]\d{3})[\"') ]")
_EVERY_COMMAND = list(reference.tree(cli, click.Context(cli, info_name="notifier")))
#: Commands that do something; groups only hold others.
_LEAVES = [(ctx.command_path, cmd) for ctx, cmd in _EVERY_COMMAND if not isinstance(cmd, click.Group)]


@dataclass(frozen=True)
class Block:
    """A fenced block: ```sh runs; ```sh (not run: why) does not; ```LANGUAGE PATH is the content of that file."""

    language: str
    info: str
    text: str
    line: int

    @property
    def runs(self) -> bool:
        return self.language == "sh" and not self.info

    @property
    def file(self) -> str:
        return self.info if self.language != "sh" and self.info and not self.info.startswith("(") else ""


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(m[1], m[2].strip(), m[3], text.count("\n", 0, m.start()) + 1) for m in _FENCE.finditer(text)
    ]


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as `notifier init --demo` makes it."""
    folder = tmp_path_factory.mktemp("docs") / "demo"
    assert (
        CliRunner().invoke(cli, ["init", "--demo", str(folder), "--yes"], standalone_mode=False).return_value
        == 0
    )
    return folder


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder in which the reader of a page stands."""
    name = request.getfixturevalue("page").name
    folder = tmp_path / "here"
    if name in IN_CHECKOUT:
        ignored = shutil.ignore_patterns("__pycache__", "state")
        for part in CHECKOUT:
            source = ROOT / part
            copy: Any = shutil.copyfile if source.is_file() else shutil.copytree
            folder.mkdir(exist_ok=True)
            copy(source, folder / part, **({} if source.is_file() else {"ignore": ignored}))
    elif name in IN_EMPTY:
        folder.mkdir()
    else:
        shutil.copytree(request.getfixturevalue("demo"), folder)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_stranger_can_follow_the_page_from_top_to_bottom(page: Path, place: Path, tmp_path: Path) -> None:
    where = tmp_path / "where"
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("NOTIFIER")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(place) if page.name in IN_CHECKOUT else str(ROOT),
        "BROWSER": "true",
        "WHERE": str(where),
    }
    here = place
    for block in blocks(page):
        if block.file:
            (here / block.file).parent.mkdir(parents=True, exist_ok=True)
            (here / block.file).write_text(block.text, encoding="utf-8")
        if block.runs:
            script = f'{block.text}\npwd > "$WHERE"'
            done = subprocess.run(
                ["sh", "-eu", "-c", script],
                cwd=here,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, f"{page.name}:{block.line}\n{block.text}{done.stdout}{done.stderr}"
            here = Path(where.read_text().strip())


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_command_that_is_not_run_says_why(page: Path) -> None:
    for block in blocks(page):
        here = f"{page.name}:{block.line}"
        assert block.language, f"{here}: name the language of the block, `text` for output"
        if block.language == "sh" and block.info:
            assert re.fullmatch(r"\(not run: .{8,}\)", block.info), here
        if block.language != "sh" and not block.file:
            commands = [
                line for line in block.text.splitlines() if re.match(r"\s*(\$ )?(notifier|make) \w", line)
            ]
            assert not commands, f"{here}: a command stands in a block that is not run: {commands[0]}"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_file_whose_content_is_shown_is_named_where_readers_see_it(page: Path) -> None:
    text = page.read_text("utf-8")
    for block in blocks(page):
        before = _FENCE.sub("", text.split(f"```{block.language} {block.info}\n")[0])
        assert not block.file or f"`{block.file}`" in before, f"{page.name}:{block.line}: {block.file}"


def test_settings_in_the_documents_are_settings_that_exist() -> None:
    known = {key.path for key in config_keys.keys("")}
    shown = [
        (page, block)
        for page in PAGES
        for block in blocks(page)
        if block.language == "toml" and not block.file
    ]

    assert shown
    for page, block in shown:
        for path in dotted(tomllib.loads(block.text)):
            parts = path.split(".")
            assert any(".".join(parts[:n]) in known for n in range(1, len(parts) + 1)), f"{page.name}: {path}"


def dotted(table: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in table.items():
        here = f"{path}.{name}".lstrip(".")
        for one in value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]:
            yield from dotted(one, here) if isinstance(one, dict) else (here,)


@pytest.mark.parametrize("page", ALL_PAGES, ids=names(ALL_PAGES))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text("utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_document_can_be_reached_from_the_first_one() -> None:
    reached: set[Path] = set()
    left = [ROOT / "README.md"]
    while left:
        page = left.pop().resolve()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            found = _LINK.findall(page.read_text("utf-8"))
            left += [page.parent / target for target in found if not re.match(r"[a-z]+:", target)]
        elif page.is_dir():
            left += page.glob("*.md")

    assert not {p.resolve() for p in (ROOT / "docs").rglob("*.md")} - reached


def test_the_two_commands_of_the_readme_stand_first_and_exist() -> None:
    first, *_ = blocks(ROOT / "README.md")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert re.findall(r"^make (\w+)", first.text, re.MULTILINE) == ["demo", "test"]
    assert {"demo", "test"} <= targets


def test_every_target_of_make_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in ALL_PAGES:
        assert set(re.findall(r"(?:`|^ *)make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)) <= targets, (
            page.name
        )


@pytest.mark.parametrize("page", [*ALL_PAGES, ROOT / "config.toml"], ids=lambda page: page.name)
def test_a_command_that_is_named_in_a_sentence_exists(page: Path) -> None:
    known = {path for path, _ in _LEAVES} | {ctx.command_path for ctx, _ in _EVERY_COMMAND[1:]}

    assert not COMING & known
    for words in _NAMED.findall(page.read_text("utf-8")):
        named = f"notifier {words}".split()
        begins = {" ".join(named[:count]) for count in (2, 3, 4)}
        assert begins & COMING or begins & {path for path, _ in _LEAVES} or " ".join(named) in known, words


def test_the_generated_pages_are_those_of_the_program() -> None:
    for name, text in reference.pages().items():
        assert (ROOT / "docs/reference" / name).read_text("utf-8") == text, f"{name} is stale: make docs"


def test_the_same_sources_give_the_same_pages_in_a_terminal_of_any_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = reference.pages()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LANG", "pl_PL.UTF-8")
    assert reference.pages() == before


@pytest.mark.parametrize(("path", "command"), _LEAVES, ids=[path for path, _ in _LEAVES])
def test_help_ends_with_two_examples_and_the_exit_codes(path: str, command: click.Command) -> None:
    shown = CliRunner().invoke(cli, [*path.split()[1:], "--help"], prog_name="notifier").output
    examples = reference.examples(command)
    codes = reference.exit_codes(command)

    assert (command.help or "").strip()
    assert len(examples) == 2
    assert any(
        path in re.sub(r"notifier (--?[\w-]+ (\"[^\"]*\"|[a-z]+) )?", "notifier ", e) for e in examples
    )
    assert codes[0] == exits.DONE
    assert set(codes) <= set(exits.WORDS)
    assert shown.rstrip().endswith(exits.WORDS[codes[-1]])


@pytest.mark.parametrize(("path", "command"), _LEAVES, ids=[path for path, _ in _LEAVES])
def test_the_examples_of_a_command_are_understood(
    path: str, command: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    for example in reference.examples(command):
        words = shlex.split(example.partition(" > ")[0])
        words = words[next(n for n, word in enumerate(words) if word.endswith("notifier")) + 1 :]
        first, name = next(found for n in range(len(words)) if (found := (n, leaf_at(words[n:])))[1])
        cli.make_context("notifier", words[:first])
        dict(_LEAVES)[name].make_context(name, words[first + name.count(" ") :])


def leaf_at(words: list[str]) -> str:
    """The command that these words begin with, by its longest name; empty if none."""
    paths = (" ".join(["notifier", *words[:count]]) for count in (3, 2, 1))
    return next((path for path in paths if path in dict(_LEAVES)), "")


def test_every_key_stands_in_the_example_with_its_words() -> None:
    example = (ROOT / "config.toml").read_text("utf-8")

    assert {key.path for key in config_keys.keys(example)} <= config_keys.given(example)


def test_a_key_that_is_not_in_the_example_is_noticed() -> None:
    example = (ROOT / "config.toml").read_text("utf-8")
    shorter = "\n".join(line for line in example.splitlines() if not line.startswith("# rate ="))
    assert {key.path for key in config_keys.keys(shorter)} - config_keys.given(shorter) == {"transports.rate"}


@pytest.mark.parametrize("path", NOT_YET)
def test_a_key_that_is_said_to_have_no_effect_is_asked_for_by_nothing(path: str) -> None:
    pattern = re.compile(rf"\b{re.escape('.'.join(['config', *path.split('.')][-2:]))}\b")
    asked = [
        file.name
        for file in (ROOT / "notifier").rglob("*.py")
        if file.name not in ("config.py", "config_keys.py") and pattern.search(file.read_text("utf-8"))
    ]

    assert not asked
    assert [key for key in config_keys.keys("") if not key.has_effect and key.path.startswith(path)]


def test_every_key_has_a_row_with_its_default() -> None:
    page = (ROOT / "docs/reference/config.md").read_text("utf-8")
    rows = {
        (section[0], name)
        for section in re.finditer(r"^## (.+?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        for name in re.findall(r"^\| `(\w+)` \|", section[0], re.MULTILINE)
    }
    found = {(section.splitlines()[0].removeprefix("## "), name) for section, name in rows}

    for key in config_keys.keys(""):
        assert (key.section or "At the top of the file", key.name) in found


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("organisation.name", "required"),
        ("organisation.logo", "none"),
        ("editions.digest.max_size", '"95kB"'),
        ("editions.update.delay", '"15m"'),
        ("editions.reminder.before", '["7d", "1d"]'),
        (
            "newsletter.schedule",
            '{ weekly = "Tue 07:30", biweekly = "every 2 weeks on Tue at 07:30", monthly = "1st Tue at 07:30" }',
        ),
        ("transports.rate", "none"),
        ("store.backup.keep", "14"),
        ("subscribers.double_opt_in", "true"),
    ],
)
def test_a_default_is_told_as_it_would_be_written(path: str, default: str) -> None:
    assert next(key for key in config_keys.keys("") if key.path == path).default == default


def test_a_default_that_is_told_can_be_written_into_the_file() -> None:
    for key in config_keys.keys(""):
        if key.default not in ("required", "none"):
            assert tomllib.loads(f"x = {key.default}")


def test_every_code_that_can_be_told_is_explained() -> None:
    told = {
        code
        for path in (ROOT / "notifier").rglob("*.py")
        if path.name != "codes.py"
        for code in _CODE.findall(path.read_text("utf-8"))
    }

    assert len(told) > 40
    assert sorted(told - set(CODES)) == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_fits_on_a_page(page: Path) -> None:
    text = page.read_text("utf-8")

    assert len(text.splitlines()) <= MAX_DECISION
    assert "**Context.**" in text
    assert re.search(r"\*\*Chosen", text)
    assert "**What would change our mind.**" in text


def test_the_floors_of_the_decision_are_those_of_the_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    page = (ROOT / "docs/decisions/house-and-floors.md").read_text("utf-8")
    told = [re.findall(r"`(\w+)`", row[1]) for row in re.finditer(r"^\| (`[^|]*) \|", page, re.MULTILINE)]

    assert told == [re.findall(r"\w+", layer) for layer in contract["layers"]]


def test_the_map_names_modules_that_exist_and_no_socket_is_missing() -> None:
    page = (ROOT / "docs/developer-map.md").read_text("utf-8")
    for name in re.findall(r"`([\w/]+\.py)`", page):
        found = [ROOT / name, ROOT / "notifier" / name, *(ROOT / "notifier").glob(f"*/{name}")]
        assert any(path.is_file() for path in found), name
    for socket in (ROOT / "notifier").glob("*/base.py"):
        assert f"`{socket.parent.name}/`" in page


@pytest.mark.slow
def test_the_lines_that_the_readme_shows_of_the_demo_are_told_by_the_demo(demo: Path, tmp_path: Path) -> None:
    arguments = [
        "--from",
        "2014-12-01",
        "--to",
        "2020-12-31",
        "--history",
        str(demo / "data/demo/history.toml"),
    ]
    arguments += ["--subscribers", str(demo / "data/samples/subscribers.csv"), "--out", str(tmp_path / "out")]
    told = CliRunner().invoke(cli, ["--config", str(demo / "config.toml"), "rehearse", *arguments]).stdout
    shown = next(block for block in blocks(ROOT / "README.md") if re.match(r"\d{4}-\d\d-\d\d ", block.text))

    assert {without_size(line) for line in shown.text.splitlines()} <= {
        without_size(line) for line in told.splitlines()
    }


def without_size(line: str) -> str:
    """A line of the story; sizes change with every word of a template."""
    return re.sub(r"\s+\d+ kB", "", line)
