/**
 * No screen has words of its own: what a person reads stands in the catalogues. Markup is read as the compiler reads it: text between tags, attributes that are
 * read out or shown, and what expressions in those places can come to. In scripts, a literal that reads like a sentence or a label is one.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import { parse } from "svelte/compiler";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const SOURCES = join(import.meta.dirname, "../../src");
/** Components' own props among them: what is given to these is shown. */
const SHOWN =
  /^(title|aria-label|aria-description|aria-roledescription|placeholder|alt|label|words|note|none|summary)$/;
/** Names that are the same in every language. */
const NAMES = /\b(Stockwire|STOCKWIRE_KEY|CSV|SKU|WebSocket|Server-Sent Events|uPlot)\b/g;
/** Names of keys and of things in the browser, which are nobody's words. */
const OF_THE_BROWSER =
  /^(Arrow(Up|Down|Left|Right)|Page(Up|Down)|Home|End|Enter|Escape|Tab|Refusal|Content-Type|SharedWorker|BroadcastChannel|GET|POST|DELETE|GBP|UTC)$/;

interface Node {
  readonly type: string;
  readonly start?: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value;
const children = (node: Node): Node[] =>
  Object.values(node).flatMap((value: unknown) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
const wordy = (text: string): boolean => /\p{L}{2,}/u.test(text.replace(NAMES, "").replace(/&\w+;/g, ""));

/** The texts an expression can come to, as far as they are written in it. */
function outcomes(node: Node): string[] {
  const { type } = node;
  if (type === "Literal") return typeof node.value === "string" ? [node.value] : [];
  if (type === "TemplateLiteral") return children(node).flatMap(outcomes);
  if (type === "TemplateElement") return [(node.value as { cooked: string }).cooked];
  if (type === "ConditionalExpression") return [node.consequent, node.alternate].filter(isNode).flatMap(outcomes);
  if (type === "LogicalExpression" || type === "BinaryExpression")
    return [node.left, node.right].filter(isNode).flatMap(outcomes);
  return [];
}

function shownIn(markup: Node): string[] {
  const found: string[] = [];
  const visit = (node: Node): void => {
    if (node.type === "Text") found.push(String(node.data));
    else if (node.type === "ExpressionTag" && isNode(node.expression)) found.push(...outcomes(node.expression));
    else if (node.type === "Attribute") {
      if (!SHOWN.test(String(node.name))) return;
      const { value } = node;
      for (const part of Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []) visit(part);
    } else if (!node.type.endsWith("Directive")) for (const child of children(node)) visit(child);
  };
  visit(markup);
  return found.filter(wordy);
}

/** Literals of a script that read like something for people. What is thrown is for programmers. */
function saidIn(script: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isThrowStatement(node) || ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    const text = ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node) ? node.text : "";
    const plain = text.replace(NAMES, "");
    const sentence = /\p{L}{2,},? \p{L}{2,}/u.test(plain) && !/[_[]/.test(plain);
    const label = /^\p{Lu}\p{Ll}+([ -]\p{L}+)*[.…]?$/u.test(plain.trim());
    if ((sentence || label) && !OF_THE_BROWSER.test(text)) found.push(text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("some.ts", script, ts.ScriptTarget.ESNext, true));
  return found;
}

function looseIn(source: string, name: string): string[] {
  if (!name.endsWith(".svelte")) return saidIn(source);
  const { fragment } = parse(source, { modern: true });
  const script = /<script[^>]*>([\s\S]*?)<\/script>/.exec(source)?.[1] ?? "";
  return [...shownIn(fragment as unknown as Node), ...saidIn(script)];
}

/** Commands to copy, and what browsers, fonts and SQL are told, are no messages. */
const TOLD_TO_MACHINES = [
  "system-ui, sans-serif",
  "stockwire ",
  "curl ",
  '-H "',
  "-d '",
  "(prefers-color-scheme",
  "2-digit",
  "prefers",
  "input, select",
  "text/csv",
  'data": {',
];

const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter(
  (name) =>
    /\.(svelte|ts)$/.test(name) && /^(App|components|pages|lib)/.test(name) && !name.startsWith("lib/messages/"),
);

describe("the page's words", () => {
  it("are read from many files", () => {
    expect(files.length).toBeGreaterThan(50);
  });

  it.each(files)("are not in %s", (name) => {
    const loose = looseIn(readFileSync(join(SOURCES, name), "utf8"), relative(SOURCES, join(SOURCES, name)));
    expect(loose.filter((text) => !TOLD_TO_MACHINES.some((part) => text.includes(part)))).toEqual([]);
  });

  it("would be found wherever they can hide", () => {
    const hidden = `<script lang="ts">
      const label = "Late orders";
      const words = count > 1 ? "some rows" : \`\${count} row left\`;
    </script>
    <p title="Hello">Plain text {late ? "late" : t("orders.open")} Stockwire</p>
    <Tile label={open ? \`Shop \${name}\` : ""} class="no word of it" />`;
    expect(looseIn(hidden, "Hidden.svelte")).toEqual([
      "Hello",
      "Plain text ",
      "late",
      "Shop ",
      "Late orders",
      "some rows",
      " row left",
    ]);
  });
});
