/* What the HTML report's script adds: finding one's way among the findings, and taking them along. */
import { spawnSync } from "node:child_process";
import { assert, keep, promise } from "./promise.mjs";

const cards = (page) => page.locator(".finding:visible");
const shown = (page) => cards(page).count();
const fingerprints = (page) => cards(page).evaluateAll((list) => list.map((card) => card.dataset.fingerprint));
const said = (page) => page.textContent("#said");

/* The fingerprint of the card that has the focus, or holds what has it. */
const focused = (page) => page.evaluate(() => {
  const card = document.activeElement.closest(".finding");
  return card ? card.dataset.fingerprint : null;
});

const atTop = (page, locator) => locator.evaluate((card) => {
  const { top } = card.getBoundingClientRect();
  return top >= 0 && top < innerHeight / 2;
});

/* --- The filter --- */

promise("search_narrows_the_findings", async ({ open }) => {
  const page = await open("rich.html");
  const total = await shown(page);
  await page.fill("#query", "rule:no_server_error");
  assert.equal(await shown(page), 1);
  assert.equal(await page.textContent("#matches"), `1 of ${total} findings match`);
  assert.equal(await page.getAttribute("#matches", "role"), "status", "it is announced");
  await page.fill("#query", "no such words");
  assert.equal(await shown(page), 0);
  assert.equal(await page.textContent("#matches"), `0 of ${total} findings match`);
  await page.click("#clear");
  assert.equal(await shown(page), total);
  assert.equal(await page.inputValue("#query"), "");
});

promise("search_looks_at_what_a_finding_says_and_not_at_its_buttons", async ({ open }) => {
  const page = await open("rich.html");
  await page.fill("#query", "paid back REFUNDS_within");
  assert.ok(await shown(page) >= 1);
  await page.fill("#query", "copy");
  assert.equal(await shown(page), 0);
  await page.fill("#query", "severity:high");
  assert.deepEqual(new Set(await cards(page).evaluateAll((list) => list.map((card) => card.dataset.severity))), new Set(["high"]));
  await page.fill("#query", "constructor:x");
  assert.equal(await shown(page), 0, "an unknown key is a word like any other");
});

promise("facets_say_how_many_they_would_show", async ({ open }) => {
  const page = await open("rich.html");
  const number = (text) => Number(/(\d+)\D*$/.exec(text)[1]);
  const total = await shown(page);
  for (const facet of ["severity:critical", "severity:high", "verdict:confirmed", "verdict:flaky", "verdict:unconfirmed"]) {
    const chip = page.locator(`[data-facet="${facet}"]`);
    const promised = number(await chip.textContent());
    await chip.click();
    assert.equal(await chip.getAttribute("aria-pressed"), "true");
    assert.equal(await shown(page), promised, facet);
    await chip.click();
  }
  for (const facet of ["rule", "operation"]) {
    const list = page.locator(`select[data-facet=${facet}]`);
    assert.ok(await list.getAttribute("aria-label"));
    const options = await list.locator("option").all();
    assert.ok(options.length > 2, facet);
    for (const option of options.slice(1)) {
      const promised = number(await option.textContent());
      await list.selectOption(await option.getAttribute("value"));
      assert.equal(await shown(page), promised, await option.textContent());
      await list.selectOption({ index: 0 });
    }
  }
  assert.equal(await shown(page), total);
});

promise("facets_of_one_kind_add_and_of_different_kinds_narrow", async ({ open }) => {
  const page = await open("rich.html");
  const chip = (facet) => page.locator(`[data-facet="${facet}"]`);
  const left = (facet) => chip(facet).locator(".n").textContent();
  const total = await shown(page);
  await chip("severity:critical").click();
  const critical = await shown(page);
  assert.ok(critical < total);
  await chip("severity:high").click();
  assert.ok(await shown(page) > critical);
  await chip("severity:high").click();
  const flaky = Number(await left("verdict:flaky"));
  await chip("verdict:flaky").click();
  assert.equal(await shown(page), flaky, "counts of the other facets follow what is chosen");
  assert.ok(flaky < critical);
});

