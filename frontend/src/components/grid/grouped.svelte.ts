/**
 * A long table by groups: its rows are the groups' totals, and those of an opened group follow it. Groups, and the rows inside each opened one, keep their order
 * as any table's rows do (lib/held-rows); nothing is walked at a painting but what changed. Seen from outside it is the view of a table whose rows are groups.
 */

import { untrack } from "svelte";
import type { Waiting } from "../../lib/held-rows.svelte";
import { HeldRows } from "../../lib/held-rows.svelte";
import type { RowChange } from "../../lib/highlights";
import type { Sorting } from "../../lib/placing";
import { inSlices } from "../../lib/slices";
import type { Folding, Keyed, TableView } from "./columns";

/** What adds rows up by group. */
export interface Totals<Row> {
  readonly totals: ReadonlyMap<string, Row>;
  groupOf(row: Row): string;
  sizeOf(group: string): number;
  build(rows: ReadonlyMap<string, Row>): Iterator<void, void>;
  take(keys: Iterable<string>, find: (key: string) => Row | undefined): Set<string>;
}

/** The rows of an opened group. */
interface Members<Row> {
  readonly rows: Map<string, Row>;
  readonly held: HeldRows<Row>;
}

type Follower = (keys: ReadonlySet<string> | undefined) => void;

export class Grouped<Row> implements TableView<Row>, Folding<Row> {
  readonly #view: TableView<Row>;
  readonly #make: () => Totals<Row>;
  readonly #followers: Follower[] = [];
  readonly #toggled: (key: string) => void;
  #totals: Totals<Row>;
  #built = $state(false);
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- replaced as a whole
  #members = $state.raw<ReadonlyMap<string, Members<Row>>>(new Map());
  #sorting: Sorting<Row> | null = null;
  #stopBuilding: (() => void) | null = null;
  /** Rows that changed while all are being added up. */
  #late: string[] | null = null;

  /** @param toggled hears which group is to be opened or closed: which are open stands in the address */
  constructor(view: TableView<Row>, make: () => Totals<Row>, toggled: (key: string) => void) {
    this.#view = view;
    this.#make = make;
    this.#toggled = toggled;
    this.#totals = make();
  }

  get all(): ReadonlyMap<string, Row> {
    return this.#totals.totals;
  }

  get version(): number {
    return this.#view.version;
  }

  get loaded(): boolean {
    return this.#view.loaded && this.#built;
  }

  get pending(): boolean {
    return this.#view.pending;
  }

  readonly byKey = (key: string): Row | undefined => {
    void this.#view.version;
    return this.#totals.totals.get(key) ?? this.#view.byKey(key);
  };

  readonly change = (key: string): RowChange | undefined =>
    this.#totals.totals.has(key) ? undefined : this.#view.change(key);

  readonly follow = (follower: Follower): (() => void) => {
    this.#followers.push(follower);
    return () => {
      this.#followers.splice(this.#followers.indexOf(follower), 1);
    };
  };

  /** Follows the view until what this gives is called. */
  start(): () => void {
    const stop = this.#view.follow((keys) => {
      if (keys) this.#take(keys);
      else this.#build();
    });
    untrack(() => {
      if (this.#view.loaded) this.#build();
    });
    return () => {
      stop();
      this.#stopBuilding?.();
      for (const { held } of this.#members.values()) held.stop();
    };
  }

  /** Which groups are open; those that are not there do not matter. */
  open(groups: readonly string[]): void {
    const gathered = this.#gather(groups.filter((group) => !this.#members.has(group)));
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- replaced as a whole
    const members = new Map<string, Members<Row>>();
    for (const group of groups) {
      const one = this.#members.get(group) ?? gathered.get(group);
      if (one) members.set(group, one);
    }
    for (const [group, { held }] of this.#members) if (!members.has(group)) held.stop();
    this.#members = members;
  }

  sort(sorting: Sorting<Row>): void {
    this.#sorting = sorting;
    this.#gatherAll();
  }

  settle(stays: boolean, now: number): void {
    for (const { held } of this.#members.values()) held.settle(stays, now);
  }

  reorder(now: number): void {
    for (const { held } of this.#members.values()) held.reorder(now);
  }

  /** What waits inside the opened groups. */
  get waiting(): Waiting {
    const all = [...this.#members.values()].map(({ held }) => held.waiting);
    return { rows: all.reduce((sum, { rows }) => sum + rows, 0), moved: all.some(({ moved }) => moved) };
  }

  /** The groups, with the rows of opened ones after them. */
  unfold(groups: readonly Keyed<Row>[]): readonly Keyed<Row>[] {
    if (this.#members.size === 0) return groups;
    const lines: Keyed<Row>[] = [];
    for (const group of groups) {
      lines.push(group);
      for (const one of this.#members.get(group.key)?.held.shown ?? []) lines.push(one);
    }
    return lines;
  }

  /** Of how many rows a group is. */
  sizeOf(group: string): number {
    void this.#view.version;
    return this.#totals.sizeOf(group);
  }

  stateOf(key: string): "open" | "closed" | "member" {
    if (!this.#totals.totals.has(key)) return "member";
    return this.#members.has(key) ? "open" : "closed";
  }

  toggle(key: string): void {
    this.#toggled(key);
  }

  #build(): void {
    this.#stopBuilding?.();
    const totals = this.#make();
    const rows = this.#view.all;
    this.#late = [];
    this.#stopBuilding = inSlices(totals.build(rows) as Generator<void, void>, () => {
      const late = this.#late ?? [];
      this.#late = null;
      totals.take(late, (key) => this.#view.byKey(key));
      this.#totals = totals;
      this.#built = true;
      this.#gatherAll();
      for (const follower of [...this.#followers]) follower(undefined);
    });
  }

  #take(keys: ReadonlySet<string>): void {
    if (this.#late) {
      this.#late.push(...keys);
      return;
    }
    const touched = this.#totals.take(keys, (key) => this.#view.byKey(key));
    for (const group of touched) {
      const members = this.#members.get(group);
      if (members) this.#touch(group, members, keys);
    }
    if (touched.size > 0) for (const follower of [...this.#followers]) follower(touched);
  }

  #touch(group: string, { rows, held }: Members<Row>, keys: ReadonlySet<string>): void {
    const mine: string[] = [];
    for (const key of keys) {
      const row = this.#view.byKey(key);
      if (row !== undefined && this.#totals.groupOf(row) === group) rows.set(key, row);
      else if (!rows.delete(key)) continue;
      mine.push(key);
    }
    held.touch(mine);
  }

  #gatherAll(): void {
    for (const { held } of this.#members.values()) held.stop();
    this.#members = this.#gather([...this.#members.keys()]);
  }

  /** The rows of groups in the table's order; all are found in one walk. */
  #gather(groups: readonly string[]): ReadonlyMap<string, Members<Row>> {
    // eslint-disable-next-line svelte/prefer-svelte-reactivity -- replaced as a whole
    const members = new Map<string, Members<Row>>(groups.map((group) => [group, unfilled<Row>()]));
    if (!this.#sorting || !this.#built || groups.length === 0) return members;
    for (const [key, row] of this.#view.all) members.get(this.#totals.groupOf(row))?.rows.set(key, row);
    for (const { rows, held } of members.values()) held.ask(rows, this.#sorting, Date.now);
    return members;
  }
}

function unfilled<Row>(): Members<Row> {
  return { rows: new Map<string, Row>(), held: new HeldRows<Row>() };
}
