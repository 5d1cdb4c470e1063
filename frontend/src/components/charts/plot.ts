/**
 * The one place that knows uPlot: two bar charts of a page share it, and it is loaded only when a chart is on the screen. Bars are what was counted in
 * a bucket; the dashed line is the period before. Buckets without data are gaps.
 */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** What is drawn. `now`, `before` and `labels` are equally long. */
export interface Drawing {
  readonly labels: readonly string[];
  readonly now: readonly (number | null)[];
  readonly before: readonly (number | null)[];
  /** Position of the bucket that is still filling, or null. */
  readonly partial: number | null;
  /** How a value of the axis reads. */
  readonly axis: (value: number) => string;
  /** Which of the two colours the bars have. */
  readonly colour: "--chart-now" | "--chart-orders";
}

/** A drawn chart. */
export interface Plot {
  draw(drawing: Drawing): void;
  resize(width: number): void;
  /** Reads the colours anew after the theme changed. */
  recolour(): void;
  destroy(): void;
}

/** Draws a chart into an element. `onpoint` hears which bucket the pointer is over. */
export function plot(
  element: HTMLElement,
  height: number,
  first: Drawing,
  onpoint: (index: number | null) => void,
): Plot {
  let drawing = first;
  const ink = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const font = "12px system-ui, sans-serif";
  const fills = (faint: boolean): string => ink(drawing.colour) + (faint ? "59" : "");

  const bars = uPlot.paths.bars?.({
    size: [0.72, 44, 2],
    radius: [0.12, 0],
    disp: {
      fill: { unit: 3, values: (u) => Array.from(u.data[0], (_, index) => fills(index === drawing.partial)) },
      stroke: { unit: 3, values: (u) => Array.from(u.data[0], () => fills(false)) },
    },
  });
  const axisInk = (): string => ink("--chart-ink");
  const gridInk = (): string => ink("--chart-grid");
  const chart = new uPlot(
    {
      width: Math.max(200, element.clientWidth),
      height,
      padding: [10, 6, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { show: false },
      },
      scales: {
        x: { time: false, range: (_, low, high) => [low - 0.6, high + 0.6] },
        y: { range: (_, low, high) => [Math.min(0, low), Math.max(high, 1) * 1.06] },
      },
      axes: [
        {
          font,
          stroke: axisInk,
          grid: { show: false },
          ticks: { show: false },
          size: 26,
          gap: 4,
          space: 44,
          incrs: [1, 2, 3, 4, 6, 12],
          values: (_, splits) => splits.map((at) => drawing.labels[at] ?? ""),
        },
        {
          font,
          stroke: axisInk,
          grid: { stroke: gridInk, width: 1 },
          ticks: { show: false },
          size: 62,
          gap: 8,
          space: 38,
          values: (_, splits) => splits.map((value) => drawing.axis(value)),
        },
      ],
      series: [
        {},
        {
          fill: () => fills(false),
          stroke: () => fills(false),
          width: 1,
          points: { show: false },
          ...(bars ? { paths: bars } : {}),
        },
        { stroke: () => ink("--chart-before"), width: 2, dash: [5, 4], spanGaps: false, points: { show: false } },
      ],
      hooks: { setCursor: [(u) => onpoint(u.cursor.idx ?? null)] },
    },
    dataOf(first),
    element,
  );

  return {
    draw: (next) => {
      drawing = next;
      chart.setData(dataOf(next));
    },
    resize: (width) => chart.setSize({ width: Math.max(200, width), height }),
    recolour: () => chart.redraw(false, true),
    destroy: () => chart.destroy(),
  };
}

function dataOf(drawing: Drawing): uPlot.AlignedData {
  return [drawing.labels.map((_, index) => index), [...drawing.now], [...drawing.before]];
}
