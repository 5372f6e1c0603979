/* What the HTML report promises to everybody who reads it, whatever the browser lets it do. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { HtmlValidate } from "html-validate";
import { assert, keep, promise } from "./promise.mjs";

/* Does in a page whatever a reader can do in it. */
async function useAll(page) {
  for (const key of ["e", "j", "j", "ArrowRight", "k", "t", "t", "?", "Escape", "/"]) await page.keyboard.press(key);
  await page.keyboard.type("order");
  await page.keyboard.press("Escape");
  await page.locator("button, summary").evaluateAll((list) => list.forEach((node) => node.click()));
  await page.keyboard.press("Escape");
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
}

promise("the_report_asks_nothing_of_the_network", async ({ open, reports }) => {
  for (const report of reports) {
    const page = await open(report);
    if (report !== "many.html") await useAll(page);
    assert.deepEqual(page.requests, [page.address], report);
    await page.context().close();
  }
});

promise("the_report_has_no_console_error", async ({ open, reports }) => {
  for (const report of reports) {
    const page = await open(report);
    if (report !== "many.html") await useAll(page);
    assert.deepEqual(page.said, [], report);
    await page.context().close();
  }
});

/* --- With less than a browser usually gives --- */

const visible = (locator) => locator.evaluateAll((list) => list.map((node) => node.checkVisibility()));

/* What a reader needs is there to be seen in the frame, and nothing is offered that would not work. */
async function readsWell(frame, scripts) {
  assert.match(await frame.locator("h1").textContent(), /^Gate (failed|passed)/);
  const cards = frame.locator(".finding");
  assert.ok(await cards.count() >= 2);
  for (const card of await cards.all()) {
    const failing = await card.getAttribute("data-verdict") === "unconfirmed" ? [] : [".chain > li.bad", ".step.bad .http"];
    for (const part of ["h3", ".chain > li", ".saw code", ".sure .replays", ...failing]) {
      const seen = await visible(card.locator(part));
      assert.ok(seen.length && seen.every(Boolean), part);
    }
  }
  const step = frame.locator("details.step:not([open])").first();
  await step.locator("summary").click();
  assert.ok((await visible(frame.locator("details.step").first().locator(".http"))).every(Boolean), "steps can be opened");
  for (const section of ["#rules table", "#coverage table", "#pairs table", "#run dl", "footer"])
    assert.deepEqual(await visible(frame.locator(section)), [true], section);
  const controls = await visible(frame.locator("button, input, select"));
  assert.equal(controls.some(Boolean), scripts, "controls are there with scripts only");
  const dead = await frame.locator("a[href^='#']").evaluateAll((links) =>
    links.map((link) => link.getAttribute("href").slice(1))
      .filter((id) => !id.startsWith("/f/") && !document.getElementById(id)));
  assert.deepEqual(dead, [], "links lead to something");
}

promise("the_report_reads_well_without_scripts", async ({ open }) => {
  for (const report of ["rich.html", "demo.html"]) {
    const page = await open(report, { javaScriptEnabled: false });
    await readsWell(page, false);
  }
});

promise("the_report_reads_well_under_a_sandbox_policy", async ({ open }) => {
  const page = await open("rich.html", { way: "sandbox" });
  await readsWell(page, false);
  const scripted = await open("rich.html", { way: "scripts" });
  await readsWell(scripted, true);
  assert.equal(await scripted.evaluate(() => { try { return Boolean(localStorage); } catch (_) { return "throws"; } }),
    "throws", "storage is refused here, or the test shows nothing");
  assert.deepEqual(scripted.said, []);
});

promise("the_report_reads_well_in_a_sandboxed_frame", async ({ open }) => {
  for (const [way, scripts] of [["framed/sandbox", false], ["framed/scripts", true]]) {
    const page = await open("rich.html", { way });
    await readsWell(page.frames()[1], scripts);
    if (scripts) assert.deepEqual(page.said, []);
  }
});

promise("the_script_works_in_a_sandboxed_frame", async ({ open }) => {
  const page = await open("rich.html", { way: "framed/scripts" });
  const frame = page.frames()[1];
  const before = await frame.locator(".finding:visible").count();
  await frame.fill("#query", "rule:no_server_error");
  assert.ok(await frame.locator(".finding:visible").count() < before);
  await frame.click("#theme");
  assert.equal(await frame.textContent("#theme"), "Theme: light");
  await frame.locator("#query").press("Escape");
  await frame.locator("#query").blur();
  await frame.locator("body").press("?");
  assert.ok(await frame.getByRole("dialog").isVisible());
  assert.deepEqual(page.said, []);
});

/* --- What is hostile --- */

