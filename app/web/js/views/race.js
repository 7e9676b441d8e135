import { h } from "../dom.js";

export class RaceView {
  title = "Race";
  element = h("div", { class: "empty" }, h("h1", null, "Race"));

  async show() {}

  hide() {}

  restyle() {}
}
