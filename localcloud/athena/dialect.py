"""From Athena's SQL to DuckDB's: what sqlglot translates, and what it leaves.

`MACROS` runs once in each query's connection; `_RULES` change the parsed query.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlglot
from sqlglot import exp

from localcloud.athena.errors import NotSupportedError

# sqlglot warns of what it cannot express; the tests hold what matters.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

# Functions of Trino that DuckDB lacks or that differ. Overloads by type keep a date a date.
MACROS = """
CREATE MACRO trino_date_trunc(unit VARCHAR, x DATE) AS CAST(date_trunc(unit, x) AS DATE),
  (unit VARCHAR, x TIMESTAMP) AS date_trunc(unit, x),
  (unit VARCHAR, x TIMESTAMPTZ) AS date_trunc(unit, x);
CREATE MACRO trino_date_add(unit VARCHAR, n BIGINT, x DATE) AS
    CAST(x + n * CAST('1 ' || unit AS INTERVAL) AS DATE),
  (unit VARCHAR, n BIGINT, x TIMESTAMP) AS x + n * CAST('1 ' || unit AS INTERVAL),
  (unit VARCHAR, n BIGINT, x TIMESTAMPTZ) AS x + n * CAST('1 ' || unit AS INTERVAL);
CREATE MACRO trino_plus(x DATE, i INTERVAL) AS CAST(x + i AS DATE),
  (x TIMESTAMP, i INTERVAL) AS x + i, (x TIMESTAMPTZ, i INTERVAL) AS x + i,
  (x INTERVAL, i INTERVAL) AS x + i;
CREATE MACRO trino_minus(x DATE, i INTERVAL) AS CAST(x - i AS DATE),
  (x TIMESTAMP, i INTERVAL) AS x - i, (x TIMESTAMPTZ, i INTERVAL) AS x - i,
  (x INTERVAL, i INTERVAL) AS x - i;
CREATE MACRO trino_varchar(x DATE) AS CAST(x AS VARCHAR),
  (x TIMESTAMP) AS strftime(x, '%Y-%m-%d %H:%M:%S.%g'),
  (x TIMESTAMPTZ) AS strftime(x, '%Y-%m-%d %H:%M:%S.%g UTC'),
  (x) AS CAST(x AS VARCHAR);
CREATE MACRO to_iso8601(x DATE) AS CAST(x AS VARCHAR),
  (x TIMESTAMP) AS strftime(x, '%Y-%m-%dT%H:%M:%S.%g'),
  (x TIMESTAMPTZ) AS strftime(x, '%Y-%m-%dT%H:%M:%S.%gZ');
-- The wall clock of a zone. Trino keeps the zone with the value, DuckDB cannot.
CREATE MACRO at_timezone(x TIMESTAMP, zone VARCHAR) AS timezone(zone, timezone('UTC', x)),
  (x TIMESTAMPTZ, zone VARCHAR) AS timezone(zone, x);
CREATE MACRO trino_regexp_extract(s, p, g) AS
  CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
-- Of columns whose type is known only when the query is bound; maps of text to numbers.
CREATE MACRO trino_cardinality(x MAP(VARCHAR, DOUBLE)) AS cardinality(x), (x) AS len(x);
CREATE MACRO nan() AS CAST('NaN' AS DOUBLE);
CREATE MACRO infinity() AS CAST('Infinity' AS DOUBLE);
CREATE MACRO json_size(j, p) AS CASE json_type(j, p)
  WHEN 'ARRAY' THEN json_array_length(j, p) WHEN 'OBJECT' THEN len(json_keys(j, p)) ELSE 0 END;
