/**
 * Which way a request of the page goes. What is private or live goes past the worker altogether: it answers only with the build's own files, which are
 * the same for everybody, so there is nothing in its store to wipe when somebody signs out.
 */

export interface Asked {
  readonly method: string;
  /** `navigate` for a screen that is opened. */
  readonly mode: string;
  readonly url: string;
}

/**
 * `past`: the browser's own business. `screen`: the network's page if it comes in time, else the kept one. `kept`: a file of the build, which never changes
 * under its name.
 */
export type Way = "past" | "screen" | "kept";

/** Screens of others than the page: the API, its documentation, and what is asked from elsewhere. */
const PAST = /^\/(api|docs)(\/|$)/;

/** @param files the addresses of the build's files */
export function wayOf({ method, mode, url }: Asked, origin: string, files: ReadonlySet<string>): Way {
  const address = new URL(url);
  if (method !== "GET" || address.origin !== origin || PAST.test(address.pathname)) return "past";
  if (mode === "navigate") return "screen";
  return files.has(address.pathname) ? "kept" : "past";
}
