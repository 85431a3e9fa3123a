"""Converters of labelled tweets and comments."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

from voxlake.datasets.errors import OriginalFormatError
from voxlake.datasets.form import LABELS, Task, split_rows
from voxlake.datasets.originals.reading import (
    columns,
    decoded,
    lines_of,
    with_characters,
    with_line_breaks,
)

Files = dict[str, bytes]
Splits = dict[str, list[dict]]

EKMAN = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        *("admiration", "amusement", "approval", "caring", "desire", "excitement", "gratitude"),
        *("joy", "love", "optimism", "pride", "relief"),
    ),
    "sadness": ("disappointment", "embarrassment", "grief", "remorse", "sadness"),
    "surprise": ("confusion", "curiosity", "realization", "surprise"),
    "neutral": ("neutral",),
}
"""GoEmotions' own mapping of its 27 emotions to Ekman's six."""
GOEMOTIONS = (
    *sorted(fine for name, fines in EKMAN.items() if name != "neutral" for fine in fines),
    "neutral",
)
"""GoEmotions' labels in the order of their numbers."""
_OF_FINE = {fine: name for name, fines in EKMAN.items() for fine in fines}
_GROUPS = {"joy": "positive", "surprise": "ambiguous", "neutral": "neutral"}
WITHOUT_SPLITS = {"dev": 0.1, "test": 0.2}
"""Shares of the sets that come in one piece."""


def _tweeteval(
    name: str, labels: tuple[str, ...], cleaned: Callable[[str], str], files: Files
) -> Splits:
    """TweetEval: `<split>_text.txt` with a tweet a line, `<split>_labels.txt` with its number.

    Rows: id, text, label.
    """
    splits = {}
    for split, part in (("train", "train"), ("dev", "val"), ("test", "test")):
        file, labels_file = f"{part}_text.txt", f"{part}_labels.txt"
        texts = lines_of(file, files[file])
        numbers = lines_of(labels_file, files[labels_file])
        if len(texts) != len(numbers):
            raise OriginalFormatError(
                labels_file, None, f"{len(texts):,} lines, as in {file}", f"{len(numbers):,}"
            )
        rows = []
        for line, (text, number) in enumerate(zip(texts, numbers, strict=True), start=1):
            if not number.strip().isdecimal() or int(number) >= len(labels):
                raise OriginalFormatError(
                    labels_file, line, f"a number below {len(labels)}", repr(number[:20])
                )
            rows.append(
                {
                    "id": f"{name}-{part}-{line:05}",
                    "text": cleaned(text),
                    "label": labels[int(number)],
                }
            )
        splits[split] = rows
    return splits


def tweeteval_sentiment(files: Files) -> Splits:
    """SemEval-2017 Task 4A as TweetEval prepared it. Rows: id, text, label."""
    return _tweeteval("tweeteval-sentiment", LABELS[Task.sentiment], with_characters, files)


def tweeteval_emotion(files: Files) -> Splits:
    """The tweets of SemEval-2018 E-c with one emotion. Rows: id, text, label."""
    return _tweeteval("tweeteval-emotion", LABELS[Task.main_emotion], with_line_breaks, files)


def semeval2018_ec(files: Files) -> Splits:
    """SemEval-2018 Task 1's archive, subtask E-c, English. Rows: id, text, labels."""
    (archive,) = files
    parts = {
        "train": "2018-E-c-En-train.txt",
        "dev": "2018-E-c-En-dev.txt",
        "test": "2018-E-c-En-test-gold.txt",
    }
    splits = {}
    try:
        with zipfile.ZipFile(io.BytesIO(files[archive])) as opened:
            names = opened.namelist()
            for split, file in parts.items():
                found = [name for name in names if name.rpartition("/")[2] == file]
                if len(found) != 1:
                    raise OriginalFormatError(archive, None, f"one {file} in it", f"{len(found)}")
                splits[split] = _emotion_rows(file, opened.read(found[0]))
    except zipfile.BadZipFile as error:
        raise OriginalFormatError(archive, None, "a zip archive", str(error)) from None
    return splits


def _emotion_rows(file: str, content: bytes) -> list[dict]:
    header, *lines = lines_of(file, content)
    emotions = LABELS[Task.emotions]
    if header.split("\t") != ["ID", "Tweet", *emotions]:
        raise OriginalFormatError(file, 1, "ID, Tweet and the 11 emotions", repr(header[:60]))
    rows = []
    for number, line in enumerate(lines, start=2):
        identity, tweet, *marks = columns(file, number, line, 2 + len(emotions))
        if not set(marks) <= {"0", "1"}:
            raise OriginalFormatError(file, number, "marks 0 or 1", "another")
        labels = [emotion for emotion, mark in zip(emotions, marks, strict=True) if mark == "1"]
        rows.append({"id": identity, "text": with_line_breaks(tweet), "labels": labels})
    return rows


