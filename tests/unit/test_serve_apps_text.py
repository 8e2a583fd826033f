"""Sentences to translate: made up by the grammar, read from a file, and as numbers."""

import json

import numpy as np
import pytest

from serve_apps.datasets.grammar import VERBS, sentences, source_words, target_words
from serve_apps.datasets.text import made_up_lines, read_lines
from serve_apps.payloads import COUNT
from serve_apps.payloads import sentences as requests
from serve_apps.vocabulary import END, PAD, RESERVED, UNKNOWN, source_numbers, target_numbers, words_of, written

SENTENCES = sentences(3000, seed=5)


def test_a_sentence_and_its_translation_are_made_of_the_words_that_are_known():
    assert {word for english, _ in SENTENCES for word in english} == set(source_words())
    assert {word for _, german in SENTENCES for word in german} == set(target_words())


def test_articles_agree_with_the_noun_and_a_verb_after_because_stands_last():
    pairs = {" ".join(english): " ".join(german) for english, german in sentences(30_000, seed=1)}
    assert pairs["the dog sees the dog ."] == "der Hund sieht den Hund ."
    clauses = {part for german in pairs.values() for part in german.removesuffix(" .").split(" , ")}
    assert "weil die Katze den Brief hört" in clauses
    assert {clause.split()[-1] for clause in clauses if clause.startswith("weil")} == set(VERBS.values())


def test_most_sentences_are_short_and_few_are_long_as_in_text():
    lengths = np.array([len(english) for english, _ in SENTENCES])
    middle, mean, long = np.median(lengths), lengths.mean(), np.percentile(lengths, 99)
    assert 8 < middle < mean < 25
    assert 2.5 * mean < long < 100


def test_the_seed_decides():
    assert made_up_lines(20, 1) == made_up_lines(20, 1) != made_up_lines(20, 2)


WORDS = {
    "marks are words": ("The dog, the cat.", ["the", "dog", ",", "the", "cat", "."]),
    "marks that are spaced out": ("the dog , the cat .", ["the", "dog", ",", "the", "cat", "."]),
    "any language": ("Größe 5 – ça va?", ["größe", "5", "–", "ça", "va", "?"]),
    "nothing": (" \t", []),
}


@pytest.mark.parametrize(("text", "words"), WORDS.values(), ids=WORDS)
def test_a_text_is_cut_into_words(text, words):
    assert words_of(text) == words


def test_numbers_stand_for_words_and_one_for_all_that_are_new():
    the, dog, new, mark = source_numbers("The dog quarks .")
    assert len({the, dog, mark}) == 3
    assert min(the, dog, mark) >= RESERVED
    assert new == UNKNOWN


def test_a_translation_is_written_up_to_its_end_with_marks_at_their_words():
    numbers = target_numbers(["der", "Hund", ",", "und", "."])
    assert written([*numbers, END, PAD, *numbers]) == "der Hund, und."
    assert written([*numbers, UNKNOWN]) == "der Hund, und. ?"


def test_lines_of_a_file_are_sentences_but_for_those_without_words_and_too_long_ones(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffFirst line.\r\n\r\n  Zweite Größe \na b c d e f\n".encode())
    assert read_lines(tmp_path / "a.txt", longest=5) == ["First line.", "Zweite Größe"]


BAD_FILES = {
    "no text": (b"\xff\xfe\x00x", "is no text in UTF-8"),
    "no line": (b"\n \n", "has no line of 1 to 5 words"),
    "too long": (b"a b c d e f", "has no line of 1 to 5 words"),
}


@pytest.mark.parametrize(("raw", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_without_sentences_is_named(raw, words, tmp_path):
    (tmp_path / "a.txt").write_bytes(raw)
    with pytest.raises(ValueError, match=f"a.txt {words}"):
        read_lines(tmp_path / "a.txt", longest=5)


def test_a_directory_is_no_file_of_sentences(tmp_path):
    with pytest.raises(ValueError, match="is no file: sentences come from a plain-text file"):
        read_lines(tmp_path, longest=5)


def texts(payload):
    (entry,) = json.loads(payload["body"])["inputs"]
    assert entry["shape"] == [len(entry["data"])]
    return entry["data"]


@pytest.mark.parametrize("items", [1, 8])
def test_a_request_holds_as_many_sentences_as_are_asked_for(items):
    payloads = requests(seed=3, items_per_request=items)
    assert [len(texts(payload)) for payload in payloads] == [items] * COUNT
    assert requests(seed=3, items_per_request=items) == payloads != requests(seed=4, items_per_request=items)


def test_the_lines_of_a_file_are_sent_equally_often(tmp_path):
    (tmp_path / "lines.txt").write_text("one\ntwo\nthree\nfour\n")
    sent = [
        text
        for payload in requests(seed=0, items_per_request=2, data=tmp_path / "lines.txt")
        for text in texts(payload)
    ]
    assert {line: sent.count(line) for line in sent} == dict.fromkeys(["one", "two", "three", "four"], 2 * COUNT / 4)
