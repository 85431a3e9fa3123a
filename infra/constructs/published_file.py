"""Files in the bootstrap bucket whose names matter to who reads them."""

from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.lake_stack import LakeStack


class PublishedFile(Construct):
    """A file published as `<digest><suffix>`, with the whole suffix.

    `aws_s3_assets.Asset` names its object by hash and last extension only, so `.tar.gz` would
    become `.gz` and `.gluewheels.zip` would become `.zip`.
    """

    def __init__(
        self, scope: Construct, id: str, *, content: Path, digest: str, suffix: str
    ) -> None:
        super().__init__(scope, id)
        stack, app = LakeStack.of(self), self.node.root
        assert isinstance(stack, LakeStack)
        assert isinstance(app, App)
        name = f"asset.{digest}{suffix}"
        (Path(app.outdir) / name).write_bytes(content.read_bytes())
        last = Path(name).suffix
        location = stack.publish_file(
            file_name=name, source_hash=digest + suffix.removesuffix(last), display_name=id
        )
        self.bucket = s3.Bucket.from_bucket_name(self, "Bucket", location.bucket_name)
        self.url = location.s3_object_url
        self.arn = self.bucket.arn_for_objects(location.object_key)
