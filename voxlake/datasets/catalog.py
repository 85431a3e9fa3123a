"""The public data sets that `voxlake data get` knows: where they are, how to tell that they came
whole, and on what terms.

An address with a commit in it always gives the same bytes. `sha256` is given where the file's sum
was published or computed from the whole file; where it is None, the sum seen first is recorded and
checked from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voxlake.datasets.errors import UnknownDatasetError
from voxlake.datasets.form import Task
from voxlake.datasets.originals import dialogues, entities, tweets

RAW = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Original:
    """One file of a source. `addresses` are tried in turn; the first with the right bytes wins."""

    name: str
    addresses: tuple[str, ...]
    sha256: str | None = None


@dataclass(frozen=True)
class Dataset:
    """A public data set. `tasks`: what its rows are labelled for; `terms` is printed for whoever
    fetches it; `notes`: what one should know before training on it."""

    name: str
    tasks: tuple[Task, ...]
    what: str
    home: str
    paper: str
    licence: str
    terms: str
    originals: tuple[Original, ...]
    convert: Callable[[dict[str, bytes]], dict[str, list[dict]]]
    notes: str = ""


def _github(
    repository: str, commit: str, branch: str, files: dict[str, str | None]
) -> tuple[Original, ...]:
    """Files of a repository at a commit; at the branch's head should the commit be gone."""
    return tuple(
        Original(
            path.rpartition("/")[2],
            tuple(f"{RAW}/{repository}/{at}/{path}" for at in (commit, branch)),
            sha256,
        )
        for path, sha256 in files.items()
    )


def get(name: str) -> Dataset:
    """The data set of that name. Raises UnknownDatasetError."""
    if name not in CATALOG:
        raise UnknownDatasetError(name, sorted(CATALOG))
    return CATALOG[name]


TWEETS = (
    "The texts are by real people: keep names, handles and places out of logs, screenshots and "
    "documents. The platform's own terms apply to its users' texts as well."
)

