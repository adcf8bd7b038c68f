"""What every code means, with an example and its cure: the texts of `notifier explain CODE`."""

from __future__ import annotations

_CONTENT = {
    "E001": (
        "a line that YAML cannot read",
        "A value with a colon and a space, or one that begins with @ % & * ! | > ` [ { or a quote, needs quotes.\n"
        'Wrong:  title: Seminar: day two\nRight:  title: "Seminar: day two"\n'
        "Indent with spaces, never with tabs; close every bracket and quote in the line that opens it.",
    ),
    "E002": (
        "unknown field",
        "The name is not one of the fields of this file; most often a letter is wrong.\n"
        "Wrong:  tittle: Seminar\nRight:  title: Seminar\n"
        "In a map of languages a comma inside a text cuts it in two; put the text into quotes.",
    ),
    "E003": (
        "a field is missing",
        "Every event needs `uid`, `title` and `when` (or `sessions` that all have one). Paste the line shown below the\n"
        "opening `---`. `notifier check --fix` writes a missing uid.",
    ),
    "E004": (
        "the title is empty",
        "Write what the meeting is called.\nExample:  title: Study visit in Essen",
    ),
    "E005": (
        "YAML that is not used here",
        "Anchors (&a), aliases (*a), tags (!x), a second document and more than four levels of nesting are refused:\n"
        "a file of one event does not need them, and they can hide what is meant. Write the value out.",
    ),
    "E006": (
        "the same thing twice",
        "A field stands twice, or in a file and in its translation, or `start` stands beside `when`. Only one can be\n"
        "meant: remove the other line.",
    ),
    "E007": (
        "not UTF-8",
        "The file was saved in an old encoding, or holds a control character. `notifier check --fix` converts it; so\n"
        "does:  iconv -f CP1250 -t UTF-8 FILE > NEW\nThen set your editor to UTF-8.",
    ),
    "E008": (
        "a `---` line is missing",
        "The fields stand between two lines that hold only `---`; the text for readers follows the second one.",
    ),
    "E009": (
        "the wrong kind of value",
        "A list stands in brackets, a map in braces, a number in digits.\n"
        "Wrong:  topics: sme\nRight:  topics: [sme]\n"
        "Wrong:  online: MS Teams\nRight:  online: {platform: MS Teams}\n"
        "It is also told for a text that is too long and a file name that cannot be part of a link.",
    ),
    "E010": (
        "not a date",
        "Write year-month-day; hours behind a space; `..` between two days, `-` between two hours of one day.\n"
        "Examples:  2020-09-08   2020-04-28..2020-04-29   2020-09-08 10:00-13:30\n"
        "           2020-09-08 10:00 .. 2020-09-09 14:00   2020-11 (a tentative meeting only)\n"
        "Hours on several days: give each day its own entry in `sessions`.",
    ),
    "E011": (
        "not one of the words that may stand here",
        "`status`, `format`, `type`, `visibility`, `notify` and `show` take one of a few words; the message lists them.\n"
        "Wrong:  status: canceled\nRight:  status: cancelled",
    ),
    "E012": (
        "it ends before it starts",
        "Wrong:  when: 2020-09-09..2020-09-08\nRight:  when: 2020-09-08..2020-09-09\n"
        "A meeting past midnight:  when: 2020-09-08 22:00 .. 2020-09-09 01:00",
    ),
    "E013": (
        "an hour that does not exist, or comes twice",
        "On the night the clock goes forward an hour is left out; on the night it goes back one comes twice. Choose one\n"
        "of the lines shown.\nExample:  when: 2020-10-25 02:30+02:00 (the first) or 2020-10-25 02:30+01:00 (the second)",
    ),
    "E014": (
        "unknown time zone",
        "Write an IANA name of a place, not an abbreviation.\nWrong:  timezone: CET\nRight:  timezone: Europe/Warsaw",
    ),
    "E015": (
        "a date that can be read in two ways",
        "09/08/2020 is 9 August for some and 8 September for others. Choose one of the lines shown.",
    ),
    "E016": (
        "an offset where local time is meant",
        "Write the time that the clock at the place will show, and the place's zone. Summer time is then right by itself.\n"
        "Wrong:  when: 2020-09-08T10:00+02:00\nRight:  when: 2020-09-08 10:00   and   timezone: Europe/Warsaw",
    ),
    "E017": (
        "the first day does not match `repeat`",
        "`when` is the first occurrence. `repeat: weekly on Tue` needs a Tuesday in `when`.",
    ),
    "E018": (
        "`repeat` is not understood",
        "Write one of the known patterns, for instance `weekly on Tue until 2021-06-30` or `monthly on the 2nd Tue`.\n"
        "A version that does not read recurrence says so: write one file for each date then.",
    ),
    "E019": (
        "Outlook would skip this rule",
        "Some rules that calendars allow are not shown by Outlook. Split the rule as the message shows.",
    ),
    "E020": (
        "something unknown is named",
        "A project, series, topic, region or event that does not exist. Projects and series are files in data/projects\n"
        "and data/series; topics and regions are keys of [subscribers] in config.toml; an event is a file name without .md.",
    ),
    "E021": (
        "a file is missing",
        "`file` is a path under data/attachments. Put the file there, or write a `link`.",
    ),
    "E022": (
        "a file is too large",
        "Attachments may have 25 MB, an event file 512 kB, its front matter 64 kB. Put large files on the web and write\n"
        "a `link` to them.",
    ),
    "E023": (
        "not a web link",
        "Links begin with https:// or http://; in a text also mailto: and tel:.\n"
        "Wrong:  link: www.example.org\nRight:  link: https://www.example.org",
    ),
    "E024": (
        "a path leaves the data folder",
        "`..`, absolute paths and links out of data/attachments are refused, so that nothing else of this machine is sent.",
    ),
    "E030": (
        "the same uid, or the same file name, twice",
        "Every event has its own uid, for calendars would take two with one uid for one meeting. A copied file keeps the\n"
        "uid of its original: paste the line shown into the copy. A file name must be unique in all years, too.",
    ),
    "E031": (
        "not a field of a translation",
        "SLUG.LANG.md holds title, summary, change_note, translated_from and the text. Everything else is the same in all\n"
        "languages and stands in the original.",
    ),
    "E040": (
        "a published event was removed",
        "People have it in their calendars. Restore the file and write `status: cancelled`, or run\n"
        "`notifier events cancel SLUG`: those who were told are then told that it does not take place.",
    ),
    "E041": (
        "the uid of a published event changed",
        "Calendars would keep the old entry beside the new one. Write the old uid again; the message shows it.",
    ),
}

