"""Pages: what one variant of an edition says, compiled once into constants and holes.

Jinja -> premailer -> stand-ins counted -> joined -> split. The events of a digest are blocks of their own, compiled once
for all variants that show an event alike; the frame around them is compiled per variant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nh3
from markupsafe import Markup, escape

from notifier.editions.base import Kind
from notifier.errors import Problem, TemplateError
from notifier.events.event import Snapshot
from notifier.mail import event_views, languages, markdown, sandbox, subjects, views, wrapping
from notifier.mail.encoding import encode
from notifier.mail.event_views import CALLED_OFF, Setting
from notifier.mail.inline import inline, minify, with_outlook_twins
from notifier.mail.page import Attachment, Page
from notifier.mail.sentinels import Sentinels, draw_nonce
from notifier.mail.views import Content
from notifier.mail.voice import Voice, shorten

MAX_SIZE = 95_000
#: From this size on the unsubscribe link stands at the top as well: what comes last may be clipped.
LARGE = 80_000
#: Of `<title>`, which programs show in a tab.
LONGEST_TITLE = 70
#: Bytes of one event in each form with its share of headings, before any was compiled: measured on the shipped templates.
USUAL_SIZES = {"card": 3_200, "row": 2_800, "line": 1_020, "": 0}
#: What recipients' own values may take beyond their stand-ins, in bytes.
OF_RECIPIENTS = 500
TEMPLATES = {Kind.DIGEST: "digest", Kind.ANNOUNCEMENT: "announcement", Kind.REMINDER: "reminder"}
_CUT = "<!--cut-->"
#: Where the frame holds what only a large page keeps.
_EARLY = re.compile("<!--early-->.*?<!--/early-->", re.DOTALL)
_RANGE = re.compile("(\\d+\\.?[\u00a0 ]?–[\u00a0 ]?\\d+\\.?(?:\u00a0[^\\W\\d]+)?)")


@dataclass(frozen=True)
class Block:
    """One event in one form, or a month's heading, inlined."""

    html: str
    text: str

    @property
    def size_bytes(self) -> int:
        """Of the HTML as it travels."""
        return encode((self.html,)).size_bytes


@dataclass
class Templates:
    """The organisation's templates over the packaged ones, with what was compiled from them.

    `folders`: the first that has a template wins; each may have a `locale` folder with catalogues.
    """

    folders: Sequence[Path]
    _blocks: dict[str, Block] = field(default_factory=dict, repr=False)
    _catalogues: dict[str, languages.Catalogue] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.html, self.text = (sandbox.room(self.folders, is_html=is_html) for is_html in (True, False))
        self.html.globals["tongue"] = _tongue
        self.html.filters |= {"whole": whole, "checked": _checked}
        self.text.filters |= {"wrap": wrapping.wrap, "underline": wrapping.underline}

    def catalogue(self, reads: Sequence[str]) -> languages.Catalogue:
        """The catalogue of the page for readers of `reads`, best first."""
        language = languages.negotiate(reads, languages.available(self._locales))
        if language not in self._catalogues:
            self._catalogues[language] = languages.catalogue(language, self._locales)
        return self._catalogues[language]

    def block(self, name: str, view: Mapping[str, Any]) -> Block | None:
        """The block if it was compiled before."""
        return self._blocks.get(_block_key(name, view))

    def compile_blocks(self, wanted: Sequence[tuple[str, Mapping[str, Any]]], voice: Voice) -> None:
        """Compile those of (template, data) that are not there yet, all in one pass of premailer."""
        missing = {_block_key(*one): one for one in wanted if _block_key(*one) not in self._blocks}
        if not missing:
            return
        htmls, texts = [], []
        for name, view in missing.values():
            html_values, text_values = (
                _words(voice, is_html=is_html) | dict(view) for is_html in (True, False)
            )
            htmls.append(sandbox.render(self.html, f"parts/{name}.html", html_values))
            texts.append(sandbox.render(self.text, f"parts/{name}.txt", text_values))
        document = f"<html><head><style>{self._css('style.css')}</style></head><body>{_CUT}{_CUT.join(htmls)}{_CUT}</body></html>"
        inlined = inline(document).split(_CUT)[1:-1]
        for key, html, text in zip(missing, inlined, texts, strict=True):
            self._blocks[key] = Block(html.strip(), text.strip("\n"))

    def frame(self, name: str, view: Mapping[str, Any], voice: Voice, sentinels: Sentinels) -> str:
        """One part (that of `sentinels`) of the page around its blocks, with stand-ins.

        Raises:
            TemplateError: also M201, a stand-in that did not survive the inlining.
        """
        page, is_html = sandbox.frozen(view), sentinels.context == "html"
        values = {"page": page, "event": page.get("event", {}), "blocks": sentinels.one("blocks")}
        values |= _words(voice, is_html=is_html) | sentinels.personal()
        if not is_html:
            return sandbox.render(self.text, f"mail/{name}.txt", values)
        values["css"] = Markup(self._css("style.css"))  # noqa: S704 - a style sheet of the templates, not content
        values["kept_css"] = Markup(with_outlook_twins(self._css("kept.css")))  # noqa: S704
        rendered = sandbox.render(self.html, f"mail/{name}.html", values)
        html = inline(rendered)
        _same_sentinels(sentinels, rendered, html, f"mail/{name}.html")
        return html

    @property
    def _locales(self) -> list[Path]:
        return [folder / "locale" for folder in self.folders]

    def _css(self, name: str) -> str:
        source, *_ = sandbox.Folders(self.folders).get_source(self.html, name)
        return minify(source)


