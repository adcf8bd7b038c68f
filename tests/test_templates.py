"""The shipped templates and catalogues: nothing hard-coded, nothing untranslated, readable in light and dark."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
import witnesses
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment
from page_makers import (
    LANGUAGES,
    TEMPLATES,
    a_content,
    a_digest,
    calabria,
    essen,
    html_of,
    many,
    seminar,
    shipped,
    stakeholders,
)

from notifier.editions.base import Kind
from notifier.errors import TemplateError
from notifier.events.event import Status
from notifier.mail import languages
from notifier.mail.inline import minify
from notifier.mail.render import Templates, compile_page
from notifier.mail.views import Change

LOCALE = TEMPLATES / "locale"
ROOT = TEMPLATES.parent
KEYWORDS = {"_": None, "text": None, "msgid": None, "count": (1, 2), "n_": (1, 2)}
OF_MAILS = sorted(
    file
    for file in TEMPLATES.rglob("*")
    if file.suffix in (".html", ".txt") and "web" not in file.relative_to(TEMPLATES).parts
)
#: Words that are not words: names of templates, keys of data, parts of tags and of the syntax.
_CODE = re.compile(r"(?:parts|mail)/[a-z]+\.(?:html|txt)|base\.(?:html|txt)|\\u00a0")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def messages() -> set[str]:
    """The msgids that templates, mails and pages ask for."""
    methods = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
    options = {"**.html": {"silent": "false"}, "**.txt": {"silent": "false"}}
    found: set[str] = set()
    for folder in ("notifier/mail", "notifier/web", "templates"):
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, methods, options, keywords=KEYWORDS):
            found.add(message if isinstance(message, str) else message[0])
    return found


def entries(name: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """msgid -> (the English forms, the translated forms) of a catalogue."""
    parsed = read_po(BytesIO((LOCALE / name).read_bytes()))

    def forms(text: object) -> tuple[str, ...]:
        return (text,) if isinstance(text, str) else tuple(text)  # type: ignore[arg-type]

    return {forms(m.id)[0]: (forms(m.id), forms(m.string)) for m in parsed if m.id}


def spoken_literals(source: str) -> Iterator[str]:
    """Text that a template would show as it stands: outside of tags, and string literals outside of `_(…)`."""
    depth, is_message, shown = 0, False, ""
    for _, kind, value in Environment().lex(source):
        if kind == "data":
            shown += value
        elif kind == "name" and value in ("_", "n_"):
            is_message, depth = True, 0
        elif kind == "operator" and is_message and value in "()":
            depth += 1 if value == "(" else -1
            is_message = depth > 0
        elif kind == "string" and not is_message:
            yield _CODE.sub("", value)
    shown = re.sub(r"<!--.*?-->", " ", shown, flags=re.S)
    yield from re.findall(r'(?:aria-label|aria-roledescription|title|alt)="([^"]*)"', shown)
    yield re.sub(r"<[^>]*>|&\w+;", " ", shown)


@pytest.mark.parametrize("file", OF_MAILS, ids=lambda f: f.relative_to(TEMPLATES).as_posix())
def test_no_template_speaks_a_language_of_its_own(file: Path) -> None:
    allowed = {"email", "mailto", "digest", "plain"}  # a role in ARIA, a scheme, a kind

    words = {
        word
        for text in spoken_literals(file.read_text(encoding="utf-8"))
        for word in re.findall(r"[^\W\d_]{2,}", text)
    }

    assert words <= allowed


@pytest.mark.parametrize(
    "source", ["<p>Dodaj</p>", "{{ 'Hello ' ~ x }}", '<a aria-label="Add">x</a>', "{{ _('ok') ~ ' und ' }}"]
)
def test_the_search_for_hard_coded_words_finds_them(source: str) -> None:
    assert any(re.search(r"[^\W\d_]{2,}", text) for text in spoken_literals(source))


def test_the_catalogue_holds_just_what_is_said() -> None:
    assert set(entries("notifier.pot")) == messages()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated_in_every_form_with_its_placeholders(language: str) -> None:
    translated = entries(f"{language}.po")
    forms = {"pl": 3}.get(language, 2)

    assert set(translated) == messages()
    for english, own in translated.values():
        assert all(own), english
        assert len(own) == (forms if len(english) > 1 else 1), english
        wanted = set(_PLACEHOLDER.findall(" ".join(english))) - {"n"}
        for form in own:
            assert set(_PLACEHOLDER.findall(form)) - {"n"} == wanted, english


@pytest.mark.parametrize("language", ["pl", "de", "bg"])
def test_translations_are_not_the_english(language: str) -> None:
    same = {
        english
        for english, own in ((e[0], o[0]) for e, o in entries(f"{language}.po").values())
        if english == own
    }

    assert same <= {"online", "Online:", "Seminar", "Webinar", "Workshop", "Newsletter"}


def test_bulgarian_is_written_in_cyrillic() -> None:
    for english, own in entries("bg.po").values():
        for form in own:
            assert not re.search(r"[A-Za-z]", _PLACEHOLDER.sub("", form)), english


def test_a_placeholder_that_differs_is_found_with_its_line(tmp_path: Path) -> None:
    source = (LOCALE / "pl.po").read_text(encoding="utf-8")
    broken = source.replace('msgstr "Nowe spotkanie: {what}"', 'msgstr "Nowe spotkanie: {co}"')
    assert broken != source
    (tmp_path / "pl.po").write_text(broken, encoding="utf-8")

    with pytest.raises(TemplateError) as caught:
        languages.catalogue("pl", [tmp_path])

    (problem,) = caught.value.problems
    assert problem.code == "E304"
    assert 'msgid "New: {what}"' in "\n".join(broken.split("\n")[problem.line - 2 : problem.line + 1])


@pytest.mark.parametrize("language", ["pl", "de", "bg"])
def test_no_page_asks_for_a_message_that_is_missing(language: str) -> None:
    catalogue = shipped().catalogue((language,))
    for content in (
        a_digest(language),
        a_content(stakeholders(), kind=Kind.ANNOUNCEMENT, language=language),
        a_content(calabria(), kind=Kind.REMINDER, language=language),
    ):
        compile_page(content, shipped())

    assert catalogue.missing == set()


def colours(css: str) -> dict[str, dict[str, str]]:
    """class or element -> property -> #rrggbb, of rules that name one alone."""
    found: dict[str, dict[str, str]] = {}
    for selectors, declarations in re.findall(r"([^{}]+)\{([^{}]*)\}", minify(css)):
        for name, value in re.findall(r"(?<![\w-])((?:background-)?color):(#[0-9a-f]{6})", declarations):
            for selector in selectors.split(","):
                found.setdefault(selector.strip(), {})[name] = value
    return found