CREATE MACRO with_timezone(x, zone) AS timezone(zone, x);
CREATE MACRO map_agg(k, v) AS map(list(k), list(v));
CREATE MACRO map_from_lists(k, v) AS map(k, v);
CREATE MACRO is_nan(x) AS isnan(x);
CREATE MACRO is_finite(x) AS isfinite(x);
CREATE MACRO is_infinite(x) AS isinf(x);
CREATE MACRO truncate(x) AS trunc(x);
CREATE MACRO to_utf8(x) AS encode(x);
CREATE MACRO from_utf8(x) AS decode(x);
CREATE MACRO to_hex(x) AS upper(hex(x));
CREATE MACRO sha256_bytes(x) AS unhex(sha256(x));
CREATE MACRO md5_bytes(x) AS unhex(md5(x));
CREATE MACRO last_day_of_month(x) AS last_day(x);
CREATE MACRO day_of_year(x) AS dayofyear(x);
CREATE MACRO doy(x) AS dayofyear(x);
CREATE MACRO day_of_month(x) AS day(x);
CREATE MACRO day(x) AS dayofmonth(x);
CREATE MACRO dow(x) AS isodow(x);
CREATE MACRO year_of_week(x) AS isoyear(x);
CREATE MACRO yow(x) AS isoyear(x);
CREATE MACRO array_remove(a, x) AS list_filter(a, lambda e: e <> x);
CREATE MACRO arrays_overlap(a, b) AS list_has_any(a, b);
CREATE MACRO array_except(a, b) AS list_distinct(list_filter(a, lambda e: NOT list_contains(b, e)));
CREATE MACRO array_union(a, b) AS list_distinct(list_concat(a, b));
CREATE MACRO array_min(a) AS list_min(a);
CREATE MACRO array_max(a) AS list_max(a);
CREATE MACRO array_average(a) AS list_avg(a);
CREATE MACRO map_concat2(a, b) AS map_concat(a, b);
CREATE MACRO json_array_contains(j, x) AS json_contains(j, to_json(x));
CREATE MACRO url_extract_host(u) AS regexp_extract(u, '^[a-zA-Z]+://(?:[^/@]*@)?([^/:?#]+)', 1);
CREATE MACRO url_extract_path(u) AS regexp_extract(u, '^[a-zA-Z]+://[^/?#]*([^?#]*)', 1);
"""

# Joda's pattern letters (format_datetime, parse_datetime) -> strftime's.
_JODA = {
    "yyyy": "%Y", "YYYY": "%Y", "y": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m",
    "M": "%-m", "dd": "%d", "d": "%-d", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I",
    "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g", "a": "%p", "EEEE": "%A",
    "EEE": "%a", "EE": "%a", "E": "%a", "DDD": "%j", "D": "%-j", "ww": "%V", "w": "%V",
    "xxxx": "%G", "e": "%u", "Z": "%z", "ZZ": "%z", "z": "%Z", "SSSSSS": "%f",
}  # fmt: skip
_JODA_PART = re.compile(
    r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>(?P<letter>[a-zA-Z])(?P=letter)*)"
    r"|(?P<other>[^a-zA-Z']+)"
)


def joda_to_strftime(pattern: str) -> str:
    """Translate a Joda pattern. Raises NotSupportedError for a letter without counterpart."""
    out = []
    for part in _JODA_PART.finditer(pattern):
        if part["letters"]:
            if part["letters"] not in _JODA:
                raise NotSupportedError(f"date pattern {part['letters']!r}")
            out.append(_JODA[part["letters"]])
        else:
            text = part["other"] or part["quoted"].replace("''", "'") or "'"
            out.append(text.replace("%", "%%"))
    return "".join(out)


def parse(sql: str) -> exp.Expression:
    """Parse one statement in Athena's dialect. Raises sqlglot's ParseError."""
    return sqlglot.parse_one(sql, dialect="athena")


def to_duckdb(query: exp.Expression, *, pairs_of: str = "map") -> str:
    """Return DuckDB's SQL for a parsed query.

    `pairs_of`: whether an UNNEST into two columns is of a `map` or of `rows` with two fields, which
    only its types tell.
    """
    rules = _RULES | {exp.Unnest: partial(_unnest, pairs_of=pairs_of)}
    return rewrite(name_columns(query.copy()), rules).sql(dialect="duckdb")


def rewrite(
    query: exp.Expression, rules: dict[Any, Callable[[Any], exp.Expression]]
) -> exp.Expression:
    """Change a query's nodes by rules, given by a node's class or by a function's name."""
    # Inner nodes first: sqlglot's transform does not look into what it has replaced.
    for node in reversed(list(query.walk())):
        name = node.name.lower() if isinstance(node, exp.Anonymous) else type(node)
        rule = rules.get(name)
        changed = rule(node) if rule else node
        if changed is not node:
            query = changed if node is query else query
            node.replace(changed)
    return query


def name_columns(query: exp.Expression) -> exp.Expression:
    """Give columns without a name the names that Athena gives them: `_col0`, `_col1`."""
    select = query
    while isinstance(select, (exp.SetOperation, exp.Subquery)):
        select = select.this
    for index, item in enumerate(select.expressions if isinstance(select, exp.Select) else []):
        if not item.output_name and not item.is_star:
            item.replace(exp.alias_(item.copy(), f"_col{index}", quoted=True))
    return query


