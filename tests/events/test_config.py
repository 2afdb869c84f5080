"""What `onevelope check` says about [events]: where, what, and how to mend it."""

import pytest

from gateway import CONFIGURATION, run

CASES = [
    ('[events]\ninclud = "all"\n', 2, "did you mean `include`"),
    ("[events.kafka]\n", 1, "unknown key `kafka`"),
    ("[events.file]\n", 1, "directory is missing"),
    ('[events.file]\ndirectory = "spool"\nrotate = "64 MiB"\n', 1, "at least twice `rotate`"),
    ('[events.file]\ndirectory = "spool"\nmax_age = "7 parsecs"\n', 3, "no duration"),
    ('[events.file]\ndirectory = "spool"\nmax_age = "1s"\n', 3, 'at least "1m"'),
    ('[events.nats]\nurl = "nats://n:4222"\n', 1, "add [events.file]"),
    ('[events.nats]\nurl = "http://n:4222"\nspool = "spool"\n', 2, "nats://host:4222"),
    ('[events.nats]\nurl = "nats://a:one@n, nats://b:two@m"\nspool = "spool"\n', 2, "one user for all servers"),
    ('[events.nats]\nurl = "nats://n"\nspool = "spool"\nsubject = "events.>"\n', 4, "no subject"),
    ('[events.nats]\nurl = "nats://n"\nspool = "spool"\nstream = "a.b"\n', 4, "no stream name"),
    ('[events.nats]\nurl = "nats://n"\nspool = "a"\n[events.file]\ndirectory = "b"\n', 3, "remove `spool`"),
]


def check(binary, tmp_path, events):
    file = tmp_path / "onevelope.toml"
    before = CONFIGURATION.format(listen=0, admin=0, vendor="127.0.0.1:1", events="", drain="20s")
    file.write_text(before.rstrip("\n") + "\n" + events)
    return run(binary, "check", "--config", file), len(before.rstrip("\n").splitlines()), file


@pytest.mark.parametrize("events, line, what", CASES, ids=[case[2] for case in CASES])
def test_problems_have_a_place_and_a_remedy(binary, tmp_path, events, line, what):
    (code, _, told), before, file = check(binary, tmp_path, events)
    assert code == 78, told
    assert f"{file}:{before + line}:" in told and what in told, told
    assert len(told.splitlines()) == 1, "one fault, one problem"


@pytest.mark.parametrize("events", [
    '[events]\ninclude = "all"\n[events.stdout]\n',
    '[events.file]\ndirectory = "spool"\n[events.nats]\nurl = "nats://user:secret@a:4222, tls://b"\n',
    '[events.nats]\nurl = "nats://n"\nspool = "spool"\n',
])
def test_good_tables_are_taken_and_open_nothing(binary, tmp_path, events):
    (code, _, told), _, _ = check(binary, tmp_path, events)
    assert code == 0, told
    assert [file.name for file in tmp_path.iterdir()] == ["onevelope.toml"]
