// What one `begin` on PostgreSQL costs by itself: chat sessions that begin and finish turns at the pace of the streams.
import { randomUUID } from 'node:crypto';
import { beginTurn } from '../../server/chat/queries.ts';
import { createDatabase, createPool } from '../../server/platform/database.ts';
import { createLogger } from '../../server/platform/logger.ts';
import { answerQuestions } from './ask.ts';
import { now_ms } from './clock.ts';
import type { Member } from './prepare-members.ts';

const pool = createPool(process.env.DATABASE_URL!, 10, createLogger('warn'));
const database = createDatabase(pool);

type Beginning = { members: Member[]; turn_ms: number; duration_ms: number };

async function beginAgainAndAgain(member: Member, index: number, load: Beginning, took_ms: number[]) {
  await sleep((index / load.members.length) * load.turn_ms);
  const until_ms = now_ms() + load.duration_ms;
  while (now_ms() < until_ms) {
    const turn_id = randomUUID();
    const started_ms = now_ms();
    const begun = await beginTurn(database, {
      auth_id: member.auth_id,
      turn_id,
      session_id: member.session_id,
      assistant_slug: 'carousel',
      title: 'A title',
      content: 'Message tag-000000000000',
      file_ids: [],
      edits_id: null,
      repeats_id: null,
      plans: ['free'],
      with_history: false,
      with_library: true,
    });
    took_ms.push(now_ms() - started_ms);
    if (begun.outcome !== 'begun') throw new Error(`a turn did not begin: ${begun.outcome}`);
    await sleep(load.turn_ms);
    // As it was: the next one finds the chat's conversation in place.
    await pool.query('delete from public.chat_messages where id = $1', [begun.user_message_id]);
  }
}

function sleep(ms: number) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

answerQuestions({
  /** Milliseconds of each `begin`, after a second to warm up. */
  begin: async (load: Beginning) => {
    const warming: number[] = [];
    await Promise.all(
      load.members.map((member, index) =>
        beginAgainAndAgain(member, index, { ...load, duration_ms: 1_000 }, warming),
      ),
    );
    const took_ms: number[] = [];
    await Promise.all(load.members.map((member, index) => beginAgainAndAgain(member, index, load, took_ms)));
    return took_ms;
  },
});
