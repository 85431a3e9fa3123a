"""QuickSight: the measures of the report as a dashboard that refreshes itself."""

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.lake_stack import LakeStack
from infra.constructs.quicksight import MoodDashboard, QuickSightRole
from infra.stacks.processing import ProcessingStack
from infra.stacks.storage import StorageStack
from infra.stacks.warehouse import WarehouseStack


class QuickSightStack(LakeStack):
    """Only where somebody owns it: see `QuickSightConfig`."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        storage: StorageStack,
        warehouse: WarehouseStack,
        processing: ProcessingStack,
    ) -> None:
        super().__init__(scope, config=config, name="quicksight")
        # Data sets are tried as they are made, so tables and views have to be there.
        self.add_stack_dependency(processing)
        workgroup = warehouse.workgroup.name
        self.role = QuickSightRole(
            self,
            "Athena",
            config=config,
            key=storage.key,
            zones=storage.zones,
            workgroup=workgroup,
        ).role
        moods = MoodDashboard(self, "Moods", config=config, role=self.role, workgroup=workgroup)
        self.output("MoodsDashboardId", moods.dashboard.dashboard_id, "Dashboard in QuickSight")
        self.output("QuickSightRoleArn", self.role.role_arn, "What QuickSight asks Athena under")
