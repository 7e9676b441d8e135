/** The form of a job. */

import { h, instead } from "../dom.js";
import { choice, field, numberInput } from "./field.js";
import { MethodForm } from "./method_form.js";
import { Starts } from "./starts.js";

export class JobForm {
  #picker;
  #method;
  #starts;
  #onChange;
  #steps;
  #dtype;
  /** @type {Record<string, HTMLInputElement>} */
  #more = {};
  /** @type {any} */
  #spec = null;

  /**
   * @param {Object} options
   * @param {import("./function_picker.js").FunctionPicker} options.picker
   * @param {import("../service").Methods} options.catalogue
   * @param {(patch: Object) => void} options.onChange given the changed fields
   * @param {() => void} options.onRun
   * @param {HTMLElement} options.foot what stands below: the button and the progress
   */
  constructor({ picker, catalogue, onChange, onRun, foot }) {
    this.#picker = picker;
    this.#onChange = onChange;
    this.#method = new MethodForm(catalogue, onChange);
    this.#starts = new Starts((init) => onChange({ init }));
    this.#steps = numberInput(null, (steps) => onChange({ steps }), { inputmode: "numeric", required: true });
    this.#dtype = choice(
      [
        ["float64", "float64"],
        ["float32", "float32"],
      ],
      "float64",
      (dtype) => onChange({ dtype }),
    );
    this.element = h(
      "form",
      { class: "job-form", novalidate: true, "aria-label": "Run settings", onsubmit: instead(onRun) },
      h("fieldset", null, h("legend", null, "Function"), picker.element),
      this.#starts.element,
      h(
        "fieldset",
        null,
        h("legend", null, "Method"),
        this.#method.element,
        field({ label: "Steps", control: this.#steps, pointer: "#/steps" }),
        this.#moreFields(),
      ),
      foot,
    );
  }

  /**
   * Shows the specification of a job.
   * @param {import("../service").FunctionInfo|null} info about its function; null if there is none
   * @param {any} spec
   */
  update(info, spec) {
    this.#spec = spec;
    this.#picker.update(info, spec.function);
    this.#starts.element.hidden = !info;
    if (info) this.#starts.update(info, spec.init);
    this.#method.update(spec);
    put(this.#steps, spec.steps);
    this.#dtype.value = spec.dtype ?? "float64";
    put(this.#more.stopSlope, spec.stop?.grad_norm);
    put(this.#more.stopValue, spec.stop?.f);
    put(this.#more.clip, spec.clip_grad_norm);
    put(this.#more.noise, spec.gradient_noise?.std);
    put(this.#more.seed, spec.gradient_noise?.seed);
    put(this.#more.every, spec.record_every === 1 ? null : spec.record_every);
    put(this.#more.label, spec.label);
  }

  #moreFields() {
    const part = (/** @type {string} */ name, /** @type {string} */ key, /** @type {any} */ value) => {
      const { [key]: _, ...others } = this.#spec[name] ?? {};
      const all = value === null ? others : { ...others, [key]: value };
      this.#onChange({ [name]: Object.keys(all).length ? all : null });
    };
    const more = this.#more;
    more.stopSlope = numberInput(null, (value) => part("stop", "grad_norm", value));
    more.stopValue = numberInput(null, (value) => part("stop", "f", value));
    more.clip = numberInput(null, (value) => this.#onChange({ clip_grad_norm: value }));
    more.noise = numberInput(null, (value) => part("gradient_noise", "std", value));
    more.seed = numberInput(null, (value) => part("gradient_noise", "seed", value), { inputmode: "numeric" });
    more.every = numberInput(null, (value) => this.#onChange({ record_every: value }), {
      placeholder: "1",
      inputmode: "numeric",
    });
    more.label = h("input", {
      type: "text",
      autocomplete: "off",
      onchange: (event) => this.#onChange({ label: event.target.value || null }),
    });
    return h(
      "details",
      null,
      h("summary", null, "More"),
      field({ label: "Precision", control: this.#dtype, pointer: "#/dtype" }),
      field({ label: "Stop when ‖∇f‖ falls to", control: more.stopSlope, pointer: "#/stop/grad_norm" }),
      field({ label: "Stop when f falls to", control: more.stopValue, pointer: "#/stop/f" }),
      field({ label: "Clip gradient norm at", control: more.clip, pointer: "#/clip_grad_norm" }),
      field({ label: "Gradient noise, standard deviation", control: more.noise, pointer: "#/gradient_noise/std" }),
      field({ label: "Noise seed", control: more.seed, pointer: "#/gradient_noise/seed" }),
      field({
        label: "Record every",
        control: more.every,
        hint: "Steps between recorded points.",
        pointer: "#/record_every",
      }),
      field({ label: "Label", control: more.label, pointer: "#/label" }),
    );
  }
}

/** @param {HTMLInputElement} input @param {any} value */
function put(input, value) {
  if (input !== document.activeElement) input.value = value ?? "";
}
