"""A real nats-server with JetStream that can be killed and come back, and what is in its stream."""

import asyncio
import json
import shutil
import socket
import subprocess

import nats as client
import pytest

from gateway import free_ports, until


class NatsServer:
    """`options` go to the server as they are; `url` is what its clients are told, credentials included."""

    def __init__(self, store, *options, user=None, scheme="nats"):
        self.program = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/bin")
        if not self.program:
            pytest.exit("nats-server is not installed", returncode=2)
        self.store, self.port, self.process = store, free_ports("nats")["nats"], None
        self.client = {}  # what else the tests' own client needs
        self.options, self.address = options, f"127.0.0.1:{self.port}"
        self.url = f"{scheme}://{user + '@' if user else ''}{self.address}"

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "--jetstream", "--store_dir", self.store, "--addr", "127.0.0.1", "--port", str(self.port),
             *map(str, self.options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.listens, "nats-server listens")

    def listens(self):
        assert self.process.poll() is None, "nats-server ended"
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait(10)

    def events(self, stream="ONEVELOPE"):
        """Everything in the stream: (Nats-Msg-Id, event), in order."""
        return asyncio.run(self._events(stream))

    async def _events(self, stream):
        connection = await client.connect(self.url, **self.client)
        try:
            jetstream = connection.jetstream()
            info = await jetstream.stream_info(stream)
            if info.state.messages == 0:
                return []
            subscription = await jetstream.subscribe(info.config.subjects[0], stream=stream, ordered_consumer=True)
            messages = [await subscription.next_msg(timeout=10) for _ in range(info.state.messages)]
            return [(message.headers["Nats-Msg-Id"], json.loads(message.data)) for message in messages]
        finally:
            await connection.close()

    def config(self, stream="ONEVELOPE"):
        return self._ask(lambda jetstream: jetstream.stream_info(stream)).config

    def make(self, **config):
        return self._ask(lambda jetstream: jetstream.add_stream(**config))

    def change(self, **config):
        return self._ask(lambda jetstream: jetstream.update_stream(**config))

    def _ask(self, question):
        async def ask():
            connection = await client.connect(self.url, **self.client)
            try:
                return await question(connection.jetstream())
            finally:
                await connection.close()

        return asyncio.run(ask())
