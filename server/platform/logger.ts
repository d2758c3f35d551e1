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

const deepest_cause = 8;

function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, status, constraint, routine } = error as Error & Record<string, unknown>;
  const describe = (inner: unknown) =>
    inner !== undefined && depth < deepest_cause ? describeError(inner, depth + 1) : undefined;
  return {
    name: error.name,
    code,
    status,
    constraint,
    routine,
    stack: listFrames(error),
    cause: describe(error.cause),
    errors: error instanceof AggregateError ? error.errors.map(describe) : undefined,
  };
}

/** The stack without the message above it, which may itself look like a stack: frames are counted from the end. */
function listFrames({ stack = '', message }: Error) {
  const at = message === '' ? -1 : stack.lastIndexOf(message);
  const lines = (at < 0 ? stack : stack.slice(at + message.length)).split('\n');
  const first = lines.findLastIndex(
    (line) => !/^ {4}at \S.*:\d+:\d+\)?$|^ {4}at .*\((native|<anonymous>)\)$/.test(line),
  );
  return lines
    .slice(first + 1)
    .slice(0, 8)
    .map((line) => line.trim());
}