_CONFIG = {
    "E200": (
        "config.toml is not TOML",
        'Texts stand in quotes, lists in brackets, sections in [brackets].\nExample:  sender = "events@region.example"',
    ),
    "E201": (
        "a secret stands in the file",
        "Passwords and keys do not belong into config.toml, which is copied and shared. Write `credential:NAME` and put the\n"
        "secret where the message says, for instance /etc/notifier/credentials/NAME with mode 0600.",
    ),
    "E202": (
        "unknown key",
        "The key is not known in this section; most often a letter is wrong. The nearest one is shown.",
    ),
    "E203": (
        "a key is missing",
        "[organisation] needs name, sender and postal_address: every mail carries them.",
    ),
    "E204": (
        "a wrong value",
        'Durations are written "15m", "4h" or "7d", sizes "95kB", rates "10/s", zones "Europe/Warsaw".',
    ),
    "E205": (
        "a credential was not found",
        "`credential:NAME` is read from $CREDENTIALS_DIRECTORY/NAME, NOTIFIER_NAME_FILE, NOTIFIER_NAME, then\n"
        "/etc/notifier/credentials/NAME. None of them is there.",
    ),
    "E206": (
        "a credential can be read by others",
        "Others on this machine could read it. Run `chmod 600` on the file, as shown.",
    ),
    "E207": (
        "made for a newer version",
        "`config_version` is higher than this program knows. Upgrade the program, or take the older config.toml.",
    ),
    "E301": (
        "a template cannot be read",
        "The template's syntax is broken at the line shown: most often `{% %}` or `{{ }}` is not closed.",
    ),
    "E302": (
        "unknown name in a template",
        "The template uses a name that does not exist there. The message lists the names that do.",
    ),
    "E303": ("a block is missing", "A template of a kind must define the block that the message names."),
    "E304": (
        "a translation lost its placeholder",
        "Every %(name)s of the original must stand in the translation, with the same name:\n"
        "the program puts a date, a title or a number there.",
    ),
}

