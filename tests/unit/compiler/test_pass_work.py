"""How much work the passes do: what grows with a function grows with it only once."""

from __future__ import annotations

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import CompileRequest, build_ir
from mochi_rules.compiler.ir.cfg import Flow

LOOP = "for i in 0..n { xs = append(xs, i * n) }\n"


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
