// How the page is built.
//
// Two builds share this file. `vite build` makes the page and puts it where the Python package carries it, together
// with the API browser's script and style, so that /docs needs nothing from outside. `vite build --mode client` makes
// the realtime client alone, only to weigh it.
//
// The page runs under `default-src 'self'` with Trusted Types: no script stands in the HTML, nothing is inlined as a
// data address, and no polyfill injects code.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const PAGE = "../src/stockwire/dashboard";
/** What the first screen is made of. */
const BASE =
  /src\/(realtime|services)\/|src\/stores\/(realtime|view|session|watching)|src\/lib\/(at-hand|calendar|clock|comparison|days|decimal|format|keys|ladder|router|words|language|announcements)\.|components\/status\/|lucide\/svelte\/dist\/(Icon|utils)|node_modules\/svelte\//;
const API_BROWSER = ["swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"];

/** Carries the API browser of the server's /docs along with the page. */
function apiBrowser(): Plugin {
  return {
    name: "stockwire:api-browser",
    apply: "build",
    generateBundle() {
      const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
      for (const name of API_BROWSER) {
        this.emitFile({ type: "asset", fileName: `docs/${name}`, source: readFileSync(join(folder, name)) });
      }
    },
  };
}

/**
 * Writes the service worker beside the page: src/offline as one script, told which files this build has. Its name has no hash, and what it keeps changes
 * with the build, so a browser sees each new build by it. No plugin of PWAs does it: those bring Workbox, for a worker of three rules.
 */
function offlineWorker(): Plugin {
  const script = "offline.js";
  return {
    name: "stockwire:offline-worker",
    apply: "build",
    enforce: "post",
    buildStart() {
      this.emitFile({ type: "chunk", id: "src/offline/worker.ts", fileName: script });
    },
    generateBundle(_, bundle) {
      const worker = bundle[script];
      if (worker?.type !== "chunk") throw new Error("The service worker was not built.");
      const built = Object.keys(bundle).filter((name) => name.startsWith("assets/"));
      const copied = readdirSync("public", { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== "robots.txt")
        .map((entry) => join(entry.parentPath, entry.name).replace(/^public\//, ""));
      const files = [...built, ...copied].sort().map((name) => `/${name}`);
      const build = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 12);
      worker.code = `const BUILD=${JSON.stringify(build)},FILES=${JSON.stringify(files)};\n${worker.code}`;
    },
  };
}

export default defineConfig(({ mode }) => {
  if (mode === "client") {
    return {
      publicDir: false,
      build: {
        outDir: "dist/client",
        emptyOutDir: true,
        target: "es2022",
        minify: "oxc",
        lib: { entry: "src/realtime/index.ts", formats: ["es"], fileName: "realtime" },
        rolldownOptions: { output: { minify: true, topLevelVar: false, comments: { annotation: false } } },
      },
    };
  }
  return {
    plugins: [svelte(), ...(mode === "test" ? [svelteTesting()] : [apiBrowser(), offlineWorker()])],
    build: {
      outDir: PAGE,
      emptyOutDir: true,
      target: "es2022",
      assetsInlineLimit: 0,
      manifest: true,
      license: { fileName: "licenses.md" },
      modulePreload: { polyfill: false },
      rolldownOptions: {
        output: {
          // What the first screen takes anyway comes as one file: packed together it is lighter than in twenty small ones.
          codeSplitting: { groups: [{ name: "base", test: BASE }] },
        },
      },
    },
    server: {
      host: "127.0.0.1",
      proxy: { "/api": { target: "http://127.0.0.1:8420", ws: true } },
    },
    test: {
      passWithNoTests: true,
      restoreMocks: true,
      // No test is judged by how fast a busy machine is.
      testTimeout: 120_000,
      hookTimeout: 120_000,
      projects: [
        {
          extends: true,
          // The client is tested without a page around it: what reaches for one fails here.
          test: { name: "client", environment: "node", include: ["tests/realtime/**/*.test.ts"] },
        },
        {
          extends: true,
          test: {
            name: "page",
            environment: "jsdom",
            setupFiles: ["tests/setup.ts"],
            include: ["tests/**/*.test.ts"],
            exclude: ["tests/realtime/**"],
          },
        },
        // What tests/simulation/test_tapes.py runs, once it has made the tapes.
        ...(process.env["STOCKWIRE_TAPES"]
          ? [
              {
                extends: true as const,
                test: { name: "tapes", environment: "node", include: ["tests/realtime/**/*.tape.ts"] },
              },
            ]
          : []),
      ],
    },
  };
});
