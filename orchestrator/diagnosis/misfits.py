"""Settings that stand in the way: of each other, or of the load."""

from __future__ import annotations

import math

from orchestrator.diagnosis.facts import Facts
from orchestrator.diagnosis.words import (
    DOMINANT,
    IDLE,
    NEARLY_FULL,
    NOTICEABLE,
    Finding,
    advice,
    does,
    if_known,
    of_the_time,
    replicas,
)
from orchestrator.serve_config.settings import BATCH_WAIT, MAX_BATCH_SIZE, MAX_ONGOING, NUM_REPLICAS, THREADS

SERVE_MAX_ONGOING_REQUESTS = 5
"""Serve's default, unless the application's code has another (`@serve.deployment(max_ongoing_requests=...)`)."""

HALF_EMPTY = 0.5
"""Fill below which it is mostly the wait that ends a batch."""


def router_backoff(f: Facts) -> Finding:
    """More requests are under way than the replicas take."""
    limit, said = f.settings[MAX_ONGOING], "max_ongoing_requests"
    if math.isnan(limit):
        # The code may set another limit; that no replica is seen with more than Serve's default speaks for that one.
        within = f.ongoing <= SERVE_MAX_ONGOING_REQUESTS and not f.batch_size > SERVE_MAX_ONGOING_REQUESTS
        if not (within and f.share("network") >= DOMINANT):
            return None
        limit, said = SERVE_MAX_ONGOING_REQUESTS, "Serve's default for max_ongoing_requests"
    room = f.settings.replicas * limit
    if not f.under_way > room or f.share("network") < NOTICEABLE:
        return None
    outside = f", and {of_the_time(f, 'network')} is spent outside them" if f.share("network") >= NOTICEABLE else ""
    return advice(
        f"the router holds requests back: {f.under_way:,.0f} are under way, {replicas(f)} {does(f, 'take')} "
        f"{room:,.0f} at a time ({said}: {limit:,.0f}), and it tries again after growing pauses{outside}",
        "raise",
        f.settings.knob(MAX_ONGOING),
    )


def small_limit(f: Facts) -> Finding:
    """A batch is larger than what a replica takes."""
    size, limit = f.settings[MAX_BATCH_SIZE], f.settings[MAX_ONGOING]
    if not size > limit or f.concurrency / f.settings.replicas <= limit:  # what has nobody to fill it is another matter
        return None
    cut_off = f.batch_size >= NEARLY_FULL * limit
    waited_for = _wait_is_paid(f) and not f.batch_size < HALF_EMPTY * limit
    if not (cut_off or waited_for):
        return None
    return advice(
        f"batches cannot fill: they may hold {size:,.0f} requests, but a replica takes only {limit:,.0f} at a time "
        f"(max_ongoing_requests){_mean_batch(f)}",
        "raise",
        f.settings.knob(MAX_ONGOING),
    )


def few_clients(f: Facts) -> Finding:
    """A batch is larger than what the clients can send at a time."""
    size, each = f.settings[MAX_BATCH_SIZE], f.concurrency / f.settings.replicas
    if not (size > each * f.items and _wait_is_paid(f)):
        return None
    held = f" of {f.items} items" if f.items > 1 else ""
    return advice(
        f"batches cannot fill: {f.concurrency:,.0f} clients over {replicas(f)} leave {each:,.4g} requests{held} each "
        f"for a batch of up to {size:,.0f}{_mean_batch(f)}, so that every batch waits in vain{_wait_of(f)}",
        "lower",
        f.settings.knob(MAX_BATCH_SIZE),
    )


def wait_at_low_load(f: Facts) -> Finding:
    """Requests mostly wait for company, while the machine has time to serve them."""
    if not f.share("batch_wait") >= DOMINANT or f.machine_busy_share >= IDLE:
        return None
    return advice(
        f"waiting for batches to fill is most of the response time at this load: {of_the_time(f, 'batch_wait')}"
        f"{_mean_batch(f)}",
        "lower",
        f.settings.knob(BATCH_WAIT),
    )


def half_empty(f: Facts) -> Finding:
    """Batches end by the wait, and it shows."""
    if not (f.fill < HALF_EMPTY and f.share("batch_wait") >= NOTICEABLE):
        return None
    return advice(
        f"batches do not fill: they hold {f.batch_size:,.3g} of {f.settings[MAX_BATCH_SIZE]:,.0f} requests on average, "
        f"though {of_the_time(f, 'batch_wait')} is spent waiting for more",
        "lower",
        f.settings.knob(BATCH_WAIT),
    )


def contended_cores(f: Facts) -> Finding:
    """More threads compute than there are cores."""
    threads = 1.0 if math.isnan(f.settings[THREADS]) else f.settings[THREADS]
    wanted = f.settings.replicas * threads
    full = f.machine_busy_share >= NEARLY_FULL or f.replica_cpu_cores >= NEARLY_FULL * f.cores
    if not (wanted > f.cores and full):
        return None
    each = f" with {threads:,.0f} threads each" if threads > 1 else ""
    return advice(
        f"replicas fight over cores: {replicas(f)}{each} {does(f, 'want')} {wanted:,.0f} cores, and there are "
        f"{f.cores:g}{if_known(', of which {:.2g} are theirs', f.replica_cpu_cores)}",
        "lower",
        f.settings.knob(THREADS if threads > 1 else NUM_REPLICAS),
    )


def _wait_is_paid(f: Facts) -> bool:
    share = f.share("batch_wait")
    return f.settings[BATCH_WAIT] > 0 if math.isnan(share) else share >= NOTICEABLE


def _wait_of(f: Facts) -> str:
    return f": {of_the_time(f, 'batch_wait')}" if f.share("batch_wait") >= NOTICEABLE else ""


def _mean_batch(f: Facts) -> str:
    return if_known(" (batches hold {:,.3g} on average)", f.batch_size)