promise("hostile_text_is_never_interpreted", async ({ open }) => {
  const allowed = new Set(("A ARTICLE B BODY BUTTON CODE DD DEL DETAILS DIALOG DIV DL DT FOOTER H1 H2 H3 H4 HEAD HEADER HTML I " +
    "INPUT INS KBD LI LINK MAIN META NAV OL OPTION P PRE SCRIPT SECTION SELECT SPAN STYLE SUMMARY TABLE TBODY TD TH THEAD TIME " +
    "TITLE TR U UL svg symbol path circle line rect polyline text tspan title desc g use").split(" "));
  const page = await open("hostile.html");
  await useAll(page);
  await page.evaluate(() => new Promise((done) => { setTimeout(done); }));
  assert.deepEqual(page.said, [], "no dialog, nothing blocked, nothing thrown");
  assert.deepEqual(page.requests, [page.address]);
  const found = await page.evaluate(() => ({
    tags: Array.from(new Set(Array.from(document.querySelectorAll("*"), (node) => node.tagName))),
    running: Array.from(document.querySelectorAll("*"), (node) => node.getAttributeNames()
      .filter((name) => name.startsWith("on") || name === "style" || name === "src" || name === "srcdoc")).flat(),
    scripts: Array.from(document.scripts, (script) => script.type),
    links: Array.from(document.querySelectorAll("[href]"), (node) => node.getAttribute("href")).filter((href) => href[0] !== "#"),
    text: document.body.textContent.includes("<script>alert('x')</script>"),
  }));
  assert.deepEqual(found.tags.filter((tag) => !allowed.has(tag)), []);
  assert.deepEqual(found.running, []);
  assert.deepEqual(found.links, []);
  assert.equal(found.scripts.filter((type) => type === "").length, 1, "the page's own script and no other");
  assert.ok(found.text, "what is hostile is shown, as text");
});

/* --- For everybody --- */

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

async function violations(page, where) {
  await page.evaluate(axe);
  /* What is off the screen is laid out only when it comes near; axe would measure it where it is not. */
  await page.evaluate(() => document.styleSheets[0].insertRule("* { content-visibility: visible !important }",
    document.styleSheets[0].cssRules.length));
  const found = await page.evaluate(async (values) =>
    (await window.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] })).violations, levels);
  return found.flatMap((rule) => rule.nodes.map((node) => `${where}: ${rule.id}: ${node.target}: ${node.failureSummary}`));
}

async function axeFindsNothing({ open, reports }, colorScheme) {
  const found = [];
  for (const report of reports.filter((name) => name !== "many.html"))
    for (const width of [1280, 390]) {
      const page = await open(report, { colorScheme, viewport: { width, height: 900 } });
      const where = `${report}, ${width} wide`;
      found.push(...await violations(page, where));
      await page.keyboard.press("e");
      if (report !== "hostile.html" && report !== "several.html") found.push(...await violations(page, where + ", steps open"));
      await page.keyboard.press("?");
      found.push(...await violations(page, where + ", help open"));
      await page.context().close();
    }
  assert.deepEqual(found, []);
}

promise("axe_finds_no_violation_light", (reader) => axeFindsNothing(reader, "light"));
promise("axe_finds_no_violation_dark", (reader) => axeFindsNothing(reader, "dark"));

promise("html_validate_accepts_every_report", async ({ text, reports }) => {
  const rules = {
    "doctype-style": ["error", { style: "lowercase" }],
    "long-title": "off", /* the title says why the gate failed */
  };
  const validator = new HtmlValidate({ extends: ["html-validate:recommended"], rules });
  const said = [];
  for (const report of reports) {
    const result = await validator.validateString(text(report), report);
    said.push(...result.results.flatMap((file) => file.messages.map((message) =>
      `${report}:${message.line}:${message.column}: ${message.ruleId}: ${message.message}`)));
  }
  assert.deepEqual(said, []);
});

promise("print_expands_everything", async ({ open }) => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await open("rich.html", { javaScriptEnabled });
    const closed = page.locator("details.step:not([open])");
    assert.ok(await closed.count() > 0, "some steps are closed on the screen");
    assert.ok(!(await visible(closed.locator(".http"))).some(Boolean));
    await page.emulateMedia({ media: "print" });
    assert.ok((await visible(page.locator("details.step .http"))).every(Boolean));
    assert.ok(!(await visible(page.locator("button, input, select, nav"))).some(Boolean), "no control on paper");
  }
});

promise("forced_colours_keep_the_marks", async ({ open }) => {
  const page = await open("rich.html", { forcedColors: "active" });
  const border = (selector) => page.locator(selector).first().evaluate((node) => parseFloat(getComputedStyle(node).borderTopWidth));
  assert.ok(await page.evaluate(() => matchMedia("(forced-colors: active)").matches));
  assert.ok(await border(".chain > li.bad") > await border(".chain > li:not(.bad)"), "the failing step stands out by its border");
  assert.match(await page.locator(".chain > li.bad").first().textContent(), /breaks here/, "and by words");
  for (const mark of [".tag", ".chip", ".panel", ".finding"]) assert.ok(await border(mark) >= 1, mark);
  const chip = page.locator(".chip").first();
  await chip.click();
  assert.ok(await border(".chip[aria-pressed=true]") > await border(".chip[aria-pressed=false]"), "what is chosen stands out");
});

await keep();
