/** The page: what the views share, and the routing between them. */

import { Api } from "./api.js";
import { Catalogue } from "./catalogue.js";
import { DeadEnd, LESSON } from "./controls/dead_end.js";
import { Thumbnails } from "./controls/thumbnail.js";
import { h, replace } from "./dom.js";
import { askKey, keptKey } from "./key_dialog.js";
import * as permalink from "./permalink.js";
import { setUpTheme } from "./theme.js";
import { JobsView } from "./views/jobs.js";
import { NetworkView } from "./views/network.js";
import { RaceView } from "./views/race.js";
import { RunView } from "./views/run.js";

/** @type {Record<string, new (page: any) => any>} */
const VIEWS = { run: RunView, race: RaceView, network: NetworkView, jobs: JobsView };
const LOOK_AGAIN_MS = 1500;

const content = /** @type {HTMLElement} */ (document.querySelector("#content"));
const banner = /** @type {HTMLElement} */ (document.querySelector("#banner"));
const themeButton = /** @type {HTMLButtonElement} */ (document.querySelector("#theme"));
const views = new Map();
/** @type {{api: Api, catalogue: Catalogue, thumbnails: Thumbnails}|null} */
let page = null;
/** @type {any} */
let shown = null;
let isConnected = true;

const api = new Api({ key: keptKey(), askKey, onConnection: connection });
setUpTheme(themeButton, () => shown?.restyle());
start();

async function start() {
  try {
    page = { api, catalogue: await Catalogue.load(api), thumbnails: new Thumbnails(api) };
  } catch (/** @type {any} */ error) {
    replace(content, failure(error));
    return;
  }
  addEventListener("popstate", route); // it comes with every change of the address that is not made here
  route();
}

/** Shows the view that the address names: as it was left if the address has no values, else with those values. */
function route() {
  const { view, values } = permalink.read();
  const name = view === "" ? "run" : view;
  const galleries = document.querySelectorAll(".gallery-dialog[open]");
  for (const dialog of /** @type {NodeListOf<HTMLDialogElement>} */ (galleries)) dialog.close();
  const isNew = !views.has(name);
  if (isNew) views.set(name, Object.hasOwn(VIEWS, name) ? new VIEWS[name](page) : new NoView());
  const next = views.get(name);
  if (shown !== next) {
    shown?.hide();
    shown = next;
    replace(content, next.element);
    document.title = `${next.title} – Thalweg`;
    for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("nav a"))) {
      if (link.hash === `#/${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
  const isBare = view !== "" && Object.keys(values).length === 0;
  if (!isNew && (isBare || next.hash === location.hash)) next.resume();
  else next.show(values);
}

/** Says when the service does not answer, and looks until it does. @param {boolean} connected */
function connection(connected) {
  if (connected === isConnected) return;
  isConnected = connected;
  banner.hidden = connected;
  banner.textContent = connected ? "" : "The service does not answer. What is shown may be old; trying again …";
  if (connected) shown?.reconnect?.();
  else lookAgain();
}

async function lookAgain() {
  while (!isConnected) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    try {
      if ((await fetch("healthz")).ok) {
        connection(true);
        if (!page) start();
      }
    } catch {
      // still away
    }
  }
}

/** What is shown where an address names no view. */
class NoView {
  title = "Not found";
  hash = null;
  #deadEnd = new DeadEnd();
  element = h("div", null, this.#deadEnd.element);

  show() {
    this.#deadEnd.update({ title: "There is no such page", text: "The link may be misspelt.", ways: [LESSON] });
  }

  resume() {}

  hide() {}

  restyle() {}
}

/** @param {Error} error */
function failure(error) {
  return h("div", { class: "empty" }, h("h1", null, "The page could not be loaded"), h("p", null, error.message));
}
