"""The gate's arithmetic and rules."""

import numpy as np
import pytest

from voxlake.scoring.metrics import counts
from voxlake.scoring.promotion import Decision, GateSet, Head, Limits, decide
from voxlake.scoring.significance import Difference, paired_difference

LABELS = ("negative", "neutral", "positive")
TRUTH = [LABELS[number % 3] for number in range(300)]
FAIR = {"sets": [{"data": "mine-train", "use": "train", "rows": 9, "gate_sha256": "other"}]}
LATENCY = {"candidate": 2.0, "best": 2.0}


def rows(share_right: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    guesses = [t if rng.random() < share_right else "neutral" for t in TRUTH]
    return counts("sentiment", list(zip(TRUTH, guesses, strict=True)), LABELS)


def head(task="sentiment", gain=0.02, low=0.01, high=0.03, sha256="gate-1") -> Head:
    difference = Difference("figure", 100, 0.7 + gain, 0.7, gain, low, high)
    return Head(GateSet(f"{task}-gate", task, 100, sha256), difference)


def decided(*heads: Head, provenance=FAIR, latency=LATENCY) -> Decision:
    return decide("new", "old", heads, latency, provenance=provenance)


def test_a_real_difference_stands_out_of_the_noise_and_the_seed_decides_the_interval():
    good, poor = rows(0.9, seed=1), rows(0.7, seed=2)
    found = paired_difference("sentiment", good, poor)
    assert found.figure == "macro_recall"
    assert found.n == 300
    assert 0 < found.low < found.gain < found.high
    assert found == paired_difference("sentiment", good, poor)
    other_seed = paired_difference("sentiment", good, poor, seed=1)
    assert other_seed.gain == found.gain
    assert other_seed.low == pytest.approx(found.low, abs=0.01)


def test_the_same_model_gains_nothing_and_pairing_narrows_the_interval():
    one = rows(0.8, seed=3)
    assert paired_difference("sentiment", one, one)[4:] == (0.0, 0.0, 0.0)
    # Better on ten texts and alike on the others: less noise than between strangers.
    alike = one.copy()
    wrong = [at for at in range(300) if TRUTH[at] == "positive" and not one[at, 8]][:10]
    alike[wrong] = counts("sentiment", [("positive", "positive")], LABELS)
    found = paired_difference("sentiment", alike, one)
    stranger = paired_difference("sentiment", rows(0.83, seed=4), one)
    assert found.high - found.low < (stranger.high - stranger.low) / 2


def test_lower_perplexity_is_a_gain():
    better, worse = (counts("next_word", [(bits, 2)] * 50, ()) for bits in (8.0, 10.0))
    found = paired_difference("next_word", better, worse)
    assert (found.candidate, found.best, found.gain) == (16.0, 32.0, 16.0)
    assert found.low > 0


def test_the_same_texts_are_compared():
    with pytest.raises(ValueError, match="expected the same texts for both models, found 300 and"):
        paired_difference("sentiment", rows(0.8, 1), rows(0.8, 1)[:10])


def test_a_model_better_by_more_than_the_noise_and_nowhere_worse_is_promoted():
    found = decided(head(), head("emotions", gain=-0.004, low=-0.02, high=0.01))
    assert found.promoted
    assert found.reasons == (
        "sentiment on sentiment-gate: figure 0.7200 beats 0.7000 (gain +0.0200, 95% between "
        "+0.0100 and +0.0300)",
    )
    stored = found.to_dict()
    assert (stored["decision"], stored["model"], stored["against"]) == ("promoted", "new", "old")
    assert [one["guarded"] for one in stored["heads"]] == [False, True]
    assert stored["limits"] == {
        "guarded_loss": 0.005, "latency_ratio": 1.25, "latency_slack_ms": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("heads", "latency", "reason"),
    [
        ([head(gain=0.01, low=-0.002, high=0.02)], LATENCY, "does not beat 0.7000 by more than"),
        # Worse by more than half a point, though it may be chance.
        (
            [head(), head("emotions", gain=-0.01, low=-0.03, high=0.01)],
            LATENCY,
            "emotions on emotions-gate is guarded and got worse: figure 0.6900 against 0.7000",
        ),
        # Worse by less, but surely.
        (
            [head(), head("entities", gain=-0.004, low=-0.006, high=-0.002)],
            LATENCY,
            "entities on entities-gate is guarded and got worse",
        ),
        (
            [head()],
            {"candidate": 3.01, "best": 2.0},
            "latency: 3.01 ms a text, expected at most 3.00 ms",
        ),
    ],
)
def test_a_model_is_refused_for_noise_for_a_worse_head_and_for_time(heads, latency, reason):
    found = decided(*heads, latency=latency)
    assert not found.promoted
    [said] = found.reasons
    assert reason in said


@pytest.mark.parametrize("use", ["train", "tune"])
def test_a_model_that_saw_the_gates_split_is_refused(use):
    saw = {"sets": [{"data": "x", "use": use, "rows": 1, "gate_sha256": "gate-1"}]}
    found = decided(head(), provenance=saw)
    assert found.reasons == (f"sentiment-gate: the gate's texts were used to {use} the model (x)",)
    # The other half of the same set was fair to use.
    half = {"sets": [{"data": "x", "use": use, "rows": 1, "gate_sha256": ""}]}
    assert decided(head(), provenance=half).promoted


@pytest.mark.parametrize("provenance", [None, {}])
def test_a_model_that_does_not_say_what_it_saw_is_refused(provenance):
    [reason] = decided(head(), provenance=provenance).reasons
    assert reason.startswith("the model does not say what data it was trained and tuned on")


def test_the_first_model_has_nothing_to_beat():
    found = decide("new", None, (), {}, provenance=None)
    assert (found.promoted, found.reasons) == (True, ("nothing was in use yet",))


def test_limits_make_sense():
    with pytest.raises(ValueError, match="expected losses of 0 or more"):
        Limits(latency_ratio=0.5)
