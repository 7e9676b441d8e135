/**
 * Returns a value that cannot be missing any more; raises where it is.
 * @template Value
 * @param {Value} value
 * @returns {NonNullable<Value>}
 */
export function given(value) {
  if (value === null || value === undefined) throw new Error("Something was used before it was there.");
  return value;
}
