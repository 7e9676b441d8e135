/**
 * What is shown instead of a picture: the reason, and links onwards.
 * @typedef {{text: string, href?: string, go?: () => void}} Way
 * @typedef {{title?: string, text: string, ways?: Way[]}} Said
 */

import { h, replace } from "../dom.js";

export class DeadEnd {
  element = h("div", { class: "dead-end", hidden: true });
  /** @type {Said|null} */
  #shown = null;

  /** @param {Said|null} said null where there is a picture */
  update(said) {
    if (said === this.#shown) return;
    this.#shown = said;
    this.element.hidden = said === null;
    if (said === null) return;
    const { title, text, ways = [] } = said;
    replace(
      this.element,
      title ? h("h2", null, title) : null,
      h("p", { role: "status" }, text),
      ways.length ? h("p", { class: "buttons ways" }, ways.map(way)) : null,
    );
  }
}

/** @param {Way} way */
function way({ text, href, go }) {
  return href ? h("a", { class: "button", href }, text) : h("button", { type: "button", onclick: go }, text);
}

export const LESSON = { text: "See an example", href: "#/" };
export const ALL_JOBS = { text: "All jobs", href: "#/jobs" };

/** Returns what is said of a job that is not there. @param {...Way} ways @returns {Said} */
export function noJob(...ways) {
  return {
    title: "This job is not here",
    text: "It has been deleted, or the link belongs to another service.",
    ways: [...ways, LESSON, ALL_JOBS],
  };
}

/**
 * Returns what is said of a function that is not there.
 * @param {string} name
 * @param {() => void} choose
 * @returns {Said}
 */
export function noFunction(name, choose) {
  return {
    title: `There is no function called “${name}”`,
    text: "The name may be misspelt, or belong to another version of this service.",
    ways: [{ text: "Choose a function", go: choose }, LESSON],
  };
}
