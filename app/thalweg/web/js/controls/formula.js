/** Formulas as MathML, which the browser sets. */

import { mathOf } from "./latex.js";

const MATH = "http://www.w3.org/1998/Math/MathML";

/** Returns a formula as an element, in parts between which a line may break. @param {string} latex */
export function formula(latex) {
  const whole = document.createElement("span");
  whole.className = "math";
  whole.setAttribute("role", "math");
  whole.setAttribute("aria-label", latex);
  whole.append(...mathOf(latex).map(made));
  return whole;
}

/** @param {import("./latex.js").Node} node @returns {Element} */
function made({ tag, attributes, children }) {
  const element = document.createElementNS(MATH, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map((child) => (typeof child === "string" ? child : made(child))));
  return element;
}
