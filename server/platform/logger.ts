import { pino } from 'pino';

/**
 * Structured logs on standard error, one JSON object a line. Only ids, codes, counts and times may be logged:
 * never a member's words, files, tokens or keys. Errors are reduced to their name, code and stack without the
 * message, because a driver's message can quote a row.
 */
export function createLogger(level: string) {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: describeError } },
    pino.destination({ fd: 2, sync: false }),
  );
}

export type Logger = ReturnType<typeof createLogger>;

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, status, constraint, routine } = error as Error & Record<string, unknown>;
  return {
    name: error.name,
    code,
    status,
    constraint,
    routine,
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8)
      .map((line) => line.trim()),
    cause: error.cause ? describeError(error.cause) : undefined,
  };
}
