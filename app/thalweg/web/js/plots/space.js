/** The box that a surface is drawn in, about the origin: x and y of the window, and heights. */

import { within } from "./lines.js";
import { Mesh } from "./mesh.js";

export const SIZE = [1.02, 1.02, 0.6];
const LIFT = 0.008; // of the height: what lies on the surface does not lie in it

export class Space {
  #grid;
  #heights;
  #isWhole;
  #mesh;

  /**
   * @param {{x: number[], y: number[], z: Array<Array<number|null>>}} grid
   * @param {import("./heights.js").Heights} heights
   * @param {boolean} isWhole whether the surface is the whole function, and not a slice
   */
  constructor(grid, heights, isWhole) {
    this.#grid = grid;
    this.#heights = heights;
    this.#isWhole = isWhole;
    this.#mesh = new Mesh(heights.grid(grid.z));
    /** What the three axes span. */
    this.ranges = [endsOf(grid.x), endsOf(grid.y), heights.range];
  }

  /** Returns the place of a value on an axis. @param {number} axis @param {number} value */
  along(axis, value) {
    const [low, high] = this.ranges[axis];
    return high > low ? ((value - low) / (high - low) - 0.5) * SIZE[axis] : -SIZE[axis] / 2;
  }

  /**
   * Returns where a value is drawn; null where it is none, or outside the window.
   * @param {number|null} x
   * @param {number|null} y
   * @param {number|null} f
   * @returns {number[]|null}
   */
  place(x, y, f) {
    const share = this.#shareOf(x, y, f);
    return share && share[0] >= 0 && share[0] <= 1 && share[1] >= 0 && share[1] <= 1 ? this.#lifted(share) : null;
  }

  /**
   * Returns the parts of a path that are within the window, as places. On a function's own surface they lie on it also
   * between the entries; on a slice, which the path is not on, they are straight.
   * @param {import("./path.js").Path} path
   */
  partsOf({ x, y, f }) {
    const parts = within(
      x.map((value, entry) => this.#shareOf(value, y[entry], f[entry])),
      [0, 1, 0, 1],
    );
    return parts.map((part) =>
      (this.#isWhole ? this.#mesh.crossed(part) : part)
        .map((share) => this.#lifted(share))
        .filter((each) => each !== null),
    );
  }

  /**
   * Returns the shares of the window at a value, and its height; null where it is none.
   * @param {number|null} x
   * @param {number|null} y
   * @param {number|null} f
   * @returns {number[]|null}
   */
  #shareOf(x, y, f) {
    if (x === null || y === null || (f === null && !this.#isWhole)) return null;
    const [across, along] = [x, y].map((value, axis) => {
      const [low, high] = this.ranges[axis];
      return (value / 2 - low / 2) / (high / 2 - low / 2);
    });
    return [across, along, this.#isWhole || f === null ? 0 : this.#heights.of(f)];
  }

  /** Returns the place of shares, a little over the surface; null where there is none. */
  #lifted(/** @type {number[]} */ [across, along, ownHeight]) {
    const height = this.#isWhole ? this.#mesh.heightAt(across, along) : Math.min(ownHeight, this.ranges[2][1]);
    if (height === null) return null;
    return [(across - 0.5) * SIZE[0], (along - 0.5) * SIZE[1], this.along(2, height) + LIFT * SIZE[2]];
  }

  /**
   * Whether the surface lies between a place and an eye.
   * @param {number[]} place
   * @param {{x: number, y: number, z: number}} eye
   */
  isHidden(place, { x, y, z }) {
    const way = [x - place[0], y - place[1], z - place[2]];
    const step =
      Math.min(SIZE[0], SIZE[1]) / Math.max(this.#grid.x.length, this.#grid.y.length) / Math.hypot(...way);
    for (let share = 2 * step; share < 1; share += step) {
      const at = place.map((value, axis) => value + share * way[axis]);
      if (at.some((value, axis) => Math.abs(value) > SIZE[axis] / 2)) return false;
      const ground = this.#mesh.heightAt(at[0] / SIZE[0] + 0.5, at[1] / SIZE[1] + 0.5);
      if (ground !== null && this.along(2, ground) > at[2]) return true;
    }
    return false;
  }

  /**
   * Returns the surface as triangles between the grid points, and between every second of them: the places of the corners,
   * and the normals there, which look up.
   */
  mesh() {
    const { x, y, z } = this.#grid;
    const [columns, rows] = [x.length, y.length];
    const heights = z.map((row) => row.map((f) => this.#heights.of(f)));
    const level = (/** @type {number} */ j, /** @type {number} */ i) =>
      this.along(2, heights[j][i] ?? this.ranges[2][0]);
    const places = new Float32Array(3 * columns * rows);
    const normals = new Float32Array(3 * columns * rows);
    for (let j = 0, at = 0; j < rows; j += 1) {
      for (let i = 0; i < columns; i += 1, at += 3) {
        places.set([this.along(0, x[i]), this.along(1, y[j]), level(j, i)], at);
        const [i0, i1, j0, j1] = [
          Math.max(i - 1, 0),
          Math.min(i + 1, columns - 1),
          Math.max(j - 1, 0),
          Math.min(j + 1, rows - 1),
        ];
        const across = (level(j, i1) - level(j, i0)) / (this.along(0, x[i1]) - this.along(0, x[i0]));
        const along = (level(j1, i) - level(j0, i)) / (this.along(1, y[j1]) - this.along(1, y[j0]));
        const length = Math.hypot(across, along, 1);
        normals.set([-across / length, -along / length, 1 / length], at);
      }
    }
    const isGap = (/** @type {number} */ vertex) =>
      heights[Math.floor(vertex / columns)][vertex % columns] === null;
    const quads = (/** @type {number} */ stride) => {
      const triangles = [];
      for (let j = 0; j < rows - 1; j += stride) {
        for (let i = 0; i < columns - 1; i += stride) {
          const [right, up] = [Math.min(i + stride, columns - 1), Math.min(j + stride, rows - 1)];
          const [a, b, c, d] = [j * columns + i, j * columns + right, up * columns + i, up * columns + right];
          if (![a, b, c].some(isGap)) triangles.push(a, b, c);
          if (![b, d, c].some(isGap)) triangles.push(b, d, c);
        }
      }
      return triangles;
    };
    return { places, normals, fine: quads(1), coarse: quads(2) };
  }
}

/** @param {number[]} axis @returns {[number, number]} */
function endsOf(axis) {
  return [axis[0], axis[axis.length - 1]];
}
