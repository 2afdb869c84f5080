"""Events in a JetStream are the failures that happened: none lost and none twice, whoever goes away in between."""

from concurrent.futures import ThreadPoolExecutor

from gateway import run, until

EVENTS = """
[events.file]
directory = "{spool}"

[events.nats]
url = "{url}"
"""


def published(gateway, count):
    until(lambda: gateway.count("onevelope_events_total", sink="nats", result="published") == count, f"{count} events are published")


def written(gateway, count):
    until(lambda: gateway.count("onevelope_events_total", sink="file", result="written") == count, f"{count} events are in the spool")


def assert_stream_is(nats, failed):
    events = nats.events()
    assert sorted(event["resource"] for _, event in events) == sorted(failed)
    ids = [event["event_id"] for _, event in events]
    assert [message_id for message_id, _ in events] == ids, "the stream cannot know repeats by any other id"
    assert len(set(ids)) == len(ids)
    assert {(event["outcome"], event["vendor"], event["vendor_code"]) for _, event in events} == {("failed", "huawei", "Ecs.0614")}


def nothing_dropped(gateway):
    return all(gateway.count("onevelope_events_dropped_total", sink=sink) == 0 for sink in ("file", "nats"))


def test_rows_stand_at_0_before_anything_happens(start, nats, tmp_path):
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    for sink, result in (("file", "written"), ("file", "failed"), ("nats", "published"), ("nats", "failed")):
        assert gateway.count("onevelope_events_total", sink=sink, result=result) == 0
    assert nothing_dropped(gateway)


def test_nats_away_for_the_middle_third(start, nats, caller, tmp_path):
    nats.start()
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    with ThreadPoolExecutor(1) as pool:
        # Calls go on all the time, so that NATS dies with events under way.
        calls = pool.submit(caller.send, gateway, 900, failing=10)
        until(lambda: caller.batches >= 300, "a third of the calls is made")
        nats.kill()
        until(lambda: caller.batches >= 600, "two thirds are made")
        assert gateway.count("onevelope_events_pending_bytes", sink="nats") > 0
        nats.start()
        calls.result(60)
    published(gateway, 9000)
    assert_stream_is(nats, caller.failed)
    assert nothing_dropped(gateway)
    # Each failed try is at most the 256 under way, and longer and longer pauses follow.
    assert gateway.count("onevelope_events_total", sink="nats", result="failed") <= 10 * 256
    until(lambda: gateway.count("onevelope_events_pending_bytes", sink="nats") == 0, "nothing waits")


def test_the_stream_is_made_on_disk_with_a_memory_of_ids(start, nats, caller, tmp_path):
    nats.start()
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url) + 'stream = "FAILURES"\nsubject = "cloud.failures"\nduplicate_window = "5m"\n')
    caller.send(gateway, 1)
    published(gateway, 3)
    config = nats.config("FAILURES")
    assert (config.subjects, config.storage, config.duplicate_window) == (["cloud.failures"], "file", 300)
    assert len(nats.events("FAILURES")) == 3


def test_a_full_stream_refuses_events_and_gets_them_when_it_has_room(start, nats, caller, tmp_path):
    nats.start()
    stream = {"name": "ONEVELOPE", "subjects": ["onevelope.events"], "discard": "new"}
    nats.make(**stream, max_msgs=100)
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    caller.send(gateway, 3, failing=100)
    until(lambda: gateway.count("onevelope_events_total", sink="nats", result="failed") > 0, "events are refused")
    assert gateway.count("onevelope_events_total", sink="nats", result="published") <= 100
    nats.change(**stream, max_msgs=-1)
    published(gateway, 300)
    assert_stream_is(nats, caller.failed)
    assert nothing_dropped(gateway)


def test_the_gateway_is_killed_while_nats_is_away(start, nats, caller, tmp_path):
    nats.start()
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    caller.send(gateway, 50)
    published(gateway, len(caller.failed))
    nats.kill()
    caller.send(gateway, 50)
    written(gateway, len(caller.failed))
    gateway.kill()
    gateway.start()
    caller.send(gateway, 50)
    nats.start()
    published(gateway, 300)  # of this process; the first 150 are behind the cursor
    assert_stream_is(nats, caller.failed)


def test_the_gateway_is_killed_while_it_publishes(start, nats, caller, tmp_path):
    nats.start()
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    for _ in range(3):
        caller.send(gateway, 20, failing=100)
        written(gateway, 2000)
        gateway.kill()
        gateway.start()
    until(lambda: gateway.count("onevelope_events_pending_bytes", sink="nats") == 0, "all is published")
    assert_stream_is(nats, caller.failed)


def test_sigterm_publishes_what_is_left(start, nats, caller, tmp_path):
    nats.start()
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    caller.send(gateway, 20, failing=100)
    gateway.stop()
    assert_stream_is(nats, caller.failed)


def test_sigterm_does_not_wait_for_a_nats_that_is_away(start, nats, caller, tmp_path):
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    caller.send(gateway, 20)
    assert gateway.stop() < 10, "the drain's deadline is 20 s, and nothing can be done in it"
    nats.start()
    gateway.start()
    published(gateway, len(caller.failed))
    assert_stream_is(nats, caller.failed)


def test_a_spool_too_small_for_the_outage_tells_exactly_what_it_lost(start, nats, caller, tmp_path):
    bounds = 'max_size = "128 KiB"\nrotate = "64 KiB"\n'
    gateway = start(EVENTS.replace("\n\n[events.nats]", f"\n{bounds}\n[events.nats]").format(spool=tmp_path / "spool", url=nats.url))
    caller.send(gateway, 20, failing=100)
    written(gateway, len(caller.failed))
    lost = int(gateway.count("onevelope_events_dropped_total", sink="nats"))
    assert 0 < lost < len(caller.failed)
    nats.start()
    published(gateway, len(caller.failed) - lost)
    arrived = [event["resource"] for _, event in nats.events()]
    assert len(set(arrived)) == len(arrived) == len(caller.failed) - lost
    # Not just the newest: the first were read already, and wait in memory.
    assert set(arrived) < set(caller.failed) and arrived[-100:] == caller.failed[-100:]


def test_replay_sends_a_spool_again_and_the_stream_takes_each_event_once(start, nats, caller, binary, tmp_path):
    nats.start()
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    caller.send(gateway, 10)
    published(gateway, 30)
    code, _, told = run(binary, "replay", "--spool", tmp_path / "spool", "--to", nats.url)
    assert (code, "30 more were there already" in told) == (0, True), told
    assert_stream_is(nats, caller.failed)
    code, _, told = run(binary, "replay", "--spool", tmp_path / "spool", "--to", nats.url, "--stream", "AGAIN", "--subject", "again")
    assert (code, "30 events sent" in told) == (0, True), told
    assert len(nats.events("AGAIN")) == 30
