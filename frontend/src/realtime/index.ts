// The client as others use it. Everything behind it may change; this may not.

export { Client } from "./client";
export type { ClientOptions, Counters, LinkStatus, PaceStatus, SourceReport, Subscription } from "./client";
export { browserEnvironment } from "./environment";
export type { Environment, Signal, Socket, SocketListener } from "./environment";
export type { Freshness, FreshnessLevel } from "./freshness";
export type { LinkState } from "./machine";
export { compareField } from "./order";
export type { Conditions, PaceChoice } from "./pauses";
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
export type { RowChange } from "./table";
export { poll } from "./transports/poll";
export { sse } from "./transports/sse";
export { websocket } from "./transports/websocket";
export type { Caller, Channel, Transport } from "./transports/channel";