def light() -> dict[str, dict[str, str]]:
    return colours((TEMPLATES / "style.css").read_text(encoding="utf-8"))


def dark() -> dict[str, dict[str, str]]:
    kept = minify((TEMPLATES / "kept.css").read_text(encoding="utf-8"))
    inner = re.search(r"@media \(prefers-color-scheme: dark\)\{((?:[^{}]*\{[^{}]*\})*)\}", kept)
    assert inner
    return colours(inner[1])


def contrast(one: str, other: str) -> float:
    """Of WCAG 2: 1 to 21."""

    def luminance(colour: str) -> float:
        channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_colour_has_its_dark_twin() -> None:
    twins = dark()

    missing = {
        (selector, name)
        for selector, declarations in light().items()
        for name in declarations
        if name not in twins.get(selector, {})
    }

    assert missing == set()


@pytest.mark.parametrize("scheme", [light, dark])
def test_text_has_enough_contrast_in_both_schemes(scheme: object) -> None:
    found = scheme()  # type: ignore[operator]
    paper = found[".sheet"]["background-color"]
    #: what stands on another ground than the sheet
    ground = {
        ".before": ".box",
        ".after": ".box",
        ".days": ".leaf",
        ".weekday": ".leaf",
        ".button-in a": ".button-in",
    }
    hidden = {".none", ".preheader"}  # said in words elsewhere

    for selector, declarations in found.items():
        if "color" not in declarations or selector in hidden:
            continue
        behind = declarations.get("background-color") or found.get(ground.get(selector, ""), {}).get(
            "background-color", paper
        )
        assert contrast(declarations["color"], behind) >= 4.5, (selector, declarations["color"], behind)


