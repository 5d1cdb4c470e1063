// Makes the package's code: one file for each of its entries, and what they share.

import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    outDir: "dist/package",
    emptyOutDir: true,
    target: "es2022",
    minify: "oxc",
    lib: {
      entry: {
        realtime: "src/realtime/index.ts",
        browser: "realtime-package/browser.ts",
        screen: "realtime-package/screen.ts",
        svelte: "realtime-package/svelte.ts",
        node: "realtime-package/node.ts",
      },
      formats: ["es"],
    },
    rolldownOptions: { output: { minify: true, topLevelVar: false, comments: { annotation: false } } },
  },
});
