"""What an operator sees at 3 a.m., and that the terminal is as before when it ends."""

import json
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway import until


def admin(gateway):
    return f"http://127.0.0.1:{gateway.ports['admin']}"


@pytest.mark.parametrize("end", ["q", "C-c"])
def test_top_shows_who_fails_and_leaves_the_terminal_as_it_was(terminal, gateway, caller, binary, end):
    before = terminal.settings("before")
    terminal.run(f"clear; echo an earlier line; {binary} top --every 1 --admin {admin(gateway)}; echo ended with $?")
    terminal.shows("onevelope top", "nothing has failed")
    assert terminal.state() == ["1", "0"], "its own screen, without a cursor"
    caller.send(gateway, 2, failing=1)
    screen = terminal.shows("bad-1-0", "bad-2-0")
    assert "an earlier line" not in screen
    [row] = [line.split() for line in screen.splitlines() if "bad-2-0" in line]
    assert row[:6] == ["huawei", "BatchResetServersPassword", "bad-2-0", "1", "not_found", "Ecs.0614"]
    [vendor] = [line.split() for line in screen.splitlines() if line.startswith("huawei") and "bad" not in line]
    assert vendor == ["huawei", "2", "0", "2", "0", "0"], "succeeded, accepted, failed, not attempted, unknown"
    terminal.keys(end)
    screen = terminal.shows("an earlier line", "ended with 0")
    assert "bad-1-0" not in screen
    assert terminal.state() == ["0", "1"]
    assert terminal.settings("after") == before


def test_top_in_a_small_terminal_wraps_nothing(terminal, gateway, caller, binary):
    terminal.tmux("resize-window", "-x", "60", "-y", "14")
    caller.send(gateway, 1, failing=30)
    terminal.run(f"{binary} top --admin {admin(gateway)}")
    screen = terminal.shows("onevelope top", "bad-1-")
    assert screen.startswith("onevelope top"), screen
    rows = [line for line in screen.splitlines() if "bad-1-" in line]
    assert len(rows) > 3 and all(line.startswith("huawei") for line in rows)


def test_top_says_what_is_wrong_on_the_usual_screen(terminal, gateway, binary):
    terminal.run(f"clear; {binary} top --every 1 --admin {admin(gateway)}; echo ended with $?")
    terminal.shows("nothing has failed")
    gateway.kill()
    terminal.shows("is the gateway running there?", "ended with 1")
    assert terminal.state() == ["0", "1"]


def test_tap_shows_batches_and_failures_as_they_happen(terminal, gateway, caller, binary):
    terminal.run(f"clear; {binary} tap --admin {admin(gateway)}; echo ended with $?")

    # Nothing tells that it listens, so calls go on until one is seen.
    def seen():
        caller.send(gateway, 1, failing=1)
        return "bad-" in terminal.screen()

    until(seen, "a failure on the screen")
    screen = terminal.shows("partial    2 items")
    [row, *_] = [line.split() for line in screen.splitlines() if "bad-" in line]
    assert row[1:4] == ["huawei", "BatchResetServersPassword", "failed"] and row[5:] == ["not_found", "Ecs.0614"]
    terminal.keys("C-c")
    terminal.shows("ended with 0")


def test_piped_top_is_json_lines(gateway, caller, binary):
    caller.send(gateway, 1, failing=2)
    with subprocess.Popen([binary, "top", "--every", "1", "--admin", admin(gateway)], stdout=subprocess.PIPE, text=True) as top:
        looks = [json.loads(top.stdout.readline()) for _ in range(2)]
        top.send_signal(signal.SIGINT)
        assert top.wait(10) == 0
    for look in looks:
        assert sorted(row["resource"] for row in look["failing"]) == ["bad-1-0", "bad-1-1"]
        assert [row["failed"] for row in look["vendors"] if row["vendor"] == "huawei"] == [2]
    once = subprocess.run([binary, "top", "--once", "--admin", admin(gateway)], capture_output=True, text=True, timeout=20)
    assert once.returncode == 0 and len(once.stdout.splitlines()) == 1 and "\x1b" not in once.stdout


def test_piped_tap_is_json_lines(gateway, caller, binary):
    with subprocess.Popen([binary, "tap", "--failed", "--admin", admin(gateway)], stdout=subprocess.PIPE, text=True) as tap:
        lines = iter(tap.stdout.readline, "")
        # As above: until the first is heard.
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(next, lines)
            until(lambda: caller.send(gateway, 1, failing=1) or first.done(), "a line")
        one = json.loads(first.result())
        tap.send_signal(signal.SIGINT)
        assert tap.wait(10) == 0
    assert one["kind"] == "verdict" and one["data"]["outcome"] == "failed" and one["data"]["resource"] in caller.failed
