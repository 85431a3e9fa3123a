"""Functions run in worker processes under their roles."""

import json
import os
import time
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from localcloud.lambda_.layers import LayerMismatchError, check

from .conftest import allow, eventually, make_function, make_role, zip_of


def invoke(cloud, name, event=None, **options):
    response = cloud.client("lambda").invoke(
        FunctionName=name, Payload=json.dumps(event or {}), **options
    )
    return response, json.loads(response["Payload"].read() or b"null")


def test_a_handler_is_called_with_event_and_context(cloud):
    arn = make_function(
        cloud,
        "echo",
        """
        def handler(event, context):
            return {"event": event, "arn": context.invoked_function_arn,
                    "name": context.function_name, "memory": context.memory_limit_in_mb,
                    "group": context.log_group_name,
                    "time": 0 < context.get_remaining_time_in_millis() <= 5000}
        """,
        MemorySize=256,
    )
    response, payload = invoke(cloud, "echo", {"a": 1})
    assert payload == {
        "event": {"a": 1},
        "arn": arn,
        "name": "echo",
        "memory": "256",
        "group": "/aws/lambda/echo",
        "time": True,
    }
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in response


def test_the_worker_stays_warm_and_sees_only_its_own_code(cloud):
    make_function(
        cloud,
        "warm",
        """
        import importlib.util, os
        calls = []
        def handler(event, context):
            calls.append(1)
            return [os.getpid(), len(calls), importlib.util.find_spec("localcloud") is None]
        """,
    )
    (_, first), (_, second) = invoke(cloud, "warm"), invoke(cloud, "warm")
    assert first[0] == second[0] != os.getpid()
    assert [first[1:], second[1:]] == [[1, True], [2, True]]


def test_an_error_of_the_handler_is_returned_as_aws_does(cloud):
    make_function(cloud, "bad", "def handler(event, context):\n    raise ValueError('no tea')\n")
    response, payload = invoke(cloud, "bad")
    assert response["FunctionError"] == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "no tea")
    assert "raise ValueError('no tea')" in payload["stackTrace"][0]
    log = (cloud.log_dir / "lambda" / "bad.log").read_text()
    assert "[ERROR] ValueError: no tea" in log


def test_a_handler_that_cannot_be_imported_says_why(cloud):
    make_function(cloud, "broken", "import no_such_module\n")
    _, payload = invoke(cloud, "broken")
    assert payload["errorType"] == "Runtime.ImportModuleError"
    assert payload["errorMessage"] == (
        "Unable to import module 'app': No module named 'no_such_module'"
    )


