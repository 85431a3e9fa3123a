-- Facts and dimensions. Keys are the lake's own: a pseudonym or a tracker's id is short and means
-- the same in Athena, so no surrogate has to be looked up. Constraints inform the planner only.
CREATE SCHEMA star;

-- One text (post, comment or message) with what the model says of it.
CREATE TABLE star.fact_texts (
    event_id VARCHAR(512) NOT NULL ENCODE zstd,
    dt DATE NOT NULL ENCODE az64,
    event_type VARCHAR(16) NOT NULL ENCODE bytedict,
    source VARCHAR(16) ENCODE bytedict,
    native_id VARCHAR(1024) ENCODE zstd,
    thread_id VARCHAR(1024) ENCODE zstd,
    occurred_at TIMESTAMP NOT NULL ENCODE az64,
    author_id VARCHAR(64) ENCODE zstd,
    lang VARCHAR(140) ENCODE zstd,
    text VARCHAR(65535) ENCODE zstd,
    like_count BIGINT ENCODE az64,
    share_count BIGINT ENCODE az64,
    sentiment VARCHAR(16) ENCODE bytedict,
    polarity DOUBLE PRECISION ENCODE zstd,
    p_negative DOUBLE PRECISION ENCODE zstd,
    p_neutral DOUBLE PRECISION ENCODE zstd,
    p_positive DOUBLE PRECISION ENCODE zstd,
    main_emotion VARCHAR(32) ENCODE bytedict,
    topic VARCHAR(128) ENCODE zstd,
    language VARCHAR(16) ENCODE bytedict,
    in_scope BOOLEAN ENCODE zstd,
    model VARCHAR(256) ENCODE zstd,
    PRIMARY KEY (event_id, dt)
)
DISTSTYLE KEY DISTKEY (event_id) COMPOUND SORTKEY (dt, occurred_at);

-- A text and a tracker it matches; beside its text, so that joins stay on their slice.
CREATE TABLE star.text_trackers (
    event_id VARCHAR(512) NOT NULL ENCODE zstd,
    dt DATE NOT NULL ENCODE az64,
    tracker VARCHAR(256) NOT NULL ENCODE zstd,
    PRIMARY KEY (event_id, dt, tracker)
)
DISTSTYLE KEY DISTKEY (event_id) COMPOUND SORTKEY (dt, tracker);

-- A text and an emotion it shows.
CREATE TABLE star.text_emotions (
    event_id VARCHAR(512) NOT NULL ENCODE zstd,
    dt DATE NOT NULL ENCODE az64,
    emotion VARCHAR(32) NOT NULL ENCODE bytedict,
    PRIMARY KEY (event_id, dt, emotion)
)
DISTSTYLE KEY DISTKEY (event_id) COMPOUND SORTKEY (dt, emotion);

-- One interaction of an account with something.
CREATE TABLE star.fact_interactions (
    event_id VARCHAR(512) NOT NULL ENCODE zstd,
    dt DATE NOT NULL ENCODE az64,
    source VARCHAR(16) ENCODE bytedict,
    occurred_at TIMESTAMP NOT NULL ENCODE az64,
    author_id VARCHAR(64) ENCODE zstd,
    interaction_id VARCHAR(1024) ENCODE zstd,
    kind VARCHAR(16) ENCODE bytedict,
    target_type VARCHAR(4000) ENCODE zstd,
    target_id VARCHAR(1024) ENCODE zstd,
    PRIMARY KEY (event_id, dt)
)
DISTSTYLE KEY DISTKEY (author_id) COMPOUND SORTKEY (dt, occurred_at);

-- One ticket as it stands; dt is the day of its text, which is found by event_id and dt.
CREATE TABLE star.fact_tickets (
    ticket_id VARCHAR(64) NOT NULL ENCODE zstd,
    dt DATE NOT NULL ENCODE az64,
    queue VARCHAR(64) ENCODE bytedict,
    state VARCHAR(16) NOT NULL ENCODE bytedict,
    kind VARCHAR(32) ENCODE bytedict,
    reason VARCHAR(128) ENCODE zstd,
    confidence DOUBLE PRECISION ENCODE zstd,
    queue_score DOUBLE PRECISION ENCODE zstd,
    source VARCHAR(16) ENCODE bytedict,
    event_type VARCHAR(16) NOT NULL ENCODE bytedict,
    event_id VARCHAR(512) NOT NULL ENCODE zstd,
    native_id VARCHAR(1024) ENCODE zstd,
    sentiment VARCHAR(16) ENCODE bytedict,
    polarity DOUBLE PRECISION ENCODE zstd,
    main_emotion VARCHAR(32) ENCODE bytedict,
    language VARCHAR(16) ENCODE bytedict,
    model VARCHAR(256) ENCODE zstd,
    arrived_at TIMESTAMP ENCODE az64,
    opened_at TIMESTAMP ENCODE az64,
    replied_at TIMESTAMP ENCODE az64,
    closed_at TIMESTAMP ENCODE az64,
    seconds_to_first_reply DOUBLE PRECISION ENCODE zstd,
    updated_at TIMESTAMP ENCODE az64,
    revision BIGINT ENCODE az64,
    PRIMARY KEY (ticket_id, dt)
)
DISTSTYLE KEY DISTKEY (event_id) COMPOUND SORTKEY (dt, opened_at);

