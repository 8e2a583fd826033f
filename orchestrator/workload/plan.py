"""The `workload` of an experiment file as a frozen, validated value."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
FILE_KINDS = (".npz", ".jsonl")


class Workload(BaseModel):
    """Where the payloads come from and how they are sent.

    `payloads` is "module:function", or a .npz or .jsonl file relative to the experiment file; None generates
    payloads that fit the model's inputs. `path`, `method` and `headers` hold for every payload that does not
    bring its own. `count`, `dynamic_dim` (the length of the model's free axes) and `seed` shape generated
    payloads; `timeout_s` is how long one request may take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    payloads: str | None = None
    model: str | None = Field(default=None, min_length=1)
    path: str | None = None
    method: str = Field(default="POST", pattern=r"^[A-Z]+$")
    headers: dict[str, str] = Field(default_factory=dict)
    count: int = Field(default=64, ge=1)
    dynamic_dim: int = Field(default=16, ge=1)
    timeout_s: float = Field(default=10, gt=0, allow_inf_nan=False)
    seed: int = Field(default=0, ge=0)

    @field_validator("payloads")
    @classmethod
    def _known_source(cls, value: str | None) -> str | None:
        if value is None or value.endswith(FILE_KINDS) or _FUNCTION.fullmatch(value):
            return value
        raise ValueError(f"expected 'module:function' or a .npz or .jsonl file, found '{value}'")

    @field_validator("path")
    @classmethod
    def _absolute_path(cls, value: str | None) -> str | None:
        if value is None or value.startswith("/"):
            return value
        raise ValueError(f"a path begins with '/', found '{value}'")
