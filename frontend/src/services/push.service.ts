// Notifications of this browser: the permission, and the address at which its push service takes them. Asked for only when
// a person presses the button for it.

import { ask, path } from "./notifications.service";

/**
 * `unable`: this browser cannot (no secure origin, or no push). `blocked`: the person said no to the browser. `off`, `on`.
 */
export type PushState = "unable" | "blocked" | "off" | "on";

/** A worker that is still being installed is there soon; one that never comes is none. */
const PATIENCE = 10_000;

async function worker(): Promise<ServiceWorkerRegistration | undefined> {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return undefined;
  const never = new Promise<undefined>((done) => setTimeout(() => done(undefined), PATIENCE));
  return (await navigator.serviceWorker.getRegistration()) ?? Promise.race([navigator.serviceWorker.ready, never]);
}

async function subscription(): Promise<PushSubscription | null> {
  return (await (await worker())?.pushManager.getSubscription()) ?? null;
}

export async function pushState(): Promise<PushState> {
  const registration = await worker();
  if (!registration) return "unable";
  if (Notification.permission === "denied") return "blocked";
  return (await registration.pushManager.getSubscription()) ? "on" : "off";
}

/** The name that the server gives a subscription: the first 32 hex digits of SHA-256 of its endpoint. */
export async function subscriptionId(endpoint: string): Promise<string> {
  const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return [...new Uint8Array(sum)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .slice(0, 32);
}

/** The server's name of this browser's subscription; undefined: it has none. */
export async function ownSubscription(): Promise<string | undefined> {
  const own = await subscription();
  return own ? subscriptionId(own.endpoint) : undefined;
}

/** Asks the person through the browser, subscribes, and tells the server. */
export async function turnOn(language: string, device: string): Promise<PushState> {
  const registration = await worker();
  if (!registration) return "unable";
  if ((await Notification.requestPermission()) !== "granted")
    return Notification.permission === "denied" ? "blocked" : "off";
  const { key } = (await ask("GET", "push/key")) as { readonly key: string };
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  try {
    await ask("POST", "push/subscriptions", { ...made.toJSON(), language, device });
  } catch (error) {
    await made.unsubscribe();
    throw error;
  }
  return "on";
}

export async function turnOff(): Promise<PushState> {
  const own = await subscription();
  if (!own) return "off";
  await ask("DELETE", `push/subscriptions/${path(await subscriptionId(own.endpoint))}`);
  await own.unsubscribe();
  return "off";
}
