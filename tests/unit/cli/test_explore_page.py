"""The page of a program, in a real browser: what a click, a key and a theme do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mochi_rules.cli.explore_page import explore_page
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.elf.listing.listing import read_listing
from mochi_rules.wasm.reader.sections import custom_section, find_sections

from .browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

SOURCE = """fun fib(n: int): int {
  if n < 2 {
    return n
  }
  return fib(n - 1) + fib(n - 2)
}
print(fib(20))
"""
SECTIONS = [f"section:nth-of-type({number})" for number in (1, 2, 3)]
FIFTH = f"{SECTIONS[0]} li:nth-child(5)"


def make(source: str) -> str:
    """Return the page of a program in which each function keeps its own code."""
    import wasmtime

    request = CompileRequest("t.mochi", {"t.mochi": source}, debug_info=True, optimize=0)
    wasm = compile_program(request).wasm
    artifact = wasmtime.Module(wasmtime.Engine(), wasm).serialize()
    listing = read_listing(bytes(artifact), "t.cwasm", wasm)
    return "".join(explore_page("t.mochi", listing, wasm, {"t.mochi": source.splitlines()}))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser for all tests."""
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a page."""
    path = tmp_path_factory.mktemp("page") / "t.html"
    path.write_text(make(SOURCE), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    """Return the browser with the page just opened."""
    browser.open(page)
    return browser


def texts(browser: Browser, section: int, mark: str) -> list[str]:
    """Return the rows of a column that have a mark, without their labels."""
    return browser.run(
        f"[...document.querySelectorAll('{SECTIONS[section]} li.{mark}')]"
        ".map((row) => row.childNodes[1].textContent.trim())"
    )


def focused(browser: Browser) -> tuple[int, str]:
    """Return the column and the text of the row that has the focus."""
    return tuple(
        browser.run(
            "[[...document.querySelectorAll('section')].indexOf("
            "document.activeElement.closest('section')), document.activeElement.innerText]"
        )
    )


def test_page_opens_without_a_word(opened) -> None:
    """Nothing fails, nothing is logged, and nothing but the file is asked for."""
    bad = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    asked = [e for e in opened.events if e["method"] == "Network.requestWillBeSent"]

    assert [e for e in opened.events if e["method"] in bad] == []
    assert [e["params"]["request"]["url"].rpartition("/")[2] for e in asked] == ["t.html"]


def test_click_on_a_line_marks_where_it_went(opened) -> None:
    """The line, its WebAssembly and its machine code are marked: no row too many, none missing."""
    opened.click(FIFTH)
    group = opened.run(f"document.querySelector('{FIFTH}').dataset.g")
    wanted = opened.run(f"document.querySelectorAll('li[data-g=\"{group}\"]').length")

    assert texts(opened, 0, "kept") == ["return fib(n - 1) + fib(n - 2)"]
    assert texts(opened, 1, "kept").count("call $fib") == 2
    assert sum(text.endswith("<fib>") for text in texts(opened, 2, "kept")) == 2
    assert sum(len(texts(opened, column, "kept")) for column in range(3)) == wanted
    assert "i64.const 20" not in texts(opened, 1, "kept")


def test_click_shows_the_other_columns_rows(opened) -> None:
    """The first rows of kin are scrolled into sight."""
    opened.click(FIFTH)
    seen = opened.run(
        "[...document.querySelectorAll('section')].map((section) => {"
        " const box = section.querySelector('li.kept').getBoundingClientRect();"
        " return box.top > 0 && box.bottom <= innerHeight; })"
    )

    assert seen == [True, True, True]


def test_click_on_an_instruction_marks_its_own_code_most(opened) -> None:
    """Of the rows of its line, those that were made of the instruction itself stand out."""
    found = opened.run(
        "(() => { const rows = [...document.querySelectorAll('section:nth-of-type(2) li')];"
        " const row = rows.findLast((row) => row.innerText.endsWith('call $fib'));"
        " row.id = 'call'; return row.dataset.p; })()"
    )
    opened.click("#call")

    assert texts(opened, 0, "kept") == ["return fib(n - 1) + fib(n - 2)"]
    assert texts(opened, 1, "kept-part") == ["call $fib"]
    code = texts(opened, 2, "kept-part")
    assert any(text.endswith("<fib>") for text in code)
    assert set(opened.run(
        "[...document.querySelectorAll('li.kept-part')].map((row) => row.dataset.p)"
    )) == {found}  # fmt: skip
    colors = opened.run(
        "['kept', 'kept-part'].map((name) => getComputedStyle([...document.querySelectorAll("
        "'section:nth-of-type(2) li.' + name)].at(name === 'kept' ? 0 : -1)).backgroundColor)"
    )
    assert colors[0] != colors[1]


def test_pointing_marks_until_the_mouse_goes_on(opened) -> None:
    """What the mouse is over is marked with its kin, and no longer."""
    opened.hover(FIFTH)
    assert texts(opened, 0, "near") == ["return fib(n - 1) + fib(n - 2)"]
    opened.hover(f"{SECTIONS[0]} li:nth-child(2)")
    assert texts(opened, 0, "near") == ["if n < 2 {"]
    opened.hover("header h1")

    assert texts(opened, 0, "near") == []


def test_escape_lets_go(opened) -> None:
    """After Escape nothing is kept."""
    opened.click(FIFTH)
    opened.press("Escape")

    assert [texts(opened, column, "kept") for column in range(3)] == [[], [], []]
    assert opened.run("document.querySelectorAll('[aria-current]').length") == 0


def test_keyboard_does_what_the_mouse_does(opened) -> None:
    """Tab goes to the rows, arrows go from row to row and to kin in other columns, Enter keeps."""
    opened.run("document.querySelector('section summary').focus()")
    opened.press("Tab")
    assert focused(opened) == (0, "1fun fib(n: int): int {")
    for _ in range(4):
        opened.press("ArrowDown")
    opened.press("Enter")
    assert texts(opened, 1, "kept").count("call $fib") == 2
    opened.press("ArrowRight")
    column, text = focused(opened)
    assert (column, text.endswith("i64.const 1")) == (1, True)
    opened.press("ArrowRight")
    assert focused(opened)[0] == 2
    opened.press("ArrowLeft")
    opened.press("ArrowLeft")

    assert focused(opened) == (0, "5  return fib(n - 1) + fib(n - 2)")


def test_status_tells_how_much_there_is(opened) -> None:
    """A screen reader says how many rows are marked, and that they are current."""
    opened.click(FIFTH)
    counts = [len(texts(opened, column, "kept")) for column in range(3)]
    titles = opened.run(
        "[...document.querySelectorAll('section')].map((s) => s.getAttribute('aria-label'))"
    )
    parts = [f"{title} {count}" for title, count in zip(titles, counts, strict=True)]

    assert opened.run("document.querySelector('[role=status]').innerText") == (
        "rows: " + " · ".join(parts)
    )
    assert opened.run("document.querySelectorAll('[aria-current]').length") == sum(counts)


def test_functions_of_the_library_start_closed(opened) -> None:
    """What comes from no source of the program is out of the way."""
    shown = opened.run(
        "[...document.querySelectorAll('section:nth-of-type(3) details')]"
        ".filter((d) => d.open).map((d) => d.querySelector('summary').innerText)"
    )

    assert shown == ["main", "fib"]


def test_both_themes(opened) -> None:
    """The page follows the user's wish, light or dark, with a contrast that can be read."""
    colors = []
    for scheme in ("light", "dark"):
        opened.prefer(scheme)
        opened.click(FIFTH)
        for selector in ("body", "li.kept", "li.kept-part"):
            found = opened.run(
                f"(() => {{ const style = getComputedStyle(document.querySelector('{selector}'));"
                " return [style.color, style.backgroundColor]; })()"
            )
            colors.append(tuple(map(_luminance, found)))
    assert colors[0][0] < colors[0][1]
    assert colors[3][0] > colors[3][1]
    for one, other in colors:
        assert (max(one, other) + 0.05) / (min(one, other) + 0.05) > 4.5


