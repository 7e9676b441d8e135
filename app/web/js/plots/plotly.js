/** Plotly, as the service serves it: a classic script, fetched when the first plot wants it. */

let loading = null;

/** Returns Plotly, once it is there. */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.querySelector("script[data-plotly]").dataset.plotly;
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => {
      loading = null;
      reject(new Error("Plotly, which draws the plots, could not be loaded from the service."));
    });
    document.head.append(script);
  });
  return loading;
}

export const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  doubleClick: false,
  showTips: false,
};

const sizes = new ResizeObserver(async (entries) => {
  const Plotly = await plotly();
  for (const { target, contentRect } of entries) {
    if (target.data && contentRect.width > 0 && contentRect.height > 0) Plotly.Plots.resize(target);
  }
});

/** Keeps a plot as large as its element, whatever changes that. */
export function keepSize(plot) {
  sizes.observe(plot);
}
