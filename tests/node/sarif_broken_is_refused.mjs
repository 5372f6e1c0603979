/* The judges can say no: each of these is a good report with one thing broken, and the judge whose matter it is says so.
 * sarif_broken_is_refused.mjs FILE */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judgeByMultitool, judgeBySchema } from "./sarif.mjs";

const good = readFileSync(process.argv[2], "utf8");

const bySchema = (file) => judgeBySchema([file]);
const byMultitool = (file) => judgeByMultitool([file], ["Warning_ProvideToolnformationUri"]);
const place = (run) => run.results[0].locations[0].physicalLocation;

/* What is broken, by which judge it is seen, and the one thing that it says. */
const breaks = [
  ["a_level", bySchema, /level must be/, (run) => { run.results[0].level = "fatal"; }],
  ["a_line", bySchema, /startLine must be/, (run) => { place(run).region.startLine = 0; }],
  ["no_message", bySchema, /must have required property 'message'/, (run) => { delete run.results[0].message; }],
  ["a_uri", bySchema, /uri must match/, (run) => { run.artifacts[0].location.uri = "a b<c>"; }],
  ["no_location", byMultitool, /GH1015 error/, (run) => { delete run.results[0].locations; }],
  ["no_region", byMultitool, /SARIF2017 warning/, (run) => { delete place(run).region; }],
  ["a_rule_index", byMultitool, /SARIF1009 error/, (run) => { run.results[0].ruleIndex = 99; }],
  ["no_steps", byMultitool, /JSON1003 error/, (run) => { run.results[0].codeFlows[0].threadFlows[0].locations = []; }],
  ["no_help", byMultitool, /GH2012 error/, (run) => { delete run.tool.driver.rules[0].help; }],
];

const folder = mkdtempSync(join(tmpdir(), "backstep-broken-"));
try {
  for (const [name, judge, words, change] of breaks) {
    const sarif = JSON.parse(good), file = join(folder, name + ".sarif");
    change(sarif.runs[0]);
    writeFileSync(file, JSON.stringify(sarif));
    const complaints = judge(file);
    console.log(`${name}: ${complaints.join("\n  ")}`);
    assert.ok(complaints.some((complaint) => words.test(complaint)), name + " passed");
  }
  for (const [name, bytes] of [["no_json", good + "}"], ["no_utf8", Buffer.from(good, "utf8").fill(0xff, 20, 22)]]) {
    const file = join(folder, name + ".sarif");
    writeFileSync(file, bytes);
    assert.notDeepEqual(judgeBySchema([file]), [], name + " passed");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
