/** Formulas in the LaTeX that the catalogue is written in, as MathML, which the browser sets. */

const MATH = "http://www.w3.org/1998/Math/MathML";
const NAMES = {
  pi: "π",
  alpha: "α",
  beta: "β",
  gamma: "γ",
  theta: "θ",
  lambda: "λ",
  mu: "μ",
  sigma: "σ",
  epsilon: "ε",
  varepsilon: "ε",
  phi: "φ",
  delta: "δ",
  omega: "ω",
  rho: "ρ",
  infty: "∞",
  ldots: "…",
  dots: "…",
  cdots: "⋯",
};
const OPERATORS = {
  cdot: "·",
  times: "×",
  le: "≤",
  leq: "≤",
  ge: "≥",
  geq: "≥",
  ne: "≠",
  sum: "∑",
  prod: "∏",
  lvert: "|",
  rvert: "|",
  lVert: "‖",
  rVert: "‖",
  "|": "‖",
  "{": "{",
  "}": "}",
  in: "∈",
  pm: "±",
  lfloor: "⌊",
  rfloor: "⌋",
  to: "→",
  colon: ":",
  mid: "|",
  vert: "|",
  Vert: "‖",
  bmod: "mod",
  nabla: "∇",
  partial: "∂",
};
const FUNCTIONS = [
  "sin",
  "cos",
  "tan",
  "exp",
  "log",
  "ln",
  "max",
  "min",
  "sinh",
  "cosh",
  "tanh",
  "arctan",
  "arcsin",
  "arccos",
  "sgn",
  "sign",
  "operatorname",
];
const SPACES = { quad: "1em", qquad: "2em", ",": "0.17em", ";": "0.28em", ":": "0.22em", " ": "0.25em", "!": "0" };
const BRACKETS = { cases: ["{", ""], pmatrix: ["(", ")"], bmatrix: ["[", "]"], vmatrix: ["|", "|"] };
const IGNORED = new Set([
  "left",
  "right",
  "displaystyle",
  "textstyle",
  "limits",
  "big",
  "Big",
  "bigl",
  "bigr",
  "Bigl",
  "Bigr",
  "bigg",
  "Bigg",
  "biggl",
  "biggr",
]);

const FENCES = {
  "(": ")",
  "[": "]",
  "\\{": "\\}",
  "\\lfloor": "\\rfloor",
  "\\lvert": "\\rvert",
  "\\lVert": "\\rVert",
};
const CLOSING = new Set(Object.values(FENCES));
const BARS = { "\\left": "\\lvert", "\\right": "\\rvert" };

/**
 * Returns a formula as an element, in parts between which a line may break; what is not understood stands there as it
 * is written.
 */
export function formula(latex) {
  const tokens = tokensOf(latex);
  const whole = document.createElement("span");
  whole.className = "math";
  whole.setAttribute("role", "math");
  whole.setAttribute("aria-label", latex);
  whole.append(...lines(tokens).map(line));
  return whole;
}

function line(tokens) {
  const parts = row(tokens);
  if (["+", "−"].includes(parts[0]?.textContent)) parts[0].setAttribute("form", "infix"); // it follows the line before
  return element("math", ...parts);
}

function tokensOf(latex) {
  const written = latex.match(/\\[a-zA-Z]+\*?|\\.|[0-9]+(?:\.[0-9]+)?|\s+|./gs) ?? [];
  return written
    .filter((token) => token.trim() !== "" || token === "\\ ")
    .map((token, index, all) => (token === "|" ? (BARS[all[index - 1]] ?? token) : token))
    .filter((token) => !IGNORED.has(token.slice(1)));
}

/** Cuts a formula before its outermost signs, and after its first equality and its commas. */
function lines(tokens) {
  const parts = [[]];
  let [depth, isInBars] = [0, false];
  tokens.forEach((token, index) => {
    if (token === "{" || token in FENCES || token === "\\begin") depth += 1;
    if (token === "}" || CLOSING.has(token) || token === "\\end") depth -= 1;
    if (token === "|") isInBars = !isInBars;
    const isOuter = depth === 0 && !isInBars;
    const isScript = ["^", "_"].includes(tokens[index - 1]);
    if (isOuter && "+-".includes(token) && parts.at(-1).length && !isScript) parts.push([]);
    parts.at(-1).push(token);
    if (isOuter && (token === "=" || token === "\\quad")) parts.push([]);
  });
  return parts.filter((part) => part.length > 0);
}

/** What is between two brackets, as one: a script belongs to all of it, and both brackets are as tall as it is. */
function fenced(open, tokens) {
  const inner = row(tokens, FENCES[open]);
  return element("mrow", fence(open, "prefix"), ...inner, fence(FENCES[open], "postfix"));
}

function fence(token, form) {
  const made = text("mo", OPERATORS[token.slice(1)] ?? token);
  made.setAttribute("form", form);
  made.setAttribute("fence", "true");
  made.setAttribute("stretchy", "true");
  return made;
}

