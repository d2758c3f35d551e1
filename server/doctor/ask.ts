export type Asked = { status: number; body: unknown } | { status: undefined; failure: string };

const timeout_ms = 5_000;

/**
 * An HTTP answer within 5 s: its status, and its body where that is JSON. Or a few words of ours on why there is none:
 * an error's own message can quote an address or a key.
 */
export async function ask(
  url: string,
  headers: Record<string, string>,
  method: 'GET' | 'POST' | 'DELETE' = 'GET',
): Promise<Asked> {
  const body = method === 'POST' ? '{}' : undefined;
  const type = body ? { 'content-type': 'application/json' } : {};
  try {
    const answer = await fetch(url, {
      method,
      body,
      headers: { ...headers, ...type },
      // A key is not for where somebody else points.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout_ms),
    });
    const text = await answer.text();
    return { status: answer.status, body: parseJson(text) };
  } catch (error) {
    return { status: undefined, failure: failureOf(error as Error) };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failureOf(error: Error) {
  if (error.name === 'TimeoutError') return 'no answer within 5 seconds';
  const code = (error.cause as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string' && /^[A-Z0-9_]+$/.test(code)) return code;
  return 'the address or the key cannot be sent as it stands';
}
