"""The report's words and page."""

from datetime import UTC, datetime

import pytest

from voxlake.cli.report.charts import small_area, stacked_columns
from voxlake.cli.report.data import EngagedPost, ReportData, Split, shortened, without_stray_days
from voxlake.cli.report.doubts import Doubt, figure, metrics_of
from voxlake.cli.report.headline import headline
from voxlake.cli.report.said import Said
from voxlake.cli.report.shares import Shares
from voxlake.cli.report.verb import render
from voxlake.cli.report.words import cloud

ZERO = dict.fromkeys(
    (
        "received",
        "redelivered",
        "cleansed",
        "duplicate",
        "quarantined",
        "erased",
        "pending",
        "unaccounted",
    ),
    0,
)


def page_data(**changes) -> ReportData:
    whole = {
        "made_at": datetime(2026, 1, 1, tzinfo=UTC),
        "overall": Split("all", 62, 20, 18, -0.4),
        "days": [Split("2015-02-17", 62, 20, 18, -0.4)],
        "over_time": [Split("2015-02-17", 62, 20, 18, -0.4)],
        "trackers": [Split("United", 62, 20, 18, -0.4)],
        "volumes": {"2015-02-17": {"posts": 100}},
        "accounts": {"event_types": {"post": ZERO}, "total": ZERO, "unaccounted": 0},
        "sources": {"file": 100},
    }
    return ReportData(**(whole | changes))


def said(*, name="Oslo", emotion="joy", language="de") -> Said:
    shares = Shares(name, 100, {emotion: 25})
    split = Split(name, 1, 2, 3, 0.1)
    return Said(
        overall=shares,
        emotions=[emotion],
        over_time=[shares],
        trackers=[shares],
        entities={"LOC": [split]},
        topics=[split],
        without_topic=40,
        out_of_scope={language: 7},
    )


def test_emotions_names_and_topics_are_shown_with_their_shares():
    page = render(page_data(said=said()))
    assert 'aria-label="joy: share of texts over time, 25% overall, at most 25%"' in page
    assert '<td class="num heat" style="--heat: 15%">25%</td>' in page
    assert "<h3>places</h3>" in page
    assert "7 texts are left out" in page
    assert "For 40 texts no topic stands out." in page


def test_an_hour_of_one_text_does_not_set_the_scale():
    told = said()
    told.over_time = [Shares("2026-03-01 10:00", 1, {"joy": 1}), *told.over_time]
    assert "at most 25%" in render(page_data(said=told, by_hour=True))


def test_a_lake_whose_model_told_no_emotions_has_a_page_that_says_so():
    page = render(page_data())
    assert "No text shows an emotion" in page
    assert "No name is mentioned by three texts or more." in page
    assert "No text's words point to a topic." in page


def test_the_page_says_where_the_model_errs():
    labels = {
        "negative": {"negative": 3, "positive": 1},
        "positive": {"negative": 0, "positive": 4},
    }
    one = {"precision": 0.75, "recall": 0.5, "f1": 0.6, "support": 4}
    sets = [
        {"data": "a-dev", "task": "sentiment", "n": 8, "primary": "macro_recall",
         "macro_recall": 0.875, "accuracy": 0.875, "confusion": labels},
        {"data": "b-dev", "task": "emotions", "n": 9, "primary": "jaccard", "jaccard": 0.59,
         "per_class": {"joy": one}},
    ]  # fmt: skip
    torn = Doubt("thanks for nothing, great", "positive", "anger", 0.61, "2026-03-01")
    page = render(page_data(models=["m-1"], metrics={"sets": sets}, doubts={"torn": [torn]}))
    assert "macro recall" in page
    assert "25%</td>" in page  # negative taken for positive
    assert '<th scope="row">joy</th><td class="num">0.75</td>' in page
    assert "thanks for nothing, great" in page
    assert "61% sure · anger · 2026-03-01" in page


