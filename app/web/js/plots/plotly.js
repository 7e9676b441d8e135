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
  responsive: true,
  doubleClick: false,
  showTips: false,
};

/** What a plot takes from the page's style: read anew when the theme changes. */
export function look() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    ink: of("--ink"),
    soft: of("--ink-soft"),
    line: of("--line"),
    paper: of("--paper"),
    font: { family: of("--sans"), size: 12, color: of("--ink-soft") },
  };
}