def _call(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _unit(node: exp.Expression) -> exp.Expression:
    return exp.Literal.string(node.text("unit").lower())


def _date_trunc(node: exp.Expression) -> exp.Expression:
    return _call("trino_date_trunc", _unit(node), node.this)


def _interval_arithmetic(node: exp.Expression) -> exp.Expression:
    left, right = node.this, node.expression
    if isinstance(node, exp.Add) and isinstance(left, exp.Interval):
        left, right = right, left
    if not isinstance(right, exp.Interval):
        return node
    return _call("trino_plus" if isinstance(node, exp.Add) else "trino_minus", left, right)


def _cast(node: exp.Expression) -> exp.Expression:
    if node.to.this == exp.DType.VARCHAR:
        return _call("trino_varchar", node.this)
    literal = isinstance(node.this, exp.Literal)
    if node.to.this == exp.DType.DECIMAL and not node.to.expressions and literal:
        # DECIMAL '1.50' has the precision it is written with.
        whole, _, fraction = node.this.name.lstrip("+-").partition(".")
        digits = max(1, len(whole) + len(fraction))
        node.set("to", exp.DataType.build(f"DECIMAL({digits}, {len(fraction)})"))
    return node


def _regexp_extract(node: exp.Expression) -> exp.Expression:
    group = node.args.get("group") or exp.Literal.number(0)
    return _call("trino_regexp_extract", node.this, node.expression, group)


def _regexp_replace(node: exp.Expression) -> exp.Expression:
    replacement = node.args.get("replacement")
    if isinstance(replacement, exp.Literal):
        # Group references are $1 in Trino, \\1 in DuckDB.
        text = re.sub(r"\$(\d)", r"\\\1", replacement.this)
        node.set("replacement", exp.Literal.string(text))
    return node


def _parse_datetime(node: exp.Expression) -> exp.Expression:
    pattern = exp.Literal.string(joda_to_strftime(node.args["format"].name))
    return _call("timezone", exp.Literal.string("UTC"), _call("strptime", node.this, pattern))


def _format_datetime(node: exp.Expression) -> exp.Expression:
    value, pattern = node.expressions
    if not isinstance(pattern, exp.Literal):
        raise NotSupportedError("format_datetime with a pattern that is not a literal")
    return _call("strftime", value, exp.Literal.string(joda_to_strftime(pattern.this)))


def _slice(node: exp.Expression) -> exp.Expression:
    # Trino gives a start and a length, DuckDB a start and an end.
    start, length = exp.paren(node.args["start"]), exp.paren(node.args["end"])
    return _call("list_slice", node.this, start, start.copy() + length - 1)


def _cardinality(node: exp.Expression) -> exp.Expression:
    inner = node.this
    of_map = isinstance(inner, exp.Map) or inner.name.lower() in ("map_agg", "histogram")
    if not of_map and node.find_ancestor(exp.Unnest):
        return _call("len", inner)  # DuckDB fails on a macro with overloads there
    return _call("cardinality" if of_map else "trino_cardinality", inner)


def _match(sign: type[exp.Expression], *, whole: bool) -> Callable[[Any], exp.Expression]:
    def rule(node: exp.Expression) -> exp.Expression:
        array, condition = node.expressions
        kept = _call("len", _call("list_filter", array, condition))
        total = _call("len", array.copy()) if whole else exp.Literal.number(0)
        return exp.Paren(this=sign(this=kept, expression=total))

    return rule


def _unnest(node: exp.Expression, *, pairs_of: str = "map") -> exp.Expression:
    """Trino makes a column of each field of rows, two of a map, one of each of several arrays;
    DuckDB makes one in all."""
    alias = node.args.get("alias")
    columns, several = len(alias.columns) if alias else 0, len(node.expressions) > 1
    if columns < 2 or node.args.get("offset"):
        return node
    value = node.expressions[0]
    if several:
        value = _call("list_zip", *node.expressions)
    elif columns == 2 and pairs_of == "map":
        value = _call("map_entries", value)
    depth = exp.PropertyEQ(this=exp.to_identifier("max_depth"), expression=exp.Literal.number(2))
    rows = exp.Select(expressions=[_call("unnest", value, depth)])
    return exp.Lateral(this=exp.Subquery(this=rows), alias=alias)


def _renamed(name: str) -> Callable[[Any], exp.Expression]:
    return lambda node: _call(name, *node.expressions)


# What changes a node where DuckDB differs from Trino, by its class or by the function's name.
_RULES: dict[Any, Callable[[Any], exp.Expression]] = {
    exp.DateTrunc: _date_trunc,
    exp.TimestampTrunc: _date_trunc,
    exp.DateAdd: lambda n: _call("trino_date_add", _unit(n), n.expression, n.this),
    # Whole units that have passed; DuckDB's date_diff counts the boundaries between.
    exp.DateDiff: lambda n: _call("date_sub", _unit(n), n.expression, n.this),
    exp.Add: _interval_arithmetic,
    exp.Sub: _interval_arithmetic,
    exp.AtTimeZone: lambda n: _call("at_timezone", n.this, n.args["zone"]),
    exp.Cast: _cast,
    exp.RegexpExtract: _regexp_extract,
    exp.RegexpReplace: _regexp_replace,
    exp.ParseDatetime: _parse_datetime,
    exp.Typeof: lambda n: exp.Lower(this=n.copy()),
    exp.ArraySlice: _slice,
    exp.ArraySize: _cardinality,
    exp.Format: lambda n: _call("printf", n.this, *n.expressions),
    exp.SHA2: lambda n: _call("sha256_bytes", n.this),
    exp.MD5Digest: lambda n: _call("md5_bytes", n.this),
    "format_datetime": _format_datetime,
    "any_match": _match(exp.GT, whole=False),
    "all_match": _match(exp.EQ, whole=True),
    "none_match": _match(exp.EQ, whole=False),
    "array_sort": _renamed("list_sort"),
    "shuffle": _renamed("list_shuffle"),
    "codepoint": _renamed("unicode"),
    "rand": _renamed("random"),
    "json_array_get": _renamed("json_extract"),
    "levenshtein_distance": _renamed("levenshtein"),
    "hamming_distance": _renamed("hamming"),
    "day_of_week": _renamed("isodow"),
}
