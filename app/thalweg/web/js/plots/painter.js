/**
 * Surface, lines and dots in space, by WebGL. Each is one draw call, and a frame computes only projections, so that
 * software rendering is quick enough.
 */

import { given } from "../given.js";

const TOWARDS_EYE = `
      uniform vec3 eye; uniform float lift;
      vec4 towardsEye(vec3 place) { return lens * vec4(place + lift * normalize(eye - place), 1.0); }`;

const PROGRAMS = {
  surface: {
    vertex: `
      in vec3 place; in vec4 color;
      uniform mat4 lens;
      out vec4 shade;
      void main() { gl_Position = lens * vec4(place, 1.0); shade = color; }`,
    fragment: `
      in vec4 shade;
      out vec4 pixel;
      void main() { pixel = shade; }`,
  },
  lines: {
    vertex: `
      in vec3 from, to; in vec4 color; in vec2 corner;
      uniform mat4 lens; uniform vec2 pixelSize; uniform float width;
      out vec4 shade;${TOWARDS_EYE}
      void main() {
        vec4 a = towardsEye(from), b = towardsEye(to);
        vec2 way = (b.xy / b.w - a.xy / a.w) / pixelSize;
        float size = length(way);
        way = size > 0.0 ? way / size : vec2(1.0, 0.0);
        gl_Position = corner.x < 0.0 ? a : b;
        gl_Position.xy += (way * corner.x + vec2(-way.y, way.x) * corner.y) * 0.5 * width * pixelSize * gl_Position.w;
        if (min(a.w, b.w) <= 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0); // behind the eye
        shade = color;
      }`,
    fragment: `
      in vec4 shade;
      out vec4 pixel;
      void main() { pixel = shade; }`,
  },
  dots: {
    vertex: `
      in vec3 place; in vec4 color, edge; in vec2 form;
      uniform mat4 lens; uniform float ratio;
      out vec4 inside, outside; out float size; flat out int kind;${TOWARDS_EYE}
      void main() {
        gl_Position = towardsEye(place);
        inside = color; outside = edge;
        size = form.x * ratio; kind = int(form.y);
        gl_PointSize = size + 2.0;
      }`,
    fragment: `
      in vec4 inside, outside; in float size; flat in int kind;
      uniform float ratio, opacity;
      out vec4 pixel;
      float beyond(vec2 at) { // how far outside of the symbol
        float r = 0.5 * size;
        if (kind == 1) return at.x + at.y - r;
        if (kind == 2) return max(at.x, at.y) - 0.85 * r;
        if (kind == 3) return max(0.7 * abs(at.x - at.y) - 2.6 * ratio, max(at.x, at.y) - r);
        return length(at) - r;
      }
      void main() {
        float far = beyond(abs(gl_PointCoord - 0.5) * (size + 2.0));
        float alpha = clamp(0.5 - far, 0.0, 1.0);
        if (alpha == 0.0) discard;
        pixel = mix(inside, outside, clamp(far + 1.5 * ratio + 0.5, 0.0, 1.0)) * alpha * opacity;
      }`,
  },
};

/** @type {Record<string, {stride: number, attributes: Record<string, [string, number, number]>}>} */
const LAYOUTS = {
  surface: { stride: 16, attributes: { place: ["FLOAT", 3, 0], color: ["UNSIGNED_BYTE", 4, 12] } },
  lines: {
    stride: 32,
    attributes: {
      from: ["FLOAT", 3, 0],
      to: ["FLOAT", 3, 12],
      color: ["UNSIGNED_BYTE", 4, 24],
      corner: ["BYTE", 2, 28],
    },
  },
  dots: {
    stride: 24,
    attributes: {
      place: ["FLOAT", 3, 0],
      color: ["UNSIGNED_BYTE", 4, 12],
      edge: ["UNSIGNED_BYTE", 4, 16],
      form: ["BYTE", 2, 20],
    },
  },
};

// how far lines and dots come forward: where the surface is steep they are as wide as elsewhere
/** @type {Record<string, number>} */
const LIFTS = { surface: 0, lines: 0.02, dots: 0.15 };

export class Painter {
  #gl;
  #programs;
  #shapes = new Map();

