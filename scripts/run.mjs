// `node scripts/run.mjs scripts/<name>.ts`: installs what is missing, and runs a script of ours on Node 24.
import { spawn } from 'node:child_process';
import { environment, install, node, root } from './prepare.mjs';

install({ dev: false });
const script = spawn(node, process.argv.slice(2), { cwd: root, env: environment, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => script.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal));
}
script.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
