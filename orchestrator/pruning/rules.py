"""Which configurations of an experiment are not worth deploying, by Serve's own rules and the load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orchestrator.experiment import Experiment, configured
from orchestrator.plain import is_number
from orchestrator.pruned import DUPLICATE
from orchestrator.pruning.batching import Plateau, cannot_form, late, plateaus, smallest_from
from orchestrator.pruning.crowd import Crowd
from orchestrator.pruning.reasons import Finding, short
from orchestrator.pruning.resources import Node, lacking
from orchestrator.result import Configuration
from orchestrator.serve_config.settings import Settings, settings_of_each
from orchestrator.space import Knob

EVEN_DATA_PLANE = "haproxy"
"""Serve configures it to pick the replica with the fewest requests under way; its Python proxy compares only two."""


class _Reading(NamedTuple):
    """What the rules look at: the app under a configuration, and who comes to each of its deployments."""

    configuration: Configuration
    app: Mapping[str, Any]
    deployments: list[tuple[Settings, Crowd]]
    knobs: Mapping[str, Knob]


@dataclass(frozen=True)
class Pruning:
    """The rules for one experiment, on one kind of node (None: resources are not looked at) and data plane.

    A configuration of the space is given up only if it cannot run, surely breaks the SLO, or has another one in the
    space beside it that is at least as good. When in doubt it stays.
    """

    experiment: Experiment
    node: Node | None = None
    data_plane: str | None = None
    _latest: list[_Reading] = field(default_factory=list, init=False, repr=False, compare=False)  # one at most

    def prune(self, configuration: Configuration) -> str | None:
        """Why a configuration should not be deployed, one of the words in `reasons`; None if it should.

        A duplicate should, unless the one that it equals is known: compare what is `canonical`.
        """
        finding = self.finding(configuration)
        return None if finding is None or finding.reason == DUPLICATE else finding.reason

    def finding(self, configuration: Configuration) -> Finding | None:
        """The first thing that speaks against a configuration: that another one stands for it comes last."""
        return next(self._findings(configuration), None)

    def canonical(self, configuration: Configuration) -> Configuration:
        """The one configuration that stands for all of the same effect: the smallest value of each knob that has it.

        It lies in the space if the given one does, and equals the given one if nothing can be changed.
        """
        steps = self._steps_down(self._read(configuration))
        return {**configuration, **{plateau.path: value for plateau, value in steps}}

    def _findings(self, configuration: Configuration) -> Iterator[Finding]:
        seen = self._read(configuration)
        if self.node is not None and (finding := lacking(seen.app, self.node)):
            yield finding
        for settings, crowd in seen.deployments:
            if finding := late(settings, crowd, self.experiment.slo) or cannot_form(settings, crowd, seen.knobs):
                yield finding
        for (path, _, why), value in self._steps_down(seen):
            if value != configuration[path]:
                yield Finding(DUPLICATE, f"{path} {short(configuration[path])} is the same as {short(value)}: {why}")

    def _read(self, configuration: Configuration) -> _Reading:
        """What the rules look at; the same again where it was asked for last: most searchers ask twice in turn."""
        if not self._latest or self._latest[0].configuration != configuration:
            self._latest[:] = [self._reading(configuration)]
        return self._latest[0]

    def _reading(self, configuration: Configuration) -> _Reading:
        at = configured(self.experiment, configuration)
        found = settings_of_each(at.app)
        crowd = Crowd.of(at.load, len(found), even=self.data_plane == EVEN_DATA_PLANE)
        knobs = {coordinate.path: coordinate.knob for coordinate in self.experiment.space.active(configuration)}
        return _Reading(dict(configuration), at.app, [(settings, crowd) for settings in found], knobs)

    @staticmethod
    def _steps_down(seen: _Reading) -> Iterator[tuple[Plateau, float]]:
        """The knobs that stand on a plateau, each with the smallest value that it has there."""
        for plateau in (plateau for settings, crowd in seen.deployments for plateau in plateaus(settings, crowd)):
            knob = seen.knobs.get(plateau.path)
            value: Any = seen.configuration.get(plateau.path)
            if knob is not None and is_number(value) and value >= plateau.start:
                smallest = smallest_from(knob, plateau.start)
                if smallest is not None:
                    yield plateau, smallest
