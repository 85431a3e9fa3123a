"""What every stack of the lake has in common."""

from aws_cdk import (
    CfnOutput,
    DefaultStackSynthesizer,
    FileAssetLocation,
    FileAssetPackaging,
    Stack,
)
from constructs import Construct

from infra.config import StageConfig


class LakeStack(Stack):
    """A stack with its fixed name, its stage's configuration, and outputs under fixed keys."""

    def __init__(self, scope: Construct, *, config: StageConfig, name: str) -> None:
        # The rule reads a parameter of the account; the CDK command line checks the same version
        # before it deploys.
        synthesizer = DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
        super().__init__(
            scope,
            config.stack_name(name),
            stack_name=config.stack_name(name),
            description=f"voxlake {config.stage}: {name}",
            # Its metadata resource is no part of the lake.
            analytics_reporting=False,
            termination_protection=config.storage.retains_data and config.stage == "prod",
            synthesizer=synthesizer,
            tags={"project": "voxlake", "stage": config.stage},
        )
        # The stack binds a clone that jsii cannot tell from this one (both answer to one object
        # id), so files can be published only after binding the original as well.
        synthesizer.bind(self)
        self._synthesizer = synthesizer
        self.config = config
        # A scope of their own: an output may be called as a construct is.
        self._outputs = Construct(self, "Outputs")
        self.output_keys: list[str] = []

    def publish_file(
        self, *, file_name: str, source_hash: str, display_name: str
    ) -> FileAssetLocation:
        """Publishes a file of the assembly as `<source_hash><last extension of file_name>`.

        For objects whose name matters to who reads them; `aws_s3_assets.Asset` serves all else.
        """
        return self._synthesizer.add_file_asset(
            file_name=file_name,
            source_hash=source_hash,
            display_name=display_name,
            packaging=FileAssetPackaging.FILE,
        )

    def output(self, key: str, value: str, description: str) -> None:
        """An output by whose key the command line and the tests find a physical name."""
        output = CfnOutput(self._outputs, key, value=value, description=description)
        output.override_logical_id(key)
        self.output_keys.append(key)

    @property
    def output_definitions(self) -> dict[str, object]:
        """Key -> what the output is made of: a text, or intrinsic functions on a resource."""
        outputs = {key: self._outputs.node.find_child(key) for key in self.output_keys}
        return {key: self.resolve(output.value) for key, output in outputs.items()}
