/**
 * The function from above, with the paths on it: colours and contours as an image, everything else as SVG over it.
 * For a function of one coordinate it is the graph.
 */

import { h, replace, svg } from "../dom.js";
import { given } from "../given.js";
import { toPixelPrecision } from "../numbers.js";
import { axesAbout, colorBar, PIXELS_PER_TICK } from "./axes.js";
import { Frame, fitted } from "./frame.js";
import { GroundImage } from "./ground_image.js";
import { within } from "./lines.js";
import { graphOutline, partsOutline } from "./outlines.js";
import { scaled } from "./slice.js";
import { StartHandles } from "./starts.js";
import { endSymbol, minimumSymbol } from "./symbols.js";
import { ticks } from "./ticks.js";
import { Hint, listenForKeys, listenForPinch, listenForWheel } from "./zoom_gestures.js";

const MARGIN = { left: 48, right: 66, top: 8, bottom: 40 };
const FLAT_ROOM = 0.05; // of what a graph shows, over and under it
const STILL_PIXELS = 4; // a pointer that has moved no more than this has clicked
const NEAR_PIXELS = 12;
const SETTLED_MS = 200; // without further zooming, before the new window is the one to be fetched
const MIDDLE = [0.5, 0.5];

export class MapPlot {
  #on;
  #ground = new GroundImage();
  #overlay = svg("svg", { class: "overlay", role: "group", "aria-label": "Starting points" });
  #gestures = new Hint();
  #hint = h("p", { class: "map-hint", hidden: true }, "Click to place a start");
  #clip = svg("rect");
  #lines = svg("g");
  #ends = svg("g");
  #points = svg("g");
  #starts = new StartHandles({
    grasp: (event, index) => this.#begin(event, index),
    step: (index, right, up) => this.#step(index, right, up),
    remove: (index) => this.#on.remove(index),
  });
  #marks = svg("g");
  #graph = svg("path", { class: "graph" });
  #axes = svg("g", { class: "plot-axes", "aria-hidden": "true" });
  /** @type {Frame|null} */
  #frame = null;
  /** @type {any} */
  #scene = null;
  /** @type {unknown[]|null} */
  #drawn = null;
  /** @type {any[]} */
  #marked = [];
  /** @type {{start: number|null, x: number, y: number, moved: boolean, window: number[]}|null} */
  #drag = null;
  /** @type {number[]|null} */
  #window = null; // that is shown before its ground has come
  #redraw = 0;
  #settling = 0;

  /**
   * @param {Object} on
   * @param {(x: number, y: number|null) => void} on.place
   * @param {(index: number, x: number, y: number|null, final: boolean) => void} on.move
   * @param {(index: number) => void} on.remove
   * @param {(window: number[]|null) => void} on.window null is the whole domain
   * @param {(at: {path: number, entry: number}|null) => void} on.hover
   */
  constructor(on) {
    this.#on = on;
    const catcher = svg("rect", { class: "catcher", width: "100%", height: "100%" });
    this.#overlay.append(
      svg("defs", null, svg("clipPath", { id: "map-inside" }, this.#clip)),
      catcher,
      this.#axes,
      svg("g", { "clip-path": "url(#map-inside)" }, this.#graph, this.#points, this.#lines, this.#marks),
      this.#starts.element,
      this.#ends,
    );
    this.element = h(
      "figure",
      {
        class: "map",
        tabindex: 0,
        "aria-label":
          "Map of the function; a click places a starting point, the keys + and − zoom, 0 shows the whole domain",
      },
      this.#ground.element,
      this.#overlay,
      this.#hint,
      this.#gestures.element,
    );
    this.#listen(catcher);
    new ResizeObserver(() => this.#drawGround()).observe(this.element);
  }

  /** Draws what has changed; see `SurfacePlot.draw`, and `starts: Array<{x, y, color}>`. @param {any} scene */
  draw(scene) {
    this.#scene = scene;
    const { grid, heights, names } = scene;
    const ground = [grid, heights, ...names];
    const drawn = this.#drawn;
    const isSame = drawn && ground.every((part, index) => part === drawn[index]);
    this.#drawn = ground;
    if (isSame) {
      this.#drawOver();
      return;
    }
    if (!this.#settling && !this.#drag?.moved) this.#await(null);
    if (grid.y) this.#ground.set(grid, heights);
    this.#drawGround();
  }

  /** Marks where the paths are. @param {any[]} places */
  mark(places) {
    this.#marked = places;
    if (!this.#scene || !this.#frame) return;
    replace(
      this.#marks,
      ...places.filter(isSomewhere).map((place) => {
        const [cx, cy] = this.#pixel(place.x, place.y, place.f);
        return svg("circle", { cx, cy, r: 5.5, fill: place.color, class: "mark" });
      }),
    );
  }

  /** Draws all, at the size that the element has now. */
  #drawGround() {
    const { clientWidth, clientHeight } = this.element;
    if (!this.#scene || !clientWidth) return;
    const { grid, heights, names } = this.#scene;
    const isFlat = !grid.y;
    const { left, top, right, bottom } = MARGIN;
    const box = {
      left,
      top,
      width: clientWidth - left - (isFlat ? left : right),
      height: clientHeight - top - bottom,
    };
    if (box.width <= 0 || box.height <= 0) return; // its style is not here yet
    const [from, to, low, high] = this.#shown;
    const inner = isFlat ? box : fitted(box, [from, to], [low, high]);
    this.#frame = new Frame(inner, [from, to], isFlat ? roomy(heights.range) : [low, high]);
    const across = { ...ticks(...given(this.#frame).x, inner.width / PIXELS_PER_TICK), title: names[0] };
    const along = {
      ...(isFlat ? heights.ticks() : ticks(...given(this.#frame).y, inner.height / PIXELS_PER_TICK)),
      title: isFlat ? "f" : names[1],
    };
    replace(
      this.#axes,
      axesAbout(this.#frame, across, along, { hasGrid: isFlat }),
      isFlat ? [] : colorBar(this.#frame, heights),
    );
    this.#ground.element.hidden = isFlat;
    if (!isFlat) this.#ground.draw(this.#frame);
    this.#graph.setAttribute("d", isFlat ? this.#graphOutline() : "");
    this.#drawOver();
  }

  #drawOver() {
    if (!this.#frame) return;
    const { box } = this.#frame;
    const { paths, minima, starts, canPlace } = this.#scene;
    for (const [name, value] of Object.entries({ x: box.left, y: box.top, width: box.width, height: box.height })) {
      this.#clip.setAttribute(name, String(value));
    }
    const parts = paths.map((/** @type {import("./path.js").Path} */ path) => this.#partsOf(path));
    const shapes = parts.map(partsOutline);
    replace(
      this.#lines,
      ...shapes.map((/** @type {string} */ d) => svg("path", { d, class: "casing" })),
      ...shapes.map((/** @type {string} */ d, /** @type {number} */ index) =>
        svg("path", { d, class: "line", stroke: paths[index].color }),
      ),
    );
    replace(
      this.#points,
      ...minima.map((/** @type {any} */ known) => minimumSymbol(known, this.#pixel(known.x, known.y, known.f))),
    );
    replace(
      this.#ends,
      ...paths.flatMap((/** @type {import("./path.js").Path} */ path, /** @type {number} */ index) =>
        this.#endOf(path, parts[index]),
      ),
    );
    this.#drawStarts(starts);
    this.#hint.hidden = !canPlace || starts.length > 0 || paths.length > 0;
    this.mark(this.#marked);
  }

  /** Returns the visible parts of a path, in pixels. @param {import("./path.js").Path} path */
  #partsOf(path) {
    const isFlat = !this.#scene.grid.y;
    const points = path.x.map((x, entry) => {
      if (x === null || path.y[entry] === null || (isFlat && path.f[entry] === null)) return null;
      return this.#pixel(x, path.y[entry], path.f[entry]);
    });
    const { left, top, width, height } = given(this.#frame).box;
    return within(points, [left, left + width, top, top + height]);
  }

  /**
   * Returns the symbol where a path ended, or where one that diverged was last seen.
   * @param {import("./path.js").Path} path
   * @param {number[][][]} parts
   */
  #endOf({ ending, color, name, x, y, f }, parts) {
    const last = parts.at(-1)?.at(-1);
    if (!ending || !last) return [];
    const ended = this.#pixel(x.at(-1) ?? Number.NaN, y.at(-1) ?? Number.NaN, f.at(-1) ?? null);
    if (ending === "end" && !given(this.#frame).shareAt(...ended)) return [];
    return [endSymbol(ending, color, name, last)];
  }

  /** @param {any[]} starts */
  #drawStarts(starts) {
    const { left, top, width, height } = given(this.#frame).box;
    const placed = starts.map(({ x, y, f, point: at, color }) => {
      const pixel = this.#pixel(x, y, f ?? null);
      const isInside = pixel[0] >= left && pixel[1] >= top && pixel[0] <= left + width && pixel[1] <= top + height;
      return { point: at, color, pixel, isInside };
    });
    this.#starts.draw(placed, this.#scene.canPlace);
  }

  /** Moves a start by shares of the window. @param {number} index @param {number} right @param {number} up */
  #step(index, right, up) {
    const { grid, starts } = this.#scene;
    const x = starts[index].x + right * (grid.x.at(-1) - grid.x[0]);
    const y = grid.y ? starts[index].y + up * (grid.y.at(-1) - grid.y[0]) : null;
    this.#on.move(index, ...this.#rounded(x, y), true);
  }

  /** @param {SVGRectElement} catcher */
  #listen(catcher) {
    catcher.addEventListener("pointerdown", (event) => this.#begin(event, null));
    this.#overlay.addEventListener("pointermove", (event) => this.#moved(event));
    this.#overlay.addEventListener("pointerup", (event) => this.#end(event));
    this.#overlay.addEventListener("pointercancel", () => (this.#drag = null));
    this.#overlay.addEventListener("pointerleave", () => this.#on.hover(null));
    const shareAt = (/** @type {{clientX: number, clientY: number}} */ event) =>
      this.#frame?.shareAt(...this.#pixelOf(event)) ?? null;
    listenForWheel(this.element, this.#gestures, (factor, at) => this.#zoom(factor, shareAt(at)));
    listenForPinch(this.element, (factor, now, before) => this.#zoom(factor, shareAt(before), shareAt(now)));
    listenForKeys(this.element, { zoom: (factor) => this.#zoom(factor, MIDDLE), whole: () => this.#settle(null) });
  }

  /** @param {PointerEvent} event @param {number|null} start */
  #begin(event, start) {
    if (event.button !== 0 || !this.#at(event)) return;
    this.#drag = { start, x: event.clientX, y: event.clientY, moved: false, window: this.#shown };
    if (start !== null) /** @type {Element} */ (event.target).setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #moved(event) {
    const at = this.#at(event);
    const drag = this.#drag;
    if (!drag) {
      this.#on.hover(at && this.#nearest(at.pixel));
      return;
    }
    drag.moved ||= Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > STILL_PIXELS;
    if (!drag.moved) return;
    if (drag.start !== null && at && this.#scene.canPlace)
      this.#on.move(drag.start, ...this.#rounded(at.x, at.y), false);
    if (drag.start === null && event.pointerType === "mouse") this.#pan(event, drag);
  }

  /** @param {PointerEvent} event */
  #end(event) {
    const at = this.#at(event);
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    if (drag.start === null && drag.moved && event.pointerType === "mouse") this.#settle(this.#window);
    if (drag.start === null && !drag.moved && at && this.#scene.canPlace)
      this.#on.place(...this.#rounded(at.x, at.y));
    if (drag.start !== null && drag.moved && at && this.#scene.canPlace) {
      this.#on.move(drag.start, ...this.#rounded(at.x, at.y), true);
    }
  }

  /** @param {PointerEvent} event @param {{x: number, y: number, window: number[]}} drag */
  #pan(event, drag) {
    const { width, height } = given(this.#frame).box;
    const [left, right, low, high] = drag.window;
    const across = ((drag.x - event.clientX) / width) * (right - left);
    const up = ((event.clientY - drag.y) / height) * (high - low);
    this.#show(
      this.#scene.grid.y ? [left + across, right + across, low + up, high + up] : [left + across, right + across],
    );
  }

  /**
   * Zooms, and moves one place to another. Places are shares of the window, null outside.
   * @param {number} factor
   * @param {number[]|null} from
   * @param {number[]|null} [to]
   */
  #zoom(factor, from, to = from) {
    if (!this.#scene || !from || !to) return;
    this.#drag = null; // the second finger makes a pinch of what had begun
    this.#show(scaled(this.#shown, factor, from, to));
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#settle(this.#window), SETTLED_MS);
  }

  /** The window that is seen now. */
  get #shown() {
    const { x, y } = this.#scene.grid;
    return this.#window ?? [x, y].flatMap((axis) => (axis ? [axis[0], axis.at(-1)] : []));
  }

  /** Shows a window with the ground drawn so far. @param {number[]} window */
  #show(window) {
    this.#await(window);
    this.#redraw ||= requestAnimationFrame(() => {
      this.#redraw = 0;
      this.#drawGround();
    });
  }

  /** Notes a window whose ground is yet to come; null when it is there. @param {number[]|null} window */
  #await(window) {
    this.#window = window;
    this.element.setAttribute("aria-busy", String(window !== null));
  }

  /** @param {number[]|null} window */
  #settle(window) {
    clearTimeout(this.#settling);
    this.#settling = 0;
    this.#on.window(window);
  }

  /**
   * Returns the values under a pointer, or null outside of the axes.
   * @param {{clientX: number, clientY: number}} event
   */
  #at(event) {
    return this.#frame?.at(...this.#pixelOf(event)) ?? null;
  }

  /** @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
  #pixelOf({ clientX, clientY }) {
    const { left, top } = this.element.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  /** Returns the entry of a path near a pixel. @param {number[]} pixel */
  #nearest([left, top]) {
    /** @type {{path: number, entry: number}|null} */
    let best = null;
    let distance = NEAR_PIXELS ** 2;
    this.#scene.paths.forEach((/** @type {import("./path.js").Path} */ path, /** @type {number} */ index) => {
      for (let entry = 0; entry < path.f.length; entry += 1) {
        const at = { x: path.x[entry], y: path.y[entry], f: path.f[entry] };
        if (at.x === null || at.y === null || at.f === null) continue;
        const [x, y] = this.#pixel(at.x, at.y, at.f);
        const d = (x - left) ** 2 + (y - top) ** 2;
        if (d < distance) [best, distance] = [{ path: index, entry }, d];
      }
    });
    return best;
  }

  /**
   * @param {number} x
   * @param {number} y of no account where there is one coordinate
   * @param {number|null} f
   * @returns {[number, number]}
   */
  #pixel(x, y, f) {
    const { grid, heights } = this.#scene;
    return given(this.#frame).toPixel(x, grid.y ? y : (heights.of(f ?? this.#valueAt(x)) ?? heights.range[0]));
  }

  /** Returns the graph of a function of one coordinate. */
  #graphOutline() {
    const { grid, heights } = this.#scene;
    const frame = given(this.#frame);
    return graphOutline(
      grid.f.map((/** @type {number|null} */ f, /** @type {number} */ index) =>
        f === null ? null : frame.toPixel(grid.x[index], heights.of(f)),
      ),
    );
  }

  /**
   * Returns the value of a function of one coordinate, as far as its graph says it.
   * @param {number} x
   * @returns {number|null}
   */
  #valueAt(x) {
    const { grid } = this.#scene;
    const place = Math.round(((x - grid.x[0]) / (grid.x.at(-1) - grid.x[0])) * (grid.x.length - 1));
    return grid.f[place] ?? null;
  }

  /** @param {number} x @param {number|null} y @returns {[number, number|null]} */
  #rounded(x, y) {
    const { grid } = this.#scene;
    const width = grid.x.at(-1) - grid.x[0];
    // the second coordinate of a graph's place is a height, not a coordinate of the point
    if (!grid.y || y === null) return [toPixelPrecision(x, width), null];
    return [toPixelPrecision(x, width), toPixelPrecision(y, grid.y.at(-1) - grid.y[0])];
  }
}

/** @param {[number, number]} range @returns {[number, number]} */
function roomy([low, high]) {
  const room = FLAT_ROOM * (high - low || 1);
  return [low - room, high + room];
}

/** @param {{x: number|null, y: number|null, f: number|null}} place */
function isSomewhere(place) {
  return place.x !== null && place.y !== null && place.f !== null;
}
