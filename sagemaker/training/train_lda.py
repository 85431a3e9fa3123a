"""Trains the topic model: latent Dirichlet allocation over lemmas, by tomotopy's Gibbs sampler.

Runs under SageMaker's training contract (voxlake.training.contract): channels of JSON lines with
"text"; labels are not read. The number of topics is the one of --topics with the best coherence
(c_npmi) on the validation texts. The model goes to SM_MODEL_DIR with topics.csv, the table in
which a person names the topics and their queues; metrics.json, coherence.json and topics.json (top
words and representative texts, masked) to SM_OUTPUT_DATA_DIR. Finished numbers of topics are kept
in the checkpoint folder, so a killed run goes on after them. The same data, arguments and seed give
the same model on processors with the same instruction set (tomotopy picks its code by it).
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tomotopy

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    # In a checkout; in a training container the voxlake package lies beside this file.
    sys.path.insert(0, str(checkout.parent))

from voxlake.errors import VoxlakeError
from voxlake.scoring.errors import LabelledDataError
from voxlake.scoring.json_file import to_bytes, write_gzipped
from voxlake.scoring.prepare import anonymous
from voxlake.scoring.topics import (
    FILE_NAME,
    FORMAT,
    NAME,
    TABLE_COLUMNS,
    TABLE_NAME,
    TopicModel,
    coherence,
    load_topic_model,
    topic_figures,
)
from voxlake.scoring.words import words
from voxlake.training.contract import (
    contract_parser,
    parse,
    read_split,
    write_json,
    write_metrics,
)

TOP_WORDS = 10
# When something happens is in every subject; left in, days and months make topics of their own.
_TIME_WORDS = """
    monday tuesday wednesday thursday friday saturday sunday january february march april june july
    august september october november december jan feb mar apr jun jul aug sep sept oct nov dec
    today tomorrow tonight yesterday day night morning week weekend month year hour minute time
    st nd rd th
"""
TIME_WORDS = frozenset(_TIME_WORDS.split())
# Words for masked names in public data sets ("[NAME]"), which no real text has.
_MASKED_NAME = re.compile(r"\[[A-Z]{2,20}\]")
_DECIMALS = 2


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Hyperparameters, and the contract's folders."""
    parser = contract_parser(__doc__, os.environ)
    parser.add_argument("--topics", default="15,20,30,40", help="numbers of topics to try")
    parser.add_argument("--min-df", type=int, default=20, help="texts a lemma must be in")
    parser.add_argument("--max-df", type=float, default=0.1, help="share of texts it may be in")
    parser.add_argument("--max-terms", type=int, default=6_000, help="most frequent lemmas kept")
    parser.add_argument("--topic-prior", type=float, default=0.1, help="before it is estimated")
    parser.add_argument("--word-prior", type=float, default=0.01)
    parser.add_argument("--iterations", type=int, default=400, help="of the Gibbs sampler")
    parser.add_argument("--examples", type=int, default=5, help="representative texts a topic")
    args = parse(parser, argv)
    try:
        args.topics = sorted({int(number) for number in str(args.topics).split(",")})
    except ValueError:
        parser.error(f"--topics: expected numbers with commas between, found {args.topics}")
    if args.topics[0] < 2:
        parser.error(f"--topics: expected numbers of 2 and more, found {args.topics[0]}")
    return args


def lemma_lists(texts: Sequence[str]) -> list[list[str]]:
    """The lemmas of each text, as the table text_features has them."""
    return [words(_MASKED_NAME.sub(" ", text), "lemma") for text in texts]


def vocabulary(
    documents: Sequence[Sequence[str]], *, min_df: int, max_df: float, max_terms: int
) -> list[str]:
    """The lemmas that tell subjects apart, sorted: neither rare nor in too many texts.

    min_df in texts, max_df as a share of them; of the rest the max_terms in most texts.
    """
    found = Counter(lemma for document in documents for lemma in set(document))
    most = max_df * len(documents)
    kept = [
        (-count, lemma)
        for lemma, count in found.items()
        if min_df <= count <= most and lemma not in TIME_WORDS
    ]
    return sorted(lemma for _, lemma in sorted(kept)[:max_terms])


def fit(
    documents: Sequence[Sequence[str]],
    terms: Sequence[str],
    topics: int,
    *,
    topic_prior: float,
    word_prior: float,
    iterations: int,
    seed: int,
) -> np.ndarray:
    """How many words of each term each topic has, whole numbers: [topics, terms + 1].

    The last column is each topic's prior in a text, as estimated (topics that are in many texts,
    such as thanks and small talk, get a large one). Documents hold terms only.
    """
    model = tomotopy.LDAModel(k=topics, alpha=topic_prior, eta=word_prior, seed=seed)
    for document in documents:
        if document:
            model.add_doc(document)
    # One worker: with more the sampler's order, and so its result, is left to chance.
    model.train(iterations, workers=1)
    weights = np.zeros((topics, len(terms) + 1))
    weights[:, -1] = np.round(model.alpha, 5)
    at = {term: number for number, term in enumerate(terms)}
    columns = [at[term] for term in model.used_vocabs]
    sizes = model.get_count_by_topics()
    for topic in range(topics):
        # tomotopy tells shares, prior included: (count + prior) / (words + terms * prior).
        shares = np.asarray(model.get_topic_word_dist(topic), dtype=np.float64)
        words_and_prior = sizes[topic] + len(columns) * word_prior
        weights[topic, columns] = np.round(shares * words_and_prior - word_prior)
    return np.maximum(weights, 0.0)


