import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StartError } from './config.ts';
import { lockDataFolder } from './process-lock.ts';

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchline-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Another process that runs `script`, with LOCK for the module's path; its lines of output come one by one. */
function startProcess(script: string) {
  const module = JSON.stringify(join(import.meta.dirname, 'process-lock.ts'));
  const child = spawn(process.execPath, ['--input-type=module', '-e', script.replace('LOCK', module)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, nextLine: async () => (await lines.next()).value as string };
}

const holding = (path: string) => `
  import { lockDataFolder } from LOCK;
  lockDataFolder(${JSON.stringify(path)});
  console.log('locked');
  setInterval(() => {}, 1000);
`;

function refusal() {
  try {
    lockDataFolder(folder);
  } catch (error) {
    expect(error).toBeInstanceOf(StartError);
    return (error as Error).message;
  }
  throw new Error('the folder was taken');
}

function writeLock(content: string, number = 1) {
  writeFileSync(join(folder, `touchline.${number}.lock`), content);
}

test('a new folder is made, for this account only, and taken', () => {
  const path = join(folder, 'made', 'now');
  lockDataFolder(path).release();
  expect(readdirSync(path)).toHaveLength(1);
});

test('a folder in use is refused in a sentence with the process id of its owner', async () => {
  const { child, nextLine } = startProcess(holding(folder));
  expect(await nextLine()).toBe('locked');
  expect(refusal()).toBe(
    `The data folder ${folder} is in use by the Touchline process ${child.pid}: stop that one, or set DATA_DIR to another folder.`,
  );
});

test('a folder whose owner was killed is taken over', async () => {
  const { child, nextLine } = startProcess(holding(folder));
  await nextLine();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = lockDataFolder(folder);
  expect(refusal()).toContain(`process ${process.pid}`);
  lock.release();
});

test.skipIf(!existsSync('/proc/self/stat'))(
  // Elsewhere nothing tells when a process started, and the id alone has to do.
  'a process id that another program has since the reboot does not keep the folder',
  () => {
    // This very process is alive, but it is not the one that wrote this before the reboot.
    writeLock(JSON.stringify({ pid: process.pid, started: '1b4e28ba-2fa1-11d2-883f-0016d3cca427 4242' }));
    lockDataFolder(folder).release();
  },
);

test.each([
  ['empty', ''],
  ['cut off', '{"pid":12'],
  ['of zeros', '\0\0\0\0\0\0\0\0'],
  ['of something else', 'null'],
  // Signal 0 to the process id 0 would reach our own group, and always succeed.
  ['without a process', '{"pid":0,"started":null}'],
])('a lock that is %s does not keep the folder', (_, content) => {
  writeLock(content);
  const lock = lockDataFolder(folder);
  expect(refusal()).toContain(`process ${process.pid}`);
  lock.release();
});

test('a released folder can be taken again, however often, and keeps no old locks', () => {
  for (let round = 0; round < 12; round++) {
    const lock = lockDataFolder(folder);
    expect(refusal()).toContain('in use');
    lock.release();
  }
  expect(readdirSync(folder)).toEqual(['touchline.12.lock']);
});

test("releasing leaves another owner's lock alone", async () => {
  const mine = lockDataFolder(folder);
  rmSync(join(folder, 'touchline.1.lock'));
  const { nextLine } = startProcess(holding(folder));
  await nextLine();
  mine.release();
  expect(refusal()).toContain('in use');
  // Releasing twice, or after somebody removed the folder, does no harm either.
  rmSync(folder, { recursive: true });
  mine.release();
});

test('of 20 processes that find a dead owner at the same moment exactly one takes the folder', {
  timeout: 60_000,
}, async () => {
  const rounds = 25;
  for (let round = 0; round < rounds; round++) {
    const path = join(folder, String(round));
    mkdirSync(path);
    writeFileSync(join(path, 'touchline.3.lock'), '{"pid":2147483646,"started":"long ago"}');
  }
  const racers = Array.from({ length: 20 }, () =>
    startProcess(`
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      // A pause of up to 2 ms around each step on the disk brings the rarest interleavings about.
      const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * 2);
      for (const name of ['linkSync', 'renameSync', 'readFileSync', 'readdirSync', 'rmSync', 'writeFileSync']) {
        const step = fs[name];
        fs[name] = (...values) => {
          pause();
          return step(...values);
        };
      }
      syncBuiltinESMExports();
      const { lockDataFolder } = await import(LOCK);
      const won = [];
      process.once('SIGUSR2', () => {
        for (let round = 0; round < ${rounds}; round++) {
          try {
            lockDataFolder(${JSON.stringify(folder)} + '/' + round);
            won.push(round);
          } catch (error) {
            if (!error.message.includes('is in use by')) console.error(error);
          }
        }
        console.log(JSON.stringify(won));
      });
      setInterval(() => {}, 1000);
      console.log('ready');
    `),
  );
  for (const { nextLine } of racers) expect(await nextLine()).toBe('ready');
  for (const { child } of racers) child.kill('SIGUSR2');
  const won = await Promise.all(racers.map(async ({ nextLine }) => JSON.parse(await nextLine())));
  expect(won.flat().sort((one, other) => one - other)).toEqual(Array.from({ length: rounds }, (_, i) => i));
});

test('a process that was held up while others took and cleared its number does not take the folder', async () => {
  const { nextLine } = startProcess(`
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { linkSync } = fs;
    fs.linkSync = (...paths) => {
      fs.linkSync = linkSync;
      syncBuiltinESMExports();
      // The owner of number 1 came and died; the owner of number 2 took over, and is this test.
      fs.writeFileSync(${JSON.stringify(join(folder, 'touchline.2.lock'))}, '{"pid":${process.pid},"started":null}');
      linkSync(...paths);
    };
    syncBuiltinESMExports();
    const { lockDataFolder } = await import(LOCK);
    try {
      lockDataFolder(${JSON.stringify(folder)});
      console.log('locked');
    } catch (error) {
      console.log(error.message);
    }
  `);
  expect(await nextLine()).toContain(`in use by the Touchline process ${process.pid}`);
  expect(readdirSync(folder)).toEqual(['touchline.2.lock']);
});

test('a folder that cannot be made or written is refused in a sentence with the reason', () => {
  writeFileSync(join(folder, 'file'), '');
  const path = join(folder, 'file', 'below');
  expect(() => lockDataFolder(path)).toThrow(
    `The data folder ${path} cannot be used (ENOTDIR): set DATA_DIR to a folder that this account may write.`,
  );
  // Root may write everywhere.
  if (process.getuid?.() === 0) return;
  chmodSync(folder, 0o500);
  expect(refusal()).toContain('cannot be used (EACCES)');
});
