/* Every SARIF file of a folder by both judges: sarif_is_valid.mjs FOLDER AT-LEAST [--tolerate MESSAGE-ID]... */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { judgeByMultitool, judgeBySchema, sarifFiles } from "./sarif.mjs";

const { values, positionals } = parseArgs({
  options: { tolerate: { type: "string", multiple: true, default: [] } },
  allowPositionals: true,
});
const [folder, least] = positionals;
const files = sarifFiles(folder);
assert.ok(files.length >= Number(least), `${files.length} files instead of ${least}`);
for (const id of values.tolerate) console.log("tolerated: " + id);
const complaints = [...judgeBySchema(files), ...judgeByMultitool(files, values.tolerate)];
for (const complaint of complaints) console.error(complaint);
console.log(`${files.length} files, ${complaints.length} complaints`);
process.exitCode = complaints.length ? 1 : 0;
