"""What training jobs run with, and the registry that their models go into."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.grants import allow, put_objects, read_objects, write_with_key
from infra.constructs.log_group import encrypted_log_group
from infra.constructs.prebuilt_image import image_uri, pull_image

# Training jobs log where they want to; the name cannot be chosen.
TRAINING_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
# Everything of training lies under this prefix of the artifacts bucket: source archives, data,
# checkpoints, models with what was decided about them.
PREFIX = "training/"
# Each has `sagemaker/training/train_<model>.py`.
MODELS = {
    "encoder": "One small encoder with heads for sentiment, emotions and entities",
    "logreg": "TF-IDF and logistic regression",
    "lstm": "LSTM classifiers of sentiment and complaint reason",
    "bigram": "A bigram language model",
    "lda": "LDA topics",
    "lexicon": "The lexicon floor",
}


class ModelTraining(Construct):
    """Role and image of training jobs, and a model package group for each model."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        artifacts: s3.IBucket,
    ) -> None:
        super().__init__(scope, id)
        ml = config.ml
        self.image = image_uri(self, ml, ml.training_image_repository, ml.training_image_tag)
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")
        )
        read_objects(artifacts, self.role, PREFIX)
        put_objects(artifacts, self.role, PREFIX)
        write_with_key(key, self.role)
        pull_image(self.role, ml, ml.training_image_repository)
        self._logs(config, key)
        # The volume under the key: SageMaker gives its own instance the key by a grant.
        allow(
            self.role,
            ["kms:CreateGrant"],
            [key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        )
        allow(
            self.role,
            ["cloudwatch:PutMetricData"],
            ["*"],
            conditions={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
        )
        # The name is the one required property of a group; the stage keeps them apart.
        self.group_prefix = f"voxlake-{config.stage}-"
        for model, description in MODELS.items():
            sagemaker.CfnModelPackageGroup(
                self,
                model.capitalize(),
                model_package_group_name=self.group_prefix + model,
                model_package_group_description=description,
            )

    def _logs(self, config: StageConfig, key: kms.IKey) -> None:
        actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        if config.ml.creates_transform_log_group:
            encrypted_log_group(
                self,
                "Logs",
                key=key,
                retention_days=config.log_retention_days,
                name=TRAINING_LOG_GROUP,
            )
        else:
            actions.append("logs:CreateLogGroup")
        group = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=TRAINING_LOG_GROUP,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        allow(self.role, actions, [f"{group}:*"])
