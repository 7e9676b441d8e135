/** Remembers what was made last, by name, so that who draws it sees that it is the same. */
export class Memory {
  #made = new Map();

  /** Returns what was made from the same parts before, or makes it. */
  once(name, parts, make) {
    const known = this.#made.get(name);
    if (known?.parts.length === parts.length && parts.every((part, index) => part === known.parts[index]))
      return known.made;
    const made = make();
    this.#made.set(name, { parts, made });
    return made;
  }
}
