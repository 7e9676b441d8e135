/** Asks for one of the service's keys. It is kept for as long as the tab is open. */

import { h, unique } from "./dom.js";

const KEPT = "thalweg-key";

/** Returns the key that was given in this tab before. */
export function keptKey() {
  return sessionStorage.getItem(KEPT);
}

/** Asks for a key, until one is given. @param {boolean} rejected whether one was, and is wrong */
export function askKey(rejected) {
  return new Promise((resolve) => {
    const [title, input] = [unique("key"), unique("key")];
    const text = h("input", { id: input, type: "password", autocomplete: "off", required: true });
    const given = (/** @type {Event} */ event) => {
      event.preventDefault();
      sessionStorage.setItem(KEPT, text.value);
      dialog.close();
      dialog.remove();
      resolve(text.value);
    };
    const dialog = h(
      "dialog",
      { class: "key-dialog", "aria-labelledby": title, oncancel: (event) => event.preventDefault() },
      h(
        "form",
        { onsubmit: given },
        h("h2", { id: title }, "Access key"),
        h(
          "p",
          null,
          rejected
            ? "This key was not accepted. Ask whoever runs this service."
            : "An access key is required. Ask whoever runs this service.",
        ),
        h("label", { for: input }, "Key"),
        text,
        h("div", { class: "buttons" }, h("button", { class: "primary" }, "Continue")),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