def goemotions(files: Files) -> Splits:
    """GoEmotions' train, dev and test.tsv: text, label numbers, comment id.

    Rows: id, text, labels, ekman, sentiment_group (the last two made from the labels).
    """
    splits = {}
    for split in ("train", "dev", "test"):
        file, rows = f"{split}.tsv", []
        for number, line in enumerate(lines_of(file, files[file]), start=1):
            text, numbers, identity = columns(file, number, line, 3)
            try:
                labels = [GOEMOTIONS[int(one)] for one in numbers.split(",")]
            except (ValueError, IndexError):
                raise OriginalFormatError(
                    file, number, "label numbers from 0 to 27", repr(numbers[:20])
                ) from None
            ekman = sorted({_OF_FINE[label] for label in labels})
            groups = sorted({_GROUPS.get(name, "negative") for name in ekman})
            rows.append(
                {
                    "id": identity,
                    "text": text.strip(),
                    "labels": labels,
                    "ekman": ekman,
                    "sentiment_group": groups,
                }
            )
        splits[split] = rows
    return splits


AIRLINE_COLUMNS = (
    *("tweet_id", "airline_sentiment", "airline_sentiment_confidence", "negativereason"),
    *("negativereason_confidence", "airline", "airline_sentiment_gold", "name"),
    *("negativereason_gold", "retweet_count", "text", "tweet_coord", "tweet_created"),
    *("tweet_location", "user_timezone"),
)


def airline(files: Files) -> Splits:
    """Twitter US Airline Sentiment: one CSV file, parted here 70/10/20 by airline and sentiment.

    Rows: id, text, label, created_at, author, airline, repeat (0 for a tweet id's first row),
    airline_sentiment_confidence, negativereason (null unless negative),
    negativereason_confidence, retweet_count. Second rows equal in every column are dropped.
    """
    ((file, content),) = files.items()
    reader = csv.DictReader(io.StringIO(decoded(file, content), newline=""))
    missing = set(AIRLINE_COLUMNS) - set(reader.fieldnames or ())
    if missing:
        raise OriginalFormatError(file, 1, "the columns of Tweets.csv", f"no {min(missing)}")
    rows, seen, repeats = [], set(), {}
    for cells in reader:
        identity = cells["tweet_id"]
        whole = tuple(cells[name] for name in AIRLINE_COLUMNS)
        if whole in seen:
            continue
        seen.add(whole)
        try:
            rows.append(_airline_row(cells, repeats.get(identity, 0)))
        except (ValueError, TypeError):
            raise OriginalFormatError(
                file, reader.line_num, "numbers, a time and a sentiment", "something else"
            ) from None
        repeats[identity] = repeats.get(identity, 0) + 1
    return split_rows(rows, WITHOUT_SPLITS, lambda row: (row["airline"], row["label"]))


def _airline_row(cells: dict[str, str], repeat: int) -> dict:
    label = cells["airline_sentiment"]
    if label not in LABELS[Task.sentiment]:
        raise ValueError(label)
    created = datetime.strptime(cells["tweet_created"], "%Y-%m-%d %H:%M:%S %z")
    confidence = cells["negativereason_confidence"]
    return {
        "id": cells["tweet_id"],
        "text": cells["text"].strip(),
        "label": label,
        "created_at": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "author": cells["name"],
        "airline": cells["airline"],
        "repeat": repeat,
        "airline_sentiment_confidence": float(cells["airline_sentiment_confidence"]),
        "negativereason": cells["negativereason"] or None,
        "negativereason_confidence": float(confidence) if confidence else None,
        "retweet_count": int(cells["retweet_count"]),
    }


def vader_rated(files: Files) -> Splits:
    """VADER's rated tweets: an archive with their mean ratings and every rater's, parted here
    70/10/20 by rounded rating.

    Rows: id, text, rating (-4 to 4), ratings (list of integers), ratings_mean, ratings_std.
    """
    ((archive, content),) = files.items()
    texts, ratings = "tweets_GroundTruth.txt", "tweets_anonDataRatings.txt"
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as opened:
            found = {
                member.name.rpartition("/")[2]: opened.extractfile(member).read()
                for member in opened
                if member.isfile() and member.name.rpartition("/")[2] in (texts, ratings)
            }
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise OriginalFormatError(archive, None, "a tar.gz archive", str(error)) from None
    if len(found) != 2:
        raise OriginalFormatError(archive, None, f"{texts} and {ratings} in it", f"{len(found)}")
    rated = {}
    for number, line in enumerate(lines_of(ratings, found[ratings]), start=1):
        identity, mean, deviation, each = columns(ratings, number, line, 4)
        try:
            rated[identity] = float(mean), float(deviation), json.loads(each)
        except ValueError:
            raise OriginalFormatError(ratings, number, "numbers", "something else") from None
    rows = []
    for number, line in enumerate(lines_of(texts, found[texts]), start=1):
        identity, rating, text = columns(texts, number, line, 3)
        try:
            mean, deviation, each = rated[identity]
            row = {"id": identity, "text": text.strip(), "rating": float(rating)}
        except (KeyError, ValueError):
            raise OriginalFormatError(texts, number, "a rated id", repr(identity[:20])) from None
        rows.append({**row, "ratings": each, "ratings_mean": mean, "ratings_std": deviation})
    return split_rows(rows, WITHOUT_SPLITS, lambda row: round(row["rating"]))
