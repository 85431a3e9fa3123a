"""Findings of cdk-nag's AwsSolutions pack that we accept, each with its reason.

Kept in one reviewed list, and matched by patterns: cdk-nag asks to acknowledge each finding under
an id that holds generated names (`...ExportsOutputFnGetAttZonesLandingD5733553Arn.../*`), which
change when a construct moves. A test holds the list to the findings in both directions, so a
reason that no longer applies has to go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """One accepted finding.

    Attributes:
        rule: pattern of the finding's id, such as `AwsSolutions-IAM5[[]Resource::*/scoring/[*]]`
            (brackets and asterisks that are meant literally stand in brackets).
        where: pattern of the construct's path below the stack's name.
        reason: why it is right here.
    """

    rule: str
    where: str
    reason: str


@dataclass(frozen=True, order=True)
class Finding:
    """One finding: rule id and construct path, without the stack's stage."""

    rule: str
    where: str


_OBJECTS = "S3 grants on objects end in a wildcard by nature; bucket and prefix are exact"

ACKNOWLEDGED = (
    Acknowledged(
        rule="AwsSolutions-S1",
        where="storage/Zones/*",
        reason="Server access logs would need a sixth bucket that cannot use our key; where an "
        "account needs object-level records, CloudTrail data events give them under the key",
    ),
    Acknowledged(
        rule="AwsSolutions-SMG4",
        where="storage/PseudonymKey/*",
        reason="A rotated key would break every join between older and newer rows",
    ),
    Acknowledged(
        rule="AwsSolutions-SMG4",
        where="*/*Key/Secret",
        reason="The platforms issue these keys and have no interface to renew them",
    ),
    Acknowledged(
        rule="AwsSolutions-KDS3",
        where="ingest/Events/*",
        reason="Everything is encrypted with the one customer key, the stream too",
    ),
    Acknowledged(
        rule="AwsSolutions-L1",
        where="*/Function/*",
        reason="Python 3.12 is the version the dependencies' wheels are locked for",
    ),
    Acknowledged(
        rule="AwsSolutions-GL1",
        where="processing/*",
        reason="The jobs' log groups are made beforehand, under the customer key; the crawler "
        "logs folder names only",
    ),
    Acknowledged(
        rule="AwsSolutions-GL3",
        where="processing/*",
        reason="No job uses bookmarks: the ledger says what is pending",
    ),
    Acknowledged(
        rule="AwsSolutions-SF2",
        where="processing/BatchPath/*",
        reason="Every state's input and output is logged; nothing else would read the traces",
    ),
    Acknowledged(
        rule="AwsSolutions-S1",
        where="dashboard/*",
        reason="The page's files are public, and CloudFront logs who reads them; the other bucket "
        "holds those logs",
    ),
    Acknowledged(
        rule="AwsSolutions-CFR1",
        where="dashboard/Site/*",
        reason="Nothing on the page is for some countries only",
    ),
    Acknowledged(
        rule="AwsSolutions-CFR2",
        where="dashboard/Site/*",
        reason="A web ACL costs more than the rest of a small stage; the API throttles and takes "
        "tokens, and the page is files",
    ),
    Acknowledged(
        rule="AwsSolutions-CFR4",
        where="dashboard/Site/*",
        reason="CloudFront fixes the TLS versions of its own domain; DashboardConfig.domain with a "
        "certificate takes TLS 1.2 and later only",
    ),
    Acknowledged(
        rule="AwsSolutions-L1",
        where="*/Custom::CDKBucketDeployment*",
        reason="The construct brings its function's code, and says what it runs on",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::<PageBucket*.Arn>/[*]]",
        where="dashboard/Page/Role/DefaultPolicy/*",
        reason=_OBJECTS,
    ),
    Acknowledged(
        rule="AwsSolutions-APIG4",
        where="api/Http/Api/GET--v1--*/*",
        reason="A ticket's public state, for whoever was told its id, and what describes the API",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="api/WebApi/Role/*",
        reason="Reading metrics knows no resources",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*Zones*Arn*/[*]]",
        where="*Role/DefaultPolicy/*",
        reason=_OBJECTS,
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*:table/voxlake_*/[*]]",
        where="processing/*/Role/DefaultPolicy/*",
        reason="All tables of one of our databases",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*:log-group:/aws*:[*]]",
        where="*/Role/DefaultPolicy/*",
        reason="All streams of one named log group, whose names the service chooses",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*:transform-job/voxlake-[*]]",
        where="processing/BatchPath/*",
        reason="A transform job's name holds its run's id; the prefix is ours",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="ml/Sentiment/Role/*",
        reason="ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no resources; the "
        "latter is bound to SageMaker's namespace",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="ml/Training/Role/*",
        reason="ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no resources; the "
        "latter is bound to SageMaker's namespace",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="ml/Gate/ModelGate/Role/*",
        reason="sagemaker:ListModelPackages knows no resources",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*:model-package*/voxlake-*-[*]]",
        where="ml/Gate/ModelGate/Role/*",
        reason="The stage's groups, one a model, and their versions, which registering makes",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="processing/*To*/Role/*",
        reason="cloudwatch:PutMetricData knows no resources; it is bound to Glue's namespace",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="processing/Reconciler/Role/*",
        reason="Reading metrics knows no resources",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="warehouse/*/*Role/*",
        reason="Statements of the Data API, which only their owner sees, and usage limits know no "
        "resources",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*:secret:redshift!*-[*]]",
        where="warehouse/WarehouseLoader/Role/*",
        reason="Redshift names the administrator's secret itself; namespace and prefix are exact",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="quicksight/Athena/Role/*",
        reason="Lists of Athena's catalogs and workgroups know no resources",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*:table/voxlake_*/[*]]",
        where="quicksight/Athena/Role/DefaultPolicy/*",
        reason="Tables and views of our two databases are described; files are read by table",
    ),
    Acknowledged(
        rule="AwsSolutions-VPC7",
        where="warehouse/Redshift/Network/*",
        reason="Nothing connects over this network: no route leads in or out, SQL comes by the "
        "Data API",
    ),
    Acknowledged(
        rule="AwsSolutions-S1",
        where="airflow/Files/*",
        reason="The DAGs come from the repository and go to one role; nobody writes them here",
    ),
    Acknowledged(
        rule="AwsSolutions-SMG4",
        where="airflow/Variable/*",
        reason="Names of resources, not a secret: each deployment writes them anew",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::<FilesFolderBucket*.Arn>/[*]]",
        where="airflow/*Role/DefaultPolicy/*",
        reason=_OBJECTS,
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*Zones*Arn*/[*]/]",
        where="airflow/Execution/Role/DefaultPolicy/*",
        reason="Folders of one prefix, by the slash at their end: no object that holds anything",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="airflow/Execution/Role/*",
        reason="Metrics, which are bound to two namespaces, the list of log groups and the "
        "account's public access block know no resources",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*:log-group:airflow-voxlake-*-airflow-[*]]",
        where="airflow/Execution/Role/*",
        reason="The groups and streams of one named environment, whose names the service chooses",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*:sqs:*:[*]:airflow-celery-[*]]",
        where="airflow/Execution/Role/*",
        reason="The environment's queue is in an account of AWS's and gets its name from MWAA",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::*:tra*-job/*[*]]",
        where="airflow/Execution/Role/*",
        reason="A job's name holds its run's id or the time; the prefix is ours",
    ),
    Acknowledged(
        rule="AwsSolutions-IAM5[[]Resource::[*]]",
        where="processing/BatchPath/Role/*",
        reason="Log delivery of Step Functions knows no resources",
    ),
)


def findings(report: Mapping[str, Any]) -> list[Finding]:
    """The findings in a `validation-report.json`, of every plugin that took part."""
    found = {
        Finding(violation["ruleName"], _below_stage(construct["constructPath"]))
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
    return sorted(found)


def unacknowledged(found: Iterable[Finding]) -> list[Finding]:
    """Findings that no entry of the list accepts."""
    return [finding for finding in found if not any(_accepts(e, finding) for e in ACKNOWLEDGED)]


def unused(found: Iterable[Finding]) -> list[Acknowledged]:
    """Entries of the list that accept nothing any more."""
    known = list(found)
    return [e for e in ACKNOWLEDGED if not any(_accepts(e, finding) for finding in known)]


def _accepts(entry: Acknowledged, finding: Finding) -> bool:
    return fnmatchcase(finding.rule, entry.rule) and fnmatchcase(finding.where, entry.where)


def _below_stage(path: str) -> str:
    """`voxlake-full-storage/Zones/...` -> `storage/Zones/...`."""
    stack, _, rest = path.partition("/")
    return f"{stack.rsplit('-', 1)[-1]}/{rest}"
