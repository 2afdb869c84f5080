// Starts a gateway and tells where it is; a fake vendor for it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const BINARY = process.env.ONEVELOPE ?? new URL("../../target/release/onevelope", import.meta.url).pathname;

/** `onevelope demo`, once its batches have been answered: `{url, admin, stop}`. */
export function demo() {
  return start(["demo"], {
    url: /onevelope on (http:\S+?),/,
    admin: /admin on (http:\S+?);/,
    ready: /(Ctrl-C ends)/,
  });
}

/** `onevelope serve` with a configuration file: `{url, admin, stop}`. */
export async function serve(file) {
  const found = await start(["serve", "--log-format", "json", "--config", file], {
    url: /"address":"([^"]+)"/,
    admin: /"admin":"([^"]+)"/,
  });
  return { ...found, url: `http://${found.url}`, admin: `http://${found.admin}` };
}

/** Runs the binary until its output has matched every pattern; what each captured is a member of the answer. */
async function start(args, patterns) {
  const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
  const exited = once(child, "exit");
  const found = {};
  const said = [];
  await new Promise((resolve, reject) => {
    const read = (line) => {
      said.push(line);
      for (const [name, pattern] of Object.entries(patterns)) found[name] ??= pattern.exec(line)?.[1];
      if (Object.keys(patterns).every((name) => found[name])) resolve();
    };
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", read);
    child.on("error", reject);
    exited.then(([code]) => reject(new Error(`${args[0]} ended with ${code} before it was up:\n${said.join("\n")}`)));
  });
  /** SIGTERM, then the exit code. */
  const stop = async () => {
    child.kill("SIGTERM");
    return (await exited)[0];
  };
  return { ...found, stop };
}

/** A vendor that gives the same JSON to everything: `{url, stop}`. */
export async function vendor(reply) {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(reply));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}
