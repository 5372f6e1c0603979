/* The judges can say no: each of these is a good report with one thing broken, and the judge whose matter it is says
 * so. sarif_broken_is_refused.mjs FILE */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judgeByMultitool, judgeBySchema } from "./sarif.mjs";

const good = readFileSync(process.argv[2], "utf8");

const place = (run) => run.results[0].locations[0].physicalLocation;
const flow = (run) => run.results[0].codeFlows[0].threadFlows[0];

/* What is broken, by which judge it is seen, and the one thing that it says. */
const breaks = [
  ["a_level", judgeBySchema, /level must be/, (run) => { run.results[0].level = "fatal"; }],
  ["a_line", judgeBySchema, /startLine must be/, (run) => { place(run).region.startLine = 0; }],
  ["no_message", judgeBySchema, /must have required property 'message'/, (run) => { delete run.results[0].message; }],
  ["a_uri", judgeBySchema, /uri must match/, (run) => { run.artifacts[0].location.uri = "a b<c>"; }],
  ["no_location", judgeByMultitool, /GH1015 error/, (run) => { delete run.results[0].locations; }],
  ["no_region", judgeByMultitool, /SARIF2017 warning/, (run) => { delete place(run).region; }],
  ["a_rule_index", judgeByMultitool, /SARIF1009 error/, (run) => { run.results[0].ruleIndex = 99; }],
  ["no_steps", judgeByMultitool, /JSON1003 error/, (run) => { flow(run).locations = []; }],
  ["no_help", judgeByMultitool, /GH2012 error/, (run) => { delete run.tool.driver.rules[0].help; }],
];

const folder = mkdtempSync(join(tmpdir(), "backstep-broken-"));
try {
  for (const judge of [judgeBySchema, judgeByMultitool]) {
    const files = [];
    for (const [name, , , change] of breaks.filter(([, by]) => by === judge)) {
      const sarif = JSON.parse(good), file = join(folder, name + ".sarif");
      change(sarif.runs[0]);
      writeFileSync(file, JSON.stringify(sarif));
      files.push(file);
    }
    const complaints = judge(files);
    console.log(complaints.join("\n"));
    for (const [name, , words] of breaks.filter(([, by]) => by === judge)) {
      const own = complaints.filter((complaint) => complaint.startsWith(name + ".sarif: "));
      assert.ok(own.some((complaint) => words.test(complaint)), name + " passed");
    }
  }
  for (const [name, bytes] of [["no_json", good + "}"], ["no_utf8", Buffer.from(good, "utf8").fill(0xff, 20, 22)]]) {
    const file = join(folder, name + ".sarif");
    writeFileSync(file, bytes);
    assert.notDeepEqual(judgeBySchema([file]), [], name + " passed");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
