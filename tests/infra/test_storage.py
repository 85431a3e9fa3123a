"""Key, buckets, ledger, secret."""

import json

import pytest

BUCKETS = ("Landing", "Cleansed", "Analytics", "Artifacts", "QueryResults")


def test_every_bucket_is_encrypted_versioned_and_closed(assembly):
    buckets = assembly.resources("storage", "AWS::S3::Bucket")
    assert len(buckets) == len(BUCKETS)
    (key,) = assembly.resources("storage", "AWS::KMS::Key")
    for bucket in buckets.values():
        properties = bucket["Properties"]
        assert properties["BucketEncryption"] == {
            "ServerSideEncryptionConfiguration": [
                {
                    "BucketKeyEnabled": True,
                    "ServerSideEncryptionByDefault": {
                        "KMSMasterKeyID": {"Fn::GetAtt": [key, "Arn"]},
                        "SSEAlgorithm": "aws:kms",
                    },
                }
            ]
        }
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert properties["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        assert properties["OwnershipControls"] == {
            "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
        }
        assert {
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
            "Id": "Housekeeping",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
            "Status": "Enabled",
        } in properties["LifecycleConfiguration"]["Rules"]


def test_every_bucket_refuses_plain_http(assembly):
    refused = {}
    for policy in assembly.resources("storage", "AWS::S3::BucketPolicy").values():
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        name = policy["Properties"]["Bucket"]["Ref"]
        arn = {"Fn::GetAtt": [name, "Arn"]}
        assert statement == {
            "Action": "s3:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
        }
        refused[name] = True
    assert set(refused) == set(assembly.resources("storage", "AWS::S3::Bucket"))


def test_landing_expires_after_its_retention(assembly):
    days = {"dev": 14, "prod": 90, "full": 30}[assembly.stage]
    rules = _rules(assembly, "Landing")
    assert {"ExpirationInDays": days, "Id": "LandingRetention", "Status": "Enabled"} in rules


@pytest.mark.parametrize("zone", ["Cleansed", "Analytics"])
def test_tables_do_not_expire(full, zone):
    assert not [rule for rule in _rules(full, zone) if "ExpirationInDays" in rule]


def test_texts_on_their_way_to_the_model_expire(full):
    expiring = {
        rule["Prefix"]: rule["ExpirationInDays"]
        for rule in _rules(full, "Artifacts")
        if "ExpirationInDays" in rule
    }
    assert expiring == {"scoring/": 14, "glue-temp/": 14, "warehouse/": 14}


def test_the_key_rotates_and_admits_the_services_that_use_it(assembly):
    key = assembly.only("storage", "AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    statements = {s.get("Sid"): s for s in key["KeyPolicy"]["Statement"]}
    logs = statements["LogsEncryptsLogGroups"]
    assert logs["Principal"] == {
        "Service": {"Fn::Join": ["", ["logs.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]}
    }
    assert list(logs["Condition"]["ArnLike"]) == ["kms:EncryptionContext:aws:logs:arn"]
    topic = statements["AlarmsAndRulesPublishToTheTopic"]
    assert topic["Principal"] == {
        "Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"]
    }
    assert topic["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert "Condition" not in topic


def test_the_ledger_is_on_demand_recoverable_and_has_the_pending_index(assembly):
    table = assembly.only("storage", "AWS::DynamoDB::Table")
    (key,) = assembly.resources("storage", "AWS::KMS::Key")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {
        "KMSMasterKeyId": {"Fn::GetAtt": [key, "Arn"]},
        "SSEEnabled": True,
        "SSEType": "KMS",
    }
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["GlobalSecondaryIndexes"] == [
        {
            "IndexName": "pending",
            "KeySchema": [
                {"AttributeName": "pending_shard", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ]
    assert table["DeletionProtectionEnabled"] is (assembly.stage != "dev")


def test_the_pseudonym_key_is_generated_and_never_rotated(assembly):
    secret = assembly.only("storage", "AWS::SecretsManager::Secret")
    generate = secret["GenerateSecretString"]
    assert json.loads(generate.pop("SecretStringTemplate")) == {"key_id": "k1"}
    assert generate == {
        "ExcludePunctuation": True,
        "GenerateStringKey": "key",
        "PasswordLength": 64,
    }
    assert not assembly.resources("storage", "AWS::SecretsManager::RotationSchedule")


def _rules(assembly, zone):
    (bucket,) = (
        resource["Properties"]
        for name, resource in assembly.resources("storage", "AWS::S3::Bucket").items()
        if name.startswith(f"Zones{zone}")
    )
    return bucket["LifecycleConfiguration"]["Rules"]
