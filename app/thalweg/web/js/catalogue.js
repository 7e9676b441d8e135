/** What the service offers, fetched once: functions, optimizers, schedules, and networks when they are wanted. */

const USUAL_WINDOW = [-5, 5];

export class Catalogue {
  #api;
  #inOtherDimensions = new Map();
  /** @type {Promise<import("./service").Offer>|null} */
  #networks = null;

  /**
   * @param {import("./api.js").Api} api
   * @param {{functions: import("./service").FunctionInfo[], optimizers: import("./service").Entry[], schedulers:
   *   import("./service").Entry[]}} listed
   */
  constructor(api, { functions, optimizers, schedulers }) {
    this.#api = api;
    this.functions = functions;
    this.optimizers = optimizers;
    this.schedulers = schedulers;
  }

  /** @param {import("./api.js").Api} api */
  static async load(api) {
    const [functions, optimizers, schedulers] = await Promise.all([
      api.functions(),
      api.optimizers(),
      api.schedulers(),
    ]);
    return new Catalogue(api, { functions, optimizers, schedulers });
  }

  /**
   * Returns what is known of a function. Raises the problem of the service where it refuses the function.
   * @param {import("./service").Reference} reference
   * @returns {Promise<import("./service").FunctionInfo>}
   */
  async about(reference) {
    if (reference.expression !== undefined) return this.#aboutFormula(reference);
    const info = this.functions.find((each) => each.name === reference.name);
    const dim = reference.dim ?? info?.dim ?? 2;
    if (info && info.dim === dim) return info;
    const key = `${reference.name}/${dim}`;
    if (!this.#inOtherDimensions.has(key)) {
      const found = this.#api.functionOf(reference.name ?? "", dim).catch((error) => {
        this.#inOtherDimensions.delete(key);
        throw error;
      });
      this.#inOtherDimensions.set(key, found);
    }
    return this.#inOtherDimensions.get(key);
  }

  /** Returns what a network can be told: its parameters, the data sets, the losses. */
  networks() {
    this.#networks ??= this.#api.networks().catch((error) => {
      this.#networks = null;
      throw error;
    });
    return this.#networks;
  }

  /** @param {import("./service").Reference} reference @returns {Promise<import("./service").FunctionInfo>} */
  async #aboutFormula(reference) {
    const { variables = [], expression, domain } = reference;
    const dim = reference.dim ?? variables.length;
    const of = (/** @type {number} */ axis) => domain?.[axis] ?? (domain?.length === 1 ? domain[0] : USUAL_WINDOW);
    const box = Array.from({ length: dim }, (_, axis) => of(axis));
    const middle = box.map(([low, high]) => (low + high) / 2);
    await this.#api.evaluate({
      function: reference,
      points: [middle.map((value) => (Number.isFinite(value) ? value : 0))],
    });
    const isNamed = dim === variables.length;
    return {
      name: null,
      title: "Your formula",
      expression,
      dim,
      any_dim: false,
      domain: box,
      minima: [],
      minimum_radius: 0,
      formula: null,
      variables: isNamed ? variables : null,
    };
  }
}

/**
 * Returns the names of the coordinates.
 * @param {{dim: number, variables?: string[]|null}} info
 * @returns {string[]}
 */
export function coordinateNames(info) {
  if (info.variables) return info.variables;
  return info.dim <= 2
    ? ["x", "y"].slice(0, info.dim)
    : Array.from({ length: info.dim }, (_, i) => `x${subscript(i)}`);
}

/** @param {number} index */
function subscript(index) {
  return [...String(index)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join("");
}
