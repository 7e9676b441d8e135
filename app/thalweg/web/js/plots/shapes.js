/** What a `Painter` draws, as the numbers that it takes. */

import { heightColor, rgb } from "./palette.js";
import { SIZE } from "./space.js";

const LIGHT = [-0.32, -0.55, 0.77]; // from above and from the left of the first camera
const [DARKEST, LIT] = [0.75, 0.325]; // on flat ground the colours of height are those of the map
const CORNERS = [
  [-1, -1],
  [-1, 1],
  [1, -1],
  [1, 1],
];

/**
 * Returns the surface, coloured by height and lit, and the ranges of its fine and its coarse triangles.
 * @param {{places: Float32Array, normals: Float32Array, fine: number[], coarse: number[]}} mesh
 */
export function surfaceShape({ places, normals, fine, coarse }) {
  const n = places.length / 3;
  const vertices = new ArrayBuffer(16 * n);
  const [numbers, bytes] = [new Float32Array(vertices), new Uint8Array(vertices)];
  for (let index = 0; index < n; index += 1) {
    const at = 3 * index;
    numbers.set(places.subarray(at, at + 3), 4 * index);
    const facing = normals[at] * LIGHT[0] + normals[at + 1] * LIGHT[1] + normals[at + 2] * LIGHT[2];
    const color = heightColor(places[at + 2] / SIZE[2] + 0.5);
    const light = Math.min(DARKEST + LIT * Math.max(facing, 0), 255 / Math.max(...color)); // a colour keeps its hue
    bytes.set([...color.map((channel) => channel * light), 255], 16 * index + 12);
  }
  const indices = new Uint32Array([...fine, ...coarse]);
  return {
    vertices,
    indices,
    count: indices.length,
    ranges: { fine: [0, fine.length], coarse: [fine.length, coarse.length] },
  };
}

/** Returns lines. @param {Array<{points: number[][], color: string}>} lines */
export function linesShape(lines) {
  const n = lines.reduce((sum, { points }) => sum + Math.max(points.length - 1, 0), 0);
  const vertices = new ArrayBuffer(128 * n);
  const [numbers, bytes] = [new Float32Array(vertices), new Uint8Array(vertices)];
  const indices = new Uint32Array(6 * n);
  let segment = 0;
  for (const { points, color } of lines) {
    const paint = rgba(color);
    for (let index = 0; index + 1 < points.length; index += 1, segment += 1) {
      CORNERS.forEach((corner, each) => {
        const at = 4 * segment + each;
        numbers.set([...points[index], ...points[index + 1]], 8 * at);
        bytes.set([...paint, ...corner], 32 * at + 24);
      });
      indices.set(
        [0, 1, 2, 1, 3, 2].map((corner) => 4 * segment + corner),
        6 * segment,
      );
    }
  }
  return { vertices, indices, count: indices.length };
}

const FORMS = ["circle", "diamond", "square", "cross"]; // by the number that the painter knows them by

/** Returns dots. @param {Array<{place: number[], color: string, edge: string, size: number, form?: string}>} dots */
export function dotsShape(dots) {
  const vertices = new ArrayBuffer(24 * dots.length);
  const [numbers, bytes] = [new Float32Array(vertices), new Uint8Array(vertices)];
  dots.forEach(({ place, color, edge, size, form = "circle" }, index) => {
    numbers.set(place, 6 * index);
    bytes.set([...rgba(color), ...rgba(edge), size, FORMS.indexOf(form)], 24 * index + 12);
  });
  return { vertices, indices: null, count: dots.length };
}

/** @param {string} color */
function rgba(color) {
  return [...rgb(color), 255];
}
