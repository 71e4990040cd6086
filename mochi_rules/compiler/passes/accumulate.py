"""Makes loops of functions that return a sum or a product of a value and a call of themselves.

`return n * f(n - 1)` goes on with `n - 1` and multiplies on the way, as gcc does. On that way a
sum may overflow though the whole does not, as in `(most + 1) + -1`, or a product of which a later
factor is 0, and a call deeper down might have stopped the program first. So where the loop would
overflow, the call begins again, in a copy of the function as it was: the function writes nothing,
so it cannot be observed.

Requires that no references are counted yet. Gives a loop as `tail_calls` does, with one parameter
more, and the copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.clone import copy_blocks
from mochi_rules.compiler.ir.facts import substitute
from mochi_rules.compiler.ir.function import (
    Block,
    Branch,
    Function,
    Jump,
    Return,
    Value,
    int_constant,
    renewed,
)
from mochi_rules.compiler.ir.ops import OUTSIDE
from mochi_rules.compiler.ir.types import BOOL, INT

if TYPE_CHECKING:
    from mochi_rules.compiler.passes.context import Context

_NEUTRAL = {"add.checked": 0, "mul.checked": 1}


@dataclass(frozen=True, slots=True)
class _Step:
    """A block that ends with a call of the function, and an operation on that and a value."""

    block: Block
    call: Value
    last: Value


def accumulate(context: Context) -> None:
    """Make loops of such functions of a program."""
    for function in list(context.functions.values()):
        steps = [step for block in function.blocks if (step := _step(block, function))]
        operators = {step.last.op for step in steps}
        ends = sum(isinstance(block.end, Return) for block in function.blocks)
        # One that only calls itself exhausts the stack, which says more than a loop without end.
        if len(operators) == 1 and ends > len(steps) and _is_repeatable(function, steps, context):
            exact = _copy(function)
            context.functions[exact.name] = exact
            _Loop(function, exact.name, steps).build()
            context.facts(function).forget_flow()


def _step(block: Block, function: Function) -> _Step | None:
    match block.end, block.code[-2:]:
        case Return(value=result), [call, last] if last is result and last.op in _NEUTRAL:
            is_own = (call.op, call.attr) == ("call", function.name)
            if is_own and last.args.count(call) == 1:
                return _Step(block, call, last)
    return None


def _is_repeatable(function: Function, steps: list[_Step], context: Context) -> bool:
    """Whether a call writes nothing, and calls itself nowhere else."""
    own = [step.call for step in steps]
    for value in (value for block in function.blocks for value in block.code):
        if value.op == "call" and value.attr == function.name:
            if value not in own:
                return False
            continue
        effects = context.effects(value)
        if effects.writes or effects.frees or effects.reads & OUTSIDE:
            return False
    return True


def _copy(function: Function) -> Function:
    """Return a copy of a function, which calls itself."""
    name = f"{function.name}$exact"
    params = renewed(function.params)
    values = dict(zip(function.params, params, strict=True))
    blocks = list(copy_blocks(function.blocks, values).values())
    for value in (value for block in blocks for value in block.code):
        if value.op == "call" and value.attr == function.name:
            value.attr = name
    return Function(name, params, function.result, blocks)


class _Loop:
    def __init__(self, function: Function, exact: str, steps: list[_Step]) -> None:
        self.function = function
        self.exact = exact
        self.operator = steps[0].last.op.removesuffix(".checked")
        self.neutral = _NEUTRAL[steps[0].last.op]
        self.steps = {step.block: step for step in steps}
        self.so_far = Value("param", (), INT)
        self.begin = list(function.params)

    def build(self) -> None:
        """Turn the function into a loop."""
        function, header = self.function, self.function.entry
        ends = [block for block in function.blocks if isinstance(block.end, Return)]
        params = renewed(function.params)
        substitute(function, dict(zip(function.params, params, strict=True)))
        header.params = [*params, self.so_far]
        for block in ends:
            self._end(block, header)
        first = int_constant(self.neutral)
        entry = Block()
        entry.code, entry.end = [first], Jump(header, [*self.begin, first])
        function.blocks.insert(0, entry)

    def _end(self, block: Block, header: Block) -> None:
        """Accumulate at the end of a block, and go on or return."""
        step = self.steps.get(block)
        if step is None:
            assert isinstance(block.end, Return)
            assert block.end.value is not None
            operand = block.end.value
        else:
            del block.code[-2:]
            [operand] = (arg for arg in step.last.args if arg is not step.call)
        operands = self.so_far, operand
        wraps = Value(f"{self.operator}.wraps", operands, BOOL)
        total = Value(self.operator, operands, INT)
        fits, again = Block(), Block()
        block.code.append(wraps)
        block.end = Branch(wraps, again, fits, likely=False)
        fits.code = [total]
        fits.end = Jump(header, [*step.call.args, total]) if step else Return(total)
        result = Value("call", tuple(self.begin), INT, self.exact)
        again.code, again.end = [result], Return(result)
        self.function.blocks += [fits, again]
