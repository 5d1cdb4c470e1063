// The frames of spec/protocol.md as types, and the one door through which they come in.
//
// `parseFrame` looks at every member this client relies on, so that nothing behind it checks again. A frame of a type
// it does not know is no fault (P1.1): servers may be newer than pages. A known type without its members is one: the
// bytes are not from a Stockwire server, or a proxy cut them.

export const PROTOCOL = 1;

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A row as the wire has it: absolute, complete, with the version that last changed it (P5.2). */
export interface WireRow {
  readonly version: number;
  readonly [field: string]: Json;
}

type Scalar = string | number | boolean | null;

/** Conditions on one field; all must hold (P4.2). */
export interface Condition {
  readonly eq?: Scalar;
  readonly ne?: Scalar;
  readonly lt?: Scalar;
  readonly lte?: Scalar;
  readonly gt?: Scalar;
  readonly gte?: Scalar;
  readonly in?: readonly Scalar[];
  readonly contains?: string;
  readonly prefix?: string;
}

/** Field to value (equal) or to conditions. */
export type Filter = Readonly<Record<string, Scalar | Condition>>;

/** A feed with filter, order and limit (P4.1). */
export interface ViewRequest {
  readonly feed: string;
  readonly filter?: Filter | undefined;
  readonly order?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  /** Milliseconds between two changes at least; can only slow the connection's pace further. */
  readonly interval?: number | undefined;
}

/** Why the pace is what it is (P6.4). */
export type PaceReason = "chosen" | "hidden" | "metered" | "slow" | "battery" | "server";

/** How a connection is served: an interval in milliseconds (0: live), or nothing at all. */
export interface Pace {
  readonly interval: number;
  readonly paused: boolean;
  readonly reason: PaceReason;
}

/** How old a source's newest event was when the frame was sent, in milliseconds (P6.2). */
export interface SourceAge {
  readonly source: string;
  readonly age: number;
  readonly state: "ok" | "late" | "silent";
}

export interface Shop {
  readonly name: string;
  readonly currency: string;
  readonly timezone: string;
  /** `wall`: the shop's time is the world's. `events`: it is the newest event's time. */
  readonly clock: "wall" | "events";
  readonly now: number;
  readonly simulated: boolean;
}

export type ResetReason = "epoch" | "horizon" | "view" | "ahead" | "window" | "requested" | "checksum";

export interface HelloFrame {
  readonly type: "hello";
  readonly protocol: number;
  readonly server: string;
  readonly session: string;
  readonly epoch: string;
  readonly version: number;
  readonly time: number;
  /** Seconds of silence after which the server sends a heartbeat. */
  readonly heartbeat: number;
  readonly shop?: Shop;
  readonly build?: string;
  readonly sources?: readonly SourceAge[];
}

export interface SubscribedFrame {
  readonly type: "subscribed";
  readonly id: string;
  readonly view: string;
  readonly feed: string;
  readonly key: readonly string[];
}

export interface SnapshotFrame {
  readonly type: "snapshot";
  readonly view: string;
  readonly at: number;
  readonly part: number;
  readonly more?: boolean;
  readonly rows: readonly WireRow[];
}

export interface DeltaFrame {
  readonly type: "delta";
  readonly view: string;
  readonly from: number;
  readonly to: number;
  readonly upsert?: readonly WireRow[];
  readonly remove?: readonly (readonly string[])[];
  readonly more?: boolean;
  readonly merged?: number;
  readonly time?: number;
}

export interface ResetFrame {
  readonly type: "reset";
  readonly view: string;
  readonly reason: ResetReason;
}

export interface TickFrame {
  readonly type: "tick" | "heartbeat";
  readonly to?: number;
  readonly time: number;
  /** The shop's clock, where it is the newest event's time (P6.1). */
  readonly now?: number;
  /** While paused: how many rows a delta would bring now (P6.6). */
  readonly waiting?: number;
  readonly sources?: readonly SourceAge[];
}

export interface ChecksumFrame {
  readonly type: "checksum";
  readonly view: string;
  readonly at: number;
  readonly rows: number;
  readonly sum: number;
}

export interface ErrorFrame {
  readonly type: "error";
  readonly code: string;
  readonly title?: string;
  readonly detail?: string;
  readonly id?: string;
}

/** What a server says. */
export type ServerFrame =
  | HelloFrame
  | SubscribedFrame
  | { readonly type: "unsubscribed"; readonly id: string }
  | SnapshotFrame
  | DeltaFrame
  | ResetFrame
  | TickFrame
  | ({ readonly type: "paced" } & Pace)
  | { readonly type: "pong"; readonly n: number; readonly time?: number }
  | ChecksumFrame
  | { readonly type: "bye"; readonly code: number; readonly reason: string; readonly reconnect_in: number }
  | ErrorFrame;

export interface SubscribeFrame extends ViewRequest {
  readonly type: "subscribe";
  readonly id: string;
  readonly cursor?: string;
}

/** What a client says. */
export type ClientFrame =
  | { readonly type: "hello"; readonly protocol: number; readonly client: string }
  | SubscribeFrame
  | { readonly type: "unsubscribe"; readonly id: string }
  | { readonly type: "resync"; readonly id: string; readonly reason: "requested" | "checksum" }
  | ({ readonly type: "pace" } & Pace)
  | { readonly type: "ping"; readonly n: number };

/** The members that each type needs: the first letter of the kind (`a`rray, else what `typeof` says), then the name. */
const NEEDED: Readonly<Record<ServerFrame["type"], string>> = {
  hello: "sepoch nheartbeat",
  subscribed: "sid sview akey",
  unsubscribed: "sid",
  snapshot: "sview nat npart arows",
  delta: "sview nfrom nto",
  reset: "sview sreason",
  tick: "stype",
  heartbeat: "stype",
  paced: "ninterval bpaused sreason",
  pong: "nn",
  checksum: "sview nat nrows nsum",
  bye: "nreconnect_in",
  error: "scode",
};

/** Members that may be missing, of a kind that they must not be of. */
const WRONG = /^[^a](upsert|remove|sources)$|^[^n](to|now)$/;

/**
 * The frame that a JSON value is; undefined when its type is not known.
 *
 * @throws SyntaxError when it is no frame, or lacks what its type needs.
 */
export function asFrame(value: unknown): ServerFrame | undefined {
  const frame = Object(value) as { readonly type: ServerFrame["type"] };
  const members = Object.entries(frame).map(([name, each]) => (Array.isArray(each) ? "a" : (typeof each)[0]) + name);
  const needed = Object.hasOwn(NEEDED, frame.type) ? NEEDED[frame.type] : undefined;
  if (
    members.some((member) => WRONG.test(member)) ||
    !(needed ?? "stype").split(" ").every((member) => members.includes(member))
  )
    throw new SyntaxError();
  return needed === undefined ? undefined : (frame as ServerFrame);
}

/** The frame a text holds, as `asFrame`. */
export function parseFrame(text: string): ServerFrame | undefined {
  return asFrame(JSON.parse(text));
}
