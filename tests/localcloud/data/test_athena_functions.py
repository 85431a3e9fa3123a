"""Expressions of Athena's SQL, by what Athena answers (as text; None is NULL)."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from localcloud.athena import dialect, engine, results
from localcloud.athena.errors import NotSupportedError

EXPRESSIONS = [
    # dates and times
    (
        "date_format(TIMESTAMP '2015-02-17 09:05:03.123', '%Y-%m-%d %H:%i:%s')",
        "2015-02-17 09:05:03",
    ),
    ("date_format(DATE '2015-02-17', '%W %M %e')", "Tuesday February 17"),
    (
        "format_datetime(TIMESTAMP '2015-02-17 09:05:03', 'yyyy-MM-dd''T''HH:mm:ss')",
        "2015-02-17T09:05:03",
    ),
    ("format_datetime(TIMESTAMP '2015-02-17 09:05:03', 'EEE d MMM yy h a')", "Tue 17 Feb 15 9 AM"),
    ("parse_datetime('2015-02-17 09', 'yyyy-MM-dd HH')", "2015-02-17 09:00:00.000 UTC"),
    ("date_parse('2015-02-17 09:05', '%Y-%m-%d %H:%i')", "2015-02-17 09:05:00.000"),
    ("from_iso8601_timestamp('2015-02-17T09:05:03Z')", "2015-02-17 09:05:03.000 UTC"),
    ("from_iso8601_date('2015-02-17')", "2015-02-17"),
    ("to_iso8601(DATE '2015-02-17')", "2015-02-17"),
    ("to_iso8601(TIMESTAMP '2015-02-17 09:05:03.5')", "2015-02-17T09:05:03.500"),
    ("date_trunc('month', DATE '2015-02-17')", "2015-02-01"),
    ("date_trunc('hour', TIMESTAMP '2015-02-17 09:05:03')", "2015-02-17 09:00:00.000"),
    ("date_trunc('week', DATE '2015-02-19')", "2015-02-16"),
    ("date_add('day', -3, DATE '2015-02-17')", "2015-02-14"),
    ("date_add('hour', 2, TIMESTAMP '2015-02-17 09:05:03')", "2015-02-17 11:05:03.000"),
    ("date_add('month', 1, DATE '2015-01-31')", "2015-02-28"),
    ("date_diff('day', DATE '2015-02-17', DATE '2015-03-01')", "12"),
    ("date_diff('hour', TIMESTAMP '2015-02-17 09:59:00', TIMESTAMP '2015-02-17 11:00:00')", "1"),
    ("DATE '2015-02-17' + INTERVAL '1' DAY", "2015-02-18"),
    ("date('2015-02-17')", "2015-02-17"),
    ("CAST(TIMESTAMP '2015-02-17 09:05:03' AS DATE)", "2015-02-17"),
    ("CAST(DATE '2015-02-17' AS VARCHAR)", "2015-02-17"),
    ("CAST(TIMESTAMP '2015-02-17 09:05:03' AS VARCHAR)", "2015-02-17 09:05:03.000"),
    ("year(DATE '2015-02-17') * 100 + month(DATE '2015-02-17')", "201502"),
    ("day_of_week(DATE '2015-02-17')", "2"),
    ("day_of_year(DATE '2015-02-17')", "48"),
    ("week(DATE '2015-02-17')", "8"),
    ("quarter(DATE '2015-05-17')", "2"),
    ("hour(TIMESTAMP '2015-02-17 09:05:03')", "9"),
    ("extract(minute FROM TIMESTAMP '2015-02-17 09:05:03')", "5"),
    ("to_unixtime(TIMESTAMP '1970-01-02 00:00:00')", "86400.0"),
    ("from_unixtime(86400)", "1970-01-02 00:00:00.000 UTC"),
    ("last_day_of_month(DATE '2016-02-03')", "2016-02-29"),
    ("TIMESTAMP '2015-02-17 09:05:03' AT TIME ZONE 'America/New_York'", "2015-02-17 04:05:03.000"),
    ("CAST(from_unixtime(0) AS VARCHAR)", "1970-01-01 00:00:00.000 UTC"),
    ("at_timezone(from_unixtime(0), 'Europe/Paris')", "1970-01-01 01:00:00.000"),
    (
        "date_trunc('month', date_add('day', 20, date_trunc('week', DATE '2015-02-17')))",
        "2015-03-01",
    ),
    (
        "CAST(date_trunc('day', TIMESTAMP '2015-02-17 09:05:03' + INTERVAL '1' DAY) AS VARCHAR)",
        "2015-02-18 00:00:00.000",
    ),
    # text
    ("regexp_like('late again', 'l.te')", "true"),
    ("regexp_like('xlatex', '^late')", "false"),
    ("regexp_extract('flight 417', '(\\d+)', 1)", "417"),
    ("regexp_extract('none', '(\\d+)', 1)", None),
    ("regexp_extract_all('1a 2b', '\\d')", "[1, 2]"),
    ("regexp_replace('a1b2', '\\d', '')", "ab"),
    ("regexp_replace('ab', '(a)(b)', '$2$1')", "ba"),
    ("split('a,b', ',')", "[a, b]"),
    ("split_part('a,b', ',', 2)", "b"),
    ("strpos('abc', 'c')", "3"),
    ("substr('abcdef', 2, 3)", "bcd"),
    ("substring('abcdef', 3)", "cdef"),
    ("concat('a', 'b', 'c')", "abc"),
    ("'a' || NULL", None),
    ("lower('ÄB') || upper('c')", "äbC"),
    ("length('añb')", "3"),
    ("trim('  x ') || ltrim(' y')", "xy"),
    ("lpad('7', 3, '0')", "007"),
    ("replace('aXb', 'X', '-')", "a-b"),
    ("reverse('abc')", "cba"),
    ("starts_with('abc', 'ab')", "true"),
    ("format('%d of %s', 3, 'x')", "3 of x"),
    ("levenshtein_distance('ab', 'ac')", "1"),
    ("to_hex(md5(to_utf8('a')))", "0CC175B9C0F1B6A831C399E269772661"),
    (
        "to_hex(sha256(to_utf8('')))",
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
    ),
    ("from_utf8(from_base64(to_base64(to_utf8('hé'))))", "hé"),
    ("chr(65)", "A"),
    ("'abc' LIKE 'a%'", "true"),
    # numbers
    ("7 / 2", "3"),
    ("-7 / 2", "-3"),
    ("7 / 2e0", "3.5"),
    ("7 % 3", "1"),
    ("CAST(7 AS DOUBLE) / 2", "3.5"),
    ("round(2.567e0, 2)", "2.57"),
    ("round(5)", "5"),
    ("floor(-1.5e0)", "-2.0"),
    ("ceil(1.2e0)", "2.0"),
    ("truncate(1.9e0)", "1.0"),
    ("power(2, 10)", "1024.0"),
    ("abs(-3)", "3"),
    ("sign(-3)", "-1"),
    ("ln(1)", "0.0"),
    ("greatest(1, 3, 2)", "3"),
    ("is_nan(nan())", "true"),
    ("try_cast('x' AS INTEGER)", None),
    ("try(1 / 0)", None),
    ("coalesce(NULL, 2)", "2"),
    ("nullif(1, 1)", None),
    ("if(1 > 2, 'a', 'b')", "b"),
    ("CASE WHEN true THEN 1 END", "1"),
    ("CAST(1.5e0 AS INTEGER)", "2"),
    ("CAST('1.5' AS DOUBLE)", "1.5"),
    ("CAST(1e0 AS VARCHAR)", "1.0"),
    ("typeof(1)", "integer"),
    ("typeof('a')", "varchar"),
    # arrays, maps, rows
    ("cardinality(ARRAY[1, 2])", "2"),
    ("cardinality(MAP(ARRAY['a'], ARRAY[1]))", "1"),
    ("element_at(ARRAY[1, 2], 2)", "2"),
    ("element_at(ARRAY[1, 2], 5)", None),
    ("element_at(MAP(ARRAY['a'], ARRAY[1]), 'a')", "1"),
    ("ARRAY[1, 2][1]", "1"),
    ("contains(ARRAY['a'], 'a')", "true"),
    ("array_join(ARRAY['a', NULL, 'b'], '-')", "a-b"),
    ("array_distinct(ARRAY[2, 2])", "[2]"),
    ("array_sort(ARRAY[3, 1])", "[1, 3]"),
    ("array_max(ARRAY[3, 1])", "3"),
    ("array_position(ARRAY['a', 'b'], 'b')", "2"),
    ("array_intersect(ARRAY[1, 2], ARRAY[2])", "[2]"),
    ("array_remove(ARRAY[1, 2], 1)", "[2]"),
    ("arrays_overlap(ARRAY[1], ARRAY[1, 2])", "true"),
    ("ARRAY[1] || ARRAY[2]", "[1, 2]"),
    ("concat(ARRAY[1], ARRAY[2])", "[1, 2]"),
    ("slice(ARRAY[1, 2, 3, 4], 2, 2)", "[2, 3]"),
    ("flatten(ARRAY[ARRAY[1], ARRAY[2]])", "[1, 2]"),
    ("sequence(1, 3)", "[1, 2, 3]"),
    ("filter(ARRAY[1, 2, 3], x -> x > 1)", "[2, 3]"),
    ("transform(ARRAY[1, 2], x -> x * 10)", "[10, 20]"),
    ("reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s)", "6"),
    ("any_match(ARRAY[1, 2], x -> x > 1)", "true"),
    ("all_match(ARRAY[1, 2], x -> x > 1)", "false"),
    ("none_match(ARRAY[1, 2], x -> x > 5)", "true"),
    ("map_keys(MAP(ARRAY['a'], ARRAY[1]))", "[a]"),
    ("map_values(MAP(ARRAY['a'], ARRAY[1]))", "[1]"),
    ("MAP(ARRAY['a'], ARRAY[1])['a']", "1"),
    ("CAST(ROW(1, 'x') AS ROW(a INTEGER, b VARCHAR)).b", "x"),
    # JSON
    ('json_extract_scalar(\'{"a": {"b": "x"}}\', \'$.a.b\')', "x"),
    ("json_extract_scalar('{\"a\": [5]}', '$.a[0]')", "5"),
    ("json_extract_scalar('{}', '$.a')", None),
    ("json_extract('{\"a\": {\"b\": 1}}', '$.a')", '{"b":1}'),
    ("json_array_length('[1, 2]')", "2"),
    ("json_format(json_parse('{\"a\": 1}'))", '{"a":1}'),
    ('json_size(\'{"a": {"b": 1, "c": 2}}\', \'$.a\')', "2"),
    ("CAST(json_parse('[1, 2]') AS ARRAY(INTEGER))", "[1, 2]"),
    ("CAST(MAP(ARRAY['a'], ARRAY[1]) AS JSON)", '{"a":1}'),
    ("url_extract_host('https://u@example.org:1/p/q?x=1')", "example.org"),
    ("url_extract_path('https://example.org/p/q?x=1')", "/p/q"),
]

# Over the rows (g, x) = ('a', 1), ('a', 2), ('b', 4), ('b', NULL).
AGGREGATES = [
    ("sum(x)", "7"),
    ("count(x)", "3"),
    ("count(*)", "4"),
    ("avg(x)", "2.3333333333333335"),
    ("count_if(x > 1)", "2"),
    ("approx_distinct(g)", "2"),
    ("approx_percentile(x, 0.5)", "2"),
    ("max_by(g, x)", "b"),
    ("min_by(g, x)", "a"),
    ("bool_or(x > 3)", "true"),
    ("bool_and(x > 0)", "true"),
    ("array_agg(g ORDER BY x)", "[a, a, b, b]"),
    ("array_agg(x ORDER BY x) FILTER (WHERE x IS NOT NULL)", "[1, 2, 4]"),
    ("array_agg(DISTINCT g ORDER BY g)", "[a, b]"),
    ("map_agg(g, x)['b'] IS NULL OR true", "true"),
    ("arbitrary(1)", "1"),
    ("any_value(1)", "1"),
    ("round(stddev(x), 6)", "1.527525"),
    ("round(stddev_pop(x), 6)", "1.247219"),
    ("round(variance(x), 6)", "2.333333"),
    ("sum(x) FILTER (WHERE g = 'a')", "3"),
    ("histogram(g)", "{a=2, b=2}"),
    ("listagg(g, ',') WITHIN GROUP (ORDER BY g)", "a,a,b,b"),
    ("CAST(sum(x) AS DOUBLE) / count(*)", "1.75"),
    ("1e0 * sum(x) / count(*)", "1.75"),
    ("geometric_mean(x)", "2.0"),
    ("corr(x, x)", "1.0"),
]

QUERIES = [
    (
        "SELECT u FROM (SELECT ARRAY['a', 'b'] AS t) CROSS JOIN UNNEST(t) AS x(u) ORDER BY u",
        [("a",), ("b",)],
    ),
    (
        "SELECT w, n FROM (SELECT ARRAY['a', 'b'] AS t), UNNEST(t) WITH ORDINALITY AS x(w, n) "
        "ORDER BY n",
        [("a", "1"), ("b", "2")],
    ),
    (
        "SELECT k, v FROM (SELECT MAP(ARRAY['a', 'b'], ARRAY[1, 2]) AS m), UNNEST(m) AS x(k, v) "
        "ORDER BY k",
        [("a", "1"), ("b", "2")],
    ),
    (
        "SELECT w, n FROM (SELECT ARRAY[CAST(ROW('a', 1) AS ROW(p VARCHAR, q INTEGER))] AS r), "
        "UNNEST(r) AS x(w, n)",
        [("a", "1")],
    ),
    (
        "SELECT w, n FROM (SELECT ARRAY['a', 'b'] AS t, ARRAY[1] AS u), UNNEST(t, u) AS x(w, n) "
        "ORDER BY w",
        [("a", "1"), ("b", None)],
    ),
    (
        "SELECT u FROM (SELECT ARRAY['a'] AS t) CROSS JOIN "
        "UNNEST(IF(cardinality(t) > 0, t, ARRAY['none'])) AS x(u)",
        [("a",)],
    ),
    ("SELECT x FROM (VALUES 3, 1, NULL) AS t(x) ORDER BY x DESC", [("3",), ("1",), (None,)]),
    ("SELECT x FROM (VALUES 3, 1, NULL) AS t(x) ORDER BY x", [("1",), ("3",), (None,)]),
    ("SELECT g, sum(x) FROM rows GROUP BY 1 ORDER BY 2 DESC LIMIT 1", [("b", "4")]),
    (
        "SELECT g, row_number() OVER (PARTITION BY g ORDER BY x) FROM rows ORDER BY 1, 2 LIMIT 2",
        [("a", "1"), ("a", "2")],
    ),
    (
        "SELECT x, lag(x) OVER (ORDER BY x) FROM rows WHERE x IS NOT NULL ORDER BY x",
        [("1", None), ("2", "1"), ("4", "2")],
    ),
    ("SELECT g FROM rows EXCEPT SELECT 'a'", [("b",)]),
    (
        "SELECT coalesce(g, 'all'), count(*) FROM rows GROUP BY ROLLUP (g) ORDER BY 2 DESC, 1",
        [("all", "4"), ("a", "2"), ("b", "2")],
    ),
    ("SELECT g FROM rows GROUP BY g HAVING count(x) = 1", [("b",)]),
    (
        "SELECT x FROM rows WHERE x BETWEEN 2 AND 5 AND g IN ('a','b') ORDER BY x OFFSET 1 LIMIT 1",
        [("4",)],
    ),
    (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
        "SELECT max(i) FROM n",
        [("3",)],
    ),
    ("SELECT a.g FROM rows a JOIN rows b ON a.x + 1 = b.x", [("a",)]),
    ("SELECT approx_percentile(x, ARRAY[0.0, 1.0]) FROM rows", [("[1, 4]",)]),
    (
        "SELECT count(*) FROM rows WHERE NOT EXISTS (SELECT 1 FROM rows r WHERE r.x = rows.x + 10)",
        [("4",)],
    ),
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with engine.connect(tmp_path_factory.mktemp("spill")) as connection:
        connection.execute(
            "CREATE TABLE rows AS SELECT * FROM (VALUES ('a', 1), ('a', 2), "
            "('b', 4), ('b', NULL)) t(g, x)"
        )
        yield connection


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[str | None, ...]]:
    result = results.of_query(connection, engine.translate(connection, dialect.parse(sql)))
    return [tuple(row) for row in result.rows]


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS)
def test_an_expression_has_athenas_value(connection, expression, value) -> None:
    assert answer(connection, f"SELECT {expression}") == [(value,)]


@pytest.mark.parametrize(("aggregate", "value"), AGGREGATES)
def test_an_aggregate_has_athenas_value(connection, aggregate, value) -> None:
    assert answer(connection, f"SELECT {aggregate} FROM rows") == [(value,)]


@pytest.mark.parametrize(("sql", "rows"), QUERIES)
def test_a_query_has_athenas_rows(connection, sql, rows) -> None:
    assert answer(connection, sql) == rows


def test_a_date_pattern_without_counterpart_is_refused(connection) -> None:
    with pytest.raises(NotSupportedError) as error:
        answer(connection, "SELECT format_datetime(now(), 'G')")
    assert "date pattern 'G'" in error.value.reason
