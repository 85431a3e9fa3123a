from __future__ import annotations

import pytest

from voxlake.trackers import Tracker, Trackers, TrackersError, load_trackers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".@UNITED, you and @JetBlue are late", ["jetblue", "united"]),
        ("#usairways fail", ["us_airways"]),
        ("I flew Virgin  America", []),
        ("I flew virgin america!", ["virgin_america"]),
        ("united we stand, delta of a river", []),
        ("@unitedstates #unitedly x@united @united_", []),
        ("Aurora Air's crew", ["aurora_air"]),
        ("", []),
    ],
)
def test_trackers_match_handles_hashtags_and_whole_keywords(text, expected):
    assert load_trackers().match(text) == expected


def test_all_fixed_brands_are_followed_with_their_handles_kept():
    trackers = load_trackers()
    assert {
        "united",
        "usairways",
        "americanair",
        "southwestair",
        "jetblue",
        "delta",
        "virginamerica",
        "auroraair",
        "kestrelmobile",
        "fennelfoods",
        "brightbank",
        "orbitgames",
    } <= trackers.kept_handles
    assert list(trackers.spark_patterns()) == sorted(tracker.id for tracker in trackers.trackers)


def test_punctuation_in_keywords_is_meant_as_written():
    trackers = Trackers((Tracker("c", "C++", keywords=("c++", "c.a")),))
    assert [trackers.match(text) for text in ("I like C++.", "ccc", "cxa", "C.A")] == [
        ["c"],
        [],
        [],
        ["c"],
    ]


def test_a_file_of_ones_own_replaces_the_packaged_one(tmp_path):
    path = tmp_path / "trackers.yaml"
    path.write_text("trackers:\n  - {id: tea, handles: ['@Tea_1'], hashtags: ['#Tea']}\n")
    trackers = load_trackers(path)
    assert trackers.trackers == (Tracker("tea", "tea", ("tea_1",), ("tea",)),)
    assert trackers.match("@tea_1") == trackers.match("#TEA") == ["tea"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("trackers: [", "YAML"),
        ("- id: a", "'trackers'"),
        ("trackers: [{name: a}]", "tracker 1"),
        ("trackers: [{id: A, handles: [a]}]", "tracker A"),
        ("trackers: [{id: a}]", "tracker a"),
        ("trackers: [{id: a, handles: a}]", "list of handles"),
        ("trackers: [{id: a, handles: [a-b]}]", "handles"),
        ("trackers: [{id: a, keywords: ['caf\u00e9']}]", "keywords"),
        ("trackers: [{id: a, words: [b]}]", "'words'"),
        ("trackers: [{id: a, handles: [a]}, {id: a, handles: [b]}]", "'a' twice"),
    ],
)
def test_a_wrong_file_is_refused_by_tracker_and_field(text, named, tmp_path):
    path = tmp_path / "trackers.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrackersError) as caught:
        load_trackers(path)
    assert named in str(caught.value)
