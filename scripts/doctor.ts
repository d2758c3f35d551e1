/**
 * `npm run doctor`: looks at what the settings name and prints a line for each thing: good, worth a note, or wrong and
 * how to mend it; never a secret. Exit code 1 when something is wrong.
 */
import { join } from 'node:path';
import { examine } from '../server/doctor/examine.ts';
import { type Finding, findingsAbout, formatFinding } from '../server/doctor/finding.ts';
import { loadConfig, StartError } from '../server/platform/config.ts';
import { createLogger } from '../server/platform/logger.ts';
import { runUndo, type Undo } from '../server/prepare-database.ts';

const root = join(import.meta.dirname, '..');
const undo: Undo = [];
const logger = createLogger('warn');
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await runUndo(undo, logger);
    process.exit(1);
  });
}
const findings = await examineSettings().finally(() => runUndo(undo, logger));
for (const finding of findings) process.stdout.write(`${formatFinding(finding)}\n`);
if (findings.some((finding) => finding.verdict === 'wrong')) process.exitCode = 1;

async function examineSettings(): Promise<Finding[]> {
  try {
    const config = loadConfig(root);
    return [
      findingsAbout('settings').good(`The ${config.mode} mode.`),
      ...(await examine(config, root, undo)),
    ];
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return [findingsAbout('settings').wrong(error.message)];
  }
}
