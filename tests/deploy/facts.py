"""What schemas do not say about the files under deploy/: enums, and that ports, paths, probes and selectors agree.

    facts.py check                     every rule against every file
    facts.py plant                     plants mistakes in copies and insists that a rule finds each
    facts.py configurations DIRECTORY  writes every onevelope configuration that the files carry there; prints the names
    facts.py without-discovery FILE    prints a Prometheus configuration with discovery replaced by a fixed target

Knows nothing about what a configuration means; `onevelope check` does that.
"""

import copy
import pathlib
import re
import sys
import tomllib

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

# Kubernetes' schemas type these as plain strings, so a misspelt word passes them and fails in the cluster.
ENUMS = {
    "restartPolicy": {"Always", "OnFailure", "Never"},
    "imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    "protocol": {"TCP", "UDP", "SCTP"},
    "scheme": {"HTTP", "HTTPS"},
    "whenUnsatisfiable": {"DoNotSchedule", "ScheduleAnyway"},
    "policyTypes": {"Ingress", "Egress"},
    "drop": {"ALL"},
    "operator": {"In", "NotIn", "Exists", "DoesNotExist"},
    "pod-security.kubernetes.io/enforce": {"privileged", "baseline", "restricted"},
}
# `type` means something else in each place: the member it stands in decides.
TYPES = {
    "seccompProfile": {"RuntimeDefault", "Localhost", "Unconfined"},
    "strategy": {"RollingUpdate", "Recreate"},
    "target": {"Utilization", "Value", "AverageValue"},
    "metrics": {"Resource", "ContainerResource", "External", "Object", "Pods"},
    "Service": {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"},
}
ADMIN_PORT_NAME = "onevelope-admin"
CONFIG_FILE = "/etc/onevelope/onevelope.toml"


class Files:
    """All files, parsed. Rules read it; `plant` changes a copy."""

    def __init__(self):
        self.manifests = {p.name: list(yaml.safe_load_all(p.read_text())) for p in sorted((DEPLOY / "kubernetes").glob("*.yaml"))}
        self.compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
        self.prometheus = {p.name: yaml.safe_load(p.read_text()) for p in sorted((DEPLOY / "prometheus").glob("*.yml"))}
        self.systemd = (DEPLOY / "systemd" / "onevelope.service").read_text()
        self.let_in = [line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")]

    def of_kind(self, manifest, kind):
        return [d for d in self.manifests[manifest] if d["kind"] == kind]

    def the(self, manifest, kind):
        found = self.of_kind(manifest, kind)
        need(len(found) == 1, f"{manifest}: {len(found)} documents of kind {kind}, one expected")
        return found[0]

    def pod(self, manifest):
        return self.the(manifest, "Deployment")["spec"]["template"]["spec"]

    def gateway(self, manifest):
        """The onevelope container, wherever in the pod it runs."""
        pod = self.pod(manifest)
        found = [c for c in pod.get("initContainers", []) + pod["containers"] if c["name"] == "onevelope"]
        need(len(found) == 1, f"{manifest}: one container named onevelope expected")
        return found[0]

    def configurations(self):
        """name -> text of every onevelope configuration that a file carries or mounts."""
        found = {}
        for manifest, documents in self.manifests.items():
            for document in documents:
                for key, text in (document.get("data") or {}).items() if document["kind"] == "ConfigMap" else []:
                    if key.endswith(".toml"):
                        found[f"kubernetes-{manifest.removesuffix('.yaml')}-{document['metadata']['name']}"] = text
        for name, config in (self.compose.get("configs") or {}).items():
            if "content" in config:
                found[f"compose-{name}"] = config["content"]
        for service in self.compose["services"].values():
            for mount in service.get("volumes", []):
                source = DEPLOY / mount["source"]
                if mount["type"] == "bind" and mount["target"] == "/etc/onevelope":
                    for file in sorted(source.glob("*.toml")):
                        found[f"compose-{file.stem}"] = file.read_text()
        for file in sorted((DEPLOY / "systemd").glob("*.toml")):
            found[f"systemd-{file.stem}"] = file.read_text()
        return found

    def configuration(self, prefix):
        found = [text for name, text in self.configurations().items() if name.startswith(prefix)]
        need(len(found) == 1, f"{prefix}: {len(found)} configurations found, one expected")
        return tomllib.loads(found[0])


def need(holds, otherwise):
    if not holds:
        raise AssertionError(otherwise)


def walk(node, parents=()):
    yield node, parents
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, member in members:
        yield from walk(member, (*parents, key))


def address(configuration, section):
    host, _, port = configuration[section]["address"].rpartition(":")
    return host, int(port)


# === rules: each takes Files and raises AssertionError ===


def enums_hold_known_words(files):
    for manifest, documents in files.manifests.items():
        for document in documents:
            for node, parents in walk(document):
                key = next((p for p in reversed(parents) if isinstance(p, str)), "")
                where = f"{manifest}: {document['kind']}: {'.'.join(map(str, parents))} = {node!r}"
                if isinstance(node, str) and key in ENUMS:
                    need(node in ENUMS[key], f"{where}, one of {sorted(ENUMS[key])} expected")
                if isinstance(node, str) and key == "type":
                    place = next((p for p in reversed(parents[:-1]) if p in TYPES), document["kind"])
                    need(place in TYPES, f"{where}: an enum that this file does not know yet")
                    need(node in TYPES[place], f"{where}, one of {sorted(TYPES[place])} expected")


def sidecar_is_native(files):
    pod = files.pod("sidecar.yaml")
    need([c["name"] for c in pod["initContainers"]] == ["onevelope"], "sidecar.yaml: onevelope is not the init container")
    need(pod["initContainers"][0].get("restartPolicy") == "Always", "sidecar.yaml: without restartPolicy Always the pod never starts")
    need(files.gateway("sidecar.yaml")["resources"] == {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
         "sidecar.yaml: resources are not 50m, 32Mi and 128Mi")


def containers_are_locked_down(files):
    for manifest in files.manifests:
        pod = files.pod(manifest)
        need(pod.get("automountServiceAccountToken") is False, f"{manifest}: a service account token is mounted")
        for container in pod.get("initContainers", []) + pod["containers"]:
            context = container.get("securityContext", {})
            where = f"{manifest}: container {container['name']}"
            need(context.get("runAsNonRoot") is True and context.get("runAsUser") == 65532, f"{where} may run as root")
            need(context.get("allowPrivilegeEscalation") is False, f"{where} may gain privileges")
            need(context.get("readOnlyRootFilesystem") is True, f"{where} has a writable root")
            need(context.get("capabilities", {}).get("drop") == ["ALL"], f"{where} keeps capabilities")
            need(context.get("seccompProfile", {}).get("type") == "RuntimeDefault", f"{where} has no seccomp profile")
            need("memory" in container["resources"]["limits"], f"{where} has no memory limit")
            tag = container["image"].rpartition("/")[2].partition(":")[2]
            need(tag not in ("", "latest"), f"{where}: image without a fixed tag")


def probes_and_ports_reach_the_admin_listener(files):
    for manifest in files.manifests:
        configuration = files.configuration(f"kubernetes-{manifest.removesuffix('.yaml')}-")
        host, port = address(configuration, "admin")
        need((host, port) == ("0.0.0.0", 9464), f"{manifest}: admin listens on {host}:{port}, kubelet and Prometheus need 0.0.0.0:9464")
        container = files.gateway(manifest)
        ports = {p["name"]: p["containerPort"] for p in container["ports"]}
        need(ports.get(ADMIN_PORT_NAME) == port, f"{manifest}: port {ADMIN_PORT_NAME} is {ports.get(ADMIN_PORT_NAME)}, admin listens on {port}")
        probes = {"startupProbe": "/readyz", "livenessProbe": "/livez"} | ({"readinessProbe": "/readyz"} if manifest == "gateway.yaml" else {})
        for probe, path in probes.items():
            get = container.get(probe, {}).get("httpGet", {})
            need((get.get("path"), get.get("port")) == (path, ADMIN_PORT_NAME), f"{manifest}: {probe} does not ask {path} on {ADMIN_PORT_NAME}")


def listeners_are_where_clients_look(files):
    host, port = address(files.configuration("kubernetes-sidecar-"), "listen")
    need(host == "127.0.0.1", f"sidecar.yaml: listens on {host}, other pods could send requests to vendors")
    app = next(c for c in files.pod("sidecar.yaml")["containers"] if c["name"] == "app")
    proxy = next(e["value"] for e in app["env"] if e["name"] == "http_proxy")
    need(proxy == f"http://{host}:{port}", f"sidecar.yaml: the app's http_proxy is {proxy}, the listener {host}:{port}")

    host, port = address(files.configuration("kubernetes-gateway-"), "listen")
    ports = {p["name"]: p["containerPort"] for p in files.gateway("gateway.yaml")["ports"]}
    service = files.the("gateway.yaml", "Service")["spec"]["ports"]
    need(host == "0.0.0.0" and ports["http"] == port, f"gateway.yaml: listener {host}:{port}, container port {ports['http']}")
    need([p["targetPort"] for p in service] == ["http"], "gateway.yaml: the Service does not lead to port http, or leads to the admin port")


def configuration_is_mounted_where_it_is_read(files):
    for manifest in files.manifests:
        container, pod = files.gateway(manifest), files.pod(manifest)
        need(container["args"] == ["serve", "--config", CONFIG_FILE], f"{manifest}: args are {container['args']}")
        mounts = [m for m in container["volumeMounts"] if m["mountPath"] == str(pathlib.Path(CONFIG_FILE).parent)]
        need(len(mounts) == 1 and "subPath" not in mounts[0], f"{manifest}: no whole-directory mount for {CONFIG_FILE}")
        volume = next(v for v in pod["volumes"] if v["name"] == mounts[0]["name"])
        maps = {c["metadata"]["name"]: c for c in files.of_kind(manifest, "ConfigMap")}
        need("onevelope.toml" in maps.get(volume["configMap"]["name"], {}).get("data", {}), f"{manifest}: volume {volume['name']} has no onevelope.toml")
    need(f"serve --config {CONFIG_FILE}" in files.systemd, "onevelope.service: another configuration file")
    need(files.compose["services"]["onevelope"]["command"] == ["serve", "--config", CONFIG_FILE], "compose.yaml: another command")


def selectors_select(files):
    for manifest in files.manifests:
        deployment = files.the(manifest, "Deployment")["spec"]
        labels = deployment["template"]["metadata"]["labels"]
        selectors = {"Deployment": deployment["selector"]["matchLabels"]}
        if manifest == "gateway.yaml":
            selectors |= {
                "Service": files.the(manifest, "Service")["spec"]["selector"],
                "PodDisruptionBudget": files.the(manifest, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
                "NetworkPolicy": files.the(manifest, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
            } | {f"spread over {c['topologyKey']}": c["labelSelector"]["matchLabels"] for c in deployment["template"]["spec"]["topologySpreadConstraints"]}
        for name, selector in selectors.items():
            need(selector and selector.items() <= labels.items(), f"{manifest}: {name} selects {selector}, the pods are {labels}")
        namespaces = {d["metadata"].get("namespace") for d in files.manifests[manifest] if d["kind"] != "Namespace"}
        need(len(namespaces) == 1, f"{manifest}: documents in several namespaces: {namespaces}")


def gateway_survives_a_lost_pod(files):
    scaler, budget = files.the("gateway.yaml", "HorizontalPodAutoscaler")["spec"], files.the("gateway.yaml", "PodDisruptionBudget")["spec"]
    deployment = files.the("gateway.yaml", "Deployment")
    need(scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"]}, "gateway.yaml: the HPA scales something else")
    need(scaler["minReplicas"] >= 2 and budget["minAvailable"] < scaler["minReplicas"], "gateway.yaml: the budget leaves no pod to evict")
    need("replicas" not in deployment["spec"], "gateway.yaml: `replicas` fights the HPA")
    need("cpu" in files.gateway("gateway.yaml")["resources"]["requests"], "gateway.yaml: the HPA needs a CPU request")


def draining_has_time(files):
    def seconds(text):
        return float(text.removesuffix("s"))

    graces = {m: (files.pod(m)["terminationGracePeriodSeconds"], f"kubernetes-{m.removesuffix('.yaml')}-") for m in files.manifests}
    graces["compose.yaml"] = (seconds(files.compose["services"]["onevelope"]["stop_grace_period"]), "compose-")
    stop = next(line for line in files.systemd.splitlines() if line.startswith("TimeoutStopSec="))
    graces["onevelope.service"] = (seconds(stop.partition("=")[2]), "systemd-")
    for name, (grace, prefix) in graces.items():
        configuration = files.configuration(prefix)
        drain = configuration["drain"]
        needed = seconds(drain.get("delay", "0s")) + seconds(drain["deadline"])
        need(grace >= needed + 5, f"{name}: {grace:g} s to stop, [drain] takes up to {needed:g} s")
        longest = max(seconds(u.get("head_timeout", "60s")) for u in configuration["upstreams"].values())
        need(seconds(drain["deadline"]) > longest, f"{name}: [drain] cuts a vendor call of {longest:g} s")


def replies_fit_the_memory(files):
    """Measured with bursts of 30 to 300 replies of 50 KB to 1 MB: 40 MiB at rest, 128 with `memory` 3 MiB, 390 with 32 MiB."""

    def mebibytes(text):
        number, unit = re.fullmatch(r"(\d+) ?(Mi|M|m|MiB)", text).groups()
        return int(number)

    limits = {m: (files.gateway(m)["resources"]["limits"]["memory"], f"kubernetes-{m.removesuffix('.yaml')}-") for m in files.manifests}
    limits["compose.yaml"] = (files.compose["services"]["onevelope"]["mem_limit"], "compose-")
    limits["onevelope.service"] = (re.search("^MemoryMax=(.*)$", files.systemd, re.M)[1], "systemd-")
    for name, (limit, prefix) in limits.items():
        held = files.configuration(prefix)["limits"]
        need(mebibytes(limit) >= 96 + 10 * mebibytes(held["memory"]), f"{name}: {limit} of memory is too little for [limits] memory {held['memory']}")
        need(held["reply_body"] == held["decoded_body"], f"{name}: a compressed reply may grow beyond what was counted")


def network_policy_fits(files):
    policy = files.the("gateway.yaml", "NetworkPolicy")["spec"]
    need(set(policy["policyTypes"]) == {"Ingress", "Egress"}, "gateway.yaml: the policy leaves a direction open")
    into = {p["port"] for rule in policy["ingress"] for p in rule["ports"]}
    need(into == {8080, 9464}, f"gateway.yaml: ports {into} let in")
    need(all(rule.get("from") for rule in policy["ingress"]), "gateway.yaml: everybody let in")
    blocks = [peer["ipBlock"] for rule in policy["egress"] for peer in rule["to"] if "ipBlock" in peer]
    need(all("169.254.0.0/16" in b.get("except", []) for b in blocks), "gateway.yaml: the instance metadata service can be reached")


def prometheus_scrapes_both_pages(files):
    for name, prometheus in files.prometheus.items():
        jobs = {j["metrics_path"]: j for j in prometheus["scrape_configs"]}
        need(set(jobs) == {"/metrics", "/metrics/resources"}, f"{name}: scrapes {sorted(jobs)}")
        core, resources = jobs["/metrics"], jobs["/metrics/resources"]
        interval = core.get("scrape_interval", prometheus["global"]["scrape_interval"])
        need(interval == "15s" and resources["scrape_interval"] == "30s", f"{name}: intervals {interval} and {resources['scrape_interval']}")
        need("sample_limit" not in core, f"{name}: a limit may take the core scrape down")
        # Two families of at most max_series (2000 unless configured) rows, an overflow row and a few totals per vendor.
        need(resources.get("sample_limit", 0) > 2 * 2000 + 500, f"{name}: sample_limit {resources.get('sample_limit')} refuses a full page")
    _, port = address(files.configuration("compose-"), "admin")
    for job in files.prometheus["prometheus.yml"]["scrape_configs"]:
        targets = [t for s in job["static_configs"] for t in s["targets"]]
        need(targets == [f"onevelope:{port}"] and "onevelope" in files.compose["services"], f"prometheus.yml: scrapes {targets}")
    for job in files.prometheus["kubernetes.yml"]["scrape_configs"]:
        need(job["kubernetes_sd_configs"] == [{"role": "pod"}], "kubernetes.yml: does not look for pods")
        kept = [r for r in job["relabel_configs"] if r.get("action") == "keep"]
        need([r["regex"] for r in kept] == [ADMIN_PORT_NAME], f"kubernetes.yml: keeps {kept}")


def compose_stays_on_this_host(files):
    for name, service in files.compose["services"].items():
        tag = service["image"].rpartition("/")[2].partition(":")[2]
        need(tag not in ("", "latest"), f"compose.yaml: {name}: image without a fixed tag")
        need(all(p.startswith("127.0.0.1:") for p in service["ports"]), f"compose.yaml: {name}: a port open to the network")
        need(service.get("read_only") is True and service.get("cap_drop") == ["ALL"], f"compose.yaml: {name}: not locked down")
        for mount in service["volumes"]:
            if mount["type"] == "bind":
                need((DEPLOY / mount["source"]).is_dir(), f"compose.yaml: {name}: no directory {mount['source']}")
            else:
                need(mount["source"] in files.compose["volumes"], f"compose.yaml: {name}: no volume {mount['source']}")
    build = files.compose["services"]["onevelope"]["build"]
    need((DEPLOY / build["context"] / build["dockerfile"]).is_file(), "compose.yaml: no such Dockerfile")


def the_build_finds_what_it_reads(files):
    """Files that the sources embed, and targets that the manifest names, must pass Dockerfile.dockerignore."""
    read = {"Cargo.toml", "Cargo.lock", "src"} | {name for name in ("build.rs", "rust-toolchain.toml") if (ROOT / name).exists()}
    for source in (ROOT / "src").rglob("*.rs"):
        for argument in re.findall(r"include_(?:str|bytes|dir)!\(\s*(?:concat!\([^\"]*)?\"([^\"]+)\"", source.read_text()):
            path = argument.removeprefix("$CARGO_MANIFEST_DIR/")
            path = ROOT / path if path != argument else source.parent / path
            if path.exists():
                read.add(str(path.resolve().relative_to(ROOT)))
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    for kind in ("bin", "test", "bench", "example"):
        read |= {target.get("path", f"{kind}es") for target in manifest.get(kind, []) if kind != "bench" or "path" in target}
    for path in sorted(read):
        need(any(path == entry or path.startswith(f"{entry}/") for entry in files.let_in), f"Dockerfile.dockerignore: keeps {path} out, which the build reads")


RULES = [
    enums_hold_known_words,
    sidecar_is_native,
    containers_are_locked_down,
    probes_and_ports_reach_the_admin_listener,
    listeners_are_where_clients_look,
    configuration_is_mounted_where_it_is_read,
    selectors_select,
    gateway_survives_a_lost_pod,
    draining_has_time,
    replies_fit_the_memory,
    network_policy_fits,
    prometheus_scrapes_both_pages,
    compose_stays_on_this_host,
    the_build_finds_what_it_reads,
]

# === mistakes that a rule must find, so that a rule which checks nothing is noticed ===

MISTAKES = {
    "a misspelt restart policy": lambda f: f.gateway("sidecar.yaml").update(restartPolicy="Sometimes"),
    "an init container that ends": lambda f: f.gateway("sidecar.yaml").pop("restartPolicy"),
    "a misspelt protocol": lambda f: f.gateway("gateway.yaml")["ports"][0].update(protocol="tcp"),
    "a misspelt seccomp profile": lambda f: f.pod("gateway.yaml")["securityContext"]["seccompProfile"].update(type="Default"),
    "a misspelt spread": lambda f: f.pod("gateway.yaml")["topologySpreadConstraints"][0].update(whenUnsatisfiable="Never"),
    "a misspelt service type": lambda f: f.the("gateway.yaml", "Service")["spec"].update(type="ClusterIp"),
    "a writable root": lambda f: f.gateway("gateway.yaml")["securityContext"].update(readOnlyRootFilesystem=False),
    "a probe of the wrong page": lambda f: f.gateway("sidecar.yaml")["startupProbe"]["httpGet"].update(path="/ready"),
    "a renamed admin port": lambda f: f.gateway("sidecar.yaml")["ports"][0].update(name="metrics"),
    "a sidecar open to the network": lambda f: rewrite(f, "sidecar.yaml", "127.0.0.1:8080", "0.0.0.0:8080"),
    "an admin port on loopback": lambda f: rewrite(f, "gateway.yaml", "0.0.0.0:9464", "127.0.0.1:9464"),
    "a subPath mount": lambda f: f.gateway("sidecar.yaml")["volumeMounts"][0].update(subPath="onevelope.toml"),
    "a service that selects nothing": lambda f: f.the("gateway.yaml", "Service")["spec"].update(selector={"app": "onevelope"}),
    "a budget that blocks every drain": lambda f: f.the("gateway.yaml", "PodDisruptionBudget")["spec"].update(minAvailable=2),
    "an HPA of another deployment": lambda f: f.the("gateway.yaml", "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"].update(name="app"),
    "a drain that cuts vendor calls": lambda f: rewrite(f, "gateway.yaml", 'deadline = "70s"', 'deadline = "30s"'),
    "too little memory": lambda f: rewrite(f, "sidecar.yaml", 'memory       = "3 MiB"', 'memory       = "64 MiB"'),
    "too little time to drain": lambda f: f.pod("gateway.yaml").update(terminationGracePeriodSeconds=30),
    "an open metadata service": lambda f: f.the("gateway.yaml", "NetworkPolicy")["spec"]["egress"][1]["to"][0]["ipBlock"]["except"].remove("169.254.0.0/16"),
    "no limit on the resources page": lambda f: f.prometheus["prometheus.yml"]["scrape_configs"][1].pop("sample_limit"),
    "a limit on the core page": lambda f: f.prometheus["kubernetes.yml"]["scrape_configs"][0].update(sample_limit=1),
    "another port name in Prometheus": lambda f: f.prometheus["kubernetes.yml"]["scrape_configs"][1]["relabel_configs"][0].update(regex="metrics"),
    "a published port for everybody": lambda f: f.compose["services"]["onevelope"].update(ports=["8080:8080"]),
    "a build without the files that it embeds": lambda f: f.let_in.remove("docs"),
    "an image without a tag": lambda f: f.compose["services"]["prometheus"].update(image="prom/prometheus"),
}


def rewrite(files, manifest, old, new):
    data = files.the(manifest, "ConfigMap")["data"]
    assert old in data["onevelope.toml"], f"{manifest} does not hold {old}: the mistake was not planted"
    data["onevelope.toml"] = data["onevelope.toml"].replace(old, new)


def problems(files):
    for rule in RULES:
        try:
            rule(files)
        except AssertionError as problem:
            yield str(problem)
        except (KeyError, StopIteration, IndexError, TypeError) as missing:
            yield f"{rule.__name__}: something expected is not there: {missing!r}"


def check():
    found = list(problems(Files()))
    print("\n".join(found))
    return 1 if found else 0


def plant():
    whole, missed = Files(), 0
    for mistake, make in MISTAKES.items():
        # Through YAML anchors one object may stand in several places; deepcopy keeps that, which only widens the mistake.
        files = copy.deepcopy(whole)
        make(files)
        if not list(problems(files)):
            print(f"not found: {mistake}")
            missed += 1
    return 1 if missed else 0


def write_configurations(directory):
    pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    for name, text in Files().configurations().items():
        (pathlib.Path(directory) / f"{name}.toml").write_text(text)
        print(name)
    return 0


def without_discovery(file):
    prometheus = yaml.safe_load(pathlib.Path(file).read_text())
    for job in prometheus["scrape_configs"]:
        del job["kubernetes_sd_configs"]
        job["static_configs"] = [{"targets": ["127.0.0.1:9464"]}]
    yaml.safe_dump(prometheus, sys.stdout)
    return 0


if __name__ == "__main__":
    commands = {"check": check, "plant": plant, "configurations": write_configurations, "without-discovery": without_discovery}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]](*sys.argv[2:]))
