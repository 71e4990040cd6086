"""Nested blocks, every kind of block type, and branches out of them."""

from mochi_rules.wasm.module import Function, Module
from mochi_rules.wasm.types import FuncType

MODULE = Module(
    functions=[
        Function(
            "count",
            params=["i32"],
            results=["i32"],
            body=[
                ("block", None),
                ("loop", None),
                ("local.get", 0),
                ("i32.eqz",),
                ("br_if", 1),
                ("local.get", 0),
                ("i32.const", 1),
                ("i32.sub",),
                ("local.set", 0),
                ("br", 0),
                ("end",),
                ("end",),
                ("local.get", 0),
                ("if", "i32"),
                ("i32.const", 1),
                ("else",),
                ("i32.const", 2),
                ("end",),
                ("block", FuncType(("i32",), ("i32", "i32"))),
                ("i32.const", 3),
                ("end",),
                ("i32.add",),
            ],
        ),
        Function(
            "switch",
            params=["i32"],
            results=["i32"],
            body=[
                ("block", None),
                ("block", None),
                ("local.get", 0),
                ("br_table", (0, 1), 1),
                ("end",),
                ("local.get", 0),
                ("return_call", "count"),
                ("end",),
                ("i32.const", 0),
            ],
        ),
    ]
)