def _luminance(color: str) -> float:
    """Return the relative luminance of `rgb(…)`; source: WCAG 2.2."""
    values = [int(word) / 255 for word in color.removeprefix("rgb(").rstrip(")").split(",")]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_large_program(browser, tmp_path) -> None:
    """The page of a program of 1000 lines opens, and a click marks, without a noticeable wait."""
    functions = [
        f"fun f{i}(n: int): int {{\n  var s = n\n  if s > {i} {{\n    s = s * 2\n  }}\n"
        f"  while s < 10 {{\n    s = s + 1\n  }}\n  return s\n}}\n"
        for i in range(100)
    ]
    calls = [f"print(f{i}({i}))\n" for i in range(100)]
    path = tmp_path / "large.html"
    path.write_text(make("".join(functions + calls)), encoding="utf-8")
    browser.open(path)
    taken = browser.run(
        "(() => { const row = document.querySelector('section li:nth-child(1050)');"
        " const start = performance.now(); row.click(); document.body.offsetHeight;"
        " return performance.now() - start; })()"
    )

    assert texts(browser, 0, "kept") == ["print(f49(49))"]
    assert "call $f49" in texts(browser, 1, "kept")
    assert taken < 1000


def test_same_program_same_page() -> None:
    """The same program gives the same bytes."""
    assert make(SOURCE) == make(SOURCE)


@pytest.mark.parametrize("debug_info", [False, True])
def test_page_without_lines(debug_info) -> None:
    """Without lines, or with damaged ones, instructions still belong to their code."""
    import wasmtime

    request = CompileRequest("t.mochi", {"t.mochi": SOURCE}, debug_info=debug_info)
    wasm = compile_program(request).wasm
    lines = custom_section(wasm, find_sections(wasm), ".debug_line")
    if lines:
        wasm = wasm.replace(lines, lines[:4] + b"\x09" + lines[5:])
    artifact = bytes(wasmtime.Module(wasmtime.Engine(), wasm).serialize())
    listing = read_listing(artifact, "t.cwasm", wasm)
    page = "".join(explore_page("t", listing, wasm, {"t.mochi": SOURCE.splitlines()}))

    assert 'data-g="' not in page
    assert page.count('data-p="') > 500
