// The browser: Debian's Chromium, driven by playwright-core, with nothing that talks to anyone but the gateway.
//
// NODE_MODULES is the folder that holds playwright-core and axe-core (`npm ci` of package-lock.json, anywhere);
// without it, the one beside this file.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(process.env.NODE_MODULES ? join(process.env.NODE_MODULES, "_") : import.meta.url);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: QUIET });
}

/** Opens a page; `page.complaints` collects what the console, scripts and other hosts had to do with it. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("dialog", (dialog) => { page.complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) page.complaints.push(`asks ${request.url()}`);
  });
  await options.before?.(page);
  await page.goto(url);
  return page;
}

/** Serious and critical accessibility violations, as `rule: element`. */
export async function violations(page) {
  // Not a script tag: the page's own policy forbids inline scripts.
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run());
  return found.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}

/** Asks again until `probe` gives what is expected, for 15 s at most. */
export async function eventually(probe, expected) {
  const end = Date.now() + 15_000;
  let seen = await probe();
  while (!same(seen, expected) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen = await probe();
  }
  assert.deepEqual(seen, expected);
}

function same(a, b) {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}
