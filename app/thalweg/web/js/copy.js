/** Puts text on the clipboard, also where the page is not served in a secure context. @param {string} text */
export async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/**
 * Returns the command that posts a job, as a line for a POSIX shell.
 * @param {Object} spec
 * @param {{origin: string, withKey: boolean}} service
 */
export function curlLine(spec, { origin, withKey }) {
  const quoted = (/** @type {string} */ text) => `'${text.replaceAll("'", "'\\''")}'`;
  const key = withKey ? ` -H "Authorization: Bearer $THALWEG_KEY"` : "";
  return `curl -sS ${origin}/v1/jobs -H 'Content-Type: application/json'${key} -d ${quoted(JSON.stringify(spec))}`;
}

/** Lets the browser save a file. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
