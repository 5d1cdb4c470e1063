/** Where each table was left, kept while other screens are shown, so that coming back is coming back. */

const places = new Map<string, number>();
const addresses = new Map<string, string>();

/** Keeps how far down a table was read. */
export function remember(place: string, scrolled: number): void {
  places.set(place, scrolled);
}

export function recall(place: string): number {
  return places.get(place) ?? 0;
}

/** Keeps the filter and order a screen was left with. */
export function rememberAddress(path: string, search: string): void {
  addresses.set(path, path + search);
}

/** The address a screen was left with; its plain one when it was not opened yet. */
export function lastAddress(path: string): string {
  return addresses.get(path) ?? path;
}
