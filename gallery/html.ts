/** Text for HTML. Pure. */
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character]!);

/** Only addresses that a browser may open; whatever else is shown, and leads nowhere. */
export const anchor = (url: string, label: string): string =>
  /^https:\/\//.test(url) ? `<a href="${escaped(url)}">${escaped(label)}</a>` : escaped(`${label} (${url})`);
