"""The QuickSight service: it keeps what it is given, after trying it against the lake.

Refresh schedules are kept and do not fire: CreateIngestion imports. What is imported is there when
the call returns. A dashboard's newest version is the published one. Of an analysis or dashboard
only the Definition is taken, of a data set one physical table by SQL on Athena.
"""

from __future__ import annotations

import re
import uuid
from functools import partial
from typing import Any

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.quicksight.definition import problems
from localcloud.quicksight.spice import Spice, invalid
from localcloud.request import Request

Item = dict[str, Any]
# Kind -> its list's operation and member.
KINDS = {
    "DataSource": ("ListDataSources", "DataSources"),
    "DataSet": ("ListDataSets", "DataSetSummaries"),
    "Analysis": ("ListAnalyses", "AnalysisSummaryList"),
    "Dashboard": ("ListDashboards", "DashboardSummaryList"),
}
PRINCIPAL = re.compile(r"arn:aws[a-z-]*:quicksight:[a-z0-9-]+:\d{12}:(user|group)/[^/]+/.+")
# Actions that are granted and are no operations.
GRANTED = {"PassDataSource", "PassDataSet", "QueryAnalysis", "QueryDashboard"}
NOT_TAKEN = {
    "ColumnLevelPermissionRules", "Credentials", "DataPrepConfiguration", "FolderArns",
    "LogicalTableMap", "RowLevelPermissionDataSet", "SourceEntity", "StartAfterDateTime",
    "VpcConnectionProperties",
}  # fmt: skip


