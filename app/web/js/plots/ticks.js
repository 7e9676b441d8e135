/** Where an axis is marked: at about so many round values between two, with their text. */
export function ticks(low, high, n) {
  if (!(high > low)) return { at: [low], text: [textOf(low, 0)] };
  const least = (high - low) / n;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= least * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const at = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return { at, text: at.map((value) => textOf(value, decimals)) };
}

/** Where a logarithmic axis is marked between two powers of ten: at whole decades, or where there is none, as any other. */
export function decades(low, high, n) {
  const marked = ticks(low, high, n);
  const every = Math.ceil(marked.at.length > 1 ? marked.at[1] - marked.at[0] : 1);
  const first = Math.ceil(low / every);
  const at = Array.from({ length: Math.floor(high / every) - first + 1 }, (_, index) => (first + index) * every);
  if (at.length > 1) return { at, text: at.map(powerOfTen) };
  return { at: marked.at, text: marked.at.map((power) => String(Number((10 ** power).toPrecision(3)))) };
}

function powerOfTen(power) {
  if (power === 0 || power === 1) return power ? "10" : "1";
  return `10${[...String(power)].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign])).join("")}`;
}

function textOf(value, decimals) {
  const size = Math.abs(value);
  const text = size >= 1e5 || decimals > 5 ? value.toExponential(1).replace(".0", "").replace("e+", "e") : value.toFixed(decimals);
  return text.replaceAll("-", "−");
}
