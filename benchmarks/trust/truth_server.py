"""An HTTP server whose response times follow a known law, to hold a measurement against.

    python benchmarks/trust/truth_server.py exponential 1 10 --seed 3

| law | numbers | what happens to a request |
|---|---|---|
| constant | delay | it is answered after the delay |
| exponential | least, excess | it is answered after `least` and an exponential time of mean `excess` |
| bimodal | fast, slow, share | it is answered after `slow` with this probability, else after `fast` |
| fifo | service | it waits for the ones before it and takes the service time: one worker, first come first served |
| cpu | turns | it burns so many turns of a loop: what a starved machine makes slow |

Times are milliseconds and count from the moment when the request arrived at the socket, as noted by the kernel. All
laws but `cpu` only wait, so that many servers fit on one machine: the worker of `fifo` is computed (departure =
max(arrival, previous departure) + service). Prints its port, serves until SIGTERM, then prints how late it sent its
answers, as a JSON object. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from random import Random

import uvloop
from alarm_clock import Answers
from httptools import HttpParserError, HttpRequestParser

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"
BACKLOG = 4096  # connections opened while the server stands still must not be turned away
PRECEDENCE = -10  # niceness, where that is allowed: what else runs here must not change the law
DRAWN = 4096  # delays that are drawn at a time, ahead of the requests

LARGEST_READ = 1 << 18
SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>: with what is read comes the time at which it arrived
TIMESPEC = struct.Struct("@ll")
ANCILLARY_SPACE = socket.CMSG_SPACE(TIMESPEC.size)

Serve = Callable[[int, Callable[[], None]], None]
"""Is called for each request: when it arrived (`time.monotonic_ns`), and the function that sends its answer."""


def delays_ns(law: str, numbers: Sequence[float], slowdown: float, seed: int) -> Iterator[int]:
    """Endless delays, or service times, of a law: independent draws."""
    random = Random(seed)
    draw = {
        "constant": lambda delay: delay,
        "fifo": lambda service: service,
        "exponential": lambda least, excess: least + random.expovariate(1) * excess,
        "bimodal": lambda fast, slow, share: slow if random.random() < share else fast,
    }[law]
    while True:
        yield from [round(draw(*numbers) * slowdown * 1e6) for _ in range(DRAWN)]


def serve_each(answers: Answers, delays: Iterator[int]) -> Serve:
    """Requests do not wait for each other."""
    return lambda arrived_ns, send: answers.at(arrived_ns + next(delays), send)


def serve_in_turn(answers: Answers, services: Iterator[int]) -> Serve:
    """One worker, first come first served."""
    free_ns = 0

    def serve(arrived_ns: int, send: Callable[[], None]) -> None:
        nonlocal free_ns
        free_ns = max(arrived_ns, free_ns) + next(services)
        answers.at(free_ns, send)

    return serve


def serve_by_burning(turns: int) -> Serve:
    """Computes in the event loop: one worker that needs the processor."""

    def serve(arrived_ns: int, send: Callable[[], None]) -> None:
        for _ in range(turns):
            pass
        send()

    return serve


def freezing(serve: Serve, answers: Answers, at_s: float, for_s: float) -> Serve:
    """Once, `at_s` after the first request, the server neither reads nor answers `for_s` long."""
    pending = True

    def serve_or_begin(arrived_ns: int, send: Callable[[], None]) -> None:
        nonlocal pending
        if pending:
            pending = False
            answers.at(arrived_ns + round(at_s * 1e9), lambda: time.sleep(for_s))
        serve(arrived_ns, send)

    return serve_or_begin


class Connection:
    """Keep-alive HTTP/1.1 on an accepted socket; what a request says does not matter.

    Not asyncio's own: that neither tells when data arrived nor sends before the end of the event loop's turn.
    """

    def __init__(self, accepted: socket.socket, serve: Serve) -> None:
        self._socket = accepted
        self._serve = serve
        self._parser = HttpRequestParser(self)
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accepted.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        asyncio.get_running_loop().add_reader(accepted, self._on_readable)

    def _on_readable(self) -> None:
        try:
            data, ancillary, _, _ = self._socket.recvmsg(LARGEST_READ, ANCILLARY_SPACE)
            self._arrived_ns = arrived_ns(ancillary)
            if data:
                self._parser.feed_data(data)
            else:
                self._close()
        except BlockingIOError:
            pass
        except (OSError, HttpParserError):
            self._close()

    def on_message_complete(self) -> None:
        """httptools calls it at the end of a request."""
        self._serve(self._arrived_ns, self._answer)

    def _answer(self) -> None:
        with suppress(OSError):  # the client has gone; so short an answer always fits into the socket
            self._socket.send(ANSWER)

    def _close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


def arrived_ns(ancillary: Sequence[tuple[int, int, bytes]]) -> int:
    """When the kernel got the data, as `time.monotonic_ns`; it notes `time.time_ns`. Now, when it did not note it."""
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = TIMESPEC.unpack(content)
            return seconds * 1_000_000_000 + nanoseconds - time.time_ns() + time.monotonic_ns()
    return time.monotonic_ns()


async def run(options: argparse.Namespace) -> None:
    if options.law != "cpu":
        with suppress(PermissionError):
            os.nice(PRECEDENCE)
    loop = asyncio.get_running_loop()
    answers, stop = Answers(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if options.law == "cpu":
        serve = serve_by_burning(round(options.numbers[0] * options.slowdown))
    else:
        delays = delays_ns(options.law, options.numbers, options.slowdown, options.seed)
        serve = (serve_in_turn if options.law == "fifo" else serve_each)(answers, delays)
    if options.freeze_at is not None:
        serve = freezing(serve, answers, options.freeze_at, options.freeze_for)
    with socket.create_server(("127.0.0.1", options.port), backlog=BACKLOG) as listener:
        listener.setblocking(False)
        loop.add_reader(listener, lambda: Connection(listener.accept()[0], serve))
        print(listener.getsockname()[1], flush=True)
        await stop.wait()
    print(json.dumps(answers.lateness_ms()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("law", choices=("constant", "exponential", "bimodal", "fifo", "cpu"))
    parser.add_argument("numbers", type=float, nargs="+")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slowdown", type=float, default=1.0, help="multiplies all times")
    parser.add_argument("--freeze-at", type=float, metavar="S", help="seconds after the first request")
    parser.add_argument("--freeze-for", type=float, default=1.0, metavar="S")
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