  /**
   * @param {HTMLCanvasElement} canvas
   * @throws {Error} where there is no WebGL
   */
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: true });
    if (!gl) throw new Error("The surface is drawn by WebGL, which this browser does not offer now.");
    this.#gl = gl;
    this.#programs = Object.fromEntries(
      Object.entries(PROGRAMS).map(([kind, sources]) => [kind, programOf(gl, sources)]),
    );
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /**
   * Keeps a shape to be drawn, and drops the one of that name.
   * @param {string} name
   * @param {"surface"|"lines"|"dots"} kind
   * @param {{vertices: ArrayBuffer, indices: Uint32Array|null, count: number}} shape see `shapes.js`
   */
  set(name, kind, { vertices, indices, count }) {
    const gl = this.#gl;
    this.#drop(name);
    const buffers = [gl.createBuffer()];
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[0]);
    gl.bufferData(gl.ARRAY_BUFFER, vertices, gl.STATIC_DRAW);
    const { stride, attributes } = LAYOUTS[kind];
    for (const [attribute, [type, size, offset]] of Object.entries(attributes)) {
      const at = gl.getAttribLocation(this.#programs[kind].program, attribute);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, /** @type {any} */ (gl)[type], type === "UNSIGNED_BYTE", stride, offset);
    }
    if (indices) {
      buffers.push(gl.createBuffer());
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers[1]);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
    }
    gl.bindVertexArray(null);
    this.#shapes.set(name, { kind, array, buffers, count });
  }

  /**
   * Draws shapes, one after the other.
   * @param {Float32Array} lens see `lensOf`
   * @param {{x: number, y: number, z: number}} eye
   * @param {Array<{name: string, width?: number, range?: [number, number], isBehind?: boolean, opacity?: number}>} shown
   *   with the width of lines in pixels; the first and the number of the indices, where it is not all of them; whether it
   *   is drawn as if nothing were before it and nothing behind it; and of dots how much of them is seen
   */
  draw(lens, eye, shown) {
    const gl = this.#gl;
    const { width, height, clientWidth } = /** @type {HTMLCanvasElement} */ (gl.canvas);
    const ratio = width / clientWidth;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    for (const { name, width: lineWidth, range, isBehind = false, opacity = 1 } of shown) {
      const { kind, array, count } = this.#shapes.get(name);
      if (!count) continue;
      const { program, uniform } = this.#programs[kind];
      gl.useProgram(program);
      gl.bindVertexArray(array);
      gl.uniformMatrix4fv(uniform("lens"), false, lens);
      gl.uniform3f(uniform("eye"), eye.x, eye.y, eye.z);
      gl.uniform1f(uniform("lift"), isBehind ? 0 : LIFTS[kind]);
      gl[isBehind ? "disable" : "enable"](gl.DEPTH_TEST);
      if (kind === "lines") {
        gl.uniform2f(uniform("pixelSize"), (2 * ratio) / width, (2 * ratio) / height);
        gl.uniform1f(uniform("width"), lineWidth ?? 1);
      }
      if (kind === "dots") {
        gl.enable(gl.BLEND);
        gl.uniform1f(uniform("ratio"), ratio);
        gl.uniform1f(uniform("opacity"), opacity);
        gl.drawArrays(gl.POINTS, 0, count);
        gl.disable(gl.BLEND);
      } else {
        const [first, n] = range ?? [0, count];
        gl.drawElements(gl.TRIANGLES, n, gl.UNSIGNED_INT, 4 * first);
      }
    }
    gl.bindVertexArray(null);
  }

  /** @param {string} name */
  #drop(name) {
    const old = this.#shapes.get(name);
    if (!old) return;
    this.#gl.deleteVertexArray(old.array);
    for (const buffer of old.buffers) this.#gl.deleteBuffer(buffer);
    this.#shapes.delete(name);
  }
}

/** @param {WebGL2RenderingContext} gl @param {{vertex: string, fragment: string}} sources */
function programOf(gl, sources) {
  const program = gl.createProgram();
  /** @type {Array<["vertex"|"fragment", number]>} */
  const stages = [
    ["vertex", gl.VERTEX_SHADER],
    ["fragment", gl.FRAGMENT_SHADER],
  ];
  for (const [stage, type] of stages) {
    const shader = given(gl.createShader(type));
    gl.shaderSource(shader, `#version 300 es\nprecision highp float;${sources[stage]}`);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  const places = new Map();
  const uniform = (/** @type {string} */ name) => {
    if (!places.has(name)) places.set(name, gl.getUniformLocation(program, name));
    return places.get(name);
  };
  return { program, uniform };
}
