import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { countRoundTrips } from './testing/count-round-trips.ts';
import { type FakeOpenAI, startFakeOpenAI } from './testing/fake-openai/fake-openai.ts';
import { readTurn } from './testing/read-turn.ts';
import { startTestServer, type TestClient } from './testing/start-test-server.ts';
import { cloneTemplate } from './testing/test-postgres.ts';

const thirty_words =
  'The first slide has one job: it makes somebody stop. Say the one thing your reader got wrong last week, in words they would use, and leave the rest out.';

let openai: FakeOpenAI;
let counted: Awaited<ReturnType<typeof countRoundTrips>>;
let server: Awaited<ReturnType<typeof startTestServer>>;
let member: TestClient;
let statements_at_model = 0;
const session_id = randomUUID();

beforeAll(async () => {
  openai = await startFakeOpenAI({
    token_delay_ms: 0,
    reply() {
      statements_at_model = counted.count;
      return thirty_words;
    },
  });
  counted = await countRoundTrips(await cloneTemplate(inject('admin_url')), 'touchline');
  server = await startTestServer({
    DATABASE_URL: counted.url,
    OPENAI_API_KEY: openai.api_key,
    OPENAI_BASE_URL: openai.url,
  });
  member = await server.signUp();
  // The first turn makes the conversation, which is counted apart.
  await readTurn(await member.send({ session_id, content: 'A carousel about bread' }));
});

afterAll(async () => {
  await server.stop();
  counted.close();
  await openai.close();
});

it('one statement stands between a message and the model, and a second one ends the turn', async () => {
  const before = counted.count;
  await readTurn(await member.send({ session_id, content: 'Most people think that it is simple' }));
  expect(statements_at_model - before).toBe(1);
  expect(counted.count - before).toBe(2);
});

it('a reply of 30 words is at most 1,600 bytes on the wire, headers and framing included', async () => {
  const body = JSON.stringify({ id: randomUUID(), assistant_slug: 'carousel', content: 'Go on' });
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /api/chat-sessions/${session_id}/turns HTTP/1.1\r\nhost: ${hostname}\r\n` +
      `authorization: Bearer ${member.token}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const chunks: Buffer[] = [];
  for await (const chunk of socket) {
    chunks.push(chunk);
    // The last chunk of a chunked answer (RFC 9112, 7.1); the connection stays open, as a browser's does.
    if (Buffer.concat(chunks).toString().endsWith('\r\n0\r\n\r\n')) break;
  }
  const answer = Buffer.concat(chunks);
  expect(answer.toString()).toContain('event:end');
  expect(answer.toString().match(/\ndata:"/g)).toHaveLength(30);
  expect(answer.length).toBeLessThanOrEqual(1_600);
});
