#!/usr/bin/env python3
"""Mixed calls through one gateway for a long time, while its vendor misbehaves in every way it can.

    tests/soak/soak.py --binary target/release/onevelope [--minutes 20] [--callers 32]

Nothing but Python's own library; not part of `tests/run`. Each call has a number of its own. Callers keep what they were told, the vendor
what it heard. At the end:

- lost: calls that got no status line. There must be none, whatever the vendor does.
- doubled: calls that change something and reached the vendor twice. There must be none. (A GET may be asked again; counted apart.)
- untrue: verdicts other than what the vendor did, bodies that were cut and came as whole ones, or differ from what was sent.
- uncounted: calls that `onevelope_requests_total` does not know, or counts twice.
- memory and file descriptors, which must not grow.
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

PATH = "/v1/0605768a/cloudservers/os-reset-passwords"
BIG = bytes(range(256)) * (8 << 10)  # 2 MiB
FAULTS = ["reset", "close", "cut", "stall", "liar"]
CONFIGURATION = """
[listen]
address = "127.0.0.1:{listen}"
[admin]
address = "127.0.0.1:{admin}"
[routes.all]
vendor   = "huawei"
upstream = "vendor"
[upstreams.vendor]
url          = "http://127.0.0.1:{vendor}"
head_timeout = "2s"
body_timeout = "2s"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def read_head(reader):
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
    return start, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


class Vendor:
    """Answers as the call's own headers say; forgets its connections now and then."""

    def __init__(self, port):
        self.port, self.heard, self.restarts = port, collections.Counter(), 0
        self.writers = set()

    async def start(self):
        self.server = await asyncio.start_server(self.converse, "127.0.0.1", self.port, reuse_address=True)

    async def restart(self):
        """All connections break, some in the middle of something; for a moment nobody listens."""
        self.restarts += 1
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()
        await asyncio.sleep(0.3)
        await self.start()

    async def converse(self, reader, writer):
        self.writers.add(writer)
        try:
            while await self.answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def answer(self, reader, writer):
        start, headers = await read_head(reader)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.heard[int(headers["x-soak"])] += 1
        fault = headers.get("x-soak-fault", "")
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            return False
        if fault == "close":
            return False
        if "/big" in start:
            status, kind, reply = "200 OK", "application/octet-stream", BIG
        elif PATH in start:
            asked = [server["id"] for server in json.loads(body)["servers"]]
            bad = [{"id": id, "error_code": "Ecs.0614", "error_message": "no"} for id in asked if id.startswith("bad")]
            told = {"error": {"code": "Ecs.0611", "message": "no"}, "internalError": bad} if bad else {
                "response": [{"id": id} for id in asked]}
            status, kind, reply = "400 Bad Request" if bad else "200 OK", "application/json", json.dumps(told).encode()
        else:
            status, kind, reply = "200 OK", "text/plain", f"{start} {len(body)}".encode()
        if fault == "liar":  # chunks, and a length beside them that is not theirs
            head = f"Content-Length: {len(reply) // 2}\r\nTransfer-Encoding: chunked"
            reply = b"%x\r\n%s\r\n0\r\n\r\n" % (len(reply), reply)
        else:
            head = f"Content-Length: {len(reply)}"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{head}\r\n\r\n".encode())
        if fault in ("cut", "stall"):
            writer.write(reply[: len(reply) // 2])
            await writer.drain()
            if fault == "stall":
                await asyncio.sleep(3)
            return False
        writer.write(reply)
        await writer.drain()
        return True


class Callers:
    def __init__(self, port, vendor):
        self.port, self.vendor, self.number = port, vendor, 0
        self.counts, self.wrong, self.changing = collections.Counter(), [], set()

    async def work(self, until):
        dice = random.Random(self.number)
        connection = None
        while time.monotonic() < until:
            # A vendor that restarts breaks calls that are fine: then a refusal is true, too.
            self.number += 1
            call, kind = self.number, dice.choice(["batch"] * 6 + ["pass"] * 4 + ["upload", "big", "slow"])
            fault = dice.choice(FAULTS) if dice.random() < 0.1 else ""
            try:
                if connection is None:
                    connection = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 16)
                keep = await asyncio.wait_for(self.call(connection, call, kind, fault, dice), 60)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as cause:
                self.counts["lost"] += 1
                self.wrong.append(f"lost: {kind} {fault}: {cause!r}")
                keep = False
            if not keep:
                connection[1].close()
                connection = None

    async def call(self, connection, call, kind, fault, dice):
        reader, writer = connection
        restarts = self.vendor.restarts
        ids = [f"{dice.choice(['good', 'good', 'good', 'bad'])}-{call}-{n}" for n in range(dice.randint(1, 20))]
        method, path, body = {
            "batch": ("PUT", PATH, json.dumps({"new_password": "x", "servers": [{"id": id} for id in ids]}).encode()),
            "pass": ("GET", f"/v1/things/{call}", b""),
            "upload": ("POST", "/v1/upload", BIG[: dice.randint(1, 300_000)]),
        }.get(kind, ("GET", "/v1/big", b""))
        if method != "GET":
            self.changing.add(call)
        fault_line = f"X-Soak-Fault: {fault}\r\n" if fault else ""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: ecs.eu-west-0.myhuaweicloud.com\r\nContent-Type: application/json\r\n"
                     f"X-Soak: {call}\r\n{fault_line}{length}\r\n".encode() + body)
        await writer.drain()
        start, headers = await read_head(reader)
        status = int(start.split()[1])
        self.counts[f"{kind} {fault or 'fine'}"] += 1
        got, whole = await self.body(reader, headers, slow=kind == "slow")
        disturbed = fault or self.vendor.restarts != restarts or status in (502, 503, 504)
        truth = self.judge(kind, ids, status, got, whole, fault, disturbed, body)
        if truth:
            self.counts["untrue"] += 1
            self.wrong.append(f"untrue: {kind} {fault}: {truth}")
        return whole and headers.get("connection") != "close"

    async def body(self, reader, headers, slow):
        got = bytearray()
        try:
            if headers.get("transfer-encoding") == "chunked":
                while size := int(await reader.readuntil(b"\r\n"), 16):
                    got += await reader.readexactly(size)
                    await reader.readexactly(2)
                await reader.readexactly(2)
                return got, True
            length = int(headers["content-length"])
            while len(got) < length:
                piece = await reader.read(min(1 << 16, length - len(got)))
                if not piece:
                    return got, False
                got += piece
                if slow:
                    await asyncio.sleep(0.05)
            return got, True
        except (OSError, asyncio.IncompleteReadError, ValueError):
            return got, False

    @staticmethod
    def judge(kind, ids, status, got, whole, fault, disturbed, body):
        if kind == "batch":
            if not whole:
                return "an envelope was cut"
            results = {r["id"]: r["outcome"] for r in json.loads(got)["results"]}
            if list(results) != ids:
                return f"asked {ids}, told of {list(results)}"
            expected = {id: "failed" if id.startswith("bad") else None for id in ids}
            for id, outcome in results.items():
                good = outcome in ("succeeded", "accepted")
                # A restart may come when all was said already; then good is true.
                if good and (fault or expected[id]):
                    return f"{id} is {outcome} under {status}, and is not"
                if not disturbed and expected[id] and outcome != "failed":
                    return f"{id} is {outcome}"
            if not disturbed and not any(expected.values()) and status != 200:
                return f"all is well, and the status {status}"
            return None
        if status in (502, 503, 504):
            return None if disturbed else f"{status} without a reason"
        if kind in ("big", "slow"):
            return f"{len(got)} bytes came as all of it" if whole and got != BIG else None
        if whole and not disturbed and got.split()[-1] != str(len(body)).encode():
            return f"another reply: {bytes(got[:80])}"
        return None


