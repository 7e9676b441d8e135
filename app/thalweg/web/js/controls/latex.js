/**
 * Formulas in the LaTeX that the catalogue is written in, as a tree of MathML.
 * @typedef {{tag: string, attributes: Record<string, string>, children: Array<Node|string>}} Node
 */

const NAMES = table(
  "pi π alpha α beta β gamma γ theta θ lambda λ mu μ sigma σ epsilon ε varepsilon ε phi φ delta δ omega ω rho ρ " +
    "infty ∞ ldots … dots … cdots ⋯",
);
const OPERATORS = table(
  "cdot · times × le ≤ leq ≤ ge ≥ geq ≥ ne ≠ sum ∑ prod ∏ lvert | rvert | lVert ‖ rVert ‖ | ‖ { { } } in ∈ pm ± " +
    "lfloor ⌊ rfloor ⌋ to → colon : mid | vert | Vert ‖ bmod mod nabla ∇ partial ∂",
);
const FUNCTIONS = new Set(
  "sin cos tan exp log ln max min sinh cosh tanh arctan arcsin arccos sgn sign operatorname".split(" "),
);
/** @type {Record<string, string>} */
const SPACES = { quad: "1em", qquad: "2em", ",": "0.17em", ";": "0.28em", ":": "0.22em", " ": "0.25em", "!": "0" };
/** @type {Record<string, [string, string]>} */
const BRACKETS = { cases: ["{", ""], pmatrix: ["(", ")"], bmatrix: ["[", "]"], vmatrix: ["|", "|"] };
const IGNORED = new Set(
  "left right displaystyle textstyle limits big Big bigl bigr Bigl Bigr bigg Bigg biggl biggr".split(" "),
);
const FRACTIONS = new Set(["frac", "tfrac", "dfrac"]);
const TEXTS = new Set(["text", "mathrm", "operatorname", "mathit", "mathbf", "textrm"]);
const ACCENTS = new Set(["bar", "hat", "vec", "overline"]);

/** @type {Record<string, string>} */
const FENCES = {
  "(": ")",
  "[": "]",
  "\\{": "\\}",
  "\\lfloor": "\\rfloor",
  "\\lvert": "\\rvert",
  "\\lVert": "\\rVert",
};
const CLOSING = new Set(Object.values(FENCES));
/** @type {Record<string, string>} */
const BARS = { "\\left": "\\lvert", "\\right": "\\rvert" };

/**
 * Returns a formula as `math` elements, between which a line may break. What is not understood is shown as it is
 * written.
 * @param {string} latex
 */
export function mathOf(latex) {
  return lines(tokensOf(latex)).map(line);
}

/** @param {string} pairs names and what they stand for, in turn @returns {Record<string, string>} */
function table(pairs) {
  const words = pairs.split(" ");
  return Object.fromEntries(words.flatMap((word, index) => (index % 2 ? [] : [[word, words[index + 1]]])));
}

/** @param {string[]} tokens */
function line(tokens) {
  const parts = row(tokens);
  if (parts.length && ["+", "−"].includes(contentOf(parts[0]))) parts[0].attributes.form = "infix"; // it continues the line before
  return element("math", ...parts);
}

/** @param {string} latex @returns {string[]} */
function tokensOf(latex) {
  const written = latex.match(/\\[a-zA-Z]+\*?|\\.|[0-9]+(?:\.[0-9]+)?|\s+|./gs) ?? [];
  return written
    .filter((token) => token.trim() !== "" || token === "\\ ")
    .map((token, index, all) => (token === "|" ? (BARS[all[index - 1]] ?? token) : token))
    .filter((token) => !IGNORED.has(token.slice(1)));
}

/** Cuts a formula before its outermost signs and after its equalities and spaces. @param {string[]} tokens */
function lines(tokens) {
  /** @type {string[][]} */
  const parts = [[]];
  let [depth, isInBars] = [0, false];
  tokens.forEach((token, index) => {
    if (token === "{" || Object.hasOwn(FENCES, token) || token === "\\begin") depth += 1;
    if (token === "}" || CLOSING.has(token) || token === "\\end") depth -= 1;
    if (token === "|") isInBars = !isInBars;
    const isOuter = depth === 0 && !isInBars;
    const isScript = ["^", "_"].includes(tokens[index - 1]);
    if (isOuter && "+-".includes(token) && parts[parts.length - 1].length && !isScript) parts.push([]);
    parts[parts.length - 1].push(token);
    if (isOuter && (token === "=" || token === "\\quad")) parts.push([]);
  });
  return parts.filter((part) => part.length > 0);
}

/**
 * Returns a bracketed group: a script belongs to all of it, and both brackets are as tall as it is.
 * @param {string} open
 * @param {string[]} tokens
 */
function fenced(open, tokens) {
  const inner = row(tokens, FENCES[open]);
  return element("mrow", fence(open, "prefix"), ...inner, fence(FENCES[open], "postfix"));
}

/** @param {string} token @param {"prefix"|"postfix"} form */
function fence(token, form) {
  const made = text("mo", OPERATORS[token.slice(1)] ?? token);
  made.attributes = { form, fence: "true", stretchy: "true" };
  return made;
}

/** Whether a bracket is closed before an enclosing group ends. @param {string} open @param {string[]} tokens */
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

