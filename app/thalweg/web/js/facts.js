/**
 * What the service's own pictures and the page draw alike, as the service says it in the document.
 * @typedef {Object} Facts
 * @property {{heights: string[], paths: string[], nowhere: string, ink: string, gap: string}} colors as #rrggbb
 * @property {{most: number, resolved: number, tick_room: number, n_linear_ticks: number, roundest_first: number[][],
 *   few: number}} heights
 * @property {{plain_from: number, plain_to: number, digits: number, least_step: number}} numbers
 * @property {{most_paths: number, ground_points: number, line_points: number, most_held: number, in_plane: number,
 *   elevation: number, azimuth: number, n_bands: number, away: number, most_unequal: number}} picture
 */

/** @type {Facts} */
export const FACTS = JSON.parse(document.querySelector("#facts")?.textContent ?? "null");
