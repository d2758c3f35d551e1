import { setTimeout as delay } from 'node:timers/promises';
import { type Fact, type FileMember, setFilesStage } from './files-stage.ts';
import { type DrillOptions, number, type Outcome } from './outcome.ts';
import { createRandom, type Random } from './random.ts';

const members_count = 6;
const library_size = 3;
const chats_each = 2;

type Chat = { session_id: string; facts: Fact[] };

/**
 * OpenAI loses stores, files and conversations at random, between turns, when a turn asks, and while a store is filled.
 * Every turn must be answered from the file that it asks about, and in the end nothing may be left that nobody names.
 */
export async function loseFiles({ seed, times, admin_url, log_path }: DrillOptions): Promise<Outcome> {
  const random = createRandom(seed);
  const stage = await setFilesStage({ random, admin_url, log_path });
  const { state, faults } = stage.openai;
  const lost = { store: 0, file: 0, conversation: 0 };
  const differences: string[] = [];
  let asked = 0;
  try {
    const inTheMiddle = random.of('in the middle');
    let isLosing = true;
    const handed = new Map<string, number>();
    // A matcher that matches nothing: it sees each request before it is answered.
    faults.next(
      ({ method, path, body }) => {
        if (!isLosing || method !== 'POST') return false;
        const fills = /^\/v1\/vector_stores\/([^/]+)\/files$/.exec(path);
        if (fills && inTheMiddle.chance(0.03)) {
          if (inTheMiddle.chance(0.5)) lose('store', fills[1]!);
          else lose('file', (body as { file_id: string }).file_id);
        }
        if (path === '/v1/responses' && inTheMiddle.chance(0.05)) {
          const stores =
            (body as { tools?: { vector_store_ids: string[] }[] }).tools?.[0]?.vector_store_ids ?? [];
          // Of one turn not again and again: twice a store is made anew, then the reply is given without.
          const key = JSON.stringify((body as { input: unknown[] }).input.at(-1));
          if (stores.length === 0 || (handed.get(key) ?? 0) > 0) return false;
          handed.set(key, 1);
          lose('store', inTheMiddle.pick(stores));
        }
        return false;
      },
      { hang: true },
    );

    function lose(what: keyof typeof lost, id: string) {
      const isGone =
        what === 'store'
          ? state.vectorStores.delete(id)
          : what === 'conversation'
            ? state.conversations.delete(id)
            : state.files.delete(id);
      if (what === 'file') for (const store of state.vectorStores.values()) store.files.delete(id);
      if (isGone) lost[what]++;
    }

    const members: { member: FileMember; chats: Chat[] }[] = [];
    for (let index = 0; index < members_count; index++) {
      const member = await stage.addMember(library_size);
      const chats = Array.from({ length: chats_each }, () => ({
        session_id: random.uuid(),
        facts: [] as Fact[],
      }));
      members.push({ member, chats });
    }

    /** Loses something of a member's, as if days had passed. */
    async function loseBefore({ member, chats }: (typeof members)[number], chat: Chat, choices: Random) {
      const { rows } = await stage.pool.query(
        `select store_id, openai_file_id, thread_id
         from (select 1) as one
         left join public.vector_stores as stores on stores.user_id = $1 and (session_id = $2 or is_library)
         left join public.chat_files as files on files.user_id = $1 and files.vector_store_id = stores.store_id
         left join public.chat_sessions as chats on chats.id = $2`,
        [member.id, chat.session_id],
      );
      void chats;
      const row = choices.pick(rows);
      const what = choices.pick(['store', 'expired', 'file', 'conversation'] as const);
      if (what === 'file' && row.openai_file_id) lose('file', row.openai_file_id);
      if (what === 'conversation' && row.thread_id) lose('conversation', row.thread_id);
      if (what === 'store' && row.store_id) lose('store', row.store_id);
      if (what === 'expired' && state.vectorStores.has(row.store_id)) {
        state.expireVectorStore(row.store_id);
        lost.store++;
      }
    }

    async function judge(
      place: (typeof members)[number],
      chat: Chat,
      fact: Fact,
      server: number,
      file_ids: string[],
    ) {
      asked++;
      const { session_id } = chat;
      const answer = await stage.ask(stage.servers[server]!, place.member, fact, { session_id, file_ids });
      const originals = await stage.originalIds();
      differences.push(...stage.judge(fact, answer, originals));
    }

    await Promise.all(
      members.map(async (place, index) => {
        const choices = random.of(`member ${index}`);
        const share = Math.floor(times / members_count) + (index < times % members_count ? 1 : 0);
        for (let turn = 0; turn < share; turn++) {
          const chat = choices.pick(place.chats);
          if (choices.chance(0.4)) await loseBefore(place, chat, choices);
          const file_ids: string[] = [];
          if (chat.facts.length < 4 && choices.chance(0.3)) {
            const fact = await stage.addFile(place.member, false);
            chat.facts.push(fact);
            file_ids.push(fact.file_id);
          }
          const fact =
            file_ids.length > 0 ? chat.facts.at(-1)! : choices.pick([...place.member.library, ...chat.facts]);
          await judge(place, chat, fact, choices.between(0, 1), file_ids);
          await delay(choices.between(0, 20));
        }
      }),
    );

    isLosing = false;
    const during = asked;
    for (const place of members) {
      for (const chat of place.chats)
        for (const fact of [...place.member.library, ...chat.facts]) await judge(place, chat, fact, 0, []);
    }
    await stage.untilErased(members[0]!.member);
    differences.push(...(await stage.compareUpstream()), ...stage.complaints);
    return {
      did: `${number(during)} turns while OpenAI lost ${lost.store} stores, ${lost.file} files and ${lost.conversation} conversations`,
      acknowledged: `${number(asked)} turns answered, the last ${number(asked - during)} for every file of every chat`,
      differences,
    };
  } finally {
    await stage.stop();
  }
}