def test_a_handler_beyond_its_timeout_is_killed(cloud):
    make_function(
        cloud,
        "slow",
        """
        import os, time
        def handler(event, context):
            if event.get("sleep"):
                time.sleep(60)
            return os.getpid()
        """,
        Timeout=1,
    )
    _, before = invoke(cloud, "slow")
    started = time.monotonic()
    response, payload = invoke(cloud, "slow", {"sleep": True})
    assert time.monotonic() - started < 3
    assert response["FunctionError"] == "Unhandled"
    assert payload["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert not os.path.exists(f"/proc/{before}")
    assert invoke(cloud, "slow")[1] != before


def test_a_handler_that_asks_for_more_memory_than_it_has_fails(cloud):
    make_function(
        cloud,
        "big",
        "def handler(event, context):\n    return len(bytearray(event['mb'] << 20))\n",
        MemorySize=128,
    )
    assert invoke(cloud, "big", {"mb": 16})[1] == 16 << 20
    assert invoke(cloud, "big", {"mb": 900})[1]["errorType"] == "MemoryError"


def test_a_crash_is_an_error_and_the_next_call_starts_cold(cloud):
    make_function(
        cloud,
        "crash",
        "import os\ndef handler(event, context):\n    return os._exit(3) if event else 'ok'\n",
    )
    _, payload = invoke(cloud, "crash", {"now": True})
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert invoke(cloud, "crash")[1] == "ok"
    assert cloud.services["lambda"].status()["functions"]["crash"]["cold_starts"] == 2


def test_a_function_has_its_role_s_rights_and_no_more(cloud):
    cloud.client("s3").create_bucket(Bucket="mine")
    role = make_role(
        cloud, "writer", "lambda.amazonaws.com", [allow("s3:PutObject", "arn:aws:s3:::mine/in/*")]
    )
    make_function(
        cloud,
        "writer",
        """
        import boto3
        from botocore.exceptions import ClientError
        def handler(event, context):
            try:
                boto3.client("s3").put_object(Bucket="mine", Key=event["key"], Body=b"x")
            except ClientError as error:
                return error.response["Error"]["Code"]
        """,
        role,
        Timeout=30,
    )
    assert invoke(cloud, "writer", {"key": "in/a"})[1] is None
    assert invoke(cloud, "writer", {"key": "out/a"})[1] == "AccessDenied"


def test_output_goes_to_the_log_and_metrics_in_it_to_cloudwatch(cloud):
    make_function(
        cloud,
        "talks",
        """
        import json, logging, time
        def handler(event, context):
            print("plain words")
            logging.getLogger().warning("a warning")
            print(json.dumps({"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
                {"Namespace": "shop", "Dimensions": [[]], "Metrics": [{"Name": "Sold"}]}]},
                "Sold": 7}))
        """,
    )
    invoke(cloud, "talks")
    log = (cloud.log_dir / "lambda" / "talks.log").read_text()
    assert "plain words" in log
    assert "[WARNING]" in log
    logs = cloud.client("logs")
    stream = logs.describe_log_streams(logGroupName="/aws/lambda/talks")["logStreams"][0]
    events = logs.get_log_events(
        logGroupName="/aws/lambda/talks", logStreamName=stream["logStreamName"]
    )["events"]
    assert events[0]["message"].startswith("START RequestId: ")
    assert "plain words" in [e["message"] for e in events]
    assert total(cloud, "shop", "Sold") == 7


def test_invocations_errors_and_duration_are_counted(cloud):
    make_function(
        cloud, "counted", "def handler(event, context):\n    return 1 / event.get('by', 0)\n"
    )
    invoke(cloud, "counted")
    invoke(cloud, "counted", {"by": 2})
    dimension = {"FunctionName": "counted"}
    assert total(cloud, "AWS/Lambda", "Invocations", **dimension) == 2
    assert total(cloud, "AWS/Lambda", "Errors", **dimension) == 1
    assert total(cloud, "AWS/Lambda", "Duration", **dimension) > 0


def total(cloud, namespace, name, **dimensions):
    now = cloud.clock.now()
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(p["Sum"] for p in points)


def test_an_event_is_tried_three_times(cloud, tmp_path):
    make_function(
        cloud,
        "event",
        f"""
        def handler(event, context):
            with open({str(tmp_path / "calls")!r}, "a") as file:
                file.write(context.aws_request_id + "\\n")
            raise RuntimeError("again")
        """,
    )
    response, _ = invoke(cloud, "event", InvocationType="Event")
    assert response["StatusCode"] == 202
    calls = tmp_path / "calls"
    eventually(lambda: calls.exists() and len(calls.read_text().split()) == 3)
    assert len(set(calls.read_text().split())) == 1
    eventually(lambda: cloud.services["lambda"].status()["dropped_events"] == 1)


def test_what_is_not_there_or_not_emulated_is_refused(cloud):
    make_function(cloud, "plain", "def handler(e, c):\n    return 1\n")
    for name, options, code in (
        ("absent", {}, "ResourceNotFoundException"),
        ("plain", {"Qualifier": "1"}, "InvalidParameterValueException"),
        ("plain", {"InvocationType": "DryRun"}, "InvalidParameterValueException"),
    ):
        with pytest.raises(ClientError) as caught:
            invoke(cloud, name, **options)
        assert caught.value.response["Error"]["Code"] == code


def test_payloads_over_six_megabytes_are_refused_both_ways(cloud):
    make_function(cloud, "size", "def handler(event, context):\n    return 'x' * event['n']\n")
    with pytest.raises(ClientError) as caught:
        invoke(cloud, "size", {"text": "x" * (6 << 20)})
    assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"
    assert invoke(cloud, "size", {"n": 7 << 20})[1]["errorType"] == "Function.ResponseSizeTooLarge"
    assert len(invoke(cloud, "size", {"n": 5 << 20})[1]) == 5 << 20


def test_new_code_and_new_settings_count_from_the_next_call(cloud):
    make_function(
        cloud,
        "changes",
        "import os\ndef handler(e, c):\n    return ['one', os.environ.get('COLOUR')]\n",
    )
    client = cloud.client("lambda")
    assert invoke(cloud, "changes")[1] == ["one", None]
    client.update_function_configuration(
        FunctionName="changes", Environment={"Variables": {"COLOUR": "red"}}
    )
    assert invoke(cloud, "changes")[1] == ["one", "red"]
    cloud.client("s3").create_bucket(Bucket="code")
    cloud.client("s3").put_object(
        Bucket="code", Key="new.zip", Body=zip_of("def handler(e, c):\n    return 'two'\n")
    )
    client.update_function_code(FunctionName="changes", S3Bucket="code", S3Key="new.zip")
    assert invoke(cloud, "changes")[1] == "two"


def test_a_registered_folder_holds_the_code(cloud, tmp_path):
    make_function(cloud, "folder", "")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text("def handler(e, c):\n    return 'from the folder'\n")
    cloud.services["lambda"].register("folder", tmp_path / "code", {})
    assert invoke(cloud, "folder")[1] == "from the folder"


def test_calls_at_the_same_time_get_workers_of_their_own(cloud):
    from concurrent.futures import ThreadPoolExecutor

    make_function(
        cloud,
        "twin",
        "import os, time\ndef handler(e, c):\n    time.sleep(0.5)\n    return os.getpid()\n",
    )
    with ThreadPoolExecutor(2) as pool:
        pids = set(pool.map(lambda _: invoke(cloud, "twin")[1], range(2)))
    assert len(pids) == 2


def test_no_worker_outlives_the_service(cloud):
    make_function(cloud, "gone", "import os\ndef handler(e, c):\n    return os.getpid()\n")
    pid = invoke(cloud, "gone")[1]
    cloud.services["lambda"].function("gone").close()
    eventually(lambda: not os.path.exists(f"/proc/{pid}"))


def test_a_worker_ends_when_its_parent_is_killed(tmp_path):
    import signal
    import subprocess
    import sys

    (tmp_path / "app.py").write_text("def handler(e, c):\n    while True: pass\n")
    script = """
import os, sys, threading
from pathlib import Path
from localcloud.lambda_.worker import Worker
environment = {**os.environ, "_HANDLER": "app.handler", "AWS_LAMBDA_FUNCTION_NAME": "f",
    "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_LOG_GROUP_NAME": "g", "AWS_LAMBDA_LOG_STREAM_NAME": "s"}
worker = Worker(code_dir=Path(sys.argv[1]), environment=environment, memory_mb=128, on_log=print,
    should_stop=lambda: False)
worker.initialise()
print(worker.process.pid, flush=True)
worker.call({"request_id": "r", "function_arn": "a"}, b"{}", 60)
"""
    root = os.path.dirname(os.path.dirname(__import__("localcloud").__file__))
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, cwd=root
    ) as parent:
        pid = int(parent.stdout.readline())
        assert os.path.exists(f"/proc/{pid}")
        parent.send_signal(signal.SIGKILL)
    eventually(lambda: not _running(pid))


def _running(pid: int) -> bool:
    """Whether the process runs: one that ended may wait for a distant parent to reap it."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_layer_that_the_host_cannot_stand_in_for_is_refused(tmp_path):
    (tmp_path / "requirements.txt").write_text(
        "boto3>=1 \\\n    --hash=sha256:00\nno-such-package==1.0\nmoto==0.0.1\n"
        'never==1 ; python_version < "3"\n'
    )
    with pytest.raises(LayerMismatchError) as caught:
        check("deps", tmp_path)
    message = str(caught.value)
    assert "no-such-package==1.0 is not installed" in message
    assert "expected moto==0.0.1, found " in message
    assert "boto3" not in message
    assert "never" not in message
