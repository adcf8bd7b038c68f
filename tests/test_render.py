"""Pages: compiled once, both parts alike, small enough, and errors that name file and line."""

from __future__ import annotations

import html as markup
import re
import shutil
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound
from makers import a_snapshot
from page_makers import (
    LANGUAGES,
    TEMPLATES,
    a_content,
    a_digest,
    calabria,
    essen,
    filled,
    html_of,
    links,
    many,
    seminar,
    shipped,
    stakeholders,
    text_of,
)

from notifier.editions.base import Kind
from notifier.errors import TemplateError
from notifier.events.event import Place, Status
from notifier.mail.encoding import encode
from notifier.mail.inline import inline
from notifier.mail.languages import locale_of
from notifier.mail.page import Hole, Page
from notifier.mail.render import MAX_SIZE, Templates, choose_forms, compile_page, whole
from notifier.mail.sandbox import Folders, frozen, room
from notifier.mail.sentinels import PERSONAL, AskedSentinelError, Sentinels, draw_nonce
from notifier.mail.views import Change, Content

URLS = re.compile(r"(?:https|mailto):[^\s\"<>]+")


def contents_of(language: str) -> list[Content]:
    change = Change(seminar().uid, (("Form", "Polska", "online"),))
    return [
        a_digest(language, changes=(change,), note={"pl": "Słowo z [linkiem](https://region.example/a)."}),
        a_content(stakeholders(), kind=Kind.ANNOUNCEMENT, language=language),
        a_content(calabria(), kind=Kind.REMINDER, language=language),
        a_content(essen(), kind=Kind.ANNOUNCEMENT, language=language),
    ]


