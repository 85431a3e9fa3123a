"""``python -m voxlake.quality [FILE]``: checks a rules file, by default the package's own."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from voxlake.quality.errors import RulesFileError
from voxlake.quality.rules import LEVELS, load_rules


def main(argv: list[str]) -> int:
    """Prints how many rules each table has; exit status 1 and one line where the file is bad."""
    try:
        rules = load_rules(Path(argv[0]) if argv else None).rules
    except (OSError, RulesFileError) as error:
        print(error, file=sys.stderr)
        return 1
    counted = Counter((rule.table, rule.level) for rule in rules)
    for table in dict.fromkeys(rule.table for rule in rules):
        told = ", ".join(
            f"{counted[table, level]} {level}" for level in LEVELS if counted[table, level]
        )
        print(f"{table}: {told}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
