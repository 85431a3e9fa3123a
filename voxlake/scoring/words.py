"""From a text to the words that classic models see: clean, tokenise, drop stop words, reduce.

The same steps as the `text_features` table, so a model trained here fits its columns.
"""

from __future__ import annotations

from voxlake.text.masking import mask
from voxlake.text.normalise import normalise
from voxlake.text.tokens import lemma, remove_stop_words, stem, tokenise

_REDUCE = {"word": str, "stem": stem, "lemma": lemma}


def clean(text: str) -> str:
    """The text normalised (entities, NFKC, white space) and masked (addresses, phones, cards)."""
    return mask(normalise(text))


def words(text: str, form: str = "lemma") -> list[str]:
    """The words of a text without stop words, in order, each as `form`: word, stem or lemma.

    Links, handles, numbers and punctuation are left out; hashtags, emoticons and emoji stay.
    Raises KeyError for another form.
    """
    reduce = _REDUCE[form]
    return [reduce(token) for token in remove_stop_words(tokenise(clean(text)))]
