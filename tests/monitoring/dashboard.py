"""The Grafana dashboard as data: its expressions, with Grafana's variables filled in, and what must hold of it.

    python dashboard.py check    says what is wrong, exit 1
    python dashboard.py rules    every expression as a recording rule, for `promtool check rules`
"""

import json
import pathlib
import re
import sys

FILE = pathlib.Path(__file__).parents[2] / "deploy" / "grafana" / "onevelope.json"

# What Grafana would fill in; `[5m]` holds at least two samples at any sensible scrape interval.
FILLED = {"$__rate_interval": "5m", "$__range": "1h", "$job": ".*", "$instance": ".*", "$vendor": ".*"}


def load():
    return json.loads(FILE.read_text())


def panels(dashboard):
    """All panels, those inside collapsed rows, too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def expressions(dashboard):
    """(where it stands, PromQL) of panels, annotations and variables."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield f"{panel['title']} {target['refId']}", fill(target["expr"])
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']}", fill(annotation["expr"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            selector = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"]["query"])
            yield f"variable {variable['name']}", fill(selector[1])


def fill(expression):
    for name, value in FILLED.items():
        expression = expression.replace(name, value)
    return expression


def problems(dashboard):
    every = list(panels(dashboard))
    shown = [p for p in every if p["type"] != "row"]
    if not isinstance(dashboard["schemaVersion"], int) or dashboard["schemaVersion"] < 36:
        yield f"schemaVersion {dashboard['schemaVersion']}: data sources by uid need 36"
    if dashboard["uid"] != "onevelope":
        yield f"uid {dashboard['uid']}: links and provisioning rely on `onevelope`"
    ids = [p["id"] for p in every]
    yield from (f"panel id {i} stands twice" for i in sorted({i for i in ids if ids.count(i) > 1}))
    titles = [p["title"] for p in shown]
    yield from (f"title {t!r} stands twice" for t in sorted({t for t in titles if titles.count(t) > 1}))

    sources = re.findall(r'"datasource": *\{[^}]*"uid": *"([^"]*)"', json.dumps(dashboard))
    yield from (f"data source {uid!r} is not the variable" for uid in sorted(set(sources) - {"${datasource}"}))
    variables = {v["name"] for v in dashboard["templating"]["list"]}
    if not {"datasource", "job", "instance", "vendor"} <= variables:
        yield f"variables: {sorted(variables)}"
    for panel in shown:
        where = f"panel {panel['title']!r}"
        if not panel.get("targets"):
            yield f"{where}: asks nothing"
        refs = [t["refId"] for t in panel["targets"]]
        if len(refs) != len(set(refs)):
            yield f"{where}: refIds {refs}"
        if any(t["datasource"] != panel["datasource"] for t in panel["targets"]):
            yield f"{where}: its targets have another data source"
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
                if not re.search(rf"\b{label}\b", target["expr"]) and label != "instance":
                    yield f"{where}: legend names {label}, the expression does not"
    for where, expression in expressions(dashboard):
        if "$" in expression:
            yield f"{where}: a variable that does not exist: {expression}"
    yield from overlaps(every)


def overlaps(every):
    taken = {}
    for panel in every:
        at = panel["gridPos"]
        if at["x"] + at["w"] > 24:
            yield f"panel {panel['title']!r} is wider than the page"
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            if cell in taken:
                yield f"panels {panel['title']!r} and {taken[cell]!r} overlap"
                break
            taken[cell] = panel["title"]


def as_rules(dashboard):
    """JSON is YAML enough for promtool."""
    rules = [{"record": f"dashboard:expression:{number}", "labels": {"where": where}, "expr": expression}
             for number, (where, expression) in enumerate(expressions(dashboard))]
    return json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}, indent=1)


if __name__ == "__main__":
    if sys.argv[1:] == ["rules"]:
        print(as_rules(load()))
    elif sys.argv[1:] == ["check"]:
        found = list(problems(load()))
        print("\n".join(found), end="\n" if found else "")
        sys.exit(1 if found else 0)
    else:
        sys.exit(__doc__)
