"""The Redshift Data API: statements, results, transactions, errors in Redshift's words."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.data.conftest import wait_for
from tests.localcloud.data.redshift import FINAL, Redshift


@pytest.fixture(scope="module")
def redshift(client: Any) -> Redshift:
    return Redshift(client, "statements")


EXPRESSIONS = [
    ("7 / 2", 3),
    ("1.0::float8 / 4", 0.25),
    ("1 = 1", True),
    ("NULL::int", None),
    ("'a' || 'b'", "ab"),
    ("CAST('2015-02-17 09:05:03.5' AS TIMESTAMP)", "2015-02-17 09:05:03.500000"),
    ("DATE '2015-02-17'", "2015-02-17"),
    ("DATEADD(day, -1, DATE '2015-02-17')::date", "2015-02-16"),
    ("DATEDIFF(hour, '2015-02-17 09:59:00'::timestamp, '2015-02-17 11:00:00'::timestamp)", 2),
    ("DATE_TRUNC('hour', TIMESTAMP '2015-02-17 09:05:03')", "2015-02-17 09:00:00"),
    ("TRUNC(TIMESTAMP '2015-02-17 09:05:03')", "2015-02-17"),
    ("TRUNC(1.9)", 1.0),
    ("TO_CHAR(DATE '2015-02-17', 'YYYY-MM')", "2015-02"),
    ("EXTRACT(dow FROM DATE '2015-02-17')", 2),
    ("DATE_PART(week, DATE '2015-02-17')", 8),
    ("NVL(NULL, 'x')", "x"),
    ("DECODE(2, 1, 'one', 2, 'two', 'many')", "two"),
    ("LEN('abc')", 3),
    ("LEFT('abc', 2)", "ab"),
    ("SPLIT_PART('a,b', ',', 2)", "b"),
    ("REGEXP_SUBSTR('a12', '[0-9]+')", "12"),
    ("'abcdef'::varchar(3)", "abc"),
    ("NULLIF(1, 1)", None),
    ("GREATEST(1, 3, 2)", 3),
    ("ROUND(2.567, 1)", "2.6"),
    ("GETDATE() > '2015-01-01'", True),
    ("CURRENT_DATE - 1 < CURRENT_DATE", True),
    ("MD5('a')", "0cc175b9c0f1b6a831c399e269772661"),
]


def test_expressions_have_the_values_and_fields_that_redshift_gives(redshift):
    (found,) = redshift.rows("SELECT " + ", ".join(sql for sql, _ in EXPRESSIONS))
    assert dict(zip((sql for sql, _ in EXPRESSIONS), found, strict=True)) == dict(EXPRESSIONS)


AGGREGATES = [
    ("COUNT(*)", 4),
    ("AVG(n)", 2),  # of integers: an integer
    ("AVG(n::float8)", 2.5),
    ("SUM(n)", "10"),  # of bigint: numeric
    ("SUM(n::float8)", 10.0),
    ("MEDIAN(n::float8)", 2.5),
    ("LISTAGG(g, '') WITHIN GROUP (ORDER BY n)", "aabb"),
    ("COUNT(DISTINCT g)", 2),
    ("MAX(CASE WHEN g = 'a' THEN n END)", 2),
]


def test_aggregates_have_the_types_that_redshift_gives(redshift):
    rows = "(SELECT 1::bigint AS n, 'a' AS g UNION ALL SELECT 2, 'a' UNION ALL SELECT 3, 'b' "
    rows += "UNION ALL SELECT 4, 'b')"
    (found,) = redshift.rows("SELECT " + ", ".join(s for s, _ in AGGREGATES) + f" FROM {rows} t")
    assert found == tuple(value for _, value in AGGREGATES)
    shares = redshift.rows(
        f"SELECT n, RATIO_TO_REPORT(n) OVER (PARTITION BY g) FROM {rows} t ORDER BY n"
    )
    assert shares == [(1, 1 / 3), (2, 2 / 3), (3, 3 / 7), (4, 4 / 7)]


def test_a_table_keeps_its_rules_and_ignores_where_rows_lie(redshift):
    redshift.done(
        "CREATE TABLE rules (id BIGINT IDENTITY(1, 1), name VARCHAR(3) ENCODE zstd NOT NULL, "
        "at TIMESTAMP DEFAULT GETDATE(), PRIMARY KEY (id)) DISTSTYLE KEY DISTKEY (name) "
        "COMPOUND SORTKEY (at, name)"
    )
    redshift.done("INSERT INTO rules (name) VALUES ('abc'), ('abc')")
    assert redshift.rows("SELECT id, name, at IS NULL FROM rules ORDER BY id") == [
        (1, "abc", False),
        (2, "abc", False),
    ]
    assert redshift.error("INSERT INTO rules (name) VALUES ('äbc')").startswith(
        "ERROR: Value too long for character type"
    )
    assert redshift.error("INSERT INTO rules (name) VALUES (NULL)") == (
        "ERROR: Cannot insert a NULL value into column name"
    )


def test_merge_updates_what_is_there_and_inserts_what_is_not(redshift):
    redshift.done(
        "CREATE TABLE target (k INT, v VARCHAR(9))", "CREATE TABLE news (k INT, v CHAR(9))"
    )
    redshift.done(
        "INSERT INTO target VALUES (1, 'old')", "INSERT INTO news VALUES (1, 'a'), (2, 'b')"
    )
    merged = redshift.done(
        "MERGE INTO target USING news ON target.k = news.k WHEN MATCHED THEN UPDATE SET v = news.v "
        "WHEN NOT MATCHED THEN INSERT (k, v) VALUES (news.k, news.v)"
    )
    assert merged["ResultRows"] == 2
    assert merged["HasResultSet"] is False
    assert redshift.rows("SELECT * FROM target ORDER BY k") == [(1, "a"), (2, "b")]


def test_arrays_in_super_become_rows(redshift):
    redshift.done("CREATE TABLE nested (id INT, tags SUPER)")
    redshift.done(
        "INSERT INTO nested VALUES (1, JSON_PARSE('[\"x\",\"y\"]')), (2, JSON_PARSE('[]')), "
        "(3, NULL)"
    )
    found = redshift.rows(
        "SELECT n.id, t::varchar FROM nested AS n, n.tags AS t ORDER BY t::varchar"
    )
    assert found == [(1, "x"), (1, "y")]


def test_a_batch_is_one_transaction(redshift):
    redshift.done("CREATE TABLE once (n INT)")
    found = redshift.run(
        "INSERT INTO once VALUES (1)", "INSERT INTO nowhere VALUES (1)", "SELECT 1"
    )
    assert found["Status"] == "FAILED"
    assert found["Error"] == 'Query #2 failed with ERROR: relation "nowhere" does not exist'
    assert [part["Status"] for part in found["SubStatements"]] == ["ABORTED", "FAILED", "ABORTED"]
    assert redshift.rows("SELECT count(*) FROM once") == [(0,)]
    kept = redshift.done("INSERT INTO once VALUES (1)", "SELECT n + 1 AS m FROM once")
    second = kept["SubStatements"][1]
    assert (second["Id"], second["HasResultSet"]) == (f"{kept['Id']}:2", True)
    result = redshift.data.get_statement_result(Id=second["Id"])
    assert result["Records"] == [[{"longValue": 2}]]
    assert [(c["name"], c["typeName"]) for c in result["ColumnMetadata"]] == [("m", "int4")]


def test_named_parameters_are_values_and_never_sql(redshift):
    found = redshift.rows(
        "SELECT :text AS t, '2015-02-17 10:00' AS at, id FROM (SELECT 5 AS id) x WHERE id = :id",
        Parameters=[{"name": "text", "value": "'; DROP TABLE x"}, {"name": "id", "value": "5"}],
    )
    assert found == [("'; DROP TABLE x", "2015-02-17 10:00", 5)]
    with pytest.raises(ClientError, match="Parameters") as refused:
        redshift.start("SELECT :a", Parameters=[{"name": "b", "value": "1"}])
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_results_come_in_pages(redshift):
    counting = "SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 2500"
    sql = f"WITH RECURSIVE t(n) AS ({counting}) SELECT n FROM t"
    identity = redshift.done(sql)["Id"]
    first = redshift.data.get_statement_result(Id=identity)
    assert (len(first["Records"]), first["TotalNumRows"], "NextToken" in first) == (
        1000,
        2500,
        True,
    )
    assert sorted(redshift.rows(sql)) == [(n,) for n in range(1, 2501)]


ERRORS = [
    ("SELECT * FROM nowhere", 'ERROR: relation "nowhere" does not exist'),
    ("SELECT * FROM away.t", 'ERROR: schema "away" does not exist'),
    ("SELECT nothing FROM (SELECT 1 AS a) t", 'ERROR: column "nothing" does not exist'),
    ("SELEC 1", 'ERROR: syntax error at or near "SELEC"'),
    ("SELECT 1 / 0", "ERROR: Divide by zero"),
    ("SELECT nofunction(1)", "ERROR: function nofunction() does not exist"),
    ("BEGIN", "ERROR: BEGIN, COMMIT and ROLLBACK in the Data API is not supported (a limit of the "
     "laptop cloud)"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "words"), ERRORS, ids=[words[7:40] for _, words in ERRORS])
def test_errors_are_in_redshifts_words(redshift, sql, words):
    assert redshift.error(sql) == words


def test_a_statement_is_listed_asked_for_once_and_cancelled(redshift):
    token = {"ClientToken": "once-only", "StatementName": "named"}
    first = redshift.start("SELECT 1", **token)
    assert redshift.start("SELECT 1", **token) == first
    listed = redshift.data.list_statements(StatementName="nam", Status="ALL")["Statements"]
    assert [(s["Id"], s["QueryString"]) for s in listed] == [(first, "SELECT 1")]
    slow = redshift.start(
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 100000000) "
        "SELECT sum(n) FROM t"
    )
    describe = lambda: redshift.data.describe_statement(Id=slow)["Status"]  # noqa: E731
    wait_for(describe, lambda status: status == "STARTED")
    assert redshift.data.cancel_statement(Id=slow)["Status"] is True
    assert wait_for(describe, lambda status: status in FINAL) == "ABORTED"
    with pytest.raises(ClientError, match="Query does not have result"):
        redshift.data.get_statement_result(Id=slow)


def test_of_two_writers_of_the_same_rows_one_has_to_repeat(cloud, redshift):
    redshift.done("CREATE TABLE contested (n INT)", "INSERT INTO contested VALUES (1)")
    database = cloud.services["redshift-data"]._databases["statements", "lake"]
    other = database.session()
    other.execute("BEGIN")
    other.execute("DELETE FROM contested")
    try:
        assert redshift.error("DELETE FROM contested").startswith("ERROR: 1023")
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert redshift.rows("SELECT n FROM contested") == [(1,)]