_IMPORT = {
    "E401": (
        "a cell is not a date",
        "Write year-month-day, or make the cell a real date in the spreadsheet.",
    ),
    "E402": (
        "a column of dates can be read in two ways",
        "Every date of the column makes sense day-first and month-first. Say once which it is; it is remembered in\n"
        "data/import.toml.",
    ),
    "E403": (
        "a required column is missing",
        "The header names no column for it. Add the column, or map another one to it.",
    ),
    "E404": (
        "a row says the same as another",
        "The same person or meeting stands in the file twice. Remove one of the two rows.",
    ),
    "E405": (
        "a file cannot be read",
        "It is damaged, of another type than its name says, or over the limit shown.",
    ),
    "E406": (
        "a calendar component was refused",
        "The rest of the file was read. The message names the line and the reason.",
    ),
    "E407": (
        "structured data of a page is broken",
        "The JSON-LD of the page cannot be read; the rest of the page was.",
    ),
    "E408": (
        "not a mail address",
        "An address has a name, an @ and a domain that can exist.\nExample:  office@example.org",
    ),
}

_WARNINGS = {
    "W101": (
        "a translation is missing",
        "The organisation also speaks this language, and its readers would see the text in another one, with a mark.\n"
        "`notifier events translate SLUG LANG` makes the file to fill in.",
    ),
    "W102": (
        "a translation is older than its original",
        "The original changed after it was translated. `notifier events translate SLUG LANG` shows what changed; the new\n"
        "`translated_from` line says that the translation was looked over.",
    ),
    "W103": (
        "a weekday does not match its date",
        "The text says another weekday than the calendar. One of both is wrong.",
    ),
    "W104": (
        "the date is already past",
        "A new meeting in the past is announced to nobody. Is the year right?",
    ),
    "W105": ("a public holiday there", "Offices are closed at the place of the meeting. Is the day right?"),
    "W106": (
        "same day as another meeting of the project",
        "The same people may be asked to be in two places. Nothing is wrong if both are meant.",
    ),
    "W107": (
        "a private address or phone",
        "Mails and pages are public. Name an office: a role address such as office@example.org, and its phone.",
    ),
    "W108": (
        "the mail would be clipped",
        "Gmail cuts messages over 102 kB and hides the rest, the way to unsubscribe included. Shorten texts, or lower\n"
        "`[editions.digest] window`.",
    ),
    "W109": (
        "a link does not answer",
        "The address gave an error when it was tried. Look whether the page has moved.",
    ),
    "W110": (
        "an image without words",
        "Those who do not see it, or whose mail program hides images, read the words instead.\n"
        "Example:  ![The town hall of Essen](https://…)",
    ),
    "W111": (
        "the format was assumed",
        "The file does not say whether people meet in a room or online. Write `format: in-person`, `online` or `hybrid`.",
    ),
    "W112": (
        "the title is long for a subject",
        "Phones show some 40 characters of a subject. Put the important words first.",
    ),
    "W113": (
        "the meeting link is public",
        "With `show: public` the link stands on the page and in the public feed, where anybody and every robot finds it.\n"
        "`show: subscribers` puts it into mails only, a day before the start.",
    ),
    "W114": (
        "registration closes after the start",
        "Nobody can register for a meeting that is under way. Write the last day before it.",
    ),
    "W120": (
        "no event found here",
        "The page was read, and nothing on it looks like a meeting with a date. That is no error.",
    ),
    "W201": (
        "an old key",
        "The key still works, and is gone in the next version. Write the new one, as shown.",
    ),
    "W202": (
        "a key without effect",
        "The key is known and its value is sound, but nothing in this version acts on it. Take it out, so that nobody\n"
        "relies on a limit or a report that is not there; docs/reference/config.md marks all such keys.",
    ),
}

