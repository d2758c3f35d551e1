// `node scripts/bundle-server.mjs <folder>`: writes the server with the packages that its start loads as one file,
// server.js. Finding and reading more than 600 files takes longer than all else that a start does. Run by prepare.mjs.
import { dirname, join, relative, resolve, sep } from 'node:path';
import { build } from 'vite';

const folder = resolve(process.argv[2]);
const root = dirname(import.meta.dirname);

await build({
  configFile: false,
  root,
  logLevel: 'warn',
  plugins: [keepPlaces(), leaveLazyPackages()],
  ssr: { noExternal: true },
  build: {
    ssr: 'server/main.ts',
    outDir: folder,
    emptyOutDir: true,
    // Readable where an error names a line of it.
    minify: false,
    sourcemap: 'hidden',
    target: 'node24',
    rolldownOptions: {
      // An addition to pg that is not used.
      external: ['pg-native'],
      output: {
        entryFileNames: 'server.js',
        codeSplitting: false,
        sourcemapExcludeSources: true,
        banner: nameSources.toString().replace(/^.*$/s, (source) => `(${source})();`),
      },
    },
  },
});

/** A module goes on to find the files beside it: worker threads, the schema and the coaches stay where they are. */
function keepPlaces() {
  return {
    name: 'keep-places',
    transform(code, id) {
      if (!id.startsWith(join(root, 'server')) || !code.includes('import.meta.')) return;
      const url = `new URL(${JSON.stringify(relative(folder, id).split(sep).join('/'))}, import.meta.url)`;
      const places = {
        url: `${url}.href`,
        dirname: `process.getBuiltinModule('node:url').fileURLToPath(new URL('.', ${url}))`,
      };
      return { code: code.replace(/\bimport\.meta\.(url|dirname)\b/g, (_, name) => places[name]), map: null };
    },
  };
}

/** What is loaded when it is needed stays outside. */
function leaveLazyPackages() {
  return {
    name: 'leave-lazy-packages',
    enforce: 'pre',
    resolveId(source, _importer, { kind }) {
      if (kind === 'dynamic-import' && !source.startsWith('.')) return { id: source, external: true };
    },
  };
}

/**
 * Runs at the bundle's beginning: lets the stack of an error name the sources. Node's own way reads the map at every start,
 * which takes longer than the bundle saves; here it is read when the first stack is looked at.
 */
function nameSources() {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  const { SourceMap } = process.getBuiltinModule('node:module');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  const bundle = import.meta.url;
  let map;
  Error.prepareStackTrace = (error, frames) => {
    try {
      map ??= new SourceMap(JSON.parse(readFileSync(fileURLToPath(`${bundle}.map`), 'utf8')));
    } catch {
      map = { findOrigin: () => ({}) };
    }
    const lines = frames.map((frame) => {
      if (frame.getFileName() !== bundle) return `\n    at ${frame}`;
      const { fileName, lineNumber, columnNumber } = map.findOrigin(
        frame.getLineNumber(),
        frame.getColumnNumber(),
      );
      if (!fileName) return `\n    at ${frame}`;
      const place = `${fileURLToPath(new URL(fileName, bundle))}:${lineNumber}:${columnNumber}`;
      const name = frame.getFunctionName();
      return name ? `\n    at ${frame.isAsync() ? 'async ' : ''}${name} (${place})` : `\n    at ${place}`;
    });
    return `${error}${lines.join('')}`;
  };
}
