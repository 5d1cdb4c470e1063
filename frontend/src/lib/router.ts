/**
 * The page's address is its state: which screen, which filter, which order. A few screens need a table of patterns and the history API, nothing more.
 * A link is a plain `<a href>`; the shell hands its clicks to `follow`, so that a link opened in a new tab works the same.
 */

import { createSubscriber } from "svelte/reactivity";

export type Route =
  | { readonly name: "overview" }
  | { readonly name: "inventory" }
  | { readonly name: "orders" }
  | { readonly name: "order"; readonly id: string }
  | { readonly name: "metrics" }
  | { readonly name: "notifications"; readonly tab: NotificationTab }
  | { readonly name: "wall" }
  | { readonly name: "sign-in" }
  | { readonly name: "missing" };

export const NOTIFICATION_TABS = ["list", "rules", "preferences", "channels"] as const;
export type NotificationTab = (typeof NOTIFICATION_TABS)[number];

/** The screen an address leads to. */
export function routeOf(path: string): Route {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0) return { name: "overview" };
  if (parts.length === 1 && parts[0] === "inventory") return { name: "inventory" };
  if (parts.length === 1 && parts[0] === "metrics") return { name: "metrics" };
  if (parts.length === 1 && parts[0] === "wall") return { name: "wall" };
  if (parts.length === 1 && parts[0] === "sign-in") return { name: "sign-in" };
  if (parts[0] === "notifications" && parts.length <= 2) {
    const tab = NOTIFICATION_TABS.find((one) => one === (parts[1] ?? "list"));
    if (tab && parts[1] !== "list") return { name: "notifications", tab };
  }
  if (parts[0] === "orders") {
    if (parts.length === 1) return { name: "orders" };
    if (parts.length === 2) return { name: "order", id: decoded(parts[1] ?? "") };
  }
  return { name: "missing" };
}

/** A part of an address as it was before it was encoded; as it is when it never was. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of an order's own screen. */
export function orderAddress(id: string): string {
  return `/orders/${encodeURIComponent(id)}`;
}

/** The address of the inventory screen with one stock row opened. */
export function stockAddress(sku: string, location: string): string {
  return `/inventory?${new URLSearchParams({ sku, in: location }).toString()}`;
}

class Router {
  readonly #listeners = new Set<() => void>();
  readonly #subscribe = createSubscriber((update) => {
    this.#listeners.add(update);
    window.addEventListener("popstate", update);
    return () => {
      this.#listeners.delete(update);
      window.removeEventListener("popstate", update);
    };
  });

  get route(): Route {
    this.#subscribe();
    return routeOf(window.location.pathname);
  }

  /** The query of the address; read it, and change it through `ask`. */
  get query(): URLSearchParams {
    this.#subscribe();
    return new URLSearchParams(window.location.search);
  }

  /** Goes to an address of this page. */
  go(address: string, options: { replace?: boolean } = {}): void {
    if (options.replace) window.history.replaceState(null, "", address);
    else window.history.pushState(null, "", address);
    for (const update of this.#listeners) update();
  }

  /** Changes fields of the query in place; null takes a field away. A step of its own in the history only when `step` says so. */
  ask(fields: Readonly<Record<string, string | null>>, options: { step?: boolean } = {}): void {
    const query = new URLSearchParams(window.location.search);
    for (const [name, value] of Object.entries(fields)) {
      if (value === null || value === "") query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    this.go(window.location.pathname + (text === "" ? "" : `?${text}`), { replace: !options.step });
  }

  /** Takes over a plain click on a link to a screen of this page; everything else stays the browser's. */
  follow(event: MouseEvent): void {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target !== "" || link.hasAttribute("download") || link.origin !== window.location.origin) return;
    if (routeOf(link.pathname).name === "missing") return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
