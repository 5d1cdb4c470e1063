import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { backoff } from "../../src/realtime/backoff";
import { IDLE, next, type Facts, type Happening, type LinkState, type Step } from "../../src/realtime/machine";

const FACTS: Facts = { now: 1_000_000, roll: 0.5, visible: true, online: true, paused: false };

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
      waits.push(Math.round(until - now));
      now = until;
      [state] = next(state, { ...FACTS, type: "due", now });
      expect(state.at).toBe("reconnecting");
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
    expect(play(gone, { type: "wake" })).toMatchObject([{ at: "reconnecting" }, { do: "connect" }]);
  });

  it("looks again now and then while the machine says it has no network", () => {
    const [gone] = play(OPEN, { type: "offline", online: false });
    expect(play(gone, { type: "due", online: false })[0].at).toBe("reconnecting");
  });

  it("stays for five minutes when nobody looks, then lets go", () => {
    const [unseen] = play(OPEN, { type: "hide", visible: false });
    expect(unseen).toMatchObject({ at: "open", until: FACTS.now + 300_000 });
    expect(play(unseen, { type: "due", visible: false })).toMatchObject([{ at: "hidden" }, { do: "disconnect" }]);
    expect(play(unseen, { type: "wake" })[0]).not.toHaveProperty("until");
  });

  it("that nobody looks at and that falls silent is let go of, and not asked", () => {
    const [unseen] = play(OPEN, { type: "hide", visible: false });
    expect(play(unseen, { type: "silence", visible: false })).toMatchObject([{ at: "hidden" }, { do: "disconnect" }]);
  });

  it("is paused while the person wants it to be, also after a loss, and is not taken for another link", () => {
    const [paused] = play(OPEN, { type: "pace", paused: true });
    expect(paused).toEqual({ ...OPEN, at: "paused" });
    const [stalled] = play(paused, { type: "silence", paused: true });
    expect(stalled.at).toBe("stalled");
    expect(play(stalled, { type: "frame", paused: true })[0]).toEqual(paused);
    expect(play(paused, LOST, { type: "due" }, { type: "opened", paused: true })[0].at).toBe("paused");
    expect(play(paused, { type: "pace" })[0]).toEqual(OPEN);
  });

  it("makes no try while nobody looks, and one at once when somebody does", () => {
    const [waiting] = play(OPEN, LOST);
    const [hidden] = play(waiting, { type: "hide", visible: false });
    expect(hidden.at).toBe("hidden");
    expect(play(hidden, { type: "wake", visible: false })[0].at).toBe("hidden");
    expect(play(hidden, { type: "wake" })[0].at).toBe("reconnecting");
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
    expect(play(refused, { type: "retry" })[0].at).toBe("reconnecting");
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
