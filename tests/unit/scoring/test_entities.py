"""From word pieces' labels to entities of the text given."""

import pytest

from tests.unit.scoring.kit import write_encoder
from voxlake.scoring import load_model

PSEUDONYM = "k1_0123456789abcdef01234567"


@pytest.fixture(scope="module")
def entities(tmp_path_factory):
    model = load_model(write_encoder(tmp_path_factory.mktemp("encoder")))

    def of(text):
        [score] = model.score_texts([text], ("entities",))
        for entity in score["entities"]:
            assert entity["text"] == text[entity["start"] : entity["end"]]
        return [(entity["text"], entity["label"]) for entity in score["entities"]]

    return of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in Paris and in Paris", [("Paris", "LOC"), ("Paris", "LOC")]),
        ("Paris Ana", [("Paris", "LOC"), ("Ana", "PER")]),
        ("Ana Ana Lee", [("Ana", "PER"), ("Ana Lee", "PER")]),
        # An I- that continues nothing of its kind opens a span.
        ("in Lee and Paris Bank", [("Lee", "PER"), ("Paris", "LOC"), ("Bank", "ORG")]),
        # A word has its first piece's label.
        ("love Anas", [("Anas", "PER")]),
        ("in Paris", [("Paris", "LOC")]),
        # The preparation's placeholders and the words of emoji are no entities.
        ("in 🏦 Paris", [("Paris", "LOC")]),
        ("in Acme&amp;Bank", [("Acme", "ORG"), ("Bank", "ORG")]),
    ],
)
def test_words_become_spans(entities, text, expected):
    assert entities(text) == expected


def test_offsets_lead_through_links_entities_and_emoji_to_the_text_given(entities):
    text = "and http://a.example/xyz &amp; 😂😂 in   \x00 Ana\u00a0Lee, “Paris”"
    assert entities(text) == [("Ana\u00a0Lee", "PER"), ("Paris", "LOC")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("and @Ana in", [("Ana", "PER")]),
        # All words of a handle are one, of the kind of the first.
        ("and @Ana_Lee_Acme in", [("Ana_Lee_Acme", "PER")]),
        ("and @Acme_x, Ana", [("Acme_x", "ORG"), ("Ana", "PER")]),
        ("Ana @Lee in", [("Ana", "PER"), ("Lee", "PER")]),
        ("and @i_Ana in", []),
        ("and @@Ana @ Ana", [("Ana", "PER"), ("Ana", "PER")]),
        # Who stands behind a pseudonym, or the sets' placeholder, is not named.
        (f"in @{PSEUDONYM} and @USER and", []),
    ],
)
def test_a_handle_is_one_word_without_its_at_sign(entities, text, expected):
    assert entities(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("and #Ana in", [("#Ana", "PER")]),
        # The first word that names somebody tells for all of them.
        ("and #in_Ana_Acme in", [("#in_Ana_Acme", "PER")]),
        ("and #Acme, Ana", [("#Acme", "ORG"), ("Ana", "PER")]),
        ("Ana #Lee in", [("Ana #Lee", "PER")]),
        ("and #in", []),
        ("and # Ana ## Ana", [("Ana", "PER"), ("Ana", "PER")]),
        ("##Ana", [("#Ana", "PER")]),
    ],
)
def test_a_hashtag_is_one_word_with_its_sign(entities, text, expected):
    assert entities(text) == expected