@pytest.mark.parametrize("scheme", [light, dark])
def test_cells_of_the_strip_differ_from_each_other_and_from_the_paper(scheme: object) -> None:
    found = scheme()  # type: ignore[operator]
    empty = found[".none"]["background-color"]

    for look in (".held", ".moved"):
        assert contrast(found[look]["background-color"], empty) >= 3


def test_block_a_holds_plain_selectors_and_hex_colours_only() -> None:
    css = minify((TEMPLATES / "style.css").read_text(encoding="utf-8"))

    assert not re.search(r"@|\*|:not|:nth|\[|var\(|!important|rgb|hsl", css)
    assert all(
        re.fullmatch(r"[a-z0-9.\- ]+", s) for rule in re.findall(r"([^{}]+)\{", css) for s in rule.split(",")
    )


def test_only_the_reviewed_places_print_markup() -> None:
    marked = {
        (file.name, found)
        for file in OF_MAILS
        for found in re.findall(r"\|\s*(safe|checked)|Markup", file.read_text(encoding="utf-8"))
    }

    assert marked == {("base.html", "checked"), ("full.html", "checked")}


def test_no_text_is_under_12_pixels() -> None:
    css = minify((TEMPLATES / "style.css").read_text(encoding="utf-8"))

    sizes = {int(size) for size in re.findall(r"font-size:(\d+)px", css)}

    assert sizes - {1} == {12, 13, 15, 16, 17, 19, 21, 28}  # 1: lines that hold no text


def test_headings_go_down_one_step_at_a_time() -> None:
    for content in (a_digest(), a_content(stakeholders(), kind=Kind.ANNOUNCEMENT), a_content(*many(60))):
        levels = [int(level) for level in re.findall(r"<h([1-6])", html_of(compile_page(content, shipped())))]

        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_layout_tables_say_that_they_are_none() -> None:
    html = html_of(compile_page(a_digest(), shipped()))

    tables = re.findall(r"<table[^>]*>", re.sub(r"<!--.*?-->", "", html, flags=re.S))
    assert tables
    for table in tables:
        assert 'role="presentation"' in table
        assert 'cellpadding="0"' in table
        assert 'border="0"' in table


def samples() -> dict[str, str]:
    """Every kind in every language, and the odd ones: HTML by name."""
    change = Change(seminar().uid, (("Forma", "na miejscu, Polska", "telekonferencja"),))
    long = calabria(title={"pl": "Gesundheitswirtschaftskonferenzvorbereitungstreffen " * 3})
    contents = {
        f"{kind}.{language}": content
        for language in LANGUAGES
        for kind, content in (
            (
                "digest",
                a_digest(language, changes=(change,), note={"pl": "Słowo. [Link](https://region.example)"}),
            ),
            ("announcement", a_content(stakeholders(), kind=Kind.ANNOUNCEMENT, language=language)),
            ("reminder", a_content(calabria(), kind=Kind.REMINDER, language=language)),
        )
    }
    contents["odd"] = a_content(
        long,
        stakeholders(status=Status.CANCELLED),
        seminar(status=Status.POSTPONED),
        sections={"recent": [essen()]},
    )
    contents["many"] = a_content(*many(16))
    return {name: html_of(compile_page(content, shipped())) for name, content in contents.items()}


