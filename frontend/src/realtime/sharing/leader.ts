// Where there are no shared workers: one tab holds the connection for all. Who holds the lock leads; the browser gives it
// to the next when a tab is closed or crashes, and the next says so to all.
//
// A tab that hangs, or that the browser froze, keeps its lock and says nothing. So who looks at a tab that follows has it
// ask when the leader was quiet for long, and take the lock away when there is no answer. Whoever led before may wake up
// late and speak as if it still did; the moment since which a tab leads tells who is right: the latest is.
//
// All tabs speak on one channel, so each message names who it is for. A tab that leads is a guest of its own.

import type { Environment } from "../environment";
import type { Host, Guest } from "./host";
import { tabLock, type GuestMessage, type HostMessage, type Line, type Membership, type Neighbourhood } from "./line";

const LOCK = "stockwire.leader";
const CHANNEL = "stockwire.shared";
/** Milliseconds of silence after which the leader is asked whether it is there; what it says to any tab counts. */
const QUIET = 500;
/** It has this long to answer, and up to as long again as the second says, so that not all tabs step in at once. */
const ANSWER = 1_000;
const SPREAD = 250;
/** A timer that comes so late was held up together with all that the leader may have said meanwhile. */
const HELD_UP = 500;

type Said =
  /** `from` leads since that moment. */
  | { readonly what: "led"; readonly from: string; readonly since: number }
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
export function leadership(
  neighbourhood: Neighbourhood,
  id: string,
  environment: Pick<Environment, "now" | "random" | "timer" | "visible" | "signals">,
  found: () => Host,
): Leadership {
  const guests = new Map<string, Guest>();
  let host: Host | undefined;
  let leader: string | undefined;
  /** Since when the leader leads. */
  let since = 0;
  let heardAt = 0;
  let say: (said: Said) => void = () => undefined;
  let seat: { hear: (message: HostMessage) => void; gone: () => void; guest: Guest | undefined } | undefined;
  /** What was said before anybody led. */
  let unsaid: GuestMessage[] = [];
  let resign = (): void => undefined;
  let unwatch = (): void => undefined;

  const up = (message: GuestMessage): void => {
    if (!leader) unsaid.push(message);
    else if (leader === id) seat?.guest?.hear(message);
    else say({ what: "up", from: id, to: leader, message });
  };

  const follow = (who: string): void => {
    const before = leader;
    leader = who;
    watch();
    if (who === before) return;
    if (before) leaveSeat();
    else if (seat) join();
  };

  /** Who led does so no longer: the tab is to join again. */
  const leaveSeat = (): void => {
    const left = seat;
    seat = undefined;
    left?.gone();
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
      const unwatchTab = neighbourhood.lock(tabLock(from), () => {
        guests.get(from)?.leave();
      });
      guest = {
        hear: (heard) => {
          seated.hear(heard);
        },
        leave() {
          guests.delete(from);
          unwatchTab();
          seated.leave();
        },
      };
      guests.set(from, guest);
    }
    if (message.type === "leave") guest?.leave();
    else guest?.hear(message);
  };

  const hear = (said: Said): void => {
    if (said.from === leader) heardAt = environment.now();
    if (said.what === "led") heed(said.from, said.since);
    else if (said.what === "asked") sayLed();
    else if (said.to !== id) return;
    else if (said.what === "up") serve(said.from, said.message);
    else if (said.from === leader) seat?.hear(said.message);
  };

  /**
   * Another tab says that it leads. Who led before, and slept, is told that somebody else does now; of two that lead
   * since the same moment, the lock tells the one that lost it.
   */
  const heed = (from: string, moment: number): void => {
    if (moment < since) sayLed();
    if (moment < since || (host && moment === since)) return;
    since = moment;
    heardAt = environment.now();
    depose();
    follow(from);
  };

  const sayLed = (): void => {
    if (host) say({ what: "led", from: id, since });
  };

  // --- leading ---

  const stepUp = (seize = false): void => {
    resign();
    resign = neighbourhood.lock(LOCK, lead, { seize, lost: depose });
  };

  const lead = (): void => {
    host = found();
    since = Math.max(environment.now(), since + 1);
    sayLed();
    follow(id);
  };

  const letGo = (): void => {
    for (const guest of guests.values()) guest.leave();
    host?.stop();
    host = leader = undefined;
  };

  /** The lock was taken away: this tab is one of those who follow. */
  const depose = (): void => {
    if (!host) return;
    letGo();
    stepUp();
    say({ what: "asked", from: id });
    leaveSeat();
  };

  // --- watching over who leads ---

  /** As long as another leads and somebody looks at this tab. */
  const watch = (): void => {
    unwatch();
    if (!leader || leader === id || !environment.visible()) return;
    unwatch = environment.timer(Math.max(0, heardAt + QUIET - environment.now()), () => {
      if (environment.now() - heardAt >= QUIET && environment.visible()) ask();
      else watch();
    });
  };

  const ask = (): void => {
    const asked = environment.now();
    const patience = ANSWER + SPREAD * environment.random();
    say({ what: "asked", from: id });
    unwatch = environment.timer(patience, () => {
      const now = environment.now();
      if (heardAt < asked && now - asked < patience + HELD_UP) {
        stepUp(true);
        return;
      }
      heardAt = now;
      watch();
    });
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
        stepUp();
      });
      const unlisten = environment.signals((signal) => {
        if (signal !== "wake") return;
        heardAt = environment.now();
        watch();
      });
      return () => {
        letGo();
        say = () => undefined;
        unlisten();
        unwatch();
        resign();
        close();
        alive();
      };
    },
  };
}
