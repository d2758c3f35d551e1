import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase, testedVersions } from '../testing/open-database.ts';
import {
  type BeginInput,
  type BegunTurn,
  beginTurn,
  checkpointTurns,
  type FinishInput,
  failAbandonedTurns,
  finishTurn,
  followRow,
  getHistory,
} from './queries.ts';

const allPlans = ['free', 'starter', 'pro', 'enterprise'];

describe.each(testedVersions())('begin_turn and finish_turn on PostgreSQL %i', (version) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await openDatabase({ version, pool_size: 40 });
  });
  afterAll(() => test.close());
  // Whatever a turn came to, the meters are what the ledger says.
  afterEach(async () => {
    expect((await test.pool.query('select * from public.usage_differences()')).rows).toEqual([]);
  });

  function begin(member: TestMember, input: Partial<BeginInput> = {}) {
    return beginTurn(test.database, {
      auth_id: member.auth_id,
      turn_id: randomUUID(),
      session_id: randomUUID(),
      assistant_slug: 'carousel',
      title: 'A title',
      content: 'Hello',
      file_ids: [],
      edits_id: null,
      repeats_id: null,
      plans: allPlans,
      with_history: true,
      with_library: true,
      ...input,
    });
  }

  function finish(turn_id: string, input: Partial<FinishInput> = {}) {
    return finishTurn(test.database, {
      turn_id,
      status: 'done',
      error_code: null,
      content: 'A reply',
      citations: [],
      incomplete: false,
      history_shortened: false,
      usage: { input_tokens: 100, cached_tokens: 10, output_tokens: 20 },
      conversation_id: null,
      files_missing: false,
      searched: [],
      store_days: null,
      ...input,
    });
  }

  async function usageOf(member: TestMember) {
    const { rows } = await test.pool.query(
      'select subscription_usage as usage from public.profiles where id = $1',
      [member.id],
    );
    return rows[0].usage;
  }

  async function countMessages(session_id: string) {
    const { rows } = await test.pool.query('select sender from public.chat_messages where session_id = $1', [
      session_id,
    ]);
    return rows.length;
  }

  it('20 members send 10 messages each at once with an allowance of 5: exactly 5 each go through', async () => {
    const members = await Promise.all(
      Array.from({ length: 20 }, () =>
        insertMember(test.pool, { subscription_quota: { messages: 5, files: 0, tokens: null } }),
      ),
    );
    const tries = members.flatMap((member) => Array.from({ length: 10 }, () => member));
    const outcomes = await Promise.all(tries.map(async (member) => ({ member, ...(await begin(member)) })));
    for (const member of members) {
      const own = outcomes.filter((outcome) => outcome.member === member).map(({ outcome }) => outcome);
      expect(own.filter((outcome) => outcome === 'begun')).toHaveLength(5);
      expect(own.filter((outcome) => outcome === 'quota_exhausted')).toHaveLength(5);
      expect(await usageOf(member)).toEqual({ messages: 5, files: 0, tokens: 0 });
    }
  });

  it('the same turn sent 50 times at once is one message and one charge', async () => {
    const member = await insertMember(test.pool);
    const [turn_id, session_id] = [randomUUID(), randomUUID()];
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => begin(member, { turn_id, session_id })),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'begun')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'exists')).toHaveLength(49);
    expect(await countMessages(session_id)).toBe(1);
    expect((await usageOf(member)).messages).toBe(1);
  });

  it('two members who use the same ids at the same moment get one turn, and the other is refused', async () => {
    for (let round = 0; round < 10; round++) {
      const [one, other] = [await insertMember(test.pool), await insertMember(test.pool)];
      const ids = { turn_id: randomUUID(), session_id: randomUUID() };
      const outcomes = (await Promise.all([begin(one, ids), begin(other, ids)])).map(
        ({ outcome }) => outcome,
      );
      expect(outcomes).toContain('begun');
      expect(['turn_id_taken', 'session_not_found']).toContain(
        outcomes.find((outcome) => outcome !== 'begun'),
      );
      expect((await usageOf(one)).messages + (await usageOf(other)).messages).toBe(1);
    }
  });

  it('a stranger’s chat is not found, and nothing is counted', async () => {
    const [member, stranger] = [await insertMember(test.pool), await insertMember(test.pool)];
    const session_id = randomUUID();
    await begin(member, { session_id });
    expect(await begin(stranger, { session_id })).toEqual({ outcome: 'session_not_found' });
    expect(await countMessages(session_id)).toBe(1);
    expect((await usageOf(stranger)).messages).toBe(0);
  });

  it('a chat has one reply at a time', async () => {
    const member = await insertMember(test.pool);
    const session_id = randomUUID();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => begin(member, { session_id })));
    expect(outcomes.filter(({ outcome }) => outcome === 'begun')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'turn_in_progress')).toHaveLength(19);
    expect((await usageOf(member)).messages).toBe(1);
  });

  it.each([
    ['account_inactive', { is_active: false }, {}],
    ['plan_required', {}, { plans: ['pro', 'enterprise'] }],
    ['quota_exhausted', { subscription_quota: { files: 5, tokens: null } }, {}],
    ['quota_exhausted', { subscription_quota: { messages: null, tokens: 0 } }, {}],
    ['file_not_found', {}, { file_ids: [randomUUID()] }],
  ])('%s: nothing is written or counted', async (outcome, profile, input) => {
    const member = await insertMember(test.pool, profile);
    const session_id = randomUUID();
    expect(await begin(member, { session_id, ...input })).toMatchObject({ outcome });
    expect(await countMessages(session_id)).toBe(0);
    expect((await usageOf(member)).messages).toBe(0);
  });

  it('a person without a profile, and one whose account is closed, cannot begin', async () => {
    expect(await begin({ id: '', email: '', auth_id: randomUUID() })).toEqual({ outcome: 'no_profile' });
    const member = await insertMember(test.pool);
    await test.pool.query('update public.profiles set is_deleted = true, deleted_at = now() where id = $1', [
      member.id,
    ]);
    expect(await begin(member)).toEqual({ outcome: 'account_closed' });
  });

  it('another coach than the chat’s is refused', async () => {
    const member = await insertMember(test.pool);
    const [session_id, turn_id] = [randomUUID(), randomUUID()];
    await begin(member, { session_id, turn_id });
    await finish(turn_id);
    expect(await begin(member, { session_id, assistant_slug: 'storyteller' })).toEqual({
      outcome: 'coach_mismatch',
    });
  });

  it('null in a quota is unlimited', async () => {
    const member = await insertMember(test.pool, {
      subscription_quota: { messages: null, files: null, tokens: null },
    });
    for (let sent = 0; sent < 3; sent++) expect((await begin(member)).outcome).toBe('begun');
  });

  it('a file goes with messages of its owner only, and each has a use of its own', async () => {
    const [member, stranger] = [await insertMember(test.pool), await insertMember(test.pool)];
    const file_id = await insertPendingFile(member);
    expect(await begin(stranger, { file_ids: [file_id] })).toEqual({ outcome: 'file_not_found' });
    const outcomes = (await Promise.all(
      Array.from({ length: 10 }, () => begin(member, { file_ids: [file_id] })),
    )) as BegunTurn[];
    const given = outcomes.flatMap(({ documents }) => documents);
    expect(given).toHaveLength(10);
    expect(new Set(given.map((document) => document.file_id)).size).toBe(10);
    expect(new Set(given.map(({ original_id }) => original_id)).size).toBe(1);
    expect(given.find((document) => document.file_id === file_id)).toMatchObject({
      is_new: true,
      openai_file_id: null,
    });
    expect(await begin(stranger, { file_ids: [file_id] })).toEqual({ outcome: 'file_not_found' });
  });

  it('a file that is named twice, by two of its uses, comes along once', async () => {
    const member = await insertMember(test.pool);
    const file_id = await insertPendingFile(member);
    const first = (await begin(member, { file_ids: [file_id] })) as BegunTurn;
    const second = (await begin(member, { file_ids: [file_id] })) as BegunTurn;
    const file_ids = [...first.documents, ...second.documents].map((document) => document.file_id);
    const { user_message_id } = (await begin(member, { file_ids })) as BegunTurn;
    const { rows } = await test.pool.query('select 1 from public.chat_files where message_id = $1', [
      user_message_id,
    ]);
    expect(rows).toHaveLength(1);
  });

  it('a message has its files in the order in which they are named, new ones and ones of the library', async () => {
    const member = await insertMember(test.pool);
    const uploaded: string[] = [];
    for (let index = 0; index < 4; index++) uploaded.push(await insertPendingFile(member));
    await begin(member, { file_ids: [uploaded[3]!] });
    const named = [uploaded[2]!, uploaded[3]!, uploaded[0]!, uploaded[1]!];
    const { rows: originals } = await test.pool.query(
      'select id, original_id from public.chat_files where id = any ($1)',
      [named],
    );
    const { user_message_id } = (await begin(member, { file_ids: named })) as BegunTurn;
    const { rows } = await test.pool.query(
      'select original_id from public.chat_files where message_id = $1 order by created_at, id',
      [user_message_id],
    );
    const originalOf = (id: string) => originals.find((file) => file.id === id).original_id;
    expect(rows.map(({ original_id }) => original_id)).toEqual(named.map(originalOf));
  });

  it('a chat that begins with a file alone is called by its name', async () => {
    const member = await insertMember(test.pool);
    const file_ids = [await insertPendingFile(member)];
    expect(await begin(member, { content: '', file_ids })).toMatchObject({
      outcome: 'begun',
      title: 'notes.md',
    });
  });

  it('the history comes in order, without the new message', async () => {
    const member = await insertMember(test.pool);
    const session_id = randomUUID();
    for (const number of [1, 2]) {
      const turn_id = randomUUID();
      await begin(member, { session_id, turn_id, content: `Question ${number}` });
      await finish(turn_id, { content: `Answer ${number}` });
    }
    const begun = (await begin(member, { session_id, content: 'Question 3' })) as BegunTurn;
    expect(begun.history.map(({ content }) => content)).toEqual([
      'Question 1',
      'Answer 1',
      'Question 2',
      'Answer 2',
    ]);
  });

  it('the history leaves out what broke off in failed turns, and messages without words', async () => {
    const member = await insertMember(test.pool);
    const session_id = randomUUID();
    for (const [content, ending] of [
      ['First', { status: 'failed', error_code: 'model_cut_off', content: 'Half an ans' }],
      ['Second', { status: 'stopped', content: 'So far' }],
    ] as const) {
      const turn_id = randomUUID();
      await begin(member, { session_id, turn_id, content });
      await finish(turn_id, ending);
    }
    const turn_id = randomUUID();
    const file_ids = [await insertPendingFile(member)];
    await begin(member, { session_id, turn_id, content: '', file_ids });
    await finish(turn_id, { content: '' });
    const begun = (await begin(member, { session_id, content: 'Third' })) as BegunTurn;
    expect(begun.history.map(({ content }) => content)).toEqual(['First', 'Second', 'So far']);
    expect(begun.history_shortened).toBe(false);
  });

  it('a chat that has grown too long is told without its oldest messages, and says so', async () => {
    const member = await insertMember(test.pool);
    const session_id = randomUUID();
    const turn_id = randomUUID();
    await begin(member, { session_id, turn_id, content: 'The oldest' });
    await finish(turn_id, { content: 'a'.repeat(200_000) });
    const second = randomUUID();
    await begin(member, { session_id, turn_id: second, content: 'b'.repeat(40_000) });
    await finish(second, { content: 'c'.repeat(200_000) });
    const third = (await begin(member, { session_id, turn_id: randomUUID() })) as BegunTurn;
    expect(third.history.map(({ content }) => content[0])).toEqual(['b', 'c']);
    expect(third.history_shortened).toBe(true);
    const { messages, shortened } = await getHistory(test.database, third.user_message_id, 10);
    expect(messages).toEqual([]);
    expect(shortened).toBe(true);
  });

  it('at most the last 200 messages are told', async () => {
    const member = await insertMember(test.pool);
    const session_id = randomUUID();
    const turn_id = randomUUID();
    await begin(member, { session_id, turn_id, content: 'The oldest' });
    await test.pool.query(
      `insert into public.chat_messages (session_id, sender, content, created_at)
       select $1, 'user', 'Message ' || number, now() + number * interval '1 microsecond' from generate_series(1, 199) as number`,
      [session_id],
    );
    await finish(turn_id, { status: 'failed', error_code: 'model_failed', content: '' });
    const next = randomUUID();
    const exactly = (await begin(member, { session_id, turn_id: next })) as BegunTurn;
    expect(exactly.history[0]!.content).toBe('The oldest');
    expect(exactly).toMatchObject({ history_shortened: false, history: { length: 200 } });
    await finish(next, { status: 'failed', error_code: 'model_failed', content: '' });
    const more = (await begin(member, { session_id, turn_id: randomUUID() })) as BegunTurn;
    expect(more.history[0]!.content).toBe('Message 1');
    expect(more).toMatchObject({ history_shortened: true, history: { length: 200 } });
  });

  describe('a message that is edited, and one that is answered again', () => {
    type Line = { sender: string; content: string; is_chosen: boolean; parent: string | null };

    async function linesOf(session_id: string): Promise<Line[]> {
      const { rows } = await test.pool.query(
        `select messages.sender, messages.content, messages.is_chosen, parents.content as parent
         from public.chat_messages as messages left join public.chat_messages as parents on parents.id = messages.parent_id
         where messages.session_id = $1 order by messages.created_at, messages.id`,
        [session_id],
      );
      return rows;
    }

    const chosen = (lines: Line[]) => lines.filter((line) => line.is_chosen).map(({ content }) => content);

    /** A chat of two turns: Question 1, Answer 1, Question 2, Answer 2. */
    async function startChat() {
      const member = await insertMember(test.pool);
      const session_id = randomUUID();
      const messages: string[] = [];
      for (const number of [1, 2]) {
        const turn_id = randomUUID();
        const begun = (await begin(member, {
          session_id,
          turn_id,
          content: `Question ${number}`,
        })) as BegunTurn;
        await test.pool.query('update public.chat_sessions set thread_id = $2 where id = $1', [
          session_id,
          `conv_${session_id}`,
        ]);
        await finish(turn_id, { content: `Answer ${number}`, conversation_id: `conv_${session_id}` });
        messages.push(begun.user_message_id);
      }
      return { member, session_id, messages };
    }

    it('each message knows the one that it follows', async () => {
      const { session_id } = await startChat();
      expect((await linesOf(session_id)).map(({ parent }) => parent)).toEqual([
        null,
        'Question 1',
        'Answer 1',
        'Question 2',
      ]);
    });

    it('an edited message takes its place; what followed is kept and told no more', async () => {
      const { member, session_id, messages } = await startChat();
      const turn_id = randomUUID();
      const begun = (await begin(member, {
        session_id,
        turn_id,
        content: 'Question 2, put better',
        edits_id: messages[1]!,
        with_history: false,
      })) as BegunTurn;
      expect(begun.history.map(({ content }) => content)).toEqual(['Question 1', 'Answer 1']);
      expect(begun.conversation_id, 'what OpenAI holds is another line').toBe(null);
      await finish(turn_id, { content: 'Answer 3' });
      const lines = await linesOf(session_id);
      expect(chosen(lines)).toEqual(['Question 1', 'Answer 1', 'Question 2, put better', 'Answer 3']);
      expect(lines).toHaveLength(6);
      expect(lines.find(({ content }) => content === 'Question 2, put better')?.parent).toBe('Answer 1');
      expect((await usageOf(member)).messages).toBe(3);
    });

    it('the first message can be edited too', async () => {
      const member = await insertMember(test.pool);
      const [session_id, turn_id] = [randomUUID(), randomUUID()];
      const first = (await begin(member, { session_id, turn_id })) as BegunTurn;
      await finish(turn_id);
      const begun = (await begin(member, {
        session_id,
        content: 'Another beginning',
        edits_id: first.user_message_id,
        with_history: false,
      })) as BegunTurn;
      expect(begun).toMatchObject({ history: [], conversation_id: null });
      expect(chosen(await linesOf(session_id))).toEqual(['Another beginning']);
    });

    it('only the last message can be, so that no more than its reply leaves the chat', async () => {
      const { member, session_id, messages } = await startChat();
      for (const input of [{ edits_id: messages[0]! }, { repeats_id: messages[0]! }]) {
        expect(await begin(member, { session_id, ...input })).toEqual({ outcome: 'message_not_found' });
      }
      expect(chosen(await linesOf(session_id))).toHaveLength(4);
    });

    it.each([
      ['fails', { status: 'failed', error_code: 'model_cut_off', content: 'Half' }],
      ['fails without a word', { status: 'failed', error_code: 'model_failed', content: '' }],
      ['is stopped before its first word', { status: 'stopped', content: '' }],
    ] as const)('another reply that %s gives back the one that was there', async (_, ending) => {
      const { member, session_id, messages } = await startChat();
      const [turn_id, next] = [randomUUID(), randomUUID()];
      await begin(member, { session_id, turn_id, repeats_id: messages[1]! });
      expect(chosen(await linesOf(session_id))).toEqual(['Question 1', 'Answer 1', 'Question 2']);
      await finish(turn_id, ending);
      const lines = await linesOf(session_id);
      expect(chosen(lines)).toEqual(['Question 1', 'Answer 1', 'Question 2', 'Answer 2']);
      expect(lines.filter(({ content }) => content === 'Half')).toHaveLength(ending.content ? 1 : 0);
      const begun = (await begin(member, { session_id, turn_id: next, with_history: false })) as BegunTurn;
      expect(begun.history.at(-1)?.content).toBe('Answer 2');
      expect((await usageOf(member)).messages).toBe(3);
    });

    it('another reply that is stopped after its first word stays', async () => {
      const { member, session_id, messages } = await startChat();
      const turn_id = randomUUID();
      await begin(member, { session_id, turn_id, repeats_id: messages[1]! });
      await finish(turn_id, { status: 'stopped', content: 'So far' });
      expect(chosen(await linesOf(session_id)).at(-1)).toBe('So far');
    });

    it('a message that is answered again is not sent again', async () => {
      const { member, session_id, messages } = await startChat();
      const turn_id = randomUUID();
      const begun = (await begin(member, {
        session_id,
        turn_id,
        content: '',
        repeats_id: messages[1]!,
        with_history: false,
      })) as BegunTurn;
      expect(begun).toMatchObject({
        user_message_id: messages[1],
        content: 'Question 2',
        conversation_id: null,
      });
      expect(begun.history.map(({ content }) => content)).toEqual(['Question 1', 'Answer 1']);
      await finish(turn_id, { content: 'Answer 2, another' });
      const lines = await linesOf(session_id);
      expect(chosen(lines)).toEqual(['Question 1', 'Answer 1', 'Question 2', 'Answer 2, another']);
      expect(lines.filter(({ parent }) => parent === 'Question 2')).toHaveLength(2);
      expect((await usageOf(member)).messages).toBe(3);
    });

    it('goes on in OpenAI’s conversation afterwards, and not in one that holds the other line', async () => {
      const { member, session_id, messages } = await startChat();
      const first = (await begin(member, {
        session_id,
        turn_id: messages[0]!,
        with_history: false,
      })) as BegunTurn;
      expect(first.conversation_id).toBe(`conv_${session_id}`);
      await finish(messages[0]!, { conversation_id: `conv_${session_id}`, content: 'Answer 3' });
      const turn_id = randomUUID();
      await begin(member, { session_id, turn_id, repeats_id: first.user_message_id, with_history: false });
      await finish(turn_id, { conversation_id: `conv_${session_id}`, content: 'Answer 3, another' });
      const next = (await begin(member, { session_id, with_history: false })) as BegunTurn;
      expect(next.conversation_id).toBe(`conv_${session_id}`);
    });

    it('a failed turn is tried again without its half text, with its files, and counted once', async () => {
      const member = await insertMember(test.pool);
      const [session_id, failed, again] = [randomUUID(), randomUUID(), randomUUID()];
      const file_ids = [await insertPendingFile(member)];
      const { user_message_id } = (await begin(member, {
        session_id,
        turn_id: failed,
        content: 'Read this',
        file_ids,
      })) as BegunTurn;
      await finish(failed, { status: 'failed', error_code: 'model_cut_off', content: 'Half' });
      const begun = (await begin(member, {
        session_id,
        turn_id: again,
        repeats_id: user_message_id,
      })) as BegunTurn;
      expect(begun.documents).toMatchObject([{ file_id: file_ids[0], is_new: true }]);
      await finish(again, { content: 'Whole' });
      expect(chosen(await linesOf(session_id))).toEqual(['Read this', 'Whole']);
      expect((await usageOf(member)).messages).toBe(1);
    });

    it('keeps its files when it is edited, for both lines', async () => {
      const member = await insertMember(test.pool);
      const [session_id, turn_id, edit] = [randomUUID(), randomUUID(), randomUUID()];
      const file_ids = [await insertPendingFile(member)];
      const { user_message_id } = (await begin(member, { session_id, turn_id, file_ids })) as BegunTurn;
      await finish(turn_id);
      const begun = (await begin(member, {
        session_id,
        turn_id: edit,
        content: 'Once more',
        file_ids: [...file_ids, await insertPendingFile(member)],
        edits_id: user_message_id,
      })) as BegunTurn;
      expect(begun.documents.map(({ is_new }) => is_new)).toEqual([true, true]);
      const { rows } = await test.pool.query(
        'select message_id, count(*)::int from public.chat_files where user_id = $1 group by message_id order by 2',
        [member.id],
      );
      expect(rows).toEqual([
        { message_id: user_message_id, count: 1 },
        { message_id: begun.user_message_id, count: 2 },
      ]);
    });

    it('must be the member’s own words, of this chat, and chosen', async () => {
      const { member, session_id, messages } = await startChat();
      const { rows } = await test.pool.query(
        `select id from public.chat_messages where session_id = $1 and sender = 'assistant'`,
        [session_id],
      );
      const another = await startChat();
      const edit = randomUUID();
      await begin(member, { session_id, turn_id: edit, edits_id: messages[1]! });
      await finish(edit);
      for (const id of [rows[0].id, another.messages[1]!, messages[1]!, randomUUID()]) {
        for (const input of [{ edits_id: id }, { repeats_id: id }]) {
          expect(await begin(member, { session_id, ...input })).toEqual({ outcome: 'message_not_found' });
        }
      }
      expect(await begin(another.member, { session_id, edits_id: messages[0]! })).toEqual({
        outcome: 'session_not_found',
      });
      expect(await begin(member, { edits_id: messages[0]! }), 'in a chat that is not there yet').toEqual({
        outcome: 'message_not_found',
      });
    });

    it('waits for the reply that is running', async () => {
      const { member, session_id, messages } = await startChat();
      await begin(member, { session_id });
      expect(await begin(member, { session_id, repeats_id: messages[1]! })).toEqual({
        outcome: 'turn_in_progress',
      });
    });

    it('messages keep their order, whenever a statement began to wait', async () => {
      const { member, session_id } = await startChat();
      const turn_id = randomUUID();
      await begin(member, { session_id, turn_id });
      const { rows } = await test.pool.query(
        `with old as (update public.chat_messages set created_at = now() + interval '1 hour' where session_id = $1 and is_chosen
           and id = (select user_message_id from public.turns where id = $2) returning id)
         select id from old`,
        [session_id, turn_id],
      );
      await finish(turn_id, { content: 'The reply' });
      const next = (await begin(member, {
        session_id,
        turn_id: randomUUID(),
        content: 'After it',
      })) as BegunTurn;
      expect(rows).toHaveLength(1);
      expect(next.history.at(-1)).toEqual({ sender: 'assistant', content: 'The reply' });
      expect(chosen(await linesOf(session_id)).slice(-2)).toEqual(['The reply', 'After it']);
    });
  });

  describe('OpenAI’s conversation is used', () => {
    async function afterFirstTurn(
      finishing: Omit<Partial<FinishInput>, 'conversation_id'>,
      { held, thread_id = held ?? 'conv_1' }: { held: string | null; thread_id?: string },
    ) {
      const member = await insertMember(test.pool);
      const [session_id, turn_id] = [randomUUID(), randomUUID()];
      await begin(member, { session_id, turn_id, with_history: false });
      await test.pool.query('update public.chat_sessions set thread_id = $2 where id = $1', [
        session_id,
        thread_id,
      ]);
      await finish(turn_id, { ...finishing, conversation_id: held });
      const begun = (await begin(member, { session_id, content: 'Next', with_history: false })) as BegunTurn;
      return { used: begun.conversation_id !== null, history: begun.history.length };
    }

    it('when it holds the chat’s last message, and then no history is sent', async () => {
      expect(await afterFirstTurn({}, { held: 'conv_1' })).toEqual({ used: true, history: 0 });
    });

    it('not after a reply that it does not hold', async () => {
      expect(await afterFirstTurn({}, { held: null })).toEqual({ used: false, history: 2 });
    });

    it('not after a stop or a failure', async () => {
      expect(await afterFirstTurn({ status: 'stopped' }, { held: null })).toEqual({
        used: false,
        history: 2,
      });
      const failed = { status: 'failed', error_code: 'model_failed', content: '' } as const;
      expect(await afterFirstTurn(failed, { held: null })).toEqual({ used: false, history: 1 });
    });

    it('not when it is a thread of the API that is gone', async () => {
      expect(await afterFirstTurn({}, { held: 'thread_1' })).toEqual({ used: false, history: 2 });
    });

    it('not when another one was recorded for the chat meanwhile', async () => {
      expect(await afterFirstTurn({}, { held: 'conv_1', thread_id: 'conv_late' })).toEqual({
        used: false,
        history: 2,
      });
    });
  });

  describe('the end of a turn settles', () => {
    async function endWith(input: Partial<FinishInput>) {
      const member = await insertMember(test.pool);
      const [session_id, turn_id] = [randomUUID(), randomUUID()];
      await begin(member, { session_id, turn_id });
      const outcome = await finish(turn_id, input);
      return {
        outcome,
        turn_id,
        usage: await usageOf(member),
        messages: await countMessages(session_id),
        member,
      };
    }

    it('done: the message and the real tokens count', async () => {
      const { usage, messages, outcome } = await endWith({});
      expect(usage).toEqual({ messages: 1, files: 0, tokens: 120 });
      expect(messages).toBe(2);
      expect(outcome?.allowances).toEqual({ messages: 49, files: 10, tokens: 199_880, credits: 0 });
    });

    it('stopped after the first word: the message counts, and the tokens as told', async () => {
      const { usage, messages } = await endWith({ status: 'stopped' });
      expect(usage).toEqual({ messages: 1, files: 0, tokens: 120 });
      expect(messages).toBe(2);
    });

    it('stopped before the first word: all is given back', async () => {
      const { usage, messages } = await endWith({ status: 'stopped', content: '' });
      expect(usage).toEqual({ messages: 0, files: 0, tokens: 0 });
      expect(messages).toBe(1);
    });

    it('failed: all is given back, and the text so far is kept', async () => {
      const { usage, messages } = await endWith({
        status: 'failed',
        error_code: 'model_cut_off',
        content: 'Half a',
      });
      expect(usage).toEqual({ messages: 0, files: 0, tokens: 0 });
      expect(messages).toBe(2);
    });

    it('once, however often and however differently it is told', async () => {
      const { turn_id, member } = await endWith({});
      const again = await Promise.all([
        ...Array.from({ length: 10 }, () => finish(turn_id)),
        ...Array.from({ length: 10 }, () =>
          finish(turn_id, { status: 'failed', error_code: 'model_failed' }),
        ),
      ]);
      expect(new Set(again.map((outcome) => outcome?.status))).toEqual(new Set(['done']));
      expect(await usageOf(member)).toEqual({ messages: 1, files: 0, tokens: 120 });
    });

    it('of a chat that was deleted meanwhile: nothing, and without an error', async () => {
      const member = await insertMember(test.pool);
      const [session_id, turn_id] = [randomUUID(), randomUUID()];
      await begin(member, { session_id, turn_id });
      await test.pool.query('delete from public.chat_sessions where id = $1', [session_id]);
      expect(await finish(turn_id)).toBeUndefined();
    });
  });

  it('begins, ends and deletions at once never deadlock', async () => {
    const member = await insertMember(test.pool, {
      subscription_quota: { messages: null, files: null, tokens: null },
    });
    const sessions = Array.from({ length: 8 }, () => randomUUID());
    await Promise.all(
      Array.from({ length: 120 }, async (_, index) => {
        const session_id = sessions[index % sessions.length]!;
        const turn_id = randomUUID();
        const { outcome } = await begin(member, { session_id, turn_id });
        if (outcome === 'begun') await finish(turn_id);
        if (index % 10 === 0)
          await test.pool.query('delete from public.chat_sessions where id = $1', [session_id]);
      }),
    );
    const { rows } = await test.pool.query(
      `select deadlocks from pg_stat_database where datname = current_database()`,
    );
    expect(Number(rows[0].deadlocks)).toBe(0);
  });

  it('a turn rings while it goes on and when it ends, once somebody follows it, and never before', async () => {
    const [member, stranger] = [await insertMember(test.pool), await insertMember(test.pool)];
    const [followed, alone] = [randomUUID(), randomUUID()];
    for (const turn_id of [followed, alone]) await begin(member, { turn_id });
    const client = await test.pool.connect();
    const rung: string[] = [];
    client.on('notification', ({ payload }) => rung.push(payload!));
    await client.query('listen touchline_turns');
    // Notifications come before the answer to what this connection asks next.
    const heard = async () => {
      await client.query('select 1');
      return rung.splice(0);
    };
    try {
      const replies = [followed, alone].map((id) => ({ id, reply: 'The text' }));
      await followRow(test.database, stranger.auth_id, followed);
      await checkpointTurns(test.database, replies);
      expect(await heard()).toEqual([]);
      await followRow(test.database, member.auth_id, followed);
      await checkpointTurns(test.database, replies);
      expect(await heard()).toEqual([followed]);
      await finish(alone);
      expect(await heard()).toEqual([]);
      await finish(followed);
      expect(await heard()).toEqual([followed]);
    } finally {
      await client.query('unlisten *');
      client.release();
    }
  });

  it('whose address is not confirmed has three messages: not four at once, not in a new chat, not next month', async () => {
    const member = await insertMember(test.pool, { email_confirmed: false });
    const usage = { messages: 0, files: 0, tokens: 0 };
    const failed = randomUUID();
    await begin(member, { turn_id: failed });
    await finish(failed, { status: 'failed', error_code: 'model_failed', content: '' });
    const sent = Array.from({ length: 10 }, () => randomUUID());
    const outcomes = await Promise.all(sent.map((turn_id) => begin(member, { turn_id })));
    expect(outcomes.filter(({ outcome }) => outcome === 'begun')).toHaveLength(3);
    expect(outcomes.filter(({ outcome }) => outcome === 'email_unconfirmed')).toHaveLength(7);
    await Promise.all(sent.map((turn_id) => finish(turn_id)));
    expect((await usageOf(member)).messages).toBe(3);
    const setUsed = (messages: number) =>
      test.pool.query('update public.profiles set subscription_usage = $2 where id = $1', [
        member.id,
        { ...usage, messages },
      ]);
    await setUsed(0);
    expect(await begin(member)).toEqual({ outcome: 'email_unconfirmed' });
    await setUsed(3);
    await test.pool.query('delete from public.chat_sessions where user_id = $1', [member.id]);
    expect(await begin(member)).toEqual({ outcome: 'email_unconfirmed' });
    // What was set by hand stands in no ledger.
    await test.pool.query('delete from public.usage_entries where user_id = $1', [member.id]);
    await setUsed(0);
    await test.pool.query('update public.profiles set email_confirmed = true where id = $1', [member.id]);
    expect((await begin(member)).outcome).toBe('begun');
  });

  it('a checkpoint keeps the text of running turns, and tells which go on and which are to be stopped', async () => {
    const member = await insertMember(test.pool);
    const [running, stopping, ended] = [randomUUID(), randomUUID(), randomUUID()];
    for (const turn_id of [running, stopping, ended]) await begin(member, { turn_id });
    await test.pool.query('update public.turns set stop_requested_at = now() where id = $1', [stopping]);
    await finish(ended);
    const kept = await checkpointTurns(
      test.database,
      [running, stopping, ended].map((id) => ({ id, reply: `text of ${id}` })),
    );
    expect(new Map(kept.map((turn) => [turn.id, turn.stop_requested]))).toEqual(
      new Map([
        [running, false],
        [stopping, true],
      ]),
    );
    const { rows } = await test.pool.query('select reply from public.turns where id = $1', [running]);
    expect(rows[0].reply).toBe(`text of ${running}`);
  });

  it('turns that their server left are failed, given back, and keep their text; others go on', async () => {
    const member = await insertMember(test.pool);
    const [left, alive, session_id] = [randomUUID(), randomUUID(), randomUUID()];
    await begin(member, { turn_id: left, session_id });
    await checkpointTurns(test.database, [{ id: left, reply: 'The text so far' }]);
    await test.pool.query(`update public.turns set heartbeat_at = now() - interval '1 hour' where id = $1`, [
      left,
    ]);
    await begin(member, { turn_id: alive });
    await failAbandonedTurns(test.database, 60_000, [left]);
    const own = await test.pool.query('select status from public.turns where id = $1', [left]);
    expect(own.rows, 'a process does not give up its own').toEqual([{ status: 'answering' }]);
    await Promise.all([
      failAbandonedTurns(test.database, 60_000, []),
      failAbandonedTurns(test.database, 60_000, []),
    ]);
    const { rows } = await test.pool.query(
      'select id, status, error_code from public.turns where user_id = $1',
      [member.id],
    );
    expect(rows).toEqual(
      expect.arrayContaining([
        { id: left, status: 'failed', error_code: 'server_stopped' },
        { id: alive, status: 'accepted', error_code: null },
      ]),
    );
    const kept = await test.pool.query(
      `select content from public.chat_messages where session_id = $1 and sender = 'assistant'`,
      [session_id],
    );
    expect(kept.rows).toEqual([{ content: 'The text so far' }]);
    expect((await usageOf(member)).messages).toBe(1);
  });

  async function insertPendingFile(member: TestMember) {
    const [file_id, original_id] = [randomUUID(), randomUUID()];
    await test.pool.query(
      `select public.add_file($1, $2, $3, 'notes.md', 'text/markdown', 5, $4, null, 1, '[{"ordinal": 1, "page": null, "content": "Notes"}]', now() + interval '1 day')`,
      [member.id, file_id, original_id, `key-${original_id}`],
    );
    return file_id;
  }
});
