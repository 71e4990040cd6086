"""How much work the passes do: what grows with a function grows with it only once."""

from __future__ import annotations

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import CompileRequest, build_ir
from mochi_rules.compiler.ir.cfg import Flow
from mochi_rules.compiler.passes.bounds import Bounds

LOOP = "for i in 0..n { xs = append(xs, i * n) }\n"
NEST = """\
fun f(n: int): int {
  var seed = 1
  for i in 0..n {
    for j in 0..n {
      for k in 0..n { seed = (seed * 16807) % 2147483647 }
      seed = (seed * 3) % 1000
    }
    seed = (seed * 7) % 2147483647
  }
  return seed
}
print(f(3))
"""


class _Counted(list):
    """A list that counts how often it is gone through."""

    times = 0

    def __iter__(self):
        _Counted.times += 1
        return super().__iter__()


def test_no_pass_goes_through_a_function_for_each_of_its_loops(monkeypatch) -> None:
    """All blocks are gone through as often with twenty loops as with two."""
    create = Flow.__init__

    def counted(flow, function):
        create(flow, function)
        flow.blocks = _Counted(flow.blocks)

    def times(loops: int) -> int:
        _Counted.times = 0
        text = f"fun f(n: int) {{ var xs: list<int> = []\n{LOOP * loops} print(xs) }}\nf(3)"
        assert build_ir(CompileRequest("a", {"a": text}), Diagnostics())
        return _Counted.times

    monkeypatch.setattr(Flow, "__init__", counted)
    assert times(2) == times(20)


def test_bounds_of_nested_loops_are_proven_once(monkeypatch) -> None:
    """Each bound of the number that three loops hand to each other is looked for a few times."""
    times = 0

    def counted(find):
        def found(*args):
            nonlocal times
            times += 1
            return find(*args)

        return found

    for name in ("_most", "_holds"):
        monkeypatch.setattr(Bounds, name, counted(getattr(Bounds, name)))
    assert build_ir(CompileRequest("a", {"a": NEST}), Diagnostics())
    assert times < 3_000
