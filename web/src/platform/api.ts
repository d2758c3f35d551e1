import { ApiError, apiErrorFrom, unreachable } from './api-error.ts';

/** Who signs the requests: the sign-in, seen from here. */
export type TokenSource = {
  /** A token that is good now, or null when nobody is signed in. */
  token: () => Promise<string | null>;
  /** A new token after the server refused the last one, or null when signing in again is the only way. */
  refresh: () => Promise<string | null>;
};

/** Something that is sent whole. `body`: a form, or a file whose own type is announced. */
type Upload = {
  method: 'POST' | 'PUT';
  body: FormData | Blob;
  signal: AbortSignal;
  onProgress: (share: number) => void;
};

export type Api = ReturnType<typeof createApi>;

/** What a refusal means for the whole page. The error is thrown on all the same. */
type ApiListeners = { onSignInRequired: () => void; onAccountClosed: () => void };

/** Talks to the server. Every function throws `ApiError`. A refused token is renewed once before that. */
export function createApi(tokens: TokenSource, { onSignInRequired, onAccountClosed }: ApiListeners) {
  function refuse(status: number, body: string, retry_after: string | null) {
    if (status === 401) onSignInRequired();
    const error = apiErrorFrom(status, body, retry_after);
    if (error.code === 'account_closed') onAccountClosed();
    return error;
  }

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
    }
    if (response.ok) return response;
    const body = await response.text().catch(() => '');
    throw refuse(response.status, body, response.headers.get('retry-after'));
  }

  async function json<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await open(path, init);
    if (response.status === 204) return undefined as T;
    try {
      return await response.json();
    } catch (cause) {
      throw new ApiError('unexpected_answer', response.status, 'The answer broke off. Try again.', { cause });
    }
  }

  /**
   * Sends bytes or a form; `onProgress` hears the share that has been sent, 0 to 1. XMLHttpRequest, because fetch does
   * not tell the progress of what it sends. Aborting throws the signal's reason.
   */
  async function upload<T>(path: string, { method, body, signal, onProgress }: Upload): Promise<T> {
    const send = (token: string | null) =>
      new Promise<XMLHttpRequest>((resolve, reject) => {
        signal.throwIfAborted();
        const request = new XMLHttpRequest();
        signal.addEventListener('abort', () => request.abort(), { once: true });
        request.upload.onprogress = (event) => {
          if (event.lengthComputable) onProgress(event.loaded / event.total);
        };
        request.onload = () => resolve(request);
        request.onerror = () => reject(unreachable());
        request.onabort = () => reject(signal.reason);
        request.open(method, path);
        if (token !== null) request.setRequestHeader('authorization', `Bearer ${token}`);
        request.send(body);
      });
    let answer = await send(await tokens.token());
    if (answer.status === 401) answer = await send(await tokens.refresh());
    if (answer.status < 200 || answer.status > 299) {
      throw refuse(answer.status, answer.responseText, answer.getResponseHeader('retry-after'));
    }
    return JSON.parse(answer.responseText);
  }

  const withBody = (method: string, body: unknown) => ({
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

  return {
    /** The answer itself, for streams and bytes. */
    open,
    get: <T>(path: string, signal?: AbortSignal) => json<T>(path, { signal: signal ?? null }),
    post: <T>(path: string, body: unknown = {}) => json<T>(path, withBody('POST', body)),
    put: <T>(path: string, body: unknown) => json<T>(path, withBody('PUT', body)),
    patch: <T>(path: string, body: unknown) => json<T>(path, withBody('PATCH', body)),
    delete: <T = undefined>(path: string) => json<T>(path, { method: 'DELETE' }),
    upload,
    token: tokens.token,
    refresh: tokens.refresh,
  };
}
