/** A cache of one value for each name, valid while its parts are the same objects. */
export class Memory {
  /** @type {Map<string, {parts: unknown[], made: any}>} */
  #made = new Map();

  /**
   * Returns what was made last time if its parts are the same, or makes it.
   * @template Made
   * @param {string} name
   * @param {unknown[]} parts
   * @param {() => Made} make
   * @returns {Made}
   */
  once(name, parts, make) {
    const known = this.#made.get(name);
    if (known?.parts.length === parts.length && parts.every((part, index) => part === known.parts[index]))
      return known.made;
    const made = make();
    this.#made.set(name, { parts, made });
    return made;
  }
}
