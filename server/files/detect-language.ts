import type { DocumentPage } from './split-passages.ts';

/** The languages whose word forms PostgreSQL 15 knows, by ISO 639-1, under its names. */
const languages: Record<string, string> = {
  ar: 'arabic',
  ca: 'catalan',
  da: 'danish',
  de: 'german',
  el: 'greek',
  en: 'english',
  es: 'spanish',
  eu: 'basque',
  fi: 'finnish',
  fr: 'french',
  hi: 'hindi',
  hu: 'hungarian',
  hy: 'armenian',
  it: 'italian',
  lt: 'lithuanian',
  nl: 'dutch',
  no: 'norwegian',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  sr: 'serbian',
  sv: 'swedish',
  ta: 'tamil',
  tr: 'turkish',
};

const sample_characters = 5_000;
/** Less text says too little about its language. */
const least_letters = 20;

/**
 * The language of a document as PostgreSQL's text search calls it, by the letter sequences of its beginning; `simple`
 * where it is none of PostgreSQL's, not clear, or hardly any text.
 */
export async function detectLanguage(pages: DocumentPage[]): Promise<string> {
  let sample = '';
  for (const { content } of pages) {
    if (sample.length >= sample_characters) break;
    sample += `${content.slice(0, sample_characters)}\n`;
  }
  const words = sample.match(/\p{L}[\p{L}\p{M}'’-]*/gu)?.join(' ') ?? '';
  if (words.length < least_letters) return 'simple';
  // 0.2 s to load, most of what reading a short text takes.
  const { eld } = await import('eld/extrasmall');
  const found = eld.detect(words.slice(0, sample_characters));
  return (found.isReliable() && languages[found.language]) || 'simple';
}
