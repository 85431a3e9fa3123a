"""The serving container's process: loads `code/inference.py` once and answers invocations.

Run as a script with the model folder as argument, it reads frames from standard input and answers
on standard output: a line of JSON (with `length`), then that many bytes. It imports nothing of the
laptop cloud, since the model's own modules must be found first.

The contract is that of SageMaker's prebuilt framework images:
https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html#deploy-a-scikit-learn-model
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback

_FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn")


def block_network():
    """Refuse connections and name look-ups, as network isolation does."""

    def hook(event, args):
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"):
            family = getattr(args[0], "family", None)
            if family is None or family.name != "AF_UNIX":
                raise PermissionError(f"{event}: the model runs in network isolation")

    sys.addaudithook(hook)


class Handler:
    """The user's four functions; the images' defaults for the last three are not done here."""

    def __init__(self, model_dir):
        code = os.environ["SAGEMAKER_SUBMIT_DIRECTORY"]
        program = os.environ.get("SAGEMAKER_PROGRAM", "inference.py")
        sys.path.insert(0, code)
        sys.path.append(os.path.join(code, "lib"))
        path = os.path.join(code, program)
        if not os.path.exists(path):
            raise FileNotFoundError(f"expected code/{program} in the model archive, found none")
        spec = importlib.util.spec_from_file_location("inference", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["inference"] = module
        spec.loader.exec_module(module)
        missing = [name for name in _FUNCTIONS if not hasattr(module, name)]
        if missing:
            raise NotImplementedError(f"expected {', '.join(missing)} in code/{program}")
        self._module = module
        self._model = module.model_fn(model_dir)

    def invoke(self, body, content_type, accept):
        """Return the response's bytes."""
        if content_type in ("application/json", "text/csv"):
            body = body.decode("utf-8")  # the toolkit hands these over as str
        data = self._module.input_fn(body, content_type)
        result = self._module.output_fn(self._module.predict_fn(data, self._model), accept)
        result = result[0] if isinstance(result, tuple) else result
        return result.encode("utf-8") if isinstance(result, str) else bytes(result)


def serve(model_dir, requests, responses):
    """Answer frames until the input ends."""

    def answer(header, body=b""):
        line = json.dumps(header | {"length": len(body)}).encode()
        responses.write(line + b"\n" + body)
        responses.flush()

    try:
        handler = Handler(model_dir)
    except Exception as error:
        traceback.print_exc()
        answer({"status": 500, "error": f"{type(error).__name__}: {error}"})
        return
    answer({"status": 200})
    while line := requests.readline():
        header = json.loads(line)
        body = requests.read(header["length"])
        try:
            result = handler.invoke(body, header["content_type"], header["accept"])
        except Exception as error:
            traceback.print_exc()
            answer({"status": 500, "error": f"{type(error).__name__}: {error}"})
        else:
            answer({"status": 200}, result)


def main():
    # What the model prints goes to the log; the frames keep a descriptor of their own.
    frames = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if os.environ.get("LOCALCLOUD_NETWORK_ISOLATION") == "1":
        block_network()
    serve(sys.argv[1], sys.stdin.buffer, frames)


if __name__ == "__main__":
    main()
