"""What is generated from the models and the table descriptions is up to date and agrees."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from tests.unit.domain.kit import valid_event
from voxlake.events import generate
from voxlake.events.landing import landing_event_spark_schema
from voxlake.events.models import MODELS
from voxlake.tables import TABLE_OF_EVENT_TYPE, TABLES
from voxlake.tables.docs import tables_markdown

REPOSITORY = Path(__file__).resolve().parents[3]


def test_generated_files_are_those_the_models_give():
    files = generate.generated_files()
    stale = [path.name for path, text in files.items() if path.read_text("utf-8") != text]
    assert stale == [], "run python -m voxlake.events.generate"
    folder = generate.FOLDER / "schemas"
    found = {path.name for path in folder.iterdir() if path.suffix in (".json", ".ddl")}
    assert found == {path.name for path in files if path.parent == folder}


def test_the_docs_are_those_the_tables_give():
    found = (REPOSITORY / "docs" / "tables.md").read_text("utf-8")
    assert found == tables_markdown(), "run python -m voxlake.tables > docs/tables.md"


@pytest.mark.parametrize("event_type", MODELS)
def test_json_schemas_take_valid_events_and_refuse_broken_ones(event_type):
    schema = json.loads((generate.FOLDER / "schemas" / f"{event_type}.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(valid_event(event_type))) == []
    for broken in (
        {**valid_event(event_type), "schema_version": 2},
        {**valid_event(event_type), "source": "radio"},
        {**valid_event(event_type), "body": {}},
        {**valid_event(event_type), "occurred_at": "yesterday"},
    ):
        assert list(validator.iter_errors(broken)) != []


@pytest.mark.parametrize("event_type", MODELS)
def test_the_spark_schema_names_every_field_of_the_contract(event_type):
    ddl = landing_event_spark_schema(event_type)
    model = MODELS[event_type]
    body = model.model_fields["body"].annotation
    expected = ["stream", "shard", "sequence", "arrival", "event"]
    expected += [*model.model_fields, *body.model_fields]
    assert re.findall(r"(\w+):? (?=STRING|STRUCT|INT|BIGINT|ARRAY|BOOLEAN)", ddl) == expected


@pytest.mark.parametrize("event_type", MODELS)
def test_cleansed_tables_hold_the_contracts_fields_but_for_names_and_locations(event_type):
    model = MODELS[event_type]
    body = list(model.model_fields["body"].annotation.model_fields)
    envelope = [name for name in model.model_fields if name not in ("event_type", "body")]
    left_in_landing = {"display_name", "location"}
    kept = [name for name in body if name not in left_in_landing]
    table = TABLES[TABLE_OF_EVENT_TYPE[event_type]]
    envelope.remove("author_id")
    assert table.column_names == [*envelope, "author_id", *kept, "arrival", "shard", "sequence"]


def test_every_text_fits_glues_comment_limits():
    for table in TABLES.values():
        assert len(table.row) <= 2048
        for column in table.columns + table.partition_keys:
            assert 0 < len(column.catalog_comment) <= 255
            assert re.fullmatch(r"[\x20-\x7e]+", column.catalog_comment)


def test_keys_are_columns_and_names_are_unique():
    for table in TABLES.values():
        names = [*table.column_names, *(column.name for column in table.partition_keys)]
        assert len(names) == len(set(names))
        assert set(table.key) <= set(names)
