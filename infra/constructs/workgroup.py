"""Athena: the workgroup that every query goes through, and the queries analysts start from."""

from aws_cdk import aws_athena as athena
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import StageConfig

_GIB = 1024**3


class Workgroup(Construct):
    """Enforced settings: encrypted results in one place, a limit on what a query may scan."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        query_results: s3.IBucket,
    ) -> None:
        super().__init__(scope, id)
        self.workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            # Athena has no generated names; this one carries the stack's.
            name=config.stack_name("analysts"),
            description="voxlake: every query of analysts and of the reconciler",
            recursive_delete_option=not config.storage.retains_data,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=config.warehouse.scan_limit_gib * _GIB,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{query_results.bucket_name}/athena/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )
        self.name = self.workgroup.ref


class SavedQueries(Construct):
    """Named queries: the questions people ask first, ready in Athena's console."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, workgroup: Workgroup
    ) -> None:
        super().__init__(scope, id)
        analytics = config.database("analytics")
        cleansed = config.database("cleansed")
        queries = {
            "SentimentByDay": (
                "How people feel, by day and tracker",
                f"""SELECT dt, tracker, sum(texts) AS texts,
       sum(polarity_sum) / sum(texts) AS polarity
FROM {analytics}.sentiment_hourly
GROUP BY dt, tracker
ORDER BY dt, texts DESC""",
            ),
            "EmotionsByTracker": (
                "Which emotions people show, by tracker",
                f"""SELECT tracker, emotion, sum(texts) AS texts, sum(score_sum) AS expected_texts
FROM {analytics}.emotion_daily
GROUP BY tracker, emotion
ORDER BY tracker, texts DESC""",
            ),
            "NamedInTexts": (
                "Who and what texts name, with the texts",
                f"""SELECT n.label, n.text AS named, s.sentiment, s.text
FROM {analytics}.texts_current s
CROSS JOIN UNNEST(s.entities) AS n (text, label, first, last)
WHERE s.in_scope
ORDER BY named
LIMIT 100""",
            ),
            "MostEngagedTexts": (
                "The texts people reacted to most, masked",
                f"""SELECT dt, source, text, sentiment,
       coalesce(like_count, 0) + coalesce(share_count, 0) AS reactions
FROM {analytics}.texts_current
ORDER BY reactions DESC
LIMIT 20""",
            ),
            "WordsBySentiment": (
                "What positive and negative texts speak of",
                f"""SELECT sentiment, word, sum(texts) AS texts
FROM {analytics}.word_frequencies
WHERE tracker = '(all)'
GROUP BY sentiment, word
ORDER BY sentiment, texts DESC""",
            ),
            "QuarantineReasons": (
                "What was refused, and why",
                f"""SELECT dt, event_type, reason, field, count(*) AS records
FROM {cleansed}.quarantine
GROUP BY dt, event_type, reason, field
ORDER BY dt DESC, records DESC""",
            ),
        }
        for name, (description, sql) in queries.items():
            athena.CfnNamedQuery(
                self,
                name,
                name=name,
                description=description,
                database=analytics,
                query_string=sql,
                work_group=workgroup.name,
            )
