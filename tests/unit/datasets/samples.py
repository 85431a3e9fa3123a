"""Made-up rows in each source's original format. No text is from a real data set."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile

EMOTIONS = [
    *("anger", "anticipation", "disgust", "fear", "joy", "love"),
    *("optimism", "pessimism", "sadness", "surprise", "trust"),
]
AIRLINE_HEADER = [
    *("tweet_id", "airline_sentiment", "airline_sentiment_confidence", "negativereason"),
    *("negativereason_confidence", "airline", "airline_sentiment_gold", "name"),
    *("negativereason_gold", "retweet_count", "text", "tweet_coord", "tweet_created"),
    *("tweet_location", "user_timezone"),
]


def tweeteval(labels: int) -> dict[str, bytes]:
    """train of three tweets, val and test of one each; the third of train is also in test."""
    return {
        "train_text.txt": b"Rain again \\u2019til noon \nTea\\nand toast \n@user A dull day!! \n",
        "train_labels.txt": f"0\n1\n{labels - 1}\n".encode(),
        "val_text.txt": b"Warm soup\xe2\x80\xa8and bread \n",
        "val_labels.txt": b"1\n",
        "test_text.txt": b"a DULL day http://example.com/x \n",
        "test_labels.txt": b"0\n",
    }


def emotion_table(prefix: str, rows: list[tuple[str, str, set[str]]]) -> str:
    lines = ["\t".join(["ID", "Tweet", *EMOTIONS])]
    for identity, tweet, found in rows:
        marks = ["1" if emotion in found else "0" for emotion in EMOTIONS]
        lines.append("\t".join([f"{prefix}{identity}", tweet, *marks]))
    return "\r\n".join(lines) + "\r\n"


def semeval2018_ec() -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        root = "SemEval2018-Task1-all-data"
        for file, table in {
            "2018-E-c-En-train.txt": emotion_table(
                "t-", [("1", "What a\\nride", {"joy", "trust"}), ("2", "It is noon", set())]
            ),
            "2018-E-c-En-dev.txt": emotion_table("d-", [("1", "I dread it", {"fear"})]),
            "2018-E-c-En-test-gold.txt": emotion_table("g-", [("1", "So kind", {"love"})]),
        }.items():
            archive.writestr(f"{root}/English/E-c/{file}", table)
        archive.writestr(f"{root}/Spanish/E-c/2018-E-c-Es-train.txt", "other")
    return {"SemEval2018-Task1-all-data.zip": packed.getvalue()}


def goemotions() -> dict[str, bytes]:
    return {
        "train.tsv": b"Thanks, [NAME]!\t15\tid1\nOdd and sad\t6,25\tid2\n",
        "dev.tsv": b"It is a bus.\t27\tid3\n",
        "test.tsv": b"Yuck\t11\tid4\n",
    }


def conll(*sentences: str, blank: str = "\n") -> bytes:
    """Sentences of `token/TAG` words, a blank line after each."""
    parts = (
        "".join("\t".join(word.rsplit("/", 1)) + "\n" for word in sentence.split(" ")) + blank
        for sentence in sentences
    )
    return "".join(parts).encode()


def wnut17() -> dict[str, bytes]:
    return {
        "wnut17train.conll": conll("Ann/B-person Lee/I-person sings/O", "hi/O", blank="\t\n"),
        "emerging.dev.conll": conll("at/O Harbour/B-location Bay/I-location"),
        "emerging.test.annotated": conll("the/O Sprockets/B-group"),
    }


def btc() -> dict[str, bytes]:
    files = {
        f"{section}.conll": conll(f"section/O {section}/O @/B-ORG acme/B-ORG")
        for section in "abefg"
    }
    h = [f"tweet/O number/O {number}/O" for number in ("one", "two", "three", "four")]
    # The source has cells without a visible token.
    return files | {"h.conll": conll(*h) + b" \tO\n"}


def airline() -> dict[str, bytes]:
    """Twenty tweets of two airlines, one of them twice with another sentiment, one row twice."""
    rows = [
        [
            *(f"5703060000000{number:05}", "negative", "1.0", "Late Flight", "0.7"),
            *("Acme" if number % 2 else "Zenith", "", f"someone{number}", "", "0"),
            *(f"@acme where is plane {chr(97 + number)}{chr(97 + number)}?", ""),
            *("2015-02-24 11:35:52 -0800", "", ""),
        ]
        for number in range(20)
    ]
    again = [*rows[3]]
    again[1:5] = ["neutral", "0.5", "", ""]
    written = io.StringIO()
    csv.writer(written).writerows([AIRLINE_HEADER, *rows, again, rows[5]])
    return {"Tweets.csv": written.getvalue().encode()}


def vader_rated() -> dict[str, bytes]:
    texts = "".join(f"{n}\t{n % 5 - 2}.25\tPlain text {chr(96 + n)}\n" for n in range(1, 21))
    rated = "".join(f"{n}\t{n % 5 - 2}.25\t0.5\t[1, -2, 0]\n" for n in range(1, 21))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in (
            ("tweets_GroundTruth.txt", texts),
            ("tweets_anonDataRatings.txt", rated),
            ("_README_.txt", "about"),
        ):
            member = tarfile.TarInfo(f"hutto_ICWSM_2014/{name}")
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return {"hutto_ICWSM_2014.tar.gz": packed.getvalue()}


def dialogsum() -> dict[str, bytes]:
    def line(**row) -> bytes:
        return json.dumps(row).encode() + b"\n"

    talk = "#Person1#: Is it late?\n#Person2#:  \n#Person1#: I fear so."
    return {
        "dialogsum.train.jsonl": line(
            fname="train_0", dialogue=talk, summary="#Person1# asks.", topic="time"
        ),
        "dialogsum.dev.jsonl": line(
            fname="dev_0", dialogue="#Person1#: Tea?\n#Person2#: Yes.", summary="Tea.", topic="tea"
        ),
        "dialogsum.test.jsonl": line(
            fname="test_0",
            dialogue="#Person1#: Bye.",
            summary1="One.",
            summary2="Two.",
            topic1="a",
            topic2="b",
        ),
    }


def commonsense_dialogues() -> dict[str, bytes]:
    def file(text: str) -> bytes:
        dialogue = {"context": "Kim lost a key.", "speaker": "Kim", "turns": [text, "Look again."]}
        return json.dumps({"7": dialogue}).encode()

    return {
        "train.json": file("My key!"),
        "valid.json": file("No key."),
        "test.json": file("Key?"),
    }


SAMPLES = {
    "tweeteval_sentiment": lambda: tweeteval(3),
    "tweeteval_emotion": lambda: tweeteval(4),
    "semeval2018_ec": semeval2018_ec,
    "goemotions": goemotions,
    "btc": btc,
    "wnut17": wnut17,
    "airline": airline,
    "vader_rated": vader_rated,
    "dialogsum": dialogsum,
    "commonsense_dialogues": commonsense_dialogues,
}