_MAILS = {
    "M101": (
        "a header is missing, twice, or breaks its rule",
        "Programs that sort and judge mail read the headers. Most come from the program; From, Reply-To and the name of the\n"
        "newsletter come from [organisation] and [[newsletter]] in config.toml. Answers must reach a box that somebody reads.",
    ),
    "M102": (
        "a structured header is not plain ASCII",
        "Mail providers ignore links and ids in encoded-words. Write web addresses with percent-encoding and domains in\n"
        "their xn-- form.",
    ),
    "M103": (
        "From and the signing domain differ",
        "A signature of another domain proves nothing about the sender, and large providers refuse such mail. Sign with a\n"
        "key of the domain in [organisation] sender, or of the domain above it.",
    ),
    "M104": (
        "the subject is long, shouts, or ages",
        "Phones show some 40 characters; over 110 it is refused. Subjects are read late, so they say dates and never\n"
        '"tomorrow" or "in 3 days"; all capitals are what filters look for.\n'
        "Put the important words of the title first.",
    ),
    "M105": (
        "the preheader is missing or says nothing new",
        "Lists show 40 to 100 characters behind the subject. They come from places, dates and organisers of the events:\n"
        "fill these in, or change subjects and preheaders in your catalogue.",
    ),
    "M201": (
        "a recipient's value was lost on the way",
        "What stands for the address or the unsubscribe link is in the template and no more in the finished page, or twice.\n"
        "Print it as {{ address }} in text or in an attribute, not inside a style or a comment.",
    ),
    "M202": (
        "a style sheet would be lost",
        "style.css is written into the elements: plain selectors, hex colours, no var(), no @. kept.css stays as it is: each\n"
        'value in @media ends in !important, and base.html keeps <style data-premailer="ignore">.',
    ),
    "M203": (
        "some mail programs do not show this",
        "Outlook on Windows and Gmail's applications ignore positions, flexible boxes, shadows and the like. The mail must\n"
        "read well without; tables lay out everywhere.",
    ),
    "M204": (
        "something active, or a link of the wrong sort",
        "Scripts, forms and event attributes are thrown away by mail programs and raise suspicion. Links begin with\n"
        "https:, mailto: or webcal:.\nWrong:  http://www.example.org   Right:  https://www.example.org",
    ),
    "M205": (
        "a picture without words or size",
        'Give every picture alt, width and height, and alt="" where it only decorates. Pictures inside the address (data:)\n'
        "are not shown by most programs; link to them by https.",
    ),
    "M206": (
        "the mail cannot be followed by ear",
        'One <h1>, then <h2> and <h3> without gaps; layout tables carry role="presentation"; ids are unique; each link says\n'
        "where it leads: two that sound alike lead to the same place.\n"
        "In an event's text:  [Programme of the first day](https://…) and [of the second](https://…), not [here] twice.",
    ),
    "M207": (
        "wider than a phone",
        "Some programs drop the style block, so the mail must fit 320 px without it: width:100% with max-width instead of\n"
        "width, and no long text with white-space: nowrap.",
    ),
    "M301": (
        "text and HTML say different things",
        "Some read one part, some the other. Each event, date and link stands in both templates of a kind (.html, .txt).",
    ),
    "M302": (
        "a line of the plain text is too long",
        "Lines have at most 72 columns, so that they stay whole when quoted; only links may be longer, alone on their line.\n"
        "In a template:  {{ text|wrap }}",
    ),
    "M303": (
        "a language is wrong or not marked",
        "Screen readers choose the voice by `lang`. The page carries it twice, and a text that fell back to another language\n"
        "carries its own:  {{ told(event.title) }}",
    ),
    "M304": (
        "a text of the program is not translated",
        "Readers of this language would see it in English. Translate the msgid in templates/locale/LANG.po; a file of your\n"
        "own in the templates folder wins over the one that comes with the program.",
    ),
    "M305": (
        "a weekday does not match its date",
        "The note or a text says another weekday than the calendar has. People come on the wrong day: correct one of both.",
    ),
    "M401": (
        "the calendar file and its label differ",
        "What the mail says of the file (method=…) must be what the file says (METHOD:…), and an invitation is for one\n"
        "meeting. Digests link to calendar files and carry none.",
    ),
    "M402": (
        "a calendar file fails its own check",
        "Calendar programs would drop the entry, move it by an hour, or show it twice. The message names the line; most\n"
        "often a date, a zone or a control character in the event file is the cause.",
    ),
    "M501": (
        "the mail is too large",
        "Gmail hides what is beyond 102 kB, the way to unsubscribe included. Shorten texts, or lower\n"
        "[editions.digest] window or max_size: events far away are then told in one line.",
    ),
    "M502": (
        "bytes that do not travel safely",
        "Control characters, single CR or LF, bytes beyond ASCII and long lines are changed by servers on the way, and\n"
        "signatures break. Look for characters pasted from other programs and delete them.",
    ),
    "M601": (
        "something the law asks for is missing",
        "Every mail says how to leave, why one gets it, and the sender's postal address, in both parts.\n"
        'Example:  [organisation] postal_address = "ul. Przykładowa 1, 00-000 Warszawa"',
    ),
    "M602": (
        "a link leads to a stranger",
        "Links lead to us, to the addresses in the event's own fields (link, registration, materials, organiser, project), or\n"
        "to hosts that the organisation trusts. If the link is right, add its host:\n"
        'Example:  [mail] link_hosts = ["interregeurope.eu"]',
    ),
    "M603": (
        "a colour that cannot be read",
        "Text needs a contrast of 4.5:1 by day and by night. Whatever sets a colour in style.css has a rule in the dark part\n"
        "of kept.css, with !important.",
    ),
}

CODES: dict[str, tuple[str, str]] = {**_CONTENT, **_CONFIG, **_IMPORT, **_WARNINGS, **_MAILS}
"""Code -> (what it says in a few words, what to do about it)."""