def own(tmp_path: Path, **templates: str) -> Templates:
    """The shipped templates under a folder of the organisation's own; names with "/" written as "__"."""
    for name, source in templates.items():
        *folders, stem, suffix = name.split("__")
        file = tmp_path.joinpath(*folders, f"{stem}.{suffix}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    return Templates([tmp_path, TEMPLATES])


def dates_in(words: str, language: str) -> set[str]:
    """`28–29 kwietnia`, `28.–29. April`: days with the full name of a month."""
    months = "|".join(locale_of(language).months["format"]["wide"].values())
    return set(
        re.findall(rf"(?<!\d)\d{{1,2}}\.?(?: ?– ?\d{{1,2}}\.?)? (?:{months})", " ".join(words.split()))
    )


def words_of(html: str) -> str:
    """What a reader of the HTML part sees, on one line."""
    body = re.sub(r"<style.*?</style>|<title>.*?</title>|<!--.*?-->", "", html, flags=re.S)
    body = re.sub(r'<div class="preheader".*?</div>', "", body, flags=re.S)
    return " ".join(markup.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def size(page: Page) -> int:
    return max(len(html_of(page).encode()), encode(page.html).size_bytes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_parts_carry_the_same_dates_and_links(language: str) -> None:
    for content in contents_of(language):
        page = compile_page(content, shipped())
        html, text = html_of(page), text_of(page)
        seen = words_of(html)

        in_html = {markup.unescape(url) for url in re.findall(r'href="([^"]+)"', html)}
        assert in_html == set(URLS.findall(text))
        assert dates_in(seen, language) == dates_in(text, language) != set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_lines_have_at_most_72_columns_and_urls_stand_alone(language: str) -> None:
    for content in contents_of(language):
        for line in text_of(compile_page(content, shipped())).split("\n"):
            assert len(line) <= 72 or URLS.fullmatch(line), line
            assert not URLS.search(line) or URLS.fullmatch(line), line


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_says_why_one_gets_it_how_to_leave_and_who_writes(language: str) -> None:
    for content in contents_of(language):
        page = compile_page(content, shipped())

        wanted = set(PERSONAL) - ({"frequency"} if content.edition.kind != Kind.DIGEST else set())
        for pieces, context in ((page.html, "html"), (page.text, "text")):
            holes = {piece for piece in pieces if isinstance(piece, Hole)}
            assert {hole.name for hole in holes} == wanted
            assert {hole.context for hole in holes} == {context}
            assert "ul. Przykładowa 1, 00-000 Warszawa" in " ".join(filled(pieces).split()).replace(
                "\u00a0", " "
            )
        assert page.language == language
        assert f'<html lang="{language}" dir="ltr">' in html_of(page)


def test_no_stand_in_is_left_in_a_constant() -> None:
    page = compile_page(a_digest(), shipped())

    assert not any("@@" in piece for piece in (*page.html, *page.text) if isinstance(piece, str))


def test_the_same_content_gives_the_same_page() -> None:
    fresh = Templates([TEMPLATES])

    assert compile_page(a_digest(), shipped()) == compile_page(a_digest(), fresh)


def test_a_page_survives_the_store() -> None:
    page = compile_page(a_digest(), shipped())

    assert Page.loads(page.dumps()) == page


def test_a_block_is_compiled_once_for_all_variants_that_show_it_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given the passes of premailer are counted
    passes: list[str] = []
    monkeypatch.setattr("notifier.mail.render.inline", lambda html: (passes.append(html), inline(html))[1])
    templates = Templates([TEMPLATES])
    digest = a_digest()

    # When two variants with the same events in the same languages are compiled
    compile_page(digest, templates)
    few = digest.variant.__class__(digest.variant.languages, digest.variant.uids[:2], "v2")
    compile_page(a_digest(variant=few), templates)

    # Then frame and blocks took one pass each, the second variant its frame alone
    assert len(passes) == 3


def test_the_range_of_days_never_breaks() -> None:
    assert whole("wtorek, 28–29\u00a0kwietnia 2020") == (
        'wtorek, <span class="whole">28–29\u00a0kwietnia</span> 2020'
    )
    assert whole("a <b> & 2") == "a &lt;b&gt; &amp; 2"
    assert 'white-space:nowrap">28–29' in html_of(compile_page(a_digest(), shipped()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_sixty_events_stay_under_the_limit_and_can_be_left_from_the_top(language: str) -> None:
    page = compile_page(a_content(*many(60), language=language), shipped())

    html = html_of(page)
    assert 70_000 < size(page) <= MAX_SIZE
    early = html.index("/u/1001") < html.index("<h1")
    if abs(size(page) - 80_000) > 500:  # stand-ins and the values in their place differ in length
        assert early is (size(page) >= 80_000)
    assert (text_of(page).index("/u/1001") < 400) is early


def test_what_does_not_fit_is_counted_and_linked() -> None:
    page = compile_page(a_content(*many(60), links=links("feed")), shipped(), max_size=40_000)

    html, text = words_of(html_of(page)), text_of(page)
    left_out = int(re.search(r"i jeszcze (\d+)", html)[1])  # type: ignore[index]
    shown = html.count("Spotkanie projektu") + html.count("2. spotkanie") + html.count("Drugie Seminarium")
    assert size(page) <= 40_000
    assert shown - 1 + left_out == 60  # the nearest stands in the sentence at the top as well
    assert f"i jeszcze {left_out}:\nhttps://events.region.example/feed/pl/all.ics" in text


def test_far_events_shrink_first_and_the_nearest_keeps_its_card() -> None:
    sizes = {"card": 40, "row": 30, "line": 10, "": 0}
    near = [True, True, False, False]

    assert choose_forms(near, sizes, 140) == ["card", "card", "row", "row"]
    assert choose_forms(near, sizes, 139) == ["card", "card", "row", "line"]
    assert choose_forms(near, sizes, 99) == ["card", "row", "line", "line"]
    assert choose_forms(near, sizes, 70) == ["card", "line", "line", "line"]
    assert choose_forms(near, sizes, 60) == ["card", "line", "line", ""]
    assert choose_forms(near, sizes, 1) == ["card", "", "", ""]


def test_a_digest_of_one_event_has_its_card_its_button_and_nothing_empty() -> None:
    html = html_of(compile_page(a_content(calabria()), shipped()))

    assert html.count('class="card"') == 1
    assert html.count('class="button"') == 1
    assert "Ostatnio" not in html
    assert "Co się zmieniło" not in html
    assert "Zaproszenia" not in html
    assert 'role="img"' not in html


def test_there_is_one_button_in_a_mail() -> None:
    html = html_of(compile_page(a_content(*many(10)), shipped()))

    assert html.count('class="button"') == 1


def test_fallen_back_parts_carry_lang_and_a_visible_note() -> None:
    page = compile_page(a_digest("de"), shipped())

    html = html_of(page)
    assert re.search(r'<span lang="pl">Drugie Seminarium Tematyczne</span> <span[^>]*>\(auf Polnisch\)', html)
    assert "Drugie Seminarium Tematyczne [PL]" in text_of(page)


def test_states_are_words_in_both_parts() -> None:
    page = compile_page(a_content(calabria(status=Status.CANCELLED), seminar()), shipped())

    assert "Odwołane" in words_of(html_of(page))
    assert "[ODWOŁANE] Spotkanie projektu w Kalabrii" in text_of(page)
    assert "calabria.pl.ics" not in html_of(page)


def test_what_people_wrote_is_escaped() -> None:
    nasty = calabria(
        title={"pl": '<img src=x onerror="a()"> & {{ 7*7 }}'}, place=Place(name={"": "<b>x</b>"})
    )
    page = compile_page(a_content(nasty, note={"pl": "<script>a()</script>"}), shipped())

    html = html_of(page)
    assert "<img" not in html
    assert "<script" not in html
    assert "<b>" not in html
    assert "{{ 7*7 }}" in words_of(html)


@pytest.mark.parametrize(
    ("source", "question"),
    [
        ("{% if address %}x{% endif %}", "tests"),
        ("{{ 'x' if choices == 'a' else 'y' }}", "compares"),
        ("{{ address|length }}", "puts a filter to"),
        ("{{ address|upper }}", "puts a filter to"),
        ("{% for c in choices %}x{% endfor %}", "walks through"),
        ("{{ address is string }}", "puts a test to"),
        ("{{ address[0] }}", "takes a part of"),
        ("{{ 'a' in address }}", "searches in"),
        ("{{ address + 'x' }}", "calculates with"),
        ("{{ [address]|join(',') }}", "puts a filter to"),
    ],
)
def test_a_template_that_asks_a_recipients_value_is_named_with_its_line(
    tmp_path: Path, source: str, question: str
) -> None:
    templates = own(tmp_path, parts__footer__html=f"<p>\n{source}\n</p>")

    with pytest.raises(TemplateError) as caught:
        compile_page(a_digest(), templates)

    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.code) == (str(tmp_path / "parts/footer.html"), 2, "E303")
    assert question in problem.text


def test_a_value_may_be_printed_joined_and_put_into_a_message(tmp_path: Path) -> None:
    templates = own(
        tmp_path,
        parts__footer__html="<p>{{ 'a ' ~ address ~ ' b' }} {{ _('Your choice: {choices}.', choices=choices) }}</p>",
    )

    html = html_of(compile_page(a_digest(), templates))

    assert "a a.kowalska@example.org b Twój wybór: COHES3ION, SMARTY." in html


@pytest.mark.parametrize(
    ("source", "code", "line", "words"),
    [
        ("<p>\n{% if %}</p>", "E301", 2, ""),
        ("<p>\n\n{{ evnt.title }}</p>", "E302", 3, "page.headline"),
        ("<p>{{ page.hedline }}</p>", "E302", 1, "page.headline"),
        ("<p>\n{% include 'parts/nothing.html' %}</p>", "E303", 2, "parts/footer.html"),
        ("<p>\n{{ 7 / 0 }}</p>", "E303", 2, ""),
    ],
)
def test_a_broken_template_names_file_line_and_what_exists(
    tmp_path: Path, source: str, code: str, line: int, words: str
) -> None:
    templates = own(tmp_path, parts__footer__html=source)

    with pytest.raises(TemplateError) as caught:
        compile_page(a_digest(), templates)

    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line, problem.code) == ("footer.html", line, code)
    assert words in problem.fix


def test_a_value_that_inlining_loses_stops_the_page(tmp_path: Path) -> None:
    # Given an attribute that stands twice: HTML keeps the first
    templates = own(
        tmp_path, parts__footer__html='<p title="a" title="{{ address }}">{{ unsubscribe_url }}</p>'
    )

    with pytest.raises(TemplateError) as caught:
        compile_page(a_digest(), templates)

    assert caught.value.problems[0].code == "M201"
    assert "address" in caught.value.problems[0].text


def test_the_organisations_template_wins_and_the_rest_is_ours(tmp_path: Path) -> None:
    templates = own(
        tmp_path, mail__reminder__html="<html><body><p>ours {{ unsubscribe_url }}</p></body></html>"
    )

    reminder = compile_page(a_content(calabria(), kind=Kind.REMINDER), templates)
    announcement = compile_page(a_content(calabria(), kind=Kind.ANNOUNCEMENT), templates)

    assert "ours https" in html_of(reminder)
    assert announcement == compile_page(a_content(calabria(), kind=Kind.ANNOUNCEMENT), shipped())


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ page.__class__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format(page) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ _.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ page.update({'a': 1}) }}",
        "{{ namespace }}",
        "{{ 'a' * 10000000 }}",
        "{{ 10 ** 1000 }}",
        "{{ 'a'|center(10000000) }}",
        "{{ 'a'.center(10) }}",
        "{{ 'a'.replace('', 'b') }}",
        "{{ 'a'|center(10) }}",
        "{{ 'a'|indent(10) }}",
        "{{ page|pprint }}",
        "{{ 'a'|format(1) }}",
        "{% for a in range(999999) %}{% endfor %}",
        "{% include '../../../etc/passwd' %}",
        "{% include '/etc/passwd' %}",
        "{% include page.sender %}",
    ],
)
def test_sandbox_escapes(tmp_path: Path, source: str) -> None:
    templates = own(tmp_path, parts__footer__html=source)

    with pytest.raises(TemplateError):
        compile_page(a_digest(), templates)


