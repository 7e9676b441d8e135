/** What can be done with a job: buttons for the Jobs view and for the Run view. */

import { copy, curlLine, save } from "../copy.js";
import { h, unique } from "../dom.js";
import { draftOf } from "../views/run_state.js";
import { hasEnded } from "../watch.js";
import { field, numberInput, showProblem } from "./field.js";

/**
 * Returns the buttons of a job.
 * @param {import("../api.js").Api} api
 * @param {import("../service").Job} job
 * @param {{onChange: (job: import("../service").Job) => void, onDelete: () => void, onProblem: (problem: Error) => void}} on
 * @param {{pictures?: boolean}} [options] whether pictures of it can be saved, too
 */
export function jobActions(api, job, on, { pictures = false } = {}) {
  const trying =
    (/** @type {(pressed: HTMLButtonElement) => unknown} */ action) => async (/** @type {any} */ event) => {
      const button = event.currentTarget;
      button.disabled = true;
      try {
        await action(button);
      } catch (/** @type {any} */ problem) {
        on.onProblem(problem);
      } finally {
        button.disabled = false;
      }
    };
  /**
   * @param {string} text
   * @param {(pressed: HTMLButtonElement) => unknown} action
   * @param {Record<string, string>} [attributes]
   */
  const button = (text, action, attributes = {}) =>
    h("button", { type: "button", onclick: trying(action), ...attributes }, text);
  const short = job.id.slice(-8);
  const canExtend = job.status === "succeeded" || job.status === "cancelled";
  return h(
    "div",
    { class: "buttons job-actions" },
    hasEnded(job)
      ? null
      : button("Cancel", async () => on.onChange(await api.cancel(job.id)), {
          "aria-label": `Cancel job ${short}`,
        }),
    canExtend
      ? button("Extend", async () => on.onChange(await extended(api, job)), { "aria-label": `Extend job ${short}` })
      : null,
    button("CSV", async () => save(await api.file(job.links.trajectory.slice(1), "text/csv"), `${job.id}.csv`), {
      "aria-label": `Download job ${short} as CSV`,
    }),
    pictures
      ? ["png", "svg", "html"].map((form) =>
          button(form.toUpperCase(), () => savePicture(api, job, form), {
            "aria-label": `Download a picture of job ${short} as ${form.toUpperCase()}`,
          }),
        )
      : null,
    button("curl", (pressed) => copyCurl(api, job, pressed), {
      "aria-label": `Copy the curl command of job ${short}`,
    }),
    button("Delete", (pressed) => confirmed(pressed, () => api.remove(job.id).then(on.onDelete)), {
      class: "danger",
      "aria-label": `Delete job ${short}`,
    }),
  );
}

/**
 * @param {import("../api.js").Api} api
 * @param {import("../service").Job} job
 * @param {string} form
 */
async function savePicture(api, job, form) {
  save(await api.file(`${job.links.self.slice(1)}/plot.${form}`, "*/*"), `${job.id}.${form}`);
}

/**
 * @param {import("../api.js").Api} api
 * @param {import("../service").Job} job
 * @param {HTMLButtonElement} pressed
 */
async function copyCurl(api, job, pressed) {
  await copy(curlLine(draftOf(job.spec), { origin: location.origin, withKey: api.hasKey }));
  pressed.textContent = "Copied";
  setTimeout(() => (pressed.textContent = "curl"), 1500);
}

/**
 * Does what was pressed once it is pressed again within some seconds.
 * @param {HTMLButtonElement} pressed
 * @param {() => Promise<void>} action
 */
async function confirmed(pressed, action) {
  if (pressed.dataset.sure) {
    await action();
    return;
  }
  pressed.dataset.sure = "yes";
  pressed.textContent = "Really?";
  setTimeout(() => {
    delete pressed.dataset.sure;
    pressed.textContent = "Delete";
  }, 4000);
}

/**
 * Asks for a number of steps and returns the extended job; as it was, if nothing was said.
 * @param {import("../api.js").Api} api
 * @param {import("../service").Job} job
 * @returns {Promise<import("../service").Job>}
 */
function extended(api, job) {
  return new Promise((resolve) => {
    const title = unique("extend");
    let steps = job.spec.steps;
    const input = numberInput(steps, (value) => (steps = value), { inputmode: "numeric" });
    const close = (/** @type {import("../service").Job} */ result) => {
      dialog.close();
      dialog.remove();
      resolve(result);
    };
    const more = async (/** @type {Event} */ event) => {
      event.preventDefault();
      try {
        close(await api.extend(job.id, steps));
      } catch (/** @type {any} */ problem) {
        const rest = showProblem(dialog, problem);
        general.textContent = rest.join("; ");
      }
    };
    const general = h("p", { class: "error", role: "alert" });
    const dialog = h(
      "dialog",
      { class: "key-dialog", "aria-labelledby": title, oncancel: () => close(job) },
      h(
        "form",
        { novalidate: true, onsubmit: more },
        h("h2", { id: title }, "Extend the run"),
        field({ label: "Further steps", control: input, pointer: "#/steps" }),
        general,
        h(
          "div",
          { class: "buttons" },
          h("button", { class: "primary" }, "Extend"),
          h("button", { type: "button", onclick: () => close(job) }, "Not now"),
        ),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}
