"""The page of columns as text; what it does in a browser is tested where pages are made."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode

from mochi_rules.ui.columns import HUES, Block, Column, Row, render_columns

PAGE = [
    Column("Left", (Block("one", (Row("a", "1", 1, 5), Row("b", "2"))),)),
    Column("Right", (Block("two", (Row("c", "", 13, 0),), is_open=False),)),
]


def test_rows_carry_their_groups_and_parts() -> None:
    """A row says to which group and part it belongs, and one that belongs nowhere says nothing."""
    page = "".join(render_columns("t", PAGE))

    assert '<li data-g="1" class="h1" data-p="5"><b>1</b>a</li>\n' in page
    assert "<li><b>2</b>b</li>\n" in page
    assert '<li data-g="13" class="h1"><b></b>c</li>\n' in page


def test_blocks_start_open_or_closed() -> None:
    """A block that shall be closed has its heading only."""
    page = "".join(render_columns("t", PAGE))

    assert "<details open><summary>one</summary>" in page
    assert "<details><summary>two</summary>" in page


def test_style_has_every_hue() -> None:
    """Each hue of a row is in the style."""
    page = "".join(render_columns("t", PAGE))

    assert set(re.findall(r"\.h(\d+) \{", page)) == {str(hue) for hue in range(HUES)}


def test_foreign_text_is_text() -> None:
    """Markup, quotes and control characters of names stay what they are: characters."""
    evil = "</li><script>alert('x')</script>\x00\x1b\x7f\x9f\ud800&\""
    columns = [Column(evil, (Block(evil, (Row(evil, evil),)),))]
    page = "".join(render_columns(evil, columns))

    assert page.count("<script>") == 1
    assert page.count("&lt;script&gt;alert(&#x27;x&#x27;)") == 7
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", page)
    page.encode()


def test_only_our_script_and_style_may_run() -> None:
    """The page allows by their digests what is in it, and nothing else."""
    page = "".join(render_columns("t", PAGE))
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    [style], [script] = (
        re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL) for tag in ("style", "script")
    )
    digests = [
        b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in (style, script)
    ]

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'"
    )


def test_page_asks_for_nothing() -> None:
    """No address is in the page: it is whole in itself."""
    page = "".join(render_columns("t", PAGE))

    assert not re.search(r"https?:|src=|href=|url\(|@import|\bimport\b|fetch\(", page)


def test_same_input_same_page() -> None:
    """The same columns give the same bytes."""
    assert list(render_columns("t", PAGE)) == list(render_columns("t", list(PAGE)))
