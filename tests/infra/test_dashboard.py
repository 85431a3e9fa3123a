"""The page's bucket and its distribution."""

import dataclasses

import pytest
from aws_cdk.assertions import Template

from infra.app import make_app
from infra.config import DashboardConfig, load_stage
from infra.constructs.dashboard_site import content_security_policy
from infra.errors import ConfigError
from infra.stacks.dashboard import DashboardStack
from infra.stacks.storage import StorageStack
from tests.infra.test_permissions import grants

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0f3e-11"


@pytest.fixture(scope="module")
def distribution(full):
    return full.only("dashboard", "AWS::CloudFront::Distribution")["DistributionConfig"]


def test_only_a_stage_with_an_api_has_a_page(assembly):
    stacks = load_stage(assembly.stage).stacks
    assert ("dashboard" in stacks) == ("api" in stacks) == (assembly.stage == "full")


def test_the_page_comes_from_the_bucket_and_v1_from_the_api(full, distribution):
    bucket, api = distribution["Origins"]
    (id_,) = [i for i in full.resources("dashboard", "AWS::S3::Bucket") if i.startswith("Page")]
    assert bucket["DomainName"] == {"Fn::GetAtt": [id_, "RegionalDomainName"]}
    assert bucket["OriginAccessControlId"]
    assert api["CustomOriginConfig"] == {
        "OriginProtocolPolicy": "https-only",
        "OriginSSLProtocols": ["TLSv1.2"],
    }
    assert ".execute-api." in api["DomainName"]["Fn::Join"][1]
    page, (calls,) = distribution["DefaultCacheBehavior"], distribution["CacheBehaviors"]
    assert (page["TargetOriginId"], page["ViewerProtocolPolicy"]) == (
        bucket["Id"],
        "redirect-to-https",
    )
    assert (calls["PathPattern"], calls["TargetOriginId"]) == ("/v1/*", api["Id"])
    # AWS's managed policies CachingDisabled and AllViewerExceptHostHeader.
    assert calls["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert calls["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert distribution["DefaultRootObject"] == "index.html"
    assert distribution["PriceClass"] == "PriceClass_100"
    assert distribution["Logging"]["Prefix"] == "dashboard/"


def test_every_answer_carries_the_pages_policy(full, distribution):
    (policy,) = full.resources("dashboard", "AWS::CloudFront::ResponseHeadersPolicy")
    behaviors = [distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]]
    assert [b["ResponseHeadersPolicyId"] for b in behaviors] == [{"Ref": policy}] * 2
    headers = full.only("dashboard", "AWS::CloudFront::ResponseHeadersPolicy")
    security = headers["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    sent = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert sent == content_security_policy()
    assert "script-src 'self';" in sent
    assert sent.endswith("frame-ancestors 'none'")


def test_the_buckets_are_encrypted_and_closed(full):
    buckets = full.resources("dashboard", "AWS::S3::Bucket")
    assert len(buckets) == 2
    for bucket in buckets.values():
        properties = bucket["Properties"]
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert "LakeKey" in str(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"])
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_the_key_admits_the_distribution_and_the_delivery_of_logs(full):
    statements = full.only("storage", "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    admitted = {
        s["Principal"]["Service"]: s["Action"]
        for s in statements
        if isinstance(s["Principal"].get("Service"), str)
    }
    assert admitted["cloudfront.amazonaws.com"] == "kms:Decrypt"
    assert admitted["delivery.logs.amazonaws.com"] == "kms:GenerateDataKey"


def test_who_publishes_the_page_may_do_that_alone(full):
    granted = grants(full, "dashboard", "Page")
    page = {"s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"}
    assert sorted(map(sorted, granted.values())) == sorted(
        map(
            sorted,
            (
                {"logs:CreateLogStream", "logs:PutLogEvents"},
                {"s3:GetObject"},
                {"s3:ListBucket", "s3:GetBucketLocation"},
                page,
                {"kms:Decrypt", "kms:GenerateDataKey"},
            ),
        )
    )


def test_a_domain_needs_its_certificate():
    assert DashboardConfig(domain="voices.example.com", certificate_arn=CERTIFICATE)
    for wrong in (
        {"domain": "voices.example.com"},
        {"certificate_arn": CERTIFICATE},
        {"domain": "voices", "certificate_arn": CERTIFICATE},
        {
            "domain": "voices.example.com",
            "certificate_arn": CERTIFICATE.replace("us-east-1", "eu-west-1"),
        },
    ):
        with pytest.raises(ConfigError, match=r"domain|certificate_arn"):
            DashboardConfig(**wrong)


def test_with_a_domain_only_tls_1_2_and_later_is_taken(tmp_path):
    app = make_app(stage="full", out=tmp_path / "cdk.out", bundle=False)
    named = DashboardConfig(domain="voices.example.com", certificate_arn=CERTIFICATE)
    config = dataclasses.replace(load_stage("full"), dashboard=named)
    storage = StorageStack(app, config=config)
    stack = DashboardStack(app, config=config, storage=storage, api_id="abc")
    [made] = Template.from_stack(stack).find_resources("AWS::CloudFront::Distribution").values()
    found = made["Properties"]["DistributionConfig"]
    assert found["Aliases"] == ["voices.example.com"]
    assert found["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
