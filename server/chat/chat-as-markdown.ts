import { exportedFilePath } from '../files/exporter.ts';
import type { Citation } from '../knowledge/citation.ts';
import type { ExportedChat, ExportedMessage } from './export-queries.ts';

/**
 * A chat as a text to read: with its coach, dates in UTC, who said what, files and sources. What left the line of the chat
 * stands at the end. It lies in a folder beside `files/`.
 */
export function chatAsMarkdown(chat: ExportedChat, messages: ExportedMessage[], coach: string): string {
  const chosen = messages.filter(({ is_chosen }) => is_chosen);
  const replaced = messages.filter(({ is_chosen }) => !is_chosen);
  const parts = [
    `# ${onOneLine(chat.title)}`,
    `Coach: ${coach}  \nBegun: ${formatTime(chat.created_at)}  \nLast changed: ${formatTime(chat.updated_at)}`,
    ...chosen.map((message) => messageAsMarkdown(message, coach)),
  ];
  if (replaced.length > 0) {
    parts.push(
      '---',
      '# Replaced',
      'Messages and replies whose place others have taken, because you edited a message or asked for another reply.',
      ...replaced.map((message) => messageAsMarkdown(message, coach)),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

function messageAsMarkdown(message: ExportedMessage, coach: string) {
  const { sender, content, created_at, citations, files, turn } = message;
  const parts = ['---', `**${sender === 'user' ? 'You' : coach}** · ${formatTime(created_at)}`];
  const text = withMarks(content, citations).trim();
  if (text) parts.push(text);
  if (files.length > 0) parts.push(files.map(fileAsMarkdown).join('\n'));
  if (citations.length > 0) parts.push(['Sources:', ...listSources(citations)].join('\n'));
  if (sender === 'assistant' && turn?.status === 'stopped') parts.push('*You stopped this reply.*');
  if (sender === 'assistant' && turn?.status === 'failed') parts.push('*This reply broke off.*');
  if (sender === 'assistant' && turn?.incomplete) parts.push('*The model ended this reply early.*');
  return parts.join('\n\n');
}

/** The text with `[1]` where a source is quoted; the offsets are those of the text alone. */
function withMarks(content: string, citations: Citation[]) {
  let text = content;
  for (const { index, number } of citations.toSorted((a, b) => b.index - a.index)) {
    text = `${text.slice(0, index)} [${number}]${text.slice(index)}`;
  }
  return text;
}

function listSources(citations: Citation[]) {
  return citations
    .toSorted((a, b) => a.number - b.number)
    .map(({ number, file_name, page, quote }) => {
      const place = page === null ? '' : `, page ${page}`;
      return `- [${number}] ${onOneLine(file_name)}${place}${quote ? `: “${onOneLine(quote)}”` : ''}`;
    });
}

function fileAsMarkdown({ file_name, file_size, original_id, deleted }: ExportedMessage['files'][number]) {
  const name = onOneLine(file_name).replace(/[\\[\]]/g, '\\$&');
  const link = original_id ? `[${name}](<../${exportedFilePath(original_id, file_name)}>)` : name;
  return `- File: ${link} (${file_size.toLocaleString('en')} bytes)${deleted ? ', deleted since' : ''}`;
}

function onOneLine(text: string) {
  return text.replace(/\s+/g, ' ').trim();
}

/** `2026-11-22 17:09 UTC`. */
function formatTime(time: string) {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
