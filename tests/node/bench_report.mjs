/* How long a report takes in headless Chromium until it can be used: everything loaded, the script through, and a frame
 * drawn after that. Beside it an empty page in the same runs: that is what the browser costs.
 *
 *   node bench_report.mjs WRITE_MANY */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startBrowser } from "./promise.mjs";

const runs = 7;
const pages = [["an empty page", null], ["200 findings of 3 steps", [200, 3]], ["1,000 findings of 12 steps", [1000, 12]]];

/* Runs in the page from its first moment. Milliseconds since the navigation began. */
function watch() {
  const look = () => {
    const filter = document.querySelector("#filter");
    if (document.readyState !== "complete" || (filter && filter.hidden)) requestAnimationFrame(look);
    else setTimeout(() => { window.usable_ms = performance.now(); });
  };
  requestAnimationFrame(look);
}

async function measure(browser, path) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.addInitScript(watch);
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await page.goto(pathToFileURL(path).href);
  const usable_ms = await (await page.waitForFunction(() => window.usable_ms)).jsonValue();
  await context.close();
  return usable_ms;
}

const folder = mkdtempSync(join(tmpdir(), "backstep-bench-"));
const browser = await startBrowser();
try {
  const samples = pages.map(([, size], number) => {
    const path = join(folder, number + ".html");
    if (size) execFileSync(process.argv[2], [path, ...size.map(String)]);
    else writeFileSync(path, "<!DOCTYPE html><title>empty</title><p>empty</p>\n");
    return { path, kilobytes: Math.round(statSync(path).size / 1000), times: [] };
  });
  for (let run = 0; run <= runs; run++) /* the first warms up */
    for (const { path, times } of samples) {
      const usable_ms = await measure(browser, path);
      if (run) times.push(usable_ms);
    }
  console.log(`an HTML report in headless Chromium until it can be used, of ${runs} runs (aim: under 500 ms)`);
  samples.forEach(({ kilobytes, times }, number) => {
    times.sort((a, b) => a - b);
    console.log(`  ${pages[number][0].padEnd(28)} ${String(kilobytes).padStart(4)} kB   ` +
      `median ${Math.round(times[times.length >> 1])} ms, best ${Math.round(times[0])} ms`);
  });
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
