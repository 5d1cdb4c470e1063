import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { backoff } from "../../src/realtime/backoff";
import {
  IDLE,
  next,
  type Effect,
  type Facts,
  type Happening,
  type LinkState,
  type Step,
} from "../../src/realtime/machine";

const FACTS: Facts = { now: 1_000_000, roll: 0.5, visible: true, online: true };

/** Plays events from a state on; gives the last step. */
function play(from: LinkState, ...events: (Happening & Partial<Facts>)[]): Step {
  return events.reduce<Step>(([state], event) => next(state, { ...FACTS, ...event }), [from]);
}

const OPEN = play(IDLE, { type: "start" }, { type: "opened" })[0];
const LOST: Happening = { type: "closed", ending: { reason: "lost" } };

describe("a link", () => {
  it("connects when it is started", () => {
    expect(play(IDLE, { type: "start" })).toMatchObject([{ at: "connecting" }, { do: "connect" }]);
  });

  it("does not connect while nobody looks", () => {
    expect(play(IDLE, { type: "start", visible: false })[0].at).toBe("hidden");
  });

  it("comes back within a second after a clean drop of a stable link", () => {
    const [state] = play(OPEN, { ...LOST, now: FACTS.now + 60_000, roll: 0.999 });
    expect(state).toMatchObject({ at: "waiting" });
    expect((state as { until: number }).until - FACTS.now - 60_000).toBeLessThanOrEqual(1_000);
  });

  it("waits longer after each try that failed, up to 20 s, and never gives up", () => {
    let state = play(IDLE, { type: "start" })[0];
    const waits: number[] = [];
    for (let now = FACTS.now, tries = 0; tries < 12; tries++) {
      [state] = next(state, { ...FACTS, ...LOST, now, roll: 0.999_999 });
      const { until } = state as { until: number };
      waits.push(until - now);
      now = until;
      [state] = next(state, { ...FACTS, type: "due", now });
      expect(state.at).toBe("connecting");
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, ...Array<number>(7).fill(20_000)]);
  });

  it("honours what the server asked for", () => {
    const [state] = play(OPEN, { type: "closed", ending: { reason: "refused", retryAfter: 30_000 } });
    expect((state as { until: number }).until).toBeGreaterThanOrEqual(FACTS.now + 30_000);
  });

  it("comes back when a bye said so", () => {
    const [state, ...effects] = play(OPEN, { type: "bye", after: 1_500, reason: "drain" });
    expect(state).toMatchObject({ at: "waiting", until: FACTS.now + 1_500, reason: "drain" });
    expect(effects).toEqual([{ do: "disconnect" }]);
  });

  it("drops at once when the network is gone, and connects at once when it is back", () => {
    const [gone, ...effects] = play(OPEN, { type: "offline", online: false });
    expect(gone.at).toBe("offline");
    expect(effects).toEqual([{ do: "disconnect" }]);
    expect(play(gone, { type: "wake" })).toMatchObject([{ at: "connecting" }, { do: "connect" }]);
  });

  it("looks again now and then while the machine says it has no network", () => {
    const [gone] = play(OPEN, { type: "offline", online: false });
    expect(play(gone, { type: "due", online: false })[0].at).toBe("connecting");
  });

  it("stays for five minutes when nobody looks, then lets go", () => {
    const [unseen] = play(OPEN, { type: "hide", visible: false });
    expect(unseen).toMatchObject({ at: "open", until: FACTS.now + 300_000 });
    expect(play(unseen, { type: "due", visible: false })).toMatchObject([{ at: "hidden" }, { do: "disconnect" }]);
    expect(play(unseen, { type: "wake" })[0]).not.toHaveProperty("until");
  });

  it("makes no try while nobody looks, and one at once when somebody does", () => {
    const [waiting] = play(OPEN, LOST);
    const [hidden] = play(waiting, { type: "hide", visible: false });
    expect(hidden.at).toBe("hidden");
    expect(play(hidden, { type: "wake", visible: false })[0].at).toBe("hidden");
    expect(play(hidden, { type: "wake" })[0].at).toBe("connecting");
  });

  it("asks before it gives a silent link up", () => {
    const [stalled, ...effects] = play(OPEN, { type: "silence" });
    expect(stalled).toMatchObject({ at: "stalled", until: FACTS.now + 6_000 });
    expect(effects).toEqual([{ do: "probe", within: 6_000 }]);
    expect(play(stalled, { type: "frame" })[0].at).toBe("open");
    expect(play(stalled, { type: "due", now: FACTS.now + 6_000 })).toMatchObject([
      { at: "waiting", reason: "silent" },
      { do: "disconnect" },
    ]);
  });

  it("asks again when the machine slept meanwhile", () => {
    const [stalled] = play(OPEN, { type: "silence" });
    expect(play(stalled, { type: "due", now: FACTS.now + 600_000 })).toMatchObject([
      { at: "stalled" },
      { do: "probe" },
    ]);
  });

  it("does not try again what was refused, until a person does", () => {
    const [refused] = play(OPEN, { type: "closed", ending: { reason: "signed_out", final: true } });
    expect(refused).toMatchObject({ at: "refused", reason: "signed_out" });
    expect(play(refused, { type: "wake" })[0]).toBe(refused);
    expect(play(refused, { type: "retry" })[0].at).toBe("connecting");
  });

  it("does not spin when it is told to come back again and again", () => {
    let state = OPEN;
    let tries = 0;
    for (let turn = 0; turn < 50; turn++) {
      for (const event of [{ type: "bye", after: 0, reason: "drain" }, { type: "wake" }, { type: "opened" }] as const) {
        const [to, ...effects] = next(state, { ...FACTS, ...event, now: FACTS.now + turn });
        tries += effects.filter((effect) => effect.do === "connect").length;
        state = to;
      }
    }
    expect(tries).toBeLessThanOrEqual(5);
    expect(state).toMatchObject({ at: "waiting", reason: "loop" });
  });
});

