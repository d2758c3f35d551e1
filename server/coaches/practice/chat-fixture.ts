import type { HistoryMessage, ModelEvent, ModelTurn, Passage } from '../../platform/models/model.ts';
import type { Coach } from '../coach-file.ts';
import { createPracticeCoach } from '../practice-coach.ts';

/** A turn of a chat for tests, with nothing in it but what is given. */
export function makeTurn(turn: Partial<ModelTurn>): ModelTurn {
  return {
    turn_id: '0f0e4a52-2f6c-4f6c-8a4e-1d8f3b1f0001',
    coach_slug: 'carousel',
    model: 'gpt-5-mini',
    instructions: '',
    conversation_id: null,
    history: [],
    message: { content: '', file_names: [] },
    images: [],
    vector_store_ids: [],
    passages: [],
    has_files: false,
    searchFiles: async () => [],
    deadline_ms: Number.POSITIVE_INFINITY,
    safety_identifier: 'member',
    ...turn,
  };
}

/** A chat with the practice coach for tests: each message is answered on the history of those before it. */
export function startChat(coaches: Coach[], coach_slug: string, passages: Passage[] = []) {
  const model = createPracticeCoach(coaches, { word_delay_ms: 0 });
  const history: HistoryMessage[] = [];
  const searches: string[] = [];

  async function send(content: string, turn: Partial<ModelTurn> & { file_names?: string[] } = {}) {
    const events: ModelEvent[] = [];
    const { file_names = [], ...rest } = turn;
    const searchFiles = async (query: string) => {
      searches.push(query);
      return passages;
    };
    const request = makeTurn({
      coach_slug,
      history: [...history],
      message: { content, file_names },
      has_files: passages.length > 0,
      searchFiles,
      ...rest,
    });
    for await (const event of model(request, new AbortController().signal)) events.push(event);
    const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
    history.push({ sender: 'user', content }, { sender: 'assistant', content: text });
    return { text, events };
  }

  return { send, history, searches };
}