/** Returns a group between two bars; null if the second is missing. @param {string[]} tokens */
function bar(tokens) {
  const end = tokens.indexOf("|");
  if (end === -1) return null;
  const inner = row(tokens.splice(0, end));
  tokens.shift();
  return element("mrow", fence("|", "prefix"), ...inner, fence("|", "postfix"));
}

/** Takes tokens up to `end` away, as elements. @param {string[]} tokens @param {string|null} [end] */
function row(tokens, end = null) {
  /** @type {Node[]} */
  const out = [];
  for (let token = tokens.shift(); token !== undefined && token !== end; token = tokens.shift()) {
    if (token === "^" || token === "_") out.push(scripted(out.pop() ?? element("mrow"), token, tokens));
    else if (token === "'") out.push(element("msup", out.pop() ?? element("mrow"), text("mo", "′")));
    else {
      const made = atom(token, tokens);
      if (made) out.push(made);
    }
  }
  return out;
}

/** @param {Node} base @param {string} mark "^" or "_" @param {string[]} tokens */
function scripted(base, mark, tokens) {
  const script = argument(tokens);
  const isTall = base.tag === "mo" && "∑∏".includes(contentOf(base));
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

/** Takes one token or one group away. @param {string[]} tokens @returns {Node} */
function argument(tokens) {
  const token = tokens.shift();
  if (token === undefined) return element("mrow");
  return token === "{" ? element("mrow", ...row(tokens, "}")) : (atom(token, tokens) ?? element("mrow"));
}

/** @param {string} token @param {string[]} tokens that follow @returns {Node|null} */
function atom(token, tokens) {
  if (token === "n" && tokens[0] === "e" && tokens[1] === "t")
    return text("mi", ["n", ...tokens.splice(0, 2)].join(""));
  if (token === "{") return element("mrow", ...row(tokens, "}"));
  if (Object.hasOwn(FENCES, token) && isClosed(token, tokens)) return fenced(token, tokens);
  if (token === "|") return bar(tokens) ?? text("mo", "|");
  if (/^[0-9]/.test(token)) return text("mn", token);
  if (/^[a-zA-Z]$/.test(token)) return text("mi", token);
  if (!token.startsWith("\\")) return token === "&" ? null : text("mo", token === "-" ? "−" : token);
  return command(token.slice(1), tokens);
}

/** @param {string} name @param {string[]} tokens that follow @returns {Node|null} */
function command(name, tokens) {
  if (FRACTIONS.has(name)) return element("mfrac", argument(tokens), argument(tokens));
  if (name === "sqrt") return root(tokens);
  if (TEXTS.has(name)) {
    const inner = argument(tokens);
    return text(name === "operatorname" || name === "mathrm" ? "mi" : "mtext", contentOf(inner));
  }
  if (name === "begin") return environment(tokens);
  if (name === "\\") return space("1em");
  if (Object.hasOwn(NAMES, name)) return text("mi", NAMES[name]);
  if (Object.hasOwn(OPERATORS, name)) return text("mo", OPERATORS[name]);
  if (FUNCTIONS.has(name)) return text("mi", name);
  if (Object.hasOwn(SPACES, name)) return space(SPACES[name]);
  if (ACCENTS.has(name)) {
    return element("mover", argument(tokens), text("mo", name === "hat" ? "^" : "¯"));
  }
  return IGNORED.has(name) ? null : text("mtext", `\\${name}`);
}

/** Returns an environment as a table in its brackets. @param {string[]} tokens */
function environment(tokens) {
  const [open, close] = BRACKETS[contentOf(argument(tokens))] ?? ["", ""];
  const end = tokens.indexOf("\\end");
  const inner = tokens.splice(0, end === -1 ? tokens.length : end);
  tokens.shift();
  argument(tokens);
  const rows = split(inner, "\\\\").map((each) =>
    element("mtr", ...split(each, "&").map((cell) => element("mtd", ...row(cell)))),
  );
  const table = element("mtable", ...rows);
  table.attributes.columnalign = "left";
  return element("mrow", text("mo", open), table, text("mo", close));
}

/** @param {string[]} tokens @param {string} mark */
function split(tokens, mark) {
  /** @type {string[][]} */
  const parts = [[]];
  for (const token of tokens) {
    if (token === mark) parts.push([]);
    else parts[parts.length - 1].push(token);
  }
  return parts.filter((part) => part.length > 0);
}

/** @param {string[]} tokens */
function root(tokens) {
  if (tokens[0] !== "[") return element("msqrt", argument(tokens));
  tokens.shift();
  const index = element("mrow", ...row(tokens, "]"));
  return element("mroot", argument(tokens), index);
}

/** @param {string} width */
function space(width) {
  const made = element("mspace");
  made.attributes.width = width;
  return made;
}

/** @param {string} tag @param {string} content */
function text(tag, content) {
  return element(tag, content);
}

/** @param {string} tag @param {Array<Node|string>} children @returns {Node} */
function element(tag, ...children) {
  return { tag, attributes: {}, children };
}

/** Returns the text in a tree. @param {Node|string} node @returns {string} */
function contentOf(node) {
  return typeof node === "string" ? node : node.children.map(contentOf).join("");
}
