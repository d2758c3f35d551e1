/** What is left of an SMTP error: nothing of it was written by the mail server or by a person. */
export type SmtpFailure = {
  /** An errno, one of nodemailer's codes or one of OpenSSL's: `ECONNREFUSED`, `EDNS`, `CERT_HAS_EXPIRED`. */
  code: string;
  /** What the mail server answered, such as 550. */
  status: number | undefined;
  /** The command that it answered, such as `RCPT TO`; `CONN` for the connection itself. */
  command: string | undefined;
};

type NodemailerError = {
  code?: unknown;
  originalCode?: unknown;
  responseCode?: unknown;
  command?: unknown;
};

/** The codes of an error of nodemailer's. Its message and its stack quote what the server said, addresses among it. */
export function describeSmtpFailure(error: unknown): SmtpFailure {
  const { code, originalCode, responseCode, command } = (error ?? {}) as NodemailerError;
  // What a name server answers would read like what the mail server does: ECONNREFUSED.
  const within = code === 'EDNS' ? undefined : asCode(originalCode);
  return {
    code: within ?? asCode(code) ?? 'UNKNOWN',
    status: typeof responseCode === 'number' ? responseCode : undefined,
    command: typeof command === 'string' && /^[A-Z][A-Z0-9 -]*$/.test(command) ? command : undefined,
  };
}

/** Whether the server says for good that it takes no mail for the recipient (RFC 5321: 5yz to RCPT). */
export function isRecipientRefused({ command, status }: SmtpFailure) {
  return command === 'RCPT TO' && status !== undefined && status >= 500 && status !== 503;
}

function asCode(value: unknown) {
  return typeof value === 'string' && /^[A-Z][A-Z0-9_]*$/.test(value) ? value : undefined;
}
