"""The leaderboard page."""

import json

import pytest

from tests.test_sagemaker.conftest import generated_rows, load_script, write_rows


@pytest.fixture
def leaderboard():
    return load_script("sagemaker/evaluation/leaderboard.py")


def figures(model, value, data="tweeteval_sentiment-dev"):
    return {
        "data": data, "task": "sentiment", "model": model, "n": 2000, "primary": "macro_recall",
        "macro_recall": value, "macro_f1": 0.6, "accuracy": 0.65,
    }  # fmt: skip


def test_models_stand_best_first_with_their_spread_beside_what_is_published(leaderboard):
    cost = {"size_mb": 1.2, "texts_s": 1500, "p50_ms": 0.6, "p99_ms": 1.4, "cold_start_s": 0.3}
    part = leaderboard.tables(
        [figures("poor-1", 0.6), figures("good-1", 0.7)],
        {"good-1": {"tweeteval_sentiment-dev": [0.69, 0.70, 0.71]}},
        {"good-1": cost},
    )
    lines = part.splitlines()
    assert lines[:5] == [
        "### sentiment",
        "",
        "| set | model | texts | macro_recall | macro_f1 | accuracy | three seeds |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| tweeteval_sentiment-dev | good-1 | 2,000 | 0.7000 | 0.6000 | 0.6500 | 0.7000 ± 0.0100 |",
    ]
    assert lines[5].startswith("| tweeteval_sentiment-dev | poor-1 | 2,000 | 0.6000 |")
    assert "| tweeteval_sentiment, test | *RoBERTa-base* |  | 0.713 |  |  |  |" in lines
    assert any("published" in line and "TweetEval" in line for line in lines)
    assert lines[-1] == "| good-1 | 1.2 | 1,500 | 0.6 | 1.4 | 0.3 |"


def test_only_what_stands_between_the_marks_is_written(leaderboard):
    page = f"# Models\n\n{leaderboard.BEGIN}\nold\n{leaderboard.END}\n\nby hand\n"
    written = leaderboard.written(page, "new\n")
    assert written == f"# Models\n\n{leaderboard.BEGIN}\n\nnew\n\n{leaderboard.END}\n\nby hand\n"
    assert leaderboard.written(written, "new\n") == written
    with pytest.raises(leaderboard.LeaderboardError, match="expected the lines"):
        leaderboard.written("no marks", "new")


def test_the_projects_page_has_the_marks(leaderboard):
    assert leaderboard.written(leaderboard.PAGE.read_text(), "") != ""


def test_a_real_model_is_measured_and_its_metrics_written(
    leaderboard, trained, tmp_path, monkeypatch
):
    models = tmp_path / "models"
    models.mkdir()
    (models / "mine").symlink_to(trained / "model")
    data = write_rows(tmp_path / "data" / "airline" / "dev.jsonl", generated_rows(60, seed=5))
    monkeypatch.setenv("VOXLAKE_DATA", str(data.parents[1]))
    page = tmp_path / "page.md"
    page.write_text(f"{leaderboard.BEGIN}\n{leaderboard.END}\n")

    leaderboard.main(["--models", str(models), "--page", str(page)])

    document = json.loads((trained / "model" / "metrics.json").read_text())
    [found] = document["sets"]
    assert (found["data"], found["task"], found["n"]) == ("airline-dev", "sentiment", 60)
    [row] = [line for line in page.read_text().splitlines() if line.startswith("| airline-dev")]
    assert f"| {document['model']} | 60 | {found['macro_recall']:.4f} |" in row
    [cost] = [line for line in page.read_text().splitlines() if line.startswith("| sentiment-")]
    assert cost.count("|") == 7
    (trained / "model" / "metrics.json").unlink()
