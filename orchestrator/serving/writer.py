"""The single writer of the cluster's Serve config: a Ray actor that every trial asks for its deployment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from orchestrator.errors import InfeasibleError
from orchestrator.serving.state import cluster_config, is_ours, readiness

POLL_S = 0.03
"""Serve's own helpers poll once a second; a trial's overhead is made of such waits."""

DELETE_DEADLINE_S = 30.0


class ServeWriter:
    """Owns our applications on the cluster; to be run as one Ray actor, outside any placement group.

    Serve's REST API takes the config of the whole cluster at once, so two writers would delete each other's
    applications. Changes that arrive while one is being applied are applied together afterwards.
    """

    def __init__(self, dashboard_url: str, http_port: int, public: bool = False) -> None:
        """`http_port` is where a Serve that is started here listens: on every interface if `public`, else loopback."""
        from ray.dashboard.modules.serve.sdk import ServeSubmissionClient

        self._client = ServeSubmissionClient(dashboard_url)
        self._http_port = http_port
        self._host = "0.0.0.0" if public else "127.0.0.1"
        self._ours: dict[str, dict[str, Any]] = {}
        self._apply_lock = asyncio.Lock()
        self._changes = 0
        self._applied = 0
        self._closed = False
        self._started_serve = False
        self._base_url = ""

    async def start(self) -> None:
        """Starts Serve where it does not run yet, and removes applications that a dead study left behind."""
        details = await asyncio.to_thread(self._client.get_serve_details)
        if not details.get("controller_info", {}).get("actor_id"):
            await asyncio.to_thread(self._start_serve)
            self._started_serve = True
        elif any(is_ours(name) for name in details["applications"]):
            await self._apply()
            await self._is_gone()
        self._base_url = await asyncio.to_thread(self._find_base_url)

    def _start_serve(self) -> None:
        from ray import serve

        # In an actor of its own: inside a Tune trial the controller would be caught in the trial's placement group.
        serve.start(
            proxy_location="EveryNode",
            http_options={"host": self._host, "port": self._http_port},
        )

    def _find_base_url(self) -> str:
        """Where a client reaches the proxy of its own node; Serve's HTTP options are fixed once it runs."""
        options = self._client.get_serve_details().get("http_options") or {}
        host = options.get("host") or "127.0.0.1"
        host = "127.0.0.1" if host in ("0.0.0.0", "localhost", "::") else host
        return f"http://{host}:{options.get('port', self._http_port)}"

    async def deploy(self, slot: str, application: Mapping[str, Any], timeout_s: float) -> str:
        """Brings `slot` to this application config; returns its URL on the slot's node when Serve says that it runs.

        Raises:
            InfeasibleError: rejected by Serve, not ready within `timeout_s` seconds, or short of memory, in Serve's own
                words; or the application says that it cannot be had here.
            DeploymentFailedError: the application's own code raised; ReplicaDiedError where nobody knows.
        """
        if self._closed:
            raise InfeasibleError("the study is being stopped")
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout_s
        self._ours[slot] = dict(application)
        self._changes += 1
        try:
            await self._apply_once(self._changes)
        except InfeasibleError:
            del self._ours[slot]  # else it would spoil the config of every other slot too
            raise
        while True:
            state = readiness(await self._application(slot))
            if state.ready:
                return f"{self._base_url}/{slot}"
            if state.failed:
                raise state.failure()
            if clock() > deadline:
                reasons = "; ".join(state.reasons)
                raise InfeasibleError(f"not ready within {timeout_s:g} s (deploy_timeout_s): {reasons}")
            await asyncio.sleep(POLL_S)

    async def clear(self, slot: str) -> None:
        """Removes the application in `slot`; InfeasibleError when it is still there after a while."""
        self._ours.pop(slot, None)
        self._changes += 1
        await self._apply_once(self._changes)
        if not await self._is_gone(slot):
            raise InfeasibleError(f"the application before this one is still there after {DELETE_DEADLINE_S:g} s")

    async def close(self) -> None:
        """Removes our applications, and Serve itself if we started it and nobody else uses it. Idempotent."""
        self._closed = True
        self._ours.clear()
        await self._apply()
        await self._is_gone()
        details = await asyncio.to_thread(self._client.get_serve_details)
        if self._started_serve and not details["applications"]:
            from ray import serve

            # Ends the proxies as well: an HAProxy that outlives its cluster keeps its ports.
            await asyncio.to_thread(serve.shutdown)

    async def _apply_once(self, change: int) -> None:
        """Applies everything asked for up to now, unless another caller has applied `change` already."""
        async with self._apply_lock:
            if self._applied >= change:
                return
            newest = self._changes
            await self._put()
            self._applied = newest

    async def _apply(self) -> None:
        async with self._apply_lock:
            await self._put()

    async def _put(self) -> None:
        # Read just before each write: applications of others may have come or gone since the last one.
        details = await asyncio.to_thread(self._client.get_serve_details)
        config = cluster_config(details, list(self._ours.values()))
        try:
            await asyncio.to_thread(self._client.deploy_applications, config)
        except RuntimeError as error:
            raise InfeasibleError(f"Serve rejected the configuration: {error}") from error

    async def _application(self, slot: str) -> Any:
        from ray import serve

        status = await asyncio.to_thread(serve.status)
        return status.applications.get(slot)

    async def _is_gone(self, slot: str | None = None) -> bool:
        """Whether the application in `slot`, or each of ours, goes away before a deadline."""
        from ray import serve

        clock = asyncio.get_running_loop().time
        deadline = clock() + DELETE_DEADLINE_S
        while clock() < deadline:
            status = await asyncio.to_thread(serve.status)
            if not any(is_ours(name) if slot is None else name == slot for name in status.applications):
                return True
            await asyncio.sleep(POLL_S)
        return False
