"""The one parser for the words of all verbs.

The standard library's parser takes 6 ms to load and knows no "did you mean".
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mochi_rules.cli.options import HELP, Parsed

if TYPE_CHECKING:
    from mochi_rules.cli.options import Verb

_SHORT = 2  # characters of a short option


def parse(verb: Verb, words: list[str]) -> Parsed:
    """Return the parsed words after a verb.

    Emits: B051 (unknown option), B052 (an option's value is missing or not allowed), B053 (too
    few or too many operands), B054 (a word that no system passes on).

    Raises:
        MochiError: They cannot be understood.
    """
    for word in words:
        _check_word(word)
    parsed = Parsed()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            where = parsed.arguments if verb.takes_arguments else parsed.operands
            where += rest
            break
        if word.startswith("-") and word != "-":
            _take_option(verb, word, rest, parsed)
        else:
            parsed.operands.append(word)
    least, most = verb.operands
    if not least <= len(parsed.operands) <= most and not parsed.has("help"):
        from mochi_rules.cli.usage import wrong_count  # noqa: PLC0415 - of this error only

        raise wrong_count(verb, parsed.operands)
    return parsed


def _check_word(word: str) -> None:
    """Refuse what cannot be the name of a file, whatever the verb does with it."""
    try:
        is_valid = b"\0" not in os.fsencode(word)
    except UnicodeEncodeError:
        is_valid = False
    if not is_valid:
        from mochi_rules.cli.usage import wrong_word  # noqa: PLC0415 - of this error only

        raise wrong_word(word)


def _take_option(verb: Verb, word: str, rest: list[str], parsed: Parsed) -> None:
    name, equals, value = word.partition("=")
    if word[1] != "-" and len(name) > _SHORT:  # a value without a space: -O2
        name, equals, value = word[:_SHORT], "=", word[_SHORT:]
    option = next(
        (item for item in (*verb.options, HELP) if name in (f"--{item.name}", f"-{item.short}")),
        None,
    )
    if option is not None and option.metavar and not equals and rest:
        equals, value = "=", rest.pop(0)
    # An empty value would be taken for the default; `--json=` has an equals sign too many.
    fits = option is not None and bool(equals) == bool(value) == bool(option.metavar)
    if option is None or not fits or (option.choices and value not in option.choices):
        from mochi_rules.cli.usage import wrong_option  # noqa: PLC0415 - of this error only

        raise wrong_option(verb, word, option, value)
    parsed.values[option.name] = value
