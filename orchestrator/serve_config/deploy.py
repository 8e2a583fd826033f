"""From an app to what is deployed, exported and read by people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from orchestrator.serve_config.app import deployments, plain

NODE_LABEL = "ray.io/node-id"
"""The label that Ray gives to every node by itself."""

TRIAL_SHUTDOWN = {"graceful_shutdown_wait_loop_s": 0.05, "graceful_shutdown_timeout_s": 1.0}
"""The load has been drained before a trial's replicas end, so that waiting for it again only costs time."""

UNLIMITED = -1
"""`max_queued_requests` where a config does not say."""

QUEUE_MARK_S = 1e-6
"""By so much per request of `max_queued_requests` a trial's replicas look less often whether they may end.

Serve tells the running replicas of a new `max_queued_requests` only together with an option that it reconfigures them
for. Behind HAProxy it is the replicas that count who waits and answer 503: they would go by the previous trial's limit.
"""


def deployable(app: Mapping[str, Any], name: str, route_prefix: str, **top: Any) -> dict[str, Any]:
    """The multi-application config that `serve deploy` takes.

    `top` holds further keys of it (`http_options`, `proxy_location`, …); those that are None are left out.
    """
    own = {key: value for key, value in plain(app).items() if key not in ("name", "route_prefix")}
    given = {key: plain(value) for key, value in top.items() if value is not None}
    return {**given, "applications": [{"name": name, "route_prefix": route_prefix, **own}]}


def pin(app: Mapping[str, Any], node_id: str) -> dict[str, Any]:
    """The app with every listed deployment bound to one node; its other label selectors are kept.

    In Serve, `ray_actor_options` of a config replace those of the application's code as a whole: an app whose
    code asks for resources has to state them in its config too, or it gets Serve's defaults.
    """
    pinned = plain(app)
    for entry in deployments(pinned):
        options = dict(entry.get("ray_actor_options") or {})
        options["label_selector"] = {**(options.get("label_selector") or {}), NODE_LABEL: node_id}
        entry["ray_actor_options"] = options
    return pinned


def without_access_log(app: Mapping[str, Any]) -> dict[str, Any]:
    """The app with Serve's access log off, unless it says otherwise.

    A log line per request costs throughput, so this belongs to what is measured and stays in an export.
    """
    quiet = plain(app)
    quiet["logging_config"] = {"enable_access_log": False, **(quiet.get("logging_config") or {})}
    return quiet


def with_trial_defaults(app: Mapping[str, Any]) -> dict[str, Any]:
    """The app as a trial runs it: without access log, and quick to shut down, unless it says otherwise.

    An export is made of the app `without_access_log` alone.
    """
    trial = without_access_log(app)
    for entry in deployments(trial):
        entry.update({key: value for key, value in TRIAL_SHUTDOWN.items() if key not in entry})
        queued, wait_s = entry.get("max_queued_requests", UNLIMITED), entry["graceful_shutdown_wait_loop_s"]
        if isinstance(queued, int) and isinstance(wait_s, int | float):  # else Serve refuses the app, and says why
            entry["graceful_shutdown_wait_loop_s"] = wait_s + (queued - UNLIMITED) * QUEUE_MARK_S
    return trial


def to_yaml(config: Mapping[str, Any], header: str = "") -> str:
    """A config as block-style YAML in its own key order; the header's lines become comments above it."""
    comment = "".join(f"# {line}".rstrip() + "\n" for line in header.splitlines())
    return comment + yaml.dump(
        plain(config), Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True
    )


class _Dumper(yaml.SafeDumper):
    """Without anchors, and with text that YAML 1.2 takes for a number ('1e-4') in quotes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        try:
            float(data)
        except ValueError:
            return self.represent_scalar("tag:yaml.org,2002:str", data)
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="'")


_Dumper.add_representer(str, _Dumper.text)
