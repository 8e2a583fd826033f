"""An HTTP server that answers every request at once, so that a client's own cost shows.

It takes the size of the first request on a connection to be the size of all of them: no parsing, no waiting.
Prints its port, then serves until it is killed.
"""

import asyncio
from itertools import cycle
from random import Random

import uvloop


def answers(count=1024, seed=0):
    """200 answers of a model server, each with other times in its `Server-Timing`."""
    random = Random(seed)
    for _ in range(count):
        queue, batch, compute = random.uniform(0.1, 20), random.uniform(0.01, 5), random.uniform(0.5, 10)
        yield (
            "HTTP/1.1 200 OK\r\n"
            "content-type: application/json\r\n"
            f"server-timing: queue;dur={queue:.3f}, batch;dur={batch:.3f}, compute;dur={compute:.3f}, "
            f"batch-size;desc={random.randint(1, 32)}\r\n"
            "date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
            "content-length: 15\r\n\r\n"
            '{"label": "7"}\n'
        ).encode()


next_answer = cycle(list(answers())).__next__


class NullServer(asyncio.Protocol):
    """Counts bytes; every `request size` of them earn an answer."""

    def connection_made(self, transport):
        self._transport = transport
        self._received = b""
        self._missing = None

    def data_received(self, data):
        if self._missing is None:
            self._received += data
            head, end, _ = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            self._size = len(head) + len(end) + content_length(head)
            self._missing = self._size
            data = self._received
        self._missing -= len(data)
        while self._missing <= 0:
            self._missing += self._size
            self._transport.write(next_answer())


def content_length(head):
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return next((int(value) for name, _, value in lines if name.lower() == b"content-length"), 0)


async def main():
    server = await asyncio.get_running_loop().create_server(NullServer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
