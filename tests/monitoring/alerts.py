"""What promtool does not ask of the alerts: words for whoever is woken, and a test of both kinds for each.

    python alerts.py    says what is wrong, exit 1
"""

import pathlib
import re
import sys

import yaml

HERE = pathlib.Path(__file__).parent
PROMETHEUS = HERE.parents[1] / "deploy" / "prometheus"
SEVERITIES = {"critical", "warning", "info"}


def load(name):
    return yaml.safe_load((PROMETHEUS / name).read_text())


def rules(name):
    return [rule for group in load(name)["groups"] for rule in group["rules"]]


def problems():
    alerts = {rule["alert"]: rule for rule in rules("alerts.yaml")}
    recorded = [rule["record"] for rule in rules("rules.yaml")]
    groups = [group["name"] for name in ("rules.yaml", "alerts.yaml") for group in load(name)["groups"]]
    yield from (f"group {name} stands twice" for name in sorted({g for g in groups if groups.count(g) > 1}))
    yield from (f"{name}: not level:metric:operation" for name in recorded if not re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z0-9_]+", name))
    fires, silent = tested()
    for name, alert in alerts.items():
        words = alert["annotations"]
        if alert["labels"]["severity"] not in SEVERITIES:
            yield f"{name}: severity {alert['labels']['severity']}"
        if set(words) != {"summary", "description"} or len(words["summary"]) > 120:
            yield f"{name}: needs a short summary and a description"
        if "First look:" not in words["description"]:
            yield f"{name}: does not say what to look at first"
        for used in re.findall(r"\b[a-z_]+:onevelope_\w+:\w+|\bonevelope:\w+:\w+", alert["expr"]):
            if used not in recorded:
                yield f"{name}: stands on {used}, which nobody records"
        if name not in fires:
            yield f"{name}: no test shows it firing"
        if name not in silent:
            yield f"{name}: no test shows it not firing"


def tested():
    """Alerts that a test expects to fire, and those of which a test has series that must not raise it.

    A test that expects exactly one of several series to fire is of both kinds.
    """
    fires, silent = set(), set()
    for file in sorted(HERE.glob("rules*_test.yml")):
        for test in yaml.safe_load(file.read_text())["tests"]:
            several = len({series["series"] for series in test["input_series"]}) > 1
            for case in test.get("promql_expr_test", []):
                named = re.findall(r'alertname=~?"([^"]+)"', case["expr"])
                expected = {label for sample in case["exp_samples"] for label in re.findall(r'alertname="([^"]+)"', str(sample["labels"]))}
                fires |= expected
                if named and (not expected or several):
                    silent |= expected or set(named)
    return fires, silent


if __name__ == "__main__":
    found = list(problems())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
