/**
 * The service worker: it keeps one build of the page whole, so that the page opens without a network and shows what it last knew.
 *
 * It also shows what is pushed while no page is open (pushes.ts), and leads a press on it to the page.
 *
 * Two rules. A screen is asked of the network first, so no old build stands in the way of a new one. And a build's files are kept or dropped together: the
 * worker of a new build waits until the pages of the old one are gone, or until a person takes the new one.
 */

import { pushed, type Pushed } from "./pushes";
import { wayOf } from "./ways";

/** Put in by the build: its name, and the addresses of its files. */
declare const BUILD: string;
declare const FILES: readonly string[];

interface LifeEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends LifeEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface PushEvent extends LifeEvent {
  readonly data: { text(): string } | null;
}
interface NotificationEvent extends LifeEvent {
  readonly notification: Notification;
}
interface Client {
  readonly url: string;
  readonly visibilityState: DocumentVisibilityState;
  focus(): Promise<Client>;
  navigate(url: string): Promise<Client | null>;
}
interface Scope {
  readonly location: Location;
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(wanted: { type: "window"; includeUncontrolled: true }): Promise<readonly Client[]>;
    openWindow(url: string): Promise<Client | null>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: LifeEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(type: "push", listener: (event: PushEvent) => void): void;
  addEventListener(type: "notificationclick", listener: (event: NotificationEvent) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** How long a screen may keep the person waiting before the kept page is shown. */
const PATIENCE = 4_000;
/** By its name: a worker asks for no screen, and the bare address answers only to who does. */
const PAGE = "/index.html";
const NAME = `stockwire-${BUILD}`;

const scope = self as unknown as Scope;
const files = new Set(FILES);

async function keep(): Promise<void> {
  const store = await caches.open(NAME);
  await store.addAll([PAGE, ...FILES]);
}

async function dropOthers(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith("stockwire-") && name !== NAME);
  await Promise.all(names.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function kept(address: string): Promise<Response | undefined> {
  return (await caches.open(NAME)).match(address);
}

async function screen(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status < 500) return answer;
    return (await kept(PAGE)) ?? answer;
  } catch (error) {
    const page = await kept(PAGE);
    if (page) return page;
    throw error;
  }
}

async function file(request: Request): Promise<Response> {
  return (await kept(new URL(request.url).pathname)) ?? fetch(request);
}

async function show({ title, options }: Pushed): Promise<void> {
  await scope.registration.showNotification(title, options);
}

/** Leads to where it is looked at: in a page that is open, brought to the front, else in a new one. */
async function lead(address: string): Promise<void> {
  const pages = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page =
    pages.find(({ url }) => url === address) ??
    pages.find(({ visibilityState }) => visibilityState === "visible") ??
    pages[0];
  if (!page) {
    await scope.clients.openWindow(address);
    return;
  }
  // A browser that brings no page to the front still lets it be led.
  await page.focus().catch(() => undefined);
  // A page that this worker does not control yet cannot be led; a new one can.
  if (page.url !== address) await page.navigate(address).catch(() => scope.clients.openWindow(address));
}

scope.addEventListener("push", (event) => event.waitUntil(show(pushed(event.data?.text(), scope.location.origin))));
scope.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { address } = event.notification.data as { readonly address: string };
  event.waitUntil(lead(address));
});
scope.addEventListener("install", (event) => event.waitUntil(keep()));
scope.addEventListener("activate", (event) => event.waitUntil(dropOthers()));
scope.addEventListener("message", ({ data }) => {
  if (data === "take over") void scope.skipWaiting();
});
scope.addEventListener("fetch", (event) => {
  const way = wayOf(event.request, scope.location.origin, files);
  if (way === "screen") event.respondWith(screen(event.request));
  else if (way === "kept") event.respondWith(file(event.request));
});
