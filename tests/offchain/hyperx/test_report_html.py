"""The page says who won, holds all in one file, and runs nothing that a stranger wrote."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from offchain.hyperx.report.page import headline, session_page, verdict
from offchain.hyperx.report.record import SessionRecord
from tests.offchain.hyperx.report_sample import NOTHING, make_record, rename

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 1234567 * 3 }}"


class Page(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def page(record: SessionRecord) -> Page:
    return Page(session_page(record, b"scores", b"gas").html())


def test_the_page_shows_winner_match_every_table_and_every_event():
    record = make_record()
    text = page(record).text
    assert "ada won among 4 providers: clean, scored 93.0 %." in text
    assert "equals the winner's: both have SHA-256 " + "d" * 64 in text
    for expected in (
        *("noise:0.05", "silent: lost 50 % of its deposit", "90.0-95.0 %", "0.125"),
        *("2,329,764", "11,463,038", "76,250", "no coin is unaccounted for", "Ether at 20 gwei"),
        *record.events,
        *record.settings.values(),
        *(record.session, record.factory, record.collector, "digits", "at most 10 %"),
    ):
        assert expected in text, expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"digest_received": "e" * 64}, "DIFFERS from the winner's"),
        ({"digest_received": None}, "received no dataset"),
        (NOTHING, "No deal: none of 0 providers"),
    ],
)
def test_a_bad_end_is_said_as_plainly(changes, expected):
    record = make_record(**changes)
    assert expected in page(record).text
    assert expected in headline(record) + verdict(record)


def test_a_strangers_texts_are_shown_and_add_no_tag_or_attribute():
    record = rename(make_record(), "ada", EVIL)
    hostile = replace(
        record,
        providers=tuple(replace(p, outcome=EVIL, corruption=EVIL) for p in record.providers),
        story=EVIL,
        dataset=EVIL,
        extractor=EVIL,
        session=EVIL,
        currency=EVIL,
        events=(EVIL, "\x1b[2J\u202e"),
        settings={EVIL: EVIL},
        baselines={EVIL: {EVIL: 0.5}},
        digest_received=EVIL,
    )
    found, usual = page(hostile), page(replace(make_record(), settings={"a": "b"}))
    assert sorted({tag for tag, _ in found.tags}) == sorted({tag for tag, _ in usual.tags})
    assert [tag for tag, _ in found.tags].count("img") == 2
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on")]
    assert EVIL[:60] in found.text
    assert "3703701" not in found.text
    assert "\u202e" not in found.text
    assert "\x1b" not in found.text


def test_the_page_needs_nothing_outside_itself():
    text = session_page(make_record(), b"scores", b"gas").html()
    found = Page(text)
    assert not {tag for tag, _ in found.tags} & {"script", "link", "iframe", "object", "base"}
    sources = [v for _, attrs in found.tags for k, v in attrs.items() if k in ("src", "href")]
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?:|url\(|@import|//", re.sub(r"base64,[^\"]*", "", text))
    policy = next(a["content"] for _, a in found.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
