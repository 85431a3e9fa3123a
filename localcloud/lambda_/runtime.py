"""The process that runs a function's code: started by file path, it imports nothing of localcloud.

Requests come on standard input, responses leave on the descriptor that the first argument names.
Both are frames: two big-endian lengths, a JSON header, a payload of bytes. Whatever the handler
prints goes to the log; end of input (the parent is gone) ends the process at once, also while a
handler runs.
"""

import decimal
import importlib
import json
import logging
import os
import queue
import resource
import struct
import sys
import threading
import time
import traceback

LENGTHS = struct.Struct(">II")
request_id = "-"


def read_frame(stream):
    head = stream.read(LENGTHS.size)
    if len(head) < LENGTHS.size:
        return None
    header_length, payload_length = LENGTHS.unpack(head)
    return json.loads(stream.read(header_length)), stream.read(payload_length)


def write_frame(stream, header, payload=b""):
    head = json.dumps(header).encode()
    stream.write(LENGTHS.pack(len(head), len(payload)) + head + payload)
    stream.flush()


class Context:
    """The context object that AWS hands to a Python handler."""

    def __init__(self, header):
        self.aws_request_id = header["request_id"]
        self.invoked_function_arn = header["function_arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = self.client_context = None
        self._deadline = time.monotonic() + header["timeout_s"]

    def get_remaining_time_in_millis(self):
        return max(int((self._deadline - time.monotonic()) * 1000), 0)


def encode(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def failure(error_type, error, frames=()):
    trace = traceback.format_list(frames) if frames else []
    return {
        "errorMessage": str(error),
        "errorType": error_type,
        "requestId": request_id,
        "stackTrace": trace,
    }


def log_failure(document):
    # AWS logs the whole trace as one event: carriage returns keep the lines together
    lines = "".join(document["stackTrace"]).rstrip().replace("\n", "\r")
    print(
        f"[ERROR] {document['errorType']}: {document['errorMessage']}\r"
        f"Traceback (most recent call last):\r{lines}",
        flush=True,
    )


def load_handler():
    """The handler that _HANDLER names, or the failure that AWS reports for it."""
    name = os.environ["_HANDLER"]
    module_name, _, function_name = name.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        return None, failure("Runtime.ImportModuleError", message, own_frames(error))
    except Exception as error:
        return None, failure(type(error).__name__, error, own_frames(error))
    handler = getattr(module, function_name, None)
    if handler is None:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        return None, failure("Runtime.HandlerNotFound", message)
    return handler, None


def own_frames(error):
    frames = traceback.extract_tb(error.__traceback__)
    return [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]


def call(handler, header, payload):
    """The response payload and whether the handler failed."""
    try:
        result = handler(json.loads(payload or b"null"), Context(header))
    except Exception as error:
        return failure(type(error).__name__, error, own_frames(error)), True
    try:
        return json.dumps(result, default=encode, ensure_ascii=False).encode(), False
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return failure("Runtime.MarshalError", message), True


def read_requests(stream, requests):
    while (frame := read_frame(stream)) is not None:
        requests.put(frame)
    os._exit(0)


def configure_logging():
    class RequestFilter(logging.Filter):
        def filter(self, record):
            record.aws_request_id = request_id
            return True

    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(RequestFilter())
    handler.setFormatter(
        logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s",
            "%Y-%m-%dT%H:%M:%S",
        )
    )
    handler.formatter.converter = time.gmtime
    logging.getLogger().addHandler(handler)


def main():
    global request_id
    limit = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    requests = queue.SimpleQueue()
    source = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    responses = os.fdopen(int(sys.argv[1]), "wb")
    threading.Thread(target=read_requests, args=(source, requests), daemon=True).start()
    configure_logging()
    handler, broken = load_handler()
    if broken:
        log_failure(broken)
    write_frame(responses, {"ready": broken is None}, json.dumps(broken).encode())
    while True:
        header, payload = requests.get()
        request_id = header["request_id"]
        os.environ["_X_AMZN_TRACE_ID"] = header["trace_id"]
        result, failed = call(handler, header, payload)
        if failed:
            log_failure(result)
            result = json.dumps(result).encode()
        sys.stdout.flush()
        sys.stderr.flush()
        # the parent reads the log up to this line before it takes the response
        os.write(1, header["end_mark"].encode() + b"\n")
        write_frame(responses, {"failed": failed}, result)


main()
