/** What the endpoint says to Slack: a form that opens, or words that only one person sees. Within the three seconds that Slack waits. */

const patienceMs = 2_000;

export interface Web {
  /** @returns Slack's word for what went wrong; undefined: the form is open. https://docs.slack.dev/reference/methods/views.open */
  open(token: string, triggerId: string, view: object): Promise<string | undefined>;
  /** Best effort: who does not hear it has lost nothing but words. https://docs.slack.dev/interactivity/handling-user-interaction#message_responses */
  whisper(responseUrl: string | undefined, text: string): Promise<void>;
}

/** @param outside local stack only: stands in for everything outside AWS */
export function slackWeb(outside: string | undefined): Web {
  const api = outside ? `${outside}/slack` : 'https://slack.com';
  const post = (url: string, headers: Readonly<Record<string, string>>, body: object): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(patienceMs),
    });
  return {
    async open(token, triggerId, view) {
      try {
        const response = await post(`${api}/api/views.open`, { authorization: `Bearer ${token}` }, { trigger_id: triggerId, view });
        const { ok, error } = (await response.json()) as { readonly ok?: unknown; readonly error?: unknown };
        if (ok === true) return undefined;
        return typeof error === 'string' && /^[a-z_]{1,60}$/.test(error) ? error : `status_${response.status}`;
      } catch {
        return 'no_answer';
      }
    },
    async whisper(responseUrl, text) {
      if (!responseUrl || !isSlacks(responseUrl, outside)) return;
      await post(responseUrl, {}, { response_type: 'ephemeral', replace_original: false, text }).catch(() => {});
    },
  };
}

/** Signed or not, an address in a request is not where this function sends anything, unless it is Slack's. */
export function isSlacks(address: string, outside: string | undefined): boolean {
  const url = URL.parse(address);
  if (!url || url.username || url.password) return false;
  if (outside !== undefined && url.href.startsWith(`${outside}/slack/`)) return true;
  return url.protocol === 'https:' && url.host === 'hooks.slack.com';
}
