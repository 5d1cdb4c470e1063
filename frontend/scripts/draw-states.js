// Draws the link's states into docs/reference/connection.md, anew after a change of src/realtime/machine.ts:
//
//   cd frontend && node scripts/draw-states.js

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { runnerImport } from "vite";

const frontend = join(import.meta.dirname, "..");
const page = join(frontend, "../docs/reference/connection.md");

const { module } = await runnerImport(join(frontend, "tests/realtime/drawing.ts"), { configFile: false });
const text = readFileSync(page, "utf8");
writeFileSync(
  page,
  text.replace(/(```mermaid\n)[^]*?(\n```)/, (_, before, after) => before + module.drawing() + after),
);
