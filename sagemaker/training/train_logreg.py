"""Trains the sentiment model: TF-IDF features and a logistic regression, by scikit-learn.

Runs under SageMaker's training contract, there and on a laptop: channels in SM_CHANNEL_TRAIN and
(optional) SM_CHANNEL_VALIDATION, each a folder of JSON lines files with "text" and "label"; the
model goes to SM_MODEL_DIR, metrics.json to SM_OUTPUT_DATA_DIR; hyperparameters are arguments.
The same data, arguments and seed give the same model file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    # In a checkout; in a training container the voxlake package lies beside this file.
    sys.path.insert(0, str(checkout.parent))

from voxlake.errors import VoxlakeError
from voxlake.scoring.errors import LabelledDataError
from voxlake.scoring.features import FeatureSettings, features
from voxlake.scoring.labelled import LabelledText, read_labelled
from voxlake.scoring.metrics import metrics
from voxlake.scoring.model import SentimentModel
from voxlake.scoring.model_file import LABELS, ModelFile, write_model_file
from voxlake.scoring.prepare import tokens

# Held out of the training data when there is no validation channel.
HELD_OUT_SHARE = 0.1


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Hyperparameters, and the contract's folders from the environment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    env = os.environ.get
    parser.add_argument("--train", default=env("SM_CHANNEL_TRAIN"), help="folder or file")
    parser.add_argument("--validation", default=env("SM_CHANNEL_VALIDATION"), help="folder or file")
    parser.add_argument("--model-dir", default=env("SM_MODEL_DIR"))
    parser.add_argument("--output-data-dir", default=env("SM_OUTPUT_DATA_DIR"))
    parser.add_argument("--data-name", default="unnamed", help="stored in the model file")
    parser.add_argument("--version", default="1", help="part of the model's id")
    parser.add_argument("--seed", type=int, default=0, help="of the held-out choice")
    parser.add_argument("--c", type=float, default=1.0, help="inverse of the regularisation")
    parser.add_argument("--min-df", type=int, default=3, help="texts a feature must be in")
    parser.add_argument("--max-features", type=int, default=150_000, help="kept at most")
    parser.add_argument("--char-max", type=int, default=5, help="longest character n-gram; 0: none")
    parser.add_argument("--decimals", type=int, default=3, help="of weights in the file")
    args = parser.parse_args(argv)
    for name in ("train", "model_dir"):
        if not getattr(args, name):
            parser.error(f"--{name.replace('_', '-')} or its SM_ variable is required")
    return args


def held_out(rows: list[LabelledText], seed: int) -> tuple[list[LabelledText], list[LabelledText]]:
    """(train, validation): a tenth of each label's distinct texts, chosen by the seed.

    Rows of equal text stay on one side.
    """
    chosen: set[str] = set()
    rng = random.Random(seed)
    for label in LABELS:
        texts = sorted({row.text for row in rows if row.label == label})
        chosen.update(rng.sample(texts, round(len(texts) * HELD_OUT_SHARE)))
    return [r for r in rows if r.text not in chosen], [r for r in rows if r.text in chosen]


def fit(
    rows: list[LabelledText],
    settings: FeatureSettings,
    *,
    c: float = 1.0,
    min_df: int = 1,
    max_features: int | None = None,
) -> tuple[TfidfVectorizer, LogisticRegression]:
    """Fits scikit-learn's own classes; with `max_features`, again on the features that matter most.

    A feature matters by its weights' norm times the norm of its values over all texts: pruning by
    frequency alone would throw away rare strong words.
    """
    found = [features(tokens(row.text), settings) for row in rows]
    labels = [row.label for row in rows]
    vectoriser = TfidfVectorizer(analyzer=list, min_df=min_df, sublinear_tf=True)
    matrix = vectoriser.fit_transform(found)
    classifier = _classifier(c).fit(matrix, labels)
    if max_features and matrix.shape[1] > max_features:
        reach = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
        importance = np.linalg.norm(classifier.coef_, axis=0) * reach
        # A stable sort: ties are broken by the alphabet.
        kept = np.sort(np.argsort(-importance, kind="stable")[:max_features])
        terms = vectoriser.get_feature_names_out()[kept].tolist()
        vectoriser = TfidfVectorizer(analyzer=list, vocabulary=terms, sublinear_tf=True)
        matrix = vectoriser.fit_transform(found)
        classifier = _classifier(c).fit(matrix, labels)
    return vectoriser, classifier


def _classifier(c: float) -> LogisticRegression:
    # Balanced: the measure is macro recall, and the shares of feelings in the training data say
    # nothing of those in the data to be scored.
    return LogisticRegression(C=c, class_weight="balanced", max_iter=300, tol=1e-4)


def to_model_file(
    vectoriser: TfidfVectorizer,
    classifier: LogisticRegression,
    settings: FeatureSettings,
    *,
    version: str,
    trained: dict,
    decimals: int,
) -> ModelFile:
    """The fitted model with its numbers rounded to `decimals` places, terms in sorted order."""
    terms = vectoriser.get_feature_names_out().tolist()
    order = sorted(range(len(terms)), key=terms.__getitem__)
    row = classifier.classes_.tolist().index
    counts = trained["labels"]
    neutral = round(counts["neutral"] / sum(counts.values()), 4)
    other = round((1 - neutral) / 2, 4)
    return ModelFile(
        name="sentiment-logreg",
        version=version,
        settings=settings,
        intercept=[round(float(classifier.intercept_[row(label)]), decimals) for label in LABELS],
        # Knowing nothing, the model takes no side, however the training data leans.
        no_evidence=[other, neutral, other] if neutral > other else [0.3, 0.4, 0.3],
        terms=[terms[at] for at in order],
        idf=[round(float(vectoriser.idf_[at]), decimals) for at in order],
        weights=[
            [round(float(classifier.coef_[row(label)][at]), decimals) for at in order]
            for label in LABELS
        ],
        trained=trained,
    )


def main(argv: list[str] | None = None) -> None:
    """Reads the channels, trains, writes the model and its metrics, prints both in short."""
    args = arguments(argv)
    start = time.monotonic()
    train = read_labelled(args.train)
    if args.validation:
        validation, measured_on = read_labelled(args.validation), f"{args.data_name} validation"
    else:
        train, validation = held_out(train, args.seed)
        measured_on = f"{args.data_name}, a tenth held out"
    counts = Counter(row.label for row in train)
    if set(counts) != set(LABELS):
        found = str(sorted(counts))
        raise LabelledDataError(args.train, None, f"rows of all of {list(LABELS)}", found)
    counts = {label: counts[label] for label in LABELS}
    print(f"training on {len(train):,} texts: {counts}", flush=True)

    settings = FeatureSettings(char_max=args.char_max)
    vectoriser, classifier = fit(
        train, settings, c=args.c, min_df=args.min_df, max_features=args.max_features
    )
    trained = {
        "data": args.data_name,
        "texts": len(train),
        "labels": counts,
        "c": args.c,
        "min_df": args.min_df,
        "max_features": args.max_features,
        "seed": args.seed,
    }
    file = to_model_file(
        vectoriser,
        classifier,
        settings,
        version=args.version,
        trained=trained,
        decimals=args.decimals,
    )
    path = write_model_file(file, args.model_dir)
    print(f"{len(file.terms):,} features, {path.stat().st_size:,} bytes, model {file.model_id}")

    # Measured as it will be used: from the file's rounded numbers, without scikit-learn.
    if validation:
        scores = SentimentModel(file).score_texts([row.text for row in validation])
        figures = metrics(
            [row.label for row in validation],
            [score["sentiment"] for score in scores],
            data=measured_on,
            model=file.model_id,
        )
        if args.output_data_dir:
            folder = Path(args.output_data_dir)
            folder.mkdir(parents=True, exist_ok=True)
            document = {"model": file.model_id, "sets": [figures]}
            (folder / "metrics.json").write_text(json.dumps(document, indent=2) + "\n")
        print(
            f"on {figures['n']:,} texts ({measured_on}): macro recall "
            f"{figures['macro_recall']:.4f}, macro F1 {figures['macro_f1']:.4f}, accuracy "
            f"{figures['accuracy']:.4f}"
        )
    print(f"trained in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"train_logreg: {error}")
