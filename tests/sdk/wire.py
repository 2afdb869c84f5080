"""HTTP/1.1 messages as bytes, a server that records them, and a tap on what a client library writes.

Knows nothing about vendors or the gateway.
"""

import contextlib
import http.client
import http.server
import socketserver
import threading
from dataclasses import dataclass, field

import requests

# Headers that belong to one connection and not to the message; a proxy has its own.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Message:
    """One request as it stood on the wire."""

    method: str
    target: str  # as written: origin form or absolute form
    headers: tuple  # (name as written, value), in order
    body: bytes

    @property
    def absolute(self):
        return self.target.startswith("http://")

    @property
    def path(self):
        """Path and query, byte for byte, without the scheme and host that the absolute form puts before them."""
        if not self.absolute:
            return self.target
        rest = self.target.removeprefix("http://")
        return rest[rest.index("/"):] if "/" in rest else "/"

    def header(self, name):
        found = [v for n, v in self.headers if n.lower() == name.lower()]
        assert len(found) < 2, f"{name} stands {len(found)} times: {found}"
        return found[0] if found else None

    def end_to_end(self):
        """lower-case name -> value of everything that must arrive as it was sent."""
        return {n.lower(): v for n, v in self.headers if n.lower() not in HOP_BY_HOP}


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: tuple = (("Content-Type", "application/json"),)
    chunked: bool = False

    def encode(self):
        # A Date of its own: a proxy that finds none has to add one, and replies could not be compared.
        lines = [f"HTTP/1.1 {self.status} {http.client.responses.get(self.status, 'Status')}", "Date: Tue, 11 Jun 2024 08:00:00 GMT"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        body = self.body
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
            pieces = [body[i:i + 7] for i in range(0, len(body), 7)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
        elif self.status != 204:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def parse(head, body):
    start, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = start.split(" ")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines if line))
    return Message(method, target, headers, body)


class Recorder:
    """An HTTP server on a free port of 127.0.0.1 that keeps every request and answers what it was told to.

    `asked` is what came in. `reply` None: the connection is closed without a word. `stall()` holds back all answers
    until its block ends.
    """

    def __init__(self):
        recorder = self
        self.asked = []
        self.reply = Reply(200, b"{}")
        self._may_answer = threading.Event()
        self._may_answer.set()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(ConnectionError):
                    while self.answer_one():
                        pass

            def answer_one(self):
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline(65536)
                    if not line:
                        return False
                    head += line
                body = self.read_body(parse(head.removesuffix(b"\r\n\r\n"), b""))
                recorder.asked.append(parse(head.removesuffix(b"\r\n\r\n"), body))
                reply = recorder.reply
                recorder._may_answer.wait(30)
                if reply is None:
                    return False
                self.wfile.write(reply.encode())
                return True

            def read_body(self, message):
                if (message.header("transfer-encoding") or "").lower() == "chunked":
                    body = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return body
                return self.rfile.read(int(message.header("content-length") or 0))

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @contextlib.contextmanager
    def stall(self):
        self._may_answer.clear()
        try:
            yield
        finally:
            self._may_answer.set()

    def take(self):
        """The one request since the last call; more or fewer is a failure (a batch must not be sent twice)."""
        asked, self.asked = self.asked, []
        assert len(asked) == 1, f"the vendor was asked {len(asked)} times: {[(m.method, m.target) for m in asked]}"
        return asked[0]

    def close(self):
        self._may_answer.set()
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Tap:
    """What this process sent by http.client, and what `requests` got back; both SDKs use these."""

    sent: list = field(default_factory=list)
    got: list = field(default_factory=list)

    def take(self):
        """(Message, requests.Response) of the one call since the last."""
        sent, self.sent[:] = list(self.sent), []
        got, self.got[:] = list(self.got), []
        assert len(got) == 1, f"{len(got)} replies, one expected"
        raw = b"".join(sent)
        head, _, body = raw.partition(b"\r\n\r\n")
        return parse(head, body), got[0]

    def install(self, monkeypatch):
        send, adapt = http.client.HTTPConnection.send, requests.adapters.HTTPAdapter.send

        def recording_send(connection, data):
            self.sent.append(data if isinstance(data, bytes) else bytes(data))
            return send(connection, data)

        def recording_adapt(*args, **kwargs):
            response = adapt(*args, **kwargs)
            self.got.append(response)
            return response

        monkeypatch.setattr(http.client.HTTPConnection, "send", recording_send)
        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", recording_adapt)
