// The table against a model of it: what the person, the page, the network and the server did, and nothing of how the
// machine keeps it. Any history of them must leave both agreed on the state, on whether there is a connection, and on
// whether something will end the state.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { drawing } from "./drawing";
import { IDLE, next, type Effect, type Happening, type LinkState } from "../../src/realtime/machine";

/** So long between two events that no five tries make a loop. */
const STEP = 2_600;

class Model {
  everStarted = false;
  wanted = false;
  refused = false;
  visible = true;
  online = true;
  paused = false;
  link: "none" | "first try" | "try" | "up" | "silent" = "none";

  get state(): LinkState["at"] {
    if (!this.wanted) return this.everStarted ? "closed" : "idle";
    if (this.refused) return "refused";
    switch (this.link) {
      case "up":
        return this.paused ? "paused" : "open";
      case "silent":
        return "stalled";
      case "first try":
        return "connecting";
      case "try":
        return "reconnecting";
      case "none":
        return !this.visible ? "hidden" : this.online ? "waiting" : "offline";
    }
  }

  get away(): boolean {
    return this.wanted && !this.refused && this.link === "none";
  }

  dial(): void {
    const first = !this.everStarted;
    this.everStarted = this.wanted = true;
    this.refused = false;
    this.link = !this.visible ? "none" : first ? "first try" : "try";
  }
}

/** The machine, with what its effects did. */
class Link {
  state: LinkState = IDLE;
  connected = false;
  #now = 1_000_000;

  happen(happening: Happening, { visible, online, paused }: Model): void {
    this.#now = happening.type === "due" && "until" in this.state ? (this.state.until ?? 0) : this.#now + STEP;
    const [state, ...effects] = next(this.state, { ...happening, now: this.#now, roll: 0.5, visible, online, paused });
    if (happening.type === "closed") this.connected = false;
    for (const effect of effects) this.#run(effect);
    this.state = state;
  }

  #run(effect: Effect): void {
    if (effect.do !== "probe") this.connected = effect.do === "connect";
  }
}

/** One thing that happens: when it can, what it means to the model, what the machine is told. */
class Event implements fc.Command<Model, Link> {
  constructor(
    readonly name: string,
    readonly can: (model: Model) => boolean,
    readonly means: (model: Model) => void,
    readonly told: Happening,
  ) {}

  check(model: Readonly<Model>): boolean {
    return this.can(model);
  }

  run(model: Model, link: Link): void {
    this.means(model);
    link.happen(this.told, model);
    const alarmed = ["waiting", "offline", "stalled"].includes(model.state) || (model.link === "up" && !model.visible);
    expect([link.state.at, link.connected, "until" in link.state]).toEqual([
      model.state,
      model.link !== "none",
      alarmed,
    ]);
  }

  toString(): string {
    return this.name;
  }
}

const always = (): boolean => true;
const joined = ({ link }: Model): boolean => link !== "none";
const up = ({ link }: Model): boolean => link === "up" || link === "silent";
const lose = (model: Model): void => {
  model.link = "none";
};
const wake = (model: Model): void => {
  if (model.away) model.dial();
};

const EVENTS: readonly Event[] = [
  new Event("start", always, (model) => (!model.wanted || model.refused) && model.dial(), { type: "start" }),
  new Event(
    "stop",
    ({ everStarted }) => everStarted,
    (model) => {
      model.wanted = model.refused = false;
      lose(model);
    },
    { type: "stop" },
  ),
  new Event(
    "hello",
    ({ link }) => link.endsWith("try"),
    (model) => {
      model.link = "up";
    },
    { type: "opened" },
  ),
  new Event("loss", joined, lose, { type: "closed", ending: { reason: "lost" } }),
  new Event(
    "refusal",
    joined,
    (model) => {
      model.refused = true;
      lose(model);
    },
    { type: "closed", ending: { reason: "signed_out", final: true } },
  ),
  new Event("bye", joined, lose, { type: "bye", after: 1_000, reason: "drain" }),
  new Event(
    "frame",
    up,
    (model) => {
      model.link = "up";
    },
    { type: "frame" },
  ),
  new Event(
    "silence",
    ({ link }) => link === "up",
    (model) => {
      model.link = model.visible ? "silent" : "none";
    },
    { type: "silence" },
  ),
  new Event(
    "alarm",
    (model) => model.link === "silent" || (model.link === "up" && !model.visible) || (model.away && model.visible),
    (model) => {
      if (model.away) model.dial();
      else lose(model);
    },
    { type: "due" },
  ),
  new Event(
    "no network",
    always,
    (model) => {
      model.online = false;
      lose(model);
    },
    { type: "offline" },
  ),
  new Event(
    "network",
    always,
    (model) => {
      model.online = true;
      wake(model);
    },
    { type: "wake" },
  ),
  new Event(
    "nobody looks",
    always,
    (model) => {
      model.visible = false;
      if (model.link !== "up") lose(model);
    },
    { type: "hide" },
  ),
  new Event(
    "somebody looks",
    always,
    (model) => {
      model.visible = true;
      wake(model);
    },
    { type: "wake" },
  ),
  new Event(
    "put away",
    always,
    (model) => {
      model.visible = false;
      lose(model);
    },
    { type: "leave" },
  ),
  new Event(
    "pause",
    always,
    (model) => {
      model.paused = true;
    },
    { type: "pace" },
  ),
  new Event(
    "resume",
    always,
    (model) => {
      model.paused = false;
    },
    { type: "pace" },
  ),
  new Event(
    "a person's retry",
    always,
    (model) => {
      if (model.refused || model.away || model.link === "silent") model.dial();
    },
    { type: "retry" },
  ),
];

describe("the table of states", () => {
  it("agrees with what the person, the page, the network and the server did, whatever they do", () => {
    fc.assert(
      fc.property(
        fc.commands(
          EVENTS.map((event) => fc.constant(event)),
          { maxCommands: 40, size: "max" },
        ),
        (history) => {
          fc.modelRun(() => ({ model: new Model(), real: new Link() }), history);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("comes to each of its states in some history", () => {
    const seen = new Set<string>();
    const history = fc.array(fc.constantFrom(...EVENTS), { minLength: 40, maxLength: 40 });
    const histories = fc.sample(history, { seed: 1, numRuns: 300 });
    for (const each of histories) {
      const model = new Model();
      const link = new Link();
      seen.add(link.state.at);
      for (const event of each) {
        if (!event.check(model)) continue;
        event.run(model, link);
        seen.add(link.state.at);
      }
    }
    expect([...seen].sort()).toEqual(
      [
        "closed",
        "connecting",
        "hidden",
        "idle",
        "offline",
        "open",
        "paused",
        "reconnecting",
        "refused",
        "stalled",
        "waiting",
      ].sort(),
    );
  });

  it("is drawn in the documentation as it is (`node scripts/draw-states.js` draws it)", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../docs/reference/connection.md"), "utf8");
    expect(/```mermaid\n([^]*?)\n```/.exec(page)?.[1]).toBe(drawing());
  });
});
