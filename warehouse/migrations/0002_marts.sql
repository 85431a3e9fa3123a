-- What analysts ask: the same names, columns and numbers as the lake's tables and views in Athena.
CREATE SCHEMA marts;

-- Each text once as tracker (all) and once for each of its trackers; (none) where it has none.
CREATE VIEW marts.texts_by_tracker AS
SELECT t.*, CAST('(all)' AS VARCHAR(256)) AS tracker
FROM star.fact_texts t
UNION ALL
SELECT t.*, NVL(b.tracker, '(none)') AS tracker
FROM star.fact_texts t
LEFT JOIN star.text_trackers b ON b.event_id = t.event_id AND b.dt = t.dt;

CREATE VIEW marts.sentiment_hourly AS
SELECT DATE_TRUNC('hour', occurred_at) AS hour, tracker, source, event_type,
    COUNT(*) AS texts,
    SUM(CASE WHEN sentiment = 'negative' THEN 1 ELSE 0 END)::BIGINT AS negative,
    SUM(CASE WHEN sentiment = 'neutral' THEN 1 ELSE 0 END)::BIGINT AS neutral,
    SUM(CASE WHEN sentiment = 'positive' THEN 1 ELSE 0 END)::BIGINT AS positive,
    SUM(polarity::DECIMAL(20, 12))::DOUBLE PRECISION AS polarity_sum,
    SUM(polarity::DECIMAL(20, 12))::DOUBLE PRECISION / COUNT(*) AS polarity_mean,
    dt
FROM marts.texts_by_tracker
GROUP BY DATE_TRUNC('hour', occurred_at), tracker, source, event_type, dt;

-- The lake's emotion_daily has a row for every emotion of the model; this one for those shown.
CREATE VIEW marts.emotion_daily AS
SELECT t.tracker, t.source, e.emotion, COUNT(*) AS texts, t.dt
FROM marts.texts_by_tracker t
JOIN star.text_emotions e ON e.event_id = t.event_id AND e.dt = t.dt
WHERE t.in_scope
GROUP BY t.tracker, t.source, e.emotion, t.dt;

CREATE VIEW marts.topic_daily AS
SELECT tracker, source, topic, COUNT(*) AS texts,
    SUM(polarity::DECIMAL(20, 12))::DOUBLE PRECISION / COUNT(*) AS polarity_mean, dt
FROM marts.texts_by_tracker
WHERE in_scope AND topic IS NOT NULL
GROUP BY tracker, source, topic, dt;

CREATE VIEW marts.engagement_daily AS
SELECT tracker, source, event_type, COUNT(*) AS texts,
    NVL(SUM(like_count), 0)::BIGINT AS likes, NVL(SUM(share_count), 0)::BIGINT AS shares,
    0::BIGINT AS interactions_like, 0::BIGINT AS interactions_share,
    0::BIGINT AS interactions_follow, 0::BIGINT AS interactions_view,
    0::BIGINT AS interactions_click, dt
FROM marts.texts_by_tracker
GROUP BY tracker, source, event_type, dt
UNION ALL
SELECT '(all)', source, 'interaction', 0, 0, 0,
    SUM(CASE WHEN kind = 'like' THEN 1 ELSE 0 END)::BIGINT,
    SUM(CASE WHEN kind = 'share' THEN 1 ELSE 0 END)::BIGINT,
    SUM(CASE WHEN kind = 'follow' THEN 1 ELSE 0 END)::BIGINT,
    SUM(CASE WHEN kind = 'view' THEN 1 ELSE 0 END)::BIGINT,
    SUM(CASE WHEN kind = 'click' THEN 1 ELSE 0 END)::BIGINT, dt
FROM star.fact_interactions
GROUP BY source, dt;

CREATE VIEW marts.authors_daily AS
SELECT author_id, source, COUNT(*) AS texts, NVL(SUM(like_count), 0)::BIGINT AS likes,
    NVL(SUM(share_count), 0)::BIGINT AS shares,
    SUM(polarity::DECIMAL(20, 12))::DOUBLE PRECISION / COUNT(*) AS polarity_mean, dt
FROM star.fact_texts
GROUP BY author_id, source, dt;

CREATE VIEW marts.sentiment_by_topic AS
SELECT DATE_TRUNC('hour', occurred_at) AS hour, tracker, topic, COUNT(*) AS texts,
    SUM(CASE WHEN sentiment = 'negative' THEN 1 ELSE 0 END)::BIGINT AS negative,
    SUM(CASE WHEN sentiment = 'neutral' THEN 1 ELSE 0 END)::BIGINT AS neutral,
    SUM(CASE WHEN sentiment = 'positive' THEN 1 ELSE 0 END)::BIGINT AS positive,
    SUM(polarity::DECIMAL(20, 12))::DOUBLE PRECISION AS polarity_sum, dt
FROM marts.texts_by_tracker
WHERE in_scope AND topic IS NOT NULL
GROUP BY DATE_TRUNC('hour', occurred_at), tracker, topic, dt;

-- Each tracker's day beside its day before.
CREATE VIEW marts.movers_daily AS
WITH days AS (
    SELECT tracker, dt, SUM(texts)::BIGINT AS texts, SUM(negative)::BIGINT AS negative
    FROM marts.sentiment_hourly
    GROUP BY tracker, dt
)
SELECT d.tracker, d.texts, NVL(b.texts, 0) AS texts_before,
    d.negative::DOUBLE PRECISION / d.texts AS negative_share,
    b.negative::DOUBLE PRECISION / b.texts AS negative_share_before,
    d.negative::DOUBLE PRECISION / d.texts - b.negative::DOUBLE PRECISION / b.texts
        AS negative_share_change,
    d.dt
FROM days d
LEFT JOIN days b ON b.tracker = d.tracker AND b.dt = d.dt - 1;

CREATE VIEW marts.freshness AS
SELECT 'texts' AS what, MAX(occurred_at) AS newest, COUNT(*) AS records FROM star.fact_texts
UNION ALL
SELECT 'interactions', MAX(occurred_at), COUNT(*) FROM star.fact_interactions
UNION ALL
SELECT 'tickets', MAX(updated_at), COUNT(*) FROM star.fact_tickets;

CREATE VIEW marts.tickets AS SELECT * FROM star.fact_tickets;
