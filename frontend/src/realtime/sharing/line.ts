// What tabs and the one that holds their connection say to each other.
//
// It is the protocol itself: a host speaks to its guests as a server does. A few messages are added for what a server
// never has to say: that its own link is lost or back, what came over it, and that it lacks the rows a guest has.

import type { Ending } from "../machine";
import type { ClientFrame, ServerFrame, SubscribeFrame } from "../protocol";
import type { Kept } from "../table";

/** What a host says. */
export type HostMessage =
  | ServerFrame
  /** It is there, and reaches the server this way. */
  | { readonly type: "joined"; readonly transport: TransportName | undefined }
  /** So many bytes came over its link since the last such message. */
  | { readonly type: "carried"; readonly bytes: number }
  /** Its link is lost. */
  | { readonly type: "lost"; readonly ending: Ending }
  /** Its link is there again: come back now. */
  | { readonly type: "back" }
  /** It has no content of this view: give yours. */
  | { readonly type: "give"; readonly frame: SubscribeFrame };

/** What a guest says. */
export type GuestMessage =
  | ClientFrame
  | { readonly type: "given"; readonly frame: SubscribeFrame; readonly kept: Kept | undefined }
  /** Somebody at this tab asks for a try now, whatever the plan was. */
  | { readonly type: "hurry" }
  /** It goes. */
  | { readonly type: "leave" };

/** What a tab says to a worker first. */
export interface Introduction {
  readonly type: "join";
  /** The lock that it holds as long as it lives. */
  readonly lock: string;
}

/** What a worker says first. */
export interface Presence {
  readonly type: "here";
  /** The lock that it holds as long as it lives. */
  readonly lock: string;
}

/** The lock that a tab holds as long as it is a guest. */
export function tabLock(id: string): string {
  return `stockwire.tab.${id}`;
}

export type TransportName = "websocket" | "sse" | "poll";

/** A guest's end. */
export interface Membership {
  say(message: GuestMessage): void;
  leave(): void;
}

/** How a tab reaches the host. */
export interface Line {
  /** Joins. `gone`: the host is no longer there; join again. Nothing is called before this returns, nor after `leave`. */
  join(hear: (message: HostMessage) => void, gone: () => void): Membership;
}

/** What tabs of one browser share. Names are of this origin. */
export interface Neighbourhood {
  /**
   * Calls `held` when this tab holds the lock, which it does until it calls what is given back, or ends, or another tab
   * seizes it. `seize` takes it away from who holds it; `lost` is called when that happens to this tab.
   */
  lock(name: string, held: () => void, how?: { readonly seize?: boolean; readonly lost?: () => void }): () => void;
  /** Says to and hears from all other tabs. */
  channel(name: string, hear: (message: unknown) => void): { say(message: unknown): void; close(): void };
}
