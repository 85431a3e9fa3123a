"""The services of the laptop cloud, as `module:Class`; README.md says what a class offers."""

from __future__ import annotations

import importlib

SERVICES = [
    "localcloud.s3.service:S3Service",
    "localcloud.sts.service:StsService",
    "localcloud.kinesis.service:KinesisService",
    "localcloud.sns.service:SnsService",
    "localcloud.cloudwatch.service:CloudWatchService",
    "localcloud.logs.service:LogsService",
    "localcloud.cloudformation.service:CloudFormationService",
    "localcloud.lambda_.service:LambdaService",
    "localcloud.event_source.service:EventSourceService",
    "localcloud.events.service:EventsService",
    "localcloud.stepfunctions.service:StepFunctionsService",
    "localcloud.apigateway.service:ApiGatewayService",
    "localcloud.cloudfront.service:CloudFrontService",
    "localcloud.glue.service:GlueService",
    "localcloud.athena.service:AthenaService",
    "localcloud.redshift_data.service:RedshiftDataService",
    "localcloud.quicksight.service:QuickSightService",
    "localcloud.sagemaker.service:SageMakerService",
    "localcloud.mwaa.service:MwaaService",
]


def load(reference: str) -> type:
    """The class that `module:Class` names."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)
