"""Ml: the sentiment model and the role it runs with."""

from pathlib import Path

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.lake_stack import LakeStack
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
