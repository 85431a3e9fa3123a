"""Metric math: numbers, metrics' ids, arithmetic, comparisons, FILL, IF, ABS, CEIL, FLOOR.

An expression is evaluated for one data point at a time; where a point is missing, so is what is
made of it. Other functions are refused when an alarm or a query names them.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from functools import lru_cache

from localcloud.errors import ServiceError

Value = float | None

_BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.And: lambda a, b: bool(a) and bool(b),
    ast.Or: lambda a, b: bool(a) or bool(b),
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ROUNDING = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
_ARGUMENTS = {"IF": (2, 3), "FILL": (2,), **dict.fromkeys(_ROUNDING, (1,))}
_WORDS = ((r"&&|\bAND\b", " and "), (r"\|\||\bOR\b", " or "), (r"\^", "**"))


@lru_cache(maxsize=512)
def parse(text: str) -> ast.expr:
    """An expression, checked. Raises `ServiceError` ValidationError."""
    source = text.strip()
    for word, python in _WORDS:
        source = re.sub(word, python, source)
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError:
        raise _invalid(text, "it is no expression") from None
    _check(tree, text)
    return tree


def names(tree: ast.expr) -> set[str]:
    """The ids that an expression reads."""
    functions = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n not in functions}


def evaluate(tree: ast.expr, read: Callable[[str], Value]) -> Value:
    """The value of a data point; `read` gives that of a metric's or an expression's id."""
    match tree:
        case ast.Constant(value=value):
            return float(value)
        case ast.Name(id=name):
            return read(name)
        case ast.UnaryOp(operand=operand):
            value = evaluate(operand, read)
            return None if value is None else -value
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, arguments, read)
        case ast.BinOp(left=left, op=op, right=right):
            operands = [left, right]
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            operands = [left, right]
        case ast.BoolOp(op=op, values=operands):
            pass
    values = [evaluate(operand, read) for operand in operands]
    if None in values:
        return None
    result = values[0]
    for value in values[1:]:
        if isinstance(op, ast.Div) and value == 0:
            return None
        result = float(_BINARY[type(op)](result, value))
    return result


def _call(name: str, arguments: list[ast.expr], read: Callable[[str], Value]) -> Value:
    first = evaluate(arguments[0], read)
    if name == "FILL":
        return evaluate(arguments[1], read) if first is None else first
    if first is None:
        return None
    if name != "IF":
        return float(_ROUNDING[name](first))
    if first:
        return evaluate(arguments[1], read)
    return evaluate(arguments[2], read) if len(arguments) == 3 else None


def _check(node: ast.AST, text: str) -> None:
    match node:
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if len(arguments) not in _ARGUMENTS.get(name, ()):
                raise _invalid(text, f"{name} with {len(arguments)} arguments is not emulated")
            if name == "FILL" and not isinstance(arguments[1], ast.Constant):
                raise _invalid(text, "FILL with anything but a number is not emulated")
            inner = arguments
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            inner = [left, right]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _BINARY:
            inner = [left, right]
        case ast.BoolOp(values=values):
            inner = values
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = [operand]
        case ast.Name():
            inner = []
        case ast.Constant(value=int() | float()):
            inner = []
        case _:
            raise _invalid(text, f"{ast.unparse(node)} is not emulated")
    for one in inner:
        _check(one, text)


def _invalid(text: str, problem: str) -> ServiceError:
    return ServiceError("ValidationError", f"Error in expression '{text}': {problem}")
