"""Vendors' SDKs against real servers, straight and through a running onevelope: boto3 and moto, azure-storage-blob,
azure-data-tables and Azurite. What the servers check, signatures above all, stays valid; what they say is judged. Calls in odd
spellings are read by onevelope as by the servers' parsers (test_readings.py) and by what the servers do (test_deeds.py).

    VENV=…          the bin folder of the virtual environment with requirements.txt in it; left out: where Python is
    NODE_MODULES=…  the folder that `npm ci` made of package.json here
    ONEVELOPE=…     a built binary
    pytest tests/servers

`node` (18 or later) must be on the PATH. All servers listen on free ports of 127.0.0.1 and keep everything in memory.
"""

import os
import pathlib
import sys

sys.dont_write_bytecode = True

import pytest

pytest.register_assert_rewrite("calls", "readers", "verdicts", "wire")

from aws import Account
from gateway import Gateway
from process import Process
from storage import Storage


def needed(variable, path):
    if not path.is_file():
        pytest.exit(f"{variable}={os.environ.get(variable)!r}: no {path}", returncode=2)
    return path.absolute()


@pytest.fixture(scope="session", autouse=True)
def nothing_from_outside():
    """Proxies, accounts and regions of whoever runs the tests are not for what stays on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") or name.startswith(("AWS_", "AZURE_")):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def moto(nothing_from_outside):
    program = needed("VENV", pathlib.Path(os.environ.get("VENV", pathlib.Path(sys.prefix) / "bin")) / "moto_server")
    # Thousands of machine images would be loaded anew for each test.
    env = {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    process = Process("moto", [program, "-H", "127.0.0.1", "-p", "0"], env)
    yield process.printed(r"Running on http://(127\.0\.0\.1:\d+)")[1]
    process.stop()


@pytest.fixture(scope="session")
def azurite(nothing_from_outside):
    """The addresses of the blob and the table service."""
    modules = pathlib.Path(os.environ.get("NODE_MODULES", "node_modules"))
    program = needed("NODE_MODULES", modules / "azurite" / "dist" / "src" / "azurite.js")
    ports = [word for service in ("blob", "queue", "table") for word in (f"--{service}Port", "0")]
    process = Process("azurite", ["node", program, "--inMemoryPersistence", "--disableTelemetry", *ports])
    yield {service.lower(): process.printed(rf"Azurite {service} service is successfully listening at http://(127\.0\.0\.1:\d+)")[1]
           for service in ("Blob", "Table")}
    process.stop()


@pytest.fixture(scope="session")
def gateway(moto, azurite, tmp_path_factory):
    binary = needed("ONEVELOPE", pathlib.Path(os.environ.get("ONEVELOPE", "")))
    servers = {"aws": ("aws", moto)} | {name: ("azure", address) for name, address in azurite.items()}
    running = Gateway(binary, servers, tmp_path_factory.mktemp("gateway"))
    yield running
    running.close()


@pytest.fixture(autouse=True)
def alive(gateway):
    """A gateway that died is told at once, with its log, and not as a hundred refused connections."""
    yield
    if gateway.process.ended:
        pytest.exit(f"onevelope ended:\n{gateway.process.tail()}", returncode=3)


@pytest.fixture
def aws(moto, _account):
    """The account, as new."""
    _account.reset()
    return _account


@pytest.fixture(scope="session")
def _account(moto):
    return Account(moto)


@pytest.fixture(scope="session")
def storage(azurite):
    return Storage(**azurite)
