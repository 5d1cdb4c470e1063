import { afterEach, expect, it, vi } from "vitest";

import { trusted } from "../../src/services/trusted";

afterEach(() => {
  vi.unstubAllGlobals();
});

it("takes an address as it is where there are no Trusted Types", () => {
  expect(trusted("some-policy", "/script.js")).toBe("/script.js");
});

it("asks a policy that knows this one address and no other", () => {
  const named: string[] = [];
  let rules = { createScriptURL: (url: string) => url };
  vi.stubGlobal("trustedTypes", {
    createPolicy(name: string, given: typeof rules) {
      named.push(name);
      rules = given;
      return { createScriptURL: (url: string) => `policy: ${given.createScriptURL(url)}` };
    },
  });
  expect(trusted("some-policy", "/script.js")).toBe("policy: /script.js");
  expect(named).toEqual(["some-policy"]);
  expect(rules.createScriptURL("/other.js")).toBe("");
});
