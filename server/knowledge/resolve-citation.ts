import type { Database } from '../platform/database.ts';
import type { CitationSource } from '../platform/models/model.ts';
import type { Citation } from './citation.ts';
import { type Document, listLikelyPassages, type PassageText } from './queries.ts';

type Place = Pick<Citation, 'file_id' | 'file_name' | 'page' | 'passage_id' | 'quote'>;

/** Below this share of common words a retrieved text is not one of our passages. */
const least_overlap = 0.5;

/** More than a retrieved text of 800 tokens spans of ours, and few enough to be compared between two events. */
const max_candidates = 12;

/**
 * Finds the place in our own text that a model's citation means. OpenAI names the file and what it retrieved of it,
 * cut its own way: the passage of ours that shares most words with the best retrieved text is it; where none
 * matches, only the file is named. Undefined for a file that is not among the chat's.
 */
export async function resolveCitation(
  database: Database,
  {
    source,
    user_id,
    documents,
    said,
  }: { source: CitationSource; user_id: string; documents: Document[]; said: string },
): Promise<Place | undefined> {
  if (source.kind === 'passage') {
    const { file_id, file_name, page, passage_id, content } = source.passage;
    return { file_id, file_name, page, passage_id, quote: closestSentence(content, said) };
  }
  const document = documents.find(({ openai_file_id }) => openai_file_id === source.openai_file_id);
  if (!document) return undefined;
  const { file_id, file_name } = document;
  const unknown: Place = { file_id, file_name, page: null, passage_id: null, quote: null };
  const retrieved = source.retrieved[0];
  if (!retrieved) return unknown;

  const claim = said.slice(-claim_length);
  const query = { user_id, file_id, retrieved, said: claim, limit: max_candidates };
  const retrievedWords = words(retrieved);
  const saidWords = words(said);
  let best: { passage: PassageText; score: number } | undefined;
  for (const passage of await listLikelyPassages(database, query)) {
    const own = words(passage.content);
    const overlap = share(own, retrievedWords);
    if (overlap < least_overlap) continue;
    // Of the passages that were retrieved, the one that the sentence before the mark speaks of.
    const score = overlap + share(saidWords, own);
    if (!best || score > best.score) best = { passage, score };
  }
  if (!best) return unknown;
  const { page, passage_id, content } = best.passage;
  return { file_id, file_name, page, passage_id, quote: closestSentence(content, said) };
}

const sentences = new Intl.Segmenter(undefined, { granularity: 'sentence' });

/** How much of the reply before a mark says what the mark stands for, in UTF-16 units. */
const claim_length = 300;

/** The sentence of a passage that is most like what the reply said before the mark, short ones not favoured. */
function closestSentence(content: string, said: string) {
  const claim = words(said.slice(-claim_length));
  let best = { sentence: '', score: -1 };
  for (const { segment } of sentences.segment(content)) {
    const sentence = segment.trim();
    const own = words(sentence);
    const score = share(own, claim) * Math.sqrt(own.size);
    if (sentence && score > best.score) best = { sentence, score };
  }
  return best.sentence || null;
}

function words(text: string) {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? []);
}

/** How much of `part` is in `whole`, 0 to 1. */
function share(part: Set<string>, whole: Set<string>) {
  if (part.size === 0) return 0;
  let common = 0;
  for (const word of part) if (whole.has(word)) common++;
  return common / part.size;
}
