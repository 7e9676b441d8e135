/**
 * What the address says after its `#`: the view, and everything that it needs to be shown again.
 * Values are JSON, except for strings, which stand there as they are.
 */

/**
 * Returns the view and the values that the address names now.
 * @param {string} [hash]
 * @returns {{view: string, values: Record<string, any>}}
 */
export function read(hash = location.hash) {
  const [, view = "", query = ""] = /^#?\/?([a-z]*)\??(.*)$/s.exec(hash) ?? [];
  /** @type {Record<string, any>} */
  const values = {};
  for (const part of query.split("&").filter(Boolean)) {
    const [name, ...rest] = part.split("=");
    values[decoded(name)] = parsed(decoded(rest.join("=")));
  }
  return { view, values };
}

/**
 * Returns the address of a view with these values; what is null is left out.
 * @param {string} view
 * @param {Record<string, unknown>} values
 */
export function hashOf(view, values) {
  const query = Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${encoded(typeof value === "string" ? value : JSON.stringify(value))}`);
  return `#/${view}${query.length ? `?${query.join("&")}` : ""}`;
}

/**
 * Puts an address into the history: in place of the present one, or as a new entry.
 * @param {string} view
 * @param {Record<string, unknown>} values
 * @param {{push?: boolean}} [options]
 */
export function write(view, values, { push = false } = {}) {
  const hash = hashOf(view, values);
  if (hash === location.hash) return;
  history[push ? "pushState" : "replaceState"](null, "", hash);
}

/** A "+" stays one: formulas have them, also in links that somebody typed. @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {string} text */
function parsed(text) {
  if (!/^[[{\-\d"tfn]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @param {string} text */
function encoded(text) {
  // readable where it may be: the characters of JSON do no harm after a "#"
  return encodeURIComponent(text).replace(/%(2C|3A|5B|5D|7B|7D|22)/g, (code) =>
    code === "%22" ? code : decodeURIComponent(code),
  );
}
