"""What sessions of roles may do, asked through the API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from tests.localcloud.core.conftest import code_of

ACCOUNT = "123456789012"


def allow(actions, *resources, **more):
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources), **more}


def test_an_object_is_written_only_under_the_granted_prefix(cloud: Cloud, bucket, role):
    s3 = role(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/post/*"))("s3")
    s3.put_object(Bucket=bucket, Key="post/1", Body=b"x")
    code, status, message = code_of(lambda: s3.put_object(Bucket=bucket, Key="other/1", Body=b"x"))
    assert (code, status) == ("AccessDenied", 403)
    assert message.startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/")
    assert (
        f"not authorized to perform: s3:PutObject on resource: arn:aws:s3:::{bucket}/other/1"
        in (message)
    )
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="post/1"))[0] == "AccessDenied"


def test_a_missing_object_is_hidden_from_those_who_may_not_list(cloud: Cloud, bucket, role):
    read = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    blind, seeing = (
        role(read)("s3"),
        role(read, allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"))("s3"),
    )
    assert code_of(lambda: blind.get_object(Bucket=bucket, Key="absent"))[0] == "AccessDenied"
    assert code_of(lambda: seeing.get_object(Bucket=bucket, Key="absent"))[0] == "NoSuchKey"


def test_listing_is_bound_to_a_prefix_by_condition(cloud: Cloud, bucket, role):
    s3 = role(
        allow(
            "s3:ListBucket",
            f"arn:aws:s3:::{bucket}",
            Condition={"StringLike": {"s3:prefix": "post/*"}},
        )
    )("s3")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="post/x")["KeyCount"] == 0
    assert code_of(lambda: s3.list_objects_v2(Bucket=bucket))[0] == "AccessDenied"


def test_a_bucket_under_a_customer_key_needs_the_key_too(cloud: Cloud, bucket, role):
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    cloud.client("s3").put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]},
    )  # fmt: skip
    objects = allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{bucket}/*")
    without = role(objects)("s3")
    writer = role(objects, allow("kms:GenerateDataKey", key))("s3")
    reader = role(objects, allow("kms:Decrypt", key))("s3")
    refused = code_of(lambda: without.put_object(Bucket=bucket, Key="k", Body=b"x"))
    assert refused[0] == "AccessDenied"
    assert f"kms:GenerateDataKey on resource: {key}" in refused[2]
    writer.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert code_of(lambda: writer.get_object(Bucket=bucket, Key="k"))[0] == "AccessDenied"
    assert reader.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_a_key_policy_that_does_not_name_the_account_shuts_roles_out(cloud: Cloud, role):
    other = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}
    policy = {"Version": "2012-10-17", "Statement": [allow("kms:*", "*", Principal=other)]}
    key = cloud.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    kms = role(allow("kms:*", "*"))("kms")
    refused = code_of(lambda: kms.encrypt(KeyId=key, Plaintext=b"x"))
    assert refused[:2] == ("AccessDeniedException", 400)


def test_a_bucket_policy_denies_without_tls_only_on_the_wire(cloud: Cloud, bucket, role):
    arns = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    tls = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": arns,
           "Condition": {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip
    no_deletes = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": arns}
    cloud.client("s3").put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [tls, no_deletes]})
    )
    s3 = role(allow("s3:*", *arns))("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    code, _, message = code_of(lambda: s3.delete_object(Bucket=bucket, Key="k"))
    assert code == "AccessDenied"
    assert "with an explicit deny" in message
    cloud.client("s3").delete_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize("granted", [True, False])
def test_json_services_check_exact_arns(cloud: Cloud, role, granted, request):
    table = "ledger-granted" if granted else "ledger-refused"
    cloud.client("dynamodb").create_table(
        TableName=table, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip
    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table if granted else 'other'}"
    client = role(allow(["dynamodb:PutItem", "dynamodb:GetItem"], arn))("dynamodb")
    put = code_of(lambda: client.put_item(TableName=table, Item={"pk": {"S": "a"}}))
    batch = code_of(lambda: client.scan(TableName=table))
    assert put[:2] == (("", 200) if granted else ("AccessDeniedException", 400))
    assert batch[0] == "AccessDeniedException"


@pytest.mark.parametrize("granted", [True, False])
def test_a_batch_asks_for_its_right_on_each_table(cloud: Cloud, role, granted):
    tables = [f"batch-{granted}-{name}".lower() for name in ("one", "two")]
    for table in tables:
        cloud.client("dynamodb").create_table(
            TableName=table, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )  # fmt: skip
    arns = [f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table}" for table in tables]
    client = role(allow("dynamodb:BatchWriteItem", *arns[: 1 + granted]))("dynamodb")
    puts = {table: [{"PutRequest": {"Item": {"pk": {"S": table}}}}] for table in tables}
    found = code_of(lambda: client.batch_write_item(RequestItems=puts))
    assert found[:2] == (("", 200) if granted else ("AccessDeniedException", 400))


def test_metrics_are_put_only_into_the_granted_namespace(cloud: Cloud, role):
    cloudwatch = role(
        allow(
            "cloudwatch:PutMetricData",
            "*",
            Condition={"StringEquals": {"cloudwatch:namespace": "Glue"}},
        )
    )("cloudwatch")
    data = [{"MetricName": "m", "Value": 1}]
    cloudwatch.put_metric_data(Namespace="Glue", MetricData=data)
    refused = code_of(lambda: cloudwatch.put_metric_data(Namespace="Other", MetricData=data))
    assert refused[0].startswith("AccessDenied")


def test_a_role_with_a_boundary_may_do_nothing(cloud: Cloud, bucket, role):
    document = {"Version": "2012-10-17", "Statement": [allow("s3:GetObject", "*")]}
    boundary = cloud.client("iam").create_policy(
        PolicyName="reading", PolicyDocument=json.dumps(document)
    )["Policy"]["Arn"]
    s3 = role(allow("s3:*", "*"), PermissionsBoundary=boundary)("s3")
    code, _, message = code_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b""))
    assert code == "AccessDenied"
    assert "permissions boundaries are not evaluated" in message


def test_a_bucket_policy_that_is_not_evaluated_refuses_and_says_why(cloud: Cloud, bucket, role):
    statement = {"Effect": "Deny", "Principal": "*", "NotAction": "s3:PutObject", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    s3 = role(allow("s3:*", "*"))("s3")
    code, status, message = code_of(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b""))
    assert (code, status) == ("AccessDenied", 403)
    assert "element NotAction of a policy is not evaluated" in message


def test_a_role_is_assumed_only_by_whom_its_trust_policy_names(cloud: Cloud):
    iam, sts = cloud.client("iam"), cloud.client("sts")

    def trusting(name, principal):
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"][
            "Arn"
        ]

    account = trusting("for-account", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    lambdas = trusting("for-lambda", {"Service": "lambda.amazonaws.com"})
    made = sts.assume_role(RoleArn=account, RoleSessionName="desk")
    assert made["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/for-account/desk"
    refused = code_of(lambda: sts.assume_role(RoleArn=lambdas, RoleSessionName="desk"))
    assert refused[:2] == ("AccessDenied", 403)
    assert cloud.role_credentials(lambdas, "s", "lambda.amazonaws.com")["AWS_SESSION_TOKEN"]
    with pytest.raises(ServiceError) as raised:
        cloud.role_credentials(lambdas, "s", "glue.amazonaws.com")
    assert raised.value.code == "AccessDenied"


def test_nobody_without_credentials_gets_in(cloud: Cloud, bucket):
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{cloud.endpoint}/{bucket}"
        )
    assert raised.value.code == 403


def test_a_role_session_knows_who_it_is(role):
    identity = role()("sts").get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert ":assumed-role/" in identity["Arn"]


def test_the_environment_of_a_role_holds_no_inherited_aws_variable(cloud: Cloud, monkeypatch):
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                            "Principal": {"Service": "glue.amazonaws.com"}}]}  # fmt: skip
    arn = cloud.client("iam").create_role(
        RoleName="env", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    monkeypatch.setenv("AWS_PROFILE", "mine")
    environment = cloud.environment(arn, service="glue.amazonaws.com")
    assert "AWS_PROFILE" not in environment
    assert environment["AWS_ENDPOINT_URL"] == cloud.endpoint
    assert environment["AWS_REGION"] == "us-east-1"
