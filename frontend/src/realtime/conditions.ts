// What the browser tells about network and battery, as reasons for a slower pace.

import type { Client } from "./client";
import type { PaceReason } from "./protocol";

interface Battery extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}

interface BrowserNavigator extends Navigator {
  readonly connection?: EventTarget & { readonly saveData?: boolean; readonly effectiveType?: string };
  getBattery?: () => Promise<Battery>;
}

const NETWORK = 5_000;
const BATTERY = 10_000;
const LOW = 0.2;

/** Slows the client under bad conditions, where the browser tells of them; gives what ends that. */
export function heedConditions(client: Pick<Client, "slow">): () => void {
  const browser = navigator as BrowserNavigator;
  const { connection } = browser;
  const life = new AbortController();
  const slow = (reason: PaceReason, holds: boolean, interval: number): void => {
    client.slow(reason, holds ? interval : 0);
  };
  const watch = (target: EventTarget, types: readonly string[], look: () => void): void => {
    for (const type of types) target.addEventListener(type, look, { signal: life.signal });
    look();
  };

  if (connection)
    watch(connection, ["change"], () => {
      slow("metered", !!connection.saveData, NETWORK);
      slow("slow", !!connection.effectiveType?.endsWith("2g"), NETWORK);
    });
  browser.getBattery?.().then(
    (battery) => {
      if (!life.signal.aborted)
        watch(battery, ["levelchange", "chargingchange"], () => {
          slow("battery", !battery.charging && battery.level <= LOW, BATTERY);
        });
    },
    () => undefined,
  );
  return () => {
    life.abort();
  };
}
