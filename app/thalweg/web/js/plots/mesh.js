/** Lines laid on a mesh of heights: on the very triangles that are drawn, so that they neither sink in nor float. */

import { between } from "./lines.js";

const SAME = 1e-9;

export class Mesh {
  #z;
  #columns;
  #rows;

  /** @param {Array<Array<number|null>>} z heights, in rows over a unit square; a square is cut from its right lower corner */
  constructor(z) {
    this.#z = z;
    this.#rows = z.length - 1;
    this.#columns = z[0].length - 1;
  }

  /**
   * Returns the height at a place in the unit square; null where a corner of its triangle has none.
   * @param {number} u
   * @param {number} v
   * @returns {number|null}
   */
  heightAt(u, v) {
    const [a, b] = [u * this.#columns, v * this.#rows];
    const [i, j] = [Math.min(Math.floor(a), this.#columns - 1), Math.min(Math.floor(b), this.#rows - 1)];
    const [right, up] = [a - i, b - j];
    const [lower, upper] = [this.#z[j][i + 1], this.#z[j + 1][i]];
    const isFirst = right + up <= 1;
    const corner = isFirst ? this.#z[j][i] : this.#z[j + 1][i + 1];
    if (lower === null || upper === null || corner === null) return null;
    return isFirst
      ? corner + right * (lower - corner) + up * (upper - corner)
      : corner + (1 - right) * (upper - corner) + (1 - up) * (lower - corner);
  }

  /**
   * Returns a line of places in the unit square with a point wherever it crosses an edge of a triangle: between these,
   * the mesh is flat.
   * @param {number[][]} line
   */
  crossed(line) {
    const out = [line[0]];
    for (let index = 0; index + 1 < line.length; index += 1) {
      const [from, to] = [line[index], line[index + 1]];
      for (const share of this.#crossings(from, to)) out.push(between(from, to, share));
      out.push(to);
    }
    return out;
  }

  /**
   * Returns the shares of a segment at which it crosses edges of triangles, in order.
   * @param {number[]} from
   * @param {number[]} to
   */
  #crossings(from, to) {
    const [a0, b0, a1, b1] = [
      from[0] * this.#columns,
      from[1] * this.#rows,
      to[0] * this.#columns,
      to[1] * this.#rows,
    ];
    /** @type {number[]} */
    const shares = [];
    for (const [begin, end] of [
      [a0, a1],
      [b0, b1],
      [a0 + b0, a1 + b1],
    ]) {
      const way = end - begin;
      for (let line = Math.floor(Math.min(begin, end)) + 1; line < Math.max(begin, end); line += 1)
        shares.push((line - begin) / way);
    }
    shares.sort((one, other) => one - other);
    return shares.filter(
      (share, index) => share > SAME && share < 1 - SAME && (index === 0 || share - shares[index - 1] > SAME),
    );
  }
}
