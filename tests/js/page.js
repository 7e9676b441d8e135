/** Stands for the document, which holds the facts that the service says. */

import { readFileSync } from "node:fs";

const facts = readFileSync(new URL("written/facts.json", import.meta.url), "utf8");
globalThis.document = { querySelector: (selector) => (selector === "#facts" ? { textContent: facts } : null) };
