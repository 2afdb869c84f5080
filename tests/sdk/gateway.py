"""Starts `onevelope serve` for the tests, and reads its metrics."""

import http.client
import os
import pathlib
import re
import socket
import subprocess
import time
from collections import Counter

CONFIGURATION = """
[listen.proxy]
address = "127.0.0.1:{proxy}"

[listen.huawei]
address = "127.0.0.1:{huawei}"

[listen.tencent]
address = "127.0.0.1:{tencent}"

[listen.envelope]
address = "127.0.0.1:{envelope}"

[listen.slow]
address = "127.0.0.1:{slow}"

[listen.closed]
address = "127.0.0.1:{closed}"

[admin]
address = "127.0.0.1:{admin}"

[limits]
reply_body = "256 KiB"

# http_proxy use: absolute-form requests that name the vendor's host
[routes.huawei-by-host]
listener = "proxy"
host     = "{{service}}.{{region}}.myhuaweicloud.com"
vendor   = "huawei"
upstream = "vendor"
mode     = "observe"

[routes.tencent-by-host]
listener = "proxy"
host     = "{{service}}.tencentcloudapi.com"
vendor   = "tencent"
upstream = "vendor"
mode     = "observe"

[routes.tencent-v2-by-host]
listener = "proxy"
host     = "{{module}}.api.qcloud.com"
vendor   = "tencent"
upstream = "vendor"
mode     = "observe"

# an SDK's endpoint set to a port of its own
[routes.huawei-port]
listener = "huawei"
vendor   = "huawei"
upstream = "vendor"
mode     = "observe"

[routes.tencent-port]
listener = "tencent"
vendor   = "tencent"
upstream = "vendor"
mode     = "observe"

# plain HTTP clients that want the envelope
[routes.envelope-huawei]
listener = "envelope"
host     = "{{service}}.{{region}}.myhuaweicloud.com"
vendor   = "huawei"
upstream = "vendor"

[routes.envelope-tencent]
listener = "envelope"
host     = "{{service}}.tencentcloudapi.com"
vendor   = "tencent"
upstream = "vendor"

[routes.slow]
listener = "slow"
vendor   = "huawei"
upstream = "slow"

[routes.closed]
listener = "closed"
vendor   = "huawei"
upstream = "closed"

[upstreams.vendor]
url = "http://{vendor}"

[upstreams.slow]
url          = "http://{vendor}"
head_timeout = "500ms"

[upstreams.closed]
url             = "http://127.0.0.1:{nobody}"
connect_timeout = "1s"
"""

LISTENERS = ("proxy", "huawei", "tencent", "envelope", "slow", "closed", "admin", "nobody")


class Gateway:
    """A running gateway. `address("proxy")` is where one of its listeners is."""

    def __init__(self, binary, vendor, directory):
        self.log = pathlib.Path(directory) / "onevelope.log"
        for _ in range(3):
            # Somebody else may take a port between its choice and its use: then the process ends, and other ports are tried.
            self.ports = free_ports(LISTENERS)
            config = pathlib.Path(directory) / "onevelope.toml"
            config.write_text(CONFIGURATION.format(vendor=vendor, **self.ports))
            with self.log.open("wb") as log:
                self.process = subprocess.Popen(
                    [binary, "serve", "--config", config], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    env=os.environ | {"RUST_LOG": "debug", "NO_COLOR": "1"})
            if self.ready(within=20):
                return
            self.close()
            if "in use" not in self.log.read_text(errors="replace"):
                break
        raise RuntimeError(f"onevelope did not become ready:\n{self.log.read_text(errors='replace')[-4000:]}")

    def ready(self, within):
        until = time.monotonic() + within
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if self.admin("/readyz")[0] == 200:
                    return True
            except OSError:
                pass
            time.sleep(0.05)
        return False

    def address(self, listener):
        return f"127.0.0.1:{self.ports[listener]}"

    def admin(self, path, accept="text/plain"):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["admin"], timeout=10)
        try:
            connection.request("GET", path, headers={"Accept": accept})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metrics(self):
        """The counters that a call moves. Rows at 0 are left out: most of the page's two thousand are, and a missing key is 0 too."""
        status, text = self.admin("/metrics")
        assert status == 200, text
        counters = ("onevelope_requests_total", "onevelope_resource_results_total")
        return samples("\n".join(line for line in text.splitlines() if line.startswith(counters) and not line.endswith("} 0")))

    def moved(self, before, family="onevelope_resource_results_total"):
        """What one call changed: {frozenset of labels: increase}, read once the gateway has counted the whole exchange."""
        until = time.monotonic() + 10
        while True:
            after = self.metrics()
            exchanges = total(after, "onevelope_requests_total") - total(before, "onevelope_requests_total")
            if exchanges >= 1 or time.monotonic() > until:
                break
            time.sleep(0.02)
        assert exchanges == 1, f"onevelope_requests_total moved by {exchanges:g}, one exchange happened"
        return {labels: value - before.get((name, labels), 0) for (name, labels), value in after.items()
                if name == family and value != before.get((name, labels), 0)}

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)


def free_ports(names):
    sockets = {name: socket.socket() for name in names}
    for s in sockets.values():
        s.bind(("127.0.0.1", 0))
    ports = {name: s.getsockname()[1] for name, s in sockets.items()}
    for s in sockets.values():
        s.close()
    return ports


SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \S+)?$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def samples(text):
    """(name, frozenset of label pairs) -> value."""
    found = Counter()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            key = (name, frozenset(LABEL.findall(labels or "")))
            assert key not in found, f"{line} stands twice"
            found[key] = float(value)
    return found


def total(samples, family):
    return sum(value for (name, _), value in samples.items() if name == family)
