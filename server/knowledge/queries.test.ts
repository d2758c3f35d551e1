import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertMember, type TestMember } from '../testing/factories.ts';
import { openDatabase, type TestDatabase } from '../testing/open-database.ts';
import { searchPassages } from './queries.ts';

let test: TestDatabase;
let member: TestMember;
let session_id: string;
const texts = [
  'The Wednesday sourdough subscription costs £18.50 a month. By December it had 412 subscribers.',
  'In November 638 customers answered our yearly questions. What they say about the bakery is kind.',
  'Prices rose by four per cent on 3 February, for the first time since the bakery opened.',
  'Jürgen erzählt, warum der Sauerteig aus Charge 0417 anders schmeckt.',
];
beforeAll(async () => {
  test = await openDatabase();
  member = await insertMember(test.pool);
  session_id = await insertChatWithFile(member, texts);
});
afterAll(() => test.close());

async function insertChatWithFile(owner: TestMember, passages: string[]) {
  const [chat, file_id, original_id] = [randomUUID(), randomUUID(), randomUUID()];
  await test.pool.query(
    `insert into public.chat_sessions (id, user_id, assistant_slug) values ($1, $2, 'carousel')`,
    [chat, owner.id],
  );
  await test.pool.query(
    `select public.add_file($1, $2, $3, 'notes.md', 'text/markdown', 5, $4, null, 1, $5, now() + interval '1 day')`,
    [
      owner.id,
      file_id,
      original_id,
      original_id,
      JSON.stringify(passages.map((content, ordinal) => ({ ordinal, page: null, content }))),
    ],
  );
  await test.pool.query('update public.chat_files set session_id = $2 where id = $1', [file_id, chat]);
  return chat;
}

async function search(query: string, session = session_id, user = member) {
  const found = await searchPassages(test.database, {
    user_id: user.id,
    session_id: session,
    query,
    limit: 3,
  });
  return found.map(({ content }) => texts.indexOf(content));
}

it.each([
  ['How many subscribers does the subscription have?', [0]],
  ['when did you raise the prices', [2]],
  ['Was sagt Jürgen über den Sauerteig?', [3]],
  ['charge 0417', [3]],
  ['customer question', [1]],
])('%j finds the passage that holds the rare words, without noise', async (query, expected) => {
  expect(await search(query)).toEqual(expected);
});

it.each([
  '',
  '   ',
  'the of and',
  'zeppelin',
  "'; drop table profiles; --",
  "a'b & | ! :* <-> \\",
  '\u{1F950}',
])('%j finds nothing and breaks nothing', async (query) => {
  expect(await search(query)).toEqual([]);
});

it('puts the passage with most of the question’s words first', async () => {
  const found = await search('What does the report say about the sourdough subscription of my bakery?');
  expect(found[0]).toBe(0);
});

it('finds nothing in another chat, or for another member', async () => {
  const other = await insertChatWithFile(member, ['Something else entirely.']);
  expect(await search('subscribers', other)).toEqual([]);
  expect(await search('subscribers', session_id, await insertMember(test.pool))).toEqual([]);
});

it('finds the one passage of a long file that answers a long question', async () => {
  const long = await insertChatWithFile(
    member,
    Array.from({ length: 3_000 }, (_, n) =>
      `Passage ${n} about loaf number ${n % 97} and oven ${n % 13}, `.repeat(12),
    ),
  );
  const found = await searchPassages(test.database, {
    user_id: member.id,
    session_id: long,
    query: 'Which passage tells of loaf number 42 and oven 7 and how long does it bake there?',
    limit: 5,
  });
  expect(found[0]?.content).toContain('number 42 and oven 7');
});

describe('in another language', () => {
  const german = 'Die Bäckerei verkaufte im Dezember 412 Abonnements.';

  async function insertGerman(owner: TestMember, session: string | null) {
    const [file_id, original_id] = [randomUUID(), randomUUID()];
    await test.pool.query(
      `select public.add_file($1, $2, $3, 'bericht.md', 'text/markdown', 5, $4, null, 1, $5, null, 'document', 'german')`,
      [
        owner.id,
        file_id,
        original_id,
        original_id,
        JSON.stringify([{ ordinal: 0, page: null, content: german }]),
      ],
    );
    if (session)
      await test.pool.query('update public.chat_files set session_id = $2 where id = $1', [file_id, session]);
    return file_id;
  }

  it('other forms of a word find it', async () => {
    const owner = await insertMember(test.pool);
    const chat = await insertChatWithFile(owner, ['Something in English.']);
    await insertGerman(owner, chat);
    const found = await searchPassages(test.database, {
      user_id: owner.id,
      session_id: chat,
      query: 'Welche Bäckereien verkaufen ein Abonnement?',
      limit: 3,
    });
    expect(found.map(({ content }) => content)).toEqual([german]);
  });

  it('the library is searched where the coach may see it, and a file that is in the chat as well is the chat’s', async () => {
    const owner = await insertMember(test.pool);
    const chat = await insertChatWithFile(owner, ['Something in English.']);
    const file_id = await insertGerman(owner, null);
    const query = { user_id: owner.id, session_id: chat, query: 'Abonnements der Bäckerei', limit: 3 };
    expect(await searchPassages(test.database, query)).toEqual([]);
    const found = await searchPassages(test.database, { ...query, with_library: true });
    expect(found).toMatchObject([{ file_id, content: german }]);
    const { rows } = await test.pool.query(
      `insert into public.chat_files (user_id, session_id, file_name, file_size, file_type, original_id)
       select user_id, $2, file_name, file_size, file_type, original_id from public.chat_files where id = $1 returning id`,
      [file_id, chat],
    );
    const both = await searchPassages(test.database, { ...query, with_library: true });
    expect(both).toMatchObject([{ file_id: rows[0].id }]);
  });
});
