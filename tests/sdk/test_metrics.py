"""The metrics page after all those calls."""

import shutil
import subprocess

import pytest

import test_envelope as envelope
from gateway import samples


@pytest.fixture
def busy(vendor, gateway):
    """A gateway that has seen at least one call of each outcome."""
    for request, vendor.reply, *_ in envelope.STATUSES.values():
        envelope.ask(gateway.address("envelope"), request)
    return gateway


@pytest.mark.parametrize("page", ["/metrics", "/metrics/resources"])
def test_promtool_finds_nothing_to_say(page, busy):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("no promtool")
    status, text = busy.admin(page)
    assert status == 200
    said = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_every_series_stands_once_and_labels_come_from_closed_sets(busy):
    found = samples(busy.admin("/metrics")[1])
    rows = [dict(labels) for name, labels in found if name == "onevelope_resource_results_total"]
    assert {r["outcome"] for r in rows} <= {"succeeded", "accepted", "failed", "not_attempted", "unknown"}
    assert {r["evidence"] for r in rows} <= {"reported", "inferred", "batch", "gateway", "none"}
    assert all(set(r) == {"vendor", "service", "action", "outcome", "category", "evidence"} for r in rows)
    assert "Ecs.06" not in busy.admin("/metrics")[1], "a vendor's raw code became a label"


def test_the_resources_page_adds_up(busy):
    """counted = rows + evicted + held, at every scrape, also while new rows are shown as 0 for their first two."""
    for _ in range(4):
        found = samples(busy.admin("/metrics/resources")[1])

        def of(family):
            return sum(v for (name, labels), v in found.items() if name == family and dict(labels).get("vendor") == "huawei")

        counted = of("onevelope_resource_failures_counted_total")
        assert counted > 0
        assert counted == of("onevelope_resource_failures_total") + of("onevelope_resource_failures_evicted_total") + of("onevelope_resource_failures_held")
    assert of("onevelope_resource_failures_held") == 0, "held back for good"
