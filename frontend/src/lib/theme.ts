/**
 * Light, dark, or as the system says. The choice is remembered in the browser; `public/theme.js` applies it before the first paint and this keeps it
 * applied afterwards. The document carries one attribute, `data-theme`, which is always `light` or `dark`.
 */

import { createSubscriber } from "svelte/reactivity";

export type Theme = "system" | "light" | "dark";

const PLACE = "stockwire.theme";

function remembered(): Theme {
  try {
    const text = window.localStorage.getItem(PLACE);
    return text === "light" || text === "dark" ? text : "system";
  } catch {
    return "system";
  }
}

class ThemeChoice {
  #chosen: Theme = remembered();
  #update = (): void => undefined;
  readonly #subscribe = createSubscriber((update) => {
    this.#update = update;
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const follow = (): void => {
      this.#apply();
      update();
    };
    system.addEventListener("change", follow);
    return () => {
      system.removeEventListener("change", follow);
      this.#update = () => undefined;
    };
  });

  get chosen(): Theme {
    this.#subscribe();
    return this.#chosen;
  }

  /** What is on the screen now. */
  get shown(): "light" | "dark" {
    this.#subscribe();
    return this.#resolved();
  }

  choose(theme: Theme): void {
    this.#chosen = theme;
    try {
      window.localStorage.setItem(PLACE, theme);
    } catch {
      // A browser that forbids storage keeps the choice for this page only.
    }
    this.#apply();
    this.#update();
  }

  #resolved(): "light" | "dark" {
    if (this.#chosen !== "system") return this.#chosen;
    return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  #apply(): void {
    document.documentElement.dataset.theme = this.#resolved();
  }
}

export const theme = new ThemeChoice();
