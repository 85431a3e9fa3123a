"""Ml: the sentiment model, what training runs with, and the model registry."""

from pathlib import Path

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.lake_stack import LakeStack
from infra.constructs.model_gate import ModelGate
from infra.constructs.model_training import ModelTraining
from infra.constructs.prebuilt_image import image_uri
from infra.constructs.sentiment_model import SentimentModel
from infra.stacks.storage import StorageStack


class MlStack(LakeStack):
    """Deployed before Processing, whose state machine names the model."""

    def __init__(
        self, scope: Construct, *, config: StageConfig, storage: StorageStack, staging: Path
    ) -> None:
        super().__init__(scope, config=config, name="ml")
        self.sentiment = SentimentModel(
            self,
            "Sentiment",
            config=config,
            key=storage.key,
            artifacts=storage.zones.artifacts,
            staging=staging,
        )
        self.output("SentimentModelName", self.sentiment.model.attr_model_name, "The model in use")
        self.output("TransformRoleArn", self.sentiment.role.role_arn, "What transforms run as")
        training = ModelTraining(
            self, "Training", config=config, key=storage.key, artifacts=storage.zones.artifacts
        )
        ml = config.ml
        inference = image_uri(self, ml, ml.image_repository, ml.image_tag)
        self.gate = ModelGate(
            self,
            "Gate",
            config=config,
            key=storage.key,
            zones=storage.zones,
            training=training,
            inference_image=inference,
            staging=staging,
        ).function
        for name, value, description in (
            ("TransformInstanceType", ml.transform_instance_type, "Of batch transforms"),
            ("TransformInstanceCount", str(ml.transform_instance_count), "Of batch transforms"),
            ("TransformMaxPayloadMb", str(ml.transform_max_payload_mb), "Of batch transforms"),
            ("TransformConcurrency", str(ml.transform_concurrency), "Payloads at once"),
            ("TrainingRoleArn", training.role.role_arn, "What training jobs run as"),
            ("TrainingImage", training.image, "The image that training jobs run in"),
            ("TrainingInstanceType", ml.training_instance_type, "Of training jobs"),
            ("TrainingVolumeGb", str(ml.training_volume_gb), "Of training jobs"),
            ("TrainingMaxMinutes", str(ml.training_timeout_minutes), "A training job's time"),
            ("TrainingSpotWaitMinutes", str(ml.training_spot_wait_minutes), "For spot capacity"),
            ("ModelGateFunction", self.gate.function.function_name, "Judges trained models"),
            ("InferenceImage", inference, "The image that serves registered models"),
            ("MetricsNamespace", config.metrics_namespace, "Of the metrics that voxlake emits"),
            ("ModelGroupPrefix", training.group_prefix, "Of model package groups, by model"),
        ):
            self.output(name, value, description)
