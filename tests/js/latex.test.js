import assert from "node:assert/strict";
import { test } from "node:test";
import { mathOf } from "../../app/thalweg/web/js/controls/latex.js";

/** Returns a formula as MathML is written, without fences' attributes. */
function set(latex) {
  const write = ({ tag, children }) =>
    `<${tag}>${children.map((each) => (typeof each === "string" ? each : write(each))).join("")}</${tag}>`;
  return mathOf(latex).map(({ children }) => children.map(write).join(""));
}

for (const [latex, ...lines] of [
  ["x^2", "<msup><mi>x</mi><mn>2</mn></msup>"],
  ["x_i^{2}", "<msubsup><mi>x</mi><mi>i</mi><mrow><mn>2</mn></mrow></msubsup>"],
  ["x'", "<msup><mi>x</mi><mo>′</mo></msup>"],
  ["\\frac{1}{\\pi}", "<mfrac><mrow><mn>1</mn></mrow><mrow><mi>π</mi></mrow></mfrac>"],
  ["\\sqrt[3]{x}", "<mroot><mrow><mi>x</mi></mrow><mrow><mn>3</mn></mrow></mroot>"],
  ["\\sum_{i}^{n}", "<munderover><mo>∑</mo><mrow><mi>i</mi></mrow><mrow><mi>n</mi></mrow></munderover>"],
  ["f = a - b + c", "<mi>f</mi><mo>=</mo>", "<mi>a</mi>", "<mo>−</mo><mi>b</mi>", "<mo>+</mo><mi>c</mi>"],
  ["x^{-1}", "<msup><mi>x</mi><mrow><mo>−</mo><mn>1</mn></mrow></msup>"],
  ["(a - b)^2", "<msup><mrow><mo>(</mo><mi>a</mi><mo>−</mo><mi>b</mi><mo>)</mo></mrow><mn>2</mn></msup>"],
  ["\\left|x - 1\\right|", "<mrow><mo>|</mo><mi>x</mi><mo>−</mo><mn>1</mn><mo>|</mo></mrow>"],
  ["(a", "<mo>(</mo><mi>a</mi>"],
  ["{a} - {b}", "<mrow><mi>a</mi></mrow>", "<mo>−</mo><mrow><mi>b</mi></mrow>"],
  ["\\operatorname{sgn} x", "<mi>sgn</mi><mi>x</mi>"],
  ["net_j", "<msub><mi>net</mi><mi>j</mi></msub>"],
  ["\\hat y", "<mover><mi>y</mi><mo>^</mo></mover>"],
  ["\\unheard_of", "<msub><mtext>\\unheard</mtext><mi>o</mi></msub><mi>f</mi>"],
  ["\\constructor", "<mtext>\\constructor</mtext>"],
]) {
  test(`${latex} is set`, () => {
    assert.deepEqual(set(latex), lines);
  });
}

test("cases are a table with one bracket", () => {
  assert.deepEqual(set("\\begin{cases} a & b \\\\ c & d \\end{cases}"), [
    "<mrow><mo>{</mo><mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr>" +
      "<mtr><mtd><mi>c</mi></mtd><mtd><mi>d</mi></mtd></mtr></mtable><mo></mo></mrow>",
  ]);
});

test("a sign that continues a line is an operator between two things", () => {
  const [, second] = mathOf("a - b");
  assert.deepEqual(second.children[0].attributes, { form: "infix" });
});

test("brackets are as tall as what they hold", () => {
  const [line] = mathOf("[x]");
  const [open] = line.children[0].children;
  assert.deepEqual(open.attributes, { form: "prefix", fence: "true", stretchy: "true" });
});
