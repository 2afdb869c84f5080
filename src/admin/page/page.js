// The admin port's page: reads /api, shows it, keeps it current.
//
// Ids, codes and messages are written by vendors and callers: they only ever become text, never markup, addresses or
// class names.

/** Records held of each kind; the gateway keeps as many. */
const KEPT = 1000;
/** Rows drawn of each table: nobody reads more, and the page stays quick. */
const DRAWN = 100;
const COUNTS = ["succeeded", "accepted", "failed", "not_attempted", "unknown"];

const state = { vendors: [], failures: new Map(), batches: new Map(), profiles: [], loaded: false, paused: false };
const $ = (id) => document.getElementById(id);
const words = (...parts) => parts.filter(Boolean).join(" ");
const plain = (word) => String(word ?? "").replaceAll("_", " ");
/** An unmapped failure has no category worth a word; its code follows. */
const known = (category) => (category === "unknown" ? "" : plain(category));
const number = (n) => n.toLocaleString("en");
/** Under a table: what is left out, or why it is empty. Never "nothing" before the lists came. */
function note(all, query, nothing) {
  if (all > DRAWN) return `${number(all - DRAWN)} more: filter to see them.`;
  if (all) return "";
  if (!state.loaded) return "Not loaded.";
  return query ? "Nothing matches the filter." : nothing;
}

// === Making elements ===

/** An element with a class and children; strings become text nodes, empty children are left out. */
function make(tag, className, ...children) {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children.filter(Boolean));
  return node;
}

/** Touches a text only when it differs, so that a selection in it survives. */
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function button(text, className, action) {
  const node = make("button", className, text);
  node.type = "button";
  node.addEventListener("click", action);
  return node;
}

/** The class is safe: outcomes are the gateway's own words, of a closed list. */
const chip = (outcome) => make("span", `chip ${outcome}`, plain(outcome));
const present = (counts) => COUNTS.filter((name) => counts[name] > 0);
const counted = (counts) => present(counts).map((name) => make("span", name, `${number(counts[name])} ${plain(name)}`));

function moment(time, node = make("time", "")) {
  node.dateTime = node.title = time;
  put(node, ago(time));
  return node;
}

