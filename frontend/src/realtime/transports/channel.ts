// What every way to the server looks like from above: a channel that frames come out of and go into.
//
// The client knows nothing else. So a way that several tabs share, or one that runs in a worker, fits in the same place.

import type { Environment } from "../environment";
import type { Ending } from "../machine";
import type { ClientFrame, Pace, ServerFrame, SubscribeFrame } from "../protocol";

/** All that a server must know to serve this client from where it stands. */
export interface Wants {
  readonly views: readonly SubscribeFrame[];
  readonly pace: Pace;
  /** Seconds that a long-poll may be held. */
  readonly wait: number;
}

/** Who opened a channel. Nothing of it is called before `open` has returned, nor after `close` or `closed`. */
export interface Caller {
  readonly environment: Environment;
  /** The address of the server, without a path. */
  readonly server: string;
  /** Name and version of the client, as the hello tells. */
  readonly client: string;
  /** Sent with each request where the way allows headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** What to ask for, at this moment. */
  readonly wants: () => Wants;
  readonly frame: (frame: ServerFrame) => void;
  /** Bytes came in. */
  readonly arrived: (bytes: number) => void;
  /** The channel ended by itself. */
  readonly closed: (ending: Ending) => void;
}

export interface Channel {
  /** Tells the server; a way without a voice asks anew for what is wanted then. */
  send(frame: ClientFrame): void;
  close(): void;
}

export interface Transport {
  readonly name: "websocket" | "sse" | "poll";
  /** Milliseconds to wait for the hello before the next way is tried beside this one. */
  readonly patience: number;
  open(caller: Caller): Channel;
}
