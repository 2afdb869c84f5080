"""`onevelope top` and `onevelope tap` in a real terminal, which is tmux.

Needs ONEVELOPE, the path of a built binary, and tmux on the PATH.
"""

import shutil
import sys

sys.dont_write_bytecode = True

import pytest

from gateway import Gateway, binary
from terminal import Terminal
from vendor import Caller, Vendor


@pytest.fixture
def gateway(binary, tmp_path):
    vendor = Vendor()
    gateway = Gateway(binary, vendor, tmp_path, "")
    yield gateway
    gateway.close()
    vendor.close()


@pytest.fixture
def caller():
    return Caller()


@pytest.fixture
def terminal(tmp_path):
    if not shutil.which("tmux"):
        pytest.exit("tmux is not installed", returncode=2)
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()
