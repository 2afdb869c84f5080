#!/usr/bin/env bash
# Checks deploy/prometheus' rules and deploy/grafana's dashboard, then runs onevelope under a real Prometheus.
#
#   VENV=<venv>/bin ONEVELOPE=<built binary> tests/monitoring/check.sh
#
# Needs, installed beforehand by tests/run:
#   apt  prometheus         (promtool is in it)
#   pip  PyYAML, pytest     (into the venv that $VENV/python is of)
#
# One line per check: `ok`, or `FAIL` with what the tool said; then what pytest says. Leaves nothing behind.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
: "${VENV:?the bin directory of the Python venv}"
: "${ONEVELOPE:?path of a built onevelope}"
python="$(realpath -s "$VENV")/python"
ONEVELOPE="$(realpath "$ONEVELOPE")"
export ONEVELOPE PYTHONDONTWRITEBYTECODE=1
cd "$here/../.."

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

passed=0 failed=0
# check WHAT COMMAND...: what the command prints is shown only when it fails.
check() {
  local what="$1"
  shift
  if "$@" >"$work/said" 2>&1; then
    echo "ok $what"
    passed=$((passed + 1))
  else
    echo "FAIL $what"
    sed 's/^/     /' "$work/said"
    failed=$((failed + 1))
  fi
}

for rules in deploy/prometheus/rules.yaml deploy/prometheus/alerts.yaml; do
  check "$rules: promtool check rules" promtool check rules --lint=all --lint-fatal "$rules"
done
for tests in tests/monitoring/rules*_test.yml; do
  check "$tests: promtool test rules" promtool test rules "$tests"
done
check "alerts: severity, words, first look, a test that fires and one that does not" "$python" tests/monitoring/alerts.py

"$python" tests/monitoring/dashboard.py rules >"$work/dashboard.yml"
check "dashboard: every expression parses" promtool check rules --lint=all --lint-fatal "$work/dashboard.yml"
check "dashboard: ids, data source, variables, legends, layout" "$python" tests/monitoring/dashboard.py check

# kubernetes.yml needs discovery, which Debian's promtool lacks: it must name the same files.
loads_the_rules() {
  promtool check config deploy/prometheus/prometheus.yml | tee "$work/loaded" && [[ "$(grep -c 'rules found' "$work/loaded")" == 2 ]] &&
    diff <(sed -n '/^rule_files:/,/^$/p' deploy/prometheus/prometheus.yml) <(sed -n '/^rule_files:/,/^$/p' deploy/prometheus/kubernetes.yml)
}
check "deploy/prometheus: both configurations load both files" loads_the_rules

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]

"$python" -m pytest -q -p no:cacheprovider "$@" tests/monitoring
