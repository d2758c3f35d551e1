import { setTimeout as delay } from 'node:timers/promises';
import { type DrillOptions, number, type Outcome } from './outcome.ts';
import { playOnStage } from './play-on-stage.ts';
import { createRandom } from './random.ts';
import { startLoad } from './steady-load.ts';

/** So many kills, then a pause in which the turns that were left are ended. */
const batch = 50;
/** A killed server has kept the text of its last checkpoint, which comes each second on an idle machine. */
const lost_within_ms = 10_000;

type KillOptions = DrillOptions & {
  turns_per_s?: number;
  /** Lets the 30 s pass at once after which a silent server counts as gone. */
  skips_silence?: boolean;
};

/**
 * Two servers are killed (`kill -9`) at random moments, also while they start, and started again, while members write,
 * read, stop and join. Nothing that was acknowledged may be lost, and every turn has an end.
 */
export async function killServers({
  seed,
  times,
  admin_url,
  log_path,
  turns_per_s = 8,
  skips_silence = false,
}: KillOptions): Promise<Outcome> {
  const random = createRandom(seed);
  return await playOnStage({ random, admin_url, log_path, comparing: { lost_within_ms } }, async (stage) => {
    const members = [...(await stage.addMembers(20)), ...(await stage.addMembers(4, 15))];
    const load = startLoad(stage, {
      random: random.of('load'),
      members,
      turns_per_s,
      reads_per_s: turns_per_s,
    });
    const kills = random.of('kills');
    let whileStarting = 0;
    for (let killed = 0; killed < times; ) {
      stage.trouble();
      load.resume();
      for (const end = Math.min(killed + batch, times); killed < end; killed++) {
        await delay(kills.between(200, 900));
        const victim = kills.pick(stage.servers);
        // Else there would be nothing but servers that start. Now and then one is killed in the middle of that all the same.
        if (kills.chance(0.8)) await Promise.all(stage.servers.map((server) => server.ready()));
        if (!victim.isReady) whileStarting++;
        await victim.end('SIGKILL');
        victim.start();
      }
      load.pause();
      await Promise.all(stage.servers.map((server) => server.ready()));
      stage.calm();
      if (skips_silence) {
        await stage.untilQuiet();
        await stage.pool.query(
          `update public.turns set heartbeat_at = heartbeat_at - interval '30 s' where finished_at is null`,
        );
      }
      await load.settled();
    }
    load.stop();
    const { turns, reads } = load.counts();
    return `${times} kills (${whileStarting} in the middle of a start) under ${number(turns)} messages and ${number(reads)} reads`;
  });
}
