"""The state of a parse, and what every function of the grammar needs: take, report, recover.

The grammar is written as functions of a Parser, one for each symbol, with its EBNF above the
code. Each starts at the token `pos`, steps over what it takes, and returns a node. A token that
cannot be there is reported and ends the statement by SyntaxFault; `statements` catches that, and
goes on with the next statement. No function ever goes back, so parsing takes linear time.

Line breaks mean nothing, but after `query` (see there), in recovery and in help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from mochi_rules.base.diagnostic import Diagnostic, Label, Severity
from mochi_rules.base.span import Span
from mochi_rules.compiler.syntax.foreign_syntax import habit
from mochi_rules.compiler.syntax.limits import MAX_NESTING
from mochi_rules.compiler.syntax.tokens import END, KEYWORDS, NAMES, PUNCTUATION, STRING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.base.span import Source
    from mochi_rules.compiler.syntax import ast
    from mochi_rules.compiler.syntax.tokens import Tokens

MAX_ERRORS = 100  # reported for one text

_NAME_A_PART = "bind a part of it to a name"

# The code of a missing token, where it is not P999.
_CODES = {"{": "P001", "}": "P001", "(": "P052", ")": "P052"}
# Help for what stands in place of the brace that opens a block.
_HEADERS = {
    "=": "compare with `==`",
    ":": "write the body in braces: `{ … }`",
}
_NAMING = frozenset({"P030", "P031"})
_CONTINUING = PUNCTUATION - frozenset("{([-!") | {"else", "then", "in", "all"}
_STOPS = frozenset({"}", END})
_STATEMENT_WORDS = frozenset(
    {"let", "var", "return", "while", "for", "break", "continue", "type", "test", "expect",
     "import", "export", "extern", "agent", "stream", "fact", "rule", "emit"}
)  # fmt: skip


class SyntaxFault(Exception):  # noqa: N818 - it is reported already; only the parser sees it
    """The statement cannot be understood."""


class Parser:
    """The tokens of a source and the place in them.

    `depth` counts the expressions, blocks and types around the place. `header` is the depth of
    the expression before a block that is being read, or -1. `operands` and `statements` give the
    functions that read what begins with a kind of token: those kinds that begin an expression,
    and all kinds. `errors` counts the errors of the source so far.
    """

    __slots__ = (
        "depth", "diagnostics", "ends", "errors", "header", "kinds", "operands", "pos", "source",
        "starts", "statements", "tokens", "values", "warnings",
    )  # fmt: skip

    def __init__(
        self,
        source: Source,
        tokens: Tokens,
        diagnostics: Diagnostics,
        operands: Mapping[str, Callable[[Parser], ast.Expr]],
        statements: Mapping[str, Callable[[Parser], ast.Stmt]],
        errors: int,
    ) -> None:
        self.source = source
        self.tokens = tokens
        self.kinds, self.values = tokens.kinds, tokens.values
        self.starts, self.ends = tokens.starts, tokens.ends
        self.diagnostics = diagnostics
        self.operands, self.statements = operands, statements
        self.pos = 0
        self.depth = 0
        self.header = -1
        self.errors = errors
        self.warnings: list[Diagnostic] = []

    # Steps

    def end(self) -> int:
        """Return the offset at which the last token taken ends."""
        return self.ends[self.pos - 1]

    def accept(self, kind: str) -> bool:
        """Step over a token of a kind if there is one."""
        if self.kinds[self.pos] != kind:
            return False
        self.pos += 1
        return True

    def take(self, kind: str, help: str = "") -> int:
        """Step over a token of a kind and return its index. Emits: P001, P052, P999."""
        index = self.pos
        if self.kinds[index] != kind:
            self.fail(f"`{kind}`", _CODES.get(kind, "P999"), help)
        self.pos = index + 1
        return index

    def close(self, kind: str, opening: int) -> None:
        """Step over the bracket that closes the one at `opening`. Emits: P001, P052, P999."""
        if self.kinds[self.pos] != kind:
            remedy = "compare with `==`" if kind == ")" and self.kinds[self.pos] == "=" else ""
            self.fail(f"`{kind}`", _CODES.get(kind, "P999"), remedy, opening=opening)
        self.pos += 1

    def close_list(self, kind: str, opening: int) -> None:
        """Step over the bracket that closes a list. Emits: P001, P052, P999."""
        if self.kinds[self.pos] != kind:
            self.fail(f"`,` or `{kind}`", _CODES.get(kind, "P999"), opening=opening)
        self.pos += 1

    def name(self, what: str, code: str = "P030", help: str = "") -> str:
        """Step over a name, which may be a contextual word, and return it. Emits: the code."""
        index = self.pos
        if self.kinds[index] not in NAMES:
            self.fail(what, code, help)
        self.pos = index + 1
        name: str = self.values[index]
        return name

    def string(self, what: str) -> str:
        """Step over a string literal and return its text. Emits: P999."""
        index = self.pos
        if self.kinds[index] != STRING:
            self.fail(what)
        self.pos = index + 1
        value: bytes = self.values[index]
        return value.decode("utf-8", "replace")

    def at_word(self, word: str, ahead: int = 0) -> bool:
        """Return whether a contextual word is here, or that many tokens ahead."""
        index = self.pos + ahead
        return self.kinds[index] in NAMES and self.values[index] == word

    def accept_word(self, word: str) -> bool:
        """Step over a contextual word if it is here."""
        if not self.at_word(word):
            return False
        self.pos += 1
        return True

    def take_word(self, word: str) -> None:
        """Step over a contextual word. Emits: P999."""
        if not self.accept_word(word):
            self.fail(f"`{word}`")

    def enter(self) -> None:
        """Go one level deeper; who calls this takes 1 from `depth` in the end. Emits: P080."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.too_deep()

    # Reports

    def too_deep(self) -> NoReturn:
        """Refuse what would exhaust the stack. Emits: P080."""
        self.report_too_deep()
        raise SyntaxFault

    def report_too_deep(self) -> None:
        """Emits: P080."""
        message = f"nested more than {MAX_NESTING} levels deep"
        self.report("P080", message, self.span(self.pos), _NAME_A_PART)

    def fail(
        self, expected: str, code: str = "P999", help: str = "", *, opening: int | None = None
    ) -> NoReturn:
        """Report that the token here is not the expected one, and leave the statement.

        `opening` is the index of a bracket that is still open. Emits: the code.
        """
        index = self.pos
        labels = () if opening is None else (Label(self.span(opening), "opened here"),)
        message = f"expected {expected}, got {self.describe(index)}"
        remedy = help or self.habit(index)
        if not remedy and code in _NAMING and self.is_reserved(index):
            remedy = f"choose another name, like `{self.kinds[index]}_`"
        self.report(code, message, self.span(index), remedy, labels)
        raise SyntaxFault

    def report(
        self, code: str, message: str, span: Span, help: str = "", labels: tuple[Label, ...] = ()
    ) -> None:
        """Report an error that does not end the statement; the first MAX_ERRORS are kept."""
        self.errors += 1
        if self.errors <= MAX_ERRORS:
            self.diagnostics.add(Diagnostic(code, message, span, labels=labels, help=help))

    def warn(self, code: str, message: str, span: Span, help: str) -> None:
        """Keep what is allowed but can hardly be meant, for a source that is otherwise valid."""
        severity = Severity.WARNING
        if len(self.warnings) < MAX_ERRORS:
            self.warnings.append(Diagnostic(code, message, span, help=help, severity=severity))

    def flush(self) -> None:
        """Report the warnings, unless there are errors: they may come of them."""
        if not self.errors:
            for warning in self.warnings:
                self.diagnostics.add(warning)

    def span(self, first: int, last: int | None = None) -> Span:
        """Return the span of a token, or of tokens up to `last`; the END's is one long."""
        start, end = self.starts[first], self.ends[first if last is None else last]
        return Span(self.source, start, max(end, start + 1))

    def describe(self, index: int) -> str:
        """Return a token as a message names it."""
        kind = self.kinds[index]
        if kind == END:
            return "the end of the file"
        if kind == STRING:
            return "a string"
        text = self.source.text[self.starts[index] : self.ends[index]]
        return f"the reserved word `{text}`" if kind in KEYWORDS else f"`{text}`"

    def habit(self, index: int) -> str:
        """Return what to write in place of a token that belongs to another language, or ""."""
        return habit(self.source, self.tokens, index)

    def is_reserved(self, index: int) -> bool:
        """Return whether a reserved word stands here as if it were a name, not on a new line."""
        return self.kinds[index] in KEYWORDS and not self.begins_line(index)

    # Recovery

    def recover(self, first: int) -> None:
        """Step from a fault in the statement that begins at `first` to the likely next one.

        That is a `}` that closes the block around, or a token that begins a line, with all brackets
        closed that were opened since. On a line that is indented no more than the statement, open
        parentheses do not count, and before a word that only begins statements no bracket does: it
        may be the very thing that is missing.
        """
        if self.errors >= MAX_ERRORS or self.kinds[self.pos] == END:
            self.pos = len(self.kinds) - 1
            return
        kinds, fault, index = self.kinds, self.pos, first
        margin = self._column(first)
        braces = others = 0
        while (kind := kinds[index]) != END:
            if index >= fault and (index > first or kind == "}"):
                if braces <= 0 and kind == "}":
                    break
                if self.begins_line(index) and kind not in _CONTINUING:
                    outside = self._column(index) <= margin
                    if braces <= 0 and (others <= 0 or outside):
                        break
                    if outside and kind in _STATEMENT_WORDS:
                        break
            braces += (kind == "{") - (kind == "}")
            others += (kind in "([") - (kind in ")]")
            index += 1
        self.pos = index

    def begins_line(self, index: int) -> bool:
        """Return whether a token is the first on its line."""
        return not index or "\n" in self.source.text[self.ends[index - 1] : self.starts[index]]

    def _column(self, index: int) -> int:
        return self.source.position(self.starts[index])[1]


def statements(p: Parser) -> list[ast.Stmt]:
    """Read statements up to a `}` or the end of the file.

    EBNF: {Stmt}
    """
    body = []
    kinds, table = p.kinds, p.statements
    depth, header = p.depth, p.header
    while (kind := kinds[p.pos]) not in _STOPS:
        first = p.pos
        try:
            body.append(table[kind](p))
        except SyntaxFault:
            p.depth, p.header = depth, header
            p.recover(first)
    return body


def block(p: Parser) -> list[ast.Stmt]:
    """Block = "{" {Stmt} "}"."""
    p.enter()
    opening = p.take("{", _HEADERS.get(p.kinds[p.pos], ""))
    body = statements(p)
    p.close("}", opening)
    p.depth -= 1
    return body
