"""From a text to its tokens, and from these to the names of a linear model's features.

Three kinds share one vocabulary: a token (`good`), two tokens in a row (`so good`), and the
character n-grams of a word between its borders (`~ goo`), which find misspelt, inflected and
glued words. Names cannot clash: no token holds a space or begins with `~`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from voxlake.scoring.prepare import NEGATED, tokens

# Tokens for feelings: negated words, emoticons, marks, placeholders (voxlake.scoring.prepare).
FEELINGS = "feelings"
# Tokens for subjects: without stop words, as they are or reduced (voxlake.scoring.words).
FORMS = ("word", "stem", "lemma")


@dataclass(frozen=True)
class FeatureSettings:
    """What features a model was trained on; stored in its file.

    tokens: FEELINGS or one of FORMS. word_ngrams: 1 or 2 tokens in a row at most. char_min,
    char_max: lengths of the character n-grams, borders counted; char_max 0 for none.
    """

    word_ngrams: int = 2
    char_min: int = 2
    char_max: int = 5
    tokens: str = FEELINGS

    def __post_init__(self) -> None:
        if self.word_ngrams not in (1, 2) or not 0 <= self.char_max <= 10 or self.char_min < 1:
            raise ValueError(f"expected word_ngrams 1 or 2, lengths of 1 to 10, found {self}")
        if self.tokens not in (FEELINGS, *FORMS):
            raise ValueError(f"expected tokens {FEELINGS} or one of {FORMS}, found {self.tokens}")

    def to_dict(self) -> dict:
        """For a model's file; tokens only when they are not the sentiment model's."""
        settings = asdict(self)
        if self.tokens == FEELINGS:
            del settings["tokens"]
        return settings


def text_tokens(text: str, settings: FeatureSettings) -> list[str]:
    """The tokens of a text that the settings ask for, in order."""
    if settings.tokens == FEELINGS:
        return tokens(text)
    # Here, since stems and lemmas need packages that the sentiment model does without.
    from voxlake.scoring.words import words

    return words(text, settings.tokens)


def features(tokens: list[str], settings: FeatureSettings) -> list[str]:
    """The features of a text, repeated as often as they occur, in no particular order."""
    names = [name for token in tokens for name in token_features(token, settings)]
    if settings.word_ngrams == 2:
        names.extend(map(pair, tokens, tokens[1:]))
    return names


def token_features(token: str, settings: FeatureSettings) -> list[str]:
    """The token and, where it is a word or a hashtag, its character n-grams.

    A negated word has the n-grams of the word itself: the token and the pairs carry the negation.
    """
    names = [token]
    word = token[len(NEGATED) :] if token.startswith(NEGATED) else token
    if settings.char_max and not word.startswith("<"):
        bordered = f" {word} "
        for length in range(settings.char_min, settings.char_max + 1):
            names.extend(
                f"~{bordered[at : at + length]}" for at in range(len(bordered) - length + 1)
            )
    return names


def pair(first: str, second: str) -> str:
    """The name of the feature for two tokens in a row."""
    return f"{first} {second}"
