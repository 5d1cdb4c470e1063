// The document of the tests lays nothing out, so nothing there ever changes its size.

class StillObserver implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

globalThis.ResizeObserver ??= StillObserver;

/** Nor has it a width that a query could ask for: every query is answered with no. */
class NoMatch extends EventTarget implements MediaQueryList {
  readonly matches = false;
  readonly onchange = null;
  constructor(readonly media: string) {
    super();
  }
  addListener(): void {}
  removeListener(): void {}
}

globalThis.matchMedia ??= (query) => new NoMatch(query);
