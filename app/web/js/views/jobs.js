import { h } from "../dom.js";

export class JobsView {
  title = "Jobs";
  element = h("div", { class: "empty" }, h("h1", null, "Jobs"));

  async show() {}

  hide() {}

  restyle() {}
}
