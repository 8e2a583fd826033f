"""A recurrent encoder and decoder with attention, from English to German as the grammar knows them.

Gated recurrent units (K. Cho et al., EMNLP 2014), both ways in the encoder, with multiplicative attention (M.-T. Luong
et al., EMNLP 2015). Exported as two files: the encoder reads a padded batch once, the step writes one word of each
sentence and is called until all of them have ended.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from serve_apps.datasets.grammar import sentences, source_words, target_words

SEED = 0
PAD, START, END, UNKNOWN = range(4)
RESERVED = 4
SIZE = 128
MIN_ACCURACY = 0.95
TRAINED, HELD_OUT = 12_000, 1_000
EPOCHS, BATCH, LEARNING_RATE = 6, 128, 4e-3


class Encoder(nn.Module):
    """Reads sentences."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(RESERVED + len(source_words()), SIZE, padding_idx=PAD)
        self.forwards = nn.GRU(SIZE, SIZE // 2, batch_first=True)
        self.backwards = nn.GRU(SIZE, SIZE // 2, batch_first=True)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[batch, length] -> what was read at each place [batch, length, SIZE], and what the decoder starts from.

        Padding stands before the words: what the forward unit ends with is then the sentence, however long it is.
        """
        embedded = self.words(tokens)
        ahead, last = self.forwards(embedded)
        back, _ = self.backwards(embedded.flip(1))
        read = torch.cat([ahead, back.flip(1)], dim=2)
        return read, torch.cat([last[0], back.flip(1)[:, 0]], dim=1)


class Step(nn.Module):
    """Writes one word of each sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(RESERVED + len(target_words()), SIZE, padding_idx=PAD)
        self.unit = nn.GRUCell(SIZE, SIZE)
        self.attention = nn.Linear(SIZE, SIZE, bias=False)
        self.mixed = nn.Linear(2 * SIZE, SIZE)
        self.out = nn.Linear(SIZE, RESERVED + len(target_words()))

    def forward(
        self, word: torch.Tensor, state: torch.Tensor, read: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Last words [batch], state [batch, SIZE], what was read and the tokens -> (logits [batch, words], state)."""
        state = self.unit(self.words(word), state)
        weights = torch.einsum("bls,bs->bl", read, self.attention(state))
        weights = torch.softmax(weights.masked_fill(tokens == PAD, -1e9), dim=1)
        context = torch.einsum("bl,bls->bs", weights, read)
        return self.out(torch.tanh(self.mixed(torch.cat([state, context], dim=1)))), state


def train() -> tuple[Encoder, Step, float]:
    """Both parts trained, and the share of words of new sentences that they get right, each told those before it."""
    torch.manual_seed(SEED)
    encoder, step = Encoder(), Step()
    sources, targets = tensors(TRAINED + HELD_OUT)
    optimizer = torch.optim.Adam([*encoder.parameters(), *step.parameters()], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * (TRAINED // BATCH + 1))
    by_length = np.argsort([int((row != PAD).sum()) for row in sources[:TRAINED]], kind="stable")
    rng = np.random.default_rng(SEED)
    for _ in range(EPOCHS):
        batches = np.array_split(by_length, TRAINED // BATCH + 1)  # alike in length, so that little is padded
        for place in rng.permutation(len(batches)):
            rows = torch.from_numpy(batches[place])
            optimizer.zero_grad()
            loss, _ = _told(encoder, step, sources[rows], targets[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        _, right = _told(encoder, step, sources[TRAINED:], targets[TRAINED:])
    return encoder, step, right


def tensors(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """So many sentences padded before, and their translations padded after: int64 [count, longest]."""
    source = {word: RESERVED + place for place, word in enumerate(source_words())}
    target = {word: RESERVED + place for place, word in enumerate(target_words())}
    pairs = sentences(count, SEED)
    english = [[source[word] for word in words] for words, _ in pairs]
    german = [[START, *(target[word] for word in words), END] for _, words in pairs]
    widest, longest = max(map(len, english)), max(map(len, german))
    return (
        torch.tensor([[PAD] * (widest - len(row)) + row for row in english]),
        torch.tensor([row + [PAD] * (longest - len(row)) for row in german]),
    )


def _told(encoder: Encoder, step: Step, source: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, float]:
    """(cross entropy, share of words that are right), each word being told the true ones before it."""
    source = source[:, int((source != PAD).any(dim=0).int().argmax()) :]
    target = target[:, : int((target != PAD).sum(dim=1).max())]
    read, state = encoder(source)
    logits = []
    for place in range(target.shape[1] - 1):
        said, state = step(target[:, place], state, read, source)
        logits.append(said)
    said, wanted = torch.stack(logits, dim=1), target[:, 1:]
    loss = nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten(), ignore_index=PAD)
    counted = wanted != PAD
    return loss, float((said.argmax(dim=2) == wanted)[counted].float().mean())
