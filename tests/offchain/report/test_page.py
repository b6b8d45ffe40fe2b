"""Pages of sections: what is in them is shown, and strangers' texts cannot act."""

from offchain.report.page import Page, Picture, Section
from offchain.report.sheets import Row, Sheet

EVIL = "<script>alert(1)</script>\u202e"


def page(good: bool | None = True) -> str:
    sheet = Sheet("Money", ("party", "coins"), 1, (Row((EVIL, "12"), strong=True),), note=EVIL)
    sections = [
        Section("First", (Picture(b"png", "a picture"),), (sheet,)),
        Section("Second", facts=((EVIL, EVIL),), lines=(EVIL, "a line")),
    ]
    return Page(EVIL, EVIL, "it ended well", good, sections).html()


def test_all_that_a_section_has_is_shown():
    text = page()
    for words in ("First", "Second", "a picture", "cG5n", "coins", "12", "a line", "it ended well"):
        assert words in text
    assert text.index("First") < text.index("Second")


def test_texts_are_escaped_and_nothing_is_loaded_or_run():
    text = page()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")


def test_a_verdict_looks_good_or_bad():
    assert 'class="verdict yes"' in page()
    assert 'class="verdict no"' in page(good=False)
    assert 'class="verdict "' in page(good=None)
