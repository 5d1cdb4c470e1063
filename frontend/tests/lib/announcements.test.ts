import { describe, expect, it } from "vitest";

import { Announcements, type Timers } from "../../src/lib/announcements";

class Clock implements Timers {
  #now = 0;
  #due: { at: number; run: () => void } | null = null;
  now = (): number => this.#now;
  after = (ms: number, run: () => void): (() => void) => {
    this.#due = { at: this.#now + ms, run };
    return () => (this.#due = null);
  };
  pass(ms: number): void {
    this.#now += ms;
    const due = this.#due;
    if (!due || due.at > this.#now) return;
    this.#due = null;
    due.run();
  }
}

describe("the polite region", () => {
  it("says the first words at once", () => {
    const region = new Announcements(new Clock());
    region.say("link", "Live.");
    expect(region.said).toBe("Live.");
  });

  it("speaks at most every ten seconds and then only of the newest about each subject", () => {
    const clock = new Clock();
    const region = new Announcements(clock);
    region.say("link", "Live.");
    region.say("link", "Reconnecting.");
    region.say("link", "Live again.");
    region.say("sources", "The shop is sending.");
    clock.pass(9999);
    expect(region.said).toBe("Live.");
    clock.pass(1);
    expect(region.said).toBe("Live again. The shop is sending.");
  });
});
