// Where there are no shared workers: one tab holds the connection for all. Who holds the lock leads; the browser gives it
// to the next when a tab is closed or crashes, and the next says so to all.
//
// All tabs speak on one channel, so each message names who it is for. A tab that leads is a guest of its own.

import type { Host, Guest } from "./host";
import { tabLock, type GuestMessage, type HostMessage, type Line, type Membership, type Neighbourhood } from "./line";

const LOCK = "stockwire.leader";
const CHANNEL = "stockwire.shared";

type Said =
  /** `from` leads. */
  | { readonly what: "led"; readonly from: string }
  /** Who leads? */
  | { readonly what: "asked"; readonly from: string }
  | { readonly what: "up"; readonly from: string; readonly to: string; readonly message: GuestMessage }
  | { readonly what: "down"; readonly from: string; readonly to: string; readonly message: HostMessage };

export interface Leadership extends Line {
  /** Takes part: leads when it is this tab's turn. Gives what ends that. */
  readonly stand: () => () => void;
}

/**
 * @param id names this tab among all
 * @param found makes the connection, when this tab leads
 */
export function leadership(neighbourhood: Neighbourhood, id: string, found: () => Host): Leadership {
  const guests = new Map<string, Guest>();
  let host: Host | undefined;
  let leader: string | undefined;
  let say: (said: Said) => void = () => undefined;
  let seat: { hear: (message: HostMessage) => void; gone: () => void; guest: Guest | undefined } | undefined;
  /** What was said before anybody led. */
  let unsaid: GuestMessage[] = [];

  const up = (message: GuestMessage): void => {
    if (!leader) unsaid.push(message);
    else if (leader === id) seat?.guest?.hear(message);
    else say({ what: "up", from: id, to: leader, message });
  };

  const follow = (who: string): void => {
    if (who === leader) return;
    const before = leader;
    leader = who;
    if (!seat) return;
    if (before) {
      const { gone } = seat;
      seat = undefined;
      gone();
      return;
    }
    join();
  };

  /** Takes the seat at the present leader's. */
  const join = (): void => {
    const mine = seat;
    // Messages come later, as they would from another tab.
    if (mine && leader === id)
      mine.guest = host?.serve((message) => {
        queueMicrotask(() => {
          if (seat === mine) mine.hear(message);
        });
      });
    const waiting = unsaid;
    unsaid = [];
    waiting.forEach(up);
  };

  const serve = (from: string, message: GuestMessage): void => {
    let guest = guests.get(from);
    if (!guest && host && message.type === "hello") {
      const seated = host.serve((down) => {
        say({ what: "down", from: id, to: from, message: down });
      });
      const unwatch = neighbourhood.lock(tabLock(from), () => {
        guests.get(from)?.leave();
      });
      guest = {
        hear: (heard) => {
          seated.hear(heard);
        },
        leave() {
          guests.delete(from);
          unwatch();
          seated.leave();
        },
      };
      guests.set(from, guest);
    }
    if (message.type === "leave") guest?.leave();
    else guest?.hear(message);
  };

  const hear = (said: Said): void => {
    if (said.what === "led") follow(said.from);
    else if (said.what === "asked") {
      if (host) say({ what: "led", from: id });
    } else if (said.to !== id) return;
    else if (said.what === "up") serve(said.from, said.message);
    else if (said.from === leader) seat?.hear(said.message);
  };

  return {
    join(heard, gone): Membership {
      const mine = (seat = { hear: heard, gone, guest: undefined });
      unsaid = [];
      if (leader) join();
      return {
        say: (message) => {
          if (seat === mine) up(message);
        },
        leave: () => {
          if (seat !== mine) return;
          up({ type: "leave" });
          seat.guest?.leave();
          seat = undefined;
        },
      };
    },
    stand() {
      let resign = (): void => undefined;
      let close = (): void => undefined;
      // Nobody hears of this tab before it holds its lock: a leader that asked for it first would take it for gone.
      const alive = neighbourhood.lock(tabLock(id), () => {
        const channel = neighbourhood.channel(CHANNEL, (message) => {
          hear(message as Said);
        });
        say = (said) => {
          channel.say(said);
        };
        close = () => {
          channel.close();
        };
        say({ what: "asked", from: id });
        resign = neighbourhood.lock(LOCK, () => {
          host = found();
          say({ what: "led", from: id });
          follow(id);
        });
      });
      return () => {
        for (const guest of guests.values()) guest.leave();
        host?.stop();
        host = leader = undefined;
        say = () => undefined;
        resign();
        close();
        alive();
      };
    },
  };
}