AXE = """
import {createRequire} from 'module'; import {resolve} from 'path';
const require = createRequire(process.env.NODE_MODULES + '/x.js');
const {chromium} = require('playwright-core'), axe = require.resolve('axe-core/axe.min.js');
const b = await chromium.launch({executablePath: process.env.CHROMIUM, args: ['--no-sandbox']}), p = await b.newPage();
let bad = 0;
for (const f of process.argv.slice(2)) {
  const bare = f.endsWith('.bare.html');
  await p.goto('file://' + resolve(f)); await p.addScriptTag({path: axe});
  for (const colorScheme of bare ? ['light'] : ['light', 'dark']) for (const width of [320, 375, 600]) {
    await p.emulateMedia({colorScheme}); await p.setViewportSize({width, height: 900});
    // without its style block a page is looked at for width alone: its words and tags are those of the whole page
    const r = bare ? {violations: []} : await p.evaluate(() => axe.run(document, {resultTypes: ['violations'], rules: {region: {enabled: false}, 'landmark-one-main': {enabled: false}}}));
    const w = await p.evaluate(() => document.documentElement.scrollWidth);
    bad += r.violations.length + (w > width);
    for (const v of r.violations) console.log(f, colorScheme, width, v.id, v.nodes[0].html);
    if (w > width) console.log(f, colorScheme, width, 'scrolls', w);
  }
}
await b.close(); process.exit(bad ? 1 : 0);
"""
HTML_RULES = {
    "root": True,
    "extends": ["html-validate:recommended"],
    "rules": dict.fromkeys(
        (
            "no-inline-style",
            "void-style",
            "no-deprecated-attr",
            "prefer-native-element",
            "no-conditional-comment",
            "prefer-tbody",
        ),
        "off",
    ),
}


def written(folder: Path) -> list[str]:
    for name, html in samples().items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
        (folder / f"{name}.bare.html").write_text(
            re.sub(r"<style.*?</style>", "", html, flags=re.S), encoding="utf-8"
        )
    return sorted(str(file) for file in folder.glob("*.html"))


@pytest.mark.slow
@pytest.mark.browser
def test_axe_finds_nothing_and_nothing_scrolls_sideways(tmp_path: Path) -> None:
    modules = witnesses.node_modules()
    chromium = shutil.which("chromium") or pytest.skip("chromium is not installed")
    (tmp_path / "axe.mjs").write_text(AXE)
    environment = os.environ | {"NODE_MODULES": str(modules), "CHROMIUM": chromium}

    done = subprocess.run(
        ["node", str(tmp_path / "axe.mjs"), *written(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.browser
def test_the_html_is_valid(tmp_path: Path) -> None:
    modules = witnesses.node_modules()
    (tmp_path / "rules.json").write_text(json.dumps(HTML_RULES))
    files = [file for file in written(tmp_path) if not file.endswith(".bare.html")]

    done = subprocess.run(
        [str(modules / ".bin" / "html-validate"), "-c", str(tmp_path / "rules.json"), *files],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.returncode, done.stdout.strip()) == (0, "")


def test_a_broken_template_is_shown_with_its_line_and_the_one_above(tmp_path):
    (tmp_path / "mail").mkdir()
    broken = tmp_path / "mail/reminder.html"
    broken.write_text('{% extends "base.html" %}\n{% block main %}\n  {{ page.nonsense }}\n{% endblock %}\n')
    with pytest.raises(TemplateError) as refused:
        compile_page(a_content(calabria(), kind=Kind.REMINDER), Templates([tmp_path, TEMPLATES]))
    problem = refused.value.problems[0]
    assert (problem.file, problem.line, problem.column) == (str(broken), 3, 3)
    assert (problem.before, problem.source.strip()) == ("{% block main %}", "{{ page.nonsense }}")
