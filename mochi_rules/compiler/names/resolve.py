"""Name resolution: every name in the tree gets the symbol that it means.

Scopes are lexical and blocks have their own; functions are visible in the whole block that
declares them, a module's top level included. What a function uses of the functions around it is
captured; what it uses of the top level is global.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import Diagnostic
from mochi_rules.base.span import Span
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.compiler.names.builtins import BUILTINS, FOREIGN_MODULES
from mochi_rules.compiler.names.duplicates import Declared, report_twice
from mochi_rules.compiler.names.scopes import (
    Resolution,
    find_early_uses,
    key_parts,
    spread_captures,
)
from mochi_rules.compiler.names.symbols import (
    Builtin,
    ForeignModule,
    Function,
    ModuleScope,
    Null,
    Struct,
    Symbol,
    Variable,
)
from mochi_rules.compiler.names.type_declarations import TypeDeclarations
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import branches, choices, links_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mochi_rules.base.diagnostic import Diagnostics

_NULL = Null()
_UNSUPPORTED = {
    ast.Generate: "generate", ast.LogicQuery: "query", ast.Fetch: "fetch", ast.Load: "load",
    ast.Save: "save", ast.FetchInto: "fetch", ast.Bench: "bench",
}  # fmt: skip
_SUGGESTIONS = 100  # in a module


def resolve_program(modules: list[ModuleScope], diagnostics: Diagnostics) -> Resolution:
    """Resolve the names of a program.

    Emits: T002, T003, T024, T025, T045, T090, T095.
    """
    resolution = Resolution(modules)
    for module in modules:
        _Resolver(module, resolution, diagnostics).run()
    spread_captures(resolution.functions)
    return resolution


class _Resolver:
    def __init__(
        self, module: ModuleScope, resolution: Resolution, diagnostics: Diagnostics
    ) -> None:
        self.module = module
        self.resolution = resolution
        self.diagnostics = diagnostics
        self.scopes: list[dict[str, Any]] = [module.names]
        self.types = TypeDeclarations(module, resolution, diagnostics)
        self.loops: list[dict[Variable, None]] = []
        self.imported = self._declared()  # the names of imports
        self.suggestions = 0
        self.visited: ast.Node | None = None  # the link of a chain before the one being visited
        self.function = module.top = Function("main", module, None, None)
        self.visitors: dict[type, Callable[[Any], None]] = {
            ast.Name: self._name, ast.Call: self._call, ast.Field: self._field,
            ast.StructLit: self._struct_literal, ast.FunExpr: self._fun_expr,
            ast.Match: self._match, ast.Query: self._query, ast.Cast: self._cast,
            ast.MapLit: self._map_literal,
            ast.Let: self._let, ast.Assign: self._assign, ast.FunDecl: self._fun_decl,
            ast.If: self._if, ast.IfExpr: self._if_expr, ast.While: self._while,
            ast.For: self._for, ast.Test: self._test, ast.Break: self._loop_exit,
            ast.Continue: self._loop_exit, ast.Update: self._update,
            ast.Interpreted: self._interpreted, ast.StructDecl: self._struct_decl,
            ast.Import: self._import,
            **dict.fromkeys(_UNSUPPORTED, self._unsupported),
        }  # fmt: skip
        self.children: dict[type, tuple[str, ...]] = {
            ast.ListLit: ("items",), ast.Index: ("base", "index"),
            ast.Slice: ("base", "low", "high", "step"), ast.Unary: ("operand",),
            ast.Binary: ("left", "right"), ast.ExprStmt: ("value",),
            ast.Return: ("value",), ast.Expect: ("condition",),
        }  # fmt: skip

    def run(self) -> None:
        """Resolve the module."""
        self.resolution.functions.append(self.function)
        self.types.declare_all()
        self._declare_imports()
        body = self.module.tree.body
        self._hoist(body)
        for statement in body:
            if isinstance(statement, ast.Let):
                self._declare_top_level(statement)
        mentioned: list[tuple[ast.Stmt, set[Function]]] = []
        for statement in body:
            self.function.mentions.clear()
            self._visit(statement)
            mentioned.append((statement, set(self.function.mentions)))
        find_early_uses(mentioned)

    def _error(self, code: str, message: str, node: ast.Node, help: str = "") -> None:
        span = Span(self.module.source, node.start, node.end)
        self.diagnostics.add(Diagnostic(code, message, span, help=help))

    def _declared(self) -> Declared:
        return Declared(self.module.source, self.diagnostics)

    def _report_twice(
        self, what: str, names: Iterable[tuple[str, int]], verb: str = "declared"
    ) -> None:
        report_twice(self.module.source, self.diagnostics, what, names, verb)

    # Declarations

    def _declare_imports(self) -> None:
        for statement in self.module.tree.body:
            if not isinstance(statement, ast.Import):
                continue
            alias = statement.alias or statement.path.rsplit("/", 1)[-1].removesuffix(".mochi")
            self.imported.add("module", alias, statement.path_start, statement.end)
            if statement.language == "":
                self.module.names[alias] = self.module.imports[statement.path]
            elif statement.path in FOREIGN_MODULES:
                self.module.names[alias] = ForeignModule(statement.path)
            else:
                self._error(
                    "T090",
                    f'`import {statement.language} "{statement.path}"` is not supported',
                    statement,
                    help="compile it to WebAssembly and link it separately, or rewrite it in Mochi",
                )
                self.module.names[alias] = _NULL  # what uses it is not wrong by itself

    def _hoist(self, body: list[ast.Stmt]) -> None:
        """Make the functions of a block visible in the whole block."""
        is_top_level = self.scopes[-1] is self.module.names
        declared = self.imported if is_top_level else self._declared()
        for statement in body:
            if isinstance(statement, ast.Let):
                declared.add("variable", statement.name, statement.name_start)
            elif isinstance(statement, ast.FunDecl):
                declared.add("function", statement.name, statement.name_start)
                parent = None if is_top_level else self.function
                function = Function(statement.name, self.module, statement, parent)
                statement.info = function
                self.scopes[-1][statement.name] = function

    def _declare_top_level(self, node: ast.Let) -> None:
        known = self.module.names.get(node.name)
        if isinstance(known, Variable):
            known.is_reassigned = True  # a second declaration rebinds the one variable
            node.decl = known
            return
        node.decl = self.module.names[node.name] = Variable(
            node.name, self.function, is_top_level=True, annotation=node.type
        )

    def _new_variable(self, name: str, annotation: ast.TypeExpr | None = None) -> Variable:
        variable = Variable(name, self.function, annotation=annotation)
        self.scopes[-1][name] = variable
        return variable

    # Walking

    def _visit(self, node: ast.Node | None) -> None:
        if node is None or node is self.visited:
            return
        for link in links_before(node):
            self._visit_link(link)
            self.visited = link
        self._visit_link(node)

    def _visit_link(self, node: ast.Node) -> None:
        kind = type(node)
        if kind in self.visitors:
            self.visitors[kind](node)
            return
        for name in self.children.get(kind, ()):
            child = getattr(node, name)
            if isinstance(child, list):
                for item in child:
                    self._visit(item)
            else:
                self._visit(child)

    def _block(self, body: list[ast.Stmt]) -> None:
        self.scopes.append({})
        for statement in body:
            self.types.declare(statement)  # in a function expression
        self._hoist(body)
        for statement in body:
            self._visit(statement)
        self.scopes.pop()

    def _find(self, name: str) -> Symbol | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]  # type: ignore[no-any-return]
        if name in BUILTINS:
            return Builtin(name)
        return _NULL if name in ("nil", "null") else None

    def _use(self, symbol: Symbol) -> None:
        """Note what a mention of a symbol means for the functions around it."""
        if isinstance(symbol, Variable) and symbol.owner is not self.function:
            if symbol.is_top_level:
                symbol.is_global = True
                self.function.globals[symbol] = None
                return
            symbol.is_captured = True
            function: Function | None = self.function
            while function is not None and function is not symbol.owner:
                function.captures[symbol] = None
                function = function.parent
        elif isinstance(symbol, Function):
            self.function.mentions[symbol] = None

    # Expressions

    def _name(self, node: ast.Name) -> None:
        symbol = self._find(node.name)
        if symbol is None:
            help_ = self._as_literal(node.name) or self._similar(node.name)
            self._error("T002", f"undefined variable: `{node.name}`", node, help_)
            return
        if isinstance(symbol, Function) and symbol.receiver is not None:
            message = f"the method `{node.name}` as a value is not supported"
            self._error("T090", message, node, help=f"wrap it: `fun() => {node.name}()`")
        self._use(symbol)
        node.decl = symbol

    def _as_literal(self, name: str) -> str:
        """Return how to make a value of the struct of a name, or ""."""
        type_ = self.module.types.get(name)
        fields = ", ".join(f"{field}: …" for field in getattr(type_, "fields", ()))
        return f"make one with `{name} {{ {fields} }}`" if isinstance(type_, Struct) else ""

    def _similar(self, name: str) -> str:
        """Return a suggestion; the search takes time, so only the first mistakes get one."""
        self.suggestions += 1
        if self.suggestions > _SUGGESTIONS:
            return ""
        return did_you_mean(name, set(BUILTINS).union(*self.scopes))

    def _call(self, node: ast.Call) -> None:
        callee = node.callee
        if isinstance(callee, ast.Name):
            symbol = self._find(callee.name)
            if symbol is None:
                help_ = self._as_literal(callee.name) or self._similar(callee.name)
                self._error("T003", f"unknown function: `{callee.name}`", callee, help_)
            else:
                self._use(symbol)
                callee.decl = symbol
        elif isinstance(callee, ast.Field):
            self._field(callee)
        else:
            self._visit(callee)
        for arg in node.args:
            self._visit(arg)

    def _field(self, node: ast.Field) -> None:
        base = node.base
        if isinstance(base, ast.Name) and self._find(base.name) is None and base.name == "strings":
            base.decl = ForeignModule("strings")  # `strings.ToUpper` works without an import
            return
        self._visit(base)

    def _struct_literal(self, node: ast.StructLit) -> None:
        types = self.module.types
        if node.name not in types:
            known = [name for name, type_ in types.items() if isinstance(type_, Struct)]
            help_ = did_you_mean(node.name, known)
            name = ast.Name(node.start, node.start + len(node.name), node.name)
            self._error("T025", f"unknown type: `{node.name}`", name, help_)
        given = ((item.name, item.start) for item in node.fields)
        self._report_twice("field", given, "given")
        for item in node.fields:
            self._visit(item.value)

    def _map_literal(self, node: ast.MapLit) -> None:
        for key, value in node.items:
            self._visit(key)
            self._visit(value)

    def _cast(self, node: ast.Cast) -> None:
        self._visit(node.operand)

    def _fun_expr(self, node: ast.FunExpr) -> None:
        function = Function("lambda", self.module, node.fun, self.function)
        node.fun.info = function
        self.function.mentions[function] = None
        self._function_body(function)

    def _match(self, node: ast.Match) -> None:
        self._visit(node.subject)
        for arm in node.arms:
            self.scopes.append({})
            self._pattern(arm.pattern)
            self._visit(arm.value)
            if arm.block is not None:
                self._block(arm.block)
            self.scopes.pop()

    def _pattern(self, node: ast.Expr) -> None:
        """Resolve a pattern; an identifier never binds, the arguments of a variant do."""
        match node:
            case ast.Name(name="_"):
                pass
            case ast.Name():
                node.decl = self._find(node.name)
                if node.decl is None:
                    self._name(node)
            case ast.Call(callee=ast.Name() as callee):
                callee.decl = self._find(callee.name)
                if not isinstance(callee.decl, Struct):
                    self._error("T093", f"unknown variant: `{callee.name}`", callee)
                for arg in node.args:
                    if isinstance(arg, ast.Name) and arg.name != "_":
                        arg.decl = self._find(arg.name)
                        if not isinstance(arg.decl, Struct):
                            arg.decl = self._new_variable(arg.name)
                    else:
                        self._pattern(arg)
                names = [arg for arg in node.args if isinstance(arg, ast.Name)]
                bound = ((arg.name, arg.start) for arg in names if isinstance(arg.decl, Variable))
                self._report_twice("pattern variable", bound)
            case _:
                self._visit(node)

    def _query(self, node: ast.Query) -> None:
        self.scopes.append({})
        self._report_twice(
            "query variable", ((part.name, part.name_start) for part in _parts(node))
        )
        for source in _parts(node):
            self._visit(source.source)
            source.variable = self._new_variable(source.name)
            if isinstance(source, ast.QueryJoin):
                self._visit(source.condition)
        self._visit(node.where)
        if node.group is not None:
            for key in node.group.keys:
                self._visit(key)
            self.scopes.append({})
            for name in key_parts(node.group):
                node.group.parts[name] = self._new_variable(name)
            node.group.variable = self._new_variable(node.group.name)
            self._visit(node.group.having)
        for clause in (node.sort, node.skip, node.take, node.select):
            self._visit(clause)
        if node.group is not None:
            self.scopes.pop()
        self.scopes.pop()

    # Statements

    def _let(self, node: ast.Let) -> None:
        self._visit(node.value)
        if node.decl is None:
            node.decl = self._new_variable(node.name, node.type)
        elif self.loops:
            self._assign_to(node.decl)

    def _assign(self, node: ast.Assign) -> None:
        self._visit(node.value)
        target = node.target
        if isinstance(target, ast.Name):
            symbol = self._find(target.name)
            if isinstance(symbol, Variable):
                target.decl = symbol
                self._use(symbol)
                self._assign_to(symbol)
            elif isinstance(symbol, (Function, ModuleScope, ForeignModule)):
                what = "function" if isinstance(symbol, Function) else "module"
                message = f"cannot assign to the {what} `{target.name}`"
                self._error("T024", message, target)
            else:
                help_ = f"declare it: `var {target.name} = ...`"
                self._error(
                    "T001", f"assignment to undeclared variable: `{target.name}`", target, help_
                )
            return
        self._visit(target)

    def _assign_to(self, variable: Variable) -> None:
        variable.is_reassigned = True
        for loop in self.loops:
            loop[variable] = None

    def _fun_decl(self, node: ast.FunDecl) -> None:
        self._function_body(node.info)

    def _struct_decl(self, node: ast.StructDecl) -> None:
        for method in node.info.methods.values():
            self._function_body(method)

    def _function_body(self, function: Function) -> None:
        decl = function.decl
        assert decl is not None
        self.resolution.functions.append(function)
        outer, self.function = self.function, function
        loops, self.loops = self.loops, []
        depth = len(self.scopes)
        self.scopes.append({})
        if function.receiver is not None:
            self._method_scope(function, function.receiver)
        self._report_twice("parameter", ((param.name, param.start) for param in decl.params))
        for param in decl.params:
            function.params.append(self._new_variable(param.name, param.type))
        self._block(decl.body)
        del self.scopes[depth:]
        self.function, self.loops = outer, loops

    def _method_scope(self, function: Function, struct: Struct) -> None:
        self.scopes[-1].update(struct.methods)
        for name in struct.fields:
            function.fields[name] = self._new_variable(name)
        self.scopes.append({})

    def _if(self, node: ast.If) -> None:
        for branch in branches(node):
            self._visit(branch.condition)
            self._block(branch.then)
        self._block(branch.otherwise or [])

    def _if_expr(self, node: ast.IfExpr) -> None:
        for choice in choices(node):
            self._visit(choice.condition)
            self._visit(choice.then)
        self._visit(choice.otherwise)

    def _while(self, node: ast.While) -> None:
        self._enter_loop(node)
        self._visit(node.condition)
        self._block(node.body)
        self.loops.pop()

    def _enter_loop(self, node: ast.Node) -> None:
        assigned = self.resolution.assigned[node] = {}
        self.loops.append(assigned)

    def _for(self, node: ast.For) -> None:
        self._visit(node.low)
        self._visit(node.high)
        self._enter_loop(node)
        self.scopes.append({})
        node.decl = self._new_variable(node.name)
        self._block(node.body)
        self.scopes.pop()
        self.loops.pop()

    def _loop_exit(self, node: ast.Break | ast.Continue) -> None:
        if not self.loops:
            word = "break" if isinstance(node, ast.Break) else "continue"
            self._error("T045", f"`{word}` outside of a loop", node)

    def _test(self, node: ast.Test) -> None:
        self._block(node.body)

    def _update(self, node: ast.Update) -> None:
        """Resolve an update: any field of any struct may be one of the element's."""
        self._visit(node.target)
        self.scopes.append({})
        for struct in self.module.types.values():
            if isinstance(struct, Struct):
                for name in struct.fields:
                    node.fields.setdefault(name, self._new_variable(name))
        for _, value in node.items:
            self._visit(value)
        self._visit(node.where)
        self.scopes.pop()

    def _import(self, node: ast.Import) -> None:
        if len(self.scopes) > 1:
            message = "`import` inside a block is not supported"
            self._error("T090", message, node, help="move it to the top level of the file")

    def _interpreted(self, node: ast.Interpreted) -> None:
        self._error("T090", f"`{node.construct}` is not supported: only interpreters run it", node)

    def _unsupported(self, node: ast.Node) -> None:
        self._error("T090", f"`{_UNSUPPORTED[type(node)]}` is not supported yet", node)


def _parts(node: ast.Query) -> list[ast.QuerySource | ast.QueryJoin]:
    return [*node.sources, *node.joins]
