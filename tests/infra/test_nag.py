"""cdk-nag's AwsSolutions pack, and CDK's own validation, over every stage."""

import json

import pytest
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from infra.app import build_stacks, make_app
from infra.config import STAGES, load_stage
from infra.nag import ACKNOWLEDGED, Acknowledged, Finding, findings, unacknowledged, unused


@pytest.mark.parametrize("stage", STAGES)
def test_every_finding_is_acknowledged_with_a_reason_that_still_applies(stage, tmp_path):
    app = make_app(stage=stage, out=tmp_path / "cdk.out", bundle=False)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    build_stacks(app, load_stage(stage), tmp_path / "staging")
    # Synthesis with findings ends in an error; the report is what counts.
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    report = json.loads((tmp_path / "cdk.out" / "validation-report.json").read_text())
    plugins = {plugin["pluginName"] for plugin in report["pluginReports"]}
    assert "AwsSolutions" in plugins
    found = findings(report)
    assert unacknowledged(found) == []
    if stage == "full":  # it has everything
        assert unused(found) == []


def test_a_new_wildcard_is_not_acknowledged():
    finding = Finding("AwsSolutions-IAM5[Action::s3:*]", "ingest/StreamConsumer/Role/DefaultPolicy")
    assert unacknowledged([finding]) == [finding]


def test_every_reason_says_something():
    assert all(len(entry.reason) > 20 for entry in ACKNOWLEDGED)
    assert isinstance(ACKNOWLEDGED[0], Acknowledged)
