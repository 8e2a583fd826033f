"""A recurrent encoder and decoder with attention, from English to German as the grammar knows them.

Gated recurrent units (K. Cho et al., EMNLP 2014), both ways in the encoder, with multiplicative attention (M.-T. Luong
et al., EMNLP 2015). Exported as two files: the encoder reads a padded batch once, the step writes one word of each
sentence and is called until all of them have ended.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from serve_apps.datasets.grammar import sentences
from serve_apps.nets.part import Part
from serve_apps.vocabulary import END, PAD, SOURCE_SIZE, START, TARGET_SIZE, source_numbers, target_numbers

SEED = 0
SIZE = 128
MIN_ACCURACY = 0.95
TRAINED, HELD_OUT = 6_000, 500
EPOCHS, BATCH, LEARNING_RATE = 4, 64, 5e-3
Pairs = tuple[torch.Tensor, torch.Tensor]


class Encoder(nn.Module):
    """Reads sentences."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(SOURCE_SIZE, SIZE, padding_idx=PAD)
        self.unit = nn.GRU(SIZE, SIZE // 2, batch_first=True, bidirectional=True)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[batch, length] -> what was read at each place [batch, length, SIZE], and what the decoder starts from.

        Padding follows the words and is not read: a sentence says the same in every batch.
        """
        lengths = (tokens != PAD).sum(dim=1)
        packed = pack_padded_sequence(self.words(tokens), lengths, batch_first=True, enforce_sorted=False)
        read, last = self.unit(packed)
        read, _ = pad_packed_sequence(read, batch_first=True)
        return read, torch.cat([last[0], last[1]], dim=1)


class Step(nn.Module):
    """Writes the next word of each sentence, or in training all of them at once."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(TARGET_SIZE, SIZE, padding_idx=PAD)
        self.unit = nn.GRU(SIZE, SIZE, batch_first=True)
        self.attention = nn.Linear(SIZE, SIZE, bias=False)
        self.mixed = nn.Linear(2 * SIZE, SIZE)
        self.out = nn.Linear(SIZE, TARGET_SIZE)

    def forward(
        self, words: torch.Tensor, state: torch.Tensor, read: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What was written last [batch, n], the state [batch, SIZE], what was read, and the tokens.

        Returns logits of what follows each of those words [batch, n, words], and the state after the last.
        """
        states, last = self.unit(self.words(words), state.unsqueeze(0))
        weights = torch.bmm(self.attention(states), read.transpose(1, 2))
        weights = torch.softmax(weights.masked_fill((tokens == PAD).unsqueeze(1), -1e9), dim=2)
        context = torch.bmm(weights, read)
        return self.out(torch.tanh(self.mixed(torch.cat([states, context], dim=2)))), last[0]


class Translator(nn.Module):
    """Both of them, to be trained together."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.step = Encoder(), Step()

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Logits [batch, length - 1, words] of every word but the first, each being told the true ones before it."""
        read, state = self.encoder(source)
        return self.step(target[:, :-1], state, read, source)[0]


def train() -> tuple[Translator, float]:
    """The trained network, and the share of words of new sentences that it gets right, each told those before it."""
    torch.manual_seed(SEED)
    network, pairs = Translator(), padded(TRAINED + HELD_OUT)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    by_length = np.argsort([int((row != PAD).sum()) for row in pairs[0][:TRAINED]], kind="stable")
    batches = np.array_split(by_length, TRAINED // BATCH + 1)  # alike in length, so that little is padded
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * len(batches))
    rng = np.random.default_rng(SEED)
    for _ in range(EPOCHS):
        for place in rng.permutation(len(batches)):
            optimizer.zero_grad()
            loss, _ = _told(network, pairs, batches[place])
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        _, right = _told(network, pairs, np.arange(TRAINED, TRAINED + HELD_OUT))
    return network, right


def padded(count: int) -> Pairs:
    """So many sentences and their translations, padded at the end: int64 [count, longest]."""
    texts = sentences(count, SEED)
    english = [torch.tensor(source_numbers(" ".join(words))) for words, _ in texts]
    german = [torch.tensor([START, *target_numbers(words), END]) for _, words in texts]
    pad = nn.utils.rnn.pad_sequence
    return pad(english, batch_first=True, padding_value=PAD), pad(german, batch_first=True, padding_value=PAD)


def parts(network: Translator) -> list[Part]:
    """The encoder, which is the main file, and the step beside it."""
    rows_alone, free = {0: "batch"}, {0: "batch", 1: "length"}

    def tokens(rows: int) -> torch.Tensor:
        return _cut(padded(rows)[0])

    def step(rows: int) -> tuple[torch.Tensor, ...]:
        read, state = network.encoder(tokens(rows))
        return torch.full((rows, 1), START), state, read, tokens(rows)

    return [
        Part("", network.encoder, lambda rows: (tokens(rows),), {"tokens": free}, {"read": free, "state": rows_alone}),
        Part(
            "step",
            network.step,
            step,
            {"words": rows_alone, "state": rows_alone, "read": free, "tokens": free},
            {"logits": rows_alone, "next_state": rows_alone},
        ),
    ]


def _told(network: Translator, pairs: Pairs, rows: np.ndarray) -> tuple[torch.Tensor, float]:
    """(cross entropy, share of words that are right) of some of the sentences."""
    source, target = (_cut(side[torch.from_numpy(rows)]) for side in pairs)
    said, wanted = network(source, target), target[:, 1:]
    loss = nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten(), ignore_index=PAD)
    counted = wanted != PAD
    return loss, float((said.argmax(dim=2) == wanted)[counted].float().mean())


def _cut(rows: torch.Tensor) -> torch.Tensor:
    """Without the places that are padding in every row."""
    return rows[:, : int((rows != PAD).sum(dim=1).max())]
