"""The `workload` of an experiment file as a frozen, validated value."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, field_validator, model_validator

from orchestrator.workload.sizes import Sizes, parse_size

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
FILE_KINDS = (".npz", ".jsonl")

Encoding = Literal["binary", "json"]
ENCODINGS: tuple[str, ...] = get_args(Encoding)
DEFAULT_ENCODING: Encoding = "binary"

SMALLEST_SHARE = 1e-4
"""The least share that a part of a mix may have: rarer requests would be missing from most measurements."""


class Source(BaseModel):
    """Where payloads come from and what goes out with them.

    `payloads` is "module:function", or a .npz or .jsonl file relative to the experiment file; None generates
    payloads that fit the model's inputs. `path`, `method` and `headers` hold for every payload that does not
    bring its own. `data` is a directory or file that the function is told, relative to the experiment file. `count`,
    `dynamic_dim` (the length of the model's free axes) and `seed` shape generated payloads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    payloads: str | None = None
    data: str | None = Field(default=None, min_length=1)
    model: str | None = Field(default=None, min_length=1)
    path: str | None = None
    method: str = Field(default="POST", pattern=r"^[A-Z]+$")
    headers: dict[str, str] = Field(default_factory=dict)
    count: int = Field(default=64, ge=1)
    dynamic_dim: Annotated[int | Sizes, PlainValidator(parse_size)] = 16
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

    @property
    def open_to_the_application(self) -> bool:
        """Whether only the running application can say which model there is, or what inputs it takes."""
        tensors = self.payloads is not None and self.payloads.endswith(".npz")
        return self.payloads is None or (tensors and self.path is None and self.model is None)


class Part(Source):
    """One source of a mix; without a `seed` of its own it has the workload's."""

    weight: float = Field(default=1.0, gt=0)


class Workload(Source):
    """What is sent: one source, or a `mix` of several; `timeout_s` is how long one request may take.

    `encoding` is how tensors are written: as binary data behind a JSON head, or as JSON altogether.
    """

    mix: list[Part] | None = Field(default=None, min_length=1)
    timeout_s: float = Field(default=10, gt=0)
    encoding: Encoding = DEFAULT_ENCODING

    @field_validator("mix")
    @classmethod
    def _every_part_is_sent(cls, mix: list[Part] | None) -> list[Part] | None:
        total = sum(part.weight for part in mix or ())
        for part in mix or ():
            if part.weight < SMALLEST_SHARE * total:
                raise ValueError(
                    f"the weight {part.weight:g} is less than {SMALLEST_SHARE:g} of all weights ({total:g})"
                )
        return mix

    @model_validator(mode="after")
    def _one_origin(self) -> Workload:
        beside = [key for key in Source.model_fields if key in self.model_fields_set and key != "seed"]
        if self.mix is not None and beside:
            raise ValueError(f"{', '.join(beside)} cannot stand beside mix; put it into the parts of the mix")
        return self

    @property
    def asks_the_application(self) -> bool:
        """Whether making the payloads takes a running application."""
        return any(source.open_to_the_application for source in self.sources().values())

    def sources(self) -> dict[str, Source]:
        """The sources by their place in the experiment file: "workload", or "workload.mix[0]" and so on."""
        if self.mix is None:
            return {"workload": self}
        own = [
            part if "seed" in part.model_fields_set else part.model_copy(update={"seed": self.seed})
            for part in self.mix
        ]
        return {f"workload.mix[{index}]": part for index, part in enumerate(own)}
