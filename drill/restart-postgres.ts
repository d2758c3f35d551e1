import { setTimeout as delay } from 'node:timers/promises';
import { type DrillOptions, number, type Outcome } from './outcome.ts';
import type { OwnPostgres } from './own-postgres.ts';
import { playOnStage } from './play-on-stage.ts';
import { createRandom } from './random.ts';
import { startLoad } from './steady-load.ts';
import { endOf } from './turn-log.ts';

type RestartOptions = Omit<DrillOptions, 'admin_url'> & { postgres: OwnPostgres; requests_per_s?: number };

/**
 * PostgreSQL is restarted again and again under a steady load, in good order and as after a crash. The servers stay up,
 * running replies reach their readers, and whatever cannot be taken in is told to come again.
 */
export async function restartPostgres({
  seed,
  times,
  log_path,
  postgres,
  requests_per_s = 50,
}: RestartOptions): Promise<Outcome> {
  const random = createRandom(seed);
  return await playOnStage({ random, admin_url: postgres.admin_url, log_path }, async (stage) => {
    const members = [...(await stage.addMembers(30)), ...(await stage.addMembers(4, 15))];
    const turns_per_s = requests_per_s / 5;
    const load = startLoad(stage, {
      random: random.of('load'),
      members,
      turns_per_s,
      reads_per_s: requests_per_s - turns_per_s,
    });
    const restarts = random.of('restarts');
    let away_ms = 0;
    stage.trouble();
    for (let restarted = 0; restarted < times; restarted++) {
      await delay(restarts.between(1_500, 4_000));
      away_ms += await postgres.restart(restarted % 2 === 0 ? 'fast' : 'immediate');
    }
    await delay(2_000);
    load.pause();
    stage.calm();
    await load.settled();
    load.stop();
    for (const turn of stage.turns) {
      // The first answer to a message comes from the server that makes the reply, which has lost nobody.
      if (turn.sends === 1 && turn.readings[0]!.breaks > 0) {
        stage.complain('a reader was let go by the server that makes the reply');
      }
      // A message that was told to come again may have begun all the same, and no server knew.
      const wasLost = turn.refusals.includes('unavailable');
      const end = endOf(turn);
      if (end?.event === 'error' && !(wasLost && end.code === 'server_stopped')) {
        stage.complain(`a reply ended as ${end.code} while the servers and the model were well`);
      }
    }
    const { turns, reads } = load.counts();
    return `${times} restarts, away for ${number(Math.round(away_ms))} ms in all, under ${number(turns)} messages and ${number(reads)} reads`;
  });
}
