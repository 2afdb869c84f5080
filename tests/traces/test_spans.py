"""Spans leave the gateway as OTLP over HTTP, go through a real collector, and are what the request was.

    ONEVELOPE=… pytest tests/traces        (a built binary)

The collector is Rotel, which reads what the gateway sends, batches it and sends it on; a small HTTP server here gets that and decodes
it by OpenTelemetry's published protobuf classes. The vendor is fake.
"""

import gzip
import http.client
import http.server
import importlib.util
import os
import pathlib
import queue
import socket
import subprocess
import threading
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
REPLY = b'{"code":5400,"message":"some","detail":{"a":{"code":0,"requestId":"1"},"b":{"code":4104,"message":"no"}}}'


def serve(answer):
    """An HTTP server on a free port that gives every request to `answer(handler, body)`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, reply = answer(self, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def collector(tmp_path):
    """Starts the collector's own program, of which the package is a wrapper; it sends on to a port."""
    started = []

    def collector(forward_to):
        program = pathlib.Path(importlib.util.find_spec("rotel").origin).with_name("rotel-agent")
        http_port, grpc_port, log = free_port(), free_port(), tmp_path / "collector.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [program, "start", "--pid-file", tmp_path / "collector.pid", "--otlp-http-endpoint", f"127.0.0.1:{http_port}",
                 "--otlp-grpc-endpoint", f"127.0.0.1:{grpc_port}", "--otlp-exporter-protocol", "http",
                 "--otlp-exporter-endpoint", f"http://127.0.0.1:{forward_to}"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        started.append(process)
        deadline = time.monotonic() + 30
        with socket.socket() as probe:
            while probe.connect_ex(("127.0.0.1", http_port)):
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
        return http_port

    yield collector
    for process in started:
        process.terminate()
        process.wait(30)


@pytest.fixture
def running(tmp_path, collector):
    batches, asked = queue.Queue(), queue.Queue()

    def collect(handler, body):
        if handler.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        message = ExportTraceServiceRequest()
        message.ParseFromString(body)
        batches.put(message)
        return 200, b""

    def reply(handler, _):
        asked.put(dict(handler.headers))
        return 200, REPLY

    behind, vendor = serve(collect), serve(reply)
    traces = collector(behind.server_port)
    port, admin = free_port(), free_port()
    config = tmp_path / "onevelope.toml"
    config.write_text(f"""
[listen]
address = "127.0.0.1:{port}"
[admin]
address = "127.0.0.1:{admin}"
[traces]
endpoint = "http://127.0.0.1:{traces}/v1/traces"
[routes.tencent]
vendor = "tencent"
upstream = "tencent"
[upstreams.tencent]
url = "http://127.0.0.1:{vendor.server_port}"
""")
    process = subprocess.Popen([os.environ["ONEVELOPE"], "serve", "--config", str(config)], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "is up" in line:
            break
    threading.Thread(target=process.stderr.read, daemon=True).start()
    yield port, process, batches, asked
    process.terminate()
    process.wait(30)
    behind.shutdown()
    vendor.shutdown()


def spans_of(message):
    return [span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]


def attributes(span):
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_batch_is_one_span_in_the_callers_trace_with_its_call_and_its_translation(running):
    port, process, batches, asked = running
    connection = http.client.HTTPConnection("127.0.0.1", port)
    target = "/v2/index.php?Action=StopInstances&instanceIds.0=a&instanceIds.1=b"
    connection.request("GET", target, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    assert connection.getresponse().status == 207

    sent = {name.lower(): value for name, value in asked.get(timeout=10).items()}["traceparent"].split("-")
    process.terminate()  # the drain sends what is held
    spans = []
    while len(spans) < 3:
        spans += spans_of(batches.get(timeout=30))

    by_name = {span.name: span for span in spans}
    request = by_name["GET tencent"]
    assert request.trace_id.hex() == TRACE and request.parent_span_id.hex() == PARENT
    assert [sent[1], sent[2]] == [TRACE, request.span_id.hex()], "the vendor continues the request's span"
    for child in ("upstream", "translate"):
        assert by_name[child].parent_span_id == request.span_id
    told = attributes(request)
    assert told["onevelope.outcome"] == "partial" and told["http.response.status_code"] == 207
    assert told["error.type"] and told["onevelope.action"] == "StopInstances"
    assert "instanceIds" not in str(request), "queries hold secrets"
