/* Beyond what a page has room for, the HTML report carries its findings compressed (reporters/html_more.h). What the
 * script makes of them must be as good as what stands in the page. */
import { spawnSync } from "node:child_process";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { assert, keep, promise } from "./promise.mjs";

const block = /(<script [^>]*id="more-findings"[^>]*>)([^<]*)(?=<\/script>)/;
const unpacked = (html) => inflateRawSync(Buffer.from(block.exec(html)[2], "base64")).toString("utf8");
const all = (pattern, text) => Array.from(text.matchAll(pattern), (found) => found[1]);

/* The fingerprints of the packed findings, as the block has them, not as the script does. */
function packed(html) {
  const found = all(/<article [^>]*data-fingerprint="(\w+)"/g, unpacked(html));
  assert.ok(found.length > 10, "something is packed");
  return found;
}
const total = (html) => packed(html).length + all(/<article [^>]*data-fingerprint="(\w+)"/g, html).length;

const ready = (page) => page.waitForSelector("#filter:not([hidden])");
async function showAll(page) {
  await ready(page);
  await page.getByRole("button", { name: "Show all" }).evaluate((button) => button.click());
  await page.waitForSelector("#packed", { state: "hidden" });
}
const shown = (page) => page.locator(".finding:visible").count();

promise("findings_beyond_the_static_ones_arrive", async ({ open, text }) => {
  const html = text("several.html");
  const page = await open("several.html");
  await showAll(page);
  await page.waitForFunction(() => {
    const brief = document.querySelector("article.brief");
    if (brief) brief.scrollIntoView({ behavior: "instant" });
    return !brief;
  });
  const found = await page.locator(".finding").evaluateAll((cards) => cards.map((card) => card.dataset.fingerprint));
  assert.equal(found.length, total(html));
  assert.equal(new Set(found).size, found.length, "each once");
  for (const part of ["h3", ".chain > li.bad", ".saw", ".sure", "details.step .http", "[data-copy=issue]"])
    assert.ok(await page.locator(".finding").evaluateAll((cards, selector) =>
      cards.every((card) => card.querySelector(selector) && card.querySelector(selector).textContent), part), part);
  assert.equal(await page.locator("[data-part]").count(), 0, "every part is in its place");
  assert.deepEqual(page.said, []);
});

promise("findings_beyond_come_in_the_order_of_the_report", async ({ open, text }) => {
  const html = text("several.html");
  const page = await open("several.html");
  await showAll(page);
  const ids = await page.locator("#findings > article").evaluateAll((cards) => cards.map((card) => card.id));
  const inPage = all(/<article [^>]*id="(f-[^"]*)"/g, html);
  const inBlock = all(/<article [^>]*id="(f-[^"]*)"/g, unpacked(html)).filter((id) => !inPage.includes(id));
  assert.deepEqual(ids, [...inPage, ...inBlock]);
});

promise("findings_beyond_come_some_at_a_time", async ({ open, text }) => {
  const page = await open("many.html");
  await ready(page);
  const inPage = await page.locator("article").count();
  const left = total(text("many.html")) - inPage;
  assert.match(await page.textContent("#packed"), new RegExp(`^${left} more findings`));
  await page.locator("#packed button").first().evaluate((more) => more.click());
  assert.equal(await page.locator("article").count(), inPage + 25);
  assert.match(await page.textContent("#packed"), new RegExp(`^${left - 25} more findings`));
  assert.equal(await page.evaluate(() => Array.from(document.querySelectorAll("article")).indexOf(document.activeElement)), inPage,
    "the focus is on the first new one");
});

promise("search_and_links_reach_what_is_packed", async ({ open, text }) => {
  const last = packed(text("many.html")).pop();
  const page = await open("many.html");
  await ready(page);
  assert.equal(await page.locator(`[data-fingerprint="${last}"]`).count(), 0, "it is not in the page yet");
  await page.fill("#query", "fingerprint:" + last);
  assert.match(await page.textContent("#matches"), new RegExp("^1 of " + total(text("many.html")).toLocaleString("en")));
  await page.waitForSelector(`[data-fingerprint="${last}"]`);
  assert.equal(await shown(page), 1);
  const linked = await open("many.html", { hash: "#/f/" + last });
  await linked.waitForFunction((wanted) => document.activeElement.dataset.fingerprint === wanted, last);
  await linked.keyboard.press("k");
  assert.equal(await linked.evaluate(() => document.activeElement.dataset.fingerprint), packed(text("many.html")).at(-2));
});

