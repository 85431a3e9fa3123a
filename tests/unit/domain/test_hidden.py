"""Nothing that masking or a pseudonym left becomes a name."""

from __future__ import annotations

from voxlake.ids import Pseudonymiser
from voxlake.text.clean import clean_text
from voxlake.text.hidden import blanked, without_hidden

PSEUDONYMISER = Pseudonymiser("k1", b"0123456789abcdef")
WHO = PSEUDONYMISER.pseudonym("x", "ann")


def spans(text: str, *found: str) -> list[dict]:
    return [
        {"text": one, "label": "PER", "start": text.index(one), "end": text.index(one) + len(one)}
        for one in found
    ]


def test_names_stay_and_what_touches_a_pseudonym_or_mask_goes():
    text = f"Ann met @{WHO} and <email>, Bob"
    given = spans(text, "Ann", WHO, f"@{WHO}", "k1", WHO[3:], f"met @{WHO}", "email", "Bob")
    assert without_hidden(text, given) == spans(text, "Ann", "Bob")


def test_a_handle_in_a_link_is_hidden_too():
    text = f"see x.com/{WHO} by Ann"
    assert without_hidden(text, spans(text, WHO, "Ann")) == spans(text, "Ann")


def test_words_that_only_look_like_masks_stay():
    text = "Card by Phone, k1_ and a_1234"
    given = spans(text, "Card", "Phone", "k1_", "a_1234")
    assert without_hidden(text, given) == given


def test_whatever_cleaning_hides_is_blanked():
    original = "@ann wrote to ann@example.com, +1 703 464 0200, 4111 1111 1111 1111 @united"
    text = clean_text(original, "x", PSEUDONYMISER, frozenset({"united"}))
    shown = blanked(text)
    assert len(shown) == len(text)
    assert shown.split() == ["wrote", "to", ",", ",", "@united"]
