// `npm test`: everything that proves the product, on a fresh clone too. `npm run test:fast`: all but the browser.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildWebApp, environment, install, node, root } from './prepare.mjs';

const fast = process.argv.includes('--fast');
install({ dev: true });

run('Types of the server', [join('typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);
run('Types of the web app', [join('typescript', 'bin', 'tsc'), '-p', join('web', 'tsconfig.json')]);
run('Lint and format', [join('@biomejs', 'biome', 'bin', 'biome'), 'check', '.']);
buildWebApp();
run('Unit and integration tests', [join('vitest', 'vitest.mjs'), 'run', '--project', 'product']);
if (!fast) run('Browser tests', [join('vitest', 'vitest.mjs'), 'run', '--project', 'browser']);

function run(title, [script, ...args]) {
  const started = Date.now();
  process.stdout.write(`\n── ${title}\n`);
  const { status } = spawnSync(node, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  });
  if (status !== 0) {
    process.stdout.write(`\n✗ ${title}\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`✓ ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
}
