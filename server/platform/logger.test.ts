import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What a process writes that runs `script` with a `logger` of the level debug; its standard output stays empty. */
function logOf(script: string) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createLogger } from ${JSON.stringify(join(import.meta.dirname, 'logger.ts'))};
       const logger = createLogger('debug');
       ${script}`,
    ],
    { encoding: 'utf8' },
  );
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  return stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const words = 'my secret words';

test('an error is logged with its code and where it came from, and without its message', () => {
  const [entry] = logOf(`
    function saveMessage() {
      return Object.assign(new TypeError('duplicate: ${words}'), { code: '23505', constraint: 'messages_pkey', detail: '${words}' });
    }
    logger.error({ error: saveMessage(), turn_id: 7 }, 'a turn failed');
  `);
  expect(entry).toMatchObject({
    msg: 'a turn failed',
    turn_id: 7,
    error: { name: 'TypeError', code: '23505', constraint: 'messages_pkey' },
  });
  expect(entry.error.stack[0]).toMatch(/^at saveMessage /);
  expect(JSON.stringify(entry)).not.toContain('secret');
});

test('causes are logged the same way, as deep as they go', () => {
  const [entry] = logOf(`
    const driver = Object.assign(new Error('invalid input: "${words}"'), { code: '22P02' });
    const query = new Error('the query for ${words} failed', { cause: driver });
    logger.warn({ error: new Error('outer ${words}', { cause: query }) }, 'a part failed');
  `);
  expect(entry.error.cause.cause).toMatchObject({ name: 'Error', code: '22P02' });
  expect(JSON.stringify(entry)).not.toContain('secret');
});

test('errors that hold errors show their codes only', () => {
  const [entry] = logOf(`
    const refused = Object.assign(new Error('connect ${words}'), { code: 'ECONNREFUSED' });
    logger.warn({ error: new AggregateError([refused], '${words}') }, 'no connection');
  `);
  expect(entry.error).toMatchObject({ name: 'AggregateError', errors: [{ code: 'ECONNREFUSED' }] });
  expect(JSON.stringify(entry)).not.toContain('secret');
});

test('a message of several lines that looks like a stack does not slip through', () => {
  const [entry] = logOf(`
    const message = 'bad:\\n    at ${words}\\n    at ${words} (file:///my-secret.ts:1:1)';
    logger.warn({ error: new Error(message) }, 'a part failed');
  `);
  expect(entry.error.stack[0]).toMatch(/^at file:\/\/.*eval/);
  expect(JSON.stringify(entry)).not.toContain('secret');
});

test('what is thrown without being an error is logged as its type', () => {
  const [text, nothing, nested] = logOf(`
    logger.warn({ error: '${words}' }, 'a part failed');
    logger.warn({ error: undefined, job: 'erase' }, 'a part failed');
    logger.warn({ error: new Error('x', { cause: { content: '${words}' } }) }, 'a part failed');
  `);
  expect(text.error).toEqual({ name: 'string' });
  expect(nothing).toMatchObject({ job: 'erase' });
  expect(nested.error.cause).toEqual({ name: 'object' });
});

test('an error that is its own cause is logged all the same', () => {
  const [entry] = logOf(`
    const error = new Error('${words}');
    error.cause = error;
    logger.warn({ error }, 'a part failed');
  `);
  expect(entry.msg).toBe('a part failed');
});

test('one line each, with the time in UTC and without the name of the machine', () => {
  const entries = logOf(`logger.info({ port: 3000 }, 'serving'); logger.debug({}, 'a\\nb');`);
  expect(entries).toHaveLength(2);
  expect(Object.keys(entries[0])).toEqual(['level', 'time', 'port', 'msg']);
  expect(entries[0].time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('lines written just before the process ends are not lost', () => {
  const entries = logOf(
    `for (let n = 0; n < 200; n++) logger.error({ n }, 'x'.repeat(100)); process.exit(0);`,
  );
  expect(entries.at(-1).n).toBe(199);
});
