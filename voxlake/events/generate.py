"""Writes what is generated from the models: JSON Schemas, Spark DDL, the fast check.

Run ``python -m voxlake.events.generate`` after changing a model; a test fails until it was run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voxlake.events.models import MODELS

FOLDER = Path(__file__).parent

_CHECKS_HEADER = '''\
"""Whether a parsed event is valid: generated from the models, do not edit.

``python -m voxlake.events.generate`` writes this file; a test fails until it was run. Each check
takes the parsed object and the latest occurred_at allowed; False says only that something is
wrong, ``parse`` then asks the models what. Plain code, since it runs once for every record: about
a fifth of the time of the models' own validation.
"""
# ruff: noqa: SIM102, SIM103

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from voxlake.events.instants import EARLIEST, NEVER, instant
'''


def generated_files() -> dict[Path, str]:
    """Text of every generated file by its path."""
    files: dict[Path, str] = {FOLDER / "checks.py": _checks_module()}
    for event_type, model in MODELS.items():
        schema = _json_schema(event_type)
        title = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        text = json.dumps({**title, **model.model_json_schema()}, indent=2, ensure_ascii=False)
        files[FOLDER / "schemas" / f"{event_type}.json"] = text + "\n"
        files[FOLDER / "schemas" / f"landing_{event_type}.ddl"] = _landing_ddl(schema) + "\n"
    return files


def _json_schema(event_type: str) -> dict[str, Any]:
    """The model's JSON Schema with the body in place of its reference."""
    schema = MODELS[event_type].model_json_schema()
    name = schema["properties"]["body"]["$ref"].rpartition("/")[2]
    schema["properties"]["body"] = schema.pop("$defs")[name]
    return schema


def _properties(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any], bool]]:
    """(name, schema without null, required) of each property in the contract's order."""
    found = []
    for name, of_name in schema["properties"].items():
        options = [option for option in of_name.get("anyOf", [of_name]) if option != _NULL]
        found.append((name, options[0], name in schema["required"]))
    return found


_NULL = {"type": "null"}


def _landing_ddl(schema: dict[str, Any]) -> str:
    return (
        f"stream STRING, shard STRING, sequence STRING, arrival STRING, event {_spark_type(schema)}"
    )


def _spark_type(schema: dict[str, Any]) -> str:
    if schema["type"] == "object":
        fields = (f"{name}: {_spark_type(of)}" for name, of, _ in _properties(schema))
        return f"STRUCT<{', '.join(fields)}>"
    if schema["type"] == "array":
        return f"ARRAY<{_spark_type(schema['items'])}>"
    if schema["type"] == "integer":
        return "BIGINT" if schema.get("maximum", 0) > 2**31 else "INT"
    return {"string": "STRING", "boolean": "BOOLEAN"}[schema["type"]]


def _checks_module() -> str:
    parts = [_CHECKS_HEADER]
    for event_type in MODELS:
        schema = _json_schema(event_type)
        lines = [
            f"\n\ndef _{event_type}(event: dict[str, Any], latest: datetime) -> bool:",
            '    body = event["body"]',
            "    if type(body) is not dict:",
            "        return False",
        ]
        for name, of_name, _ in _properties(schema):
            if name not in ("event_type", "body"):
                lines += _check("event", name, of_name, required=True)
        for name, of_name, required in _properties(schema["properties"]["body"]):
            lines += _check("body", name, of_name, required=required)
        parts.append("\n".join([*lines, "    return True\n"]))
    parts.append("\n\nCHECKS: dict[str, Callable[[dict[str, Any], datetime], bool]] = {\n")
    parts.extend(f'    "{event_type}": _{event_type},\n' for event_type in MODELS)
    parts.append("}\n")
    parts.append(
        '"""Check of each event type; raises KeyError where a required field is absent."""\n'
    )
    return "".join(parts)


def _check(holder: str, name: str, schema: dict[str, Any], *, required: bool) -> list[str]:
    """Lines checking one property; a required one raises KeyError where it is absent."""
    if name == "occurred_at":
        wrong = "type(value) is not str or not EARLIEST <= (instant(value) or NEVER) <= latest"
    else:
        wrong = _wrong(schema)
    checks = [f"if {wrong}:", "    return False"]
    if schema["type"] == "array":
        checks += ["for item in value:", f"    if {_wrong(schema['items'], 'item')}:"]
        checks += ["        return False"]
    if required:
        return [f'    value = {holder}["{name}"]', *(f"    {line}" for line in checks)]
    return [
        f'    value = {holder}.get("{name}")',
        "    if value is not None:",
        *(f"        {line}" for line in checks),
    ]


def _wrong(schema: dict[str, Any], variable: str = "value") -> str:
    """Expression that is true where the variable breaks its schema."""
    v = variable
    kind = schema["type"]
    if "enum" in schema:
        members = ", ".join(f'"{member}"' for member in schema["enum"])
        return f"type({v}) is not str or {v} not in {{{members}}}"
    if kind == "boolean":
        return f"type({v}) is not bool"
    if kind == "integer":
        if "const" in schema:
            return f"type({v}) is not int or {v} != {schema['const']}"
        return f"type({v}) is not int or not {schema['minimum']} <= {v} <= {schema['maximum']}"
    if kind == "array":
        return f"type({v}) is not list or len({v}) > {schema['maxItems']}"
    if schema.get("format") == "date-time":
        return f"type({v}) is not str or instant({v}) is None"
    if schema.get("minLength"):
        low, high = schema["minLength"], schema["maxLength"]
        return f"type({v}) is not str or not {low} <= len({v}) <= {high}"
    return f"type({v}) is not str or len({v}) > {schema['maxLength']}"


def main() -> None:
    """Writes every generated file."""
    for path, text in generated_files().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
