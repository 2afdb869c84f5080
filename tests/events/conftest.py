"""Failure events leave the process: to standard output, files, and a real NATS JetStream.

Needs ONEVELOPE, the path of a built binary, and nats-server on the PATH.
"""

import sys

sys.dont_write_bytecode = True

import pytest

from gateway import Gateway, binary
from stream import NatsServer
from vendor import Caller, Vendor


@pytest.fixture(scope="session")
def vendor():
    vendor = Vendor()
    yield vendor
    vendor.close()


@pytest.fixture
def caller():
    return Caller()


@pytest.fixture
def start(binary, vendor, tmp_path):
    """Starts a gateway with a text for [events]."""
    started = []

    def start(events, **options):
        started.append(Gateway(binary, vendor, tmp_path, events, **options))
        return started[-1]

    yield start
    for gateway in started:
        gateway.close()


@pytest.fixture
def nats(tmp_path):
    server = NatsServer(tmp_path / "jetstream")
    yield server
    server.kill()
