"""Converters: each source's own format to rows of the form."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
from pathlib import Path

import pytest

from voxlake.datasets import CATALOG, OriginalFormatError, get, separate, text_key
from voxlake.datasets.form import row_text

_SPEC = importlib.util.spec_from_file_location(
    "dataset_samples", Path(__file__).with_name("samples.py")
)
samples = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(samples)
REAL = Path(__file__).resolve().parents[4] / "shared" / "data"


def converted(name: str) -> dict[str, list[dict]]:
    return get(name).convert(samples.SAMPLES[name]())


def real_rows(name: str, split: str) -> list[dict]:
    path = REAL / name / f"{split}.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"needs the stored data set {name}, which is not part of the project")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_tweeteval_sentiment_decodes_escapes_and_leaves_backslash_n():
    assert converted("tweeteval_sentiment") == {
        "train": [
            {
                "id": "tweeteval-sentiment-train-00001",
                "text": "Rain again ’til noon",
                "label": "negative",
            },
            {
                "id": "tweeteval-sentiment-train-00002",
                "text": "Tea\\nand toast",
                "label": "neutral",
            },
            {
                "id": "tweeteval-sentiment-train-00003",
                "text": "@user A dull day!!",
                "label": "positive",
            },
        ],
        "dev": [
            {
                "id": "tweeteval-sentiment-val-00001",
                "text": "Warm soup\u2028and bread",
                "label": "neutral",
            }
        ],
        "test": [
            {
                "id": "tweeteval-sentiment-test-00001",
                "text": "a DULL day http://example.com/x",
                "label": "negative",
            }
        ],
    }


def test_tweeteval_emotion_makes_backslash_n_a_line_break():
    found = converted("tweeteval_emotion")
    assert [(row["text"], row["label"]) for row in found["train"]] == [
        ("Rain again \\u2019til noon", "anger"),
        ("Tea\nand toast", "joy"),
        ("@user A dull day!!", "sadness"),
    ]


def test_semeval_rows_are_found_in_the_archive_and_may_have_no_label():
    assert converted("semeval2018_ec") == {
        "train": [
            {"id": "t-1", "text": "What a\nride", "labels": ["joy", "trust"]},
            {"id": "t-2", "text": "It is noon", "labels": []},
        ],
        "dev": [{"id": "d-1", "text": "I dread it", "labels": ["fear"]}],
        "test": [{"id": "g-1", "text": "So kind", "labels": ["love"]}],
    }


def test_goemotions_numbers_become_names_and_coarser_schemes():
    found = converted("goemotions")
    assert found["train"] == [
        {
            "id": "id1",
            "text": "Thanks, [NAME]!",
            "labels": ["gratitude"],
            "ekman": ["joy"],
            "sentiment_group": ["positive"],
        },
        {
            "id": "id2",
            "text": "Odd and sad",
            "labels": ["confusion", "sadness"],
            "ekman": ["sadness", "surprise"],
            "sentiment_group": ["ambiguous", "negative"],
        },
    ]
    assert [row["labels"] for row in found["dev"] + found["test"]] == [["neutral"], ["disgust"]]


def test_wnut17_reads_blank_lines_that_hold_a_lone_tab():
    assert converted("wnut17") == {
        "train": [
            {
                "id": "wnut17-train-0001",
                "text": "Ann Lee sings",
                "tokens": ["Ann", "Lee", "sings"],
                "tags": ["B-person", "I-person", "O"],
            },
            {"id": "wnut17-train-0002", "text": "hi", "tokens": ["hi"], "tags": ["O"]},
        ],
        "dev": [
            {
                "id": "wnut17-dev-0001",
                "text": "at Harbour Bay",
                "tokens": ["at", "Harbour", "Bay"],
                "tags": ["O", "B-location", "I-location"],
            }
        ],
        "test": [
            {
                "id": "wnut17-test-0001",
                "text": "the Sprockets",
                "tokens": ["the", "Sprockets"],
                "tags": ["O", "B-group"],
            }
        ],
    }


def test_btc_is_parted_by_section_and_drops_cells_without_a_token():
    found = converted("btc")
    assert {split: [row["id"] for row in rows] for split, rows in found.items()} == {
        "train": [f"btc-{section}-0001" for section in "abegh"] + ["btc-h-0002"],
        "dev": ["btc-h-0003", "btc-h-0004"],
        "test": ["btc-f-0001"],
    }
    assert found["train"][0] == {
        "id": "btc-a-0001",
        "text": "section a @ acme",
        "tokens": ["section", "a", "@", "acme"],
        "tags": ["O", "O", "B-ORG", "B-ORG"],
        "section": "a",
    }


def test_airline_keeps_two_judgements_of_a_tweet_together_and_drops_equal_rows():
    found = converted("airline")
    rows = {(row["id"], row["repeat"]): (split, row) for split in found for row in found[split]}
    assert len(rows) == 21
    split, second = rows["570306000000000003", 1]
    assert rows["570306000000000003", 0][0] == split
    assert second == {
        "id": "570306000000000003",
        "text": "@acme where is plane dd?",
        "label": "neutral",
        "created_at": "2015-02-24T19:35:52Z",
        "author": "someone3",
        "airline": "Acme",
        "repeat": 1,
        "airline_sentiment_confidence": 0.5,
        "negativereason": None,
        "negativereason_confidence": None,
        "retweet_count": 0,
    }
    assert {split: len(found[split]) for split in found} == {"train": 14, "dev": 2, "test": 5}


def test_vader_ratings_are_joined_by_id():
    found = converted("vader_rated")
    assert {split: len(found[split]) for split in found} == {"train": 15, "dev": 0, "test": 5}
    row = min((row for rows in found.values() for row in rows), key=lambda row: int(row["id"]))
    assert row == {
        "id": "1",
        "text": "Plain text a",
        "rating": -1.25,
        "ratings": [1, -2, 0],
        "ratings_mean": -1.25,
        "ratings_std": 0.5,
    }


def test_dialogues_become_turns_and_turns_without_text_are_dropped():
    found = converted("dialogsum")
    assert found["train"] == [
        {
            "id": "train_0",
            "turns": [
                {"speaker": "Person1", "text": "Is it late?"},
                {"speaker": "Person1", "text": "I fear so."},
            ],
            "summary": "#Person1# asks.",
            "topic": "time",
            "summaries": ["#Person1# asks."],
            "topics": ["time"],
        }
    ]
    assert found["test"][0]["summaries"] == ["One.", "Two."]


def test_commonsense_turns_alternate_between_the_named_person_and_a_friend():
    assert converted("commonsense_dialogues")["dev"] == [
        {
            "id": "commonsense-valid-7",
            "context": "Kim lost a key.",
            "speaker": "Kim",
            "turns": [
                {"speaker": "Kim", "text": "No key."},
                {"speaker": "friend", "text": "Look again."},
            ],
        }
    ]


@pytest.mark.parametrize("name", CATALOG)
def test_a_web_page_in_a_files_place_is_an_error_that_names_the_file(name):
    files = samples.SAMPLES[name]()
    # Any one line is a tweet: of TweetEval's files only the labels show it (all have their sums).
    broken = max(files, key=lambda file: (file.endswith("_labels.txt"), file))
    with pytest.raises(OriginalFormatError) as caught:
        get(name).convert(files | {broken: b"<html><body>Please log in</body></html>\n"})
    assert caught.value.file == broken


@pytest.mark.parametrize("name", CATALOG)
def test_bytes_that_are_not_utf8_are_an_error(name):
    files = dict.fromkeys(samples.SAMPLES[name](), b"\xff\xfe\x00broken")
    with pytest.raises(OriginalFormatError):
        get(name).convert(files)


def test_the_catalog_pins_what_it_can():
    for dataset in CATALOG.values():
        assert dataset.terms
        assert dataset.tasks
        for original in dataset.originals:
            assert all(address.startswith("https://") for address in original.addresses)
            commit = original.addresses[0].removeprefix("https://").split("/")[3]
            assert len(commit) == 40 or original.sha256, original.name
        assert set(samples.SAMPLES[dataset.name]()) == {o.name for o in dataset.originals}


def test_no_text_of_a_stored_set_is_in_two_of_its_splits_by_our_rule():
    for name in ("airline", "btc", "semeval2018_ec", "vader_rated", "wnut17"):
        keys = [
            {text_key(row_text(row)) for row in real_rows(name, split)}
            for split in ("train", "dev")
        ]
        assert not keys[0] & keys[1], name


def test_wnut17_train_rebuilt_to_its_published_sum_converts_to_the_stored_rows():
    """The published file joins two: a lone tab ends each of the first 2,394 sentences."""
    rows = real_rows("wnut17", "train")
    content = "".join(
        "".join(f"{token}\t{tag}\n" for token, tag in zip(row["tokens"], row["tags"], strict=True))
        + ("\t\n" if number < 2394 else "\n")
        for number, row in enumerate(rows)
    ).encode()
    original = next(o for o in get("wnut17").originals if o.name == "wnut17train.conll")
    assert hashlib.sha256(content).hexdigest() == original.sha256
    found = get("wnut17").convert(samples.wnut17() | {"wnut17train.conll": content})["train"]
    assert found == rows


@pytest.mark.parametrize("name", ["tweeteval_sentiment", "tweeteval_emotion"])
def test_tweeteval_labels_rebuilt_to_their_published_sum_are_the_stored_rows(name):
    rows = real_rows(name, "dev")
    labels = {
        "tweeteval_sentiment": ["negative", "neutral", "positive"],
        "tweeteval_emotion": ["anger", "joy", "optimism", "sadness"],
    }[name]
    content = "".join(f"{labels.index(row['label'])}\n" for row in rows).encode()
    original = next(o for o in get(name).originals if o.name == "val_labels.txt")
    assert hashlib.sha256(content).hexdigest() == original.sha256
    texts = "".join(row["text"].replace("\n", "\\n") + " \n" for row in rows).encode()
    files = samples.SAMPLES[name]() | {"val_labels.txt": content, "val_text.txt": texts}
    found = get(name).convert(files)["dev"]
    assert [(r["id"], r["text"], r["label"]) for r in found] == [
        (r["id"], r["text"], r["label"]) for r in rows
    ]


def test_goemotions_rebuilt_from_stored_rows_gives_them_back():
    from voxlake.datasets.originals.tweets import GOEMOTIONS

    rows = real_rows("goemotions", "dev")
    content = "".join(
        f"{row['text']}\t{','.join(str(GOEMOTIONS.index(one)) for one in row['labels'])}\t"
        f"{row['id']}\n"
        for row in rows
    ).encode()
    assert get("goemotions").convert(samples.goemotions() | {"dev.tsv": content})["dev"] == rows


def test_separate_takes_out_of_train_what_is_in_dev_or_test():
    found = separate(converted("tweeteval_sentiment"))
    texts = [row["text"] for row in found.splits["train"]]
    assert texts == ["Rain again ’til noon", "Tea\\nand toast"]
    assert found.taken_out == {"train": 1, "dev": 0, "test": 0}