class Gauge:
    """Memory and descriptors of the gateway."""

    def __init__(self, pid):
        self.pid, self.rss, self.fds = pid, [], []

    def take(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        self.rss.append(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024)
        self.fds.append(len(os.listdir(f"/proc/{self.pid}/fd")))

    async def watch(self, until):
        while time.monotonic() < until:
            self.take()
            await asyncio.sleep(1)

    def report(self, name, values, slack):
        """The second quarter against the last: what grows with time shows, what a full house needs does not."""
        quarter = max(len(values) // 4, 1)
        early, late = max(values[quarter: 2 * quarter] or values), max(values[-quarter:])
        print(f"{name}: {early:.0f} at most in the second quarter, {late:.0f} in the last, {max(values):.0f} ever")
        return late <= early * 1.1 + slack


def counted(admin):
    text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10).read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("onevelope_requests_total{"))


async def soak(options):
    ports = {name: free_port() for name in ("listen", "admin", "vendor")}
    vendor = Vendor(ports["vendor"])
    await vendor.start()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-"))
    (folder / "onevelope.toml").write_text(CONFIGURATION.format(**ports))
    with (folder / "log").open("wb") as log:
        gateway = subprocess.Popen([options.binary, "serve", "--config", folder / "onevelope.toml"], stderr=log)
    try:
        for _ in range(200):
            try:
                counted(ports["admin"])
                break
            except OSError:
                await asyncio.sleep(0.1)
        gauge, callers = Gauge(gateway.pid), Callers(ports["listen"], vendor)
        gauge.take()
        idle = gauge.fds[0]
        until = time.monotonic() + options.minutes * 60

        async def restarts():
            while time.monotonic() + 15 < until:
                await asyncio.sleep(random.uniform(5, 15))
                await vendor.restart()

        work = [callers.work(until) for _ in range(options.callers)]
        await asyncio.gather(gauge.watch(until), restarts(), *work)
        # Pooled connections are idle for a while before they are closed.
        for _ in range(30):
            await asyncio.sleep(1)
            if len(os.listdir(f"/proc/{gateway.pid}/fd")) <= idle + 2:
                break
        left = len(os.listdir(f"/proc/{gateway.pid}/fd")) - idle
        known = counted(ports["admin"])
    finally:
        gateway.send_signal(signal.SIGTERM)
        gateway.wait(60)
    return report(options, vendor, callers, gauge, left, known)


def report(options, vendor, callers, gauge, left, known):
    doubled = sum(1 for call in callers.changing if vendor.heard[call] > 1)
    again = sum(1 for call, times in vendor.heard.items() if times > 1 and call not in callers.changing)
    uncounted = callers.number - int(known)
    print(f"{options.minutes:g} minutes, {options.callers} callers, {vendor.restarts} restarts of the vendor, {callers.number} calls")
    for name, count in sorted(callers.counts.items()):
        print(f"  {name}: {count}")
    print(f"lost {callers.counts['lost']}, doubled {doubled}, untrue {callers.counts['untrue']}, uncounted {uncounted}; GETs asked again {again}")
    flat = gauge.report("memory, MiB", gauge.rss, 8)
    flat &= gauge.report("descriptors", gauge.fds, 8)
    print(f"descriptors left when all was over: {left}")
    for line in callers.wrong[:20]:
        print(line)
    held = not (callers.counts["lost"] or doubled or callers.counts["untrue"] or uncounted) and flat and left <= 2
    print("held" if held else "NOT HELD")
    return 0 if held else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--callers", type=int, default=32)
    sys.exit(asyncio.run(soak(parser.parse_args())))
