import { expect, it } from 'vitest';
import { chatAsMarkdown } from './chat-as-markdown.ts';
import type { ExportedMessage } from './export-queries.ts';

const chat = {
  id: 'c0000000-0000-4000-8000-000000000001',
  assistant_slug: 'carousel',
  title: 'Bread\nand butter',
  thread_id: null,
  created_at: '2026-11-22T17:09:27.857123Z',
  updated_at: '2026-11-23T01:15:00+02:00',
};
const original_id = '1a2b3c4d-0000-4000-8000-000000000000';

function message(given: Partial<ExportedMessage>): ExportedMessage {
  return {
    id: 'm',
    parent_id: null,
    sender: 'user',
    content: '',
    is_chosen: true,
    created_at: '2026-11-22T17:09:27.857123Z',
    citations: [],
    files: [],
    turn: null,
    ...given,
  };
}

it('says with whom, when and by whom what was said, with files, sources, and what was replaced', () => {
  const turn = { status: 'stopped', incomplete: false } as ExportedMessage['turn'];
  const citation = { number: 1, index: 5, file_id: 'f', file_name: 'a [1].pdf', page: 3, passage_id: null };
  expect(
    chatAsMarkdown(
      chat,
      [
        message({
          content: 'What does it say?',
          files: [
            {
              ...{ file_name: 'a [1].pdf', file_size: 12_345, file_type: 'application/pdf' },
              ...{ original_id, deleted: false },
            },
            {
              ...{ file_name: 'old.txt', file_size: 5, file_type: 'text/plain' },
              ...{ original_id: null, deleted: true },
            },
          ],
        }),
        message({ sender: 'assistant', content: 'Earlier words.', is_chosen: false }),
        message({
          sender: 'assistant',
          content: 'Flour, and salt.',
          created_at: '2026-11-22T17:10:00Z',
          citations: [
            { ...citation, quote: 'Flour is\nall.' },
            { ...citation, number: 2, index: 15, page: null, quote: null },
          ],
          turn,
        }),
      ],
      'Carousel coach',
    ),
  ).toBe(`# Bread and butter

Coach: Carousel coach  
Begun: 2026-11-22 17:09 UTC  
Last changed: 2026-11-22 23:15 UTC

---

**You** · 2026-11-22 17:09 UTC

What does it say?

- File: [a \\[1\\].pdf](<../files/a [1]-1a2b3c4d.pdf>) (12,345 bytes)
- File: old.txt (5 bytes), deleted since

---

**Carousel coach** · 2026-11-22 17:10 UTC

Flour [1], and salt [2].

Sources:
- [1] a [1].pdf, page 3: “Flour is all.”
- [2] a [1].pdf

*You stopped this reply.*

---

# Replaced

Messages and replies whose place others have taken, because you edited a message or asked for another reply.

---

**Carousel coach** · 2026-11-22 17:09 UTC

Earlier words.
`);
});
