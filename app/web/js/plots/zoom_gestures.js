/** How a plot is asked to zoom: by the wheel, by two fingers, by keys. */

const SCROLLING_MS = 300; // a page that has just scrolled goes on, although a plot has come under the pointer
const KEYS = { "+": 1 / 1.5, "=": 1 / 1.5, "-": 1.5, _: 1.5 };
const UNITS = [1, 20, 300]; // pixels that a wheel means by pixels, lines and pages
const HALVING_PIXELS = 400;
const PINCHED = 8; // the wheel that a browser makes of two fingers on a touchpad turns by this much less

/**
 * @param {HTMLElement} element has the focus when keys are for it
 * @param {Object} on
 * @param {(event: MouseEvent) => number[]|null} on.shareAt where in the plot an event is, from 0 to 1 rightwards and
 *   upwards; null outside
 * @param {(factor: number, share: number[]) => void} on.zoom by how much the window gets larger, about where
 * @param {() => void} on.whole
 */
export function listenForZoom(element, { shareAt, zoom, whole }) {
  let scrolledAt = -Infinity;
  addEventListener("scroll", (event) => (scrolledAt = event.timeStamp), { passive: true });
  element.addEventListener(
    "wheel",
    (event) => {
      const share = shareAt(event);
      if (!share || !event.deltaY || event.timeStamp - scrolledAt < SCROLLING_MS) return;
      event.preventDefault();
      const pixels = event.deltaY * UNITS[event.deltaMode] * (event.ctrlKey ? PINCHED : 1);
      zoom(2 ** (pixels / HALVING_PIXELS), share);
    },
    { passive: false },
  );
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in KEYS) zoom(KEYS[event.key], [0.5, 0.5]);
    else if (event.key === "0") whole();
    else return;
    event.preventDefault();
  });
  listenForPinch(element, shareAt, zoom);
}

function listenForPinch(element, shareAt, zoom) {
  const fingers = new Map();
  const lift = (event) => fingers.delete(event.pointerId);
  element.addEventListener("pointerdown", (event) => event.pointerType === "touch" && fingers.set(event.pointerId, event));
  element.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = between(fingers);
    fingers.set(event.pointerId, event);
    const now = between(fingers);
    const share = now && shareAt(now);
    if (share && now.distance > 0) zoom(before.distance / now.distance, share);
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) element.addEventListener(name, lift);
}

/** Returns the middle between two fingers, and how far apart they are; null unless there are two. */
function between(fingers) {
  if (fingers.size !== 2) return null;
  const [a, b] = fingers.values();
  return {
    clientX: (a.clientX + b.clientX) / 2,
    clientY: (a.clientY + b.clientY) / 2,
    distance: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY),
  };
}
