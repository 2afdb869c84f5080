"""A running `onevelope serve` in front of the servers, and what its admin listener says."""

import contextlib
import json
import pathlib
import time
import urllib.request
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from process import Process
from wire import Relay

# Two listeners for each server: one where SDKs get the vendor's bytes, one where plain clients get the envelope.
# The routes name the host that clients use, so that it arrives as they signed it.
LISTENER = """
[listen.{name}-{mode}]
address = "127.0.0.1:0"

[routes.{name}-{mode}]
host     = "127.0.0.1"
listener = "{name}-{mode}"
vendor   = "{vendor}"
upstream = "{name}"
mode     = "{mode}"
"""

UPSTREAM = """
[upstreams.{name}]
url = "http://{address}"
"""


class Gateway:
    """`servers`: name -> (vendor, address)."""

    def __init__(self, binary, servers, directory):
        self.behind = {name: Relay(address) for name, (_, address) in servers.items()}
        config = pathlib.Path(directory) / "onevelope.toml"
        config.write_text("".join(
            [LISTENER.format(name=name, mode=mode, vendor=vendor)
             for name, (vendor, _) in servers.items() for mode in ("observe", "envelope")]
            + [UPSTREAM.format(name=name, address=relay.address) for name, relay in self.behind.items()]
            + ['[admin]\naddress = "127.0.0.1:0"\n']))
        # The log must be lines of JSON, whatever the caller's terminal and taste.
        self.process = Process("onevelope", [binary, "serve", "--config", config], env={"RUST_LOG": "info"})
        self.admin = json.loads(self.process.printed(r'.*"admin":.*')[0])["admin"]
        listening = [json.loads(line) for line in self.process.lines if '"listening"' in line]
        self.address = {line["listener"]: line["address"] for line in listening}
        self.before = {name: Relay(self.address[f"{name}-observe"]) for name in servers}

    def page(self, path):
        with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=10) as response:
            return response.read().decode()

    def samples(self, path="/metrics"):
        """Samples that are not 0: {(name, label pairs): value}."""
        families = text_string_to_metric_families(self.page(path))
        return Counter({(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples if s.value})

    @contextlib.contextmanager
    def counting(self, calls=1):
        """Yields a dictionary that holds, afterwards, what the calls inside have moved: {name: [(labels, increase)]}."""
        moved = {}
        before = self.samples()
        yield moved
        # Nothing promises that a call is counted before its caller has the last byte.
        until = time.monotonic() + 10
        while True:
            after = self.samples()
            grown = [(name, dict(labels), value - before[name, labels])
                     for (name, labels), value in after.items() if value != before[name, labels]]
            exchanges = sum(increase for name, _, increase in grown if name == "onevelope_requests_total")
            if exchanges >= calls or time.monotonic() > until:
                break
            time.sleep(0.01)
        assert exchanges == calls, f"{calls} calls were made, onevelope_requests_total grew by {exchanges:g}"
        for name, labels, increase in grown:
            moved.setdefault(name, []).append((labels, increase))

    def close(self):
        for relay in [*self.before.values(), *self.behind.values()]:
            relay.close()
        self.process.stop()
