/**
 * The function from above, with the paths on it: colours and contours as an image, over it as SVG all else.
 * Of a function of one coordinate it is the graph.
 */

import { h, replace, svg } from "../dom.js";
import { point, toPixelPrecision } from "../numbers.js";
import { axesAbout, colorBar, PIXELS_PER_TICK } from "./axes.js";
import { Frame, fitted } from "./frame.js";
import { GroundImage } from "./ground_image.js";
import { within } from "./lines.js";
import { scaled } from "./slice.js";
import { outline } from "./symbols.js";
import { ticks } from "./ticks.js";
import { Hint, listenForKeys, listenForPinch, listenForWheel } from "./zoom_gestures.js";

const MARGIN = { left: 48, right: 66, top: 8, bottom: 40 };
const FLAT_ROOM = 0.05; // of what a graph shows, over and under it
const STILL_PIXELS = 4; // a pointer that has moved no more than this has clicked
const NEAR_PIXELS = 12;
const SIZES = { minimum: 8, end: 4, diverged: 5 };
const SETTLED_MS = 200; // without further zooming, before the new window is the one to be fetched
const MIDDLE = [0.5, 0.5];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

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
  #starts = svg("g");
  #marks = svg("g");
  #graph = svg("path", { class: "graph" });
  #axes = svg("g", { class: "plot-axes", "aria-hidden": "true" });
  #frame = null;
  #scene = null;
  #drawn = null;
  #marked = [];
  #drag = null;
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
      this.#starts,
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

  /** Draws what has changed; see `SurfacePlot.draw`, and `starts: Array<{x, y, color}>`. */
  draw(scene) {
    this.#scene = scene;
    const { grid, heights, names } = scene;
    const ground = [grid, heights, ...names];
    const isSame = this.#drawn && ground.every((part, index) => part === this.#drawn[index]);
    this.#drawn = ground;
    if (isSame) {
      this.#drawOver();
      return;
    }
    if (!this.#settling && !this.#drag?.moved) this.#await(null);
    if (grid.y) this.#ground.set(grid, heights);
    this.#drawGround();
  }

  /** Marks where the paths are. */
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
    const [from, to, ...upwards] = this.#shown;
    const inner = isFlat ? box : fitted(box, [from, to], upwards);
    this.#frame = new Frame(inner, [from, to], isFlat ? roomy(heights.range) : upwards);
    const across = { ...ticks(...this.#frame.x, inner.width / PIXELS_PER_TICK), title: names[0] };
    const along = {
      ...(isFlat ? heights.ticks() : ticks(...this.#frame.y, inner.height / PIXELS_PER_TICK)),
      title: isFlat ? "f" : names[1],
    };
    replace(
      this.#axes,
      axesAbout(this.#frame, across, along, { hasGrid: isFlat }),
      isFlat ? [] : colorBar(this.#frame, heights),
    );
    this.#ground.element.hidden = isFlat;
    if (!isFlat) this.#ground.draw(this.#frame);
    this.#graph.setAttribute("d", isFlat ? this.#graphOf(grid, heights) : "");
    this.#drawOver();
  }

  #drawOver() {
    if (!this.#frame) return;
    const { box } = this.#frame;
    const { paths, minima, starts, canPlace } = this.#scene;
    for (const [name, value] of Object.entries({ x: box.left, y: box.top, width: box.width, height: box.height })) {
      this.#clip.setAttribute(name, value);
    }
    const parts = paths.map((path) => this.#partsOf(path));
    const shapes = parts.map(shapeOf);
    replace(
      this.#lines,
      ...shapes.map((d) => svg("path", { d, class: "casing" })),
      ...shapes.map((d, index) => svg("path", { d, class: "line", stroke: paths[index].color })),
    );
    replace(this.#points, ...minima.map((known) => this.#minimum(known)));
    replace(this.#ends, ...paths.flatMap((path, index) => this.#endOf(path, parts[index])));
    this.#drawStarts(starts);
    this.#hint.hidden = !canPlace || starts.length > 0 || paths.length > 0;
    this.mark(this.#marked);
  }

  /** Returns the parts of a path that are seen, in pixels. */
  #partsOf(path) {
    const isFlat = !this.#scene.grid.y;
    const points = path.x.map((x, entry) => {
      if (x === null || path.y[entry] === null || (isFlat && path.f[entry] === null)) return null;
      return this.#pixel(x, path.y[entry], path.f[entry]);
    });
    const { left, top, width, height } = this.#frame.box;
    return within(points, [left, left + width, top, top + height]);
  }

  /** Returns the symbol where a path ended, or where one that diverged was last seen. */
  #endOf({ ending, color, name, x, y, f }, parts) {
    const last = parts.at(-1)?.at(-1);
    if (!ending || !last) return [];
    if (ending === "end" && !this.#frame.shareAt(...this.#pixel(x.at(-1), y.at(-1), f.at(-1)))) return [];
    const place = { transform: `translate(${last[0]},${last[1]})`, class: `path-end ${ending}` };
    const d = outline(ending, SIZES[ending]);
    const shape =
      ending === "diverged"
        ? [svg("path", { d, class: "casing" }), svg("path", { d, class: "cross", stroke: color })]
        : [svg("path", { d, fill: color })];
    return [svg("g", place, ...shape, svg("title", null, `${name}: ${ending}`))];
  }

  #minimum(known) {
    const [x, y] = this.#pixel(known.x, known.y, known.f);
    return svg(
      "g",
      { transform: `translate(${x},${y})` },
      svg(
        "path",
        { d: outline("minimum", SIZES.minimum), class: "minimum" },
        svg("title", null, `known minimum no. ${known.number}, ${point(known.point)}`),
      ),
      svg("text", { class: "number", x: 9, y: -9 }, known.number),
    );
  }

  #drawStarts(starts) {
    while (this.#starts.childElementCount > starts.length) this.#starts.lastChild.remove();
    starts.forEach((start, index) => {
      const handle = this.#starts.children[index] ?? this.#starts.appendChild(this.#handle(index));
      const [x, y] = this.#pixel(start.x, start.y, start.f ?? null);
      handle.setAttribute("transform", `translate(${x},${y})`);
      handle.setAttribute(
        "aria-label",
        `Start ${index + 1} at ${point(start.point)}. Arrow keys move it, Delete removes it.`,
      );
      handle.classList.toggle("fixed", !this.#scene.canPlace);
      handle.lastChild.setAttribute("fill", start.color);
      const { left, top, width, height } = this.#frame.box;
      const outside = x < left || y < top || x > left + width || y > top + height;
      handle.style.display = outside ? "none" : "";
    });
  }

  #handle(index) {
    const handle = svg(
      "g",
      { class: "start", tabindex: 0, role: "button" },
      svg("circle", { r: 14, class: "reach" }),
      svg("circle", { r: 7 }),
    );
    handle.addEventListener("pointerdown", (event) => this.#begin(event, index));
    handle.addEventListener("keydown", (event) => this.#key(event, index));
    handle.addEventListener("dblclick", () => this.#scene.canPlace && this.#on.remove(index));
    return handle;
  }

  #key(event, index) {
    if (!this.#scene.canPlace) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.#on.remove(index);
    }
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    const { grid, starts } = this.#scene;
    const share = event.shiftKey ? 0.1 : 0.01;
    const stepOf = (axis) => share * (axis.at(-1) - axis[0]);
    const x = starts[index].x + way[0] * stepOf(grid.x);
    const y = grid.y ? starts[index].y + way[1] * stepOf(grid.y) : null;
    this.#on.move(index, ...this.#rounded(x, y), true);
  }

  #listen(catcher) {
    catcher.addEventListener("pointerdown", (event) => this.#begin(event, null));
    this.#overlay.addEventListener("pointermove", (event) => this.#moved(event));
    this.#overlay.addEventListener("pointerup", (event) => this.#end(event));
    this.#overlay.addEventListener("pointercancel", () => (this.#drag = null));
    this.#overlay.addEventListener("pointerleave", () => this.#on.hover(null));
    const shareAt = (event) => this.#frame?.shareAt(...this.#pixelOf(event)) ?? null;
    listenForWheel(this.element, this.#gestures, (factor, at) => this.#zoom(factor, shareAt(at)));
    listenForPinch(this.element, (factor, now, before) => this.#zoom(factor, shareAt(before), shareAt(now)));
    listenForKeys(this.element, { zoom: (factor) => this.#zoom(factor, MIDDLE), whole: () => this.#settle(null) });
  }

  #begin(event, start) {
    if (event.button !== 0 || !this.#at(event)) return;
    this.#drag = { start, x: event.clientX, y: event.clientY, moved: false, window: this.#shown };
    if (start !== null) event.target.setPointerCapture(event.pointerId);
  }

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

  #pan(event, drag) {
    const { width, height } = this.#frame.box;
    const [left, right, low, high] = drag.window;
    const across = ((drag.x - event.clientX) / width) * (right - left);
    const up = ((event.clientY - drag.y) / height) * (high - low);
    this.#show(
      this.#scene.grid.y ? [left + across, right + across, low + up, high + up] : [left + across, right + across],
    );
  }

  /** Shows more or less; what was at one place goes to another. Places are shares of what is shown, null outside. */
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

  /** Shows a window with what is there already. */
  #show(window) {
    this.#await(window);
    this.#redraw ||= requestAnimationFrame(() => {
      this.#redraw = 0;
      this.#drawGround();
    });
  }

  /** Takes note of a window whose ground is yet to come; null when it is there. */
  #await(window) {
    this.#window = window;
    this.element.setAttribute("aria-busy", String(window !== null));
  }

  #settle(window) {
    clearTimeout(this.#settling);
    this.#settling = 0;
    this.#on.window(window);
  }

  /** Returns the values under a pointer, or null outside of the axes. */
  #at(event) {
    return this.#frame?.at(...this.#pixelOf(event)) ?? null;
  }

  #pixelOf({ clientX, clientY }) {
    const { left, top } = this.element.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  #nearest([left, top]) {
    let best = null;
    let distance = NEAR_PIXELS ** 2;
    this.#scene.paths.forEach((path, index) => {
      for (let entry = 0; entry < path.f.length; entry += 1) {
        if (path.x[entry] === null || path.f[entry] === null) continue;
        const [x, y] = this.#pixel(path.x[entry], path.y[entry], path.f[entry]);
        const d = (x - left) ** 2 + (y - top) ** 2;
        if (d < distance) [best, distance] = [{ path: index, entry }, d];
      }
    });
    return best;
  }

  #pixel(x, y, f) {
    const { grid, heights } = this.#scene;
    return this.#frame.toPixel(x, grid.y ? y : (heights.of(f ?? this.#valueAt(x)) ?? heights.range[0]));
  }

  /** Returns the value of a function of one coordinate, as far as its graph says it. */
  #valueAt(x) {
    const { grid } = this.#scene;
    const place = Math.round(((x - grid.x[0]) / (grid.x.at(-1) - grid.x[0])) * (grid.x.length - 1));
    return grid.f[place] ?? null;
  }

  #rounded(x, y) {
    const { grid } = this.#scene;
    const width = grid.x.at(-1) - grid.x[0];
    return [toPixelPrecision(x, width), grid.y ? toPixelPrecision(y, grid.y.at(-1) - grid.y[0]) : null];
  }

  #graphOf(grid, heights) {
    let pen = "M";
    return grid.f
      .map((f, index) => {
        if (f === null) {
          pen = "M";
          return "";
        }
        const [x, y] = this.#frame.toPixel(grid.x[index], heights.of(f));
        const to = `${pen}${bounded(x)},${bounded(y)}`;
        pen = "L";
        return to;
      })
      .join("");
  }
}

/** Returns the outline of a line in parts. */
function shapeOf(parts) {
  return parts.map((part) => `M${part.map(([x, y]) => `${rounded(x)},${rounded(y)}`).join("L")}`).join("");
}

function roomy([low, high]) {
  const room = FLAT_ROOM * (high - low || 1);
  return [low - room, high + room];
}

function rounded(pixel) {
  return Math.round(pixel * 10) / 10;
}

function bounded(pixel) {
  return Math.round(Math.min(Math.max(pixel, -9999), 9999) * 10) / 10;
}

function isSomewhere(place) {
  return place.x !== null && place.y !== null && place.f !== null;
}
