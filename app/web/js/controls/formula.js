/** Formulas in the LaTeX that the catalogue is written in, as MathML, which the browser sets. */

const MATH = "http://www.w3.org/1998/Math/MathML";
const NAMES = {
  pi: "π", alpha: "α", beta: "β", gamma: "γ", theta: "θ", lambda: "λ", mu: "μ", sigma: "σ", epsilon: "ε", varepsilon: "ε",
  phi: "φ", delta: "δ", omega: "ω", rho: "ρ", infty: "∞", ldots: "…", dots: "…", cdots: "⋯",
};
const OPERATORS = {
  cdot: "·", times: "×", le: "≤", leq: "≤", ge: "≥", geq: "≥", ne: "≠", sum: "∑", prod: "∏", lvert: "|", rvert: "|", lVert: "‖", rVert: "‖",
  "|": "‖", "{": "{", "}": "}", in: "∈", pm: "±", lfloor: "⌊", rfloor: "⌋", to: "→", colon: ":", mid: "|", vert: "|", Vert: "‖", bmod: "mod", nabla: "∇", partial: "∂",
};
const FUNCTIONS = ["sin", "cos", "tan", "exp", "log", "ln", "max", "min", "sinh", "cosh", "tanh", "arctan", "arcsin", "arccos", "sgn", "sign", "operatorname"];
const SPACES = { quad: "1em", qquad: "2em", ",": "0.17em", ";": "0.28em", ":": "0.22em", " ": "0.25em", "!": "0" };
const BRACKETS = { cases: ["{", ""], pmatrix: ["(", ")"], bmatrix: ["[", "]"], vmatrix: ["|", "|"] };
const IGNORED = new Set(["left", "right", "displaystyle", "textstyle", "limits", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "bigg", "Bigg", "biggl", "biggr"]);

/** Returns a formula as an element; what is not understood stands there as it is written. */
export function formula(latex) {
  const tokens = latex.match(/\\[a-zA-Z]+\*?|\\.|[0-9]+(?:\.[0-9]+)?|\s+|./gs)?.filter((token) => token.trim() !== "" || token === "\\ ") ?? [];
  const math = element("math", ...row(tokens));
  math.setAttribute("aria-label", latex);
  return math;
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
  if (token === "n" && tokens[0] === "e" && tokens[1] === "t") return text("mi", ["n", ...tokens.splice(0, 2)].join(""));
  if (token === "{") return element("mrow", ...row(tokens, "}"));
  if (/^[0-9]/.test(token)) return text("mn", token);
  if (/^[a-zA-Z]$/.test(token)) return text("mi", token);
  if (!token.startsWith("\\")) return token === "&" ? null : text("mo", token === "-" ? "−" : token);
  return command(token.slice(1), tokens);
}

function command(name, tokens) {
  if (name === "frac" || name === "tfrac" || name === "dfrac") return element("mfrac", argument(tokens), argument(tokens));
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