promise("words_inside_packed_steps_are_found", async ({ open, text }) => {
  const html = text("several.html");
  const parts = unpacked(html).split("\f");
  const cards = parts.pop().split(/(?=<article )/).slice(1);
  const target = all(/<span class="call">\w+ ([^<]+)</g, parts.join()).pop();
  const inParts = cards.filter((card) => all(/data-part="(\d+)"/g, card).some((number) => parts[number].includes(target)));
  const whole = html.split(/(?=<article )/).slice(1).filter((card) => card.includes("data-fingerprint") && card.includes(target));
  assert.ok(inParts.length > 0);
  const page = await open("several.html");
  await ready(page);
  await page.fill("#query", target);
  assert.match(await page.textContent("#matches"), new RegExp(`^${inParts.length + whole.length} of `));
  await page.fill("#query", target + "-and-more");
  assert.match(await page.textContent("#matches"), /^0 of/);
});

promise("facets_count_what_is_packed", async ({ open, text }) => {
  const html = text("many.html");
  const page = await open("many.html");
  await ready(page);
  const count = async (list) => (await page.locator(list).allTextContents())
    .map((option) => Number(/(\d[\d,]*)\D*$/.exec(option)[1].replace(",", ""))).reduce((sum, n) => sum + n, 0);
  assert.equal(await count("select[data-facet=rule] option:not(:first-child)"), total(html));
  assert.equal(await count("[data-facet^='severity:'] .n"), total(html));
});

promise("what_is_packed_can_be_taken_along", async ({ open, text }) => {
  const fingerprint = packed(text("several.html")).pop();
  const page = await open("several.html", { hash: "#/f/" + fingerprint });
  const card = page.locator(`.finding[data-fingerprint="${fingerprint}"]`);
  await card.waitFor();
  const steps = await card.locator("details.step").count();
  const curls = await card.locator("[data-copy=curl]").allTextContents();
  assert.equal(curls.length, steps);
  const script = await card.locator("[data-copy=script]").textContent();
  assert.equal(spawnSync("sh", ["-n"], { input: script }).status, 0);
  assert.match(script, /^#!\/bin\/sh\n/);
  assert.deepEqual(script.split("\n").filter((line) => line.startsWith("curl ")), curls, "each command in its order");
  const issue = await card.locator("[data-copy=issue]").textContent();
  const replay = await card.locator("[data-copy=replay]").textContent();
  for (const part of [await card.locator("h3").textContent(), replay, fingerprint]) assert.ok(issue.includes(part), part);
  assert.equal(issue.match(/^\d+\. .* -> \d+/gm).length, steps);
  assert.equal(await card.getByRole("button", { name: "Copy as issue" }).count(), 1);
});

promise("what_cannot_be_unpacked_is_said", async ({ open }) => {
  const broken = {
    "an old browser": { before: () => { delete window.DecompressionStream; } },
    "a page cut short": { way: "plain", alter: (html) => html.replace(block, (_, tag, data) => tag + data.slice(0, data.length / 2)) },
    "no base64": { way: "plain", alter: (html) => html.replace(block, (_, tag) => tag + "!!!") },
  };
  for (const [what, options] of Object.entries(broken)) {
    const page = await open("several.html", options);
    await ready(page);
    assert.match(await page.textContent("#more-words"), /cannot unpack them/, what);
    assert.ok(await page.locator("#more-words").isVisible());
    await page.fill("#query", "order");
    assert.match(await page.textContent("#matches"), / of /, "the rest works");
    assert.deepEqual(page.said, [], what);
  }
});

promise("nothing_that_is_packed_ever_runs", async ({ open }) => {
  const evil = "<script>alert('script')</script><svg onload='alert(1)'></svg>" +
    "<details class='evil' open ontoggle='alert(2)'></details><input autofocus onfocus='alert(3)'>";
  const alter = (html) => html.replace(block, (_, tag) => tag +
    deflateRawSync(unpacked(html).replace(/<\/article>/g, evil + "</article>")).toString("base64"));
  const page = await open("several.html", { way: "plain", alter });
  await showAll(page);
  assert.ok(await page.locator(".finding .evil").count() > 0, "the attack is in the page");
  assert.deepEqual(page.said.filter((line) => line.startsWith("dialog")), []);
  assert.ok(page.said.some((line) => /Content Security Policy/.test(line)), "the policy had something to refuse");
});

await keep();
