"""A bigram language model: which word comes next, by `nltk.lm` over counts read from JSON.

Keys of `bigram.json.gz`: format (1), name, version, smoothing (a name of SMOOTHINGS), discount
(its number, or null), words (sorted; `<s>`, `</s>` and `<UNK>` among them), unigrams ([count a
word]), bigrams ({word's number: [next word's number, count, ...]}), trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from nltk.lm import Lidstone, NgramCounter, Vocabulary
from nltk.lm.api import LanguageModel
from nltk.lm.models import InterpolatedLanguageModel
from nltk.lm.smoothing import AbsoluteDiscounting, KneserNey, WittenBell
from nltk.probability import FreqDist

from voxlake.scoring.errors import ModelFileError
from voxlake.scoring.json_file import model_id, read_gzipped, to_bytes
from voxlake.scoring.words import clean
from voxlake.text.tokens import tokenise

FILE_NAME = "bigram.json.gz"
NAME = "bigram"
FORMAT = 1
START, END, UNKNOWN = "<s>", "</s>", "<UNK>"
SMOOTHINGS = ("lidstone", "witten_bell", "absolute_discounting", "kneser_ney")
# Longer texts are cut, so the cost of one stays bounded.
_MAX_TOKENS = 1_000


class _FixedCounts(FreqDist):
    """Counts that change no more, and know their sum: nltk adds them up at every question."""

    def __init__(self, counts: dict[str, int]) -> None:
        super().__init__(counts)
        self._sum = sum(counts.values())

    def N(self) -> int:
        return self._sum


class _WittenBell(WittenBell):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._remembered: dict[tuple[str, ...], float] = {}

    def _gamma(self, context: tuple[str, ...]) -> float:
        if context not in self._remembered:
            self._remembered[context] = super()._gamma(context)
        return self._remembered[context]


class _AbsoluteDiscounting(AbsoluteDiscounting):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._remembered: dict[tuple[str, ...], float] = {}

    def _gamma(self, context: tuple[str, ...]) -> float:
        if context not in self._remembered:
            self._remembered[context] = super()._gamma(context)
        return self._remembered[context]


class _KneserNey(KneserNey):
    """With the continuation counts of all words counted once, not at every question."""

    @cached_property
    def _continuations(self) -> tuple[Counter[str], int]:
        found: Counter[str] = Counter()
        for followers in self.counts[2].values():
            found.update(followers.keys())
        return found, sum(found.values())

    def _continuation_counts(self, word: str, context: tuple = ()) -> tuple[int, int]:
        found, total = self._continuations
        return found[word], total


def lm_tokens(text: str) -> list[str]:
    """The tokens of a text for this model: lower-case words, hashtags, emoticons and emoji."""
    return tokenise(clean(text))[:_MAX_TOKENS]


def build(
    unigrams: dict[str, int],
    bigrams: dict[str, dict[str, int]],
    smoothing: str,
    discount: float | None,
) -> LanguageModel:
    """nltk's model of the counts. Raises ValueError for another smoothing.

    discount: what is taken from each bigram's count, 0 to 1; for lidstone what is added; None for
    witten_bell.
    """
    counter = NgramCounter()
    counter._counts[1] = counter.unigrams = _FixedCounts(unigrams)
    for word, followers in bigrams.items():
        counter[2][(word,)] = _FixedCounts(followers)
    # Every word is kept: rare ones were made UNKNOWN, which nltk adds itself, when they were
    # counted. START is never predicted, but stands before words.
    known = {**unigrams, START: 1}
    known.pop(UNKNOWN, None)
    vocabulary = Vocabulary(known, unk_cutoff=1, unk_label=UNKNOWN)
    if smoothing == "lidstone":
        return Lidstone(discount, 2, vocabulary=vocabulary, counter=counter)
    kinds = {
        "witten_bell": (_WittenBell, {}),
        "absolute_discounting": (_AbsoluteDiscounting, {"discount": discount}),
        "kneser_ney": (_KneserNey, {"discount": discount, "order": 2}),
    }
    if smoothing not in kinds:
        raise ValueError(f"expected a smoothing of {SMOOTHINGS}, found {smoothing}")
    kind, parameters = kinds[smoothing]
    return InterpolatedLanguageModel(
        kind, 2, vocabulary=vocabulary, counter=counter, params=parameters
    )


class BigramModel:
    """Predicts next words; `id` is `bigram-<version>-<hash>`."""

    task = "next_word"

    def __init__(self, document: dict) -> None:
        self.id = model_id(NAME, document["version"], to_bytes(document))
        words: list[str] = document["words"]
        self._unigrams = dict(zip(words, document["unigrams"], strict=True))
        self._bigrams = {
            words[int(first)]: {
                words[second]: count for second, count in zip(row[::2], row[1::2], strict=True)
            }
            for first, row in document["bigrams"].items()
        }
        self._unigrams.pop(START, None)
        self.model = build(
            self._unigrams, self._bigrams, document["smoothing"], document["discount"]
        )

    def probability(self, word: str, previous: str | None = None) -> float:
        """P(word | previous word), of the first word of a text where previous is None."""
        return self.model.score(word, (START if previous is None else previous,))

    def next_words(self, prefix: str, count: int = 5) -> list[tuple[str, float]]:
        """The words most probable after the prefix, each with its probability, highest first.

        Words of equal probability come by the alphabet. A prefix without words is a text's start.
        The end of a text and unknown words have a share of the probability but are not listed.
        """
        written = lm_tokens(prefix)
        previous = written[-1] if written else START
        if previous not in self.model.vocab:
            previous = UNKNOWN
        # Words not seen after this one are in the order of their own probability, so the first
        # ones of that order and those seen are all that can be among the most probable.
        followers = [w for w in self._bigrams.get(previous, {}) if w not in (END, UNKNOWN)]
        candidates = {*followers, *self._by_probability[: count + len(followers)]}
        scored = [(word, self.model.score(word, (previous,))) for word in candidates]
        scored.sort(key=lambda pair: (-pair[1], pair[0]))
        return scored[:count]

    def surprise(self, texts: Iterable[str]) -> list[tuple[float, int]]:
        """(bits, predictions) of each text: -log2 P summed over its tokens and its end."""
        return [self._surprise(text) for text in texts]

    def perplexity(self, texts: Iterable[str]) -> float:
        """2 to the mean surprise of a prediction; inf where one had no probability."""
        found = self.surprise(texts)
        return 2.0 ** (sum(bits for bits, _ in found) / max(sum(n for _, n in found), 1))

    def _surprise(self, text: str) -> tuple[float, int]:
        written = [*lm_tokens(text), END]
        pairs = zip([START, *written], written, strict=False)
        return -sum(self.model.logscore(word, (first,)) for first, word in pairs), len(written)

    @cached_property
    def _by_probability(self) -> list[str]:
        words = [word for word in self._unigrams if word not in (END, UNKNOWN)]
        scored = {word: self.model.score(word) for word in words}
        return sorted(words, key=lambda word: (-scored[word], word))


def load_bigram(path: str | Path) -> BigramModel:
    """Reads a model from its folder. Raises ModelFileError."""
    path = Path(path) / FILE_NAME
    document = read_gzipped(path, format=FORMAT, name=NAME)
    try:
        return BigramModel(document)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFileError(path, "the keys of format 1", f"{error!r}") from error


def count_words(
    texts: Iterable[Sequence[str]], *, min_count: int
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """(unigrams, bigrams) of tokenised texts; words rarer than min_count become UNKNOWN.

    START is counted before each text's first word only, END as a word.
    """
    texts = list(texts)
    seen = Counter(token for text in texts for token in text)
    unigrams: Counter[str] = Counter()
    bigrams: dict[str, Counter[str]] = {}
    for text in texts:
        known = [token if seen[token] >= min_count else UNKNOWN for token in text] + [END]
        unigrams.update(known)
        for first, second in zip([START, *known], known, strict=False):
            bigrams.setdefault(first, Counter())[second] += 1
    unigrams.setdefault(UNKNOWN, 1)
    return dict(unigrams), {word: dict(found) for word, found in bigrams.items()}