/* --- Keys --- */

promise("keys_walk_through_the_findings", async ({ open }) => {
  const page = await open("rich.html");
  const order = await fingerprints(page);
  for (const fingerprint of order) {
    await page.keyboard.press("j");
    assert.equal(await focused(page), fingerprint);
    assert.ok(await atTop(page, page.locator(":focus")), "what has the focus is in view");
  }
  await page.keyboard.press("j");
  assert.equal(await focused(page), order[order.length - 1], "the last has no next");
  await page.keyboard.press("k");
  assert.equal(await focused(page), order[order.length - 2]);
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "query");
  await page.keyboard.type("jk");
  assert.equal(await page.inputValue("#query"), "jk", "in the box a letter is a letter");
  await page.keyboard.press("Escape");
  assert.equal(await page.inputValue("#query"), "");
  assert.equal(await shown(page), order.length);
  await page.keyboard.press("Escape");
  assert.notEqual(await page.evaluate(() => document.activeElement.id), "query");
});

promise("keys_leave_out_what_is_filtered_out", async ({ open }) => {
  const page = await open("rich.html");
  await page.fill("#query", "severity:high");
  await page.locator("#query").blur();
  for (const fingerprint of await fingerprints(page)) {
    await page.keyboard.press("j");
    assert.equal(await focused(page), fingerprint);
  }
});

promise("arrows_walk_through_the_steps", async ({ open }) => {
  const page = await open("rich.html");
  const step = () => page.evaluate(() => {
    const all = Array.from(document.activeElement.closest(".finding").querySelectorAll("details.step"));
    return [all.indexOf(document.activeElement.parentNode), document.activeElement.parentNode.open];
  });
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowRight");
  assert.deepEqual(await step(), [0, true]);
  await page.keyboard.press("ArrowRight");
  assert.deepEqual(await step(), [1, true]);
  await page.keyboard.press("ArrowLeft");
  assert.deepEqual(await step(), [0, true]);
  await page.keyboard.press("Escape");
  assert.deepEqual(await step(), [0, false], "closed, and the focus stays");
});

promise("after_scrolling_keys_go_on_from_what_is_in_view", async ({ open }) => {
  const page = await open("rich.html");
  const order = await fingerprints(page);
  await page.keyboard.press("j");
  const third = cards(page).nth(2);
  await third.evaluate((card) => card.scrollIntoView({ block: "start", behavior: "instant" }));
  await page.waitForFunction((card) => card.getBoundingClientRect().top < 200, await third.elementHandle());
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
  await page.keyboard.press("j");
  assert.equal(await focused(page), order[3]);
});

promise("the_help_names_every_key_and_gives_the_focus_back", async ({ open }) => {
  const page = await open("rich.html");
  await page.keyboard.press("j");
  const before = await focused(page);
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keys" });
  assert.ok(await help.isVisible());
  for (const key of ["/", "j", "k", "→", "←", "e", "t", "?", "Esc"])
    assert.equal(await help.locator("kbd").getByText(key, { exact: true }).count(), 1, key);
  await page.keyboard.press("k");
  assert.equal(await help.isVisible(), true, "keys do nothing behind it");
  await page.keyboard.press("Escape");
  assert.equal(await help.isVisible(), false);
  assert.equal(await focused(page), before);
  await page.click("#help-open");
  await help.getByRole("button", { name: "Close" }).click();
  assert.equal(await help.isVisible(), false);
});

promise("all_steps_open_and_close_at_once", async ({ open }) => {
  const page = await open("rich.html");
  const all = await page.locator("details.step").count();
  await page.keyboard.press("e");
  assert.equal(await page.locator("details.step[open]").count(), all);
  await page.keyboard.press("e");
  assert.equal(await page.locator("details.step[open]").count(), 0);
});

