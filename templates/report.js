/* What the page can do beyond being read. It is complete without this file: everything here only hides, opens,
   copies or colours what is there already, and unpacks the findings for which there was no room. Storage may throw
   (a sandboxed frame), the clipboard may be missing; neither may stop the rest. Text from the run is only ever
   handled as text. */
(function () {
  "use strict";

  const root = document.documentElement;
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const one = (selector, from) => (from || document).querySelector(selector);
  const number = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

  function make(tag, look, ...children) {
    const node = document.createElement(tag);
    if (look) node.className = look;
    node.append(...children);
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
    silence = setTimeout(() => { said.textContent = ""; }, 4000);
  }

  /* --- The findings --- */

  /* Every finding of the report in its order: {data, operations, card, brief, markup, text}. One that is whole in the
     page has its card from the start. A packed one has markup; its card is made when it is shown, in place of the brief
     one where there is one. */
  let findings = [];
  const byCard = new Map();

  const sectionOf = (finding) =>
    (finding.data.verdict === "unconfirmed" && one("#unconfirmed")) || one("#findings");

  function addFinding(data, rest) {
    const operations = (data.operations || "").split("\n").filter(Boolean);
    findings.push({ data, operations, card: null, brief: null, markup: null, text: null, matches: true, ...rest });
  }

  function dress(finding) {
    byCard.set(finding.card, finding);
    addCopies(finding.card);
    addActions(finding);
    one(".fingerprint", finding.card).href = linkTo(finding);
    all("details.step[open]", finding.card).forEach(colourStep);
    watcher.observe(finding.card);
  }

  function cardOf(finding) {
    if (finding.card || !finding.markup) return inPage(finding);
    const section = sectionOf(finding);
    const next = findings.slice(findings.indexOf(finding) + 1).find((other) => inPage(other) && sectionOf(other) === section);
    finding.card = document.adoptNode(one("article", parse(expand(finding.markup))));
    if (finding.brief) finding.brief.replaceWith(finding.card);
    else section.insertBefore(finding.card, next ? inPage(next) : one("#packed", section));
    finding.brief = null;
    dress(finding);
    return finding.card;
  }

  const inPage = (finding) => finding.card || finding.brief;

  /* --- Those that are packed (reporters/html_more.h) --- */

  let parts = []; /* what several steps have in common */
  const partTexts = []; /* what each says, in small letters; filled when first asked for */

  /* Markup of ours, in which all text is escaped. In a document that was parsed so nothing runs, and the page's policy
     allows no script but this one. */
  const parse = (markup) => new DOMParser().parseFromString(markup, "text/html");

  /* A card's markup with its parts in their places. */
  const expand = (markup) => markup.replace(/ data-part="(\d+)" data-hole="([^"]*)">/g, (_, number, hole) =>
    ">" + parts[number].replace("\v", () => hole));

  async function unpack(packed) {
    const binary = atob(packed.textContent.trim());
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(packed.dataset.encoding));
    parts = (await new Response(stream).text()).split("\f");
    const cards = parts.pop().split("<article ").slice(1).map((rest) => "<article " + rest);
    const heads = parse(cards.map((markup) => markup.slice(0, markup.indexOf(">") + 1) + "<\/article>").join(""));
    all("article", heads).forEach((head, at) =>
      addFinding(head.dataset, { markup: cards[at], brief: document.getElementById(head.id) }));
  }

  /* In the order of the page: those that count before those that could not be confirmed; of each, whole ones first. */
  const sort = () => {
    const apart = (finding) => sectionOf(finding) !== one("#findings");
    findings = findings.filter((finding) => !apart(finding)).concat(findings.filter(apart));
  };

  const shown_at_once = 25;

  async function startPacked() {
    const packed = one("#more-findings");
    const words = one("#more-words");
    if (!packed) return;
    try {
      await unpack(packed);
    } catch (error) {
      words.append(" This browser cannot unpack them: " + error.message + ".");
      all("article.brief").forEach((brief) => addFinding(brief.dataset, { brief }));
      return;
    }
    words.remove();
    sort();
    const near = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting)
      .forEach((entry) => cardOf(findings.find((finding) => finding.brief === entry.target))), { rootMargin: "600px 0px" });
    findings.filter((finding) => finding.brief).forEach((finding) => near.observe(finding.brief));
    const note = make("div", "packed", make("p"), button("", showMore), button("Show all", showAll));
    note.id = "packed";
    one("#findings").append(note);
  }

  const beyond = () => findings.filter((finding) => finding.matches && !inPage(finding));

  function showMore() {
    const more = beyond().slice(0, shown_at_once);
    more.forEach(cardOf);
    go(more[0]);
  }

  /* In slices, so that the page stays alive. */
  function showAll() {
    beyond().slice(0, shown_at_once).forEach(cardOf);
    sayBeyond();
    if (beyond().length) setTimeout(showAll);
  }

  function sayBeyond() {
    const note = one("#packed");
    if (!note) return;
    const left = beyond().length;
    note.hidden = left === 0;
    one("p", note).textContent = number(left) + (left === 1 ? " more finding" : " more findings");
    one("button", note).hidden = left <= shown_at_once;
    one("button", note).textContent = "Show " + shown_at_once;
  }

  /* What markup says, in small letters; not what its buttons say, nor once more what they copy. */
  function textIn(markup) {
    const characters = { "&lt;": "<", "&gt;": ">", "&quot;": "\"", "&amp;": "&" };
    return markup.replace(/<button[^]*?<\/button>|<(\w+) [^>]*copy-source[^]*?<\/\1>/g, "").replace(/<[^>]*>/g, " ")
      .replace(/&\w+;/g, (entity) => characters[entity] || " ").toLowerCase();
  }

  const partText = (number) => partTexts[number] || (partTexts[number] = textIn(parts[number]));

  function textOf(finding) {
    if (finding.text === null)
      finding.text = textIn(finding.markup || inPage(finding).outerHTML) +
        Array.from((finding.markup || "").matchAll(/ data-part="(\d+)"/g), (found) => partText(found[1])).join(" ");
    return finding.text;
  }

  /* --- Taking along --- */

  const words = (node) => (node ? node.textContent.replace(/\s+/g, " ").trim() : "");

  /* What stands in a step's line besides its status and time, which is all of it for a reader of one line. */
  const stepNames = (card) => all("details.step .what", card).map((what) => words(what));
  const curls = (card) => all("[data-copy=curl]", card).map((code) => code.textContent);

  function scriptText(card) {
    const names = stepNames(card);
    return "#!/bin/sh\n# " + words(one("h3", card)) +
      "\nset -eu\n: \"${BASE_URL:?set it to where the application runs, started afresh}\"\n" +
      curls(card).map((line, at) => "\n# " + (at + 1) + " " + names[at] + "\n" + line + "\necho\n").join("");
  }

  /* A fence longer than any run of backticks in the text, so that the text cannot close it. */
  function fenced(text, language) {
    const longest = (text.match(/`+/g) || []).reduce((most, run) => Math.max(most, run.length), 2);
    const fence = "`".repeat(longest + 1);
    return fence + language + "\n" + text + "\n" + fence + "\n";
  }

  function issueText(card) {
    const escaped = (node) => words(node).replace(/[\\`*_{}[\]()#+!|<>~&@-]/g, "\\$&");
    const saw = all(".saw .values > div", card).map((pair) => words(pair.children[0]) + " = " + words(pair.children[1]));
    const statuses = all("details.step > summary > b", card).map((status) => words(status));
    const steps = stepNames(card).map((name, at) => (at + 1) + ". " + name + " -> " + statuses[at]);
    const replay = one("[data-copy=replay]", card);
    return "## " + escaped(one("h3", card)) + "\n\n" +
      (one(".message", card) ? escaped(one(".message", card)) + "\n\n" : "") +
      "Rule: " + escaped(one(".saw .name code", card)) + " (" + card.dataset.severity + ", " + escaped(one(".tags .tag", card)) +
      ")\n\n" + fenced(steps.join("\n"), "") +
      (saw.length ? "\nWhat the rule saw:\n\n" + fenced(saw.join("\n"), "") : "") +
      (replay ? "\nSee it again:\n\n" + fenced(replay.textContent, "sh") : "") +
      "\nFingerprint: " + escaped(one(".fingerprint", card)) + "\n";
  }

  /* A packed card comes without the texts to take along that one in the page has (reporters/html_copy.c). */
  function addTexts(card) {
    const text = (kind, title, content) => {
      const source = make("pre", "copy-source", content);
      source.dataset.copy = kind;
      return make("details", "copies", make("summary", "", title), source);
    };
    card.append(make("div", "take-away",
      ...(curls(card).length ? [text("script", "All of it as a shell script", scriptText(card))] : []),
      text("issue", "All of it as an issue, in Markdown", issueText(card))));
  }

  const copies = {
    curl: ["Copy", "the curl command"],
    replay: ["Copy", "the replay command"],
    issue: ["Copy as issue", "the finding as an issue"],
    script: ["Copy as shell script", "the sequence as a shell script"],
  };

  function select(node) {
    for (let up = node.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
    node.hidden = false;
    getSelection().selectAllChildren(node);
    node.scrollIntoView({ block: "nearest" });
  }

  function copyOld(text) {
    const area = make("textarea", "hidden-words");
    const active = document.activeElement;
    area.value = text;
    document.body.append(area);
    area.select();
    let done = false;
    try { done = document.execCommand("copy"); } catch (_) { /* said by whoever called */ }
    area.remove();
    active.focus({ preventScroll: true });
    return done;
  }

  async function copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (_) {
      return copyOld(text);
    }
  }

  async function copy(source, what) {
    if (await copyText(source.textContent)) {
      say("Copied " + what);
    } else {
      select(source);
      say("The browser does not let this page copy. It is selected: copy it with the keyboard");
    }
  }

  function copyButton(source) {
    const [text, what] = copies[source.dataset.copy];
    const node = button(text, () => copy(source, what));
    if (text === "Copy") node.setAttribute("aria-label", "Copy " + what);
    return node;
  }

  function addCopies(from) {
    all("[data-copy=curl], [data-copy=replay]", from).forEach((source) => source.after(copyButton(source)));
  }

  const linkTo = (finding) => "#/f/" + encodeURIComponent(finding.data.fingerprint);

  function addActions(finding) {
    const { card } = finding;
    if (!one(".take-away", card)) addTexts(card);
    const link = () => location.href.split("#")[0] + linkTo(finding);
    one(".take-away", card).prepend(make("div", "actions",
      ...all("[data-copy=issue], [data-copy=script]", card).map(copyButton),
      button("Copy link", () => copyText(link()).then((done) => say(done ? "Copied the link" : "The link: " + link()))),
      button("Open all steps", () => toggleSteps(card))));
  }

  /* --- Steps --- */

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

  const colourStep = (step) => all(".json:not(.coloured)", step).forEach(colour);

  function toggleSteps(from) {
    const steps = all("details.step", from);
    const open = steps.some((step) => !step.open);
    steps.forEach((step) => { step.open = open; });
  }

  function startSteps() {
    document.addEventListener("toggle", (event) => {
      if (event.target.open && event.target.matches(".step")) colourStep(event.target);
    }, true);
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = all("details:not([open])");
      closed.forEach((node) => { node.open = true; });
    });
    addEventListener("afterprint", () => closed.forEach((node) => { node.open = false; }));
  }

  /* --- The filter --- */

  const facets = {
    severity: (finding) => [finding.data.severity],
    verdict: (finding) => [finding.data.verdict],
    baseline: (finding) => [finding.data.baseline],
    rule: (finding) => [finding.data.rule],
    operation: (finding) => finding.operations,
  };
  const keys = { rule: "rule", op: "operations", operation: "operations", severity: "severity", sev: "severity",
    verdict: "verdict", baseline: "baseline", fingerprint: "fingerprint" };

  /* "rule:refund severity:high paid": each word must be there; a word with a known key looks only there. */
  function says(finding, text) {
    return text.toLowerCase().split(/\s+/).filter(Boolean).every((word) => {
      const cut = word.indexOf(":");
      const key = cut > 0 && Object.hasOwn(keys, word.slice(0, cut)) ? keys[word.slice(0, cut)] : null;
      if (key) return (finding.data[key] || "").toLowerCase().includes(word.slice(cut + 1));
      return textOf(finding).includes(word);
    });
  }

  /* What is chosen of each facet, where something is. Of one facet any will do; of different ones all must hold. */
  function chosen() {
    const values = {};
    const choose = (facet, value) => { (values[facet] = values[facet] || []).push(value); };
    all(".chip[aria-pressed=true]").forEach((chip) => choose(...chip.dataset.facet.split(":")));
    all("#filter select").forEach((list) => { if (list.selectedIndex > 0) choose(list.dataset.facet, list.value); });
    return values;
  }

  /* How many findings each value of a facet would show, were it the one chosen of that facet. */
  function tally(counts, finding, missed) {
    Object.keys(facets).filter((facet) => missed.every((other) => other === facet)).forEach((facet) =>
      new Set(facets[facet](finding)).forEach((value) => counts[facet].set(value, (counts[facet].get(value) || 0) + 1)));
  }

  function filter() {
    const bar = one("#filter");
    if (!bar) {
      findings.forEach((finding) => { finding.matches = true; });
      return;
    }
    const text = one("#query").value;
    const wanted = chosen();
    const counts = {};
    Object.keys(facets).forEach((facet) => { counts[facet] = new Map(); });
    findings.forEach((finding) => {
      const said = says(finding, text);
      const missed = Object.keys(wanted).filter((facet) =>
        !facets[facet](finding).some((value) => wanted[facet].includes(value)));
      finding.matches = said && missed.length === 0;
      if (said) tally(counts, finding, missed);
      if (inPage(finding)) inPage(finding).hidden = !finding.matches;
    });
    const inSight = findings.filter((finding) => finding.matches && inPage(finding)).length;
    beyond().slice(0, Math.max(0, shown_at_once - inSight)).forEach(cardOf);
    showCounts(counts);
    showMatches(text !== "" || Object.keys(wanted).length > 0);
    sayBeyond();
  }

  function showCounts(counts) {
    all(".chip").forEach((chip) => {
      const [facet, value] = chip.dataset.facet.split(":");
      one(".n", chip).textContent = number(counts[facet].get(value) || 0);
    });
    all("#filter select").forEach((list) => Array.from(list.options).slice(1).forEach((option) => {
      option.textContent = option.value + " (" + number(counts[list.dataset.facet].get(option.value) || 0) + ")";
    }));
  }

  function showMatches(filtered) {
    const shown = findings.filter((finding) => finding.matches).length;
    one("#matches").textContent = !filtered ? "" : number(shown) + " of " + number(findings.length) +
      (findings.length === 1 ? " finding matches" : " findings match");
    one("#clear").hidden = !filtered;
    const apart = one("#unconfirmed");
    if (apart) apart.hidden = !findings.some((finding) => finding.matches && sectionOf(finding) === apart);
  }

  function clearFilter() {
    one("#query").value = "";
    all(".chip").forEach((chip) => chip.setAttribute("aria-pressed", "false"));
    all("#filter select").forEach((list) => { list.selectedIndex = 0; });
    filter();
  }

  /* A list of the rules and one of the operations, each where there is more than one to choose from. */
  function fillSelects() {
    const bar = one("#filter .bar");
    if (!bar) return;
    all("select", bar).forEach((list) => list.remove());
    ["operation", "rule"].forEach((facet) => {
      const values = new Set(findings.flatMap(facets[facet]).filter(Boolean));
      if (values.size < 2) return;
      const list = make("select", "", make("option", "", "any " + facet));
      list.dataset.facet = facet;
      list.setAttribute("aria-label", "Show the findings of one " + facet);
      Array.from(values).sort().forEach((value) => {
        const option = make("option", "", value);
        option.value = value;
        list.append(option);
      });
      list.addEventListener("change", filter);
      one("#query").after(list);
    });
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
    const clear = button("Show all", clearFilter);
    clear.id = "clear";
    one("#matches").after(clear);
    fillSelects();
    filter();
  }

  /* --- Going about --- */

  let at = null; /* the finding that was gone to */
  let seen = null; /* the one in view */

  const watcher = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (entry.isIntersecting) look(byCard.get(entry.target));
  }), { rootMargin: "-25% 0px -70%" });

  /* Of the ways in the graph that of the finding in view stands out. */
  function look(finding) {
    seen = finding;
    all(".paths li").forEach((item, at) => {
      const lit = one("a", item).hash === "#" + finding.card.id;
      all(".way.w" + (at + 1)).forEach((way) => way.classList.toggle("lit", lit));
      if (lit) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    });
  }

  /* Where the reader is: scrolling away leaves what was gone to. */
  function here() {
    const box = at && at.matches ? at.card.getBoundingClientRect() : null;
    if (box && box.top < innerHeight && box.bottom > 0) return at;
    return seen && seen.matches ? seen : null;
  }

  function go(finding) {
    if (!finding) return;
    if (!finding.matches) clearFilter();
    const card = cardOf(finding);
    all(".finding.at").forEach((other) => other.classList.remove("at"));
    at = finding;
    look(finding);
    card.classList.add("at");
    card.tabIndex = -1;
    card.scrollIntoView({ block: "start", behavior: "instant" });
    card.focus({ preventScroll: true });
    sayBeyond();
  }

  function move(by) {
    const shown = findings.filter((finding) => finding.matches);
    const from = here();
    go(shown[from ? shown.indexOf(from) + by : by > 0 ? 0 : shown.length - 1]);
  }

  /* The steps of the finding here, one after the other: each is opened and gets the focus. */
  function moveStep(by) {
    const finding = here() || findings.find((other) => other.matches);
    if (!finding) return;
    const heads = all("details.step > summary", cardOf(finding));
    const now = heads.indexOf(document.activeElement);
    const next = heads[now < 0 ? (by > 0 ? 0 : heads.length - 1) : now + by];
    if (!next) return;
    next.parentNode.open = true;
    next.focus();
  }

  /* #/f/9f2c: the finding whose fingerprint begins so; #f-9f2c: its card, as links have it where scripts are off. */
  function follow() {
    let hash = location.hash;
    try { hash = decodeURIComponent(hash); } catch (_) { /* as it stands */ }
    const wanted = hash.startsWith("#/f/") ? hash.slice(4) : null;
    const finding = findings.find((other) => wanted === null ? inPage(other) && hash === "#" + inPage(other).id
      : wanted && (other.data.fingerprint || "").startsWith(wanted));
    if (finding) go(finding);
    else if (wanted !== null) say("No finding of this report has the fingerprint “" + wanted.slice(0, 40) + "”");
  }

  /* --- Theme --- */

  const stored = {
    get() { try { return localStorage.getItem("backstep-theme"); } catch (_) { return null; } },
    set(theme) { try { localStorage.setItem("backstep-theme", theme); } catch (_) { /* lasts as long as the page */ } },
  };
  const themes = ["auto", "light", "dark"];

  function setTheme(theme) {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    one("#theme").textContent = "Theme: " + theme;
  }

  function nextTheme() {
    const theme = themes[(themes.indexOf(root.dataset.theme || "auto") + 1) % themes.length];
    setTheme(theme);
    stored.set(theme);
  }

  function startTheme() {
    const theme = stored.get();
    setTheme(themes.includes(theme) ? theme : "auto");
    one("#theme").hidden = false;
    one("#theme").addEventListener("click", nextTheme);
  }

  /* --- Keys --- */

  const help = make("dialog", "help");

  function openHelp() {
    if (!help.open) help.showModal();
  }

  function leave() {
    const active = document.activeElement;
    const step = active.closest("details.step[open]");
    if (active.id === "query" && active.value) {
      active.value = "";
      filter();
    } else if (active.matches("#filter *")) {
      active.blur();
    } else if (step) {
      step.open = false;
      one("summary", step).focus();
    }
  }

  const acts = [
    ["/", "filter the findings", () => one("#filter") && one("#query").focus()],
    ["j", "next finding", () => move(1)],
    ["k", "previous finding", () => move(-1)],
    ["ArrowRight", "open the next step", () => moveStep(1)],
    ["ArrowLeft", "open the previous step", () => moveStep(-1)],
    ["e", "open or close all steps", () => toggleSteps()],
    ["t", "theme", () => nextTheme()],
    ["?", "these keys", openHelp],
    ["Escape", "leave the filter, close the step", leave],
  ];

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const types = event.target.matches("input, select, textarea");
    if (event.key !== "Escape" && (types || event.target.closest("[tabindex='0']"))) return;
    const act = acts.find(([name]) => name === event.key);
    if (!act) return;
    event.preventDefault();
    act[2]();
  }

  function startKeys() {
    const names = { ArrowRight: "→", ArrowLeft: "←", Escape: "Esc" };
    const title = make("h2", "", "Keys");
    title.id = "help-title";
    help.setAttribute("aria-labelledby", title.id);
    help.append(title, make("dl", "", ...acts.map(([name, what]) =>
      make("div", "", make("dt", "", make("kbd", "", names[name] || name)), make("dd", "", what)))),
    button("Close", () => help.close()));
    document.body.append(help);
    const open = button("Keys", openHelp);
    open.id = "help-open";
    one("#theme").before(open);
    document.addEventListener("keydown", key);
  }

  startTheme();
  startKeys();
  startSteps();
  addCopies(one("header"));
  all(".finding").forEach((card) => addFinding(card.dataset, { card }));
  findings.forEach(dress);
  startPacked().then(() => {
    startFilter();
    follow();
    addEventListener("hashchange", follow);
  });
}());
