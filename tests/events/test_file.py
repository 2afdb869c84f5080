"""The file sink: whole lines, bounds that hold, a full disk that costs no request."""

import json
import os
import resource
import subprocess

import pytest

from gateway import run, until

FILE = '[events.file]\ndirectory = "{spool}"\n'
SMALL = FILE + 'max_size = "128 KiB"\nrotate = "64 KiB"\n'


def held(spool):
    """All events of a spool in order; every line must be one."""
    return [json.loads(line) for file in sorted(spool.glob("events-*.ndjson")) for line in file.read_text().splitlines()]


def size(spool):
    return sum(file.stat().st_size for file in spool.glob("events-*.ndjson"))


def written(gateway, count):
    until(lambda: gateway.count("onevelope_events_total", sink="file", result="written") == count, f"{count} events are written")


def test_failures_become_lines_and_good_verdicts_do_not(start, caller, tmp_path):
    gateway = start(FILE.format(spool=tmp_path / "spool"))
    caller.send(gateway, 5)
    written(gateway, 15)
    assert [event["resource"] for event in held(tmp_path / "spool")] == caller.failed
    assert "new_password" not in "".join(file.read_text() for file in (tmp_path / "spool").glob("*.ndjson"))


def test_include_all_takes_the_good_ones_too(start, caller, tmp_path):
    gateway = start('[events]\ninclude = "all"\n' + FILE.format(spool=tmp_path / "spool"))
    caller.send(gateway, 5, failing=0)
    caller.send(gateway, 1)
    written(gateway, 9)
    assert [event["outcome"] for event in held(tmp_path / "spool")] == ["succeeded"] * 6 + ["failed"] * 3
    status, text = gateway.admin("/api/failures")
    assert {failure["outcome"] for failure in json.loads(text)["failures"]} == {"failed"}


def test_files_take_turns_and_stay_within_their_bound(start, caller, tmp_path):
    spool = tmp_path / "spool"
    gateway = start(SMALL.format(spool=spool))
    for _ in range(20):
        caller.send(gateway, 1, failing=100)
        written(gateway, len(caller.failed))
        assert size(spool) <= 128 << 10
    resources = [event["resource"] for event in held(spool)]
    assert len(resources) > 100
    assert resources == caller.failed[-len(resources):], "the oldest go first, without a gap"
    assert gateway.count("onevelope_events_dropped_total", sink="file") == 0, "old events were written; they are not dropped"


def test_sigterm_writes_what_is_queued(start, caller, tmp_path):
    gateway = start(FILE.format(spool=tmp_path / "spool"))
    caller.send(gateway, 20, failing=200)
    gateway.stop()
    assert [event["resource"] for event in held(tmp_path / "spool")] == caller.failed


class FullDisk:
    """A file system of 256 KiB, where one may be mounted; else files that must not grow beyond that, which fails likewise:
    a part is written, then an error."""

    def __init__(self, path):
        self.path, self.mounted = path, False
        path.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(path)]
        self.mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0

    def fill(self, gateway):
        if not self.mounted:
            resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (256 << 10, resource.RLIM_INFINITY))

    def free(self, gateway):
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,size=64m", str(self.path)], check=True)
        else:
            resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def close(self):
        if self.mounted:
            # Lazily: the gateway still holds files.
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)


@pytest.fixture
def disk(tmp_path):
    disk = FullDisk(tmp_path / "disk")
    yield disk
    disk.close()


def test_a_full_disk_drops_events_and_no_request_and_recovers(start, caller, disk):
    spool = disk.path / "spool"
    gateway = start(FILE.format(spool=spool))
    disk.fill(gateway)
    # Every answer is checked as it comes, with 5 s for each.
    caller.send(gateway, 80, failing=200)
    dropped = until(lambda: gateway.count("onevelope_events_dropped_total", sink="file"), "events are dropped")
    assert gateway.count("onevelope_events_total", sink="file", result="failed") > 0
    disk.free(gateway)
    written(gateway, len(caller.failed) - dropped)
    assert gateway.count("onevelope_events_dropped_total", sink="file") == dropped, "what waited was written"
    before = len(held(spool))
    assert before == len(caller.failed) - dropped, "no line was torn and none written twice"
    caller.send(gateway, 1)
    written(gateway, len(caller.failed) - dropped)
    assert [event["resource"] for event in held(spool)[before:]] == caller.failed[-3:]


def test_a_disk_that_stays_full_does_not_keep_the_process_from_ending(start, caller, disk):
    gateway = start(FILE.format(spool=disk.path / "spool"))
    disk.fill(gateway)
    caller.send(gateway, 20, failing=200)
    until(lambda: gateway.count("onevelope_events_total", sink="file", result="failed"), "the disk is full")
    assert gateway.stop() < 10


def test_a_second_gateway_is_refused_the_same_spool(start, binary, caller, tmp_path):
    gateway = start(FILE.format(spool=tmp_path / "spool"))
    other = tmp_path / "other.toml"
    other.write_text(gateway.file.read_text().replace(f":{gateway.ports['listen']}", ":0").replace(f":{gateway.ports['admin']}", ":0"))
    code, _, told = run(binary, "serve", "--config", other)
    assert (code, "another process writes here" in told) == (78, True), told


def test_replay_prints_a_spool_and_says_what_was_torn(start, binary, caller, tmp_path):
    spool = tmp_path / "spool"
    gateway = start(FILE.format(spool=spool))
    caller.send(gateway, 5)
    written(gateway, 15)
    gateway.stop()
    with max(spool.glob("events-*.ndjson")).open("a") as file:
        file.write('{"event_id":"broken\n{"event_id":"to')
    code, out, told = run(binary, "replay", "--spool", spool)
    assert [json.loads(line)["resource"] for line in out.splitlines()] == caller.failed
    assert (code, told.startswith("1 lines are no events")) == (0, True), told


def test_replay_since_leaves_older_events_out(start, binary, caller, tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    old = {"event_id": "01J-0", "time": "2020-01-01T00:00:00.000Z", "resource": "old"}
    (spool / "events-000000000001.ndjson").write_text(json.dumps(old) + "\n")
    gateway = start(FILE.format(spool=spool))
    caller.send(gateway, 1)
    written(gateway, 3)
    for since, expected in (("1h", caller.failed), ("20years", ["old"] + caller.failed)):
        code, out, told = run(binary, "replay", "--spool", spool, "--since", since)
        assert (code, [json.loads(line)["resource"] for line in out.splitlines()]) == (0, expected), told


def test_replay_of_nothing_says_so(binary, tmp_path):
    code, out, told = run(binary, "replay", "--spool", tmp_path / "missing")
    assert (code, out) == (1, "") and "missing" in told