-- An author, by keyed pseudonym; counted anew from the facts with every load, so a forgotten person
-- is not here either.
CREATE TABLE star.dim_author (
    author_id VARCHAR(64) NOT NULL ENCODE zstd,
    first_seen TIMESTAMP ENCODE az64,
    last_seen TIMESTAMP ENCODE az64,
    texts BIGINT ENCODE az64,
    interactions BIGINT ENCODE az64,
    PRIMARY KEY (author_id)
)
DISTSTYLE KEY DISTKEY (author_id) SORTKEY (author_id);

CREATE TABLE star.dim_topic (
    topic VARCHAR(128) NOT NULL,
    first_dt DATE,
    last_dt DATE,
    texts BIGINT,
    PRIMARY KEY (topic)
)
DISTSTYLE ALL SORTKEY (topic);

CREATE TABLE star.dim_tracker (
    tracker VARCHAR(256) NOT NULL,
    name VARCHAR(512) NOT NULL,
    PRIMARY KEY (tracker)
)
DISTSTYLE ALL SORTKEY (tracker);

CREATE TABLE star.dim_source (
    source VARCHAR(16) NOT NULL,
    meaning VARCHAR(128) NOT NULL,
    PRIMARY KEY (source)
)
DISTSTYLE ALL SORTKEY (source);

INSERT INTO star.dim_source VALUES
    ('mock', 'Made by the mock server'),
    ('file', 'Sent from a file'),
    ('youtube', 'Comments of YouTube'),
    ('x', 'Posts of X'),
    ('api', 'Sent through the API');

CREATE TABLE star.dim_date (
    dt DATE NOT NULL,
    year SMALLINT NOT NULL,
    quarter SMALLINT NOT NULL,
    month SMALLINT NOT NULL,
    day_of_month SMALLINT NOT NULL,
    iso_week SMALLINT NOT NULL,
    day_of_week SMALLINT NOT NULL,
    day_name VARCHAR(9) NOT NULL,
    is_weekend BOOLEAN NOT NULL,
    PRIMARY KEY (dt)
)
DISTSTYLE ALL SORTKEY (dt);

-- 2004-01-01, the earliest day of an event, and the 16,383 days after it; Sunday is day 0.
INSERT INTO star.dim_date
SELECT d, EXTRACT(year FROM d), EXTRACT(quarter FROM d), EXTRACT(month FROM d),
    EXTRACT(day FROM d), EXTRACT(week FROM d), EXTRACT(dow FROM d),
    CASE EXTRACT(dow FROM d) WHEN 0 THEN 'Sunday' WHEN 1 THEN 'Monday' WHEN 2 THEN 'Tuesday'
        WHEN 3 THEN 'Wednesday' WHEN 4 THEN 'Thursday' WHEN 5 THEN 'Friday' ELSE 'Saturday' END,
    EXTRACT(dow FROM d) IN (0, 6)
FROM (
    SELECT CAST('2004-01-01' AS DATE) + CAST(a.n + 4 * b.n + 16 * c.n + 64 * e.n + 256 * f.n
        + 1024 * g.n + 4096 * h.n AS INTEGER) AS d
    FROM (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) a,
        (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) b,
        (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) c,
        (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) e,
        (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) f,
        (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) g,
        (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) h
) days;

-- Which version of each of the lake's partitions is in the facts. loaded_rows is NULL, and the load
-- thereby undone, where the rows that came are not those that the ledger counted.
CREATE TABLE loading.versions (
    table_name VARCHAR(64) NOT NULL,
    dt DATE NOT NULL,
    version VARCHAR(128) NOT NULL,
    loaded_rows BIGINT NOT NULL,
    loaded_at TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name, dt)
)
DISTSTYLE ALL SORTKEY (table_name, dt);
