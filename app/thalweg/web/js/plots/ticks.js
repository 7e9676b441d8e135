/**
 * The round values at which an axis is marked, with their text.
 * @typedef {{at: number[], text: string[]}} Ticks
 */

import { FACTS } from "../facts.js";

/** @type {Record<string, string>} */
const SUPERSCRIPTS = { "-": "⁻", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].map((sign, digit) => [digit, sign])) };
const { plain_from: PLAIN_FROM, plain_to: PLAIN_TO, digits: DIGITS, least_step: LEAST_STEP } = FACTS.numbers;

/**
 * Returns at most about `n` multiples of 1, 2 or 5 times a power of ten between two values.
 * @param {number} low
 * @param {number} high
 * @param {number} n
 * @returns {Ticks}
 */
export function ticks(low, high, n) {
  const least = high / n - low / n; // the width alone may be too large for a number
  if (!(least > LEAST_STEP)) return marked(high > low ? [low, high] : [low]);
  const power = 10 ** Math.floor(Math.log10(least));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= least * (1 - 1e-9)) ?? 10 * power;
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return marked(
    Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12))),
  );
}

/**
 * Returns where a logarithmic axis is marked between two powers of ten: at every so many whole decades; where
 * there are too few of them, at 1, 2 and 5 in each, or at other round values.
 * @param {number} low
 * @param {number} high
 * @param {number} n
 * @returns {Ticks}
 */
export function logTicks(low, high, n) {
  const [first, last] = [Math.ceil(low - 1e-9), Math.floor(high + 1e-9)];
  if (last - first >= 2) {
    const every = [1, 2, 5, 10, 20, 50, 100].find((each) => (last - first) / each <= n) ?? 200;
    const from = Math.ceil(first / every) * every;
    const at = Array.from({ length: Math.floor((last - from) / every) + 1 }, (_, index) => from + index * every);
    return { at, text: at.map(powerOfTen) };
  }
  const within = (/** @type {number} */ value) =>
    Math.log10(value) >= low - 1e-9 && Math.log10(value) <= high + 1e-9;
  const values = Array.from({ length: last - first + 3 }, (_, index) => first - 1 + index)
    .flatMap((power) => [1, 2, 5].map((factor) => Number(`${factor}e${power}`)))
    .filter(within);
  const shown = values.length >= 3 ? values : ticks(10 ** low, 10 ** high, n).at;
  return { at: shown.map(Math.log10), text: shown.map(textOf) };
}

/**
 * Returns a number as text: plain, or as a multiple of a power of ten where it is very large or small.
 * @param {number} value
 */
export function textOf(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= PLAIN_FROM && size < PLAIN_TO) return String(Number(value.toPrecision(DIGITS))).replace("-", "−");
  const [factor, power] = Number(value.toPrecision(DIGITS)).toExponential().split("e");
  const ten = powerOfTen(Number(power));
  return (Math.abs(Number(factor)) === 1 ? factor.replace("1", ten) : `${factor}·${ten}`).replace("-", "−");
}

/** Returns 10ⁿ as text. @param {number} power */
export function powerOfTen(power) {
  if (power === 0 || power === 1) return power ? "10" : "1";
  return `10${[...String(power)].map((sign) => SUPERSCRIPTS[sign]).join("")}`;
}

/** @param {number[]} values */
function marked(values) {
  return { at: values, text: values.map(textOf) };
}
