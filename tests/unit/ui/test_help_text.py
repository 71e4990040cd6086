"""Help as a terminal shows it."""

from __future__ import annotations

from mochi_rules.ui.help_text import wrap, wrapped_table

WORDS = " ".join(["word"] * 40)


def test_columns_are_aligned() -> None:
    """The second begins two characters after the longest name."""
    assert wrapped_table([("a", "one"), ("name", "two"), ("b", "")]) == [
        "  a     one",
        "  name  two",
        "  b",
    ]


def test_long_text_goes_on_below_itself() -> None:
    """No line is wider than 100 characters, and none begins in the column of the names."""
    first, *others = wrapped_table([("name", WORDS)])
    assert first.startswith("  name  word word")
    assert all(line.startswith(" " * 8 + "word") for line in others)
    assert max(map(len, (first, *others))) <= 100


def test_long_name_has_a_line_of_its_own() -> None:
    """It does not move the column of all others."""
    name = "cache stats|gc|verify|clear|path [OPTIONS]"
    assert wrapped_table([(name, "one"), ("a", "two")]) == [f"  {name}", "     one", "  a  two"]


def test_words_stay_whole() -> None:
    """Neither a name nor an option is parted at its hyphens."""
    assert wrap("--a-long-option " * 20) == wrap(" ".join(["--a-long-option"] * 20))
    assert all(line.endswith("--a-long-option") for line in wrap("--a-long-option " * 20))
