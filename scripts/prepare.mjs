// What `npm start` and `npm test` do before anything else. Plain JavaScript: it runs on whatever Node a machine has.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');

/** Node 24, which comes as a package, so that an older Node on the machine is enough to begin with. */
export const node = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** The environment of everything that is started: Node 24 first on the path, and compiled code kept between starts. */
export const environment = {
  ...process.env,
  PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}`,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'touchline'),
};

/** Installs the packages of package-lock.json, unless they are there. `dev`: with those that only tests need. */
export function install({ dev }) {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    fail(`Touchline needs Node 20 or newer to begin with; this is ${process.version}.`);
  }
  const stamp = join(modules, '.touchline');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const wanted = `${lock} ${dev ? 'dev' : ''}`.trim();
  const found = existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined;
  if (existsSync(node) && (found === wanted || found === `${lock} dev`)) return;
  if (found === undefined && wasInstalledByHand({ dev })) return writeFileSync(stamp, wanted);

  say('Installing packages (once, about a minute) …');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund', dev ? '--include=dev' : '--omit=dev'];
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const { status } =
    npm && existsSync(npm) && /\.c?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...args], options)
      : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (status !== 0) fail('The packages could not be installed: see the lines above, and check the network.');
  if (!existsSync(node)) {
    fail(
      'Node 24 was not installed: allow install scripts ("npm config delete ignore-scripts") and try again.',
    );
  }
  writeFileSync(stamp, wanted);
}

/** Whether somebody ran npm for the present package-lock.json: npm leaves a newer one of its own. */
function wasInstalledByHand({ dev }) {
  const own = statSync(join(modules, '.package-lock.json'), { throwIfNoEntry: false });
  if (!own || own.mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs) return false;
  return existsSync(node) && (!dev || existsSync(join(modules, 'vitest')));
}

/** Builds the web app, unless it was built from exactly these sources. */
export function buildWebApp() {
  const stamp = join(root, 'web', 'dist', '.sources');
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const path of listSources(join(root, 'web'))) {
    hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
  }
  const sources = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;

  say('Building the web app …');
  const vite = join(modules, 'vite', 'bin', 'vite.js');
  const built = spawnSync(
    node,
    [vite, 'build', '--config', join('web', 'vite.config.ts'), '--logLevel', 'warn'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: environment,
    },
  );
  if (built.status !== 0) fail('The web app could not be built: see the lines above.');
  compress(join(root, 'web', 'dist', 'assets'));
  writeFileSync(stamp, sources);
}

/**
 * The server as one file, which starts in half the time, made anew when its sources have changed. Undefined where it cannot
 * be kept: then the sources are run as they are.
 */
export function bundleServer() {
  const folder = join(modules, '.cache', 'touchline');
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  const ours = [join(root, 'scripts', 'bundle-server.mjs'), ...listSources(join(root, 'server'))];
  for (const path of ours.filter((path) => !/\.test\.ts$|[\\/]server[\\/]testing[\\/]/.test(path))) {
    hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
  }
  const made = join(folder, `server-${hash.digest('hex').slice(0, 16)}`);
  const bundle = join(made, 'server.js');
  if (existsSync(bundle)) return bundle;

  const draft = `${made}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch {
    return undefined;
  }
  say('Putting the server into one file …');
  const built = spawnSync(node, [join(root, 'scripts', 'bundle-server.mjs'), draft], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: environment,
  });
  if (built.status !== 0) {
    rmSync(draft, { recursive: true, force: true });
    say('The server could not be bundled (see the lines above) and starts from its sources.');
    return undefined;
  }
  const earlier = readdirSync(folder).filter((name) => /^server-[0-9a-f]{16}$/.test(name));
  try {
    renameSync(draft, made);
  } catch {
    // Another start was quicker.
    rmSync(draft, { recursive: true, force: true });
  }
  // A server that runs has read its own already.
  for (const name of earlier) {
    if (join(folder, name) !== made) rmSync(join(folder, name), { recursive: true, force: true });
  }
  return existsSync(bundle) ? bundle : undefined;
}

/** Puts a smaller copy beside each text file, so that the server need not compress. */
function compress(folder) {
  for (const name of readdirSync(folder).filter((name) => /\.(js|css|svg)$/.test(name))) {
    const content = readFileSync(join(folder, name));
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content));
    writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
}

function listSources(folder) {
  return readdirSync(folder)
    .filter((name) => name !== 'dist' && !name.startsWith('.'))
    .sort()
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? listSources(path) : [path]));
}

function say(sentence) {
  process.stderr.write(`${sentence}\n`);
}

function fail(sentence) {
  say(sentence);
  process.exit(1);
}
