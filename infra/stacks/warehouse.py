"""Warehouse: where SQL is asked."""

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.lake_stack import LakeStack
from infra.constructs.workgroup import SavedQueries, Workgroup
from infra.stacks.storage import StorageStack


class WarehouseStack(LakeStack):
    """Athena's workgroup and the first queries."""

    def __init__(self, scope: Construct, *, config: StageConfig, storage: StorageStack) -> None:
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
