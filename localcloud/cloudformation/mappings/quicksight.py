"""QuickSight: each property is a parameter of the API of the same name."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.resource import Resource, maps

Result = tuple[str, dict[str, Any]]

# Type -> what may be changed in place; who may what of it is given when it is made.
_CHANGES = {
    "AWS::QuickSight::DataSource": ("Name", "DataSourceParameters", "SslProperties"),
    "AWS::QuickSight::DataSet": ("Name", "PhysicalTableMap", "ImportMode"),
    "AWS::QuickSight::Analysis": ("Name", "Definition"),
    "AWS::QuickSight::Dashboard": ("Name", "Definition"),
}
_REFRESH = ("DataSetRefreshProperties", "IngestionWaitPolicy")


def _put(r: Resource) -> Result:
    r.take("AwsAccountId")  # the one account's
    kind, refresh = r.type.rpartition("::")[2], r.take("DataSetRefreshProperties")
    r.without_effect("IngestionWaitPolicy", "what is imported is there when the call returns")
    owner = {"AwsAccountId": r.cloud.account, f"{kind}Id": r.require(f"{kind}Id")}
    settings, fixed = r.same(*_CHANGES[r.type]), r.same("Type", "Permissions")
    r.done()
    operation, fixed = (f"Update{kind}", {}) if r.old else (f"Create{kind}", fixed)
    made = r.call("quicksight", operation, **owner, **settings, **fixed)
    if refresh:
        owner_and_refresh = owner | {"DataSetRefreshProperties": refresh}
        r.call("quicksight", "PutDataSetRefreshProperties", **owner_and_refresh)
    return "|".join(owner.values()), {"Arn": made["Arn"]}


for _type, _changes in _CHANGES.items():
    maps(_type, in_place=(*_changes, *_REFRESH))(_put)


@maps("AWS::QuickSight::RefreshSchedule", in_place=("Schedule",))
def refresh_schedule(r: Resource) -> Result:
    r.take("AwsAccountId")  # the one account's
    owner = {"AwsAccountId": r.cloud.account, "DataSetId": r.require("DataSetId")}
    schedule = dict(r.require("Schedule"))
    r.done()
    # The API writes the zone otherwise.
    names = {"TimeZone": "Timezone"}
    frequency = {names.get(n, n): value for n, value in schedule["ScheduleFrequency"].items()}
    operation = "UpdateRefreshSchedule" if r.old else "CreateRefreshSchedule"
    schedule["ScheduleFrequency"] = frequency
    made = r.call("quicksight", operation, **owner, Schedule=schedule)
    return "|".join([*owner.values(), made["ScheduleId"]]), {"Arn": made["Arn"]}
