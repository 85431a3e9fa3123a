"""Cleaning by the domain's own functions, for the lines that Spark's expressions cannot clean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pyspark.sql import functions as F

from voxlake.ids import Pseudonymiser
from voxlake.text.clean import clean_text
from voxlake.text.handles import pseudonymise_mention

TEXTS = ("bio", "context", "text")
"""Fields, of whatever event type, that hold text."""

IDENTITIES = ("author_id", "handle", "speaker")
"""Fields that hold one identity."""

CELLS = (*TEXTS, *IDENTITIES, "target_id", "mentions")
"""Everything that is cleaned; target_id where it names a profile."""


@dataclass(frozen=True)
class CleaningRules:
    """What cleaning depends on besides the row; goes to Python workers by pickling.

    Attributes:
        key_id, key: see ``voxlake.ids.Pseudonymiser``.
        kept_handles: lower-case handles that stay as written.
    """

    key_id: str
    key: bytes
    kept_handles: frozenset[str]

    def __repr__(self) -> str:
        return f"CleaningRules(key_id={self.key_id!r})"

    def pseudonymiser(self) -> Pseudonymiser:
        """The domain's pseudonymiser with this key."""
        return Pseudonymiser(self.key_id, self.key)


def cleaner(rules: CleaningRules) -> Callable[..., Any]:
    """A column function from a struct of source, target_type and ``CELLS`` to one of ``CELLS``.

    A null struct, which every line passes that needs no Python, costs next to nothing: only these
    few fields go to Python, and the lines themselves never do.
    """

    def clean(cells: pd.DataFrame) -> pd.DataFrame:
        return cleaned(cells, rules)

    kinds = {"mentions": "ARRAY<STRING>"}
    schema = ", ".join(f"{name} {kinds.get(name, 'STRING')}" for name in CELLS)
    return F.pandas_udf(clean, schema)


def cleaned(cells: pd.DataFrame, rules: CleaningRules) -> pd.DataFrame:
    """``CELLS`` of every row cleaned; what is null stays null."""
    people, kept = rules.pseudonymiser(), rules.kept_handles
    sources = cells["source"].tolist()

    def changed(name: str, change: Callable[[Any, str], Any]) -> list[Any]:
        return [
            None if value is None else change(value, source)
            for value, source in zip(cells[name].tolist(), sources, strict=True)
        ]

    def text(value: str, source: str) -> str:
        return clean_text(value, source, people, kept)

    def person(value: str, source: str) -> str:
        return people.pseudonym(source, value)

    def mentioned(handles: Any, source: str) -> list[str | None]:
        return [
            None if one is None else pseudonymise_mention(one, source, people, kept)
            for one in handles
        ]

    made = {name: changed(name, text) for name in TEXTS}
    made |= {name: changed(name, person) for name in IDENTITIES}
    made["mentions"] = changed("mentions", mentioned)
    targets = zip(cells["target_id"].tolist(), cells["target_type"].tolist(), sources, strict=True)
    made["target_id"] = [
        people.pseudonym(source, target) if kind == "profile" and target else target
        for target, kind, source in targets
    ]
    # As objects: pandas would make a column of nulls one of NaN.
    return pd.DataFrame({name: pd.Series(made[name], dtype=object) for name in CELLS})