/* --- Links --- */

promise("a_deep_link_opens_its_finding", async ({ open }) => {
  const order = await fingerprints(await open("rich.html"));
  for (const fingerprint of [order[2], order[2].slice(0, 8)]) {
    const page = await open("rich.html", { hash: "#/f/" + fingerprint });
    assert.equal(await focused(page), order[2]);
    assert.ok(await atTop(page, page.locator(":focus")));
    assert.ok(await page.locator(":focus details.step.bad").evaluateAll((steps) => steps.every((step) => step.open)));
    await page.evaluate((hash) => { location.hash = hash; }, "#/f/" + order[0]);
    await page.waitForFunction((wanted) => document.activeElement.dataset.fingerprint === wanted, order[0]);
  }
});

promise("a_deep_link_reaches_what_is_filtered_out", async ({ open }) => {
  const page = await open("rich.html");
  const order = await fingerprints(page);
  await page.fill("#query", "no such words");
  await page.evaluate((hash) => { location.hash = hash; }, "#/f/" + order[1]);
  await page.waitForFunction((wanted) => document.activeElement.dataset.fingerprint === wanted, order[1]);
  assert.equal(await shown(page), order.length, "the filter, which hid it, is gone");
  assert.equal(await page.textContent("#matches"), "");
});

promise("a_deep_link_to_no_finding_says_so", async ({ open }) => {
  for (const wanted of ["ffffffffffff", "%3Cimg src=x onerror=alert(1)%3E", "", "%zz"]) {
    const page = await open("rich.html", { hash: "#/f/" + wanted });
    assert.match(await said(page), /^No finding of this report has the fingerprint/, wanted);
    assert.equal(await page.locator("#said *").count(), 0);
    assert.deepEqual(page.said, []);
  }
});

promise("a_fingerprint_is_the_deep_link_of_its_finding", async ({ open }) => {
  const page = await open("rich.html");
  const order = await fingerprints(page);
  await cards(page).nth(1).locator(".fingerprint").click();
  assert.equal(new URL(page.url()).hash, "#/f/" + order[1]);
  assert.equal(await focused(page), order[1]);
});

promise("links_between_sections_reach_what_is_filtered_out", async ({ open }) => {
  const page = await open("demo.html");
  await page.fill("#query", "no such words");
  const link = page.locator(".paths li").nth(1).locator("a").first();
  const id = (await link.getAttribute("href")).slice(1);
  await link.click();
  await page.waitForFunction((wanted) => document.activeElement.id === wanted, id);
  assert.ok(await atTop(page, page.locator(":focus")));
});

promise("the_way_of_the_finding_in_view_stands_out_in_the_graph", async ({ open }) => {
  const page = await open("demo.html");
  const lit = () => page.evaluate(() => [
    Array.from(document.querySelectorAll(".paths li"), (item) => item.getAttribute("aria-current") === "true"),
    [1, 2].map((n) => Array.from(document.querySelectorAll(".way.w" + n), (way) => way.classList.contains("lit")))]);
  for (const [first, second] of [[true, false], [false, true]]) {
    await page.keyboard.press("j");
    const [items, [one, two]] = await lit();
    assert.deepEqual(items, [first, second]);
    assert.ok(one.length && one.every((way) => way === first));
    assert.ok(two.length && two.every((way) => way === second));
  }
  await cards(page).first().evaluate((card) => card.scrollIntoView({ block: "start", behavior: "instant" }));
  await page.waitForFunction(() => document.querySelector(".paths li").getAttribute("aria-current") === "true");
});

/* --- Copying --- */

const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const permissions = ["clipboard-read", "clipboard-write"];

