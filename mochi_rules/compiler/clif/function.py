"""One function of a module to CLIF: the frame. What each instruction becomes stands in handlers.

The operand stack becomes values, and locals do; structure becomes blocks. What is known of the
instructions, because `lower/` makes them: blocks take no parameters, and give one result at most;
whatever an access needs was checked before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.clif.blocks import Block, Edge, Variables
from mochi_rules.compiler.clif.instructions import I8, I32, I64, OPERATIONS, constant
from mochi_rules.wasm.pieces import instructions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mochi_rules.compiler.clif.names import Names
    from mochi_rules.wasm.module import Function, Instruction
    from mochi_rules.wasm.types import FuncType

    Handler = Callable[["Translator", Instruction], None]

LINE_BITS = 20  # of a source location; the number of the file is above
# Its value never changes while the program runs: Cranelift loads it where that is best.
_MEMORY, _LOAD_MEMORY = "mochi_memory", "load.i64 notrap aligned readonly can_move"


@dataclass(slots=True)
class Frame:
    """A `block`, `loop` or `if` around the current place.

    `target` is where branches go, `end` what follows, and `other` the other arm of an `if`.
    `height` is that of the stack below. Nothing arrives in a dead one.
    """

    target: Block
    end: Block
    height: int = 0
    has_result: bool = False
    other: Block | None = None
    is_dead: bool = False


class Translator:
    """Translates one function; `names` are those of the module, `files` those of the program."""

    def __init__(
        self, function: Function, names: Names, files: list[str], handlers: Mapping[str, Handler]
    ) -> None:
        self.function = function
        self.names = names
        self.files = files
        self.handlers = handlers
        self.variables = Variables([*function.params, *function.locals])
        self.blocks: list[Block] = []
        self.stack: list[int] = []
        self.frames: list[Frame] = []
        self.place = ""
        self.functions: dict[str, str] = {}
        self.signatures: dict[str, str] = {}
        self.symbols: dict[str, str] = {}
        self.memory: int | None = None  # its address
        self.made: dict[int, tuple[str | int, ...]] = {}  # by which instruction a value was made
        self.products: dict[tuple[int, int], int] = {}
        self.overflows: set[int] = set()  # comparisons that are hardly ever true
        self.prologue: list[str] = []
        self.entry = self.new_block()
        self.block: Block | None = self.entry  # None where nothing arrives

    def run(self) -> str:
        """Return the text of the function."""
        self.entry.is_sealed = True
        for variable, type_ in enumerate(self.function.params):
            self.entry.values[variable] = self.variables.new_value(type_)
            self.entry.params.append(self.entry.values[variable])
        end = self.new_block()
        end.params += [self.variables.new_value(type_) for type_ in self.function.results]
        self.frames.append(Frame(end, end, has_result=bool(end.params)))
        for instruction in instructions_of(self.function.body):
            self._step(instruction)
        self.leave_frame()
        assert not self.frames, self.function.name
        if self.block is not None:
            self.leave()
        self.variables.finish()
        return self._text()

    # Blocks

    def new_block(self) -> Block:
        """Make a block, which nothing jumps to yet."""
        self.blocks.append(Block(len(self.blocks)))
        return self.blocks[-1]

    def jump(self, target: Block, args: list[int]) -> Edge:
        """Return a new edge from the current block."""
        assert self.block is not None
        edge = Edge(self.block, target, args)
        target.edges.append(edge)
        return edge

    def only(self) -> tuple[Block, Edge]:
        """Return a new block with the one edge that leads to it."""
        block = self.new_block()
        block.is_sealed = True
        return block, self.jump(block, [])

    def finish(self, *end: str | Edge) -> None:
        """End the current block: what follows is not reached from here."""
        assert self.block is not None
        self.block.end = (self.place, *end)
        self.block = None

    def leave(self) -> None:
        """Return from the function."""
        values = ", ".join(f"v{value}" for value in self.pop_all(len(self.function.results)))
        self.finish(f"return {values}".rstrip())

    def fall(self, frame: Frame) -> None:
        """Continue after a frame, where its code ends."""
        if self.block is not None:
            results = [self.pop()] if frame.has_result else []
            self.finish("jump ", self.jump(frame.end, results))

    def turn(self) -> None:
        """Begin the other arm of an `if`."""
        frame = self.frames[-1]
        if not frame.is_dead:
            self.fall(frame)
            self.block, frame.other = frame.other, None
            del self.stack[frame.height :]

    def leave_frame(self) -> None:
        """End the innermost frame."""
        frame = self.frames.pop()
        if frame.is_dead:
            return
        self.fall(frame)
        if frame.other is not None:  # an `if` without `else`
            self.block = frame.other
            self.fall(frame)
        frame.target.is_sealed = True
        frame.end.is_sealed = True
        del self.stack[frame.height :]
        if frame.end.edges:
            self.block = frame.end
            self.stack += frame.end.params[: frame.has_result]

    # Instructions

    def _step(self, instruction: Instruction) -> None:
        mnemonic = instruction[0]
        if mnemonic == "loc":
            self._locate(instruction[1], instruction[2])
        elif self.block is None:
            self._skip(mnemonic)
        elif mnemonic in self.handlers:
            self.handlers[mnemonic](self, instruction)
        else:
            self.compute(mnemonic, self.pop_all(OPERATIONS[mnemonic].operands))

    def compute(self, mnemonic: str, operands: list[int]) -> None:
        """Push the result of an operation."""
        operation = OPERATIONS[mnemonic]
        words = ", ".join(f"v{value}" for value in operands)
        value = self.value(f"{operation.text} {words}", operation.result)
        self.stack.append(value)
        self.made[value] = (mnemonic, *operands)
        if mnemonic == "i64.mul":
            self.products[operands[0], operands[1]] = value

    def _skip(self, mnemonic: str) -> None:
        """Pass over what is never reached; it still nests."""
        if mnemonic in ("block", "loop", "if"):
            self.frames.append(Frame(self.entry, self.entry, is_dead=True))
        elif mnemonic == "else":
            self.turn()
        elif mnemonic == "end":
            self.leave_frame()

    def _locate(self, file: int, line: int) -> None:
        self.place = f"@{file << LINE_BITS | line:x} "
        if self.block is not None:
            self.block.lines.append(f"; {self.files[file]}:{line}")

    def emit(self, text: str) -> None:
        """Append an instruction without a result."""
        assert self.block is not None
        self.block.lines.append(self.place + text)

    def value(self, text: str, type_: str) -> int:
        """Append an instruction, and return its result."""
        assert self.block is not None
        value = self.variables.new_value(type_)
        self.block.lines.append(f"{self.place}v{value} = {text}")
        return value

    def push(self, text: str, type_: str) -> None:
        """Append an instruction, and push its result."""
        self.stack.append(self.value(text, type_))

    def pop(self) -> int:
        """Pop a value as WebAssembly has it: a comparison becomes a number."""
        value = self.stack.pop()
        if self.variables.types[value] == I8:
            return self.value(f"uextend.i32 v{value}", I32)
        return value

    def pop_all(self, count: int) -> list[int]:
        """Pop as many values, the last one last."""
        return [self.pop() for _ in range(count)][::-1]

    def widen(self, value: int) -> int:
        """Return a word as a number of 64 bits."""
        return self.value(f"uextend.i64 v{value}", I64)

    # Memory and names

    def address(self, offset: int) -> int:
        """Return the address of an offset in the memory."""
        assert self.block is not None
        if self.memory is None:
            place, self.memory = self.variables.new_value(I64), self.variables.new_value(I64)
            self.prologue = [
                f"v{place} = symbol_value.i64 {self.symbol(_MEMORY)}",
                f"v{self.memory} = {_LOAD_MEMORY} v{place}",
            ]
        known = self.block.addresses
        if offset not in known:
            known[offset] = self.value(f"iadd v{self.memory}, v{self.widen(offset)}", I64)
        return known[offset]

    def symbol_value(self, name: str) -> int:
        """Return the address of data."""
        return self.value(f"symbol_value.i64 {self.symbol(name)}", I64)

    def symbol(self, name: str) -> str:
        """Return what data are called inside the function."""
        if name not in self.symbols:
            self.symbols[name] = f"gv{len(self.symbols)}"
        return self.symbols[name]

    def reference(self, name: str, signature: str) -> str:
        """Return what another function is called inside the function."""
        text = f"colocated %{name}{signature}"
        return self.functions.setdefault(text, f"fn{len(self.functions)}")

    def signature(self, text: str) -> str:
        """Return what a signature is called inside the function."""
        return self.signatures.setdefault(text, f"sig{len(self.signatures)}")

    # The text

    def _text(self) -> str:
        for value, type_ in self.variables.zeros:
            self.prologue.append(f"v{value} = {constant(f'{type_}.const', 0)}")
        self.entry.lines[:0] = self.prologue
        name = self.names.function(self.function.name)
        lines = [f"function %{name}{signature_of(self.function.type)} {{"]
        lines += [f"    {key} = symbol colocated %{of}" for of, key in self.symbols.items()]
        lines += [f"    {key} = {text}" for text, key in self.signatures.items()]
        lines += [f"    {key} = {text}" for text, key in self.functions.items()]
        for block in self.blocks:
            if block is self.entry or block.edges:
                lines += self._block_text(block)
        return "\n".join([*lines, "}", ""])

    def _block_text(self, block: Block) -> Iterator[str]:
        params = ", ".join(f"v{value}: {self.variables.types[value]}" for value in block.params)
        cold = " cold" if block.is_cold else ""
        yield f"block{block.number}({params}){cold}:" if params else f"block{block.number}{cold}:"
        for line in block.lines:
            yield f"    {line}"
        yield f"    {''.join(map(str, block.end))}"


def signature_of(type_: FuncType) -> str:
    """Return the signature of a function of ours in CLIF."""
    result = f" -> {type_.results[0]}" if type_.results else ""
    return f"({', '.join(type_.params)}){result} fast"