def compile_page(
    content: Content,
    templates: Templates,
    *,
    attachments: Sequence[Attachment] = (),
    max_size: int = MAX_SIZE,
) -> Page:
    """The page of one variant. `max_size`: bytes of the HTML part, decoded and encoded, that a digest stays under.

    Raises:
        TemplateError: a template that cannot be read or filled (E301, E302, E303), asks a recipient's value something
            (E303), or loses one (M201); a style sheet that cannot be inlined (M202).
        ContentError: a note or description beyond the limits of Markdown in mails.
    """
    setting = views.setting_of(content)
    if content.edition.kind == Kind.DIGEST:
        view, parts, blocks = _digest(content, setting, templates, max_size)
    else:
        view, blocks = _padded(views.notice(content, setting)), ()
        parts = _Parts.of(TEMPLATES[content.edition.kind], view, setting, templates)
    html, text = parts.joined(blocks)
    return Page(
        edition=content.edition.key,
        kind=content.edition.kind.value,
        newsletter=content.edition.newsletter,
        variant=content.variant.key,
        language=setting.voice.language,
        subject=view["subject"],
        preheader=view["preheader"],
        html=parts.in_html.split(html),
        text=parts.in_text.split(text),
        attachments=tuple(attachments),
        date=content.edition.date,
    )


def whole(text: str) -> Markup:
    """HTML of a text in which "28–29 kwietnia" never breaks."""
    return Markup("").join(
        Markup('<span class="whole">{}</span>').format(part) if number % 2 else escape(part)
        for number, part in enumerate(_RANGE.split(str(text)))
    )


def choose_forms(is_near: Sequence[bool], sizes: Mapping[str, int], budget: int) -> list[str]:
    """The form of each event (card, row, line, or "" for left out) so that all fit into `budget` bytes, far ones first
    made smaller; the nearest keeps its card."""
    forms = ["card" if near or not number else "row" for number, near in enumerate(is_near)]
    total = sum(sizes[form] for form in forms)
    for form, smaller in (("row", "line"), ("card", "row"), ("row", "line"), ("line", "")):
        for number in reversed(range(1, len(forms))):
            if total <= budget:
                return forms
            if forms[number] == form:
                forms[number] = smaller
                total += sizes[smaller] - sizes[form]
    return forms


@dataclass(frozen=True)
class _Parts:
    """The frame of a page in both parts, before its blocks stand in it."""

    template: str
    view: Mapping[str, Any]
    setting: Setting
    templates: Templates
    html: str
    in_html: Sentinels
    in_text: Sentinels

    @classmethod
    def of(cls, template: str, view: Mapping[str, Any], setting: Setting, templates: Templates) -> _Parts:
        nonce = draw_nonce(json.dumps(view, sort_keys=True, ensure_ascii=False))
        in_html, in_text = Sentinels(nonce, "html"), Sentinels(nonce, "text")
        html = templates.frame(template, view, setting.voice, in_html)
        return cls(template, view, setting, templates, html, in_html, in_text)

    def joined(self, blocks: Sequence[Block]) -> tuple[str, str]:
        """HTML and text with the blocks in their place; a large page can be left from its top too."""
        html = self.html.replace(str(self.in_html.one("blocks")), "\n".join(block.html for block in blocks))
        leaves_early = _size(html) >= LARGE
        if not leaves_early:
            html = _EARLY.sub("", html)
        view = dict(self.view) | {"leaves_early": leaves_early}
        text = self.templates.frame(self.template, view, self.setting.voice, self.in_text)
        text = text.replace(str(self.in_text.one("blocks")), "\n\n".join(block.text for block in blocks))
        return html, wrapping.finished(text)


def _digest(
    content: Content, setting: Setting, templates: Templates, max_size: int
) -> tuple[dict[str, Any], _Parts, Sequence[Block]]:
    """A digest's data, its frame, and as much of its events as fits."""
    view = _padded(views.digest(content, setting))
    parts = _Parts.of("digest", view, setting, templates)
    events = sorted(
        content.in_section("events"), key=lambda s: (s.event.span.starts_at, s.event.span.ends_at)
    )
    frame_size = _size(parts.html)
    growth = frame_size / len(
        parts.html.encode()
    )  # what the encoding adds: a tenth to Polish, a quarter to Bulgarian
    room = max_size - frame_size - OF_RECIPIENTS
    while True:
        blocks = _fitting(events, setting, templates, room, growth)
        # The page has one encoding; its blocks were measured each in its best.
        excess = _size(parts.html + "".join(block.html for block in blocks)) + OF_RECIPIENTS - max_size
        if excess <= 0 or len(blocks) < 3:
            return view, parts, blocks
        room -= excess + 200


