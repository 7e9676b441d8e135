/** Elements, made in one expression. */

import { given } from "./given.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {Node|string|number|null|undefined|false} Child
 * @typedef {Child|Child[]|Child[][]} Children
 * @typedef {string|number|boolean|string[]|null|undefined|((event: any) => unknown)} Attribute
 * @typedef {Record<string, Attribute>|null} Attributes
 */

/**
 * Makes an HTML element. Attributes whose name begins with "on" are listeners; `value`, `checked` and such are set
 * as properties; what is null or false is left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Children} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = null, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Makes an SVG element, as `h` makes one of HTML.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Children} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = null, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Returns a listener that does `action` instead of what the browser would do. @param {() => void} action */
export function instead(action) {
  return (/** @type {Event} */ event) => {
    event.preventDefault();
    action();
  };
}

/** Puts `children` in place of what an element holds. @param {Element} element @param {...Children} children */
export function replace(element, ...children) {
  element.replaceChildren(...shown(children));
}

/** Returns what draws on a canvas. @param {HTMLCanvasElement} canvas */
export function penOf(canvas) {
  return given(canvas.getContext("2d"));
}

let lastId = 0;

/** Returns an `id` that no other call on this page returns. @param {string} prefix */
export function unique(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/**
 * Returns the same element with its attributes and children.
 * @template {Element} Made
 * @param {Made} element
 * @param {Attributes} attributes
 * @param {Children[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (PROPERTIES.has(name)) Object.assign(element, { [name]: value });
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...shown(children));
  return element;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "open", "style"]);

/** @param {Children[]} children @returns {Array<Node|string>} */
function shown(children) {
  const all = /** @type {Child[]} */ (children.flat(Infinity));
  return all.flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    return [typeof child === "number" ? String(child) : child];
  });
}
