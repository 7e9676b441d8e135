/** The page: what the views share, and which of them is shown. */

import { Api } from "./api.js";
import { Catalogue } from "./catalogue.js";
import { Thumbnails } from "./controls/thumbnail.js";
import { h, replace } from "./dom.js";
import { askKey, keptKey } from "./key_dialog.js";
import * as permalink from "./permalink.js";
import { setUpTheme } from "./theme.js";
import { JobsView } from "./views/jobs.js";
import { NetworkView } from "./views/network.js";
import { RaceView } from "./views/race.js";
import { RunView } from "./views/run.js";

const VIEWS = { run: RunView, race: RaceView, network: NetworkView, jobs: JobsView };
const LOOK_AGAIN_MS = 1500;

const content = document.querySelector("#content");
const banner = document.querySelector("#banner");
const views = new Map();
let page = null;
let shown = null;
let isConnected = true;

const api = new Api({ key: keptKey(), askKey, onConnection: connection });
setUpTheme(document.querySelector("#theme"), () => shown?.restyle());
start();

async function start() {
  try {
    page = { api, catalogue: await Catalogue.load(api), thumbnails: new Thumbnails(api) };
  } catch (error) {
    replace(content, failure(error));
    return;
  }
  addEventListener("hashchange", route);
  addEventListener("popstate", route);
  route();
}

function route() {
  const { view, values } = permalink.read();
  const name = view in VIEWS ? view : "run";
  if (route.last === location.hash && shown) return;
  route.last = location.hash;
  for (const dialog of document.querySelectorAll(".gallery-dialog[open]")) dialog.close();
  if (!views.has(name)) views.set(name, new VIEWS[name](page));
  const next = views.get(name);
  if (shown !== next) {
    shown?.hide();
    shown = next;
    replace(content, next.element);
    document.title = `${next.title} – Thalweg`;
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === `#/${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
  next.show(values);
}

/** Says when the service does not answer, and looks until it does. */
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

function failure(error) {
  return h("div", { class: "empty" }, h("h1", null, "The page could not be loaded"), h("p", null, error.message));
}
