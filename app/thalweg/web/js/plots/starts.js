/** The starts on a map: handles that are dragged, moved by arrow keys, and removed by Delete or a double click. */

import { svg } from "../dom.js";
import { point } from "../numbers.js";

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const [STEP, LONG_STEP] = [0.01, 0.1]; // of the window, for an arrow key without and with Shift

/** @typedef {{point: number[], color: string, pixel: [number, number], isInside: boolean}} Start */

export class StartHandles {
  element = svg("g");
  #on;
  #canMove = false;

  /**
   * @param {Object} on
   * @param {(event: PointerEvent, index: number) => void} on.grasp
   * @param {(index: number, right: number, up: number) => void} on.step by which shares of the window
   * @param {(index: number) => void} on.remove
   */
  constructor(on) {
    this.#on = on;
  }

  /** @param {Start[]} starts @param {boolean} canMove whether they can be moved and removed */
  draw(starts, canMove) {
    this.#canMove = canMove;
    while (this.element.childElementCount > starts.length) this.element.lastChild?.remove();
    starts.forEach(({ point: x, color, pixel, isInside }, index) => {
      const made = /** @type {SVGGElement|undefined} */ (this.element.children[index]);
      const handle = made ?? this.element.appendChild(this.#handle(index));
      handle.setAttribute("transform", `translate(${pixel[0]},${pixel[1]})`);
      handle.setAttribute(
        "aria-label",
        `Start ${index + 1} at ${point(x)}. Arrow keys move it, Delete removes it.`,
      );
      handle.classList.toggle("fixed", !canMove);
      handle.lastElementChild?.setAttribute("fill", color);
      handle.style.display = isInside ? "" : "none";
    });
  }

  /** @param {number} index */
  #handle(index) {
    const reach = svg("circle", { r: 14, class: "reach" });
    const handle = svg("g", { class: "start", tabindex: 0, role: "button" }, reach, svg("circle", { r: 7 }));
    handle.addEventListener("pointerdown", (event) => this.#on.grasp(event, index));
    handle.addEventListener("keydown", (event) => this.#key(event, index));
    handle.addEventListener("dblclick", () => this.#canMove && this.#on.remove(index));
    return handle;
  }

  /** @param {KeyboardEvent} event @param {number} index */
  #key(event, index) {
    if (!this.#canMove) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.#on.remove(index);
    }
    const way = ARROWS[event.key];
    if (!way) return;
    event.preventDefault();
    const share = event.shiftKey ? LONG_STEP : STEP;
    this.#on.step(index, share * way[0], share * way[1]);
  }
}
