// `npm start`: installs what is missing, builds the web app and bundles the server if they are stale, and runs it on Node 24.
// `npm run dev`: the same with both restarted on changes; the page is then served by Vite.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildWebApp, bundleServer, environment, install, node, root } from './prepare.mjs';

const watch = process.argv.includes('--watch');
install({ dev: watch });
if (!watch) buildWebApp();

const sources = join('server', 'main.ts');
const server = spawn(node, watch ? ['--watch', sources] : [bundleServer() ?? sources], {
  cwd: root,
  env: environment,
  // The channel tells the server when this process is killed.
  stdio: ['inherit', 'inherit', 'inherit', ...(watch ? [] : ['ipc'])],
});
const page = watch
  ? spawn(node, [join('node_modules', 'vite', 'bin', 'vite.js'), '--config', join('web', 'vite.config.ts')], {
      cwd: root,
      env: environment,
      stdio: 'inherit',
    })
  : undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    server.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    page?.kill(signal);
  });
}
server.on('exit', (code, signal) => {
  page?.kill();
  process.exit(signal ? 1 : (code ?? 1));
});
