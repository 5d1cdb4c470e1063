// What a server tells beside rows: the shop with its clock, how old each of its sources is, the build of the page.

import type { Environment } from "./environment";
import type { HelloFrame, ServerFrame, SourceAge } from "./protocol";

/** A source's age and when it was told. */
export interface SourceReport extends SourceAge {
  readonly toldAt: number;
}

export interface News {
  /** The newest hello with the newest time of the shop, and when that came. */
  readonly hello: { readonly frame: HelloFrame; readonly at: number } | undefined;
  readonly sources: readonly SourceReport[];
  /** Takes a frame: the client's option `heard`. */
  readonly hear: (frame: ServerFrame) => void;
}

/** Remembers the newest of each. */
export function listenForNews(environment: Pick<Environment, "now">): News {
  let hello: News["hello"];
  let sources: readonly SourceReport[] = [];
  return {
    get hello() {
      return hello;
    },
    get sources() {
      return sources;
    },
    hear(frame) {
      const at = environment.now();
      if ("sources" in frame) sources = (frame.sources ?? []).map((each) => ({ ...each, toldAt: at }));
      if (frame.type === "hello") hello = { frame, at };
      // The shop's clock may run faster than this one: it is set anew whenever the server tells.
      else if ("now" in frame && frame.now !== undefined && hello?.frame.shop) {
        const { shop, ...rest } = hello.frame;
        hello = { frame: { ...rest, shop: { ...shop, now: frame.now } }, at };
      }
    },
  };
}
