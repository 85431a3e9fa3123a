"""Dashboard: the page, and one address for it and the HTTP API."""

from aws_cdk.aws_s3_deployment import CacheControl
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.dashboard_site import PAGE, DashboardSite
from infra.constructs.deployed_folder import DeployedFolder
from infra.constructs.lake_stack import LakeStack
from infra.stacks.storage import StorageStack


class DashboardStack(LakeStack):
    """Stands on the HTTP API: a stage without one has no page either."""

    def __init__(
        self, scope: Construct, *, config: StageConfig, storage: StorageStack, api_id: str
    ) -> None:
        super().__init__(scope, config=config, name="dashboard")
        self.files = DeployedFolder(
            self,
            "Page",
            config=config,
            key=storage.key,
            folder=PAGE,
            # File names carry no hash: browsers ask whether what they have is still right.
            cache_control=CacheControl.no_cache(),
        ).bucket
        site = DashboardSite(
            self, "Site", config=config, key=storage.key, files=self.files, api_id=api_id
        )
        self.distribution = site.distribution

        self.output("DashboardBucket", self.files.bucket_name, "The page's files")
        self.output("DashboardLogsBucket", site.logs.bucket_name, "Who asked for what, for a while")
        self.output("DashboardDistribution", self.distribution.distribution_id, "Serves the page")
        domain = config.dashboard.domain or self.distribution.distribution_domain_name
        self.output("DashboardUrl", f"https://{domain}/", "The page")
