import type { ComparisonFilter, Filter } from './response-request.ts';
import type { Attributes, Chunking, FakeOpenAIState, StoredVectorStore } from './state.ts';

/** A piece of a file that a search found. `score`: 0 to 1, the share of the query's words that it holds. */
export type RetrievedPassage = {
  file_id: string;
  filename: string;
  text: string;
  score: number;
  attributes: Attributes;
};

/** OpenAI's default is 800 tokens a chunk; a token is taken for four characters. */
export function chunksOf(text: string, chunking: Chunking): string[] {
  const limit = 4 * (chunking.type === 'static' ? chunking.static.max_chunk_size_tokens : 800);
  const chunks: string[] = [];
  for (const paragraph of text.split(/\n\s*\n/).map((one) => one.trim())) {
    const last = chunks.at(-1);
    if (paragraph === '') continue;
    if (last !== undefined && last.length + paragraph.length + 2 <= limit) {
      chunks[chunks.length - 1] = `${last}\n\n${paragraph}`;
    } else {
      for (let at = 0; at < paragraph.length; at += limit) chunks.push(paragraph.slice(at, at + limit));
    }
  }
  return chunks;
}

/** The completed files' chunks that share words with the query, best first. */
export function searchStores(
  state: FakeOpenAIState,
  stores: StoredVectorStore[],
  query: string,
  options: { limit: number; score_threshold?: number; filter?: Filter | null },
): RetrievedPassage[] {
  const wanted = wordsOf(query);
  const found: RetrievedPassage[] = [];
  for (const file of stores.flatMap((store) => [...store.files.values()])) {
    const filename = state.files.get(file.file_id)?.filename;
    if (file.status !== 'completed' || filename === undefined) continue;
    if (options.filter && !passes(options.filter, file.attributes)) continue;
    for (const text of file.chunks) {
      const score = overlap(wanted, text);
      if (score > 0 && score >= (options.score_threshold ?? 0)) {
        found.push({ file_id: file.file_id, filename, text, score, attributes: file.attributes });
      }
    }
  }
  return found.sort((a, b) => b.score - a.score).slice(0, options.limit);
}

/** The sentence of the passage that shares most words with the query; the first of equals. */
export function bestSentence(passage: string, query: string): string {
  const wanted = wordsOf(query);
  const sentences = sentencesOf(passage);
  return sentences.toSorted((a, b) => overlap(wanted, b) - overlap(wanted, a))[0] ?? passage;
}

export function sentencesOf(text: string): string[] {
  return (text.match(/[^.!?\n]+[.!?]*/g) ?? []).map((one) => one.trim()).filter((one) => one !== '');
}

function overlap(wanted: Set<string>, text: string) {
  if (wanted.size === 0) return 0;
  const given = wordsOf(text);
  const shared = [...wanted].filter((word) => given.has(word)).length;
  return Math.round((shared / wanted.size) * 10_000) / 10_000;
}

const smallWords = new Set(
  'and are but can does for from has have how not that the this was what with you your'.split(' '),
);

function wordsOf(text: string) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [];
  return new Set(words.filter((word) => !smallWords.has(word)));
}

function passes(filter: Filter, attributes: Attributes): boolean {
  if (filter.type === 'and')
    return (filter as { filters: Filter[] }).filters.every((one) => passes(one, attributes));
  if (filter.type === 'or')
    return (filter as { filters: Filter[] }).filters.some((one) => passes(one, attributes));
  const { type, key, value } = filter as ComparisonFilter;
  const actual = attributes[key];
  switch (type) {
    case 'eq':
      return actual === value;
    case 'ne':
      return actual !== value;
    case 'in':
      return Array.isArray(value) && value.includes(actual as string | number);
    case 'nin':
      return Array.isArray(value) && !value.includes(actual as string | number);
    default: {
      if (typeof actual !== 'number' || typeof value !== 'number') return false;
      return { gt: actual > value, gte: actual >= value, lt: actual < value, lte: actual <= value }[type];
    }
  }
}
