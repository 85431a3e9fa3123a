"""int8 activations with a scale a token, in place of one a batch.

`quantize_dynamic` gives all activations of a batch one scale, so that a text's score depends on the
texts beside it, and one loud token costs every other its precision. Here each token has its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

# Symmetric, as uint8 round 128: the kernels multiply unsigned by signed.
_LEVELS, _ZERO = 127, 128


def scale_by_token(path: Path) -> None:
    """Rewrites, in place, what `quantize_dynamic` made of the matrices of a model.

    Each DynamicQuantizeLinear and its MatMulInteger, Cast and Mul become a QuantizeLinear by rows,
    a MatMulIntegerToFloat (onnxruntime's) and a Mul by the rows' scales.
    """
    document = onnx.load(str(path))
    graph = document.graph
    made_by = {name: node for node in graph.node for name in node.output}
    used_by: dict[str, list] = {}
    for node in graph.node:
        for name in node.input:
            used_by.setdefault(name, []).append(node)
    quantised = {
        node.output[0]: node for node in graph.node if node.op_type == "DynamicQuantizeLinear"
    }
    gone: set[int] = set()
    products: dict[int, list] = {}
    for node in graph.node:
        if node.op_type != "MatMulInteger":
            continue
        (cast,) = used_by[node.output[0]]
        (scaled,) = used_by[cast.output[0]]
        (scales,) = (made_by[name] for name in scaled.input if name != cast.output[0])
        source = quantised[node.input[0]]
        (weight_scales,) = (name for name in scales.input if name != source.output[1])
        products[id(node)] = _product(node, _tag(source), weight_scales, scaled.output[0])
        gone |= {id(cast), id(scaled), id(scales)}
    nodes = []
    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            nodes += _by_row(node)
        elif id(node) in products:
            nodes += products[id(node)]
        elif id(node) not in gone:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(
        numpy_helper.from_array(value, name)
        for name, value in {
            "token_step": np.array(1 / _LEVELS, np.float32),
            "token_least": np.array(1e-12, np.float32),
            "token_zero": np.array(_ZERO, np.uint8),
            "token_one": np.array(1, np.float32),
            "token_flat": np.array([-1], np.int64),
        }.items()
    )
    if all(opset.domain != "com.microsoft" for opset in document.opset_import):
        document.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(document, str(path))


def _tag(node) -> str:
    return f"{node.input[0]}_by_token"


def _by_row(node) -> list:
    """uint8 of the input, each row by its own greatest magnitude; rows are the last dimension."""
    given, tag = node.input[0], _tag(node)
    make = helper.make_node
    zeros = numpy_helper.from_array(np.array([_ZERO], np.uint8))
    return [
        make("Abs", [given], [f"{tag}_size"]),
        make("ReduceMax", [f"{tag}_size"], [f"{tag}_most"], axes=[-1], keepdims=1),
        make("Mul", [f"{tag}_most", "token_step"], [f"{tag}_step"]),
        make("Max", [f"{tag}_step", "token_least"], [f"{tag}_scale"]),
        make("Reshape", [f"{tag}_scale", "token_flat"], [f"{tag}_scales"]),
        make("Shape", [f"{tag}_scales"], [f"{tag}_rows"]),
        make("ConstantOfShape", [f"{tag}_rows"], [f"{tag}_zeros"], value=zeros),
        make("Shape", [given], [f"{tag}_shape"]),
        make("Flatten", [given], [f"{tag}_flat"], axis=-1),
        make(
            "QuantizeLinear",
            [f"{tag}_flat", f"{tag}_scales", f"{tag}_zeros"],
            [f"{tag}_flat_levels"],
            axis=0,
        ),
        make("Reshape", [f"{tag}_flat_levels", f"{tag}_shape"], [f"{tag}_levels"]),
    ]


def _product(node, tag: str, weight_scales: str, output: str) -> list:
    return [
        helper.make_node(
            "MatMulIntegerToFloat",
            [f"{tag}_levels", node.input[1], "token_one", weight_scales, "token_zero",
             node.input[3]],
            [f"{output}_unscaled"],
            domain="com.microsoft",
        ),
        helper.make_node("Mul", [f"{output}_unscaled", f"{tag}_scale"], [output]),
    ]  # fmt: skip
