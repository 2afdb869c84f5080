// The admin port's page: reads /api, shows it, keeps it current.
//
// Ids, codes and messages are written by vendors and callers. They only ever become text, never markup, addresses or
// class names.

/** Records held of each kind; the gateway keeps as many. */
const KEPT = 1000;
/** Rows drawn of each table: nobody reads more, and the page stays quick. */
const DRAWN = 200;
const OUTCOMES = ["succeeded", "accepted", "partial", "failed", "not_attempted", "unknown"];
const COUNTS = ["succeeded", "accepted", "failed", "not_attempted", "unknown"];

const state = { vendors: [], failures: [], batches: [], profiles: [], paused: false, opened: new Set() };
const $ = (id) => document.getElementById(id);

// === Making elements ===

/** An element with a class and children; strings become text nodes, empty children are left out. */
function make(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== "" && child != null));
  return node;
}

/** Touches the text only when it differs, so that a selection in it survives. */
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const words = (...parts) => parts.filter(Boolean).join(" ");
const plain = (word) => String(word ?? "").replaceAll("_", " ");
const number = (n) => n.toLocaleString("en");
const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

function chip(outcome) {
  return make("span", `chip ${OUTCOMES.includes(outcome) ? outcome : "unknown"}`, plain(outcome));
}

function moment(node, time) {
  node.dateTime = time;
  node.title = time;
  put(node, ago(time));
  return node;
}

function ago(time) {
  const seconds = Math.round((Date.now() - Date.parse(time)) / 1000);
  if (!(seconds >= 5)) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return time.slice(0, 16).replace("T", " ");
}

const drawn = new WeakMap();

