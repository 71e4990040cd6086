"""How the time of compiling grows with each construct: 1, 2 and 4 times a program.

    python -m tests.bench.scaling [--factors 1,10,100] [CONSTRUCT ...]

A ratio of 1 for the time of a part is linear, and of 2 at a doubling is quadratic. The CPU time of
the best of several rounds counts, after a smaller program has warmed the process up.
"""

from __future__ import annotations

import argparse
import gc
import re
import time
from itertools import pairwise

from mochi_rules.compiler.driver import CompileRequest, compile_program

ROUNDS = 3
FACTORS = "1,2,4"
LIMIT = 1.3  # of a part: n log n, and noise

# By name: the size that counts as 1, and the lines. A line that begins with `*` stands n times,
# `@` is its number; `<<item~separator>>` is a list of n items within a line.
CONSTRUCTS: dict[str, tuple[int, tuple[str, ...]]] = {
    "application": (
        20, ("*type P@ { name: string, n: int }",
             "*fun sum@(ps: list<P@>): int { var s = 0 for p in ps { s = s + p.n } return s }",
             "*fun fib@(n: int): int { if n < 2 { return n } return fib@(n - 1) + fib@(n - 2) }",
             '*let ps@ = [P@ { name: "a", n: @ }, P@ { name: "b", n: fib@(2) }]',
             "*var m@: map<string, int> = {}",
             "*for p in ps@ { if p.n != @ { continue } m@[p.name] = sum@(ps@) }",
             "*print(from p in ps@ where p.n > 1 sort by p.name select p.n, m@)"),
    ),
    "list of numbers": (4000, ("let a = [<<@~, >>]", "print(len(a))")),
    "list of any": (1000, ('let a = [<<1, "a"~, >>]', "print(len(a))")),
    "list of lists": (1000, ("let a = [<<[1, 2]~, >>]", "print(len(a))")),
    "map": (1000, ('let m = {<<"k@": @~, >>}', "print(len(m))")),
    "strings": (1000, ('*print("text @")',)),
    "long block": (1000, ("fun f() {", "var a = 0", "*a = a + @", "print(a)", "}", "f()")),
    "long block of strings": (
        500, ("fun f() {", 'var a = ""', "*a = a + str(@)", "print(a)", "}", "f()"),
    ),
    "top level": (1000, ("var a = 0", "*a = a + @", "print(a)")),
    "variables": (500, ("fun f() {", "*let v@ = @ * 2", "*print(v@)", "}", "f()")),
    "globals": (500, ("*var v@ = @", "fun f() {", "*v@ = v@ + 1", "}", "f()")),
    "functions": (250, ("*fun f@(x: int): int { return x + @ }", "*print(f@(1))")),
    "lambdas": (250, ("*let f@ = fun(x: int): int => x + @", "*print(f@(1))")),
    "calls of one function": (500, ("fun f(x: int): int { return x }", "*print(f(@))")),
    "branches": (
        250, ("fun f(c: int) {", "*var v@ = c", "*if c > @ { v@ = v@ + 1 }", "*print(v@)", "}",
              "f(3)"),
    ),
    "branches with strings": (
        250, ("fun f(c: int) {", "*var v@ = str(c)", '*if c > @ { v@ = v@ + "a" }', "*print(v@)",
              "}", "f(3)"),
    ),
    "loops": (
        250, ("fun f() {", "var a = 0", "*for i in 0..@ { a = a + i }", "print(a)", "}", "f()"),
    ),
    "nested loops": (
        25, ("fun f(n: int, rows: list<list<int>>) {", "var a = 0",
             "*for i in 0..n { for j in 0..len(rows[i]) { a = a + rows[i][j] * rows[j][@] } }",
             "print(a)", "}", "f(0, [[1]])"),
    ),
    "else if": (
        250, ("fun f(c: int): int {", "var x = 0", "<<if c == @ { x = @ }~ else >>", "return x",
              "}", "print(f(3))"),
    ),
    "early returns": (
        250, ("fun f(c: int): int {", "*if c == @ { return @ }", "return 0", "}", "print(f(1))"),
    ),
    "breaks": (
        250, ("fun f(c: int): int {", "var x = 0", "while true {", "*if x == c + @ { break }",
              "x = x + 1", "}", "return x", "}", "print(f(1))"),
    ),
    "match of numbers": (
        250, ("fun f(x: int): string {", "return match x {", '*@ => "@"', '_ => "none"', "}", "}",
              "print(f(1))"),
    ),
    "match of variants": (
        250, ("type U = <<V@(x: int)~ | >>", "fun f(u: U): int {", "return match u {",
              "*V@(x) => x + @", "}", "}", "print(f(V1(1)))"),
    ),
    "operators": (100, ("print(<<@~ + >>)",)),
    "conditions": (
        100, ("fun f(c: int): bool {", "return <<c != @~ && >>", "}", "print(f(-1))"),
    ),
    "structs": (250, ("*type S@ { a: int, b: string }", '*print(S@ { a: @, b: "x" }.a)')),
    "fields": (
        250, ("type S { <<f@: int~, >> }", "var s = S { <<f@: @~, >> }", "*s.f@ = s.f@ + 1",
              "print(s.f0)"),
    ),
    "methods": (
        250, ("type S {", "x: int", "*fun m@(): int { return x + @ }", "}", "let s = S { x: 1 }",
              "*print(s.m@())"),
    ),
    "imports": (100, ('*import "m@" as m@', "*print(m@.f())")),
    "queries": (
        100, ("let xs = [1, 2, 3]", "*print(from x in xs where x > @ select x)"),
    ),
    "tests": (250, ('*test "t@" { expect @ == @ }',)),
    "type errors": (1000, ('*let v@: int = "a"',)),
    "unknown names": (500, ("*print(missing@)",)),
    "syntax errors": (1000, ("*let = @",)),
}  # fmt: skip
_LIST = re.compile("<<(.*?)~(.*?)>>")


