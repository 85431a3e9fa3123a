"""Trains a linear model: TF-IDF features and a logistic regression, by scikit-learn.

Runs under SageMaker's training contract (voxlake.training.contract), for the task sentiment (rows
with "text" and "label") or complaint_reason ("text" and "negativereason" or "complaint_reason").
With --grid the settings are chosen by cross-validation within the training data (GridSearchCV).
The same data, arguments and seed give the same model file.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    # In a checkout; in a training container the voxlake package lies beside this file.
    sys.path.insert(0, str(checkout.parent))

from voxlake.errors import VoxlakeError
from voxlake.scoring.features import FEELINGS, FORMS, FeatureSettings, features, text_tokens
from voxlake.scoring.metrics import PRIMARY, metrics
from voxlake.scoring.model import LinearModel
from voxlake.scoring.model_file import ModelFile, write_model_file
from voxlake.scoring.prepare import plain_words
from voxlake.training.contract import (
    LabelledText,
    contract_parser,
    flag,
    parse,
    read_split,
    write_json,
    write_metrics,
)

TASKS = ("sentiment", "complaint_reason")
# What --grid tries, each with the others; min_df and the number of features stay as given.
GRID = {
    "sentiment": {"tokens": [FEELINGS], "char_max": [0, 5], "c": [0.3, 1.0, 3.0]},
    "complaint_reason": {
        "tokens": [FEELINGS, "word", "lemma"], "char_max": [0, 5], "c": [0.3, 1.0, 3.0],
    },
}  # fmt: skip
FOLDS = 3
_SCORERS = {"macro_recall": "recall_macro", "macro_f1": "f1_macro"}


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Hyperparameters, and the contract's folders."""
    parser = contract_parser(__doc__, os.environ)
    parser.add_argument("--task", choices=TASKS, default="sentiment")
    parser.add_argument("--c", type=float, default=1.0, help="inverse of the regularisation")
    parser.add_argument("--min-df", type=int, default=3, help="texts a feature must be in")
    parser.add_argument("--max-features", type=int, default=150_000, help="kept at most")
    parser.add_argument("--tokens", choices=(FEELINGS, *FORMS), default=FEELINGS)
    parser.add_argument("--char-max", type=int, default=5, help="longest character n-gram; 0: none")
    parser.add_argument("--decimals", type=int, default=3, help="of weights in the file")
    flag(parser, "--grid", "choose tokens, char-max and c by cross-validation on train")
    return parse(parser, argv)


class TextFeatures(BaseEstimator, TransformerMixin):
    """scikit-learn's face of voxlake.scoring.features: texts to lists of features."""

    def __init__(self, tokens: str = FEELINGS, char_max: int = 5) -> None:
        self.tokens = tokens
        self.char_max = char_max

    def fit(self, texts: list[str], labels: object = None) -> TextFeatures:
        return self

    def transform(self, texts: list[str]) -> list[list[str]]:
        settings = FeatureSettings(tokens=self.tokens, char_max=self.char_max)
        return [features(_tokens(text, self.tokens), settings) for text in texts]


@cache
def _tokens(text: str, kind: str) -> list[str]:
    return text_tokens(text, FeatureSettings(tokens=kind))


