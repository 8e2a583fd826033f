"""A generator in a process of its own, for callers that compute while the load runs.

Threads of one process share Python's interpreter lock: whoever computes holds up the thread that sends, as a rule by
some tenths of a millisecond, and whoever is put to sleep with the lock in hand for as long as that lasts. With looks at
the samples in the same process, at least 5 of some 570 loads stood still for 1 to 8 s during a look.

    python -m orchestrator.load.process    # is what `ProcessPart` starts; it speaks pickles on stdin and stdout
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

from orchestrator.load.endpoint import Endpoint
from orchestrator.load.generator import Generator
from orchestrator.load.plan import Traffic
from orchestrator.load.record import GeneratorRecord
from orchestrator.measure.samples import Samples

GRACE_S = 5.0  # for a process that has nothing left to do


class ProcessPart:
    """A `Part` (`orchestrator.load.conductor`): a `Generator` with these arguments, elsewhere.

    RuntimeError from any method if the process has died. It never outlives this one.
    """

    def __init__(self, endpoint: Endpoint, requests: Sequence[bytes], traffic: Traffic, timeout_s: float) -> None:
        command = [sys.executable, "-m", "orchestrator.load.process"]
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109 - what "" stands for there
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}  # finds what this process finds
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._waiting = False  # for an answer
        self._ask(endpoint, list(requests), traffic, timeout_s)

    def start(self, at: float) -> None:
        """See `Part`."""
        self._ask("start", at)

    def progress(self) -> Samples:
        """See `Part`."""
        samples: Samples = self._ask("progress")
        return samples

    def stop(self) -> None:
        """See `Part`."""
        self._ask("stop")

    def collect(self) -> GeneratorRecord:
        """See `Part`."""
        record: GeneratorRecord = self._ask("collect")
        self._end()
        return record

    def abort(self) -> None:
        """See `Part`; nothing can be collected any more if that was interrupted, and the process is ended."""
        if self._waiting or self._process.poll() is not None:
            self._process.kill()
            self._end()
        else:
            self._ask("abort")

    def _end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):  # it ends when its questions do
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._process.wait(GRACE_S)

    def _ask(self, *question: Any) -> Any:
        try:
            self._waiting = True
            pickle.dump(question, self._process.stdin)  # type: ignore[arg-type]
            self._process.stdin.flush()  # type: ignore[union-attr]
            answer, error = pickle.load(self._process.stdout)  # type: ignore[arg-type]
            self._waiting = False
        except (EOFError, OSError) as ended:
            raise RuntimeError("the load client's process has ended unexpectedly") from ended
        if error is not None:
            raise error
        return answer


def serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answers until the questions end; then nothing goes on."""
    generator = Generator(*pickle.load(questions))
    reply: tuple[Any, Exception | None] = (None, None)
    try:
        while True:
            pickle.dump(reply, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
            method, *arguments = pickle.load(questions)
            try:
                reply = (getattr(generator, method)(*arguments), None)
            except Exception as error:
                reply = (None, error)
    except (EOFError, BrokenPipeError):
        generator.abort()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one, which ends it
    with os.fdopen(os.dup(1), "wb") as pipe:
        os.dup2(2, 1)  # whatever prints
        serve(sys.stdin.buffer, pipe)
