"""What onevelope reads in a request: a running `serve` with a listener for each vendor, and its admin's `explain`."""

import http.client
import http.server
import json
import pathlib
import threading
import urllib.request
from dataclasses import dataclass

from process import Process

VENDOR = """
[listen.{name}]
address = "127.0.0.1:0"

[routes.{name}]
listener = "{name}"
vendor   = "{name}"
upstream = "anyone"
mode     = "envelope"
"""

REST = """
[upstreams.anyone]
url  = "http://127.0.0.1:{port}"
host = "as_sent"

[admin]
address = "127.0.0.1:0"
"""


@dataclass(frozen=True)
class Reading:
    """`action` is None for a call that passes untouched, and `status` what onevelope itself refused it with."""

    action: str | None = None
    asked: tuple = ()
    selects: str | None = None
    dry_run: bool = False
    unclear: bool = False
    status: int | None = None
    service: str | None = None

    @property
    def certain(self):
        return self.status is None and not self.unclear

    def said(self):
        """What a caller would rely on."""
        return self.action, tuple(sorted(self.asked, key=repr)), self.selects, self.dry_run


class Refuser(http.server.BaseHTTPRequestHandler):
    """A vendor that refuses everything: each asked resource then has a verdict, and nothing more is needed."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nX-Vendor: yes\r\nContent-Length: 2\r\n\r\n{}")

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def log_message(self, *_):
        pass


class Sender:
    """Sends requests as they are spelled, over connections that stay."""

    def __init__(self):
        self.open = {}

    def exchange(self, address, request):
        for attempt in (0, 1):
            connection = self.open.setdefault(address, None) or http.client.HTTPConnection(address, timeout=20)
            self.open[address] = connection
            try:
                connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
                for name, value in request.headers:
                    if name.lower() not in ("content-length", "expect", "transfer-encoding", "connection"):
                        connection.putheader(name, value.encode())
                if not any(name.lower() == "host" for name, _ in request.headers):
                    connection.putheader("Host", "localhost")  # HTTP/1.1 names one
                connection.putheader("Content-Length", str(len(request.body)))
                connection.endheaders(request.body)
                reply = connection.getresponse()
                return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
            except (http.client.HTTPException, ConnectionError):
                connection.close()
                self.open[address] = None
                if attempt:
                    raise

    def close(self):
        for connection in filter(None, self.open.values()):
            connection.close()


class Readers(Sender):
    def __init__(self, binary, vendors, directory):
        super().__init__()
        self.vendor = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuser)
        threading.Thread(target=self.vendor.serve_forever, daemon=True).start()
        config = pathlib.Path(directory) / "readers.toml"
        port = self.vendor.server_address[1]
        config.write_text("".join(VENDOR.format(name=name) for name in vendors) + REST.format(port=port))
        self.process = Process("onevelope", [binary, "serve", "--config", config], env={"RUST_LOG": "info"})
        self.admin = json.loads(self.process.printed(r'.*"admin":.*')[0])["admin"]
        listening = [json.loads(line) for line in self.process.lines if '"listening"' in line]
        self.address = {line["listener"]: line["address"] for line in listening}

    def served(self, vendor, request):
        """What `serve` reads."""
        status, headers, body = self.exchange(self.address[vendor], request)
        return reading(status, headers, body)

    def explained(self, vendor, request):
        """What `explain` reads; of texts alone."""
        lines = [f"{request.method} {request.target} HTTP/1.1"] + [f"{name}: {value.strip()}" for name, value in request.headers]
        asked = json.dumps({"request": "\r\n".join(lines) + "\r\n\r\n" + request.body.decode(), "vendor": vendor,
                            "reply": "HTTP/1.1 403 Forbidden\r\nX-Vendor: yes\r\n\r\n{}"})
        try:
            with urllib.request.urlopen(f"http://{self.admin}/api/explain", asked.encode(), timeout=20) as answer:
                return of_envelope(json.load(answer)["envelope"])
        except urllib.error.HTTPError as refused:
            assert refused.code == 422
            return Reading()

    def close(self):
        super().close()
        self.process.stop()
        self.vendor.shutdown()


def reading(status, headers, body):
    if "onevelope-outcome" not in headers:
        return Reading() if "x-vendor" in headers else Reading(status=status)
    return of_envelope(json.loads(body))


def of_envelope(envelope):
    operation = envelope["operation"]
    scope = operation.get("scope")
    asked = tuple((r.get("id"), r.get("key"), scope) for r in envelope["results"] if "index" in r)
    unclear = any(diagnostic["code"] == "asked_unclear" for diagnostic in envelope["diagnostics"])
    return Reading(operation["action"], asked, operation["selects"], operation.get("dry_run", False), unclear, None, operation.get("service"))