/** Makes a parent's rows those of `items`, keeping the elements of items it already shows: focus stays where it was. */
function show(parent, items, key, build) {
  const rows = drawn.get(parent) ?? new Map();
  drawn.set(parent, rows);
  const wanted = new Set(items.map(key));
  for (const [name, row] of rows) {
    if (!wanted.has(name)) {
      row.node.remove();
      rows.delete(name);
    }
  }
  const focused = document.activeElement;
  let next = parent.tHead ? parent.tHead.nextElementSibling : parent.firstElementChild;
  for (const item of items) {
    const row = rows.get(key(item)) ?? build(item);
    rows.set(key(item), row);
    row.fill?.(item);
    if (row.node === next) next = next.nextElementSibling;
    else parent.insertBefore(row.node, next);
  }
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

// === Overview ===

function drawVendors() {
  const total = (vendor) => COUNTS.reduce((sum, name) => sum + vendor[name], 0);
  const busy = state.vendors.filter(total);
  busy.sort((a, b) => b.failed - a.failed || total(b) - total(a));
  show($("vendors"), busy, (vendor) => vendor.vendor, ({ vendor }) => {
    const name = make("button", "link", vendor);
    name.type = "button";
    name.title = "Filter by this vendor";
    name.addEventListener("click", () => {
      $("filter").value = $("filter").value === vendor ? "" : vendor;
      draw();
    });
    const [sum, bar, counts] = [make("span", "aside"), make("div", "bar"), make("p", "counts")];
    bar.ariaHidden = "true";
    const fill = (now) => {
      put(sum, plural(total(now), "verdict"));
      const present = COUNTS.filter((count) => now[count] > 0);
      bar.replaceChildren(...present.map((count) => {
        const part = make("span", count);
        part.style.flexGrow = now[count];
        return part;
      }));
      counts.replaceChildren(...present.map((count) => make("span", count, `${number(now[count])} ${plain(count)}`)));
    };
    return { node: make("li", "", make("p", "top", name, sum), bar, counts), fill };
  });
  const idle = state.vendors.filter((vendor) => !total(vendor)).map((vendor) => vendor.vendor);
  put($("quiet"), idle.length ? `No batch yet: ${idle.join(", ")}` : "");
}

/** True when every word of the filter occurs somewhere in the record. */
function passes(query, record) {
  const text = Object.values(record).flat().join("\n").toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Failures by resource; what a dry run foretold did not happen. */
function groups(failures) {
  const byResource = new Map();
  for (const failure of failures) {
    if (failure.dry_run) continue;
    const { vendor, service, resource_type: type, resource, action } = failure;
    const key = JSON.stringify([vendor, service, type, resource ?? { action }]);
    const group = byResource.get(key);
    if (group) group.failures.push(failure);
    else byResource.set(key, { key, last: failure, failures: [failure] });
  }
  const order = {
    last: (a, b) => b.last.time.localeCompare(a.last.time),
    count: (a, b) => b.failures.length - a.failures.length,
    since: (a, b) => a.failures.at(-1).time.localeCompare(b.failures.at(-1).time),
  }[$("order").value];
  return [...byResource.values()].sort(order);
}

function drawFailing(query) {
  const all = groups(state.failures.filter((failure) => passes(query, failure)));
  show($("failing"), all.slice(0, DRAWN), (group) => group.key, failingRow);
  put($("failing-count"), all.length ? number(all.length) : "");
  const none = query ? "Nothing that failed matches the filter." : "Nothing has failed.";
  const more = all.length > DRAWN ? `${number(all.length - DRAWN)} more: filter to see them. ` : "";
  put($("failing-note"), all.length ? `${more}Counted over the last ${number(KEPT)} failures at most.` : none);
}

function failingRow({ key, last }) {
  const id = make("button", "link id", last.resource ?? "(no id)");
  id.type = "button";
  const [why, advice, count] = [make("td"), make("td", "wide"), make("td", "number")];
  const [since, latest] = [make("time"), make("time")];
  const place = words(last.vendor, last.service);
  const cells = [
    make("td", "", id, make("span", "under", last.resource_type), make("span", "under narrow", place)),
    make("td", "wide", place), why, advice, count, make("td", "wide", since), make("td", "", latest),
  ];
  const list = make("ul", "history");
  const more = make("tr", "more", make("td", "", list));
  more.firstChild.colSpan = cells.length;
  let group;
  const unfold = () => {
    const open = state.opened.has(key);
    id.ariaExpanded = String(open);
    more.hidden = !open;
    if (open) list.replaceChildren(...group.failures.slice(0, 10).map(failureLine));
  };
  id.addEventListener("click", () => {
    if (!state.opened.delete(key)) state.opened.add(key);
    unfold();
  });
  let shown;
  const fill = (now) => {
    group = now;
    const mark = `${now.last.event_id} ${now.failures.length}`;
    if (mark === shown) return;
    shown = mark;
    const { outcome, category, vendor_code: code } = now.last;
    why.replaceChildren(make("span", "", chip(outcome), " ", plain(category)), make("code", "under", code));
    put(advice, plain(now.last.advice));
    put(count, number(now.failures.length));
    moment(since, now.failures.at(-1).time);
    moment(latest, now.last.time);
    unfold();
  };
  return { node: make("tbody", "", make("tr", "", ...cells), more), fill };
}

function failureLine(failure) {
  const fact = (name, value) => (value ? make("span", "", make("span", "aside", name), " ", value) : "");
  const says = words(plain(failure.category), failure.vendor_code);
  return make("li", "", moment(make("time"), failure.time), make("span", "", failure.action), chip(failure.outcome),
    make("span", "", says), fact("advice", plain(failure.advice)), fact("task", failure.task),
    fact("envelope", make("code", "", failure.envelope_id)));
}

function drawRecent(query) {
  const all = state.batches.filter((batch) => passes(query, batch));
  show($("recent"), all.slice(0, DRAWN), (batch) => batch.id, (batch) => {
    const counts = COUNTS.filter((count) => batch.summary[count] > 0);
    const items = counts.map((count) => make("span", count, `${number(batch.summary[count])} ${plain(count)}`));
    const action = make("td", "", make("span", "id", batch.action), make("span", "under", words(batch.vendor, batch.service)));
    action.title = batch.profile;
    return { node: make("tr", "", action, make("td", "", chip(batch.outcome)), make("td", "counts", ...items),
      make("td", "wide number", String(batch.upstream_status ?? "none")), make("td", "wide", make("code", "", batch.id)),
      make("td", "", moment(make("time"), batch.time))) };
  });
  put($("recent-count"), all.length ? number(all.length) : "");
  const none = query ? "No envelope matches the filter." : "No batch has been answered yet.";
  put($("recent-note"), all.length ? "" : none);
}

function draw() {
  if (state.paused) return;
  const query = $("filter").value.trim();
  drawVendors();
  drawFailing(query);
  drawRecent(query);
}

// === Profiles and configuration ===

function drawProfiles() {
  const query = $("profile-filter").value.trim();
  const all = state.profiles.filter((profile) => passes(query, profile));
  show($("profile-list"), all.slice(0, DRAWN), (profile) => profile.profile + profile.source, profileRow);
  put($("profiles-count"), number(all.length));
  put($("profiles-note"), all.length > DRAWN ? `${number(all.length - DRAWN)} more: filter to see them.` : "");
}

function profileRow({ profile, services, actions, status, source }) {
  const list = make("details", "", make("summary", "", plural(actions.length, "action")), actions.join(", "));
  return { node: make("tr", "", make("td", "id", profile), make("td", "wide", services.join(", ")), make("td", "", list),
    make("td", "wide", status), make("td", "wide small", source)) };
}

function drawConfig({ in_force: inForce, last_read: lastRead, refused, config }) {
  const fact = (name, value) => [make("dt", "", name), make("dd", "", make("code", "", value))];
  $("config-state").replaceChildren(...fact("in force", inForce), ...fact("last read", lastRead),
    ...(refused ? fact("refused because", refused) : []));
  put($("config-text"), JSON.stringify(config, null, 2));
  $("alarm").hidden = !refused;
  put($("alarm"), refused ? `The configuration last read was refused; the one before it serves on. ${refused}` : "");
}

// === Playground ===

async function explain() {
  const pasted = { request: $("request").value, reply: $("reply").value, vendor: $("vendor").value.trim() || undefined };
  try {
    const headers = { "content-type": "application/json" };
    const response = await fetch("/api/explain", { method: "POST", headers, body: JSON.stringify(pasted) });
    const text = await response.text();
    if (!response.ok) throw new Error(response.status === 422 ? JSON.parse(text).error : `HTTP ${response.status}`);
    $("answer").replaceChildren(...explanation(JSON.parse(text), text));
  } catch (cause) {
    $("answer").replaceChildren(make("p", "wrong", cause.message));
  }
}

function explanation({ profile, action, source, profile_status: status, http_status: http, rules, envelope }, text) {
  const name = (result) => make("code", "", result.id ?? result.key ?? `#${result.index ?? "?"}`);
  const says = ({ error, task }) => [make("span", "", plain(error?.category)), make("span", "under",
    words(error?.vendor_code, error?.message)), make("span", "under", task && `task ${task.id} ${task.state}`)];
  const results = envelope.results.slice(0, DRAWN).map((result) => [[name(result)],
    [chip(result.outcome), " ", result.evidence], says(result), [plain(result.error?.advice)]]);
  const spoke = rules.slice(0, DRAWN).map((rule) => [[rule.rule], [make("code", "", rule.item)],
    [rule.outcome ? chip(rule.outcome) : "", " ", rule.evidence], [rule.why]]);
  const whole = make("pre", "", pretty(text));
  whole.tabIndex = 0;
  const notes = envelope.diagnostics.map((note) => make("li", "", make("code", "", note.code), " ", note.message));
  const outer = envelope.error && make("p", "", "On the whole the vendor said: ",
    words(plain(envelope.error.category), envelope.error.vendor_code, envelope.error.message));
  return [
    make("h3", "", "The envelope: HTTP ", String(http), " ", chip(envelope.outcome)),
    make("p", "note", `${action}, read by ${profile} (${status}). Source: ${source}`), outer,
    table(["Resource", "Outcome", "Why", "Advice"], results, envelope.results.length),
    make("h3", "", "The rules that spoke"), table(["Rule", "Item", "Says", "Why"], spoke, rules.length),
    notes.length && make("ul", "", ...notes), make("details", "", make("summary", "", "All of it as JSON"), whole),
  ].filter(Boolean);
}

function table(heads, rows, total) {
  const head = make("tr", "", ...heads.map((text) => Object.assign(make("th", "", text), { scope: "col" })));
  const body = rows.map((cells) => make("tr", "", ...cells.map((cell) => make("td", "", ...cell))));
  const node = make("table", "", make("thead", "", head), make("tbody", "", ...body));
  if (total > rows.length) node.append(make("caption", "note", `The first ${number(rows.length)} of ${number(total)}.`));
  return node;
}

/** Indents JSON text without parsing it: large numbers, repeated keys and the order of keys stay as they are. */
function pretty(text) {
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  return text.replace(/"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[[\]{},:]|\s+/g, (token) => {
    if (token === "{" || token === "[") return token + (depth++, line());
    if (token === "}" || token === "]") return (depth--, line()) + token;
    if (token === ",") return token + line();
    if (token === ":") return ": ";
    return token.trim();
  });
}

// === Loading and staying current ===

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

/** Newest first, each record once. Times are RFC 3339 in UTC, so their order as text is their order in time. */
function merge(key, ...lists) {
  const unique = new Map(lists.flat().map((record) => [record[key], record]));
  return [...unique.values()].sort((a, b) => b.time.localeCompare(a.time)).slice(0, KEPT);
}

/** Runs `task` once per `wait` ms at most, however often it is asked for. */
function calm(task, wait) {
  let timer;
  return () => (timer ??= setTimeout(() => { timer = undefined; task(); }, wait));
}

let arrived = { failures: [], batches: [] };
const redraw = calm(() => { settle(); draw(); }, 250);
const reloadSoon = calm(load, 2000);
const recount = calm(() => refresh("/api/vendors", (vendors) => { state.vendors = vendors; redraw(); }), 1000);

function settle() {
  state.failures = merge("event_id", arrived.failures, state.failures);
  state.batches = merge("id", arrived.batches, state.batches);
  arrived = { failures: [], batches: [] };
}

/** Loads one thing; a failure leaves what is shown and is told by the line on top. */
async function refresh(path, use) {
  try {
    use(await get(path));
  } catch (cause) {
    if (!stream || stream.readyState !== EventSource.OPEN) tell("off", "Gateway not reachable");
    console.info(cause.message);
  }
}

function load() {
  return Promise.all([
    refresh("/api/vendors", (vendors) => { state.vendors = vendors; }),
    refresh(`/api/failures?limit=${KEPT}`, ({ failures }) => { state.failures = failures; }),
    refresh(`/api/batches?limit=${KEPT}`, ({ batches }) => { state.batches = batches; }),
    refresh("/api/config", drawConfig),
  ]).then(redraw);
}
