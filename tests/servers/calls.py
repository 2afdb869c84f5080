"""A call through the gateway in `observe` mode, seen from both sides of it."""

from dataclasses import dataclass

from wire import HOP_BY_HOP, Message

# Between neighbours, and covered by no signature: the gateway asks for codings that it can undo, bids a client that
# expects it to continue, and adds itself to `Via`.
NEGOTIATED = {"accept-encoding", "expect", "via"}


@dataclass(frozen=True)
class Seen:
    """`sent` and `got` at the client, `asked` and `replied` at the server."""

    sent: Message
    asked: Message
    replied: Message
    got: Message


def through(gateway, name, call):
    """Makes a call that crosses the relays on both sides. Returns what `call` returns, and what was seen."""
    before, behind = gateway.before[name], gateway.behind[name]
    before.forget(), behind.forget()
    result = call()
    (sent, got), (asked, replied) = before.exchange(), behind.exchange()
    return result, Seen(sent, asked, replied, got)


def nothing_was_changed(seen):
    """Method, path, query, body and each header line, both ways."""
    method, target = seen.sent.start
    origin = target.removeprefix("http://" + seen.sent.get("host"))
    assert seen.asked.start == (method, origin)
    assert seen.asked.body == seen.sent.body
    assert kept(seen.asked) == kept(seen.sent)
    assert seen.got.start == seen.replied.start
    assert seen.got.body == seen.replied.body
    assert kept(seen.got) == kept(seen.replied)


def kept(message):
    """Header lines that the gateway must not touch. Framing may change: what came in pieces may go on with a length."""
    ours = [name for name, _ in message.headers if name.startswith("onevelope-")]
    framing = {"content-length"} if len(message.body) else set()
    return sorted((n, v) for n, v in message.headers if n not in HOP_BY_HOP | NEGOTIATED | framing and n not in ours)


def told(message):
    """The gateway's own headers."""
    return {name: value for name, value in message.headers if name.startswith("onevelope-")}
