"""Trains the bigram language model: counts of words and of pairs of words, smoothed by nltk.lm.

Runs under SageMaker's training contract (voxlake.training.contract): channels of JSON lines with
"text"; labels are not read. The smoothing with the lowest perplexity on the validation texts is
stored with the counts as JSON.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    # In a checkout; in a training container the voxlake package lies beside this file.
    sys.path.insert(0, str(checkout.parent))

from voxlake.errors import VoxlakeError
from voxlake.scoring.bigram import (
    END,
    FILE_NAME,
    FORMAT,
    NAME,
    START,
    BigramModel,
    count_words,
    lm_tokens,
    load_bigram,
)
from voxlake.scoring.json_file import to_bytes, write_gzipped
from voxlake.scoring.metrics import one_figure
from voxlake.training.contract import contract_parser, parse, read_split, write_json, write_metrics

TRIED = (
    ("lidstone", 1.0),
    ("lidstone", 0.01),
    ("witten_bell", None),
    ("absolute_discounting", 0.75),
    ("kneser_ney", 0.6),
    ("kneser_ney", 0.75),
    ("kneser_ney", 0.9),
)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Hyperparameters, and the contract's folders."""
    parser = contract_parser(__doc__, os.environ)
    parser.add_argument("--min-count", type=int, default=2, help="rarer words are one: unknown")
    return parse(parser, argv)


def numbered(unigrams: dict[str, int], bigrams: dict[str, dict[str, int]]) -> dict:
    """words, unigrams and bigrams of the model's file."""
    words = sorted({*unigrams, *bigrams, START, END})
    at = {word: number for number, word in enumerate(words)}
    return {
        "words": words,
        "unigrams": [unigrams.get(word, 0) for word in words],
        "bigrams": {
            str(at[first]): [
                number
                for pair in sorted((at[word], count) for word, count in bigrams[first].items())
                for number in pair
            ]
            for first in sorted(bigrams)
        },
    }


def main(argv: list[str] | None = None) -> None:
    """Reads the channels, counts, chooses the smoothing, writes the model and its metrics."""
    args = arguments(argv)
    start = time.monotonic()
    split = read_split(args, "next_word")
    unigrams, bigrams = count_words(
        (lm_tokens(row.text) for row in split.train), min_count=args.min_count
    )
    pairs = sum(len(found) for found in bigrams.values())
    print(f"{len(split.train):,} texts, {len(unigrams):,} words, {pairs:,} pairs", flush=True)
    document = {
        "format": FORMAT,
        "name": NAME,
        "version": args.version,
        "smoothing": "kneser_ney",
        "discount": 0.75,
        **numbered(unigrams, bigrams),
        "trained": {
            "data": args.data_name,
            "texts": len(split.train),
            "min_count": args.min_count,
        },
    }
    validation = [row.text for row in split.validation]
    tried = []
    for smoothing, discount in TRIED if validation else ():
        document |= {"smoothing": smoothing, "discount": discount}
        perplexity = round(BigramModel(document).perplexity(validation), 4)
        tried.append({"smoothing": smoothing, "discount": discount, "perplexity": perplexity})
        print(
            f"tried smoothing={smoothing} discount={discount} perplexity={perplexity}", flush=True
        )
    if tried:
        best = min(tried, key=lambda one: one["perplexity"])
        document |= {"smoothing": best["smoothing"], "discount": best["discount"]}
        write_json(args.output_data_dir, "smoothing.json", tried)
    path = write_gzipped(Path(args.model_dir) / FILE_NAME, to_bytes(document))

    model = load_bigram(args.model_dir)
    print(f"{path.stat().st_size:,} bytes, model {model.id}", flush=True)
    sets = []
    if validation:
        found = model.surprise(validation)
        tokens = sum(count for _, count in found)
        perplexity = 2.0 ** (sum(bits for bits, _ in found) / max(tokens, 1))
        sets.append(
            one_figure(
                "next_word",
                "perplexity",
                perplexity,
                n=len(validation),
                data=split.measured_on,
                model=model.id,
                tokens=tokens,
            )
        )
    write_metrics(args, model.id, sets)
    print(f"trained in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"train_bigram: {error}")
