"""Masks of numbers that need more than one pattern."""

import pytest

from voxlake.text.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("order 1472 4111 1111 1111 1111", "order 1472 <card>"),
        ("2015 2015 2015 2015 4111 1111 1111 1111 7", "2015 2015 2015 2015 <card> 7"),
        ("4111111111111111 4111-1111-1111-1111", "<card> <card>"),
    ],
)
def test_a_card_is_masked_wherever_in_a_row_of_digit_groups_it_begins(text, masked):
    assert mask(text) == masked
