"""Every kind of section and of name."""

from mochi_rules.wasm.module import (
    CustomSection,
    DataSegment,
    ElementSegment,
    Export,
    Function,
    Global,
    Import,
    Module,
)
from mochi_rules.wasm.types import FuncType, GlobalType, MemoryType, TableType

MODULE = Module(
    name="everything",
    imports=[
        Import("env", "write", FuncType(("i32", "i32"), ("i32",)), "env.write"),
        Import("env", "limit", GlobalType("i64"), "limit"),
    ],
    functions=[
        Function(
            "main",
            params=["i64", "f64"],
            results=["i64"],
            locals=["i64", "i32", "i32", "v128"],
            local_names=["x", "", "total", "twice", "twice"],
            body=[
                ("loc", 0, 1),
                ("i32.const", 0),
                ("i32.const", 0),
                ("i32.const", 5),
                ("memory.init", "passive"),
                ("data.drop", "passive"),
                ("loc", 0, 2),
                ("v128.const", bytes(range(16))),
                ("local.set", 5),
                ("local.get", 0),
                ("global.get", "limit"),
                ("i64.add",),
                ("local.tee", 2),
                ("i32.const", 1),
                ("call_indirect", FuncType(("i64",), ("i64",))),
            ],
        ),
        Function("list<int>.length", ["i64"], ["i64"], body=[("local.get", 0)]),
        Function("a name\n\u00e9", body=[]),
    ],
    table=TableType(2, 2),
    memory=MemoryType(1, 16),
    globals=[
        Global("heap", GlobalType("i32", mutable=True), ("i32.const", 1024)),
        Global("not a number", GlobalType("f64"), ("f64.const", float("nan"))),
    ],
    exports=[
        Export("main", "func", "main"),
        Export("memory", "memory"),
        Export("table", "table"),
        Export("heap", "global", "heap"),
    ],
    start="a name\n\u00e9",
    elements=[ElementSegment(0, ["main", "list<int>.length"])],
    data=[
        DataSegment("active", b'"quoted" \\ \x00\xff', offset=8),
        DataSegment("passive", b"hello"),
    ],
    custom_sections=[CustomSection("producers", b"\x00")],
)