def test_output_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    bomb = "{% for a in range(1000) %}{% for b in range(1000) %}xx{% endfor %}{% endfor %}"

    with pytest.raises(TemplateError, match="limit"):
        compile_page(a_digest(), own(tmp_path, parts__footer__html=bomb))


def test_loader_stays_inside(tmp_path: Path) -> None:
    # Given a link out of the folder, and a file beside it
    (tmp_path / "secret.html").write_text("secret")
    inside = tmp_path / "templates"
    (inside / "parts").mkdir(parents=True)
    (inside / "parts" / "link.html").symlink_to(tmp_path / "secret.html")
    (inside / "parts" / "real.html").write_text("real")
    folders = Folders([inside])

    # Then only real files with plain names are found
    assert folders.find("parts/real.html")
    for name in (
        "parts/link.html",
        "../secret.html",
        "parts/../parts/real.html",
        "/etc/passwd",
        "parts\\real.html",
    ):
        assert folders.find(name) is None
        with pytest.raises(TemplateNotFound):
            folders.get_source(room([inside], is_html=True), name)
    assert folders.list_templates() == ["parts/real.html"]


def test_autoescape_by_suffix() -> None:
    html = room([TEMPLATES], is_html=True)
    escapes = html.autoescape
    assert callable(escapes)

    assert [escapes(name) for name in ("a.html", "a.html.j2", "a.xml", None)] == [True] * 4
    assert [escapes(name) for name in ("a.txt", "a.css", "a.txt.j2")] == [False] * 3


