/** How far down each table was read, kept while other screens are shown, so that coming back is coming back. */

const places = new Map<string, number>();

export function remember(place: string, scrolled: number): void {
  places.set(place, scrolled);
}

export function recall(place: string): number {
  return places.get(place) ?? 0;
}
