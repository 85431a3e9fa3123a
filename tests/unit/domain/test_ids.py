from __future__ import annotations

import hashlib
import hmac

import pytest

from voxlake.ids import Pseudonymiser, PseudonymKeyError

KEY = b"0123456789abcdef" * 4


def test_a_pseudonym_is_the_keyed_hash_of_source_and_identity(pseudonymiser):
    expected = hmac.new(KEY, b"x:jo_1", hashlib.sha256).hexdigest()[:24]
    assert pseudonymiser.pseudonym("x", "jo_1") == f"k1_{expected}"


def test_an_at_sign_and_letter_case_do_not_matter_but_source_and_key_do(pseudonymiser):
    jo = pseudonymiser.pseudonym("x", "jo")
    assert pseudonymiser.pseudonym("x", "@JO") == jo
    other_key = Pseudonymiser("k1", KEY[::-1] + b"z")
    others = {pseudonymiser.pseudonym("mock", "jo"), other_key.pseudonym("x", "jo")}
    assert len(others | {jo}) == 3


@pytest.mark.parametrize(("key_id", "key"), [("k_1", KEY), ("", KEY), ("k1", b"short")])
def test_an_unusable_key_is_refused(key_id, key):
    with pytest.raises(PseudonymKeyError):
        Pseudonymiser(key_id, key)


def test_the_secret_is_read_as_its_template_writes_it():
    made = Pseudonymiser.from_secret({"key_id": "k1", "key": KEY.decode()})
    assert made.pseudonym("x", "jo") == Pseudonymiser("k1", KEY).pseudonym("x", "jo")
    with pytest.raises(PseudonymKeyError, match="key_id"):
        Pseudonymiser.from_secret({"key": KEY.decode()})