/* Each block to copy from with its button: behind it, or for what is about the whole finding, at the foot of its card. */
async function sources(frame, kind) {
  const buttons = { issue: "Copy as issue", script: "Copy as shell script" };
  await frame.locator("details").evaluateAll((list) => list.forEach((node) => { node.open = true; }));
  const found = await frame.locator(`[data-copy="${kind}"]`).all();
  assert.ok(found.length, "there is something to copy: " + kind);
  return found.map((source) => ({ source, button: source.locator(buttons[kind]
    ? `xpath=ancestor::article//button[.='${buttons[kind]}']` : "xpath=following-sibling::button[1]") }));
}

async function copiesWhatItShows(open, report, kind) {
  const page = await open(report, { way: "plain", permissions });
  for (const { source, button } of await sources(page, kind)) {
    await page.locator("#said").evaluate((said) => { said.textContent = ""; });
    await button.click();
    await page.waitForFunction(() => document.querySelector("#said").textContent.startsWith("Copied"));
    assert.equal(await clipboard(page), await source.textContent());
    assert.equal((await source.innerText()).trim(), (await source.textContent()).trim(), "all of it can be seen");
  }
  return page;
}

promise("copied_curl_is_what_the_page_shows", async ({ open }) => {
  await copiesWhatItShows(open, "rich.html", "curl");
  await copiesWhatItShows(open, "demo.html", "curl");
});

promise("the_copied_replay_command_is_what_the_page_shows", ({ open }) => copiesWhatItShows(open, "rich.html", "replay"));

promise("the_copied_issue_is_what_the_page_shows", ({ open }) => copiesWhatItShows(open, "rich.html", "issue"));

promise("the_copied_script_is_a_shell_script", async ({ open }) => {
  const page = await copiesWhatItShows(open, "demo.html", "script");
  for (const { source } of await sources(page, "script")) {
    const text = await source.textContent();
    assert.match(text, /^#!\/bin\/sh\n/);
    assert.equal(spawnSync("sh", ["-n"], { input: text }).status, 0);
  }
});

promise("copying_works_in_a_sandboxed_frame", async ({ open }) => {
  const page = await open("rich.html", { way: "framed/scripts", permissions });
  const [{ source, button }] = await sources(page.frames()[1], "curl");
  await button.click();
  await page.frames()[1].waitForFunction(() => document.querySelector("#said").textContent.startsWith("Copied"));
  const parent = await open("rich.html", { way: "plain", permissions });
  assert.equal(await clipboard(parent), await source.textContent());
});

promise("what_cannot_be_copied_is_selected", async ({ open }) => {
  const page = await open("rich.html");
  await page.evaluate(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined });
    document.execCommand = () => false;
  });
  for (const kind of ["curl", "replay", "issue", "script"]) {
    const [{ source, button }] = await sources(page, kind);
    await page.locator("details.copies").evaluateAll((list) => list.forEach((node) => { node.open = false; }));
    await page.locator("#said").evaluate((said) => { said.textContent = ""; });
    await button.click();
    await page.waitForFunction(() => /does not let this page copy/.test(document.querySelector("#said").textContent));
    assert.equal((await page.evaluate(() => getSelection().toString())).trim(), (await source.textContent()).trim());
    assert.ok(await button.evaluate((node) => node === document.activeElement), "the focus stays");
  }
});

/* --- Theme --- */

promise("the_theme_follows_the_system_until_one_is_chosen_and_then_stays", async ({ open }) => {
  const page = await open("rich.html", { way: "plain", colorScheme: "dark" });
  const dark = () => page.evaluate(() => {
    const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return red + green + blue < 380;
  });
  assert.equal(await dark(), true);
  assert.equal(await page.textContent("#theme"), "Theme: auto");
  await page.click("#theme");
  assert.equal(await page.textContent("#theme"), "Theme: light");
  assert.equal(await dark(), false);
  await page.reload();
  assert.equal(await dark(), false, "it is remembered");
  await page.emulateMedia({ colorScheme: "light" });
  await page.keyboard.press("t");
  assert.equal(await dark(), true);
  await page.keyboard.press("t");
  assert.equal(await page.textContent("#theme"), "Theme: auto");
  assert.equal(await dark(), false);
});

await keep();
