// Puts the package together in dist/package: the client's code, its types, and the words.
//
// The types are the compiler's. It leaves the names of files as the sources have them, without an ending; Node's own
// way of finding files wants one, so each gets its ".js".

import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const frontend = dirname(here);
const target = join(frontend, "dist/package");
const types = join(target, "types");

const run = (program, ...words) =>
  execFileSync(process.execPath, [join(frontend, "node_modules", program), ...words], {
    cwd: frontend,
    stdio: "inherit",
  });

run("vite/bin/vite.js", "build", "--config", join(here, "vite.config.ts"), "--logLevel", "warn");
run("typescript/bin/tsc", "-p", here, "--noEmit", "false", "--declaration", "--emitDeclarationOnly");
rmSync(join(types, "realtime-package/vite.config.d.ts"));

for (const name of readdirSync(types, { recursive: true, encoding: "utf8" })) {
  if (!name.endsWith(".d.ts")) continue;
  const file = join(types, name);
  const text = readFileSync(file, "utf8").replace(/"\.\.\/src\/realtime"/g, '"../src/realtime/index"');
  writeFileSync(file, text.replace(/((?:from |import\()"\.[^"]*)"/g, '$1.js"'));
}

const manifest = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
const { version } = JSON.parse(readFileSync(join(frontend, "package.json"), "utf8"));
writeFileSync(join(target, "package.json"), `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
copyFileSync(join(here, "README.md"), join(target, "README.md"));
copyFileSync(join(frontend, "../LICENSE"), join(target, "LICENSE"));