class QuickSightService:
    """What was made, by kind and id, as it was given."""

    name = "quicksight"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._kept: dict[str, dict[str, Item]] = {kind: {} for kind in KINDS}
        # By data set: its rows, refresh properties, schedules and ingestions by id.
        self._spice: dict[str, Spice] = {}
        self._refresh: dict[str, Item] = {}
        self._schedules: dict[str, dict[str, Item]] = {}
        self._ingestions: dict[str, dict[str, Item]] = {}
        self.actions: dict[str, Any] = {
            "PutDataSetRefreshProperties": self._put_refresh_properties,
            "CreateRefreshSchedule": self._put_schedule,
            "UpdateRefreshSchedule": self._put_schedule,
            "CreateIngestion": self._create_ingestion,
            "ListRefreshSchedules": lambda r: {
                "RefreshSchedules": [*self._schedules[self._id(r)].values()]
            },
            "ListIngestions": lambda r: {"Ingestions": [*self._ingestions[self._id(r)].values()]},
            "DescribeIngestion": lambda r: {
                "Ingestion": _found(self._ingestions[self._id(r)], r.params["IngestionId"])
            },
        }
        for kind, (lists, member) in KINDS.items():
            self.actions |= {
                f"Create{kind}": partial(self._put, kind),
                f"Update{kind}": partial(self._put, kind),
                f"Describe{kind}": partial(self._describe, kind),
                lists: lambda _, k=kind, m=member: {m: [*self._kept[k].values()]},
            }
        for kind in ("Analysis", "Dashboard"):
            self.actions[f"Describe{kind}Definition"] = partial(self._describe, kind)

    def status(self) -> Item:
        rows = {id_: len(spice.rows) for id_, spice in self._spice.items()}
        return {"dashboards": [*self._kept["Dashboard"]], "rows": rows}

    def _put(self, kind: str, request: Request) -> Item:
        """Make or change one of a kind, if it holds together."""
        params = {n: v for n, v in request.params.items() if v is not None}
        id_, kept, now = params[f"{kind}Id"], self._kept[kind], self._cloud.clock.now()
        if request.action.startswith("Update"):
            _found(kept, id_)
        elif id_ in kept:
            raise ServiceError("ResourceExistsException", f"{id_} already exists", 409)
        _refuse(params)
        self._check_permissions(params.get("Permissions", []))
        arn = f"{self._arn(kind)}/{id_}"
        answer = {"Arn": arn, f"{kind}Id": id_, "CreationStatus": "CREATION_SUCCESSFUL"}
        if kind == "DataSource":
            if set(params.get("DataSourceParameters", ())) != {"AthenaParameters"}:
                raise invalid(f"{id_}: expected AthenaParameters, the only ones done here")
        elif kind == "DataSet":
            answer["IngestionId"] = self._first_import(id_, params)
        else:
            self._check_definition(id_, params)
        old = kept.get(id_) or {"Arn": arn, "CreatedTime": now, "PublishedVersionNumber": 0}
        kept[id_] = old | params | {"LastUpdatedTime": now, "Status": "CREATION_SUCCESSFUL"}
        kept[id_]["PublishedVersionNumber"] += 1
        return answer

    def _first_import(self, id_: str, params: Item) -> str:
        """It tries source, SQL and columns; a data set that fails is not made. Its ingestion."""
        tables = list(params["PhysicalTableMap"].values())
        if len(tables) != 1 or set(tables[0]) != {"CustomSql"} or params["ImportMode"] != "SPICE":
            raise invalid(f"data set {id_}: expected SPICE and one table by CustomSql")
        spice = Spice()
        made = self._import(id_, tables[0]["CustomSql"], spice, "INITIAL_INGESTION")
        if made["IngestionStatus"] == "FAILED":
            raise invalid(f"data set {id_}: {made['ErrorInfo']['Message']}")
        self._spice[id_] = spice
        self._schedules.setdefault(id_, {})
        self._ingestions.setdefault(id_, {})[made["IngestionId"]] = made
        return made["IngestionId"]

    def _check_definition(self, id_: str, params: Item) -> None:
        columns = {one["Arn"]: _columns(one) for one in self._kept["DataSet"].values()}
        if "Definition" not in params:
            raise invalid(f"{id_}: expected a Definition")
        if found := list(problems(params["Definition"], columns)):
            raise invalid(f"{id_}: {'; '.join(found[:5])}")

    def _check_permissions(self, permissions: list[Item]) -> None:
        model = self._cloud.client("quicksight").meta.service_model
        known = {f"quicksight:{name}" for name in {*model.operation_names, *GRANTED}}
        for one in permissions:
            if not PRINCIPAL.fullmatch(one["Principal"]):
                raise invalid(f"Principal {one['Principal']}: expected a user or group's ARN")
            if unknown := set(one["Actions"]) - known:
                raise invalid(f"Actions: there is no {', '.join(sorted(unknown))}")

    def _describe(self, kind: str, request: Request) -> Item:
        one = _found(self._kept[kind], request.params[f"{kind}Id"])
        if request.action.endswith("Definition"):
            return one | {"ResourceStatus": one["Status"]}
        if kind == "DataSet":
            columns = [{"Name": name, "Type": kind} for name, kind in _columns(one).items()]
            return {kind: one | {"OutputColumns": columns}}
        if kind == "DataSource":
            return {kind: one}
        shown = one["Definition"]
        state = {
            "VersionNumber": one["PublishedVersionNumber"], "Status": one["Status"],
            "DataSetArns": [d["DataSetArn"] for d in shown["DataSetIdentifierDeclarations"]],
            "Sheets": [{"SheetId": s["SheetId"], "Name": s.get("Name")} for s in shown["Sheets"]],
        }  # fmt: skip
        return {kind: one | state | {"Version": state}}

    def _put_refresh_properties(self, request: Request) -> Item:
        id_, properties = self._id(request), request.params["DataSetRefreshProperties"]
        columns, window = _columns(self._kept["DataSet"][id_]), _window(properties)
        if window and columns.get(window["ColumnName"]) != "DATETIME":
            raise invalid(f"LookbackWindow: {window['ColumnName']} is no column of type DATETIME")
        self._refresh[id_] = properties
        return {}

    def _put_schedule(self, request: Request) -> Item:
        id_, schedule = self._id(request), request.params["Schedule"]
        _refuse(schedule)
        if schedule["RefreshType"] == "INCREMENTAL_REFRESH":
            self._need_window(id_)
        arn = f"{self._arn('DataSet')}/{id_}/refresh-schedule/{schedule['ScheduleId']}"
        made = self._schedules[id_][schedule["ScheduleId"]] = schedule | {"Arn": arn}
        return made

    def _create_ingestion(self, request: Request) -> Item:
        """Import; one that fails is FAILED and leaves what was there."""
        id_, kind = self._id(request), request.params.get("IngestionType") or "FULL_REFRESH"
        window = self._need_window(id_) if kind == "INCREMENTAL_REFRESH" else None
        table = _table(self._kept["DataSet"][id_])
        made = self._import(id_, table, self._spice[id_], kind, window)
        ingestion_id = made["IngestionId"] = request.params["IngestionId"]
        self._ingestions[id_][ingestion_id] = made
        return made

    def _import(
        self, id_: str, table: Item, spice: Spice, kind: str, window: Item | None = None
    ) -> Item:
        """The ingestion, COMPLETED or FAILED."""
        made = {"Arn": f"{self._arn('DataSet')}/{id_}/ingestion", "IngestionId": str(uuid.uuid4()),
                "CreatedTime": self._cloud.clock.now(), "RequestType": kind}  # fmt: skip
        try:
            sources = {one["Arn"]: one for one in self._kept["DataSource"].values()}
            source = _found(sources, table["DataSourceArn"])
            loaded = spice.load(self._cloud, source, table, window)
        except ServiceError as error:
            said = {"Type": "SQL_EXCEPTION", "Message": error.message}
            return made | {"IngestionStatus": "FAILED", "ErrorInfo": said}
        rows = {"RowsIngested": loaded, "RowsDropped": 0, "TotalRowsInDataset": len(spice.rows)}
        return made | {"IngestionStatus": "COMPLETED", "RowInfo": rows}

    def _need_window(self, id_: str) -> Item:
        if window := _window(self._refresh.get(id_, {})):
            return window
        raise invalid(f"INCREMENTAL_REFRESH: data set {id_} has no lookback window")

    def _id(self, request: Request) -> str:
        """The id of the data set that a request names."""
        _found(self._kept["DataSet"], request.params["DataSetId"])
        return request.params["DataSetId"]

    def _arn(self, kind: str) -> str:
        cloud = self._cloud
        return f"arn:aws:quicksight:{cloud.region}:{cloud.account}:{kind.lower()}"


def _found(among: dict[str, Item], id_: str) -> Item:
    if id_ not in among:
        raise ServiceError("ResourceNotFoundException", f"{id_} is not found", 404)
    return among[id_]


def _refuse(params: Item) -> None:
    if refused := NOT_TAKEN & params.keys():
        raise invalid(f"{', '.join(sorted(refused))}: not done by the laptop cloud")


def _table(data_set: Item) -> Item:
    (table,) = data_set["PhysicalTableMap"].values()
    return table["CustomSql"]


def _columns(data_set: Item) -> dict[str, str]:
    return {column["Name"]: column["Type"] for column in _table(data_set)["Columns"]}


def _window(properties: Item) -> Item | None:
    refresh = properties.get("RefreshConfiguration") or {}
    return refresh.get("IncrementalRefresh", {}).get("LookbackWindow")
