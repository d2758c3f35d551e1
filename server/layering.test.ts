import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

/** Each may import what stands to its right. */
const order = ['admin', 'chat', 'coaches', 'knowledge', 'files', 'billing', 'accounts', 'platform'];
const server = import.meta.dirname;

function listFiles(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? listFiles(path) : [path]))
    .filter((path) => path.endsWith('.ts'));
}

function importsOf(path: string) {
  const specifiers = readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g);
  return [...specifiers].map(([, specifier]) => relative(server, resolve(dirname(path), specifier!)));
}

const product = listFiles(server).filter((path) => !path.endsWith('.test.ts') && !path.includes('/testing/'));

it('features import only what stands to their right, and nothing of the tests', () => {
  const wrong: string[] = [];
  for (const path of product) {
    const from = relative(server, path);
    const feature = order.indexOf(from.split('/')[0]!);
    for (const target of importsOf(path)) {
      const imported = order.indexOf(target.split('/')[0]!);
      const allowed = feature === -1 ? !target.startsWith('testing') : imported >= feature;
      if (!allowed) wrong.push(`${from} imports ${target}`);
    }
  }
  expect(product.length).toBeGreaterThan(40);
  expect(wrong).toEqual([]);
});

it('there is no drawer: a file is named by what it does', () => {
  const drawers = /(^|\/)(utils?|helpers?|misc|common|types|constants|index)(\/|\.ts$)/;
  expect(listFiles(server).filter((path) => drawers.test(relative(server, path)))).toEqual([]);
});
