/** Where Plotly has put the axes of a plot: between values and pixels of its element. */
export class Axes {
  #plot;

  /** @param {HTMLElement} plot an element that Plotly has drawn into */
  constructor(plot) {
    this.#plot = plot;
  }

  /** The inside of the axes, in pixels; null before the first drawing. */
  get box() {
    const { xaxis: x, yaxis: y } = this.#plot._fullLayout ?? {};
    if (!x?._length) return null;
    return { left: x._offset, top: y._offset, width: x._length, height: y._length };
  }

  toPixel(x, y) {
    const { xaxis, yaxis } = this.#plot._fullLayout;
    return [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)];
  }

  /** Returns the values at a place on the screen, or null outside of the axes. */
  at(event) {
    const inside = this.#inside(event);
    if (!inside) return null;
    const { xaxis, yaxis } = this.#plot._fullLayout;
    const { left, top, box } = inside;
    return { x: xaxis.p2d(left), y: yaxis.p2d(top), pixel: [left + box.left, top + box.top] };
  }

  /** Returns where a place on the screen is, from 0 to 1 rightwards and upwards, or null outside of the axes. */
  shareAt(event) {
    const inside = this.#inside(event);
    return inside && [inside.left / inside.box.width, 1 - inside.top / inside.box.height];
  }

  #inside(event) {
    const box = this.box;
    if (!box) return null;
    const frame = this.#plot.getBoundingClientRect();
    const [left, top] = [event.clientX - frame.left - box.left, event.clientY - frame.top - box.top];
    if (left < 0 || top < 0 || left > box.width || top > box.height) return null;
    return { left, top, box };
  }
}
