import { join } from 'node:path';
import { loadPlans } from '../billing/load-plans.ts';
import { loadCoaches } from '../coaches/load-coaches.ts';
import { type Config, StartError } from '../platform/config.ts';
import type { Undo } from '../prepare-database.ts';
import { checkAuthSettings } from './check-auth-settings.ts';
import { checkDataFolder } from './check-data-folder.ts';
import { checkDatabase } from './check-database.ts';
import { checkMail } from './check-mail.ts';
import { checkOpenAI } from './check-openai.ts';
import { checkStorage } from './check-storage.ts';
import { checkStripe } from './check-stripe.ts';
import { checkSupabase } from './check-supabase.ts';
import { type Finding, findingsAbout } from './finding.ts';

/**
 * Looks at everything that the settings name, all at once, and says what is good and what is wrong, in a fixed order.
 * Throws nothing. The caller runs `undo`, which stops what had to be started.
 */
export async function examine(config: Config, root: string, undo: Undo): Promise<Finding[]> {
  const findings = await Promise.all([
    check('data folder', () => checkDataFolder(config, root)),
    check('database', () => checkDatabase(config, root, undo)),
    check('supabase', () => checkSupabase(config.supabase)),
    check('supabase', () => (config.supabase ? checkAuthSettings(config.supabase, config) : [])),
    check('storage', () => checkStorage(config)),
    check('coaches', () => checkCoachesAndModels(config, root)),
    check('mail', () => checkMail(config)),
    check('stripe', () => checkStripe(config.stripe)),
  ]);
  return findings.flat();
}

async function checkCoachesAndModels(config: Config, root: string): Promise<Finding[]> {
  const { good, wrong } = findingsAbout('coaches');
  const coaches = await loadPlans(join(root, 'plans.yaml'))
    .then(({ plans }) =>
      loadCoaches(
        join(root, 'coaches'),
        plans.map(({ slug }) => slug),
      ),
    )
    .catch((error: Error) => error);
  if (coaches instanceof Error) return [wrong(coaches.message), ...(await checkOpenAI(config.openai, []))];
  return [good(`All ${coaches.length} can be read.`), ...(await checkOpenAI(config.openai, coaches))];
}

async function check(about: string, run: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  const { wrong } = findingsAbout(about);
  try {
    return await run();
  } catch (error) {
    if (error instanceof StartError) return [wrong(error.message)];
    const { code, name } = error as { code?: string; name: string };
    return [wrong(`This could not be looked at (${code ?? name}): try again, and report it if it stays.`)];
  }
}
