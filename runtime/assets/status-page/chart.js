import { shape } from "./dom.js";
import { clockTime } from "./format.js";

const margin = { top: 14, right: 6, bottom: 20, left: 6 };
const hourMs = 3_600_000;
const shortestMs = 120_000;

/**
 * A curve of the last hour that can be read point by point with a pointer.
 *
 * @param box the element it fills. @param value where the value under the pointer, else the newest, is shown.
 * @param format a value as text.
 */
export function chart(box, value, format) {
  let points = [];
  let drawn;
  const draw = () => {
    drawn = drawing(points, box.clientWidth, box.clientHeight, format);
    box.replaceChildren(drawn.svg);
    value.textContent = latest(points, format);
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", summary(points, format));
  };
  box.addEventListener("pointermove", (event) => {
    const at = nearest(drawn, event.clientX - box.getBoundingClientRect().left);
    drawn.point(at);
    if (at !== undefined) value.textContent = `${clockTime(at.atMs, true)}  ${format(at.value)}`;
  });
  box.addEventListener("pointerleave", () => {
    drawn.point(undefined);
    value.textContent = latest(points, format);
  });
  new ResizeObserver(draw).observe(box);
  return {
    show(next) {
      points = next;
      draw();
    },
  };
}

function drawing(points, width, height, format) {
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const endMs = points.at(-1)?.atMs ?? 0;
  const startMs = Math.min(endMs - shortestMs, Math.max(endMs - hourMs, points[0]?.atMs ?? endMs));
  const top = niceTop(Math.max(0, ...points.map(({ value }) => value ?? 0)));
  const x = (atMs) =>
    margin.left + ((atMs - startMs) / (endMs - startMs)) * (width - margin.left - margin.right);
  const y = (value) => height - margin.bottom - (value / top) * (height - margin.top - margin.bottom);
  for (const share of [0, 0.5, 1]) {
    const line = {
      class: "grid",
      x1: margin.left,
      x2: width - margin.right,
      y1: y(top * share),
      y2: y(top * share),
    };
    svg.append(shape("line", line));
  }
  for (const atMs of ticks(startMs, endMs, width)) {
    svg.append(shape("text", { x: x(atMs), y: height - 5, "text-anchor": "middle" }, clockTime(atMs)));
  }
  for (const run of runs(points)) {
    const line = run.map(({ atMs, value }) => `${x(atMs).toFixed(1)},${y(value).toFixed(1)}`).join("L");
    const ends = [run.at(-1), run[0]].map(({ atMs }) => `${x(atMs).toFixed(1)},${y(0)}`);
    svg.append(shape("path", { class: "area", d: `M${line}L${ends.join("L")}Z` }));
    svg.append(shape("path", { class: "curve", d: `M${line}` }));
  }
  for (const share of sharesToName(points, top, format)) {
    svg.append(shape("text", { x: margin.left, y: y(top * share) - 3 }, format(top * share)));
  }
  const cursor = shape("line", {
    class: "cursor",
    y1: margin.top,
    y2: height - margin.bottom,
    visibility: "hidden",
  });
  const dot = shape("circle", { class: "dot", r: 4, visibility: "hidden" });
  svg.append(cursor, dot);
  return { svg, points: points.filter(({ value }) => value !== null), x, point: pointer(cursor, dot, x, y) };
}

function pointer(cursor, dot, x, y) {
  return (at) => {
    for (const part of [cursor, dot])
      part.setAttribute("visibility", at === undefined ? "hidden" : "visible");
    if (at === undefined) return;
    cursor.setAttribute("x1", x(at.atMs));
    cursor.setAttribute("x2", x(at.atMs));
    dot.setAttribute("cx", x(at.atMs));
    dot.setAttribute("cy", y(at.value));
  };
}

function nearest({ points, x }, left) {
  let best;
  for (const point of points) {
    if (best === undefined || Math.abs(x(point.atMs) - left) < Math.abs(x(best.atMs) - left)) best = point;
  }
  return best;
}

/** The stretches between gaps. */
function runs(points) {
  const found = [[]];
  for (const point of points) {
    if (point.value === null) found.push([]);
    else found.at(-1).push(point);
  }
  return found.filter((run) => run.length > 1);
}

/** No height is named where there is nothing to read, nor twice by one name. */
function sharesToName(points, top, format) {
  if (points.every(({ value }) => value === null)) return [];
  return format(top / 2) === format(top) ? [1] : [0.5, 1];
}

/** The next of 1, 2 and 5 times a power of ten. */
function niceTop(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power;
}

/** Round times of day, as many as there is room for. */
function ticks(startMs, endMs, width) {
  const stepMs =
    [60_000, 300_000, 900_000, 1_800_000].find((ms) => (endMs - startMs) / ms <= width / 80) ?? hourMs;
  const edgeMs = ((endMs - startMs) * 24) / Math.max(1, width);
  const times = [];
  for (let atMs = Math.ceil((startMs + edgeMs) / stepMs) * stepMs; atMs <= endMs - edgeMs; atMs += stepMs)
    times.push(atMs);
  return times;
}

function latest(points, format) {
  const value = points.at(-1)?.value;
  return value === undefined || value === null ? "" : format(value);
}

function summary(points, format) {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === 0) return "nothing known yet";
  return `now ${format(values.at(-1))}, highest of the last hour ${format(Math.max(...values))}`;
}
