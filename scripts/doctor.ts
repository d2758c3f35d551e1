/**
 * `npm run doctor`: looks at what the settings name and prints a line for each thing: good, worth a note, or wrong and
 * how to mend it; never a secret. Exit code 1 when something is wrong.
 */
import { examine } from '../server/doctor/examine.ts';
import { findingsAbout, formatFinding } from '../server/doctor/finding.ts';
import { runCommand } from './run-command.ts';

const settings = findingsAbout('settings');
await runCommand(
  async ({ root, config, undo }) => {
    const findings = [settings.good(`The ${config.mode} mode.`), ...(await examine(config, root, undo))];
    if (findings.some((finding) => finding.verdict === 'wrong')) process.exitCode = 1;
    return findings.map(formatFinding);
  },
  (error) => [formatFinding(settings.wrong(error.message))],
);
