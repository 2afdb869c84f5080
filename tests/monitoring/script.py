"""The scripted run: known failures, more resources than rows, at the pace of Prometheus' scrapes."""

import random
from collections import Counter

from running import HUAWEI, MAX_SERIES, TENCENT, UNREACHABLE, until

# vendor's code -> category, as the vendors' code tables have it
HUAWEI_CODES = {"Ecs.0614": "not_found", "Ecs.0013": "quota_exceeded", "Ecs.0012": "out_of_capacity"}
TENCENT_CODES = {"5000": "not_found", "5200": "out_of_capacity"}
UNMAPPED = "Ecs.77777"
OTHER = {UNMAPPED: "unknown", "unreachable": "unreachable"}
ROUNDS = 24


class Run:
    """What was done, so that it can be compared with what Prometheus has stored."""

    def __init__(self, vendor, gateway, prometheus):
        self.vendor, self.gateway, self.prometheus = vendor, gateway, prometheus
        self.failures = Counter()  # (vendor, resource, category) -> times
        self.failed_in = {}  # request id -> resources that failed in it
        self.at = 0.0  # a moment at which the last failure had its row: Prometheus' time of a scrape
        self.alerts = []  # as /api/v1/alerts told them at about that moment

    def huawei(self, fates, fine=(), host=HUAWEI):
        """One batch: `fates` is id -> code of those that fail."""
        ids = [*fates, *fine]
        body = '{"servers":[%s]}' % ",".join('{"id":"%s"}' % i for i in ids)
        self.call("huawei", fates, HUAWEI_CODES, len(ids), "PUT", host, "/v1/p/cloudservers/server-name", body)

    def tencent(self, fates, fine=()):
        ids = [*fates, *fine]
        query = "".join(f"&instanceIds.{n}={i}" for n, i in enumerate(ids))
        self.call("tencent", fates, TENCENT_CODES, len(ids), "GET", TENCENT, f"/v2/index.php?Action=StopInstances{query}")

    def call(self, vendor, fates, codes, total, method, host, target, body=None):
        self.vendor.fates = fates
        request_id, items = self.gateway.ask(method, host, target, body)
        # The script's own truth: if the reply was read otherwise, nothing below would mean anything.
        assert (items["total"], items["failed"]) == (total, len(fates)), f"{fates}: {items}"
        for resource, code in fates.items():
            self.failures[vendor, resource, codes.get(code, OTHER.get(code))] += 1
        self.failed_in.setdefault(request_id, set()).update(fates)

    def unknown(self, ids):
        """A reply that nobody can read: fates unknown, nothing failed."""
        self.vendor.garbled = True
        try:
            body = '{"servers":[%s]}' % ",".join('{"id":"%s"}' % i for i in ids)
            _, items = self.gateway.ask("PUT", HUAWEI, "/v1/p/cloudservers/server-name", body)
            assert items["unknown"] == len(ids), items
        finally:
            self.vendor.garbled = False

    def unrecognised(self):
        """No profile knows it, so its answer says nothing about items."""
        assert self.gateway.ask("GET", HUAWEI, "/v1/p/flavors") == (None, {})

    def scraped(self, times=1):
        """Waits until Prometheus has stored further scrapes of the resources page."""
        for _ in range(times):
            last = "max(timestamp(onevelope_resource_series))"
            before = self.prometheus.value(last)
            until(lambda: (self.prometheus.value(last) or 0) > (before or 0), "the next scrape")

    def go(self):
        p = self.prometheus
        for name in ("onevelope_resource_series", "instance_vendor:onevelope_resource_results:sum", "instance_upstream:onevelope_upstream_attempts:sum"):
            until(lambda: p.query(name), f"{name} before the first call")
        self.scraped(2)

        self.huawei({"once": "Ecs.0614"}, ["fine"])
        until(lambda: p.query('ALERTS{alertname="OnevelopeResourceFailing",resource="once",alertstate="firing"}'), "the alert of a resource that failed once")
        self.churn(random.Random(20260101))
        self.huawei({f"gone-{n}": "unreachable" for n in range(3)}, host=UNREACHABLE)
        self.huawei({"odd": UNMAPPED})
        self.unknown(["lost-1", "lost-2"])
        self.unrecognised()

        # Quiet for longer than ttl: every row is given away. Then one more resource fails, and must get a row.
        until(lambda: p.value("sum(onevelope_resource_series)") == 0, "all rows to be given away")
        self.tencent({"late": "5000"}, ["fine"])
        # Rows live for seconds in this run, so what shows them is looked at as of a moment when this one was there.
        late = 'onevelope_resource_failures_total{resource="late"}'
        self.at = until(lambda: p.value(f"timestamp({late} == 1)"), "a row for the last failure")
        self.alerts = until(lambda: [a for a in p.api("alerts")["alerts"] if a["labels"].get("resource") == "late"] and p.api("alerts")["alerts"], "its alert")
        until(lambda: p.value("sum(onevelope_resource_failures_held)") == 0, "nothing held back")
        self.scraped(2)

    def churn(self, chance):
        """More resources than rows, and a window that moves over them: rows come, are shared, go, and come again."""
        for number in range(ROUNDS):
            start = number * 2
            for call, codes in ((self.huawei, HUAWEI_CODES), (self.tencent, TENCENT_CODES)):
                window = [f"{call.__name__[0]}-{(start + n) % 40}" for n in range(MAX_SERIES)]
                failing = chance.sample(window, chance.randint(2, 8))
                call({i: chance.choice(list(codes)) for i in failing}, [i for i in window if i not in failing][:5])
            # The old trap: a row that is given away and taken again by the same resource.
            if number % 6 == 5:
                self.scraped(5)
            self.scraped()

    def truth(self):
        """vendor -> failures."""
        totals = Counter()
        for (vendor, _, _), times in self.failures.items():
            totals[vendor] += times
        return totals