def sources(name: str, n: int) -> dict[str, str]:
    """Return a program of size n of a construct."""
    lines: list[str] = []
    for line in CONSTRUCTS[name][1]:
        if line.startswith("*"):
            lines += [line[1:].replace("@", str(i)) for i in range(n)]
        else:
            lines.append(_LIST.sub(
                lambda found: found[2].join(found[1].replace("@", str(i)) for i in range(n)), line
            ))  # fmt: skip
    modules = {f"m{i}.mochi": f"export fun f(): int {{ return {i} }}\n" for i in range(n)}
    main = {"main.mochi": "\n".join([*lines, ""])}
    return main | modules if name == "imports" else main


def seconds(name: str, n: int) -> float:
    """Return the CPU time that the best of several rounds took."""
    request = CompileRequest("main.mochi", sources(name, n), tests=name == "tests")
    best = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        start = time.process_time()
        compile_program(request)
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    """Print a row for each construct; mark growth that is more than n log n."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scaling")
    parser.add_argument("names", nargs="*", metavar="CONSTRUCT")
    parser.add_argument("--factors", default=FACTORS, help=f"by default {FACTORS}")
    options = parser.parse_args()
    factors = [int(factor) for factor in options.factors.split(",")]
    heads = "".join(f"{f'{factor}n ms':>10}" for factor in factors)
    print(f"{'construct':24}{'n':>6}{heads}   time of a part, to that before")
    for name in options.names or CONSTRUCTS:
        n = CONSTRUCTS[name][0]
        seconds(name, n // 4)
        parts = [seconds(name, n * factor) / factor for factor in factors]
        times = "".join(
            f"{part * factor * 1000:10.0f}" for part, factor in zip(parts, factors, strict=True)
        )
        growth = [after / before for before, after in pairwise(parts)]
        mark = "  *" if growth[-1] > LIMIT else ""
        print(
            f"{name:24}{n:6}{times}   {' '.join(f'{one:.2f}' for one in growth)}{mark}", flush=True
        )


if __name__ == "__main__":
    main()
