/** Zoom gestures: the wheel with Ctrl or ⌘, a pinch, keys. A bare wheel scrolls the page. */

import { h } from "../dom.js";

const SCROLLING_MS = 300; // within this time of a scroll, the wheel is taken to be scrolling on, and no hint is shown
const HINT_MS = 1500;
/** @type {Record<string, number>} */
const KEYS = { "+": 1 / 1.5, "=": 1 / 1.5, "-": 1.5, _: 1.5 };
const UNITS = [1, 20, 300]; // pixels that a wheel means by pixels, lines and pages
const HALVING_PIXELS = 400;
const PINCHED = 8; // a touchpad's pinch comes as a wheel with Ctrl, in steps smaller by this
const MOST_PINCHED_PIXELS = 30; // what moves more at once is a wheel with Ctrl held
const MODIFIER = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";

/** A short-lived line over a picture that explains a gesture. */
export class Hint {
  element = h("p", { class: "gesture-hint", "aria-hidden": "true", hidden: true });
  #timer = 0;

  /** @param {string} text */
  show(text) {
    this.element.textContent = text;
    this.element.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.element.hidden = true), HINT_MS);
  }
}

/**
 * Listens for a wheel over an element.
 * @param {HTMLElement} element
 * @param {Hint} hint
 * @param {(factor: number, at: {clientX: number, clientY: number}) => void} zoom by how much farther away, about where
 */
export function listenForWheel(element, hint, zoom) {
  let scrolledAt = -Infinity;
  addEventListener("scroll", (event) => (scrolledAt = event.timeStamp), { passive: true });
  element.addEventListener(
    "wheel",
    (event) => {
      if (!event.deltaY) return;
      if (!event.ctrlKey && !event.metaKey) {
        if (event.timeStamp - scrolledAt > SCROLLING_MS) hint.show(`Hold ${MODIFIER} while scrolling to zoom`);
        return;
      }
      event.preventDefault();
      const pixels = event.deltaY * UNITS[event.deltaMode];
      const isPinch = event.ctrlKey && Math.abs(pixels) <= MOST_PINCHED_PIXELS;
      zoom(2 ** ((isPinch ? PINCHED * pixels : pixels) / HALVING_PIXELS), event);
    },
    { passive: false },
  );
}

/**
 * Listens for keys of an element that has the focus.
 * @param {HTMLElement} element
 * @param {{zoom: (factor: number) => void, whole: () => void}} on
 */
export function listenForKeys(element, { zoom, whole }) {
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in KEYS) zoom(KEYS[event.key]);
    else if (event.key === "0") whole();
    else return;
    event.preventDefault();
  });
}

/**
 * Listens for two fingers on an element, which the browser then does not scroll by.
 * @param {HTMLElement} element
 * @param {(factor: number, now: Middle, before: Middle) => void} pinch by how much farther away, and the place between the
 *   fingers
 * @typedef {{clientX: number, clientY: number}} Middle
 */
export function listenForPinch(element, pinch) {
  const fingers = new Map();
  const isTwo = (/** @type {any} */ event) =>
    event.touches.length > 1 && event.cancelable && event.preventDefault();
  for (const name of ["touchstart", "touchmove"]) element.addEventListener(name, isTwo, { passive: false });
  element.addEventListener(
    "pointerdown",
    (event) => event.pointerType === "touch" && fingers.set(event.pointerId, event),
  );
  element.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = between(fingers);
    fingers.set(event.pointerId, event);
    const now = between(fingers);
    if (before && now && now.distance > 0) pinch(before.distance / now.distance, now, before);
  });
  for (const name of ["pointerup", "pointercancel"])
    element.addEventListener(name, (event) => fingers.delete(/** @type {PointerEvent} */ (event).pointerId));
}

/**
 * Returns the middle between two fingers and their distance; null unless there are two.
 * @param {Map<number, {clientX: number, clientY: number}>} fingers
 */
function between(fingers) {
  if (fingers.size !== 2) return null;
  const [a, b] = fingers.values();
  return {
    clientX: (a.clientX + b.clientX) / 2,
    clientY: (a.clientY + b.clientY) / 2,
    distance: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY),
  };
}
