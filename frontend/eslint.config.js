// What the page's code may not do, as far as a machine can see it.
//
// Types and layout are svelte-check's and prettier's; who may import whom is dependency-cruiser's.

import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

const PAGE_GLOBALS = ["window", "document", "navigator", "localStorage", "sessionStorage"];
const CLOCK_AND_NETWORK = ["fetch", "WebSocket", "setTimeout", "setInterval", "requestAnimationFrame"];

/** @param {string[]} names @param {string} message */
const forbid = (names, message) => ["error", ...names.map((name) => ({ name, message }))];

export default ts.config(
  { ignores: ["dist/", "node_modules/", ".cache/"] },
  js.configs.recommended,
  ts.configs.recommendedTypeChecked,
  svelte.configs.recommended,
  svelte.configs.prettier,
  {
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: {
        projectService: { allowDefaultProject: ["*.js", "*.cjs"] },
        extraFileExtensions: [".svelte"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "no-console": "error",
      eqeqeq: "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      // The checker sees through stores and snippets that the linter takes for `any`.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "svelte/no-at-html-tags": "error",
      // Addresses are made by the page's own router.
      "svelte/no-navigation-without-resolve": "off",
    },
  },
  {
    files: ["src/realtime/**"],
    ignores: ["src/realtime/environment.ts", "src/realtime/conditions.ts"],
    rules: {
      "no-restricted-globals": forbid(
        [...PAGE_GLOBALS, ...CLOCK_AND_NETWORK],
        "The client reaches the browser through its Environment alone.",
      ),
    },
  },
  {
    files: ["src/components/**"],
    rules: {
      "no-restricted-globals": forbid(["fetch", "WebSocket", "EventSource"], "Components show; services fetch."),
    },
  },
  {
    files: ["**/*.js", "**/*.cjs", "*.config.ts"],
    ...ts.configs.disableTypeChecked,
    languageOptions: {
      ...ts.configs.disableTypeChecked.languageOptions,
      globals: { ...globals.node, ...globals.browser },
    },
  },
);
