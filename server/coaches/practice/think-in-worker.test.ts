import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { loadCoaches } from '../load-coaches.ts';
import { createPracticeCoach } from '../practice-coach.ts';
import { makeTurn } from './chat-fixture.ts';

/** Every worker that was started, so that a test can let one die. */
const workers = vi.hoisted(() => [] as Worker[]);
vi.mock('node:worker_threads', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:worker_threads')>();
  class RecordedWorker extends original.Worker {
    constructor(...parameters: ConstructorParameters<typeof original.Worker>) {
      super(...parameters);
      workers.push(this);
    }
  }
  return { ...original, Worker: RecordedWorker };
});

const coaches = await loadCoaches(join(import.meta.dirname, '../../../coaches'));
const brokeOff = {
  code: 'model_failed',
  message: expect.stringContaining('Nothing was counted'),
};

function fill(piece: string, length = 50_000) {
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
}

/** A hundred exchanges in which the member said the same each time, and once more. */
function longChat(content: string, coach_slug = 'storyteller') {
  const history = Array.from({ length: 200 }, (_, index) =>
    index % 2 === 0
      ? { sender: 'user' as const, content }
      : { sender: 'assistant' as const, content: 'Go on.' },
  );
  return makeTurn({ coach_slug, history, message: { content, file_names: [] } });
}

async function read(
  turn: ReturnType<typeof makeTurn>,
  {
    thinking_limit_ms,
    signal = new AbortController().signal,
  }: { thinking_limit_ms?: number; signal?: AbortSignal } = {},
) {
  let text = '';
  const model = createPracticeCoach(coaches, { word_delay_ms: 0, thinking_limit_ms });
  for await (const event of model(turn, signal)) if (event.type === 'text') text += event.text;
  return text;
}

beforeAll(async () => {
  await read(makeTurn({}));
});

describe('a hostile chat', () => {
  test.each([
    ['labels', fill('hook: a\n')],
    ['open code marks', fill('`a ')],
    ['an endless slide', `slide 1: ${fill('a ')}`],
    ['dots', `${fill('.', 7990)}x`],
    ['nested addresses', 'ht'.repeat(1100) + 'tp://'.repeat(1100)],
    ['quotation marks', fill('a." ')],
    ['commas', `a${', '.repeat(3000)}${fill('a ')}`],
  ])('of %s is answered, and the main thread stays free', async (_, content) => {
    const before = process.threadCpuUsage();
    expect((await read(longChat(content))).length).toBeGreaterThan(20);
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1e3).toBeLessThan(100);
  });

  test('that takes too long fails with a sentence, and those behind it are answered', async () => {
    const count = workers.length;
    const slow = expect(read(longChat(fill('`a ')), { thinking_limit_ms: 1 })).rejects.toMatchObject(
      brokeOff,
    );
    expect(await read(makeTurn({}))).toContain('### Step 1 of 7');
    await slow;
    expect(workers).toHaveLength(count + 1);
  });
});

describe('a worker that dies', () => {
  test('in the middle of a thought fails that turn with a sentence, and the next turn is answered', async () => {
    const failed = expect(read(longChat(fill('`a ')))).rejects.toMatchObject(brokeOff);
    // The thought has to be with the worker before it goes.
    await new Promise((resolve) => setImmediate(resolve));
    await workers.at(-1)!.terminate();
    await failed;
    expect(await read(makeTurn({}))).toContain('### Step 1 of 7');
  });

  test('while files are searched fails that turn with a sentence', async () => {
    const turn = makeTurn({
      message: { content: 'What do my files say about clients?', file_names: [] },
      has_files: true,
      searchFiles: async () => {
        await workers.at(-1)!.terminate();
        return [];
      },
    });
    await expect(read(turn)).rejects.toMatchObject(brokeOff);
    expect(await read(makeTurn({}))).toContain('### Step 1 of 7');
  });
});

describe('others', () => {
  test('are answered while one member’s search hangs', async () => {
    const controller = new AbortController();
    const reason = new Error('stopped by the member');
    const searching = Promise.withResolvers<void>();
    const turn = makeTurn({
      message: { content: 'What do my files say about clients?', file_names: [] },
      has_files: true,
      searchFiles: () => {
        searching.resolve();
        return new Promise(() => {});
      },
    });
    const hanging = expect(read(turn, { signal: controller.signal })).rejects.toBe(reason);
    await searching.promise;
    expect(await read(makeTurn({}))).toContain('### Step 1 of 7');
    controller.abort(reason);
    await hanging;
  });

  test('are answered after a member stops a turn that is being thought about', async () => {
    const count = workers.length;
    const controller = new AbortController();
    const reason = new Error('stopped by the member');
    const stopped = expect(read(longChat(fill('`a ')), { signal: controller.signal })).rejects.toBe(reason);
    setTimeout(() => controller.abort(reason), 2);
    await stopped;
    expect(await read(makeTurn({}))).toContain('### Step 1 of 7');
    expect(workers).toHaveLength(count);
  });
});
