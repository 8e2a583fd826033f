"""Sentences made up by a small grammar, English with their German translation.

Articles agree with the noun's gender and case, and the verb of a clause with "because" goes to its end, so that a
translation is more than a row of words. The number of clauses is log-normal, as the lengths of sentences are in text
that people write (C. B. Williams, A note on the statistical analysis of sentence-length, Biometrika 31, 1940).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

NOUNS = {
    "dog": ("Hund", "m"),
    "table": ("Tisch", "m"),
    "teacher": ("Lehrer", "m"),
    "train": ("Zug", "m"),
    "letter": ("Brief", "m"),
    "cat": ("Katze", "f"),
    "woman": ("Frau", "f"),
    "street": ("Straße", "f"),
    "city": ("Stadt", "f"),
    "lamp": ("Lampe", "f"),
    "child": ("Kind", "n"),
    "house": ("Haus", "n"),
    "book": ("Buch", "n"),
    "window": ("Fenster", "n"),
    "picture": ("Bild", "n"),
}
VERBS = {
    "sees": "sieht",
    "finds": "findet",
    "likes": "mag",
    "knows": "kennt",
    "buys": "kauft",
    "paints": "malt",
    "hears": "hört",
    "needs": "braucht",
}
ADJECTIVES = {"old": "alt", "small": "klein", "green": "grün", "new": "neu", "quiet": "still"}
_ARTICLES = {("m", "subject"): "der", ("m", "object"): "den", "f": "die", "n": "das"}
_ENDINGS = {("m", "subject"): "e", ("m", "object"): "en", "f": "e", "n": "e"}

CLAUSES, SPREAD = 1.8, 0.6
"""Median of the number of clauses, and the standard deviation of its logarithm."""

MOST_CLAUSES = 8
ADJECTIVE = 0.4

Pair = tuple[list[str], list[str]]
"""The words of a sentence and of its translation."""


def sentences(count: int, seed: int) -> list[Pair]:
    """So many sentences; the same seed gives the same ones."""
    rng = np.random.default_rng(seed)
    return [_sentence(rng) for _ in range(count)]


def source_words() -> list[str]:
    """Every English word, in a fixed order."""
    return ["the", *NOUNS, *VERBS, *ADJECTIVES, "and", "because", ",", "."]


def target_words() -> list[str]:
    """Every German word, in a fixed order."""
    adjectives = [f"{stem}{ending}" for stem in ADJECTIVES.values() for ending in ("e", "en")]
    nouns = [noun for noun, _ in NOUNS.values()]
    return ["der", "den", "die", "das", *nouns, *VERBS.values(), *adjectives, "und", "weil", ",", "."]


def _sentence(rng: Generator) -> Pair:
    english, german = _clause(rng, verb_last=False)
    clauses = round(float(rng.lognormal(np.log(CLAUSES), SPREAD)))
    for _ in range(min(clauses, MOST_CLAUSES) - 1):
        because = bool(rng.random() < 0.5)
        more_english, more_german = _clause(rng, verb_last=because)
        english += [",", "because" if because else "and", *more_english]
        german += [",", "weil" if because else "und", *more_german]
    return [*english, "."], [*german, "."]


def _clause(rng: Generator, verb_last: bool) -> Pair:
    subject, verb, thing = _phrase(rng, "subject"), _pick(rng, VERBS), _phrase(rng, "object")
    english = [*subject[0], verb, *thing[0]]
    rest = [*thing[1], VERBS[verb]] if verb_last else [VERBS[verb], *thing[1]]
    return english, [*subject[1], *rest]


def _phrase(rng: Generator, case: str) -> Pair:
    noun = _pick(rng, NOUNS)
    german, gender = NOUNS[noun]
    english_words, german_words = ["the"], [_agreeing(_ARTICLES, gender, case)]
    if rng.random() < ADJECTIVE:
        adjective = _pick(rng, ADJECTIVES)
        english_words.append(adjective)
        german_words.append(ADJECTIVES[adjective] + _agreeing(_ENDINGS, gender, case))
    return [*english_words, noun], [*german_words, german]


def _agreeing(forms: dict, gender: str, case: str) -> str:
    return forms[gender, case] if gender == "m" else forms[gender]


def _pick(rng: Generator, words: dict) -> str:
    return list(words)[rng.integers(len(words))]
