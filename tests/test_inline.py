"""CSS goes into the elements, the style block survives, and nothing is fetched."""

from __future__ import annotations

import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from notifier.errors import TemplateError
from notifier.mail.inline import MAX_RULES, MAX_STYLE_BYTES, inline, minify, with_outlook_twins

SHEET = (Path(__file__).parents[1] / "templates" / "style.css").read_text(encoding="utf-8")


def a_page(css: str, body: str, kept: str = "") -> str:
    return (
        f"<!DOCTYPE html><html><head><title>t</title><style>{css}</style>"
        f'<style data-premailer="ignore">{kept}</style></head><body>{body}</body></html>'
    )


def test_rules_of_block_a_stand_in_the_elements() -> None:
    html = inline(a_page(".card { color: #102030; }", '<p class="card">x</p>'))

    assert 'style="color:#102030"' in html
    assert ".card {" not in html


def test_important_and_media_survive_in_the_block_that_is_kept() -> None:
    kept = (
        "@media (prefers-color-scheme: dark){.card{color:#ffffff !important}}[data-ogsc] .card{color:#ffffff}"
    )

    html = inline(a_page(".card { color: #102030; }", '<p class="card">x</p>', kept))

    assert kept in html
    assert "data-premailer" not in html


def test_a_selector_that_is_also_a_style_does_not_confuse_the_cache() -> None:
    # premailer answers style="p" with the selector `p` of the run before unless its cache is cleared: a TypeError
    inline(a_page("p { color: #102030; }", "<p>x</p>"))

    with pytest.raises(TemplateError, match="after name found: p"):
        inline(a_page(".a { color: #405060; }", '<p class="a" style="p">x</p>'))


def test_a_style_that_is_a_selector_is_a_finding() -> None:
    with pytest.raises(TemplateError, match="M202"):
        inline(a_page("p { color: #405060; }", '<p style="p">x</p>'))


def test_the_doctype_stays_because_quirks_mode_forgets_colours_in_tables() -> None:
    assert inline(a_page("", "<p>x</p>")).startswith("<!DOCTYPE html>")


def test_width_and_height_attributes_are_not_invented() -> None:
    html = inline(a_page("img { width: 100%; height: 4px; }", '<img src="https://x.example/a" width="600">'))

    assert 'width="600"' in html
    assert "height=" not in html


def test_copied_attributes_stay_on_cells_only() -> None:
    html = inline(
        a_page(
            ".a { background-color: #102030; text-align: center; }",
            '<p class="a">x</p><table><tr><td class="a">y</td></tr></table>',
        )
    )

    assert '<p class="a" style=' in html
    assert html.count("bgcolor=") == 1


def test_data_attributes_are_stripped() -> None:
    assert "data-" not in inline(a_page("", '<p data-note="x" class="a">y</p>'))


def test_a_rule_that_cssutils_does_not_know_is_a_finding_with_its_line() -> None:
    with pytest.raises(TemplateError) as caught:
        inline(a_page("\np { colour: #102030; }", "<p>x</p>"))

    (problem,) = caught.value.problems
    assert (problem.code, problem.line) == ("M202", 2)
    assert "colour" in problem.text


def test_css_size_limit() -> None:
    rules = "".join(f".c{n} {{ color: #102030; }}" for n in range(MAX_RULES + 1))
    body = "".join(f'<p class="c{n}">x</p>' for n in range(MAX_RULES + 1))

    for css, why in ((rules, "rules"), (f"p {{ color: #102030; }}{' ' * MAX_STYLE_BYTES}", "bytes")):
        with pytest.raises(TemplateError, match=why):
            inline(a_page(css, body))


def test_nothing_is_fetched(tmp_path: Path) -> None:
    hits: list[str] = []

    class Canary(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"p { color: #abcdef }")

        def log_message(self, *args: Any) -> None:
            pass

    # Given a style sheet on the network and one on the disk
    file = tmp_path / "canary.css"
    file.write_text("p { color: #fedcba }")
    with socketserver.TCPServer(("127.0.0.1", 0), Canary) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/c.css"

        # When a template links to both
        page = f'<html><head><link rel="stylesheet" href="{url}"><link rel="stylesheet" href="{file}"><style>@import url({url}); p {{ margin: 0; }}</style></head><body><p>x</p></body></html>'
        html = inline(page)
        server.shutdown()

    # Then neither was asked for
    assert hits == []
    assert "abcdef" not in html
    assert "fedcba" not in html
    assert "margin:0" in html


def test_a_sheet_that_is_known_is_applied_alike_and_its_findings_come_again() -> None:
    page = a_page(SHEET, '<td class="part"><h3 class="near">x</h3></td>')
    broken = a_page("p { colour: #102030; }", "<p>x</p>")

    assert inline(page) == inline(page)
    for _ in range(2):
        with pytest.raises(TemplateError, match="colour"):
            inline(broken)


def test_minified_css_says_the_same() -> None:
    css = "/* why */\n.a, .b {\n  color: #102030;\n  margin: 0 1px;\n}\n@media (max-width: 480px) {\n  .a { padding: 0 !important; }\n}\n"

    assert minify(css) == (
        ".a,.b{color:#102030;margin:0 1px}@media (max-width: 480px){.a{padding:0 !important}}"
    )


def test_dark_rules_come_again_for_outlook() -> None:
    css = minify(
        "@media (prefers-color-scheme: dark) { body, .a { color: #ffffff !important; } h1 { color: #eeeeee !important; } }"
    )

    twins = with_outlook_twins(css).removeprefix(css)

    assert twins == ("[data-ogsc] .a{color:#ffffff !important}[data-ogsc] h1{color:#eeeeee !important}")
