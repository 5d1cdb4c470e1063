/**
 * What a wall display shows, read from its address, because nobody stands at it with a keyboard. Which panel it is the turn of follows from the clock alone:
 * no timer is kept, displays side by side turn together, and a reload goes on where it was.
 */

export const PANELS = ["overview", "orders", "stock"] as const;
export type Panel = (typeof PANELS)[number];

export interface WallPlan {
  readonly panels: readonly Panel[];
  /** Milliseconds each panel is shown. */
  readonly turn: number;
  /** No money and no customer's name. */
  readonly privacy: boolean;
}

const TURN = 30;
const SHORTEST = 5;

/** The plan of an address: `?panels=overview,orders&rotate=30&privacy=1`. What it does not say, or says wrong, is as usual. */
export function wallPlan(query: URLSearchParams): WallPlan {
  const asked = (query.get("panels") ?? "").split(",");
  const panels = asked.filter((name): name is Panel => PANELS.some((panel) => panel === name));
  const seconds = Number(query.get("rotate") ?? TURN);
  return {
    panels: panels.length > 0 ? panels : PANELS,
    turn: (Number.isFinite(seconds) ? Math.max(SHORTEST, seconds) : TURN) * 1000,
    privacy: ["1", "yes", "true"].includes(query.get("privacy") ?? ""),
  };
}

/** The panel whose turn it is. */
export function panelAt({ panels, turn }: WallPlan, now: number): Panel {
  return panels[Math.floor(now / turn) % panels.length] ?? "overview";
}
