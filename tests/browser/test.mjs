// The admin port's page in a real browser, on a real gateway with the demo's fake vendors behind it.
//
//   ONEVELOPE=target/release/onevelope NODE_MODULES=… node --test tests/browser/test.mjs
//
// Wants /usr/bin/chromium (or CHROMIUM) and, in NODE_MODULES, what package-lock.json names.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { eventually, launch, open, violations } from "./browser.mjs";
import { demo, serve, vendor } from "./gateway.mjs";

const HOSTILE = "<img src=x onerror=alert(1)>";
const VIEWS = ["overview", "playground", "profiles", "config"];

let browser, gateway;

before(async () => {
  [browser, gateway] = await Promise.all([launch(), demo()]);
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** Has the demo's Tencent asked to stop instances; it knows three, of which qcvm6a45c1 always fails. */
async function stopInstances(...ids) {
  const query = ids.map((id, at) => `&instanceIds.${at}=${encodeURIComponent(id)}`).join("");
  const response = await fetch(`${gateway.url}/tencent/v2/index.php?Action=StopInstances${query}`);
  return response.json();
}

const ofTencent = (vendors) => vendors.find(({ vendor }) => vendor === "tencent").unknown;
const unknownAtTencent = async () => ofTencent(await (await fetch(`${gateway.admin}/api/vendors`)).json());

/** A test with a page of its own, which must leave the browser's console empty. */
function pageTest(name, run, { path = "", expected = () => false, ...options } = {}) {
  test(name, async () => {
    const page = await open(browser, `${gateway.admin}/${path}`, options);
    try {
      await run(page);
      assert.deepEqual(page.complaints.filter((text) => !expected(text)), []);
    } finally {
      await page.context().close();
    }
  });
}

/** The row of a failing resource. */
const failing = (page, id) => page.locator("#failing tbody").filter({ has: page.getByRole("button", { name: id, exact: true }) });
const failures = async (page, id) => Number(await failing(page, id).locator("td.number").innerText());

/** Everything the page can show at once: a history, and the playground's answer. */
async function unfoldEverything(page) {
  await page.locator("#failing button").first().click();
  await page.goto(`${gateway.admin}/#playground`);
  await page.getByRole("button", { name: "Explain" }).click();
  await page.locator("#answer summary").click();
}

describe("overview", () => {
  pageTest("shows each resource that failed, with why and what to do", async (page) => {
    const row = failing(page, "516fb98f-46ca-475e-917e-2563e5a8cd12");
    await row.waitFor();
    const text = await row.innerText();
    for (const part of ["huawei ecs", "failed", "not found", "Ecs.0614", "do not retry"]) assert.ok(text.includes(part), `${part} in ${text}`);
  });

  pageTest("shows vendors with their counts", async (page) => {
    const huawei = page.locator("#vendors li").filter({ hasText: "huawei" });
    await eventually(() => huawei.locator(".counts span").allInnerTexts(), ["2 succeeded", "1 failed"]);
  });

  pageTest("shows a failure as it happens, without reload", async (page) => {
    await page.getByText("Live", { exact: true }).waitFor();
    const tencent = page.locator("#vendors li").filter({ hasText: "tencent" });
    const unknown = await unknownAtTencent();
    await page.evaluate(() => { globalThis.sameDocument = true; });
    const envelope = await stopInstances("just-now");
    await failing(page, "just-now").waitFor();
    await page.locator("#recent tr").filter({ hasText: envelope.id }).waitFor();
    await eventually(async () => (await tencent.locator(".counts").innerText()).includes(`${unknown + 1} unknown`), true);
    assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
  });

  pageTest("counts repeated failures of a resource in one row", async (page) => {
    await stopInstances("again");
    await failing(page, "again").waitFor();
    await stopInstances("again");
    await eventually(() => failures(page, "again"), 2);
  });

  pageTest("keeps an id that looks like markup as text", async (page) => {
    await stopInstances(HOSTILE);
    const row = failing(page, HOSTILE);
    await row.waitFor();
    await row.getByRole("button").click();
    assert.equal(await page.locator("img").count(), 0);
  });

  pageTest("finds what one envelope said by its id", async (page) => {
    const envelope = await stopInstances("needle");
    await failing(page, "needle").waitFor();
    await page.getByRole("searchbox", { name: "Filter" }).fill(envelope.id);
    await eventually(() => page.locator("#failing button").allInnerTexts().then((ids) => ids.sort()), ["needle", "qcvm6a45c1"]);
    await eventually(() => page.locator("#recent tbody tr, #recent > tr").count(), 1);
    await page.getByRole("searchbox", { name: "Filter" }).fill("no such thing");
    await page.getByText("Nothing matches the filter.").first().waitFor();
  });

  pageTest("unfolds a resource's history by keyboard, and leaves the focus there when news comes", async (page) => {
    await stopInstances("focused");
    const button = failing(page, "focused").getByRole("button");
    await button.focus();
    await page.keyboard.press("Enter");
    assert.equal(await button.getAttribute("aria-expanded"), "true");
    const history = failing(page, "focused").locator(".history li");
    assert.equal(await history.count(), 1);
    await stopInstances("focused");
    await eventually(() => history.count(), 2);
    await stopInstances("newcomer");
    await failing(page, "newcomer").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "focused");
  });

  pageTest("holds still while paused, and catches up after", async (page) => {
    await page.getByText("Live", { exact: true }).waitFor();
    await failing(page, "qcvm6a45c1").waitFor();
    const pause = page.getByRole("button", { name: "Pause" });
    await pause.click();
    const unknown = await unknownAtTencent();
    // The page asks for the vendors' counts a second after a batch: later than it would have drawn the failure.
    const recount = page.waitForResponse(async (response) =>
      response.url().endsWith("/api/vendors") && ofTencent(await response.json()) > unknown);
    await stopInstances("while-paused");
    await recount;
    assert.equal(await failing(page, "while-paused").count(), 0);
    await pause.click();
    await failing(page, "while-paused").waitFor();
  });

  pageTest("loads without the live stream, says so, and comes back to life", async (page) => {
    await page.getByText("Not live", { exact: false }).waitFor();
    await failing(page, "qcvm6a45c1").waitFor();
    await page.unroute("**/api/events");
    await page.getByText("Live", { exact: true }).waitFor();
  }, { before: (page) => page.route("**/api/events", (route) => route.abort()), expected: (text) => text.includes("ERR_FAILED") });

  pageTest("never says that nothing failed when it could not ask", async (page) => {
    await page.getByText(/^Not (current|live)/).waitFor();
    await page.getByText("Not loaded.").first().waitFor();
    assert.equal(await page.getByText("Nothing has failed.").count(), 0);
  }, { before: (page) => page.route("**/api/*", (route) => route.abort()), expected: (text) => text.includes("ERR_FAILED") });
});

describe("playground", () => {
  pageTest("explains the sample: the verdicts, and which rule spoke", async (page) => {
    await page.getByRole("button", { name: "Explain" }).click();
    const [results, rules] = [page.locator("#answer table").nth(0), page.locator("#answer table").nth(1)];
    await results.waitFor();
    assert.match(await page.locator("#answer h3").first().innerText(), /HTTP 207\s+partial/);
    const rows = await results.locator("tbody tr").allInnerTexts();
    assert.deepEqual(rows.map((row) => row.split("\t").slice(0, 2).join(" ").trim()), [
      "616fb98f-46ca-475e-917e-2563e5a8cd19 succeeded inferred",
      "516fb98f-46ca-475e-917e-2563e5a8cd12 failed reported",
      "726fb98f-46ca-475e-917e-2563e5a8cd20 succeeded inferred",
    ]);
    assert.match(await rules.innerText(), /\[\[reply\.entries\]\].*516fb98f-46ca-475e-917e-2563e5a8cd12.*failed/);
    assert.ok(!(await page.locator("#answer").innerHTML()).includes("not-shown-anywhere"), "the password came back");
  }, { path: "#playground" });

  pageTest("keeps what a vendor wrote as text", async (page) => {
    const reply = page.getByLabel("Reply");
    await reply.fill((await reply.inputValue()).replace("The ECS does not exist.", HOSTILE).replace("Ecs.0614", "<b>code</b>"));
    await page.keyboard.press("Control+Enter");
    await page.locator("#answer table").first().getByText(`<b>code</b> ${HOSTILE}`).waitFor();
    assert.equal(await page.locator("#answer img, #answer b").count(), 0);
  }, { path: "#playground" });

  pageTest("says why it cannot explain, and finds back to the sample", async (page) => {
    const request = page.getByLabel("Request");
    const sample = await request.inputValue();
    await request.fill("GET /nobody-knows-this HTTP/1.1\n\n");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.locator("#answer").getByText("no profile knows GET /nobody-knows-this").waitFor();
    await page.getByRole("button", { name: "Back to the sample" }).click();
    assert.equal(await request.inputValue(), sample);
  }, { path: "#playground", expected: (text) => text.includes("422") });

  pageTest("lets only the named vendor's profiles read", async (page) => {
    await page.getByLabel("Vendor").fill("tencent");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.locator("#answer").getByText("not recognised").waitFor();
  }, { path: "#playground", expected: (text) => text.includes("422") });
});

describe("profiles and configuration", () => {
  pageTest("tells which profile knows an action", async (page) => {
    await page.getByRole("link", { name: "Profiles" }).click();
    await page.getByRole("searchbox", { name: "Filter" }).fill("huawei BatchResetServersPassword");
    await eventually(() => page.locator("#profile-list td.id").allInnerTexts(), ["huawei/ecs-batch"]);
  });

  pageTest("shows the configuration in force", async (page) => {
    await page.getByRole("link", { name: "Configuration" }).click();
    const shown = page.getByLabel("Configuration as JSON");
    await eventually(async () => Object.keys(JSON.parse(await shown.innerText() || "{}").routes ?? {}).includes("tencent"), true);
  });

  test("warns of a refused configuration, which file and why", async () => {
    const folder = mkdtempSync(join(tmpdir(), "onevelope-page-"));
    const file = join(folder, "onevelope.toml");
    const fake = await vendor({});
    const good = `listen = { address = "127.0.0.1:0" }
      admin = { address = "127.0.0.1:0" }
      routes.any = { vendor = "huawei", upstream = "any" }
      upstreams.any = { url = "${fake.url}" }`;
    writeFileSync(file, good);
    const other = await serve(file);
    try {
      const page = await open(browser, other.admin);
      await page.getByText("Nothing has failed.").waitFor();
      assert.equal(await page.getByRole("alert").isVisible(), false);
      writeFileSync(file, good.replace("vendor =", "vendro ="));
      await eventually(async () => Boolean((await (await fetch(`${other.admin}/api/config`)).json()).refused), true);
      await page.reload();
      await page.getByRole("alert").getByText("vendro").waitFor();
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    } finally {
      await other.stop();
      fake.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

describe("for everyone", () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 400]) {
      pageTest(`no serious accessibility violation, ${colorScheme}, ${width} px wide`, async (page) => {
        await unfoldEverything(page);
        for (const view of VIEWS) {
          await page.goto(`${gateway.admin}/#${view}`);
          assert.deepEqual(await violations(page), [], view);
        }
      }, { colorScheme, viewport: { width, height: 900 } });
    }
  }

  for (const width of [1280, 400]) {
    pageTest(`nothing to scroll sideways at ${width} px`, async (page) => {
      await stopInstances(`i-${"a-long-id-".repeat(30)}`, "x".repeat(300));
      await failing(page, "x".repeat(300)).waitFor();
      await unfoldEverything(page);
      for (const view of VIEWS) {
        await page.goto(`${gateway.admin}/#${view}`);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, view);
      }
    }, { viewport: { width, height: 900 } });
  }

  pageTest("reaches every view by keyboard, and says which one is shown", async (page) => {
    await page.keyboard.press("Tab");
    await page.getByRole("link", { name: "Skip to content" }).and(page.locator(":focus")).waitFor();
    for (const [presses, name, id] of [[2, "Playground", "playground"], [3, "Profiles", "profiles"], [4, "Configuration", "config"]]) {
      await page.getByRole("link", { name: "Skip to content" }).focus();
      for (let press = 0; press < presses; press++) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.locator(`#${id}`).waitFor();
      assert.equal(await page.locator("main > section:visible").count(), 1);
      assert.equal(await page.locator("nav [aria-current=page]").innerText(), name);
    }
  });

  test("an open page does not keep the gateway from ending", async () => {
    const other = await demo();
    const page = await open(browser, other.admin);
    await page.getByText("Live", { exact: true }).waitFor();
    const asked = Date.now();
    assert.equal(await other.stop(), 0);
    assert.ok(Date.now() - asked < 10_000, "an open page held the gateway until the drain's deadline");
    await page.context().close();
  });
});