describe("the table of states", () => {
  const facts = fc.record({
    now: fc.integer({ min: 1, max: 10_000_000 }),
    roll: fc.double({ min: 0, max: 0.999, noNaN: true }),
    visible: fc.boolean(),
    online: fc.boolean(),
  });
  const happening = fc.oneof(
    fc.constantFrom(
      ...(
        ["start", "stop", "opened", "frame", "silence", "due", "retry", "wake", "offline", "hide", "leave"] as const
      ).map((type) => ({ type })),
    ),
    fc.record({
      type: fc.constant("closed" as const),
      ending: fc.record({ reason: fc.constant("lost"), final: fc.boolean(), retryAfter: fc.nat(60_000) }),
    }),
    fc.record({ type: fc.constant("bye" as const), after: fc.nat(5_000), reason: fc.constant("drain") }),
  );
  const events = fc.array(fc.tuple(happening, facts), { maxLength: 60 });

  /** Plays a history; shows each step to `look` with whether a connection is held after it. */
  function history(
    steps: readonly (readonly [Happening, Facts])[],
    look: (
      before: LinkState,
      event: Happening & Facts,
      after: LinkState,
      effects: Effect[],
      connected: boolean,
    ) => void,
  ): void {
    let state = IDLE;
    let connected = false;
    for (const [happened, { now, ...rest }] of steps) {
      const event = { ...happened, ...rest, now };
      const [to, ...effects] = next(state, event);
      if (event.type === "closed") connected = false;
      for (const effect of effects) {
        if (effect.do === "connect") connected = true;
        if (effect.do === "disconnect") connected = false;
      }
      look(state, event, to, effects, connected);
      state = to;
    }
  }

  /** Events that a client can really have: nothing comes from a connection that is not there. */
  const possible = (state: LinkState, { type }: Happening): boolean =>
    !["opened", "closed", "frame", "silence", "bye"].includes(type) ||
    ["connecting", "open", "stalled"].includes(state.at);

  it("holds a connection exactly in the states that have one", () => {
    fc.assert(
      fc.property(events, (steps) => {
        let state = IDLE;
        const kept = steps.filter(([event, moment]) => {
          const fits = possible(state, event);
          if (fits) [state] = next(state, { ...event, ...moment });
          return fits;
        });
        history(kept, (_before, _event, after, _effects, connected) => {
          expect(connected).toBe(["connecting", "open", "stalled"].includes(after.at));
        });
      }),
    );
  });

  it("never tries by itself while nobody looks, nor after it was stopped", () => {
    fc.assert(
      fc.property(events, (steps) => {
        history(steps, (before, event, _after, effects) => {
          const tries = effects.some((effect) => effect.do === "connect");
          if (tries && !event.visible) expect(["retry", "start"]).toContain(event.type);
          if (tries && before.at === "closed") expect(event.type).toBe("start");
          if (tries && before.at === "refused") expect(["retry", "start"]).toContain(event.type);
        });
      }),
    );
  });

  it("always has a way back: an alarm, or a state that only a person or the page's life ends", () => {
    fc.assert(
      fc.property(events, (steps) => {
        history(steps, (_before, event, after) => {
          if (["waiting", "offline", "stalled"].includes(after.at)) expect(after).toHaveProperty("until");
          if (event.type === "stop") expect(["closed"]).toContain(after.at);
        });
      }),
    );
  });
});

describe("the backoff", () => {
  it("is anywhere between nothing and a ceiling that doubles up to 20 s", () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        fc.nat(100_000),
        (tries, roll, asked) => {
          const wait = backoff(tries, roll, asked);
          expect(wait).toBeGreaterThanOrEqual(asked);
          expect(wait - asked).toBeLessThanOrEqual(Math.min(20_000, Math.max(1_000, 500 * 2 ** tries)));
        },
      ),
    );
  });
});
