"""What Serve reports, reduced to what the writer needs: pure functions on its status and details."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import DeploymentFailedError, InfeasibleError, OrchestratorError, ReplicaDiedError
from orchestrator.serving.deaths import Death, death, told

SLOT_PREFIX = "trial-slot-"
"""Names of our applications. A fixed, small set: Serve leaks a little state for every new name."""


def slot_name(index: int) -> str:
    """Name of the application that the trials of node number `index` share."""
    return f"{SLOT_PREFIX}{index}"


def is_ours(application: str) -> bool:
    """Whether an application belongs to a study (a running one, or one that died and left it)."""
    return application.startswith(SLOT_PREFIX)


def foreign_applications(details: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Configs of the declarative applications that are not ours, as they were deployed.

    `details` is the answer of Serve's REST API. A PUT deletes every declarative application that it does not
    name, so these go into each of ours; applications of `serve.run` are not touched by a PUT.
    """
    applications = details.get("applications", {})
    return [
        dict(application["deployed_app_config"])
        for name, application in applications.items()
        if not is_ours(name)
        and application.get("source") == "declarative"
        and application.get("deployed_app_config")
        and application.get("status") != "DELETING"
    ]


def cluster_config(details: Mapping[str, Any], ours: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The body of a PUT: the cluster's own options and applications as they are, and ours."""
    config: dict[str, Any] = {"applications": [*foreign_applications(details), *map(dict, ours)]}
    for option in ("proxy_location", "http_options", "grpc_options", "target_capacity"):
        if details.get(option) is not None:
            config[option] = details[option]
    return config


@dataclass(frozen=True)
class Readiness:
    """Where an application stands: `ready`, `failed`, or neither yet; `reasons` in Serve's own words.

    `deaths` are those of its replicas; `infeasible`: it says itself that this configuration cannot be had here.
    """

    ready: bool
    failed: bool
    reasons: tuple[str, ...]
    deaths: frozenset[Death] = frozenset()
    infeasible: bool = False

    def failure(self) -> OrchestratorError:
        """What a trial is told of an application that has `failed`: whether it cannot be had here, or is broken."""
        kind: type[OrchestratorError] = DeploymentFailedError
        if self.infeasible or Death.MEMORY in self.deaths:
            kind = InfeasibleError
        elif self.deaths:
            kind = ReplicaDiedError
        return kind("; ".join(self.reasons))


def readiness(application: Any) -> Readiness:
    """Reads one entry of `serve.status().applications` (None when Serve does not know it yet)."""
    if application is None:
        return Readiness(False, False, ("Serve does not list the application yet",))
    status = str(getattr(application.status, "value", application.status))
    reasons = tuple(
        f"{name} is {_value(deployment.status)}: {_essence(deployment.message)}"
        for name, deployment in application.deployments.items()
        if _value(deployment.status) != "HEALTHY"
    )
    if application.message and not reasons:
        reasons = (_essence(application.message),)
    messages = (application.message, *(deployment.message for deployment in application.deployments.values()))
    refusals = tuple(found[1] for reason in reasons if (found := _INFEASIBLE.search(reason)))
    return Readiness(
        ready=status == "RUNNING",
        failed=status in ("DEPLOY_FAILED", "UNHEALTHY"),
        reasons=refusals or reasons or (f"the application is {status}",),
        deaths=frozenset(filter(None, map(death, messages))),
        infeasible=bool(refusals),
    )


def _value(status: Any) -> str:
    return str(getattr(status, "value", status))


def _essence(message: str) -> str:
    """A status message on one line; of a stack trace only how it began and what was raised."""
    if sentence := told(message):
        return sentence
    lines = [line.strip() for line in _COLOURS.sub("", message).splitlines() if line.strip()]
    if not lines:
        return "Serve gives no reason; often no node has the resources that its replicas ask for"
    raised = [line for line in lines if _RAISED.match(line)]
    if len(lines) == 1 or not raised:
        return " ".join(lines)
    beginning = lines[0].split(" Error: ", 1)[0]
    return raised[-1] if beginning.startswith("Traceback") else f"{beginning} {raised[-1]}"


_INFEASIBLE = re.compile(r"(?:Error|Exception|Exit): infeasible: (.+)", re.DOTALL)
"""What an application raises where a configuration cannot be had (docs/application.md), and in which words."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_RAISED = re.compile(r"[\w.]*(Error|Exception|Exit|Interrupt)\b.*")
