/**
 * The orders a person watches, on this browser: a change of one of them is told on whatever screen is open. Kept as ids, the newest 50.
 */

const PLACE = "stockwire.watched";
const MOST = 50;

class Watching {
  #ids = $state.raw<readonly string[]>(recalled());

  constructor() {
    window.addEventListener("storage", ({ key }) => {
      if (key === PLACE) this.#ids = recalled();
    });
  }

  get ids(): readonly string[] {
    return this.#ids;
  }

  has(id: string): boolean {
    return this.#ids.includes(id);
  }

  /** Watches the order, or no more. */
  toggle(id: string): void {
    this.#ids = this.has(id) ? this.#ids.filter((one) => one !== id) : [...this.#ids, id].slice(-MOST);
    try {
      window.localStorage.setItem(PLACE, JSON.stringify(this.#ids));
    } catch {
      // A browser that keeps nothing watches for as long as the page is open.
    }
  }
}

function recalled(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(window.localStorage.getItem(PLACE) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === "string").slice(-MOST) : [];
  } catch {
    return [];
  }
}

export const watching = new Watching();