def _fitting(
    events: Sequence[Snapshot], setting: Setting, templates: Templates, room: int, growth: float
) -> list[Block]:
    """The events as blocks, month by month, in the largest forms that fit into `room` bytes."""
    is_near = [s.event.span.first - setting.today <= views.NEAR for s in events]
    sizes, budget = {form: int(size * growth) for form, size in USUAL_SIZES.items()}, room
    while True:
        forms = choose_forms(is_near, sizes, budget)
        wanted = _wanted(events, forms, setting)
        templates.compile_blocks(wanted, setting.voice)
        blocks = [block for one in wanted if (block := templates.block(*one))]
        size = sum(block.size_bytes for block in blocks)
        if size <= room or not any(forms[1:]):
            return blocks
        # They take more than was thought, long titles for instance: ask for less, in proportion.
        budget = min(budget - 500, int(budget * room / size))


def _wanted(
    events: Sequence[Snapshot], forms: Sequence[str], setting: Setting
) -> list[tuple[str, dict[str, Any]]]:
    """(template, data) of each event that is shown, with headings of months between, and of the line for the rest."""
    makers = {"card": event_views.card, "row": event_views.row, "line": event_views.line}
    wanted: list[tuple[str, dict[str, Any]]] = []
    nearest = next((s for s in events if s.event.status not in CALLED_OFF), None)
    month = ""
    for snapshot, form in zip(events, forms, strict=True):
        if not form:
            continue
        heading = languages.month_heading(
            max(snapshot.event.span.first, setting.today), setting.voice.language
        )
        if heading != month:
            month = heading
            wanted.append(
                ("month", {"heading": heading, "is_after_lines": bool(wanted) and wanted[-1][0] == "line"})
            )
        view = makers[form](snapshot, setting)
        view = event_views.with_button(view, setting) if snapshot is nearest and form == "card" else view
        wanted.append((form, {"event": view}))
    if left_out := forms.count(""):
        url = setting.links.archive(setting.voice.language) or setting.links.feed(setting.voice.language)
        words = setting.voice.count("and {n} more", "and {n} more", left_out)
        wanted.append(("more", {"words": words, "url": url}))
    return wanted


def _padded(view: Mapping[str, Any]) -> dict[str, Any]:
    title = shorten(view["subject"], LONGEST_TITLE)
    return dict(view) | {"padding": subjects.padding(view["preheader"]), "title": title}


def _size(html: str) -> int:
    return max(len(html.encode()), encode((html,)).size_bytes)


def _block_key(name: str, view: Mapping[str, Any]) -> str:
    """Everything that the block says; two variants that are told the same share it."""
    return name + json.dumps(view, sort_keys=True, ensure_ascii=False)


def _words(voice: Voice, *, is_html: bool) -> dict[str, Callable[..., str]]:
    """The catalogue for templates: `_("text {name}", name=…)` and `n_("one", "{n} of them", n)`."""

    def filled(text: str, values: Mapping[str, object]) -> str:
        if not is_html:
            return re.sub(r"\{(\w+)\}", lambda found: str(values[found[1]]), text)
        return Markup(re.sub(r"\{(\w+)\}", lambda found: str(escape(values[found[1]])), str(escape(text))))  # noqa: S704

    def kept(names: Iterable[str]) -> dict[str, str]:
        return {name: f"{{{name}}}" for name in names}

    def text(msgid: str, /, **values: object) -> str:
        return filled(voice.text(msgid, **kept(values)), values)

    def count(singular: str, plural: str, n: int, /, **values: object) -> str:
        return filled(voice.count(singular, plural, n, **kept(values)), values)

    return {"_": text, "n_": count}


def _tongue(part: Mapping[str, str]) -> Markup:
    """The attributes of an element whose text is in another language than the page."""
    lang, direction = part.get("lang", ""), part.get("dir", "")
    told = Markup(' lang="{}"').format(lang) if lang else Markup("")
    return told + (Markup(' dir="{}"').format(direction) if direction else Markup(""))


def _checked(html: str) -> Markup:
    """HTML made from Markdown, sanitised here once more: the one place where templates print markup of content."""
    return Markup(  # noqa: S704 - sanitised in this very expression
        nh3.clean(
            html,
            tags=set(markdown.TAGS),
            attributes={"a": {"href"}},
            url_schemes=set(markdown.SCHEMES),
            link_rel=None,
        )
    )


def _same_sentinels(sentinels: Sentinels, before: str, after: str, name: str) -> None:
    wanted, found = sentinels.count(before), sentinels.count(after)
    if wanted == found and not found[""]:
        return
    lost = ", ".join(sorted({*(wanted - found), *(found - wanted)} - {""})) or "one was altered"
    text = f"recipients' values were lost, doubled or altered: {lost}"
    raise TemplateError(
        Problem(name, 0, 0, "M201", text, "print them as they are, in text or as a whole attribute")
    )
