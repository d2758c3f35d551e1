// A light stand-in for OpenAI in a process of its own: the Responses API's stream with exact times, and conversations that
// always exist. Told by messages how to pace its words; it keeps when a request arrived and when each word left.
import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { answerQuestions } from './ask.ts';
import { now_ms } from './clock.ts';

export type Pace = {
  first_ms: number;
  word_ms: number;
  words: number;
  /** Say this many words and then nothing until `release`. */
  hold_after?: number;
};

/** A turn as its upstream saw it, on the clock that all processes share. */
export type UpstreamTurn = { arrived_ms: number; left_ms: number[] };

const words = (
  'The first slide has one job: it makes somebody stop. Say the one thing your reader got wrong last week, in words' +
  ' they would use, and leave the answer for the next slide. Which mistake was it?'
)
  .split(/(?=\s)/)
  .slice(0, 30);

let pace: Pace = { first_ms: 0, word_ms: 0, words: words.length };
let turns = new Map<string, UpstreamTurn>();
let held = Promise.withResolvers<void>();
let holding = 0;
let last_request = '';
let conversations = 0;

const server = createServer(async (request, response) => {
  const arrived_ms = now_ms();
  let body = '';
  request.setEncoding('utf8');
  for await (const chunk of request) body += chunk;
  if (request.url?.endsWith('/responses')) return await reply(arrived_ms, body, response);
  const answer = JSON.stringify({ id: `conv_${++conversations}`, object: 'conversation', created_at: 1 });
  response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
});
server.keepAliveTimeout = 600_000;

/** Streams the reply as OpenAI does (openapi 2.3.0): each event a write of its own. */
async function reply(arrived_ms: number, body: string, response: ServerResponse) {
  last_request = body;
  const turn: UpstreamTurn = { arrived_ms, left_ms: [] };
  const tag = /tag-\w+/.exec(body.slice(body.lastIndexOf('tag-')))?.[0];
  if (tag) turns.set(tag, turn);
  let sequence_number = 0;
  const send = (type: string, fields: string) =>
    response.write(
      `event: ${type}\ndata: {"type":"${type}","sequence_number":${sequence_number++},${fields}}\n\n`,
    );
  const record = describeResponse(JSON.parse(body));

  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  send('response.created', `"response":${record.opening}`);
  send('response.in_progress', `"response":${record.opening}`);
  if (pace.first_ms > 0) await delay(pace.first_ms);
  send('response.output_item.added', `"output_index":0,"item":${item('in_progress', [])}`);
  send('response.content_part.added', `${place},"part":${part('')}`);
  let text = '';
  for (let index = 0; index < pace.words; index++) {
    if (index === pace.hold_after) {
      holding++;
      await held.promise;
      holding--;
    }
    if (index > 0 && pace.word_ms > 0) await delay(pace.word_ms);
    if (response.destroyed) return;
    const word = words[index % words.length]!;
    text += word;
    turn.left_ms.push(now_ms());
    send(
      'response.output_text.delta',
      `${place},"delta":${JSON.stringify(word)},"logprobs":[],"obfuscation":"kQ3vX8dLmA"`,
    );
  }
  send('response.output_text.done', `${place},"text":${JSON.stringify(text)},"logprobs":[]`);
  send('response.content_part.done', `${place},"part":${part(text)}`);
  send('response.output_item.done', `"output_index":0,"item":${item('completed', [text])}`);
  send('response.completed', `"response":${record.close(text)}`);
  response.end();
}

const item_id = 'msg_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b';
const place = `"item_id":"${item_id}","output_index":0,"content_index":0`;

function part(text: string) {
  return JSON.stringify({ type: 'output_text', annotations: [], logprobs: [], text });
}

function item(status: string, texts: string[]) {
  return `{"id":"${item_id}","type":"message","status":"${status}","content":[${texts.map(part).join(',')}],"role":"assistant"}`;
}

const described = new Map<string, { opening: string; close: (text: string) => string }>();

/** The response object, which repeats the request's instructions, written once for each of them. */
function describeResponse(request: Record<string, unknown>) {
  const { model, instructions, conversation } = request;
  const known = described.get(String(instructions));
  if (known) return known;
  const response = (status: string, output: string, usage: object | null) =>
    `{"id":"resp_67c9fdcecf488190bdd9a0409de3a1ec07b8b0ad4e5eb654","object":"response","created_at":1741487325,` +
    `"status":"${status}","background":false,"error":null,"incomplete_details":null,` +
    `"instructions":${JSON.stringify(instructions ?? null)},"max_output_tokens":null,"model":${JSON.stringify(model)},` +
    `"conversation":${JSON.stringify(conversation ?? null)},"output":[${output}],"parallel_tool_calls":true,` +
    `"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"service_tier":"default","store":true,` +
    `"temperature":1,"text":{"format":{"type":"text"},"verbosity":"medium"},"tool_choice":"auto","tools":[],` +
    `"top_logprobs":0,"top_p":1,"truncation":"disabled","usage":${JSON.stringify(usage)},"metadata":{}}`;
  const usage = {
    input_tokens: 2037,
    input_tokens_details: { cached_tokens: 1920 },
    output_tokens: 30,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 2067,
  };
  const made = {
    opening: response('in_progress', '', null),
    close: (text: string) => response('completed', item('completed', [text]), usage),
  };
  described.set(String(instructions), made);
  return made;
}

server.listen(0, '127.0.0.1');

answerQuestions({
  port: async () => {
    if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
    return (server.address() as { port: number }).port;
  },
  pace: (next: Pace) => {
    pace = next;
    turns = new Map();
    held = Promise.withResolvers();
  },
  /** The turns since `pace` was told, by the tag in their message. */
  turns: () => turns,
  holding: () => holding,
  release: () => held.resolve(),
  last_request: () => last_request,
});
