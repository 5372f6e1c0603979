/* Two judges of SARIF files: the schema, and Microsoft's multitool with the rules of the standard and those of GitHub.
 * A judge gives a list of complaints, "file: what is wrong". */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const multitool = dirname(createRequire(import.meta.url).resolve("@microsoft/sarif-multitool-linux/package.json"));
const limit_ms = 120_000;

export function sarifFiles(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith(".sarif")).sort().map((name) => join(folder, name));
  assert.ok(files.length, "no .sarif in " + folder);
  return files;
}

const ajv = new Ajv2020({ allErrors: true, strict: false });
addFormats(ajv);
const fitsSchema = ajv.compile(JSON.parse(readFileSync(join(multitool, "sarif-2.1.0.json"), "utf8")));

export function judgeBySchema(files) {
  const complaints = [];
  for (const file of files) {
    const bytes = readFileSync(file);
    let sarif;
    try {
      sarif = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (error) {
      complaints.push(`${basename(file)}: ${error.message}`);
      continue;
    }
    if (fitsSchema(sarif)) continue;
    for (const { instancePath, message } of fitsSchema.errors)
      complaints.push(`${basename(file)}: ${instancePath} ${message}`);
  }
  return complaints;
}

/* The tool exits 0 whatever it finds, so what it wrote is read. It must have looked at every file, or it proves
 * nothing. Notes are advice, and no complaint. */
export function judgeByMultitool(files, tolerated = []) {
  const folder = mkdtempSync(join(tmpdir(), "backstep-sarif-"));
  try {
    const output = join(folder, "out.sarif");
    const run = spawnSync(join(multitool, "Sarif.Multitool"),
      ["validate", "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning", "--output", output, ...files], {
        encoding: "utf8",
        timeout: limit_ms,
        killSignal: "SIGKILL",
        env: { ...process.env, DOTNET_BUNDLE_EXTRACT_BASE_DIR: folder, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1" },
      });
    assert.ifError(run.error);
    assert.equal(run.signal, null, "the multitool died");
    assert.match(run.stdout, new RegExp(`Done\\. ${files.length} files? scanned\\.`), run.stdout + run.stderr);
    const [{ results, invocations, artifacts = [], tool }] = JSON.parse(readFileSync(output, "utf8")).runs;
    const complaints = [];
    for (const invocation of invocations) {
      assert.equal(invocation.executionSuccessful, true, run.stdout);
      for (const notification of [...invocation.toolExecutionNotifications ?? [],
        ...invocation.toolConfigurationNotifications ?? []])
        complaints.push(`multitool: ${notification.message.text}`);
    }
    for (const result of results) {
      if (tolerated.includes(result.message.id)) continue;
      const where = result.locations[0].physicalLocation.artifactLocation;
      const uri = where.uri ?? artifacts[where.index].location.uri;
      const rule = tool.driver.rules.find(({ id }) => id === result.ruleId);
      const text = rule.messageStrings[result.message.id].text
        .replace(/\{(\d+)\}/g, (_, n) => result.message.arguments[n]);
      complaints.push(`${basename(decodeURIComponent(uri))}: ${result.ruleId} ${result.level ?? "warning"}: ${text}`);
    }
    return complaints;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
