"""A fake vendor: a batch that resets servers' passwords, and lists only those that failed. The ids say which these are.

It stands in for a cloud that cannot be had without an account; the shape of its reply follows the vendor's documentation.
"""

import http.client
import http.server
import json
import threading

PATH = "/v1/0605768a9f00d5762fe5c00ed1234567/cloudservers/os-reset-passwords"


class Vendor(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_PUT(self):
        asked = [server["id"] for server in json.loads(self.rfile.read(int(self.headers["Content-Length"])))["servers"]]
        bad = [{"id": id, "error_code": "Ecs.0614", "error_message": "The ECS does not exist."} for id in asked if id.startswith("bad")]
        body = json.dumps({"error": {"code": "Ecs.0611", "message": "Batch operation failed."}, "internalError": bad}
                          if bad else {"response": [{"id": id} for id in asked]}).encode()
        self.send_response(400 if bad else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Caller:
    """Sends batches through a gateway, and keeps what must have become of them."""

    def __init__(self):
        self.batches = 0
        self.failed = []  # the truth: ids that failed, in order

    def send(self, gateway, batches, failing=3):
        """Batches of one good id and some failing ones. Each must be answered, and quickly, whatever the sinks do."""
        connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["listen"], timeout=5)
        for _ in range(batches):
            self.batches += 1
            bad = [f"bad-{self.batches}-{n}" for n in range(failing)]
            ids = [f"good-{self.batches}"] + bad
            connection.request("PUT", PATH, json.dumps({"new_password": "x", "servers": [{"id": id} for id in ids]}),
                               {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
            verdicts = {result["id"]: result["outcome"] for result in answer["results"]}
            assert verdicts == {id: "failed" if id in bad else "succeeded" for id in ids}
            self.failed += bad
        connection.close()
