// For those who show what they read: rows in order, the word for how fresh they are, the shop and its sources, and
// content kept for the next time.

export { freshnessOf } from "../src/realtime/freshness";
export type { Freshness, FreshnessLevel } from "../src/realtime/freshness";
export { compareField, ranked } from "../src/realtime/order";
export type { RankedSubscription } from "../src/realtime/order";
export { keep, restore } from "../src/realtime/kept";
export { listenForNews } from "../src/realtime/news";
export type { News, SourceReport } from "../src/realtime/news";
