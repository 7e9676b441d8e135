/** What a plot takes from the page's style: read anew when the theme changes. */
export function look() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    soft: of("--ink-soft"),
    line: of("--line"),
    font: { family: of("--sans"), size: 12, color: of("--ink-soft") },
  };
}
