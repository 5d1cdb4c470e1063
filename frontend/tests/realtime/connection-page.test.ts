// The documentation of the connection names a test for each of its lines: these must be there.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const PAGE = readFileSync(join(ROOT, "docs/reference/connection.md"), "utf8");
const STATES = [
  "idle",
  "connecting",
  "open",
  "paused",
  "stalled",
  "waiting",
  "reconnecting",
  "offline",
  "hidden",
  "refused",
  "closed",
];

it("every test that the page names exists", () => {
  const named = [...PAGE.matchAll(/`((?:frontend|tests|spec)\/[^`]*\.\w+)`/g)].map(([, path]) => path ?? "");
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

it("every row of its first two tables names one", () => {
  const tables = PAGE.split("## Server-Sent Events")[0] ?? "";
  const rows = tables
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^\| (The person sees|What happens)/.test(line));
  expect(rows.filter((row) => !/`(tests|frontend\/tests|spec)\//.test(row))).toEqual([]);
});

it("every state of the link is in its first table", () => {
  const table = PAGE.split("## The states of a link")[0] ?? "";
  expect(STATES.filter((state) => !table.includes(`\`${state}\``))).toEqual([]);
});
