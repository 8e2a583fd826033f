"""Transformers that read a sentence into one vector: BERT's architecture, mean pooling, length 1.

J. Devlin et al., BERT: pre-training of deep bidirectional transformers, NAACL 2019; pooled and normalised as in
N. Reimers and I. Gurevych, Sentence-BERT, EMNLP 2019. Weights have the names that BERT's have everywhere, so that true
ones can be loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from serve_apps.nets.part import Part

TOKENS, MASK, VECTOR = "input_ids", "attention_mask", "sentence_vector"
"""Inputs, both int64 [batch, length] of any length up to POSITIONS, and the output, float32 [batch, hidden]."""

VOCABULARY, POSITIONS, KINDS = 30_522, 512, 2
_EPSILON, _SPREAD = 1e-12, 0.02
_MASKED = -1e9
_EXAMPLE_LENGTH = 12


@dataclass(frozen=True)
class Shape:
    """How large an encoder is; `inner` is the width of the feed-forward layers."""

    layers: int
    hidden: int
    heads: int
    inner: int


class Layer(nn.Module):
    """Attention, then a feed-forward network, each beside a shortcut and normalised after it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        hidden, self.heads, self.size = shape.hidden, shape.heads, shape.hidden // shape.heads
        looks = nn.ModuleDict({name: nn.Linear(hidden, hidden) for name in ("query", "key", "value")})
        self.attention = nn.ModuleDict({"self": looks, "output": _closed(hidden, hidden)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden, shape.inner)})
        self.output = _closed(shape.inner, hidden)

    def forward(self, x: torch.Tensor, hidden_from: torch.Tensor) -> torch.Tensor:
        """[batch, length, hidden], and what is added to the scores of each place [batch, 1, 1, length]."""
        asked, found, said = (self._by_head(look(x)) for look in self.attention["self"].values())
        scores = asked @ found.transpose(2, 3) / self.size**0.5 + hidden_from
        mixed = (torch.softmax(scores, dim=3) @ said).transpose(1, 2).reshape(x.shape)
        x = self._close(self.attention["output"], mixed, x)
        return self._close(self.output, nn.functional.gelu(self.intermediate["dense"](x)), x)

    def _by_head(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(x.shape[0], -1, self.heads, self.size).transpose(1, 2)

    @staticmethod
    def _close(closed: nn.ModuleDict, x: torch.Tensor, shortcut: torch.Tensor) -> torch.Tensor:
        return closed["LayerNorm"](closed["dense"](x) + shortcut)


class Encoder(nn.Module):
    """Reads sentences of any length; padding follows the words, is masked, and changes nothing."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        tables = {"word": VOCABULARY, "position": POSITIONS, "token_type": KINDS}
        self.embeddings = nn.ModuleDict(
            {f"{name}_embeddings": nn.Embedding(rows, shape.hidden) for name, rows in tables.items()}
        )
        self.embeddings["LayerNorm"] = nn.LayerNorm(shape.hidden, _EPSILON)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList([Layer(shape) for _ in range(shape.layers)])})

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Tokens and mask (1: a token, 0: padding), int64 [batch, length] -> vectors of length 1, [batch, hidden]."""
        table = self.embeddings
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = table["word_embeddings"](tokens) + table["position_embeddings"](places)
        x = table["LayerNorm"](x + table["token_type_embeddings"].weight[0])
        read = mask.to(x.dtype)
        hidden_from = (1 - read)[:, None, None, :] * _MASKED
        for layer in self.encoder["layer"]:
            x = layer(x, hidden_from)
        pooled = (x * read[:, :, None]).sum(dim=1) / read.sum(dim=1, keepdim=True)
        return nn.functional.normalize(pooled, dim=1)


def seeded(shape: Shape) -> Encoder:
    """With BERT's initial weights, of torch's seed at the time: it computes as much as a trained one."""
    network = Encoder(shape)
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=_SPREAD)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
    return network


def loaded(shape: Shape, file: Path) -> Encoder:
    """With the weights in a file of safetensors, of a BERT as it is usually kept; without those of pre-training."""
    from safetensors.torch import load_file  # comes with the weights

    stored = load_file(file)
    network = Encoder(shape)
    network.load_state_dict({name: stored[name] for name in network.state_dict()})
    return network


def parts(network: Encoder) -> list[Part]:
    """One file: tokens and mask in, vectors out."""

    def example(rows: int) -> tuple[torch.Tensor, ...]:
        rng = np.random.default_rng(rows)
        tokens = rng.integers(0, VOCABULARY, (rows, _EXAMPLE_LENGTH))
        lengths = rng.integers(1, _EXAMPLE_LENGTH + 1, rows)
        mask = (np.arange(_EXAMPLE_LENGTH) < lengths[:, np.newaxis]).astype(np.int64)
        return torch.from_numpy(tokens * mask), torch.from_numpy(mask)

    free = {0: "batch", 1: "length"}
    return [Part("", network, example, {TOKENS: free, MASK: free}, {VECTOR: {0: "batch"}})]


def _closed(before: int, after: int) -> nn.ModuleDict:
    return nn.ModuleDict({"dense": nn.Linear(before, after), "LayerNorm": nn.LayerNorm(after, _EPSILON)})
