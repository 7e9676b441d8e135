/** Light or dark: as the system has it, until somebody says otherwise. */

const KEPT = "thalweg-theme";
/** @type {Record<string, string>} */
const NEXT = { auto: "light", light: "dark", dark: "auto" };
/** @type {Record<string, string>} */
const NAME = { auto: "system", light: "light", dark: "dark" };
/** @type {Record<string, string>} */
const SIGN = { auto: "◐", light: "☀", dark: "☾" };

/**
 * Lets a button change the theme.
 * @param {HTMLButtonElement} button
 * @param {() => void} onChange called when the page looks different
 */
export function setUpTheme(button, onChange) {
  let theme = localStorage.getItem(KEPT) ?? "auto";
  const show = () => {
    document.documentElement.dataset.theme = theme;
    button.textContent = SIGN[theme];
    button.title = `Theme: ${NAME[theme]}`;
    button.setAttribute("aria-label", `Theme: ${NAME[theme]}. Switch to ${NAME[NEXT[theme]]}.`);
    onChange();
  };
  button.addEventListener("click", () => {
    theme = NEXT[theme];
    localStorage.setItem(KEPT, theme);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}
