import { h } from "../dom.js";

export class NetworkView {
  title = "Network";
  element = h("div", { class: "empty" }, h("h1", null, "Network"));

  async show() {}

  hide() {}

  restyle() {}
}
