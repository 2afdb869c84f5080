"""Who may publish: a user with a password, a token, TLS. What is secret is told to the server alone."""

import ssl
import subprocess

import pytest

from gateway import run, until
from stream import NatsServer

EVENTS = '[events.file]\ndirectory = "{spool}"\n\n[events.nats]\nurl = "{url}"\n'
SECRET = "p@ss,w0rd:1"
ENCODED = "p%40ss%2Cw0rd%3A1"


@pytest.fixture
def server(tmp_path):
    started = []

    def server(*options, **how):
        started.append(NatsServer(tmp_path / "jetstream", *options, **how))
        return started[-1]

    yield server
    for one in started:
        one.kill()


def published(gateway, count):
    until(lambda: gateway.count("onevelope_events_total", sink="nats", result="published") == count, f"{count} events are published")


def test_a_password_opens_the_door_and_is_told_to_nobody_else(start, caller, server, binary, tmp_path):
    nats = server("--user", "onevelope", "--pass", SECRET, user=f"onevelope:{ENCODED}")
    url = f"{nats.url},nats://onevelope:{ENCODED}@{nats.address}"
    # The server comes late, so that failed tries are logged, too.
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=url), env={"ONEVELOPE_LOG": "trace"})
    caller.send(gateway, 3)
    until(lambda: "NATS is away" in gateway.log.read_text(), "the log says that NATS is away")
    nats.start()
    published(gateway, 9)
    told = gateway.log.read_text() + gateway.admin("/api/config")[1] + gateway.admin("/metrics")[1]
    assert nats.address in gateway.admin("/api/config")[1]
    told += run(binary, "check", "--config", gateway.file)[2]
    code, out, talk = run(binary, "replay", "--spool", tmp_path / "spool", "--to", nats.url)
    assert code == 0 and "9 more were there already" in talk, talk
    nats.kill()
    code, _, refused = run(binary, "replay", "--spool", tmp_path / "spool", "--to", nats.url)
    assert code == 1 and nats.address in refused, refused
    told += out + talk + refused + run(binary, "replay", "--spool", tmp_path / "spool", "--to", f"http://u:{ENCODED}@h")[2]
    assert SECRET not in told and ENCODED not in told


def test_a_wrong_password_is_said_and_events_wait(start, caller, server, tmp_path):
    nats = server("--user", "onevelope", "--pass", SECRET, user="onevelope:wrong")
    nats.start()
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    caller.send(gateway, 1)
    until(lambda: "uthorization" in gateway.log.read_text(), "the log says why")
    until(lambda: gateway.count("onevelope_events_pending_bytes", sink="nats") > 0, "the event waits in the spool")
    assert gateway.count("onevelope_events_dropped_total", sink="nats") == 0


def test_a_token_alone(start, caller, server, tmp_path):
    nats = server("--auth", "t0ken", user="t0ken")
    nats.start()
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=nats.url))
    caller.send(gateway, 1)
    published(gateway, 3)


def test_tls_with_an_authority_of_ones_own(start, caller, server, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=nats", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    nats = server("--tls", "--tlscert", certificate, "--tlskey", key, scheme="tls")
    nats.client = {"tls": ssl.create_default_context(cafile=certificate)}
    nats.start()
    trusting = EVENTS.format(spool=tmp_path / "spool", url=nats.url) + f'ca = "{certificate}"\n'
    gateway = start(trusting)
    caller.send(gateway, 1)
    published(gateway, 3)
    assert len(nats.events()) == 3


def test_an_account_that_may_only_publish(start, caller, server, tmp_path):
    rights = tmp_path / "nats.conf"
    rights.write_text("""authorization { users = [
        { user: admin, password: a }
        { user: sender, password: s, permissions: { publish: ["onevelope.events"], subscribe: ["_INBOX.>"] } }
    ] }""")
    nats = server("--config", rights, user="admin:a")
    nats.start()
    nats.make(name="ONEVELOPE", subjects=["onevelope.events"])
    gateway = start(EVENTS.format(spool=tmp_path / "spool", url=f"nats://sender:s@{nats.address}"))
    caller.send(gateway, 2)
    published(gateway, 6)
    assert len(nats.events()) == 6