def test_only_plain_data_is_frozen() -> None:
    view = frozen({"a": [{"b": 1}], "c": None})

    assert view["a"][0]["b"] == 1
    with pytest.raises(TypeError):
        view["a"] = 2
    with pytest.raises(TypeError, match="Snapshot"):
        frozen({"event": a_snapshot()})


def test_a_nonce_is_drawn_again_when_it_occurs_in_the_content() -> None:
    first = draw_nonce("content")

    assert first == draw_nonce("content")
    assert draw_nonce(f"content {first}") not in f"content {first}"


def test_stand_ins_are_counted_damaged_ones_too() -> None:
    sentinels = Sentinels("0123456789ab", "html")
    whole_one = str(sentinels.one("address"))

    assert sentinels.count(f"{whole_one} {whole_one}") == {whole_one: 2}
    assert (
        sentinels.count(whole_one.upper())[""] == 0
    )  # the nonce itself has changed: it is missing, not damaged
    assert sentinels.count(whole_one.replace(".html", ""))[""] == 1
    assert sentinels.split(f"a{whole_one}b") == ("a", Hole("address", "html"), "b")


def test_a_stand_in_refuses_every_question() -> None:
    one = Sentinels("0123456789ab", "text").one("address")

    for ask in (bool, len, iter, hash, lambda s: s < 1, lambda s: s != 1, lambda s: s * 2, lambda s: s % 2):
        with pytest.raises(AskedSentinelError, match="address"):
            ask(one)


def test_a_translation_of_the_organisations_own_wins(tmp_path: Path) -> None:
    (tmp_path / "locale").mkdir()
    shutil.copy(TEMPLATES / "locale" / "pl.po", tmp_path / "locale" / "pl.po")
    file = tmp_path / "locale" / "pl.po"
    file.write_text(
        file.read_text(encoding="utf-8").replace("Dodaj do kalendarza", "Wpisz"), encoding="utf-8"
    )
    templates = Templates([tmp_path, TEMPLATES])

    content = a_content(calabria(), catalogue=templates.catalogue(("pl",)))

    assert "Wpisz" in words_of(html_of(compile_page(content, templates)))
