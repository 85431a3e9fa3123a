"""Word clouds as inline SVG."""

from __future__ import annotations

import re

# Readable on the light and the dark page alike.
COLOURS = {
    "negative": ("#c2553a", "#d0714f", "#b5654a"),
    "neutral": ("#7a7f87", "#8b9098", "#6f7680"),
    "positive": ("#2f86b5", "#4a98c2", "#3f7fa3"),
}


def cloud(sentiment: str, words: list[tuple[str, int]]) -> str:
    """An SVG of the words sized by their texts; empty when there are none. Same words, same SVG."""
    if not words:
        return ""
    from wordcloud import WordCloud

    shades = COLOURS[sentiment]
    drawn = WordCloud(
        width=600,
        height=380,
        background_color=None,
        mode="RGBA",
        prefer_horizontal=1.0,
        relative_scaling=0.45,
        max_font_size=84,
        min_font_size=11,
        margin=3,
        random_state=7,
        color_func=lambda word, **_: shades[sum(map(ord, word)) % len(shades)],
    ).generate_from_frequencies(dict(words))
    # The font is not embedded: any monospaced one has the widths that the layout counted with.
    svg = re.sub(r"font-family:'[^']*'", "font-family:monospace", drawn.to_svg())
    # Without a fixed size the page scales it.
    sized, scaled = r'<svg ([^>]*?)width="(\d+)" height="(\d+)"', r'<svg \1viewBox="0 0 \2 \3"'
    return re.sub(sized, scaled, svg, count=1)
