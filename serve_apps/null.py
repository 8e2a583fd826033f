"""An application that does nothing: what the way to a replica and back costs by itself.

    import_path: serve_apps.null:build

Requests take the same way as those of the bundled classifier: through the proxy and the router to an ingress that
reads the body from ASGI messages and answers with an `Answer`. No application behind the same proxy, measured by the
same client, can be faster: its throughput is the ceiling for the others'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from serve_apps.answers import Answer
from serve_apps.timing import Timing

if TYPE_CHECKING:
    from ray.serve import Application
    from starlette.requests import Request

MAX_ONGOING_REQUESTS = 10_000
"""No limit in practice: with more requests than that under way the router's pauses would be measured."""

_ANSWER = Answer(b"{}", Timing(0.0, 0.0, 0.0, 1).header())  # holds no state, so that all requests can share it


class Null:
    """Answers 200 with `{}` to any method and path, its health included, when it has read the request."""

    async def __call__(self, request: Request) -> Answer:
        """Answer one HTTP request."""
        receive = request.receive
        while (await receive()).get("more_body", False):
            pass
        return _ANSWER


def build(args: Mapping[str, Any]) -> Application:
    """The application for Serve; it takes no args. Raises ValueError, which fails the deployment, for any."""
    if args:
        raise ValueError(f"args has {', '.join(map(repr, args))}, but the null application takes none")
    from ray import serve  # here, so that the handler can be had without Ray

    deployment = serve.deployment(
        name="Null",
        max_ongoing_requests=MAX_ONGOING_REQUESTS,
        logging_config={"enable_access_log": False, "log_level": "WARNING"},  # as the classifier's
    )
    return deployment(Null).bind()
