// The client as others use it. Everything behind it may change; this may not.
//
// What only a screen needs stands beside it, for those who show something: `order` puts rows in order and tells which way
// a field moved, `freshness` finds the word for how fresh they are.

export { createClient } from "./client";
export type { Client, ClientOptions, Counters, LinkStatus, PaceStatus, Subscription } from "./client";
export type { Environment, Signal, Socket, SocketListener } from "./environment";
export type { LinkState } from "./machine";
export type { PaceChoice } from "./pauses";
export type {
  Condition,
  ErrorFrame,
  Filter,
  HelloFrame,
  Json,
  Pace,
  PaceReason,
  ResetReason,
  Shop,
  SourceAge,
  ViewRequest,
  WireRow,
} from "./protocol";
export type { ViewChange } from "./replica";
export { keyText } from "./table";
export type { Kept, RowChange } from "./table";
export { poll } from "./transports/poll";
export { sse } from "./transports/sse";
export { websocket } from "./transports/websocket";
export type { Caller, Channel, Transport } from "./transports/channel";
