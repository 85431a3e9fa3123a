"""The page: files in a bucket of its own, served by CloudFront beside the HTTP API."""

import re
from pathlib import Path

from aws_cdk import Annotations, Aws, Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.closed_bucket import closed_bucket
from infra.constructs.removal import removal_policy
from infra.errors import MissingSourceError
from infra.packaging import REPOSITORY

PAGE = REPOSITORY / "dashboard"
_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')
LOG_RETENTION_DAYS = 90


def content_security_policy(page: Path = PAGE / "index.html") -> str:
    """The page's own policy, and what only a header can say: nobody may frame it.

    Raises:
        MissingSourceError: the page states none.
    """
    found = _POLICY.search(page.read_text())
    if found is None:
        raise MissingSourceError(f"expected a Content-Security-Policy in {page}, found none")
    return f"{found[1]}; frame-ancestors 'none'"


class DashboardSite(Construct):
    """The distribution: the page by default, `/v1/*` from the HTTP API, never cached."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        files: s3.IBucket,
        api_id: str,
    ) -> None:
        super().__init__(scope, id)
        self.logs = _access_logs(self, config=config, key=key)
        headers = _headers(self)
        domain, certificate = config.dashboard.domain, config.dashboard.certificate_arn
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"voxlake {config.stage}: dashboard",
            default_root_object="index.html",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(files),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=headers,
            ),
            additional_behaviors={
                "/v1/*": cloudfront.BehaviorOptions(
                    origin=origins.HttpOrigin(
                        f"{api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}",
                        protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                        origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                    ),
                    viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
                    allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
                    cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
                    # Its own host it needs, the rest (the token too) as the viewer sent it.
                    origin_request_policy=(
                        cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER
                    ),
                    response_headers_policy=headers,
                )
            },
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            domain_names=[domain] if domain else None,
            certificate=(
                acm.Certificate.from_certificate_arn(self, "Certificate", certificate)
                if certificate
                else None
            ),
            # Takes effect with a certificate: CloudFront's own always goes with its default.
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            log_bucket=self.logs,
            log_file_prefix="dashboard/",
        )
        # Naming the distribution itself would make storage depend on this stack, which depends on
        # storage; the bucket's own policy names it.
        Annotations.of(self).acknowledge_warning(
            "@aws-cdk/aws-cloudfront-origins:wildcardKeyPolicyForOac"
        )


def _headers(scope: Construct) -> cloudfront.ResponseHeadersPolicy:
    return cloudfront.ResponseHeadersPolicy(
        scope,
        "Headers",
        security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
            # The API's own pages (its documentation) state another one.
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy=content_security_policy(), override=False
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            frame_options=cloudfront.ResponseHeadersFrameOptions(
                frame_option=cloudfront.HeadersFrameOption.DENY, override=True
            ),
            # A ticket's address names it.
            referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
            ),
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=Duration.days(365), include_subdomains=True, override=True
            ),
        ),
    )


def _access_logs(scope: Construct, *, config: StageConfig, key: kms.IKey) -> s3.Bucket:
    """Where CloudFront delivers its logs: by access control list, and under the customer key."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LogDeliveryEncrypts",
            principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
            actions=["kms:GenerateDataKey"],
            resources=["*"],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    return closed_bucket(
        scope,
        "AccessLogs",
        key=key,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
        lifecycle_rules=[
            # Addresses of viewers: personal data, kept for as long as an incident takes.
            s3.LifecycleRule(id="Expire", expiration=Duration.days(LOG_RETENTION_DAYS)),
        ],
        removal_policy=removal_policy(config.storage.retains_data),
    )
