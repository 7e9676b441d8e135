/** The surface in space, with the paths on it. It turns; where it is turned to is its camera. */

import { h } from "../dom.js";
import { HEIGHT_SCALE } from "./palette.js";
import { CONFIG, keepSize, look, plotly } from "./plotly.js";

const DISTANCE = 2.15;
const LIFT = 0.008; // of the height: a path lies on the surface, not in it
const MARKS = 4; // the place of the marks among the traces

/** The camera from which a surface is first seen: elevation 60°, azimuth −30°. */
export const FIRST_CAMERA = cameraAt(60, -30);

/** @param {number} elevation degrees @param {number} azimuth degrees */
export function cameraAt(elevation, azimuth) {
  const [e, a] = [elevation, azimuth].map((degrees) => (degrees * Math.PI) / 180);
  const eye = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
  const [x, y, z] = eye.map((value) => Number((DISTANCE * value).toFixed(4)));
  return { eye: { x, y, z }, center: { x: 0, y: 0, z: -0.17 } };
}

export class SurfacePlot {
  #onCamera;
  #onHover;
  #plot = h("div", { class: "plot" });
  #shown = null;
  #vertices = [];
  #frame = 0;
  #marks = null;

  /**
   * @param {{onCamera: (camera: Object) => void, onHover: (at: {path: number, entry: number}|null) => void}} on
   */
  constructor({ onCamera, onHover }) {
    this.#onCamera = onCamera;
    this.#onHover = onHover;
    this.element = h("figure", { class: "surface", "aria-label": "Surface of the function in space; drag to turn it" }, this.#plot);
    keepSize(this.#plot);
  }

  /**
   * Draws what has changed.
   * @param {Object} scene
   * @param {{x: number[], y: number[], z: number[][]}} scene.grid
   * @param {import("./heights.js").Heights} scene.heights
   * @param {Array<import("./path.js").Path>} scene.paths
   * @param {Array<{x: number, y: number, f: number}>} scene.minima
   * @param {[string, string]} scene.names of the coordinates
   * @param {Object} scene.camera
   * @param {boolean} scene.isWhole whether the surface is the whole function, and not a slice
   */
  async draw(scene) {
    const Plotly = await plotly();
    const first = this.#shown === null;
    this.#shown = scene;
    await Plotly.react(this.#plot, this.#traces(scene), this.#layout(scene), CONFIG);
    if (first) this.#listen();
  }

  /** Marks where the paths are: at most one place for each. */
  async mark(places) {
    const isSame = JSON.stringify(places) === JSON.stringify(this.#marks);
    this.#marks = places;
    if (isSame || this.#frame || !this.#shown) return;
    const Plotly = await plotly();
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#plot.data?.length > MARKS) Plotly.restyle(this.#plot, columns(this.#marksTrace()), [MARKS]);
    });
  }

  #listen() {
    this.#plot.on("plotly_relayout", (change) => {
      const camera = change["scene.camera"];
      if (camera) this.#onCamera({ eye: camera.eye, center: camera.center });
    });
    this.#plot.on("plotly_hover", ({ points: [found] }) => {
      if (found.curveNumber === 1) this.#onHover(this.#vertices[found.pointNumber]);
    });
    this.#plot.on("plotly_unhover", () => this.#onHover(null));
  }

  #traces({ grid, heights, paths, minima }) {
    const z = heights.grid(grid.z);
    const [low, high] = heights.range;
    const surface = {
      type: "surface",
      x: grid.x,
      y: grid.y,
      z,
      colorscale: HEIGHT_SCALE,
      cmin: low,
      cmax: high,
      showscale: false,
      hoverinfo: "skip",
      contours: { x: { highlight: false }, y: { highlight: false }, z: { highlight: false } },
      lighting: { ambient: 0.72, diffuse: 0.55, specular: 0.06, roughness: 0.9, fresnel: 0 },
    };
    return [
      surface,
      this.#pathsTrace(paths),
      dots(minima.map((known) => this.#place(known.x, known.y, known.f)), { symbol: "diamond", size: 5, color: "#ffffff", line: { color: "#0b1d3a", width: 2 } }),
      dots(paths.map((path) => this.#place(path.x[0], path.y[0], path.f[0])), { symbol: "circle", size: 4, color: paths.map((path) => path.color), line: { color: "#ffffff", width: 1 } }),
      this.#marksTrace(),
    ];
  }

  /** All paths as one line with gaps: a trace for each would be a drawing call for each. */
  #pathsTrace(paths) {
    this.#vertices = [];
    const line = { x: [], y: [], z: [], color: [] };
    const add = (x, y, z, color) => {
      line.x.push(x);
      line.y.push(y);
      line.z.push(z);
      line.color.push(color);
    };
    paths.forEach((path, index) => {
      path.f.forEach((f, entry) => {
        this.#vertices.push({ path: index, entry });
        const [x, y, z] = this.#place(path.x[entry], path.y[entry], f);
        add(x, y, z, path.color);
      });
      this.#vertices.push(null);
      add(null, null, null, path.color);
    });
    return {
      type: "scatter3d",
      mode: "lines",
      x: line.x,
      y: line.y,
      z: line.z,
      line: { color: line.color, width: 6 },
      connectgaps: false,
      hoverinfo: "none",
    };
  }

  #marksTrace() {
    const places = (this.#marks ?? []).map((mark) => this.#place(mark.x, mark.y, mark.f));
    const color = (this.#marks ?? []).map((mark) => mark.color);
    return dots(places, { symbol: "circle", size: 7, color, line: { color: "#ffffff", width: 2 } });
  }

  /** Returns where a value is drawn; what has left the window is not. */
  #place(x, y, f) {
    const { grid, heights } = this.#shown;
    const inside = f !== null && x >= grid.x[0] && x <= grid.x.at(-1) && y >= grid.y[0] && y <= grid.y.at(-1);
    if (!inside) return [null, null, null];
    const [low, high] = heights.range;
    // between its grid points the surface is flatter than the function: what is on it is not to sink into it
    const ground = this.#shown.isWhole ? heightAt(grid, heights, x, y) : low;
    return [x, y, Math.min(Math.max(heights.of(f), ground), high) + LIFT * (high - low)];
  }

  #layout({ heights, names, camera }) {
    const { soft, line, font } = look();
    const axis = (title) => ({
      title: { text: title, font: { size: 12 } },
      color: soft,
      gridcolor: line,
      zeroline: false,
      showspikes: false,
      showbackground: false,
      nticks: 6,
    });
    const ticks = heights.ticks();
    const height = { ...axis("f"), ...(ticks ? { tickvals: ticks.at, ticktext: ticks.text } : {}) };
    return {
      margin: { l: 0, r: 0, t: 0, b: 0 },
      paper_bgcolor: "rgba(0,0,0,0)",
      font,
      showlegend: false,
      uirevision: JSON.stringify(camera),
      scene: {
        xaxis: axis(names[0]),
        yaxis: axis(names[1]),
        zaxis: height,
        aspectmode: "manual",
        aspectratio: { x: 1.15, y: 1.15, z: 0.68 },
        camera,
        dragmode: "turntable",
        hovermode: "closest",
      },
    };
  }
}

/** Returns the height of the drawn surface at a place within its window: between the four grid points around it. */
function heightAt({ x: xs, y: ys, z }, heights, x, y) {
  const [column, right] = cell(xs, x);
  const [row, up] = cell(ys, y);
  const corner = (j, i) => heights.of(z[row + j][column + i]) ?? heights.range[0];
  const below = corner(0, 0) * (1 - right) + corner(0, 1) * right;
  const above = corner(1, 0) * (1 - right) + corner(1, 1) * right;
  return below * (1 - up) + above * up;
}

function cell(axis, value) {
  const place = ((value - axis[0]) / (axis.at(-1) - axis[0])) * (axis.length - 1);
  const index = Math.min(Math.max(Math.floor(place), 0), axis.length - 2);
  return [index, place - index];
}

function dots(places, marker) {
  return {
    type: "scatter3d",
    mode: "markers",
    x: places.map((place) => place[0]),
    y: places.map((place) => place[1]),
    z: places.map((place) => place[2]),
    marker,
    hoverinfo: "skip",
  };
}

function columns({ x, y, z, marker }) {
  return { x: [x], y: [y], z: [z], "marker.color": [marker.color] };
}
