"""What every section of an experiment file has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

LARGEST_SEED = 2**32 - 1
"""The largest seed that every library behind the searchers takes."""


class Section(BaseModel):
    """A frozen part of the file that refuses unknown keys."""

    # strict: the text '5' is not the number 5, and `yes` is not 1
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
