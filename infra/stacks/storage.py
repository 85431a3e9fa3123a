"""Storage: key, zones, ledger, pseudonym secret. Everything else stands on it."""

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.lake_stack import LakeStack
from infra.constructs.lake_storage import LakeKey, Ledger, PseudonymKey, Zones


class StorageStack(LakeStack):
    """Holds all data that outlives a deployment."""

    def __init__(self, scope: Construct, *, config: StageConfig) -> None:
        super().__init__(scope, config=config, name="storage")
        storage = config.storage
        self.key = LakeKey(self, "LakeKey", config=storage).key
        self.zones = Zones(self, "Zones", config=storage, key=self.key)
        self.ledger = Ledger(self, "Ledger", config=storage, key=self.key).table
        self.pseudonym_secret = PseudonymKey(
            self, "PseudonymKey", config=storage, key=self.key
        ).secret

        zones = self.zones
        self.output("LandingBucket", zones.landing.bucket_name, "Events as they came")
        self.output("CleansedBucket", zones.cleansed.bucket_name, "Cleansed tables")
        self.output("AnalyticsBucket", zones.analytics.bucket_name, "Analytics tables")
        self.output("ArtifactsBucket", zones.artifacts.bucket_name, "Model input and output")
        self.output("QueryResultsBucket", zones.query_results.bucket_name, "Athena's results")
        self.output("LedgerTable", self.ledger.table_name, "Objects, runs, versions, leases")
        self.output("KeyArn", self.key.key_arn, "The one customer key")
        self.output("PseudonymSecretArn", self.pseudonym_secret.secret_arn, "Key of the pseudonyms")