/** Whether a bracket that opens here is closed, before anything ends that was opened earlier. */
function isClosed(open, tokens) {
  let depth = 1;
  let braces = 0;
  for (const token of tokens) {
    if (token === "{") braces += 1;
    if (token === "}") braces -= 1;
    if (braces < 0) return false;
    if (braces > 0) continue;
    if (token === open) depth += 1;
    if (token === FENCES[open]) depth -= 1;
    if (depth === 0) return true;
  }
  return false;
}

/** What is between two bars, as one; null if there is no second one. */
function bar(tokens) {
  const end = tokens.indexOf("|");
  if (end === -1) return null;
  const inner = row(tokens.splice(0, end));
  tokens.shift();
  return element("mrow", fence("|", "prefix"), ...inner, fence("|", "postfix"));
}

function row(tokens, end = null) {
  const out = [];
  while (tokens.length) {
    if (tokens[0] === end) {
      tokens.shift();
      break;
    }
    const token = tokens.shift();
    if (token === "^" || token === "_") out.push(scripted(out.pop() ?? element("mrow"), token, tokens));
    else if (token === "'") out.push(element("msup", out.pop() ?? element("mrow"), text("mo", "′")));
    else {
      const made = atom(token, tokens);
      if (made) out.push(made);
    }
  }
  return out;
}

function scripted(base, mark, tokens) {
  const script = argument(tokens);
  const isTall = base.tagName === "mo" && "∑∏".includes(base.textContent);
  const other = mark === "^" ? "_" : "^";
  if (tokens[0] === other) {
    tokens.shift();
    const second = argument(tokens);
    const [low, high] = mark === "_" ? [script, second] : [second, script];
    return element(isTall ? "munderover" : "msubsup", base, low, high);
  }
  if (isTall) return element(mark === "_" ? "munder" : "mover", base, script);
  return element(mark === "_" ? "msub" : "msup", base, script);
}

function argument(tokens) {
  const token = tokens.shift();
  if (token === undefined) return element("mrow");
  return token === "{" ? element("mrow", ...row(tokens, "}")) : (atom(token, tokens) ?? element("mrow"));
}

function atom(token, tokens) {
  if (token === "n" && tokens[0] === "e" && tokens[1] === "t")
    return text("mi", ["n", ...tokens.splice(0, 2)].join(""));
  if (token === "{") return element("mrow", ...row(tokens, "}"));
  if (token in FENCES && isClosed(token, tokens)) return fenced(token, tokens);
  if (token === "|") return bar(tokens) ?? text("mo", "|");
  if (/^[0-9]/.test(token)) return text("mn", token);
  if (/^[a-zA-Z]$/.test(token)) return text("mi", token);
  if (!token.startsWith("\\")) return token === "&" ? null : text("mo", token === "-" ? "−" : token);
  return command(token.slice(1), tokens);
}

function command(name, tokens) {
  if (name === "frac" || name === "tfrac" || name === "dfrac")
    return element("mfrac", argument(tokens), argument(tokens));
  if (name === "sqrt") return root(tokens);
  if (["text", "mathrm", "operatorname", "mathit", "mathbf", "textrm"].includes(name)) {
    const inner = argument(tokens);
    return text(name === "operatorname" || name === "mathrm" ? "mi" : "mtext", inner.textContent);
  }
  if (name === "begin") return environment(tokens);
  if (name === "\\") return space("1em");
  if (name in NAMES) return text("mi", NAMES[name]);
  if (name in OPERATORS) return text("mo", OPERATORS[name]);
  if (FUNCTIONS.includes(name)) return text("mi", name);
  if (name in SPACES) return space(SPACES[name]);
  if (name === "bar" || name === "hat" || name === "vec" || name === "overline") {
    return element("mover", argument(tokens), text("mo", name === "hat" ? "^" : "¯"));
  }
  return IGNORED.has(name) ? null : text("mtext", `\\${name}`);
}

/** What is between \begin and \end, as a table in its brackets. */
function environment(tokens) {
  const [open, close] = BRACKETS[argument(tokens).textContent] ?? ["", ""];
  const end = tokens.indexOf("\\end");
  const inner = tokens.splice(0, end === -1 ? tokens.length : end);
  tokens.shift();
  argument(tokens);
  const table = element("mtable");
  for (const line of split(inner, "\\\\")) {
    table.append(element("mtr", ...split(line, "&").map((cell) => element("mtd", ...row(cell)))));
  }
  table.setAttribute("columnalign", "left");
  return element("mrow", text("mo", open), table, text("mo", close));
}

function split(tokens, mark) {
  const parts = [[]];
  for (const token of tokens) {
    if (token === mark) parts.push([]);
    else parts.at(-1).push(token);
  }
  return parts.filter((part) => part.length > 0);
}

function root(tokens) {
  if (tokens[0] !== "[") return element("msqrt", argument(tokens));
  tokens.shift();
  const index = element("mrow", ...row(tokens, "]"));
  return element("mroot", argument(tokens), index);
}

function space(width) {
  const made = element("mspace");
  made.setAttribute("width", width);
  return made;
}

function text(tag, content) {
  const made = element(tag);
  made.textContent = content;
  return made;
}

function element(tag, ...children) {
  const made = document.createElementNS(MATH, tag);
  made.append(...children);
  return made;
}