def top_words(weights: np.ndarray, terms: Sequence[str]) -> list[list[str]]:
    """The terms that each topic of `fit` has most often."""
    order = np.argsort(-weights[:, :-1], axis=1, kind="stable")[:, :TOP_WORDS]
    return [[terms[at] for at in row] for row in order]


def choose(
    documents: list[list[str]],
    terms: list[str],
    validation: list[list[str]],
    args: argparse.Namespace,
) -> tuple[np.ndarray, dict[int, float]]:
    """(weights of the number of topics with the best coherence, {topics: coherence})."""
    found: dict[int, float] = {}
    best = np.empty(0)
    for topics in args.topics:
        start = time.monotonic()
        weights = _checkpointed(documents, terms, topics, args)
        found[topics] = round(float(np.mean(coherence(top_words(weights, terms), validation))), 4)
        if found[topics] == max(found.values()):
            best = weights
        print(
            f"{topics} topics: c_npmi {found[topics]:.4f} ({time.monotonic() - start:.1f} s)",
            flush=True,
        )
    return best, found


def _checkpointed(
    documents: list[list[str]], terms: list[str], topics: int, args: argparse.Namespace
) -> np.ndarray:
    """The fitted weights, from the checkpoint folder where a run like this one left them."""
    settings = {
        "topic_prior": args.topic_prior,
        "word_prior": args.word_prior,
        "iterations": args.iterations,
        "seed": args.seed,
    }
    if not args.checkpoint_dir:
        return fit(documents, terms, topics, **settings)
    run = json.dumps([settings, topics, terms, documents]).encode()
    digest = hashlib.sha256(run).hexdigest()[:16]
    path = Path(args.checkpoint_dir) / f"lda-{topics}-{digest}.npy"
    if path.is_file():
        print(f"{topics} topics: taken from the checkpoint {path.name}", flush=True)
        return np.load(path, allow_pickle=False)
    weights = fit(documents, terms, topics, **settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Complete or not there: a kill may come at any moment.
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    with open(unfinished, "wb") as file:
        np.save(file, weights, allow_pickle=False)
    unfinished.replace(path)
    return weights


def write_table(folder: Path, top: list[list[str]]) -> Path:
    """topics.csv: a name from each topic's first words, for a person to replace; no queue."""
    path = folder / TABLE_NAME
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(TABLE_COLUMNS)
        for number, found in enumerate(top):
            table.writerow([number, f"{number} " + " ".join(found[:3]), "", " ".join(found)])
    return path


def representative(
    model: TopicModel, texts: list[str], lemmas: list[list[str]], count: int
) -> list[dict]:
    """Per topic its top words, share of all texts, and the texts most of it, without handles,
    links, addresses and numbers of phones and cards."""
    shares = model.shares(lemmas)
    # Of texts all about one topic, those with more of its words say more of it.
    known = set(model.terms)
    weight = shares * np.log1p([[len(known.intersection(found))] for found in lemmas])
    topics = []
    for row, found in zip(model.table, model.top_words(TOP_WORDS), strict=True):
        chosen: list[str] = []
        for at in np.argsort(-weight[:, row.topic], kind="stable")[: count * 4]:
            text = " ".join(anonymous(texts[at]).split())
            if text not in chosen and len(chosen) < count:
                chosen.append(text)
        share = round(float(shares[:, row.topic].mean()), 4)
        topics.append({"topic": row.topic, "share": share, "top_words": found, "texts": chosen})
    return topics


def main(argv: list[str] | None = None) -> None:
    """Reads the channels, trains, writes the model, its table and its figures."""
    args = arguments(argv)
    start = time.monotonic()
    split = read_split(args, "topics")
    train = [row.text for row in split.train]
    lemmas = lemma_lists(train)
    validation = lemma_lists([row.text for row in split.validation])
    terms = vocabulary(lemmas, min_df=args.min_df, max_df=args.max_df, max_terms=args.max_terms)
    if not terms:
        expected = f"lemmas in {args.min_df} texts or more and {args.max_df} of all or less"
        raise LabelledDataError(args.train, None, expected, f"none in {len(train)} texts")
    known = set(terms)
    documents = [[lemma for lemma in found if lemma in known] for found in lemmas]
    print(f"training on {len(train):,} texts, {len(terms):,} lemmas", flush=True)

    weights, found = choose(documents, terms, validation, args)
    folder = Path(args.model_dir)
    document = {
        "format": FORMAT,
        "name": NAME,
        "version": args.version,
        "terms": terms,
        "weights": weights[:, :-1].astype(int).tolist(),
        "topic_prior": weights[:, -1].tolist(),
        "word_prior": args.word_prior,
        "trained": {
            "data": args.data_name,
            "texts": len(train),
            "coherence": {str(topics): value for topics, value in found.items()},
            "iterations": args.iterations,
            "seed": args.seed,
        },
    }
    path = write_gzipped(folder / FILE_NAME, to_bytes(document))
    write_table(folder, top_words(weights, terms))
    model = load_topic_model(folder)
    print(f"{len(weights)} topics, {path.stat().st_size:,} bytes, model {model.id}", flush=True)
    figures = topic_figures(model, validation, data=split.measured_on)
    write_metrics(args, model.id, [figures])
    write_json(args.output_data_dir, "coherence.json", document["trained"]["coherence"])
    write_json(
        args.output_data_dir, "topics.json", representative(model, train, lemmas, args.examples)
    )
    print(f"trained in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"train_lda: {error}")
