// The world around a client that runs in a page, and what a page's network and battery say about the pace.

export { heedConditions } from "../src/realtime/conditions";
export { browserEnvironment } from "../src/realtime/environment";