function ago(time) {
  const seconds = Math.floor((Date.now() - Date.parse(time)) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds}\u00a0s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}\u00a0min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}\u00a0h ago`;
  return time.slice(0, 16).replace("T", " ");
}

const drawn = new WeakMap();

/** Makes a parent's rows those of `items`; items shown before keep their elements, so focus and selection stay. */
function show(parent, items, key, build) {
  const old = drawn.get(parent) ?? new Map();
  const rows = new Map(items.map((item) => [key(item), old.get(key(item)) ?? build(item)]));
  drawn.set(parent, rows);
  for (const [name, row] of old) if (!rows.has(name)) row.node.remove();
  const focused = document.activeElement;
  let next = parent.tHead ? parent.tHead.nextElementSibling : parent.firstElementChild;
  for (const item of items) {
    const { node, fill } = rows.get(key(item));
    fill?.(item);
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
  if (focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

// === Overview ===

/** True when every word of the query occurs somewhere in the record. */
function passes(query, record) {
  const text = Object.values(record).flat().join("\n").toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function draw() {
  drawVendors();
  drawFailing($("filter").value.trim());
  drawRecent($("filter").value.trim());
}

function drawVendors() {
  const busy = state.vendors.filter((vendor) => present(vendor).length);
  show($("vendors"), busy.sort((a, b) => b.failed - a.failed), ({ vendor }) => vendor, ({ vendor }) => {
    const name = button(vendor, "link", () => {
      $("filter").value = $("filter").value === vendor ? "" : vendor;
      draw();
    });
    const [bar, counts] = [make("div", "bar"), make("p", "counts")];
    const fill = (now) => {
      const parts = present(now).map((count) => make("span", count));
      present(now).forEach((count, at) => { parts[at].style.flexGrow = now[count]; });
      bar.replaceChildren(...parts);
      counts.replaceChildren(...counted(now));
    };
    return { node: make("li", "", name, bar, counts), fill };
  });
  const idle = state.vendors.filter((vendor) => !present(vendor).length).map(({ vendor }) => vendor);
  put($("quiet"), idle.length ? `No batch yet: ${idle.join(", ")}` : "");
}

/** Only those that stop calls. */
function drawBreakers(all) {
  const resting = all.filter(({ state }) => state !== "passing");
  const names = resting.map(({ upstream, action, state }) => `${upstream}${action && ` ${action}`} (${state})`);
  put($("breakers"), names.length ? `Given a rest, nothing is sent: ${names.join(", ")}` : "");
}

/** Failures, newest first, by resource. What a dry run foretold did not happen. */
function groups(failures) {
  const happened = failures.filter((failure) => !failure.dry_run);
  const all = [...Map.groupBy(happened, ({ vendor, service, resource_type: type, resource, action }) =>
    JSON.stringify([vendor, service, type, resource ?? { action }]))];
  return $("order").value === "count" ? all.sort(([, a], [, b]) => b.length - a.length) : all;
}

function drawFailing(query) {
  const all = groups(newest(state.failures).filter((failure) => passes(query, failure)));
  show($("failing"), all.slice(0, DRAWN), ([key]) => key, failingRow);
  put($("failing-count"), all.length ? `${number(all.length)}, counted over the last ${number(KEPT)} failures` : "");
  put($("failing-note"), note(all.length, query, "Nothing has failed."));
}

function failingRow([, [{ resource, resource_type: type, vendor, service }]]) {
  const [why, advice, count] = [make("td", ""), make("td", "wide keep"), make("td", "number")];
  const [since, latest, history] = [make("time", ""), make("time", ""), make("ul", "history")];
  const id = button(resource ?? "(no id)", "link id", () => unfold(details.hidden));
  const first = make("td", "", id, make("span", "under", type), make("span", "under narrow", words(vendor, service)));
  const row = make("tr", "", first, make("td", "wide keep", words(vendor, service)), why, advice, count,
    make("td", "wide", since), make("td", "", latest));
  const details = make("tr", "", Object.assign(make("td", "", history), { colSpan: row.children.length }));
  let shown = [];
  const unfold = (open) => {
    details.hidden = !open;
    id.ariaExpanded = String(open);
    history.replaceChildren(...(open ? shown.slice(0, 10).map(failureLine) : []));
  };
  const fill = ([, failures]) => {
    if (shown[0] === failures[0] && shown.length === failures.length) return;
    shown = failures;
    const { outcome, category, vendor_code: code, advice: advised, time } = failures[0];
    why.replaceChildren(chip(outcome), " ", known(category), code ? make("code", "under", code) : "");
    put(advice, plain(advised));
    put(count, number(failures.length));
    moment(failures.at(-1).time, since);
    moment(time, latest);
    unfold(id.ariaExpanded === "true");
  };
  return { node: make("tbody", "", row, details), fill };
}

function failureLine(failure) {
  const fact = (name, value) => value && make("span", "", make("span", "aside", name), " ", value);
  return make("li", "", moment(failure.time), make("span", "", failure.action), chip(failure.outcome),
    make("span", "", words(known(failure.category), failure.vendor_code)), fact("advice", plain(failure.advice)),
    fact("task", failure.task), fact("envelope", make("code", "", failure.envelope_id)));
}

function drawRecent(query) {
  const all = newest(state.batches).filter((batch) => passes(query, batch));
  show($("recent"), all.slice(0, DRAWN), (batch) => batch.id, (batch) => ({ node: make("tr", "",
    make("td", "", make("span", "id", batch.action), make("span", "under", words(batch.vendor, batch.service))),
    make("td", "", chip(batch.outcome), batch.dry_run && " dry run"), make("td", "counts", ...counted(batch.summary)),
    make("td", "wide number", String(batch.upstream_status ?? "none")), make("td", "wide small", batch.profile),
    make("td", "wide", make("code", "", batch.id)), make("td", "", moment(batch.time))) }));
  put($("recent-count"), all.length ? number(all.length) : "");
  put($("recent-note"), note(all.length, query, "No batch has been answered yet."));
}

// === Profiles and configuration ===

function drawProfiles() {
  const all = state.profiles.filter((profile) => passes($("profile-filter").value.trim(), profile));
  const row = ({ profile, services, actions, status, source }) => ({ node: make("tr", "",
    make("td", "keep id", profile), make("td", "wide", services.join(", ")),
    make("td", "", make("details", "", make("summary", "", number(actions.length)), actions.join(", "))),
    make("td", "wide", status), make("td", "wide small", source)) });
  show($("profile-list"), all.slice(0, DRAWN), ({ profile }) => profile, row);
  put($("profiles-count"), number(all.length));
  put($("profiles-note"), note(all.length, true));
}

function drawConfig({ in_force: inForce, last_read: lastRead, refused, config }) {
  put($("in-force"), inForce);
  put($("last-read"), lastRead);
  put($("config-text"), JSON.stringify(config, null, 2));
  put($("alarm"), refused ? `The configuration last read was refused; the one before it serves on. ${refused}` : "");
  $("alarm").hidden = !refused;
}

// === Playground ===

async function explain() {
  const pasted = { request: $("request").value, reply: $("reply").value, vendor: $("vendor").value.trim() };
  try {
    const response = await fetch("/api/explain", { method: "POST", body: JSON.stringify(pasted) });
    const text = await response.text();
    if (!response.ok) throw new Error(response.status === 422 ? JSON.parse(text).error : `HTTP ${response.status}`);
    $("answer").replaceChildren(...explanation(JSON.parse(text), text).filter(Boolean));
  } catch (cause) {
    $("answer").replaceChildren(make("p", "wrong", cause.message));
  }
}

function explanation({ profile, action, source, profile_status: status, http_status: http, rules, envelope }, text) {
  const says = (error) => words(error?.vendor_code, error?.message);
  const results = envelope.results.map(({ id, key, index, outcome, evidence, error, task }) => [
    [make("code", "", id ?? key ?? `#${index}`)], [chip(outcome), " ", evidence],
    [plain(error?.category), make("span", "under", says(error), task && `task ${words(task.id, task.state)}`)],
    [plain(error?.advice)]]);
  const spoke = rules.map(({ rule, item, outcome, evidence, why }) => [
    [rule], [item && make("code", "", item)], outcome ? [chip(outcome), " ", evidence] : [], [why]]);
  const notes = envelope.diagnostics.map(({ code, message }) => make("li", "", make("code", "", code), " ", message));
  const whole = make("pre", "", pretty(text));
  whole.tabIndex = 0;
  return [make("h3", "", `HTTP ${http} `, chip(envelope.outcome)),
    make("p", "note", `${action}, read by ${profile} (${status}). Source: ${source}`),
    envelope.error && make("p", "", `The vendor on the whole batch: ${says(envelope.error)}`),
    table(["Resource", "Outcome", "Why", "Advice"], results), notes.length && make("ul", "", ...notes),
    make("h3", "", "The rules that spoke"), table(["Rule", "Item", "Says", "Because"], spoke),
    make("details", "", make("summary", "", "All of it as JSON"), whole)];
}

