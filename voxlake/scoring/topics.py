"""A topic model: latent Dirichlet allocation over lemmas, read from JSON, run by numpy alone.

The arithmetic is that of scikit-learn's `LatentDirichletAllocation.transform`; a test holds them
together. Beside the weights lies `topics.csv`, a table that a person edits: it names each topic and
its queue. Topics of one name count as one; a topic without a name is never assigned.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voxlake.scoring.errors import ModelFileError
from voxlake.scoring.json_file import model_id, read_gzipped, to_bytes
from voxlake.scoring.metrics import one_figure

FILE_NAME = "topics.json.gz"
TABLE_NAME = "topics.csv"
TABLE_COLUMNS = ("topic", "name", "queue", "top_words")
NAME = "topics-lda"
FORMAT = 1

# A text is said to be about a topic when it holds this many different known lemmas and the topic
# has this share of it: below, LDA's answer is little more than its prior.
MIN_WORDS = 2
MIN_SCORE = 0.5

# Enough for the texts of posts: the change in a topic's share is below 0.001 long before.
_ITERATIONS = 50
_CHUNK = 512
# Longer texts are cut to this many different lemmas, so the cost of one stays bounded.
_MAX_WORDS = 1_000
_DECIMALS = 6
_COHERENCE_EPSILON = 1e-12


class Assignment(NamedTuple):
    """The topic of a text. topic: its name, None when none stands out. score: the share of the
    text that the most probable named topic has, 0 to 1, also where topic is None."""

    topic: str | None
    score: float


class TopicRow(NamedTuple):
    """A line of topics.csv. name and queue are None where the table has nothing."""

    topic: int
    name: str | None
    queue: str | None
    top_words: str


def load_topic_model(path: str | Path) -> TopicModel:
    """Reads a model from its folder (`topics.json.gz` and `topics.csv`).

    Raises ModelFileError when one is missing, is not what it should be, or they do not fit.
    """
    file = Path(path) / FILE_NAME
    document = read_gzipped(file, format=FORMAT, name=NAME)
    try:
        terms = document["terms"]
        prior = np.asarray(document["topic_prior"], dtype=np.float64)
        weights = np.asarray(document["weights"], dtype=np.float64)
        word_prior = float(document["word_prior"])
        identity = model_id(NAME, document["version"], to_bytes(document))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(file, "the keys of format 1", f"{error!r}") from error
    if weights.ndim != 2 or weights.shape[1] != len(terms) or not len(terms):
        raise ModelFileError(file, f"{len(terms)} weights a topic", f"{weights.shape}")
    if prior.shape != weights.shape[:1] or not (np.isfinite(prior) & (prior > 0)).all():
        raise ModelFileError(file, "a positive prior a topic", f"{prior.shape}")
    if not np.isfinite(weights).all() or weights.min() < 0 or word_prior <= 0:
        raise ModelFileError(file, "finite weights and a positive prior", "something else")
    table = read_table(Path(path) / TABLE_NAME, topics=len(weights))
    return TopicModel(identity, terms, weights + word_prior, prior, table)


def read_table(path: str | Path, *, topics: int) -> list[TopicRow]:
    """The rows of topics.csv by topic number, one for each of `topics`.

    Raises ModelFileError naming the line that is wrong.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            if reader.fieldnames is None or not {"topic", "name", "queue"} <= set(
                reader.fieldnames
            ):
                found = f"{reader.fieldnames}"
                raise ModelFileError(path, f"the columns {', '.join(TABLE_COLUMNS)}", found)
            rows = [_table_row(path, reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise ModelFileError(path, "the table of topic names", "no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ModelFileError(path, "a CSV file in UTF-8", str(error)) from error
    numbers = sorted(row.topic for row in rows)
    if numbers != list(range(topics)):
        raise ModelFileError(path, f"one line for each topic 0 to {topics - 1}", f"{numbers}")
    rows.sort()
    queues: dict[str, str | None] = {}
    for row in rows:
        if row.name is not None and queues.setdefault(row.name, row.queue) != row.queue:
            found = f"{queues[row.name]!r} and {row.queue!r}"
            raise ModelFileError(path, f"one queue for the topic {row.name!r}", found)
    return rows


def _table_row(path: str | Path, line: int, row: dict) -> TopicRow:
    number = (row.get("topic") or "").strip()
    if not number.isdecimal():
        raise ModelFileError(path, f"a topic's number in line {line}", repr(number))
    name, queue = ((row.get(key) or "").strip() or None for key in ("name", "queue"))
    return TopicRow(int(number), name, queue, row.get("top_words") or "")


class TopicModel:
    """Assigns topics to texts given as lists of lemmas (`text_features.lemmas`)."""

    task = "topics"

    def __init__(
        self,
        identity: str,
        terms: Sequence[str],
        weights: np.ndarray,
        topic_prior: np.ndarray,
        table: Sequence[TopicRow],
    ) -> None:
        """weights: [topics, terms], how often a topic gave a term, word prior included;
        topic_prior: [topics]."""
        self.id = identity
        self.terms = list(terms)
        self.table = list(table)
        self._index = {term: at for at, term in enumerate(self.terms)}
        self._weights = weights
        self._topic_prior = topic_prior
        totals = weights.sum(axis=1, keepdims=True)
        # [terms + 1, topics]; the last row pads short texts and counts nothing.
        expected = np.exp(digamma(weights) - digamma(totals)).T
        self._expected = np.vstack([expected, np.ones((1, len(weights)))])
        self.names = sorted({row.name for row in self.table if row.name is not None})
        at = {name: number for number, name in enumerate(self.names)}
        self._by_name = np.zeros((len(weights), len(self.names)))
        for row in self.table:
            if row.name is not None:
                self._by_name[row.topic, at[row.name]] = 1.0
        self._queues = {row.name: row.queue for row in self.table if row.name is not None}

    def assign(self, lemma_lists: Iterable[Sequence[str] | None]) -> list[Assignment]:
        """The topic of each text, in order; a text's topic does not depend on the others.

        No topic stands out where a text has fewer than MIN_WORDS different known lemmas (then
        score is 0) or no named topic has a share of MIN_SCORE.
        """
        texts = [lemmas if lemmas is not None else () for lemmas in lemma_lists]
        shares = self.shares(texts) @ self._by_name
        known = [len({lemma for lemma in lemmas if lemma in self._index}) for lemmas in texts]
        return [self._assignment(row, count) for row, count in zip(shares, known, strict=True)]

    def queue(self, topic: str | None) -> str | None:
        """The queue that topics.csv gives a topic's name; None without one."""
        return self._queues.get(topic)

    def shares(self, lemma_lists: Sequence[Sequence[str]]) -> np.ndarray:
        """The share of each topic (by number) in each text: [texts, topics], rows sum to 1.

        The prior's even shares for a text without known lemmas.
        """
        rows = [
            self._chunk(lemma_lists[start : start + _CHUNK])
            for start in range(0, len(lemma_lists), _CHUNK)
        ]
        return np.concatenate(rows) if rows else np.zeros((0, len(self._weights)))

    def top_words(self, count: int = 10) -> list[list[str]]:
        """The terms that each topic gives most often, by topic number."""
        order = np.argsort(-self._weights, axis=1, kind="stable")[:, :count]
        return [[self.terms[at] for at in row] for row in order]

    def _assignment(self, shares: np.ndarray, known: int) -> Assignment:
        if known < MIN_WORDS or not len(shares):
            return Assignment(None, 0.0)
        best = int(np.argmax(shares))
        score = min(round(float(shares[best]), _DECIMALS), 1.0)
        return Assignment(self.names[best] if score >= MIN_SCORE else None, score)

    def _chunk(self, lemma_lists: Sequence[Sequence[str]]) -> np.ndarray:
        found = [
            Counter(
                at for at in (self._index.get(lemma) for lemma in lemmas) if at is not None
            ).most_common(_MAX_WORDS)
            for lemmas in lemma_lists
        ]
        width = max((len(counts) for counts in found), default=0)
        shares = np.empty((len(found), len(self._weights)))
        # Texts of like length together, so that one long text does not pad five hundred.
        order = sorted(range(len(found)), key=lambda at: len(found[at]))
        for _, group in itertools.groupby(
            order, key=lambda at: math.ceil(math.log2(len(found[at]) + 1))
        ):
            members = list(group)
            width = max(len(found[at]) for at in members)
            terms = np.full((len(members), width), len(self.terms))
            counts = np.zeros((len(members), width))
            for row, at in enumerate(members):
                for column, (term, count) in enumerate(found[at]):
                    terms[row, column], counts[row, column] = term, count
            shares[members] = self._infer(terms, counts)
        return shares

    def _infer(self, terms: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Variational shares for texts of padded term numbers and counts, each [texts, width]."""
        words = self._expected[terms]
        gamma = np.ones((len(terms), len(self._weights)))
        for _ in range(_ITERATIONS):
            theta = np.exp(digamma(gamma) - digamma(gamma.sum(axis=1, keepdims=True)))
            norm = np.einsum("twk,tk->tw", words, theta) + np.finfo(np.float64).eps
            gamma = self._topic_prior + theta * np.einsum("tw,twk->tk", counts / norm, words)
        return gamma / gamma.sum(axis=1, keepdims=True)


def digamma(values: np.ndarray) -> np.ndarray:
    """The logarithmic derivative of the gamma function for positive values, to about 1e-10."""
    shifted = np.asarray(values, dtype=np.float64).copy()
    below = np.zeros_like(shifted)
    for _ in range(6):
        small = shifted < 6.0
        below = np.where(small, below - 1.0 / shifted, below)
        shifted = np.where(small, shifted + 1.0, shifted)
    inverse = 1.0 / (shifted * shifted)
    series = inverse * (
        1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse / 132)))
    )
    return below + np.log(shifted) - 0.5 / shifted - series


def coherence(
    top_words: Sequence[Sequence[str]], documents: Iterable[Iterable[str]]
) -> list[float]:
    """c_npmi of each topic: the mean normalised pointwise mutual information of its word pairs.

    A text is one window, for posts are shorter than the usual window of words; the smoothing
    constant is the usual 1e-12. From -1 (the words never meet) over 0 (as often as by chance) to 1
    (only together). A pair with a word that occurs nowhere in the documents counts -1.
    """
    wanted = {word for words in top_words for word in words}
    single: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    total = 0
    for document in documents:
        present = sorted(wanted.intersection(document))
        single.update(present)
        pairs.update(itertools.combinations(present, 2))
        total += 1

    def npmi(first: str, second: str) -> float:
        if not (single[first] and single[second]):
            return -1.0
        joint = pairs[min(first, second), max(first, second)] / total + _COHERENCE_EPSILON
        by_chance = single[first] / total * single[second] / total
        return math.log(joint / by_chance) / -math.log(joint) if joint < 1.0 else 1.0

    return [
        float(np.mean([npmi(*pair) for pair in itertools.combinations(words, 2)]))
        for words in top_words
    ]


def topic_figures(model: TopicModel, lemma_lists: Sequence[Sequence[str]], *, data: str) -> dict:
    """A set of metrics.json: c_npmi (mean over topics, of their ten top words), n (texts), topics,
    assigned (share of texts that get a topic), per_topic (c_npmi by number)."""
    found = coherence(model.top_words(10), lemma_lists)
    assigned = sum(assignment.topic is not None for assignment in model.assign(lemma_lists))
    return one_figure(
        "topics",
        "c_npmi",
        float(np.mean(found)),
        n=len(lemma_lists),
        data=data,
        model=model.id,
        topics=len(found),
        assigned=round(assigned / max(len(lemma_lists), 1), 4),
        per_topic={str(topic): round(value, 4) for topic, value in enumerate(found)},
    )
