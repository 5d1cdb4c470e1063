// What a table's columns are, apart from how a row fills them.

import type { Waiting } from "../../lib/held-rows.svelte";
import type { RowChange } from "../../lib/highlights";
import type { Sorting } from "../../lib/placing";
import type { Direction } from "../../lib/sorting";

export interface Column {
  /** The row's field, where the column shows one; changes of that field are marked in it. */
  readonly id: string;
  readonly label: string;
  /** The least width in pixels. */
  readonly least: number;
  /** Its share of the room that is left; none when left out. */
  readonly grow?: number;
  /** Numbers stand at the end of their cell. */
  readonly end?: boolean;
  readonly sortable?: boolean;
}

/** A row at its place, as it was when it was placed. */
export interface Keyed<Row> {
  readonly key: string;
  readonly row: Row;
}

/** The newest row of a key; undefined when it is gone. */
export type Lookup<Row> = (key: string) => Row | undefined;

/** A live view as a table reads it. */
export interface TableView<Row> {
  readonly all: ReadonlyMap<string, Row>;
  /** Rises with each painting. */
  readonly version: number;
  readonly loaded: boolean;
  /** Whether the rows still are the answer to an earlier question. */
  readonly pending: boolean;
  readonly byKey: Lookup<Row>;
  readonly change: (key: string) => RowChange | undefined;
  /** Tells with each painting which rows changed; undefined: perhaps all. Gives what ends that. */
  readonly follow: (follower: (keys: ReadonlySet<string> | undefined) => void) => () => void;
}

/** What makes groups of a table whose rows are their totals: the rows of an opened group follow it. */
export interface Folding<Row> {
  /** Of a row by its key: a group's, or of one inside a group. */
  stateOf(key: string): "open" | "closed" | "member";
  toggle(key: string): void;
  /** The groups with the rows of opened ones after them. */
  unfold(groups: readonly Keyed<Row>[]): readonly Keyed<Row>[];
  /** How the rows inside are ordered; and held, as those of the table are. */
  sort(sorting: Sorting<Row>): void;
  settle(stays: boolean, now: number): void;
  reorder(now: number): void;
  readonly waiting: Waiting;
}

export interface Order {
  readonly column: string;
  readonly direction: Direction;
}

/** The grid template of some columns. */
export function template(columns: readonly Column[]): string {
  return columns
    .map(({ least, grow }) => (grow === undefined ? `${least}px` : `minmax(${least}px, ${grow}fr)`))
    .join(" ");
}

/** The order after a press on a column's head: the other way round, or that column from its first. */
export function pressed(order: Order, column: string, descendingFirst: boolean): Order {
  if (order.column === column)
    return { column, direction: order.direction === "ascending" ? "descending" : "ascending" };
  return { column, direction: descendingFirst ? "descending" : "ascending" };
}
