/** Lines as the `d` of an SVG path, to a tenth of a pixel. */

const FAR = 9999; // pixels; beyond, browsers draw nothing reliably

/** Returns a line in parts. @param {number[][][]} parts */
export function partsOutline(parts) {
  return parts.map((part) => `M${part.map(written).join("L")}`).join("");
}

/** Returns a graph, interrupted where a place is null. @param {Array<number[]|null>} places */
export function graphOutline(places) {
  let pen = "M";
  return places
    .map((place) => {
      const outline = place ? `${pen}${written(place)}` : "";
      pen = place ? "L" : "M";
      return outline;
    })
    .join("");
}

/** @param {number[]} place */
function written(place) {
  return place.slice(0, 2).map((pixel) => Math.round(Math.min(Math.max(pixel, -FAR), FAR) * 10) / 10);
}
