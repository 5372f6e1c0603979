/* The tests of the reports in a real browser. A file of tests is a list of promises:
 *
 *   promise("the_report_has_no_console_error", async ({open, reports}) => { ... });
 *   await keep();
 *
 * CMakeLists.txt reads the names and makes a ctest case of each: node FILE NAME FOLDER, where FOLDER holds the reports.
 * A case has a browser of its own, and ends within a bounded time with nothing left running. */
import assert from "node:assert/strict";
import { accessSync, constants, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

export { assert };

const limit_ms = 240_000; /* for one case; ctest's own limit is above it */
const wait_ms = 20_000; /* for one thing to happen in a page */

const promises = new Map();
export function promise(name, check) {
  assert.ok(!promises.has(name), "promised twice: " + name);
  promises.set(name, check);
}

function program(...names) {
  for (const name of names)
    for (const folder of (process.env.PATH || "").split(delimiter))
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch { /* not there */ }
  throw new Error("no " + names.join(" and no ") + " in PATH; ./dev setup installs one");
}

export const startBrowser = () => chromium.launch({
  executablePath: program("chromium", "google-chrome"),
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

/* What the server sends with a report, by the first part of the path. */
const policies = { plain: null, sandbox: "sandbox", scripts: "sandbox allow-scripts" };

const frame = (attribute, address) =>
  `<!doctype html><html lang="en"><title>frame</title><iframe ${attribute} src="${address}" width="1200" height="800"></iframe>`;

/* Serves folder on the loopback: /POLICY/rich.html with the policy as header, /framed/POLICY/rich.html the report in a
 * frame that is sandboxed so by its attribute. */
async function serve(folder) {
  const server = createServer((request, response) => {
    if (request.url === "/favicon.ico") { /* every browser asks a server for it */
      response.writeHead(204).end();
      return;
    }
    const parts = request.url.split("/").slice(1);
    const framed = parts[0] === "framed" && parts.shift();
    const [policy, file] = parts;
    if (!(policy in policies) || !reportNames(folder).includes(file)) {
      response.writeHead(404).end();
      return;
    }
    const headers = { "content-type": "text/html; charset=utf-8" };
    if (framed) {
      const sandbox = policies[policy] === null ? "" : `sandbox="${policies[policy].replace("sandbox", "").trim()}"`;
      response.writeHead(200, headers).end(frame(sandbox, "/plain/" + file));
      return;
    }
    if (policies[policy] !== null) headers["content-security-policy"] = policies[policy];
    response.writeHead(200, headers).end(readFileSync(join(folder, file)));
  });
  await new Promise((done, failed) => server.once("error", failed).listen(0, "127.0.0.1", done));
  const stop = () => new Promise((done) => { server.close(done); server.closeAllConnections(); });
  return { base: `http://127.0.0.1:${server.address().port}`, stop };
}

const reportNames = (folder) => readdirSync(folder).filter((name) => name.endsWith(".html")).sort();

/* What a check is given. Pages note what they asked of the network, what the console said, and whether a dialog came. */
class Reader {
  constructor(browser, folder, base) {
    this.browser = browser;
    this.folder = folder;
    this.base = base;
    this.reports = reportNames(folder);
    assert.ok(this.reports.length, "no report in " + folder);
    for (const method of ["open", "text"]) this[method] = this[method].bind(this);
  }

  /* A report as a user opens it: from the disk, or by way ("scripts", "framed/sandbox") from the server. options are
   * Playwright's of a new context; hash is what stands behind the address; alter(html) is what comes instead of the
   * report; before runs in the page before its own script. */
  async open(name, { way = null, hash = "", alter = null, before = null, ...options } = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(wait_ms);
    if (before) await context.addInitScript(before);
    if (alter)
      await context.route("**/" + name, (route) => route.fulfill({ contentType: "text/html", body: alter(this.text(name)) }));
    const page = await context.newPage();
    page.requests = [];
    page.said = [];
    page.on("request", (request) => page.requests.push(request.url()));
    page.on("console", (message) => page.said.push(message.type() + ": " + message.text()));
    page.on("pageerror", (error) => page.said.push("exception: " + error.message));
    page.on("dialog", (dialog) => { page.said.push("dialog: " + dialog.message()); dialog.dismiss(); });
    page.address = way ? `${this.base}/${way}/${name}` : pathToFileURL(join(this.folder, name)).href;
    await page.goto(page.address + hash, { waitUntil: "load" });
    return page;
  }

  /* The text of a report as it lies on the disk. */
  text(name) {
    return readFileSync(join(this.folder, name), "utf8");
  }
}

/* Runs the check that the command line names. */
export async function keep() {
  const [name, folder] = process.argv.slice(2);
  assert.ok(promises.has(name) && folder, `usage: ${process.argv[1]} ${[...promises.keys()].join("|")} FOLDER`);
  const late = setTimeout(() => { console.error(`${name}: not done after ${limit_ms} ms`); process.exit(1); }, limit_ms);
  const served = await serve(resolve(folder));
  const browser = await startBrowser();
  try {
    await promises.get(name)(new Reader(browser, resolve(folder), served.base));
  } catch (error) {
    console.error(`${name}: ${error.stack}`);
    process.exitCode = 1;
  } finally {
    await browser.close();
    await served.stop();
    clearTimeout(late);
  }
}
