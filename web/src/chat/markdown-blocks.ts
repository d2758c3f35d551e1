/** A stretch of Markdown that renders the same alone as in its place. `start`: its offset in the whole. */
type MarkdownBlock = { start: number; text: string };

const fence = /^ {0,3}(`{3,}|~{3,})/;
const list_item = /^ {0,3}([-*+]|\d{1,9}[.)])(\s|$)/;

/**
 * Splits a reply into blocks, so that while it grows only the last one is parsed again. It splits only
 * where Markdown has no choice: before a line that is neither indented nor a list item, after an empty one,
 * outside code. Replies with footnotes or link definitions stay whole, because those reach across.
 */
export function markdownBlocks(markdown: string): MarkdownBlock[] {
  if (/^ {0,3}\[[^\]]+\]:/m.test(markdown)) return [{ start: 0, text: markdown }];
  const blocks: MarkdownBlock[] = [];
  let block_start = 0;
  let open_fence: string | null = null;
  let after_empty = false;
  let offset = 0;
  for (const line of markdown.split('\n')) {
    const empty = line.trim() === '';
    const marker = fence.exec(line)?.[1];
    if (open_fence === null) {
      const stands_alone = !empty && !/^\s/.test(line) && !list_item.test(line);
      if (after_empty && stands_alone && offset > block_start) {
        blocks.push({ start: block_start, text: markdown.slice(block_start, offset) });
        block_start = offset;
      }
      if (marker !== undefined) open_fence = marker;
    } else if (marker?.startsWith(open_fence) && line.trim() === marker) {
      open_fence = null;
    }
    after_empty = empty;
    offset += line.length + 1;
  }
  if (block_start < markdown.length) blocks.push({ start: block_start, text: markdown.slice(block_start) });
  return blocks;
}
