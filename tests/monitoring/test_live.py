"""What a real Prometheus has stored after a run of known failures under churn: to the unit, and usable."""

import re
from collections import defaultdict

import pytest

import alerts
import dashboard
from running import MAX_SERIES, until
from script import ROUNDS

FAILURES = "onevelope_resource_failures_total"
COUNTED = "onevelope_resource_failures_counted_total"
EVICTED = "onevelope_resource_failures_evicted_total"
HELD = "onevelope_resource_failures_held"


def by_scrape(run, selector):
    """{(time, vendor): sum}"""
    sums = defaultdict(float)
    for labels, samples in run.prometheus.stored(selector):
        for time, value in samples:
            sums[time, labels["vendor"]] += value
    return sums


def test_the_run_was_what_it_claims_to_be(run):
    """Otherwise the tests below would pass on an idle gateway."""
    resources = {(vendor, resource) for vendor, resource, _ in run.failures}
    assert len(resources) > 3 * MAX_SERIES and sum(run.failures.values()) > 200
    assert max(by_scrape(run, HELD).values()) > 0, "nothing was ever held back"
    assert all(run.prometheus.value(f'{EVICTED}{{vendor="{v}"}}') > 0 for v in ("huawei", "tencent")), "no row was given away"
    assert all(run.prometheus.value(f'sum({FAILURES}{{vendor="{v}",resource="_overflow"}})') > 0 for v in ("huawei", "tencent")), "the table was never full"


def test_at_every_scrape_the_accounts_add_up(run):
    counted, rows, evicted, held = (by_scrape(run, name) for name in (COUNTED, FAILURES, EVICTED, HELD))
    assert len({time for time, _ in counted}) > ROUNDS
    wrong = {at: (total, rows[at], evicted[at], held[at]) for at, total in counted.items() if total != rows[at] + evicted[at] + held[at]}
    assert not wrong, "(time, vendor): (counted, rows, evicted, held)"


def test_the_accounting_alert_was_never_even_pending(run):
    assert run.prometheus.query('count_over_time(ALERTS{alertname="OnevelopeAccountingMismatch"}[1h])') == []


def test_what_is_counted_is_the_truth(run):
    for vendor, truth in run.truth().items():
        assert run.prometheus.value(f'{COUNTED}{{vendor="{vendor}"}}') == truth
        assert run.prometheus.value(f'sum(onevelope_resource_results_total{{vendor="{vendor}",outcome="failed"}})') == truth


def test_every_failure_is_an_event(run):
    """The two unknown ones, too."""
    assert run.prometheus.value('onevelope_events_total{sink="file",result="written"}') == sum(run.truth().values()) + 2
    assert run.prometheus.value('onevelope_events_dropped_total{sink="file"}') == 0


def test_the_stored_increases_are_the_truth(run):
    """Summed over every series that ever was, each from its first sample on: what increase() would see, without its extrapolation."""
    total, named = defaultdict(float), defaultdict(float)
    for labels, samples in run.prometheus.stored(FAILURES):
        values = [value for _, value in samples]
        assert values[0] == 0, f"increase() does not see the first {values[0]:g} of {labels}"
        # A row that was given away and taken again starts at 0: a counter reset.
        grown = sum(after - before if after >= before else after for before, after in zip(values, values[1:]))
        total[labels["vendor"]] += grown
        if labels["resource"] != "_overflow":
            named[labels["vendor"], labels["resource"], labels["category"]] += grown
    assert total == run.truth()
    assert {key: value for key, value in named.items() if value > run.failures[key]} == {}, "a row holds failures of others"


def test_there_are_never_more_rows_than_allowed(run):
    rows = defaultdict(int)
    for labels, samples in run.prometheus.stored(FAILURES + '{resource!="_overflow"}'):
        for time, _ in samples:
            rows[time] += 1
    series = dict(run.prometheus.stored("onevelope_resource_series")[0][1])
    assert max(rows.values()) == MAX_SERIES, "full, and not over it"
    assert {time: n for time, n in series.items() if n != rows[time]} == {}, "onevelope_resource_series tells another number"
    assert run.prometheus.value("onevelope_resource_series_limit") == MAX_SERIES


@pytest.mark.parametrize("resource", ["once", "late"])
def test_a_resource_that_fails_once_is_seen(run, resource):
    """`late` failed when all rows had been given away; what waited for rows during the churn must not keep it out."""
    assert sum(times for (_, name, _), times in run.failures.items() if name == resource) == 1
    assert run.prometheus.value(f'sum(increase({FAILURES}{{resource="{resource}"}}[1h]))') > 0.5
    fired = until(lambda: run.prometheus.query(
        f'max_over_time(ALERTS{{alertname="OnevelopeResourceFailing",alertstate="firing",resource="{resource}"}}[1h])'), "the alert")
    assert len(fired) == 1


def test_the_first_unknown_fates_and_the_first_unmapped_code_are_seen(run):
    """Their rows appear with their first count in them."""
    for alert in ("OnevelopeUnknownVerdicts", "OnevelopeUnmappedCodes"):
        until(lambda: run.prometheus.query(f'ALERTS{{alertname="{alert}",alertstate="firing",vendor="huawei"}}'), alert)


def test_every_rule_is_evaluated_without_error(run):
    groups = run.prometheus.api("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {rule.get("alert") or rule["record"] for name in ("rules.yaml", "alerts.yaml") for rule in alerts.rules(name)}
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


def test_firing_alerts_read_well(run):
    for alert in run.alerts:
        for text in alert["annotations"].values():
            assert not re.search(r"<error|<no value>|%!|\{\{", text), text
            assert "  " not in text and " ()" not in text, text


def test_exemplars_lead_from_a_counter_to_a_resource_and_its_request(run):
    def exemplars():
        found = run.prometheus.api("query_exemplars", query="onevelope_resource_results_total", start="1970-01-01T00:00:00Z", end="2099-01-01T00:00:00Z")
        return [(series["seriesLabels"], example["labels"]) for series in found for example in series["exemplars"]]

    late = until(lambda: [one for one in exemplars() if one[1]["resource"] == "late"], "the exemplar of the last failure")
    assert late[0][0]["vendor"] == "tencent" and late[0][0]["outcome"] == "failed" and late[0][0]["category"] == "not_found"
    failed = [labels for series, labels in exemplars() if series["outcome"] == "failed"]
    assert len(failed) > 5
    assert [labels for labels in failed if labels["resource"] not in run.failed_in.get(labels["request_id"], ())] == []


@pytest.mark.parametrize("where, expression", list(dashboard.expressions(dashboard.load())), ids=lambda text: text if len(text) < 60 else "")
def test_every_panel_has_data(run, where, expression):
    found = run.prometheus.query(expression, time=run.at)
    assert found, f"{where}: nothing for {expression}"
    assert [value for _, value in found if value != value] == [] or "histogram_quantile" in expression, f"{where}: NaN"


def test_every_name_that_rules_and_panels_use_is_exposed(run):
    exposed = set(run.prometheus.api("label/__name__/values"))
    texts = [rule["expr"] for name in ("rules.yaml", "alerts.yaml") for rule in alerts.rules(name)]
    texts += [expression for _, expression in dashboard.expressions(dashboard.load())]
    used = {name for text in texts for name in re.findall(r"(?<![\w:])onevelope_\w+(?![\w:])", text)}
    assert used - exposed == set()