function table(heads, rows) {
  const head = make("tr", "", ...heads.map((text) => Object.assign(make("th", "", text), { scope: "col" })));
  const body = rows.slice(0, DRAWN).map((cells) => make("tr", "", ...cells.map((cell) => make("td", "", ...cell))));
  const cut = rows.length > DRAWN && make("caption", "note", `The first ${DRAWN} of ${number(rows.length)}`);
  return make("table", "", cut, make("thead", "", head), make("tbody", "", ...body));
}

/** Indents JSON text without parsing it: large numbers, repeated keys and the order of keys stay as they are. */
function pretty(text) {
  let depth = 0;
  const line = (step = 0) => `\n${"  ".repeat(depth += step)}`;
  return text.replace(/"(?:[^"\\]|\\.)*"|\{\}|\[\]|[[\]{},:]/g, (token) => {
    if (token === "{" || token === "[") return token + line(1);
    if (token === "}" || token === "]") return line(-1) + token;
    return { ",": token + line(), ":": ": " }[token] ?? token;
  });
}

// === Staying current ===

const NEWS = {
  "/api/vendors": (vendors) => { state.vendors = vendors; },
  [`/api/failures?limit=${KEPT}`]: ({ failures }) => { state.loaded = true; failures.forEach(keepFailure); },
  [`/api/batches?limit=${KEPT}`]: ({ batches }) => batches.forEach(keepBatch),
  "/api/breakers": drawBreakers,
  "/api/config": drawConfig,
};
const redraw = calm(() => (state.paused ? [state.failures, state.batches].forEach(newest) : draw()), 250);
const reload = calm(() => load(NEWS), 1000);
const recount = calm(() => load({ "/api/vendors": NEWS["/api/vendors"], "/api/breakers": drawBreakers }), 1000);
const keepFailure = (failure) => state.failures.set(failure.event_id, failure);
const keepBatch = (batch) => state.batches.set(batch.id, batch);
const live = () => stream?.readyState === EventSource.OPEN;
let stream, retry;

