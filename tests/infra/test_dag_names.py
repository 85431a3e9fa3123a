"""The DAGs find every physical name they use among the outputs of every stage."""

import re

from infra.packaging import REPOSITORY

# name("Key"); invoke(task, "Key", …) and run_job(task, "Key", …)
KEY = re.compile(r'\b(?:name\(|(?:invoke|run_job)\(\s*"\w+",)\s*"(\w+)"')
IF_THERE = re.compile(r'\bname_if_there\(\s*"(\w+)"')
IN_A_TEMPLATE = re.compile(r"var\.json\.voxlake\.(\w+)")


def test_every_name_of_the_dags_is_an_output(assembly):
    files = (REPOSITORY / "mwaa_dags").rglob("*.py")
    source = "\n".join(path.read_text() for path in files)
    used = {*KEY.findall(source), *IN_A_TEMPLATE.findall(source)}
    outputs = {
        key for stack in assembly.stacks for key in assembly.template(stack).get("Outputs", {})
    }
    assert len(used) > 15
    assert used <= outputs
    if assembly.stage == "full":  # it has everything
        assert set(IF_THERE.findall(source)) <= outputs
