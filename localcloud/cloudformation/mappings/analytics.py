"""Glue, Athena, SageMaker."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.resource import ANY, Resource, maps

Result = tuple[str, dict[str, Any]]


@maps("AWS::Glue::Database")
def database(r: Resource) -> Result:
    r.take("CatalogId")  # the one account's
    content = r.require("DatabaseInput")
    r.done()
    r.call("glue", "CreateDatabase", DatabaseInput=content)
    return content["Name"], {}


@maps("AWS::Glue::Table", in_place=["TableInput"])
def table(r: Resource) -> Result:
    r.take("CatalogId")  # the one account's
    settings = r.same("DatabaseName", "TableInput")
    r.done()
    r.call("glue", "UpdateTable" if r.old else "CreateTable", **settings)
    return settings["TableInput"]["Name"], {}


@maps("AWS::Glue::Job", in_place=ANY)
def job(r: Resource) -> Result:
    name = r.name(None, 255)
    settings = r.same(
        "Role", "Command", "DefaultArguments", "GlueVersion", "WorkerType", "NumberOfWorkers",
        "Timeout", "MaxRetries", "ExecutionProperty", "Description",
    )  # fmt: skip
    r.done()
    if r.old:
        r.call("glue", "UpdateJob", JobName=name, JobUpdate=settings)
    else:
        r.call("glue", "CreateJob", Name=name, **settings)
    return name, {}


@maps("AWS::Glue::Crawler", in_place=ANY)
def crawler(r: Resource) -> Result:
    name, schedule = r.name(None, 255), r.take("Schedule", {}).get("ScheduleExpression")
    settings = r.same(
        "Role", "DatabaseName", "Targets", "Description", "SchemaChangePolicy", "RecrawlPolicy",
        "Configuration",
    )  # fmt: skip
    r.done()
    operation = "UpdateCrawler" if r.old else "CreateCrawler"
    r.call("glue", operation, Name=name, Schedule=schedule, **settings)
    return name, {}


@maps("AWS::Athena::WorkGroup")
def work_group(r: Resource) -> Result:
    name, configuration = r.name("Name", 128), r.take("WorkGroupConfiguration")
    settings = r.same("Description")
    r.without_effect("RecursiveDeleteOption", "work groups go with the state directory")
    r.done()
    r.call("athena", "CreateWorkGroup", Name=name, Configuration=configuration, **settings)
    return name, {}


@maps("AWS::Athena::NamedQuery", in_place=ANY)
def named_query(r: Resource) -> Result:
    settings = r.same("Name", "Database", "QueryString", "Description", "WorkGroup")
    r.done()
    if r.old:
        r.call("athena", "DeleteNamedQuery", NamedQueryId=r.old.physical_id)
    return r.call("athena", "CreateNamedQuery", **settings)["NamedQueryId"], {}


@maps("AWS::SageMaker::Model", in_place=ANY)
def model(r: Resource) -> Result:
    """A changed model is a new one under a new name; the old one stays, as with a retained."""
    name = r.name("ModelName", 63)
    settings = r.same("ExecutionRoleArn", "PrimaryContainer", "EnableNetworkIsolation")
    r.done()
    if r.old and r.old.physical_id == name:
        r.call("sagemaker", "DeleteModel", ModelName=name)
    r.call("sagemaker", "CreateModel", ModelName=name, **settings)
    return name, {"ModelName": name}


@maps("AWS::SageMaker::ModelPackageGroup")
def model_package_group(r: Resource) -> Result:
    name = r.require("ModelPackageGroupName")
    settings = r.same("ModelPackageGroupDescription")
    r.done()
    made = r.call(
        "sagemaker", "CreateModelPackageGroup", ModelPackageGroupName=name, **settings
    )  # fmt: skip
    return made["ModelPackageGroupArn"], {"ModelPackageGroupArn": made["ModelPackageGroupArn"]}
