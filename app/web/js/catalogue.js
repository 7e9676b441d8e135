/** What the service offers, fetched once: functions, optimizers, schedules. */

const USUAL_WINDOW = [-5, 5];

export class Catalogue {
  #api;
  #inOtherDimensions = new Map();

  constructor(api, { functions, optimizers, schedulers }) {
    this.#api = api;
    this.functions = functions;
    this.optimizers = optimizers;
    this.schedulers = schedulers;
  }

  static async load(api) {
    const [functions, optimizers, schedulers] = await Promise.all([api.functions(), api.optimizers(), api.schedulers()]);
    // an optimizer that moves matrices has nothing to move in a function of the catalogue
    return new Catalogue(api, { functions, optimizers, schedulers });
  }

  /** Returns what is known of a function that a job refers to. */
  async about(reference) {
    if (!reference.name) return aboutFormula(reference);
    const info = this.functions.find((each) => each.name === reference.name);
    const dim = reference.dim ?? info?.dim;
    if (info && info.dim === dim) return info;
    const key = `${reference.name}/${dim}`;
    if (!this.#inOtherDimensions.has(key)) {
      const found = this.#api.functionOf(reference.name, dim).catch((error) => {
        this.#inOtherDimensions.delete(key);
        throw error;
      });
      this.#inOtherDimensions.set(key, found);
    }
    return this.#inOtherDimensions.get(key);
  }
}

function aboutFormula(reference) {
  const variables = reference.variables ?? ["x", "y"];
  return {
    name: null,
    title: "Your formula",
    dim: variables.length,
    any_dim: false,
    domain: variables.map(() => USUAL_WINDOW),
    minima: [],
    formula: null,
    variables,
  };
}

/** Returns what the coordinates of a function are called. */
export function coordinateNames(info) {
  if (info.variables) return info.variables;
  return info.dim <= 2 ? ["x", "y"].slice(0, info.dim) : Array.from({ length: info.dim }, (_, i) => `x${subscript(i)}`);
}

function subscript(index) {
  return [...String(index)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("");
}
