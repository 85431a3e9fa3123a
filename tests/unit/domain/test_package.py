"""The domain stays pure and works where it is installed: in a zip, without what Glue lacks."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import voxlake

PACKAGE = Path(voxlake.__file__).parent
OTHERS = {"cli", "scoring"}
ALLOWED = {
    "events/models.py": {"pydantic", "pydantic_core"},
    "events/parse.py": {"pydantic", "orjson"},
    "quality/rules.py": {"yaml"},
    "sources/contract.py": {"orjson"},
    "text/tokens.py": {"nltk", "simplemma"},
    "tickets/desk.py": {"numpy"},
    "tickets/queues.py": {"yaml"},
    "tickets/sorting.py": {"numpy"},
    "trackers/trackers.py": {"yaml"},
}


def domain_files() -> list[Path]:
    return [
        path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in OTHERS
    ]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_the_domain_imports_only_what_it_may():
    found = {
        path.relative_to(PACKAGE).as_posix(): imported(path) - sys.stdlib_module_names - {"voxlake"}
        for path in domain_files()
    }
    assert {name: names for name, names in found.items() if names} == ALLOWED


def test_the_domain_reads_no_clock_and_no_environment():
    for path in domain_files():
        text = path.read_text("utf-8")
        for call in ("datetime.now", "utcnow", "time.time(", "os.environ", "getenv"):
            assert call not in text, f"{path.name} uses {call}"


def test_what_glue_needs_works_out_of_a_zip_without_pydantic_and_orjson(tmp_path):
    archive = tmp_path / "voxlake.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path in PACKAGE.rglob("*"):
            inside = path.relative_to(PACKAGE)
            if path.is_file() and inside.parts[0] not in OTHERS and path.suffix != ".pyc":
                made.write(path, Path("voxlake") / inside)
    program = """
import sys
sys.path.insert(0, sys.argv[1])
sys.modules["pydantic"] = sys.modules["orjson"] = None
import voxlake.ledger.reconcile, voxlake.ledger.restore, voxlake.sources.lines, voxlake.text.clean
from voxlake.events.landing import landing_event_spark_schema
from voxlake.trackers import load_trackers
from voxlake.tables import TABLES
assert voxlake.__file__.startswith(sys.argv[1])
print(len(load_trackers().trackers) > 5, len(TABLES) > 10,
      landing_event_spark_schema("post")[:6])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(archive)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True True stream\n", "")
