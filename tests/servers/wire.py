"""A relay that passes bytes on unread and remembers them: one stands on each side of the gateway.

What a client sent and what the server got, what the server replied and what the client got: two pairs that `observe` mode
must not tell apart.
"""

import contextlib
import socket
import threading
from dataclasses import dataclass

import h11

# Fields of one connection, not of the message (RFC 9110 section 7.6.1), and those that frame it.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Message:
    """A request (`start` is method and target) or a reply (`start` is the status)."""

    start: tuple
    headers: list
    body: bytes

    def get(self, name):
        return ", ".join(v for n, v in self.headers if n == name) or None

    def text(self):
        return "\n".join([*(f"{n}: {v}" for n, v in self.headers), "", self.body.decode("utf-8", "replace")])


class Relay:
    """Listens on a port of its own and connects each client to `target`."""

    def __init__(self, target):
        self.target = target
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            host, port = self.target.rsplit(":", 1)
            try:
                server = socket.create_connection((host, int(port)), 10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            asked, replied = bytearray(), bytearray()
            self.connections.append((asked, replied))
            for source, sink, kept in ((client, server, asked), (server, client, replied)):
                threading.Thread(target=pump, args=(source, sink, kept), daemon=True).start()

    def forget(self):
        """Only between calls, when every connection is idle."""
        for asked, replied in self.connections:
            asked.clear(), replied.clear()

    def exchanges(self):
        """[(request, reply)] since `forget`. Whoever has read a reply finds it here whole: bytes are kept before they go on."""
        return [pair for asked, replied in list(self.connections) if asked for pair in parse(bytes(asked), bytes(replied))]

    def exchange(self):
        found = self.exchanges()
        assert len(found) == 1, f"one call was made, {len(found)} passed {self.address}: {[r.start for r, _ in found]}"
        return found[0]

    def close(self):
        self.listener.close()


def pump(source, sink, kept):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            kept += data
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def parse(asked, replied):
    """The messages of one connection, in pairs."""
    pairs = []
    server, client = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT)
    server.receive_data(asked), client.receive_data(replied)
    while True:
        head, body = read(server)
        request = Message((head.method.decode(), head.target.decode()), lower(head), body)
        client.send(h11.Request(method=head.method, target=head.target, headers=[("host", "x")]))
        client.send(h11.EndOfMessage())
        head, body = read(client)
        pairs.append((request, Message((head.status_code,), lower(head), body)))
        rest = server.trailing_data[0]
        if not rest:
            return pairs
        # Only the framing is of interest: a new pair of parsers saves both sides' keep-alive rules.
        left = client.trailing_data[0]
        server, client = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT)
        server.receive_data(rest), client.receive_data(left)


def read(connection):
    head, body = None, b""
    while True:
        event = connection.next_event()
        match event:
            case h11.Request() | h11.Response():
                head = event
            case h11.Data():
                body += event.data
            case h11.EndOfMessage():
                return head, body
            case h11.InformationalResponse():
                pass
            case h11.NEED_DATA if head and connection.our_role is h11.CLIENT:
                connection.receive_data(b"")  # the reply ends where its connection does
            case _:
                raise AssertionError(f"the relay saw half a message: {event!r} after {head!r}")


def lower(head):
    return [(name.decode().lower(), value.decode("latin-1")) for name, value in head.headers]
