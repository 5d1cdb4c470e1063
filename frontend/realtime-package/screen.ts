// For those who show what they read: rows in order, and the word for how fresh they are.

export { freshnessOf } from "../src/realtime/freshness";
export type { Freshness, FreshnessLevel } from "../src/realtime/freshness";
export { compareField, ranked } from "../src/realtime/order";
export type { RankedSubscription } from "../src/realtime/order";
