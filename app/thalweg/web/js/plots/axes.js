/** The axes of a plane plot, as SVG. */

import { svg } from "../dom.js";
import { HEIGHT_SCALE } from "./palette.js";

export const PIXELS_PER_TICK = 60;
const TICK = 5;
const TEXT = 14; // pixels from an axis to the middle of its texts
const TITLE = 32;
const BAR = { gap: 14, width: 8, share: 0.9 };

/**
 * Returns both axes about a frame.
 * @param {import("./frame.js").Frame} frame
 * @param {{at: number[], text: string[], title: string}} across
 * @param {{at: number[], text: string[], title: string}} along
 * @param {{hasGrid: boolean}} options
 */
export function axesAbout(frame, across, along, { hasGrid }) {
  const { left, top, width, height } = frame.box;
  const bottom = top + height;
  const columns = across.at.flatMap((value, index) => {
    const [x] = frame.toPixel(value, frame.y[0]);
    return [
      line(x, hasGrid ? top : bottom, x, bottom + TICK),
      text(x, bottom + TEXT, across.text[index], "tick x"),
    ];
  });
  const rows = along.at.flatMap((value, index) => {
    const [, y] = frame.toPixel(frame.x[0], value);
    return [
      line(left - TICK, y, hasGrid ? left + width : left, y),
      text(left - TICK - 3, y, along.text[index], "tick y"),
    ];
  });
  return [
    ...columns,
    ...rows,
    text(left + width / 2, bottom + TITLE, across.title, "title"),
    svg("text", { class: "title", transform: `translate(12,${top + height / 2}) rotate(-90)` }, along.title),
  ];
}

/**
 * Returns, to the right of a frame, which colour stands for which value of f.
 * @param {{box: {left: number, top: number, width: number, height: number}}} frame
 * @param {import("./heights.js").Heights} heights
 */
export function colorBar({ box }, heights) {
  const x = box.left + box.width + BAR.gap;
  const height = BAR.share * box.height;
  const top = box.top + (box.height - height) / 2;
  const [low, high] = heights.range;
  const { at, text: texts } = heights.ticks();
  const stops = HEIGHT_SCALE.map(([offset, color]) => svg("stop", { offset, "stop-color": color }));
  return [
    svg("linearGradient", { id: "map-colors", x1: 0, x2: 0, y1: 1, y2: 0 }, stops),
    svg("rect", { x, y: top, width: BAR.width, height, fill: "url(#map-colors)" }),
    ...at.map((value, index) =>
      text(x + BAR.width + 5, top + height * (1 - (value - low) / (high - low || 1)), texts[index], "tick color"),
    ),
  ];
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function line(x1, y1, x2, y2) {
  return svg("line", { x1, y1, x2, y2 });
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {string} kind
 */
function text(x, y, content, kind) {
  return svg("text", { x, y, class: kind }, content);
}