function tell(className, text) {
  $("live").className = className;
  put($("live"), text);
}

/** Records, newest first; the oldest are forgotten. Times are in UTC and of one length: they sort as text. */
function newest(kept) {
  const all = [...kept].sort(([, a], [, b]) => b.time.localeCompare(a.time));
  for (const [id] of all.splice(KEPT)) kept.delete(id);
  return all.map(([, record]) => record);
}

/** Runs a task once per `wait` ms at most, however often it is asked for. */
function calm(task, wait) {
  let timer;
  return () => { timer ??= setTimeout(() => { timer = undefined; task(); }, wait); };
}

async function load(things) {
  try {
    await Promise.all(Object.entries(things).map(async ([path, use]) => {
      const response = await fetch(path);
      if (!response.ok) throw new Error(`${path} answers HTTP ${response.status}`);
      use(await response.json());
    }));
    if (live()) tell("on", "Live");
  } catch (cause) {
    tell("off", `Not current: ${cause.message}`);
  }
  redraw();
}

function watch() {
  clearTimeout(retry);
  stream?.close();
  stream = new EventSource("/api/events");
  const on = (name, use) => stream.addEventListener(name, ({ data }) => { use(JSON.parse(data)); redraw(); });
  on("verdict", keepFailure);
  on("batch", (batch) => { keepBatch(batch); recount(); });
  on("missed", reload);
  // What happened while nobody listened is in the lists.
  stream.onopen = () => load(NEWS);
  stream.onerror = () => {
    tell("off", "Not live: news every 30 s");
    if (stream.readyState === EventSource.CLOSED) retry = setTimeout(watch, 5000);
  };
}

function route() {
  const view = location.hash.slice(1) || "overview";
  if (!$(view)?.matches("main > section")) return;
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== view;
  for (const link of document.querySelectorAll("nav a")) link.ariaCurrent = link.hash === `#${view}` ? "page" : null;
}

addEventListener("hashchange", () => { route(); document.querySelector("main > section:not([hidden])").focus(); });
// Browsers allow few streams per host: tabs in the background give theirs back.
document.addEventListener("visibilitychange", () => (document.hidden ? stream.close() : watch()));
$("filter").addEventListener("input", draw);
$("order").addEventListener("change", draw);
$("profile-filter").addEventListener("input", drawProfiles);
$("pause").addEventListener("click", () => {
  state.paused = !state.paused;
  $("pause").ariaPressed = String(state.paused);
  redraw();
});
$("ask").addEventListener("submit", (event) => { event.preventDefault(); explain(); });
$("ask").addEventListener("keydown", (event) => { if (event.ctrlKey && event.key === "Enter") explain(); });
setInterval(() => document.querySelectorAll("time").forEach((node) => moment(node.dateTime, node)), 5000);
setInterval(() => document.hidden || load(live() ? { "/api/config": drawConfig } : NEWS), 30000);
route();
load({ ...NEWS, "/api/profiles": (profiles) => {
  state.profiles = profiles;
  const vendors = new Set(profiles.map(({ vendor }) => vendor));
  $("vendor-names").append(...[...vendors].map((vendor) => make("option", "", vendor)));
  drawProfiles();
} });
watch();
