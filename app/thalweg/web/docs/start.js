/** The reference of the API: Swagger UI on the service's own description, in the theme of the page. */

const chosen = localStorage.getItem("thalweg-theme") ?? "auto";
const system = matchMedia("(prefers-color-scheme: dark)");

function setTheme() {
  const isDark = chosen === "dark" || (chosen === "auto" && system.matches);
  document.documentElement.classList.toggle("dark-mode", isDark);
}

system.addEventListener("change", setTheme);
setTheme();
window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null, // it would send the description elsewhere
});