_SETS = (
    Dataset(
        name="tweeteval_sentiment",
        tasks=(Task.sentiment,),
        what="Tweets on any subject: negative, neutral or positive (59,899 tweets)",
        home="https://github.com/cardiffnlp/tweeteval",
        paper="SemEval-2017 Task 4 (2017); TweetEval, Findings of EMNLP 2020",
        licence="no restrictions of its own",
        terms="TweetEval's README: released without any restrictions, but restrictions may apply "
        "to individual tasks or by Twitter. " + TWEETS,
        originals=_github(
            "cardiffnlp/tweeteval",
            "3eb5e91dd5070b5a5931df4e70cbab5978e3c50c",
            "main",
            {
                "datasets/sentiment/train_text.txt": (
                    "368f01052ea6fd8ffc408a2a2e6ac9669e31542581a0396ef16591ea26eb98a6"
                ),
                "datasets/sentiment/train_labels.txt": (
                    "122bfb1732fb6995b0e5c5f726c0ba457c469c3b6e60513007ce5037f23e65d4"
                ),
                "datasets/sentiment/val_text.txt": (
                    "e5b021e6fc45064c260b09814b803d8f56cada519c4d952d72f43d48a350a964"
                ),
                "datasets/sentiment/val_labels.txt": (
                    "b4566926c72e2e4e2916c864def94e76c4cdde52446af2c7ba4fc2006e057e51"
                ),
                "datasets/sentiment/test_text.txt": (
                    "09a93a55c63fd93f97485ef7302889d7edb4091cd49733aa37da094f0bfa0675"
                ),
                "datasets/sentiment/test_labels.txt": (
                    "6afb4afe9374d1f983bcf9a7c79b108d0f37fdf020a83f30488309bed215db9d"
                ),
            },
        ),
        convert=tweets.tweeteval_sentiment,
    ),
    Dataset(
        name="tweeteval_emotion",
        tasks=(Task.main_emotion,),
        what="Tweets with one emotion: anger, joy, optimism or sadness (5,052 tweets)",
        home="https://github.com/cardiffnlp/tweeteval",
        paper="SemEval-2018 Task 1: Affect in Tweets (2018); TweetEval, Findings of EMNLP 2020",
        licence="no restrictions of its own",
        terms="TweetEval's README: released without any restrictions, but restrictions may apply "
        "to individual tasks or by Twitter. " + TWEETS,
        originals=_github(
            "cardiffnlp/tweeteval",
            "8df207ad6fcdab017000ad5196f797cd21f9a30f",
            "main",
            {
                "datasets/emotion/train_text.txt": (
                    "2c62f67aeb3eac1aea0e5a9c3d0f4bc337992581f3f858061786a1fb4d79d95e"
                ),
                "datasets/emotion/train_labels.txt": (
                    "987e767d8679e18abdf7de37a6d2bcd0a40a296ddd704e8d515cf0e3033c8d9c"
                ),
                "datasets/emotion/val_text.txt": (
                    "e2e30c86b8cbb97944d6543aedc06eace3bb275cb2f381aba787b838b4f23ca5"
                ),
                "datasets/emotion/val_labels.txt": (
                    "313730630160b7e0a6b4235b800c76683f4aeeb72d094eb69646630cd5cfe338"
                ),
                "datasets/emotion/test_text.txt": (
                    "7e1070f5d3e3fcece5bc73680bff9981e90d8f7b2f1009bfe7a01d059d1c6091"
                ),
                "datasets/emotion/test_labels.txt": (
                    "245072348c711961785be6d395997f97cf7fcda3effeae7805664171dc75f913"
                ),
            },
        ),
        convert=tweets.tweeteval_emotion,
        notes="A selection of semeval2018_ec, split for split: never train on the dev or test "
        "rows of one and measure on the other. Hashtags by which the tweets were found give "
        "labels away.",
    ),
    Dataset(
        name="semeval2018_ec",
        tasks=(Task.emotions,),
        what="English tweets with any number of 11 emotions (10,983 tweets)",
        home="https://competitions.codalab.org/competitions/17751",
        paper="SemEval-2018 Task 1: Affect in Tweets (2018)",
        licence="the organisers' terms",
        terms="The archive's README.txt: cite the paper; do not redistribute the data, point to "
        "the home page instead. " + TWEETS,
        originals=(
            Original(
                "SemEval2018-Task1-all-data.zip",
                (
                    "https://saifmohammad.com/WebDocs/AIT-2018/AIT2018-DATA/"
                    "SemEval2018-Task1-all-data.zip",
                ),
                "8979a6ca0bd259ef375a44d812fd434efa799c66bc377e25cda599aa767640eb",
            ),
        ),
        convert=tweets.semeval2018_ec,
        notes="An empty list of labels means neutral, not missing.",
    ),
    Dataset(
        name="goemotions",
        tasks=(Task.text,),
        what="Reddit comments with 27 fine emotions or neutral (54,263 comments)",
        home="https://github.com/google-research/google-research/tree/master/goemotions",
        paper="GoEmotions: A Dataset of Fine-Grained Emotions, ACL 2020",
        licence="CC BY 4.0",
        terms="The repository's README: all data sets under CC BY 4.0 (name the authors), code "
        "under Apache 2.0. The texts are by real people, and some are offensive.",
        originals=_github(
            "google-research/google-research",
            "2adf640a14f11025ae5a9d0ec493b78530d276d3",
            "master",
            {
                "goemotions/data/train.tsv": (
                    "1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5"
                ),
                "goemotions/data/dev.tsv": (
                    "575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62"
                ),
                "goemotions/data/test.tsv": (
                    "0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4"
                ),
            },
        ),
        convert=tweets.goemotions,
        notes="Labels are its own 28, not the 11 of the emotions task; the encoder learns them as "
        "an auxiliary task.",
    ),
    Dataset(
        name="btc",
        tasks=(Task.entities,),
        what="Tweets of 2009 to 2014 with persons, places and organisations (9,339 tweets)",
        home="https://github.com/GateNLP/broad_twitter_corpus",
        paper="Broad Twitter Corpus: A Diverse Named Entity Recognition Resource, COLING 2016",
        licence="CC BY 4.0",
        terms="CC BY 4.0: name the authors and cite the paper. " + TWEETS,
        originals=_github(
            "GateNLP/broad_twitter_corpus",
            "0c45ef7b1924a6b8115bceab388781590b1b553a",
            "master",
            {f"{section}.conll": None for section in "abefgh"},
        ),
        convert=entities.btc,
        notes="`@` and its handle are two tokens, and the sections disagree on their tags: make "
        "them alike before training or measuring (voxlake train does).",
    ),
    Dataset(
        name="wnut17",
        tasks=(Task.entities,),
        what="Social-media sentences with new and rare entities (5,690 sentences)",
        home="https://github.com/leondz/emerging_entities_17",
        paper="WNUT2017 Shared Task on Novel and Emerging Entity Recognition, W-NUT 2017",
        licence="CC BY 4.0",
        terms="CC BY 4.0: name the authors and cite the paper. " + TWEETS,
        originals=_github(
            "leondz/emerging_entities_17",
            "e52a2d2a71ac1a051ca2d532eef28653c5c02603",
            "master",
            {
                "wnut17train.conll": (
                    "731820e13f71af324c6b55a1575ec2ce59fbaa2a0806f8f0400b98d56cd6a7a5"
                ),
                "emerging.dev.conll": (
                    "e053b752b8155113ca66e7db08af5f2f5f43ab993694e4774f1ec5bad42312d8"
                ),
                "emerging.test.annotated": (
                    "2aa79b764e56ec9264a1b30fdd9b70195bd00ff400b62edd8f399d5f13c178f0"
                ),
            },
        ),
        convert=entities.wnut17,
        notes="Six types; person, location, corporation and group are read as PER, LOC and ORG. "
        "train, dev and test have different sources.",
    ),
    Dataset(
        name="airline",
        tasks=(Task.sentiment, Task.complaint_reason),
        what="Tweets to six US airlines, 2015: sentiment, reason of complaint (14,640 rows)",
        home="https://www.kaggle.com/datasets/crowdflower/twitter-airline-sentiment",
        paper="none; CrowdFlower, Twitter US Airline Sentiment (2015)",
        licence="CC BY-NC-SA 4.0",
        terms="The repository it comes from has no licence file and points to the home page, "
        "where the set is said to be under CC BY-NC-SA 4.0 (not for commercial use; share "
        "alike): look there before you use it. " + TWEETS,
        originals=_github(
            "Tech-with-Vidhya/"
            "AWS_ETL_NLP_Auto-Reply_Query_Handler_Using_Kafka_Spark_LSTM_Deep_Learning",
            "a5197668566f995ebb1cc8a73e5fe681868c9692",
            "main",
            {"data/Tweets.csv": None},
        ),
        convert=tweets.airline,
        notes="Without splits of its own: parted here 70/10/20 by a hash of the text. Somebody "
        'wrote reasons into the texts ("Cancelled Flightled"): a model of negativereason learns '
        "those strings unless they are put back.",
    ),
    Dataset(
        name="vader_rated",
        tasks=(Task.text,),
        what="Tweet-like texts rated from -4 to 4 by 20 people or more (4,200 texts)",
        home="https://github.com/cjhutto/vaderSentiment",
        paper="VADER: A Parsimonious Rule-based Model for Sentiment Analysis, ICWSM 2014",
        licence="MIT",
        terms="MIT by the repository's LICENSE.txt; the archive states none of its own and asks "
        "that the paper be cited.",
        originals=_github(
            "cjhutto/vaderSentiment",
            "18c86513ea60b02fce8f3b1b598da43042d91b08",
            "master",
            {"additional_resources/hutto_ICWSM_2014.tar.gz": None},
        ),
        convert=tweets.vader_rated,
        notes="Without splits of its own: parted here 70/10/20 by a hash of the text. The lexicon "
        "of the same name was made for this kind of text.",
    ),
    Dataset(
        name="dialogsum",
        tasks=(Task.text,),
        what="Spoken-style dialogues with a summary and a topic (13,460 dialogues)",
        home="https://github.com/cylnlp/dialogsum",
        paper="DialogSum: A Real-Life Scenario Dialogue Summarization Dataset, Findings of ACL "
        "2021",
        licence="CC BY-NC-SA 4.0",
        terms="CC BY-NC-SA 4.0: not for commercial use; share alike; cite the paper. The copyright "
        "of the dialogues belongs to the users who created them.",
        originals=_github(
            "cylnlp/dialogsum",
            "848cc8c05e0a04def79326539de827f1b28786a0",
            "main",
            {f"DialogSum_Data/dialogsum.{split}.jsonl": None for split in ("train", "dev", "test")},
        ),
        convert=dialogues.dialogsum,
    ),
    Dataset(
        name="commonsense_dialogues",
        tasks=(Task.text,),
        what="Crowd-written dialogues about an everyday situation (11,373 dialogues)",
        home="https://github.com/alexa/Commonsense-Dialogues",
        paper="Commonsense-Focused Dialogues for Response Generation, SIGDIAL 2021",
        licence="CC BY-NC 4.0",
        terms="CC BY-NC 4.0: not for commercial use; name the authors and cite the paper.",
        originals=_github(
            "alexa/Commonsense-Dialogues",
            "1dbbdb77c34518f919ca2e690e34bbe5f7c786f9",
            "main",
            {f"data/{part}.json": None for part in ("train", "valid", "test")},
        ),
        convert=dialogues.commonsense_dialogues,
    ),
)

CATALOG: dict[str, Dataset] = {dataset.name: dataset for dataset in _SETS}