def test_only_figures_of_the_model_that_scored_are_shown(tmp_path):
    for name in ("m-1", "m-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text(f'{{"model": "{name}", "sets": []}}')
    assert metrics_of(tmp_path, ["m-2", "topics-1"]) == {"model": "m-2", "sets": []}
    assert metrics_of(tmp_path, ["m-3"]) == {}


def test_a_sets_main_figure_has_a_name_people_know():
    assert figure({"primary": "f1", "f1": 0.77, "macro_f1": 0.7}) == ("F1, exact span", 0.77)
    assert figure({"primary": "perplexity", "perplexity": 91.5}) == ("perplexity", 91.5)


def test_pseudonyms_are_shortened_wherever_they_stand():
    who = "k1_0123456789abcdef01234567"
    assert shortened(f"@{who} x.com/{who}") == "@k1_0123… x.com/k1_0123…"


def test_a_share_without_times_is_still_a_frame():
    assert "polyline" in small_area("joy", [], 1.0)


def test_the_headline_names_the_tracker_with_the_strongest_mood_and_its_worst_day():
    data = page_data(
        overall=Split("all", 500, 300, 200, -0.3),
        trackers=[Split("United", 630, 200, 170, -0.46), Split("Delta", 300, 350, 350, -0.25)],
        tracker_days={
            "United": [
                Split("2015-02-21", 300, 100, 100, -0.4),
                Split("2015-02-22", 330, 100, 70, -0.52),
            ]
        },
    )
    assert headline(data) == (
        "People were mostly negative about United: 63% negative and 17% positive of 1,000 texts. "
        "The worst day was 22 February 2015, with 66% negative."
    )


def test_few_texts_make_no_headline_about_a_tracker():
    data = page_data(trackers=[Split("Delta", 3, 0, 0, -0.9)])
    assert headline(data) == (
        "People were mostly negative overall: 62% negative and 18% positive of 100 texts."
    )


def test_an_empty_lake_has_a_page_that_says_so():
    empty = page_data(
        overall=Split("all", 0, 0, 0, 0.0), days=[], over_time=[], trackers=[], volumes={}
    )
    page = render(empty)
    assert "No text has been scored yet." in page
    assert "Nothing was quarantined." in page


def test_stored_text_never_becomes_markup():
    attack = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    page = render(
        page_data(
            engaged=[EngagedPost(attack, "negative", 1, 1, "2015-02-17")],
            trackers=[Split(attack, 1, 1, 1, 0.0)],
            words={"negative": [("<script>", 3), ("delay", 2)]},
            quarantine=[{"reason": attack, "field": attack, "event_type": "post", "records": 1}],
            said=said(name=attack, emotion=attack, language=attack),
            doubts={"torn": [Doubt(attack, "positive", attack, 0.5, "2015-02-17")]},
        )
    )
    assert "<script" not in page
    assert "<img" not in page


def test_the_page_loads_nothing_from_the_network():
    page = render(page_data(words={"negative": [("delay", 5), ("lost", 3)]}))
    outside = page.replace("http://www.w3.org/", "")
    assert "http://" not in outside
    assert "https://" not in outside
    assert "<link" not in page


@pytest.mark.parametrize(("mock", "shown"), [(0, False), (40, True)])
def test_the_banner_is_there_exactly_when_data_is_synthetic(mock, shown):
    sources = {"file": 60} | ({"mock": mock} if mock else {})
    assert ("Synthetic data." in render(page_data(sources=sources))) is shown


def test_the_same_words_give_the_same_cloud():
    words = [("delay", 50), ("bag", 30), ("gate", 20)]
    assert cloud("negative", words) == cloud("negative", list(words))
    assert cloud("negative", []) == ""


def test_a_few_late_events_do_not_stretch_the_charts():
    crowd = {"posts": 400, "comments": 100}
    volumes = {"2024-02-29": {"posts": 1}, "2026-03-01": crowd, "2026-03-02": crowd}
    assert without_stray_days(volumes) == ({"2026-03-01": crowd, "2026-03-02": crowd}, 1)
    assert without_stray_days({}) == ({}, 0)


def test_a_column_is_as_high_as_its_count():
    svg = stacked_columns("t", ["a", "b"], {"posts": [100, 50]}, {"posts": "kind-0"})
    heights = [float(part.split('"')[0]) for part in svg.split('height="')[1:]]
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.01)
