import { installationMark, noteOrphansUpstream } from '../server/knowledge/erase-orphans.ts';
import { createDatabase, createPool } from '../server/platform/database.ts';
import { createLogger } from '../server/platform/logger.ts';
import { createOpenAIUpstream } from '../server/platform/models/openai-client.ts';
import { type Answer, type Fact, setFilesStage, site_url } from './files-stage.ts';
import { type DrillOptions, number, type Outcome } from './outcome.ts';
import { createRandom } from './random.ts';

/** The requests of a rebuild: at the arrival of each, once, the server that sends it is killed. */
const steps = [
  ['the store is made', 'POST', /^\/v1\/vector_stores$/],
  ['a file is uploaded', 'POST', /^\/v1\/files$/],
  ['a file is put into the store', 'POST', /^\/v1\/vector_stores\/[^/]+\/files$/],
  ['a file is being indexed', 'GET', /^\/v1\/vector_stores\/[^/]+\/files\/[^/]+$/],
  ['the reply begins', 'POST', /^\/v1\/responses$/],
] as const;

/**
 * `times` turns at the same moment, half of them on each of two servers, ask for files of a library whose store has expired:
 * it is made anew once, and all are answered. Then a server is killed at each step of a rebuild, and the other one, and it
 * itself when it is back, must go on from there.
 */
export async function rebuildStores({ seed, times, admin_url, log_path }: DrillOptions): Promise<Outcome> {
  const random = createRandom(seed);
  const stage = await setFilesStage({ random, admin_url, log_path });
  const { state, faults, requests } = stage.openai;
  const [victim, other] = [stage.servers[0]!, stage.servers[1]!];
  const differences: string[] = [];
  const storesMade = () =>
    requests.filter(({ method, path }) => `${method} ${path}` === 'POST /v1/vector_stores').length;
  try {
    const member = await stage.addMember(5);
    const storeOf = async () => {
      const { rows } = await stage.pool.query(
        'select store_id, status, rebuild_token from public.vector_stores where user_id = $1 and is_library',
        [member.id],
      );
      return rows[0] as { store_id: string; status: string; rebuild_token: string | null };
    };
    const judge = async (fact: Fact, answer: Answer, when: string) => {
      const wrong = stage.judge(fact, answer, await stage.originalIds());
      differences.push(...wrong.map((what) => `${when}: ${what}`));
    };

    for (const [when, expire] of [
      ['the first time', async () => {}],
      ['expired at OpenAI', async () => state.expireVectorStore((await storeOf()).store_id)],
      ['lost at OpenAI', async () => void state.vectorStores.delete((await storeOf()).store_id)],
      [
        'expired by our clock',
        async () =>
          void (await stage.pool.query(
            `update public.vector_stores set expires_at = now() - interval '1 s'`,
          )),
      ],
    ] as const) {
      await expire();
      const before = storesMade();
      await Promise.all(
        Array.from({ length: times }, async (_, index) => {
          const fact = member.library[index % member.library.length]!;
          await judge(fact, await stage.ask(stage.servers[index % 2]!, member, fact), when);
        }),
      );
      if (storesMade() !== before + 1) differences.push(`${when}: ${storesMade() - before} stores were made`);
    }

    for (const [what, method, path] of steps) {
      const fact = random.pick(member.library);
      state.vectorStores.delete((await storeOf()).store_id);
      // Else nothing is to be uploaded.
      const { rows } = await stage.pool.query(
        'select openai_file_id as id from public.chat_files where original_id = $1',
        [fact.original_id],
      );
      state.files.delete(rows[0].id);
      let isDead = false;
      faults.next(
        (request) => {
          if (isDead || request.method !== method || !path.test(request.path)) return false;
          isDead = true;
          process.kill(victim.pid, 'SIGKILL');
          return false;
        },
        { hang: true },
      );
      const killed = stage.ask(victim, member, fact).catch(() => undefined);
      await victim.ended();
      await killed;
      faults.clear();
      // As if the 15 s had passed that it had for its next sign of life.
      await stage.pool.query(
        `update public.vector_stores set rebuild_lease_until = now() where rebuild_lease_until is not null`,
      );
      victim.start();
      await judge(fact, await stage.ask(other, member, fact), `killed when ${what}, the other server`);
      await victim.ready();
      await judge(fact, await stage.ask(victim, member, fact), `killed when ${what}, itself`);
      const { status, rebuild_token } = await storeOf();
      if (status !== 'active' || rebuild_token)
        differences.push(`killed when ${what}: the store is ${status}`);
    }

    // What the killed servers have left: no row names it, and an hour later it is noted.
    for (const held of [...state.vectorStores.values(), ...state.files.values()])
      held.created_at -= 2 * 3_600;
    await stage.pool.query(`update public.openai_uploads set started_at = started_at - interval '2 hours'`);
    const database = createDatabase(createPool(stage.database_url, 1, createLogger('silent')));
    const upstream = createOpenAIUpstream({
      api_key: stage.openai.api_key,
      base_url: stage.openai.url,
      model: undefined,
      store_days: 30,
      patience_ms: 45_000,
    });
    const orphans = await noteOrphansUpstream(database, upstream, await installationMark(database, site_url));
    await database.destroy();
    await stage.untilErased(member);
    const compared = (await stage.compareUpstream()).filter(
      (difference) => !difference.includes('conversation'),
    );
    differences.push(...compared, ...stage.complaints.filter((complaint) => !complaint.includes('SIGKILL')));
    return {
      did: `four times ${number(times)} turns at once on a store that was to be made, ${steps.length} kills in the middle of it`,
      acknowledged: `${orphans} stores and files that the killed servers had left were found and erased`,
      differences,
    };
  } finally {
    await stage.stop();
  }
}
