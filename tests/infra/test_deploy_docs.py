"""docs/deploy.md: what can be checked of it without an account."""

import json
import re

from botocore import xform_name
from botocore.loaders import create_loader

from infra.packaging import REPOSITORY
from voxlake.cli import doctor_stage

PAGE = (REPOSITORY / "docs" / "deploy.md").read_text()
SERVICES = {"servicequotas": "service-quotas"}
# Permissions that are called otherwise than the operations which need them.
PERMISSIONS = {"s3:DeleteObjectVersion", "s3:ListBucketVersions"}


def statements():
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    return {one["Sid"]: one for one in json.loads(block)["Statement"]}


def test_the_policy_names_actions_that_there_are():
    for statement in statements().values():
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            service, _, name = action.partition(":")
            model = create_loader().load_service_model(SERVICES.get(service, service), "service-2")
            assert name in model["operations"] or action in PERMISSIONS, action


def test_the_policy_allows_what_doctor_calls_and_no_more():
    source = (REPOSITORY / doctor_stage.__file__).read_text()
    for action in statements()["DoctorLooks"]["Action"]:
        assert f"{xform_name(action.partition(':')[2])}" in source, action
    called = {
        f"{service.replace('-', '')}"
        for service in re.findall(r'client\(\s*"([a-z-]+)"\s*\)', source)
    }
    assert called == {a.partition(":")[0] for a in statements()["DoctorLooks"]["Action"]}


def test_the_policy_lets_purge_empty_the_buckets_of_dev_alone():
    resources = statements()["PurgeEmptiesTheBucketsOfDev"]["Resource"]
    assert resources == ["arn:aws:s3:::voxlake-dev-*", "arn:aws:s3:::voxlake-dev-*/*"]


def test_the_quotas_are_those_that_doctor_looks_at():
    for service, name, least, _ in doctor_stage.QUOTAS:
        assert re.search(rf"\| {service}: {re.escape(name)} \| {least}\b", PAGE, re.IGNORECASE), (
            name
        )
