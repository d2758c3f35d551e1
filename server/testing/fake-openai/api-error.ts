/**
 * A refusal in OpenAI's shape: thrown anywhere in the double, rendered by the server as
 * `{ error: { message, type, param, code } }`.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;

  constructor(
    status: number,
    message: string,
    fields: { type?: string; param?: string | null; code?: string | null } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.type = fields.type ?? 'invalid_request_error';
    this.param = fields.param ?? null;
    this.code = fields.code ?? null;
  }

  get body() {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}

/** A 400 about one parameter. */
export function badRequest(message: string, code: string | null = null, param: string | null = null) {
  return new ApiError(400, message, { code, param });
}

/** Throws the 400 with which OpenAI meets an id of another kind, such as a thread's in place of a conversation's. */
export function checkIdPrefix(id: string, prefix: string, param: string) {
  if (id.startsWith(`${prefix}_`) || id.startsWith(`${prefix}-`)) return;
  throw badRequest(
    `Invalid '${param}': '${id}'. Expected an ID that begins with '${prefix}'.`,
    'invalid_value',
    param,
  );
}
