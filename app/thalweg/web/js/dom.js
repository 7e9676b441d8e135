/** Elements, made in one expression. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an HTML element. Attributes whose name begins with "on" are listeners; `value`, `checked` and such are set
 * as properties; what is null or false is left out.
 * @param {string} tag
 * @param {Object<string, any>} [attributes]
 * @param {...(Node|string|number|null|false|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Makes an SVG element, as `h` makes one of HTML. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Returns a listener that does `action` instead of what the browser would do. @param {() => void} action */
export function instead(action) {
  return (event) => {
    event.preventDefault();
    action();
  };
}

/** Puts `children` in place of what an element holds. */
export function replace(element, ...children) {
  element.replaceChildren(...children.flat().filter(isShown));
}

/** Gives a number that no other call on this page gives, for `id`s. */
export function unique(prefix) {
  unique.last = (unique.last ?? 0) + 1;
  return `${prefix}-${unique.last}`;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(isShown));
  return element;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "open", "style"]);

function isShown(child) {
  return child !== null && child !== undefined && child !== false;
}
