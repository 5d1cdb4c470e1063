// What the page may weigh, in bytes over the wire (gzip).
//
// Which files belong to the first route is read from the build's own manifest: the entry, the overview, and all that
// these import at once. The API browser of /docs is not part of the page and does not count.

import { existsSync, readFileSync } from "node:fs";

const PAGE = "../src/stockwire/dashboard";
const FIRST_ROUTE = /^src\/pages\/Overview[^/]*\.svelte$/;

if (!existsSync(`${PAGE}/.vite/manifest.json`)) {
  throw new Error("Nothing to weigh yet: run `make build` first.");
}
/** @type {Record<string, {file: string, isEntry?: boolean, imports?: string[], css?: string[]}>} */
const manifest = JSON.parse(readFileSync(`${PAGE}/.vite/manifest.json`, "utf8"));

/** All chunks that come at once with the given ones. */
function closure(keys, seen = new Set()) {
  for (const key of keys) {
    if (seen.has(key)) continue;
    seen.add(key);
    closure(manifest[key]?.imports ?? [], seen);
  }
  return seen;
}

const WORKER = "src/offline/worker.ts";
const keys = Object.keys(manifest).filter((key) => key !== WORKER);
const first = closure(keys.filter((key) => manifest[key].isEntry || FIRST_ROUTE.test(key)));
const scripts = (some) => [
  ...new Set([...some].map((key) => manifest[key].file).filter((file) => file.endsWith(".js"))),
];
const firstScripts = scripts(first);
const lazyScripts = scripts(keys).filter((file) => !firstScripts.includes(file));
const inPage = (file) => `${PAGE}/${file}`;

/** A reader takes the words of one language; those of the first come with the page. */
const WORDS = /^src\/lib\/messages\/(?:later\/)?(\w+)\.ts$/;
const languages = [...new Set(keys.flatMap((key) => WORDS.exec(key)?.[1] ?? []))];
const inLanguage = (code) => keys.filter((key) => (WORDS.exec(key)?.[1] ?? code) === code);

const firstStyles = [...new Set([...first].flatMap((key) => manifest[key].css ?? []))];

export default [
  { name: "first route, scripts", path: firstScripts.map(inPage), limit: "75 kB", gzip: true },
  ...(firstStyles.length > 0
    ? [{ name: "first route, styles", path: firstStyles.map(inPage), limit: "10 kB", gzip: true }]
    : []),
  ...lazyScripts.map((file) => ({
    name: `later: ${file.replace(/^assets\/|-[\w-]{8}\.js$/g, "")}`,
    path: inPage(file),
    limit: "40 kB",
    gzip: true,
  })),
  { name: "service worker", path: inPage("offline.js"), limit: "10 kB", gzip: true },
  ...languages.map((code) => ({
    name: `all scripts, for a reader of ${code}`,
    path: scripts(inLanguage(code)).map(inPage),
    limit: "180 kB",
    gzip: true,
  })),
  // Three transports and the finding of one that passes, resuming, checksums, the pace. The world around it (a page's or
  // Node's) and what only screens need are entries of their own.
  { name: "realtime client alone", path: "dist/client/realtime.js", limit: "6 kB", gzip: true },
];
