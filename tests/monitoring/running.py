"""The programs of the live test: a fake vendor in this process, onevelope in front of it, a real Prometheus that scrapes it."""

import http.client
import http.server
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from alerts import PROMETHEUS

HUAWEI, TENCENT, UNREACHABLE = "ecs.cn-north-4.myhuaweicloud.com", "cvm.api.qcloud.com", "ecs.nowhere-1.myhuaweicloud.com"
MAX_SERIES = 20

CONFIGURATION = """
[listen]
address = "127.0.0.1:0"

[admin]
address = "127.0.0.1:0"

[routes.huawei]
host     = "{huawei}"
vendor   = "huawei"
upstream = "vendor"

[routes.tencent]
host     = "{tencent}"
vendor   = "tencent"
upstream = "vendor"

[routes.unreachable]
host     = "{unreachable}"
vendor   = "huawei"
upstream = "nobody"

[upstreams.vendor]
url = "http://{vendor}"

[upstreams.nobody]
url             = "http://127.0.0.1:{nobody}"
connect_timeout = "1s"

[metrics.resources]
max_series = {max_series}
ttl        = "2s"

[events.file]
directory = "{spool}"
"""


def until(condition, what, within=60):
    """The first true value of `condition`; a test that waits for what never comes says for what."""
    end = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {within} s for {what}"
        time.sleep(0.05)
    return value


class Vendor:
    """Huawei's and Tencent's batch calls; `fates` tells the code of each id that fails, all others are done."""

    def __init__(self):
        vendor = self
        self.fates = {}
        self.garbled = False

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_PUT(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                ids = [server["id"] for server in body["servers"]]
                failed = [i for i in ids if i in vendor.fates]
                self.answer({"response": [{"id": i} for i in ids if i not in failed],
                             "internalError": [{"id": i, "error_code": vendor.fates[i], "error_message": "no"} for i in failed]})

            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                ids = [value for name, [value] in query.items() if name.startswith("instanceIds.")]
                detail = {i: {"code": int(vendor.fates.get(i, 0)), "message": "", "requestId": f"task-{i}"} for i in ids}
                self.answer({"code": 5400, "message": "", "detail": detail})

            def answer(self, reply):
                body = b"<html>sorry</html>" if vendor.garbled else json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Program:
    """A child process that writes to a log file."""

    def __init__(self, argv, log, **options):
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **options)

    def wait(self, condition, what):
        """`until`, but a program that does not get that far is not left behind."""
        try:
            return until(condition, what)
        except BaseException:
            self.close()
            raise

    def said(self, pattern):
        """The match of `pattern` in the log so far; a program that has ended is told with its last words."""
        text = self.log.read_text(errors="replace")
        assert self.process.poll() is None, f"{self.process.args[0]} ended with {self.process.returncode}:\n{text[-3000:]}"
        return re.search(pattern, text)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)


class Gateway(Program):
    def __init__(self, binary, vendor, directory):
        # Bound and not listened on: nobody else gets the port, and calls to it are refused.
        self.nobody = socket.socket()
        self.nobody.bind(("127.0.0.1", 0))
        file = directory / "onevelope.toml"
        file.write_text(CONFIGURATION.format(huawei=HUAWEI, tencent=TENCENT, unreachable=UNREACHABLE, vendor=vendor,
                                             nobody=self.nobody.getsockname()[1], max_series=MAX_SERIES, spool=directory / "spool"))
        super().__init__([binary, "serve", "--config", file, "--log-format", "json"], directory / "onevelope.log")
        self.admin = self.wait(lambda: self.said(r'"admin":"([^"]+)"'), "onevelope to be up")[1]
        self.address = self.said(r'"listener":"default","address":"([^"]+)"')[1]

    def ask(self, method, host, target, body=None):
        """(request id, Onevelope-Items as a dictionary) of one call."""
        connection = http.client.HTTPConnection(self.address, timeout=20)
        try:
            connection.request(method, target, body, {"Host": host, "Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            items = dict(re.findall(r"(\w+)=(\d+)", response.headers.get("Onevelope-Items", "")))
            return response.headers["Onevelope-Request-Id"], {name: int(count) for name, count in items.items()}
        finally:
            connection.close()

    def close(self):
        super().close()
        self.nobody.close()


class Prometheus(Program):
    """Scrapes every second, both pages, with the shipped rules at the same pace."""

    def __init__(self, admin, directory):
        for name in ("rules.yaml", "alerts.yaml"):
            rules = re.sub(r"(?m)^( +interval:) \w+$", r"\1 1s", (PROMETHEUS / name).read_text())
            (directory / name).write_text(rules)
        jobs = [{"job_name": name, "metrics_path": path, "static_configs": [{"targets": [admin]}]}
                for name, path in (("onevelope", "/metrics"), ("onevelope-resources", "/metrics/resources"))]
        pace = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config = directory / "prometheus.yml"
        config.write_text(json.dumps({"global": pace, "rule_files": ["rules.yaml", "alerts.yaml"], "scrape_configs": jobs}))
        for _ in range(3):
            # Somebody else may take the port between its choice and its use.
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                self.address = "127.0.0.1:%d" % s.getsockname()[1]
            super().__init__(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={self.address}",
                 "--enable-feature=exemplar-storage", "--log.level=info"], directory / "prometheus.log", env=os.environ | {"GOMAXPROCS": "2"})
            self.wait(lambda: self.process.poll() is not None or self.ready(), "Prometheus to be ready")
            if self.process.poll() is None:
                return
        self.said("")

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as response:
                return response.status == 200
        except OSError:
            return False

    def api(self, path, **parameters):
        """`data` of an API answer; Prometheus' own words when it refuses."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{parameters}: {refused.read().decode(errors='replace')}") from None

    def query(self, expression, **at):
        """[(labels, value)], now or at `time=…`; a scalar has no labels."""
        data = self.api("query", query=expression, **at)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

    def value(self, expression):
        """The one value, or None."""
        found = self.query(expression)
        assert len(found) < 2, f"{expression}: {found}"
        return found[0][1] if found else None

    def stored(self, selector):
        """[(labels, [(time, value)])]: every sample as it was scraped."""
        series = self.api("query", query=f"{selector}[1h]")["result"]
        return [(one["metric"], [(time, float(value)) for time, value in one["values"]]) for one in series]
