"""Help for those who write another language's syntax: tables of tokens, and one look-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.syntax.tokens import NAMES

if TYPE_CHECKING:
    from mochi_rules.base.span import Source
    from mochi_rules.compiler.syntax.tokens import Tokens

_NO_BITS = "there are no bit operators; compute with `*`, `/` and `%`"
_UPDATE = "write the assignment in full: `x = x {0} …`"
_ONE_MORE = "write `x = x {0} 1`"

# Two tokens without space between them, the second being the one that does not fit.
_PAIRS = {
    **{(operator, "="): _UPDATE.format(operator) for operator in "+-*/%"},
    **{(operator, operator): _ONE_MORE.format(operator) for operator in "+-"},
    ("<", "<"): _NO_BITS,
    (">", ">"): _NO_BITS,
    ("*", "*"): "write `pow(a, b)`",
    ("==", "="): "write `==`",
    ("!=", "="): "write `!=`",
    ("-", ">"): "write the result type after a colon: `fun f(): int`",
    (":", "="): "write `let x = …`",
    ("..", "="): "a range excludes its end: write `low..high + 1`",
}

# A token that does not fit, whatever stands before it.
_TOKENS = {
    "=>": "write a function value as `fun(x) => …`",
    "?": "write a choice as `if c then a else b`",
    "|": _NO_BITS,
    ":-": "put a space between `:` and `-`",
    ">=": "put a space between `>` and `=`",
}

# Words of other languages, by what stands for them here.
_HABITS = {
    "and": "write `&&`",
    "or": "write `||`",
    "not": "write `!`",
    "is": "write `==`",
    "elif": "write `else if`",
    "elsif": "write `else if`",
    "def": "a function begins with `fun`",
    "fn": "a function begins with `fun`",
    "func": "a function begins with `fun`",
    "function": "a function begins with `fun`",
    "const": "write `let`",
    "val": "write `let`",
    "switch": "write `match`",
    "case": "an arm of a `match` is `pattern => value`",
    "class": "write `type Name { field: type }`",
    "struct": "write `type Name { field: type }`",
    "enum": "write `type Name = A | B`",
    "try": "there are no exceptions",
    "catch": "there are no exceptions",
    "throw": "there are no exceptions",
    "do": "write `while`",
    "loop": "write `while true`",
}

_REACH = 16  # how many tokens back the first word of a line is looked for


def habit(source: Source, tokens: Tokens, index: int) -> str:
    """Return what to write in place of a token that does not fit, or an empty string."""
    kinds, values, starts, ends = tokens.kinds, tokens.values, tokens.starts, tokens.ends
    for left, right in ((index - 1, index), (index, index + 1)):
        if left >= 0 and right < len(kinds) and ends[left] == starts[right]:
            found = _PAIRS.get((kinds[left], kinds[right]))
            if found:
                return found
    if kinds[index] in _TOKENS:
        return _TOKENS[kinds[index]]
    for word in (index, index - 1):
        if word >= 0 and kinds[word] in NAMES and values[word] in _HABITS:
            return _HABITS[values[word]]
    first = index
    while (
        first > max(0, index - _REACH) and "\n" not in source.text[ends[first - 1] : starts[first]]
    ):
        first -= 1
    return _HABITS.get(values[first], "") if kinds[first] in NAMES else ""