def grid_search(
    rows: list[LabelledText], task: str, *, min_df: int, seed: int
) -> tuple[dict, list[dict]]:
    """(the best of GRID: tokens, char_max and c; every setting with its mean and deviation).

    By the task's primary figure over FOLDS stratified folds of the rows: dev is not looked at.
    """
    pipeline = Pipeline(
        [
            ("features", TextFeatures()),
            ("tfidf", TfidfVectorizer(analyzer=list, min_df=min_df, sublinear_tf=True)),
            ("classifier", _classifier(1.0)),
        ]
    )
    names = {"tokens": "features__tokens", "char_max": "features__char_max", "c": "classifier__C"}
    search = GridSearchCV(
        pipeline,
        {names[name]: values for name, values in GRID[task].items()},
        scoring=_SCORERS[PRIMARY[task]],
        cv=StratifiedKFold(FOLDS, shuffle=True, random_state=seed),
        refit=False,
        error_score="raise",
    ).fit([row.text for row in rows], [row.label for row in rows])
    tried = [
        {
            **{name: setting[path] for name, path in names.items()},
            PRIMARY[task]: round(float(mean), 4),
            "deviation": round(float(deviation), 4),
        }
        for setting, mean, deviation in zip(
            search.cv_results_["params"],
            search.cv_results_["mean_test_score"],
            search.cv_results_["std_test_score"],
            strict=True,
        )
    ]
    best = tried[search.best_index_]
    return {name: best[name] for name in names}, tried


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
    found = [features(text_tokens(row.text, settings), settings) for row in rows]
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
    task: str,
    labels: tuple[str, ...],
    version: str,
    trained: dict,
    decimals: int,
) -> ModelFile:
    """The fitted model with its numbers rounded to `decimals` places, terms in sorted order."""
    terms = vectoriser.get_feature_names_out().tolist()
    order = sorted(range(len(terms)), key=terms.__getitem__)
    coefficients, intercept = classifier.coef_, classifier.intercept_
    if len(labels) == 2:
        # Of two classes scikit-learn keeps the second one's weights; the softmax takes both.
        coefficients, intercept = np.vstack([-coefficients, coefficients]) / 2, [
            -intercept[0] / 2, intercept[0] / 2,
        ]  # fmt: skip
    row = classifier.classes_.tolist().index
    return ModelFile(
        name=f"{task}-logreg",
        version=version,
        settings=settings,
        intercept=[round(float(intercept[row(label)]), decimals) for label in labels],
        no_evidence=_no_evidence(task, trained["labels"]),
        terms=[terms[at] for at in order],
        idf=[round(float(vectoriser.idf_[at]), decimals) for at in order],
        weights=[
            [round(float(coefficients[row(label)][at]), decimals) for at in order]
            for label in labels
        ],
        trained=trained,
        task=task,
        labels=labels,
    )


def _no_evidence(task: str, counts: dict[str, int]) -> list[float]:
    """The labels' shares; for sentiment without a side, however the training data leans."""
    total = sum(counts.values())
    if task != "sentiment":
        return [round(count / total, 4) for count in counts.values()]
    neutral = round(counts["neutral"] / total, 4)
    other = round((1 - neutral) / 2, 4)
    return [other, neutral, other] if neutral > other else [0.3, 0.4, 0.3]


def main(argv: list[str] | None = None) -> None:
    """Reads the channels, trains, writes the model and its metrics, prints both in short."""
    args = arguments(argv)
    start = time.monotonic()
    split = read_split(args, args.task)
    train = split.train
    if args.task == "complaint_reason":
        train = [row._replace(text=plain_words(row.text)) for row in train]
    counted = Counter(row.label for row in train)
    counts = {label: counted[label] for label in split.labels}
    print(f"training on {len(train):,} texts: {counts}", flush=True)

    chosen = {"tokens": args.tokens, "char_max": args.char_max, "c": args.c}
    if args.grid:
        chosen, tried = grid_search(train, args.task, min_df=args.min_df, seed=args.seed)
        write_json(args.output_data_dir, "grid.json", tried)
        for setting in tried:
            print(f"tried {setting}", flush=True)
        print(f"chosen {chosen}", flush=True)
    settings = FeatureSettings(tokens=chosen["tokens"], char_max=chosen["char_max"])
    vectoriser, classifier = fit(
        train, settings, c=chosen["c"], min_df=args.min_df, max_features=args.max_features
    )
    trained = {
        "data": args.data_name,
        "texts": len(train),
        "labels": counts,
        "c": chosen["c"],
        "min_df": args.min_df,
        "max_features": args.max_features,
        "seed": args.seed,
    }
    file = to_model_file(
        vectoriser,
        classifier,
        settings,
        task=args.task,
        labels=split.labels,
        version=args.version,
        trained=trained,
        decimals=args.decimals,
    )
    path = write_model_file(file, args.model_dir)
    print(f"{len(file.terms):,} features, {path.stat().st_size:,} bytes, model {file.model_id}")

    # Measured as it will be used: from the file's rounded numbers, without scikit-learn.
    sets = []
    if split.validation:
        predicted = LinearModel(file).predict([row.text for row in split.validation])
        figures = metrics(
            [row.label for row in split.validation],
            predicted,
            data=split.measured_on,
            model=file.model_id,
            labels=split.labels,
            task=args.task,
        )
        sets.append(figures)
        print(f"macro F1 {figures['macro_f1']:.4f}, accuracy {figures['accuracy']:.4f}")
    write_metrics(args, file.model_id, sets)
    print(f"trained in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"train_logreg: {error}")
