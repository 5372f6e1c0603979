/* What the page can do beyond being read. It is complete without this file: everything here only hides, opens,
   copies or colours what is there already. Storage may throw (a sandboxed frame), the clipboard may be missing;
   neither may stop the rest. Text from the run is only ever handled as text. */
(function () {
  "use strict";

  const root = document.documentElement;
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const one = (selector, from) => (from || document).querySelector(selector);
  const cards = all(".finding");

  function make(tag, look, text) {
    const node = document.createElement(tag);
    if (look) node.className = look;
    if (text) node.textContent = text;
    return node;
  }

  function button(text, act) {
    const node = make("button", "copy", text);
    node.type = "button";
    node.addEventListener("click", act);
    return node;
  }

  let silence = 0;
  function say(text) {
    const said = one("#said");
    said.textContent = text;
    clearTimeout(silence);
    silence = setTimeout(() => { said.textContent = ""; }, 2200);
  }

  /* --- Copying --- */

  function copyOld(text) {
    const area = make("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    let done = false;
    try { done = document.execCommand("copy"); } catch (_) { /* said below */ }
    area.remove();
    return done;
  }

  async function copy(text, what) {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch (_) {
      done = copyOld(text);
    }
    say(done ? "Copied " + what : "The browser does not let this page copy: select the text instead");
  }

  const words = (node) => (node ? node.textContent.replace(/\s+/g, " ").trim() : "");
  const curls = (card) => all(".curl", card).map((node) => node.textContent);
  const replay = (card) => words(one(".why .replay code", card));
  const operations = (card) => all(".chain > li .op", card).map((node) => words(node).replace(/^\d+ /, ""));

  /* A fence longer than any run of backticks in the text, so that the text cannot close it. */
  function fenced(text, language) {
    const longest = (text.match(/`+/g) || []).reduce((most, run) => Math.max(most, run.length), 2);
    const fence = "`".repeat(longest + 1);
    return fence + language + "\n" + text + "\n" + fence + "\n";
  }

  const escaped = (text) => text.replace(/[\\`*_{}[\]()#+!|<>~&@-]/g, "\\$&");

  function issue(card) {
    const values = all(".saw .values > div", card).map((pair) => words(pair.children[0]) + " = " + words(pair.children[1]));
    const steps = all(".chain > li", card).map((item, index) =>
      (index + 1) + ". " + operations(card)[index] + "   " + words(one(".call", item)) +
      (item.classList.contains("bad") ? "   <- the rule breaks here" : "") +
      all(".effects li:not(.none)", item).map((effect) => "\n      " + words(effect)).join(""));
    let text = "## " + escaped(words(one("h3", card))) + "\n\n";
    const message = words(one(".head .message", card));
    if (message) text += escaped(message) + "\n\n";
    text += "Rule: " + escaped(words(one(".saw .name", card))) + " (" + escaped(card.dataset.severity || "") + ", " +
      escaped(words(one(".tags .tag:nth-child(2)", card))) + ")\n\n";
    text += fenced(steps.join("\n"), "");
    if (values.length) text += "\nWhat the rule saw:\n\n" + fenced(values.join("\n"), "");
    if (replay(card)) text += "\nSee it again:\n\n" + fenced(replay(card), "sh");
    if (curls(card).length) text += "\nOr by hand:\n\n" + fenced(curls(card).join("\n"), "sh");
    return text + "\nFingerprint: `" + (card.dataset.fingerprint || "").replace(/`/g, "") + "`\n";
  }

  function script(card) {
    const names = operations(card);
    let text = "#!/bin/sh\n# " + words(one("h3", card)) + "\nset -eu\n";
    if (curls(card).some((line) => line.includes("$BASE_URL")))
      text += ": \"${BASE_URL:?set it to the address of the application}\"\n";
    curls(card).forEach((line, index) => { text += "\n# " + (index + 1) + " " + (names[index] || "") + "\n" + line + "\necho\n"; });
    return text;
  }

  function addCopies() {
    all("[data-copy]").forEach((code) => {
      const node = button("Copy", () => copy(code.textContent, code.dataset.copy));
      node.setAttribute("aria-label", "Copy " + code.dataset.copy);
      code.after(node);
    });
    cards.forEach((card) => {
      const bar = make("div", "actions");
      bar.append(button("Copy as issue", () => copy(issue(card), "the finding as Markdown")));
      if (curls(card).length) bar.append(button("Copy as shell script", () => copy(script(card), "the sequence as a shell script")));
      bar.append(button("Copy link", () => copy(location.href.split("#")[0] + "#/f/" + card.dataset.fingerprint, "the link")));
      if (all("details", card).length) bar.append(button("Open all steps", () => toggleSteps(card)));
      one(".why", card).after(bar);
    });
  }

  /* --- Steps --- */

  function toggleSteps(from) {
    const steps = all("details.step", from);
    const open = steps.some((step) => !step.open);
    steps.forEach((step) => { step.open = open; });
  }

  /* JSON is coloured when its step is first seen open. */
  function colour(body) {
    const text = body.textContent;
    const token = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\b\d[\d.eE+-]*|\b(?:true|false|null)\b/g;
    const out = document.createDocumentFragment();
    let at = 0;
    for (let found = token.exec(text); found; found = token.exec(text)) {
      out.append(text.slice(at, found.index));
      if (found[2] !== undefined) out.append(found[0]);
      else out.append(make(found[1] === undefined ? "i" : "u", "", found[0]));
      at = found.index + found[0].length;
    }
    out.append(text.slice(at));
    body.replaceChildren(out);
    body.classList.add("coloured");
  }

  function watchSteps() {
    const look = (step) => { if (step.open) all(".json:not(.coloured)", step).forEach(colour); };
    all("details.step").forEach((step) => {
      step.addEventListener("toggle", () => look(step));
      look(step);
    });
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = all("details:not([open])");
      closed.forEach((node) => { node.open = true; });
    });
    addEventListener("afterprint", () => closed.forEach((node) => { node.open = false; }));
  }

  /* --- The filter --- */

  /* "rule:refund severity:high paid": each word must match; a word with a known key looks only there. */
  function matches(card, text) {
    const keys = { rule: "rule", op: "operations", operation: "operations", severity: "severity", sev: "severity",
      verdict: "verdict", baseline: "baseline", fingerprint: "fingerprint" };
    return text.toLowerCase().split(/\s+/).filter(Boolean).every((word) => {
      const cut = word.indexOf(":");
      const key = cut > 0 ? keys[word.slice(0, cut)] : undefined;
      if (key) return (card.dataset[key] || "").toLowerCase().includes(word.slice(cut + 1));
      return card.textContent.toLowerCase().includes(word);
    });
  }

  /* Of one kind of facet any that is pressed will do; of different kinds all must hold. */
  function facetsMatch(card) {
    const wanted = {};
    all(".chip[aria-pressed=true]").forEach((chip) => {
      const [key, value] = chip.dataset.facet.split(":");
      (wanted[key] = wanted[key] || []).push(value);
    });
    return Object.keys(wanted).every((key) => wanted[key].includes(card.dataset[key]));
  }

  function filter() {
    const text = one("#query").value;
    let shown = 0;
    cards.forEach((card) => {
      card.hidden = !(facetsMatch(card) && matches(card, text));
      shown += card.hidden ? 0 : 1;
    });
    one("#matches").textContent = shown === cards.length ? "" : shown + " of " + cards.length + " findings match";
  }

  function startFilter() {
    const bar = one("#filter");
    if (!bar) return;
    bar.hidden = false;
    one("#query").addEventListener("input", filter);
    all(".chip").forEach((chip) => chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
    }));
  }

  /* --- Going about --- */

  let at = -1;
  function go(card) {
    if (!card) return;
    all(".finding.at").forEach((other) => other.classList.remove("at"));
    at = cards.indexOf(card);
    card.hidden = false;
    card.classList.add("at");
    card.tabIndex = -1;
    card.scrollIntoView({ block: "start" });
    card.focus({ preventScroll: true });
  }

  function move(by) {
    let next = at + by;
    while (cards[next] && cards[next].hidden) next += by;
    go(cards[next]);
  }

  /* The steps of the card in focus, one after the other; the first key opens what is focused. */
  function moveStep(by) {
    const card = cards[at] || cards.find((other) => !other.hidden);
    if (!card) return;
    const heads = all("details.step > summary", card);
    const now = heads.indexOf(document.activeElement);
    const next = heads[now < 0 ? (by > 0 ? 0 : heads.length - 1) : now + by];
    if (!next) return;
    next.parentNode.open = true;
    next.focus();
  }

  /* #/f/9f2c: the finding whose fingerprint begins so. */
  function follow() {
    let hash = "";
    try { hash = decodeURIComponent(location.hash); } catch (_) { return; }
    const wanted = hash.startsWith("#/f/") ? hash.slice(4) : "";
    if (wanted) go(cards.find((card) => (card.dataset.fingerprint || "").startsWith(wanted)));
  }

  /* --- Theme --- */

  const stored = {
    get() { try { return localStorage.getItem("backstep-theme"); } catch (_) { return null; } },
    set(theme) { try { localStorage.setItem("backstep-theme", theme); } catch (_) { /* lasts as long as the page */ } },
  };

  function dark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function show() {
    one("#theme").textContent = dark() ? "Light" : "Dark";
    one("#theme").setAttribute("aria-label", dark() ? "Switch to the light theme" : "Switch to the dark theme");
  }

  function switchTheme() {
    root.dataset.theme = dark() ? "light" : "dark";
    stored.set(root.dataset.theme);
    show();
  }

  function startTheme() {
    const theme = stored.get();
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
    one("#theme").hidden = false;
    one("#theme").addEventListener("click", switchTheme);
    show();
  }

  /* --- Keys --- */

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const acts = {
      "/": () => one("#query") && one("#query").focus(),
      "?": () => one("#keys").scrollIntoView(),
      j: () => move(1), k: () => move(-1),
      ArrowRight: () => moveStep(1), ArrowLeft: () => moveStep(-1),
      e: () => toggleSteps(), t: switchTheme,
    };
    if (!Object.hasOwn(acts, event.key) || event.target.closest(".scroll, pre[tabindex]")) return;
    event.preventDefault();
    acts[event.key]();
  }

  startTheme();
  addCopies();
  watchSteps();
  startFilter();
  one("#keys").hidden = false;
  document.addEventListener("keydown", key);
  addEventListener("hashchange", follow);
  follow();
}());
