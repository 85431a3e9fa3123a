"""Warehouse: where SQL is asked."""

from pathlib import Path

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.grants import put_objects, read_objects, use_ledger, write_with_key
from infra.constructs.lake_stack import LakeStack
from infra.constructs.python_function import DependencyLayer, PythonFunction
from infra.constructs.redshift import DATABASE, MANIFESTS, RedshiftWarehouse
from infra.constructs.workgroup import SavedQueries, Workgroup
from infra.stacks.storage import StorageStack


class WarehouseStack(LakeStack):
    """Athena's workgroup and the first queries; where the stage says so, Redshift and its loader.

    `loader` is None where there is no Redshift.
    """

    def __init__(
        self, scope: Construct, *, config: StageConfig, storage: StorageStack, staging: Path
    ) -> None:
        super().__init__(scope, config=config, name="warehouse")
        self.workgroup = Workgroup(
            self,
            "Athena",
            config=config,
            key=storage.key,
            query_results=storage.zones.query_results,
        )
        SavedQueries(self, "SavedQueries", config=config, workgroup=self.workgroup)
        self.output("AthenaWorkgroup", self.workgroup.name, "What every query names")
        self.loader: PythonFunction | None = None
        if config.warehouse.redshift_enabled:
            self._redshift(storage, staging)

    def _redshift(self, storage: StorageStack, staging: Path) -> None:
        config, zones = self.config, storage.zones
        redshift = RedshiftWarehouse(self, "Redshift", config=config, key=storage.key, zones=zones)
        self.loader = PythonFunction(
            self,
            "WarehouseLoader",
            name="warehouse_loader",
            description="Applies migrations; loads into Redshift what changed in the lake",
            config=config,
            key=storage.key,
            layer=DependencyLayer(self, "Dependencies", staging=staging).layer,
            folders=("warehouse/migrations",),
            staging=staging,
            environment={
                "LEDGER_TABLE": storage.ledger.table_name,
                "ARTIFACTS_BUCKET": zones.artifacts.bucket_name,
                "CLEANSED_DATABASE": config.database("cleansed"),
                "ANALYTICS_DATABASE": config.database("analytics"),
                "REDSHIFT_WORKGROUP": redshift.name,
                "REDSHIFT_NAMESPACE": redshift.name,
                "REDSHIFT_DATABASE": DATABASE,
                "COPY_ROLE_ARN": redshift.copy_role.role_arn,
                "DAILY_RPU_HOURS": str(config.warehouse.redshift_daily_rpu_hours),
            },
            memory_mib=256,
            # It mostly waits; what takes longer goes on in the next invocation.
            timeout_seconds=900,
        )
        role = self.loader.role
        use_ledger(storage.ledger, role, ["Query"])
        read_objects(zones.cleansed, role, "interactions/")
        read_objects(zones.analytics, role)
        put_objects(zones.artifacts, role, MANIFESTS)
        write_with_key(storage.key, role)
        redshift.grant_load(role)
        self.loader.function.node.add_dependency(redshift.workgroup)
        self.output("RedshiftWorkgroup", redshift.name, "Workgroup and namespace of Redshift")
        self.output("RedshiftDatabase", DATABASE, "Database of the star schema")
        self.output(
            "WarehouseLoaderFunction", self.loader.function.function_name, "Loads what changed"
        )
        self.output(
            "WarehouseAnalystRoleArn",
            redshift.analyst_role.role_arn,
            "Who takes it reads the warehouse, and nothing else",
        )
