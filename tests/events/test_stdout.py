"""Events on standard output: data alone, and a reader that stalls costs nobody but itself."""

import json
import subprocess

from gateway import until

STDOUT = "[events.stdout]\n"


def test_standard_output_is_one_event_a_line(start, caller):
    gateway = start(STDOUT, stdout=subprocess.PIPE)
    caller.send(gateway, 5)
    until(lambda: gateway.count("onevelope_events_total", sink="stdout", result="written") == 15, "15 events are written")
    gateway.stop()
    lines = gateway.process.stdout.read().decode().splitlines()
    assert [json.loads(line)["resource"] for line in lines] == caller.failed


def test_a_stalled_reader_drops_events_and_keeps_neither_requests_nor_files_waiting(start, caller, tmp_path):
    gateway = start(STDOUT + f'[events.file]\ndirectory = "{tmp_path / "spool"}"\n', stdout=subprocess.PIPE)
    caller.send(gateway, 70, failing=200)
    dropped = until(lambda: gateway.count("onevelope_events_dropped_total", sink="stdout"), "events are dropped")
    until(lambda: gateway.count("onevelope_events_total", sink="file", result="written") == len(caller.failed), "the files have all")
    assert gateway.count("onevelope_events_dropped_total", sink="file") == 0
    read = [json.loads(gateway.process.stdout.readline())["resource"] for _ in range(len(caller.failed) - int(dropped))]
    assert len(set(read)) == len(read), "what was not dropped comes when it is read, each once"


def test_a_stalled_reader_keeps_the_process_no_longer_than_the_drain(start, caller):
    gateway = start(STDOUT, stdout=subprocess.PIPE, drain="2s")
    caller.send(gateway, 70, failing=200)
    assert gateway.stop() < 10
    assert "events lost" in gateway.log.read_text()


def test_a_reader_that_is_gone_does_not_matter(start, caller):
    gateway = start(STDOUT, stdout=subprocess.PIPE)
    gateway.process.stdout.close()
    caller.send(gateway, 5)
    until(lambda: gateway.count("onevelope_events_dropped_total", sink="stdout") == 15, "15 events are dropped")
    assert gateway.stop() < 10
