import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Flame } from "../profile/cpu-profile.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly line: string;
}

interface LinePlot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Powers of two or ten on the axis. */
  readonly logarithmic?: boolean;
}

const width = 720;
const rowHeight = 16;
/** A character of the labels, pixels. */
const letterWidth = 5.6;

/** `undefined` without points. */
export function linePlot(
  points: readonly Point[],
  { title, x, y, logarithmic }: LinePlot,
): string | undefined {
  if (points.length === 0) return undefined;
  const lines = [...new Set(points.map(({ line }) => line))];
  const last = lines
    .map((line) => points.findLast((point) => point.line === line))
    .filter((one) => one !== undefined);
  return svg({
    title,
    width,
    height: 300,
    marginLeft: 48,
    marginRight: 120,
    grid: true,
    x: { label: x, type: logarithmic === true ? "log" : "linear", ticks: 6, tickFormat: ",~f" },
    y: { label: y, zero: true },
    color: { domain: lines, scheme: "tableau10" },
    marks: [
      Plot.ruleY([0]),
      Plot.lineY(points, { x: "x", y: "y", stroke: "line", marker: points.length < 30 ? "circle" : "none" }),
      Plot.text(last, { x: "x", y: "y", text: "line", fill: "line", textAnchor: "start", dx: 8 }),
    ],
  });
}

interface FlameCell {
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  readonly name: string;
}

/** Callers at the bottom. */
export function flameGraph(flame: Flame, title: string): string {
  const cells: FlameCell[] = [];
  addCells(cells, flame, { from: 0, depth: 0 });
  const depths = Math.max(...cells.map(({ depth }) => depth)) + 1;
  const inner = width - 2;
  return svg({
    title,
    width,
    height: depths * rowHeight + 20,
    margin: 1,
    marginTop: 19,
    x: { axis: null, domain: [0, 1] },
    y: { axis: null, domain: [0, depths] },
    color: { domain: familyNames, range: familyColors },
    marks: [
      Plot.rect(cells, {
        x1: "from",
        x2: "to",
        y1: "depth",
        y2: ({ depth }: FlameCell) => depth + 1,
        fill: ({ name }: FlameCell) => familyOf(name),
        stroke: "white",
        strokeWidth: 0.5,
        title: ({ name, from, to }: FlameCell) => `${name}: ${((to - from) * 100).toFixed(1)} %`,
      }),
      Plot.text(
        cells.filter(({ from, to }) => (to - from) * inner > 30),
        {
          x: "from",
          y: ({ depth }: FlameCell) => depth + 0.5,
          text: ({ name, from, to }: FlameCell) =>
            name.slice(0, Math.floor(((to - from) * inner - 6) / letterWidth)),
          textAnchor: "start",
          dx: 3,
          fill: "black",
          fontSize: 9,
        },
      ),
    ],
  });
}

function addCells(
  cells: FlameCell[],
  { name, share, children }: Flame,
  { from, depth }: { readonly from: number; readonly depth: number },
): void {
  cells.push({ from, to: from + share, depth, name });
  let at = from;
  for (const child of children) {
    addCells(cells, child, { from: at, depth: depth + 1 });
    at += child.share;
  }
}

const families = {
  "this project": { pattern: / (packages|connectors|runtime)\//, color: "#9ecae1" },
  Node: { pattern: / node:/, color: "#c7e9c0" },
  native: { pattern: /^\(|^\S+$/, color: "#d9d9d9" },
  dependencies: { pattern: /./, color: "#fdd0a2" },
} as const;
const familyNames = Object.keys(families);
const familyColors = Object.values(families).map(({ color }) => color);

function familyOf(name: string): string {
  return Object.entries(families).find(([, { pattern }]) => pattern.test(name))?.[0] ?? "dependencies";
}

/** A document of its own, readable on a dark page as well. */
function svg({ title, marks, ...options }: Plot.PlotOptions & { readonly title: string }): string {
  const { document } = parseHTML("<html><body></body></html>");
  const heading = Plot.text([title], {
    frameAnchor: "top-left",
    dy: -16,
    fontSize: 11,
    fontWeight: "bold",
    fill: "black",
  });
  const plot = Plot.plot({
    marginTop: 28,
    ...options,
    document,
    style: { background: "white", color: "black" },
    marks: [...(marks ?? []), heading],
  });
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  plot.setAttribute("style", "background: white; color: black");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", title);
  return `${plot.outerHTML.replaceAll(/\d+\.\d{3,}/g, (digits: string) => Number(digits).toFixed(2))}\n`;
}
