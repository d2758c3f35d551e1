import { ApiError, apiErrorFrom, unreachable } from './api-error.ts';

/** Who signs the requests: the sign-in, seen from here. */
export type TokenSource = {
  /** A token that is good now, or null when nobody is signed in. */
  token: () => Promise<string | null>;
  /** A new token after the server refused the last one, or null when signing in again is the only way. */
  refresh: () => Promise<string | null>;
};

export type Api = ReturnType<typeof createApi>;

/**
 * Talks to the server. Every function throws `ApiError`. A refused token is renewed once; when that
 * fails, `onSignInRequired` runs and the error is thrown on.
 */
export function createApi(tokens: TokenSource, onSignInRequired: () => void) {
  async function open(path: string, init: RequestInit = {}): Promise<Response> {
    const send = async (token: string | null) => {
      const headers = new Headers(init.headers);
      if (token !== null) headers.set('authorization', `Bearer ${token}`);
      try {
        return await fetch(path, { ...init, headers });
      } catch (cause) {
        if (init.signal?.aborted) throw cause;
        throw unreachable(cause);
      }
    };
    let response = await send(await tokens.token());
    if (response.status === 401) {
      const token = await tokens.refresh();
      if (token !== null) response = await send(token);
      if (response.status === 401) onSignInRequired();
    }
    if (!response.ok) throw apiErrorFrom(response.status, await response.text().catch(() => ''));
    return response;
  }

  async function json<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await open(path, init);
    try {
      return await response.json();
    } catch (cause) {
      throw new ApiError('unexpected_answer', response.status, 'The answer broke off. Try again.', { cause });
    }
  }

  return {
    /** The answer itself, for streams and bytes. */
    open,
    get: <T>(path: string, signal?: AbortSignal) => json<T>(path, { signal: signal ?? null }),
    patch: <T>(path: string, body: unknown) =>
      json<T>(path, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    delete: async (path: string) => {
      await open(path, { method: 'DELETE' });
    },
    token: tokens.token,
    refresh: tokens.refresh,
  };
}
