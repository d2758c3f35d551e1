/** Each drill in short; `npm run drill` runs them at full length. */
import { expect, it } from 'vitest';
import { breakUpstream } from './break-upstream.ts';
import { crowdChat } from './crowd-chat.ts';
import { dropReaders } from './drop-readers.ts';
import { setShortDrill } from './short-drill.ts';
import { spendAllowance } from './spend-allowance.ts';
import { stopServer } from './stop-server.ts';

const options = setShortDrill();

const timeout_ms = 120_000;

it(
  'of 50 messages at once at an allowance of 5, on two servers, 5 begin and 45 are refused',
  async () => {
    expect(await spendAllowance({ ...options, times: 50 })).toMatchObject({ differences: [] });
  },
  timeout_ms,
);

it(
  'of 10 messages at once for one chat, on two servers, one begins; each has its turn, in one line',
  async () => {
    expect(await crowdChat({ ...options, times: 10 })).toMatchObject({ differences: [] });
  },
  timeout_ms,
);

it(
  'each fault of the model is told by its code, keeps what was said and costs nothing, and the next turn works',
  async () => {
    expect(await breakUpstream({ ...options, times: 1 })).toMatchObject({ differences: [] });
  },
  timeout_ms,
);

it(
  'replies go on without their readers, who come back to every word once, and leave nothing open',
  async () => {
    expect(await dropReaders({ ...options, times: 40, rounds: 1, word_ms: 100 })).toMatchObject({
      differences: [],
    });
  },
  timeout_ms,
);

it(
  'SIGTERM lets the replies of a server end, refuses new ones, and the other server goes on',
  async () => {
    expect(await stopServer({ ...options, times: 10, endless: 1 })).toMatchObject({ differences: [] });
  },
  timeout_ms,
);

it(
  'replies that cannot end are given back with their text when their server has no more time',
  async () => {
    const stopped = await stopServer({ ...options, times: 5, endless: 5, signal: 'SIGINT' });
    expect(stopped).toMatchObject({ differences: [] });
  },
  timeout_ms,
);
