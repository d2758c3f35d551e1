import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addToLibrary, sendWithFile } from '../testing/library-client.ts';
import { readTurn } from '../testing/read-turn.ts';
import { startTestServer, type TestClient } from '../testing/start-test-server.ts';

const fixtures = join(import.meta.dirname, '..', 'testing', 'fixtures');

/** A cursor with a day that `Date` takes and PostgreSQL does not. */
const february30 = Buffer.from('2026-02-30T00:00:00Z 00000000-0000-4000-8000-000000000000').toString(
  'base64url',
);

let server: Awaited<ReturnType<typeof startTestServer>>;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startTestServer();
  pool = new pg.Pool({ connectionString: server.database_url, max: 4 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

const put = (member: TestClient, id: string, kept: boolean) =>
  member.fetch(`/api/library/${id}/kept`, { method: 'PUT', body: JSON.stringify({ kept }) });
const rename = (member: TestClient, id: string, file_name: string) =>
  member.fetch(`/api/library/${id}`, { method: 'PATCH', body: JSON.stringify({ file_name }) });
const usesOf = async (id: string) =>
  (await pool.query('select * from public.chat_files where original_id = $1 order by created_at', [id])).rows;
const namesOf = (answer: any): string[] => answer.files.map((file: any) => file.file_name);

describe('a file that is uploaded into the library', () => {
  it('is there at once, counted once, for good, and no message has to come', async () => {
    const member = await server.signUp();
    const file = await addToLibrary(member, 'Flour, water, salt.', 'Recipe.txt');
    expect(file).toMatchObject({
      file_name: 'Recipe.txt',
      file_size: 19,
      file_type: 'text/plain',
      kind: 'document',
      words: 3,
      in_library: true,
      chats: [],
      chat_count: 0,
      state: 'ready',
      reason: null,
    });
    expect(await member.json(`/api/library/${file.id}`)).toEqual(file);
    expect((await member.json('/api/library')).files).toEqual([file]);
    expect((await member.json('/api/me')).subscription_usage.files).toBe(1);
    expect(await usesOf(file.id)).toMatchObject([{ pending_until: null, session_id: null }]);
  });

  it.each([
    ['encrypted.pdf', 422, 'unreadable_file'],
    ['not-really.png', 415, 'unsupported_file_type'],
  ])('is refused as any other where it is %s, and costs nothing', async (name, status, code) => {
    const member = await server.signUp();
    const form = new FormData();
    form.set('file', new File([readFileSync(join(fixtures, name))], name));
    const answer = await member.fetch('/api/library', { method: 'POST', body: form });
    expect([answer.status, ((await answer.json()) as any).code]).toEqual([status, code]);
    expect((await member.json('/api/me')).subscription_usage.files).toBe(0);
    expect((await member.json('/api/library')).files).toEqual([]);
  });
});

it('the routes stand in the OpenAPI document', async () => {
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as any;
  const described = Object.entries<object>(paths)
    .filter(([path]) => /^\/api\/library|\/picture$/.test(path))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  expect(described.toSorted()).toEqual([
    'delete /api/library/{id}',
    'get /api/files/{id}/picture',
    'get /api/library',
    'get /api/library/{id}',
    'get /api/library/{id}/content',
    'get /api/library/{id}/picture',
    'get /api/library/{id}/preview',
    'patch /api/library/{id}',
    'post /api/library',
    'put /api/library/{id}/kept',
  ]);
});

it.each([
  [
    '苏尔面包店的周三订阅每月售价十八英镑。\n\n十一月有六百名顾客回答了我们的问题。',
    '订阅的价格是多少？',
    '十八英镑',
  ],
  [
    '水曜日の定期便は月に千八百円です。\n\n十一月には六百人のお客様が答えました。',
    '定期便はいくらですか',
    '千八百円',
  ],
  [
    '수요일 구독은 한 달에 만팔천 원입니다.\n\n십일월에는 육백 명의 손님이 답했습니다.',
    '구독 가격이 얼마예요?',
    '만팔천',
  ],
  ['ราคาสมาชิกขนมปังวันพุธคือเดือนละหกร้อยบาท\n\nลูกค้าหกร้อยคนตอบคำถามของเรา', 'สมาชิกขนมปังราคาเท่าไร', 'หกร้อยบาท'],
])(
  'what is asked in a language without spaces is answered from the file: %s',
  async (text, question, answer) => {
    const member = await server.signUp();
    const { file_id } = await addToLibrary(member, text, 'notes.txt');
    const { citations } = await readTurn(
      await member.send({ session_id: randomUUID(), content: question, file_ids: [file_id] }),
    );
    expect(citations.map((citation: any) => citation.quote).join()).toContain(answer);
  },
);

describe('the list', () => {
  it('names a file by its use in the library, which outlives the chats that have it', async () => {
    const member = await server.signUp();
    const { id, file_id } = await addToLibrary(member, 'Notes on spelt.', 'spelt.txt');
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'Read this', file_ids: [file_id] }));
    const listed = await member.json(`/api/library/${id}`);
    expect(listed).toMatchObject({ file_id, chat_count: 1 });
    await member.fetch(`/api/chat-sessions/${session_id}`, { method: 'DELETE' });
    const turn = await readTurn(
      await member.send({ session_id: randomUUID(), content: 'Once more', file_ids: [listed.file_id] }),
    );
    expect(turn.end).toMatchObject({ event: 'end', data: { status: 'done' } });
  });

  it('tells of some files alone, and of none that are another’s', async () => {
    const [member, other] = [await server.signUp(), await server.signUp()];
    const [rye, spelt] = [
      await addToLibrary(member, 'Rye.', 'rye.txt'),
      await addToLibrary(member, 'Spelt.', 'spelt.txt'),
    ];
    const foreign = await addToLibrary(other, 'Oats.', 'oats.txt');
    expect(namesOf(await member.json(`/api/library?ids=${rye.id},${foreign.id}`))).toEqual(['rye.txt']);
    expect(namesOf(await member.json(`/api/library?ids=${rye.id},${spelt.id}`))).toEqual([
      'spelt.txt',
      'rye.txt',
    ]);
    expect((await member.fetch('/api/library?ids=none')).status).toBe(400);
  });

  it('shows files of chats too, also where the message left the line, and none of drafts', async () => {
    const member = await server.signUp();
    const { session_id, id, file_id } = await sendWithFile(member, 'Notes on rye.', 'rye.txt');
    expect((await member.upload(join(fixtures, 'founder-notes.md'))).status).toBe(201);
    const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    await readTurn(
      await member.send({
        session_id,
        content: 'Without it',
        edits_message_id: messages[0].id,
        file_ids: [],
      }),
    );
    const { title } = await member.json(`/api/chat-sessions/${session_id}`);
    expect((await member.json('/api/library')).files).toMatchObject([
      { id, file_id, in_library: false, chats: [{ id: session_id, title }], chat_count: 1 },
    ]);
  });

  it('names the latest twenty chats of a file, and counts all', async () => {
    const member = await server.signUp();
    const { id } = await addToLibrary(member, 'Everywhere.', 'everywhere.txt');
    await pool.query(
      `with chats as (
         insert into public.chat_sessions (user_id, assistant_slug, title, updated_at)
         select user_id, 'carousel', 'Chat ' || number, now() - number * interval '1 minute'
         from public.file_originals, generate_series(1, 25) as number where file_originals.id = $1
         returning id, user_id
       )
       insert into public.chat_files (user_id, session_id, file_name, file_size, file_type, original_id)
       select user_id, id, 'everywhere.txt', 11, 'text/plain', $1 from chats`,
      [id],
    );
    const file = await member.json(`/api/library/${id}`);
    expect(file.chat_count).toBe(25);
    expect(file.chats.map(({ title }: any) => title)).toEqual(
      Array.from({ length: 20 }, (_, index) => `Chat ${index + 1}`),
    );
  });

  it('comes in pages, each file once, however many were made at one moment and whatever is added meanwhile', async () => {
    const member = await server.signUp();
    const { id } = await addToLibrary(member, 'The first.', 'file 0.txt');
    await pool.query(
      `with originals as (
         insert into public.file_originals (user_id, storage_key, size_bytes, file_type, word_count, created_at)
         select user_id, user_id || '/' || number, 10, 'text/plain', 2, created_at - interval '1 hour' * (number / 7)
         from public.file_originals, generate_series(1, 40) as number where id = $1
         returning *
       )
       insert into public.chat_files (user_id, file_name, file_size, file_type, original_id)
       select user_id, 'file ' || row_number() over () || '.txt', 10, 'text/plain', id from originals`,
      [id],
    );
    const seen: string[] = [];
    let before = '';
    for (let page = 0; page < 7; page++) {
      const { files, next } = await member.json(`/api/library?limit=6${before}`);
      seen.push(...files.map((file: any) => file.id));
      if (page === 1) await addToLibrary(member, 'A late one.', 'late.txt');
      before = `&before=${next}`;
      if (page === 6) expect([files.length, next]).toEqual([5, null]);
    }
    expect(seen).toContain(id);
    expect(new Set(seen).size).toBe(41);
  });

  it('finds names by their words, in any case and place, and takes no character for a pattern', async () => {
    const member = await server.signUp();
    const names = ['Autumn plan 100%.txt', 'autumn_menu.txt', 'Plan B\\C.txt', 'Zoë’s menu.txt'];
    for (const name of names) await addToLibrary(member, `About ${name}`, name);
    const find = async (search: string) =>
      namesOf(await member.json(`/api/library?search=${encodeURIComponent(search)}`)).toSorted();
    expect(await find('AUTUMN')).toEqual(['Autumn plan 100%.txt', 'autumn_menu.txt']);
    expect(await find('plan  autumn')).toEqual(['Autumn plan 100%.txt']);
    expect(await find('0%')).toEqual(['Autumn plan 100%.txt']);
    expect(await find('%')).toEqual(['Autumn plan 100%.txt']);
    expect(await find('_')).toEqual(['autumn_menu.txt']);
    expect(await find('\\')).toEqual([]);
    expect(await find('zoe\u0308')).toEqual(['Zoë’s menu.txt']);
    expect(await find('bread')).toEqual([]);
    expect(await find(' ')).toHaveLength(4);
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=many',
    'before=nothing',
    `before=${february30}`,
    'search=%00',
    `search=${'a'.repeat(201)}`,
  ])('with %s is refused', async (query) => {
    const member = await server.signUp();
    expect((await member.fetch(`/api/library?${query}`)).status).toBe(400);
  });

  it('is empty for who has signed up just now, even before there is a profile', async () => {
    const member = await server.signUp();
    await pool.query('delete from public.profiles where email = $1', [member.email]);
    expect(await member.json('/api/library')).toMatchObject({
      files: [],
      next: null,
      storage: { used_bytes: 0 },
    });
  });
});

describe('a name', () => {
  it('changes wherever the file is, is made safe, and keeps an ending of the type', async () => {
    const member = await server.signUp();
    const { id, session_id, file_id } = await sendWithFile(member, 'Notes.', 'notes.txt');
    await put(member, id, true);
    for (const [typed, kept] of [
      ['Ideas for Zoë.txt', 'Ideas for Zoë.txt'],
      ['../ideas', 'ideas.txt'],
      ['invoice.exe', 'invoice.exe.txt'],
      ['READ ME.TXT', 'READ ME.TXT'],
      ['a\u202eb', 'ab.txt'],
      [`${'long '.repeat(90)}`, `${'long '.repeat(39)}l.txt`],
    ]) {
      const answer = await rename(member, id, typed!);
      expect(answer.status).toBe(200);
      expect(((await answer.json()) as any).file_name).toBe(kept);
      expect(new Set((await usesOf(id)).map((use) => use.file_name))).toEqual(new Set([kept]));
      const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
      expect(messages[0].files[0]).toMatchObject({ id: file_id, file_name: kept });
    }
  });

  it.each(['', '   ', 'a'.repeat(501)])('"%s" is refused, and the old one stays', async (typed) => {
    const member = await server.signUp();
    const { id } = await addToLibrary(member, 'Notes.', 'notes.txt');
    expect((await rename(member, id, typed)).status).toBe(400);
    expect((await member.json(`/api/library/${id}`)).file_name).toBe('notes.txt');
  });
});

describe('a chat’s file', () => {
  it('is kept in the library once, however often that is asked, without being counted again, and goes out of it again', async () => {
    const member = await server.signUp();
    const { id, session_id } = await sendWithFile(member, 'Notes.', 'notes.txt');
    const answers = await Promise.all(Array.from({ length: 8 }, () => put(member, id, true)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await answers[0]!.json()).toMatchObject({ id, in_library: true, chat_count: 1 });
    expect(await usesOf(id)).toHaveLength(2);
    expect((await member.json('/api/me')).subscription_usage.files).toBe(1);

    const left = await Promise.all(Array.from({ length: 8 }, () => put(member, id, false)));
    expect(left.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await member.json(`/api/library/${id}`)).toMatchObject({ in_library: false, chat_count: 1 });

    await put(member, id, true);
    await member.fetch(`/api/chat-sessions/${session_id}`, { method: 'DELETE' });
    expect(await member.json(`/api/library/${id}`)).toMatchObject({ in_library: true, chat_count: 0 });
    const alone = await put(member, id, false);
    expect([alone.status, ((await alone.json()) as any).code]).toEqual([409, 'file_in_use']);
    expect((await member.json(`/api/library/${id}`)).in_library).toBe(true);
  });

  it('goes with another message by the id that the library names', async () => {
    const member = await server.signUp();
    const { id } = await sendWithFile(member, 'Notes on the starter dough.', 'starter.txt');
    const { file_id } = await member.json(`/api/library/${id}`);
    const session_id = randomUUID();
    await readTurn(await member.send({ session_id, content: 'And here', file_ids: [file_id] }));
    const { messages } = await member.json(`/api/chat-sessions/${session_id}/messages`);
    expect(messages[0].files).toMatchObject([{ file_name: 'starter.txt', kind: 'document', deleted: false }]);
    expect(await member.json(`/api/library/${id}`)).toMatchObject({ chat_count: 2, in_library: false });
  });
});

describe('a preview', () => {
  it('shows the beginning of a document with its pages, and says whether it goes on', async () => {
    const member = await server.signUp();
    const report = join(fixtures, 'ridgeway-bakery-review.pdf');
    const form = new FormData();
    form.set('file', new File([readFileSync(report)], 'report.pdf'));
    const { id } = await member.json('/api/library', { method: 'POST', body: form });
    const short = await member.json(`/api/library/${id}/preview`);
    expect(short.is_shortened).toBe(false);
    expect(short.passages.at(-1).page).toBe(6);

    const words = Array.from({ length: 6_000 }, (_, index) => `word${index}`).join(' ');
    const long = await addToLibrary(member, words, 'long.txt');
    const { passages, is_shortened } = await member.json(`/api/library/${long.id}/preview`);
    expect(is_shortened).toBe(true);
    const text = passages.map(({ content }: any) => content).join('');
    expect(text.length).toBeGreaterThan(19_000);
    expect(text.length).toBeLessThan(21_500);
    expect(text.startsWith('word0 word1')).toBe(true);
    const ordinals = passages.map(({ ordinal }: any) => ordinal);
    expect(ordinals).toEqual(ordinals.toSorted((one: number, other: number) => one - other));
  });
});

describe('what is another member’s', () => {
  it.each([
    ['GET', ''],
    ['PATCH', '', { file_name: 'mine.txt' }],
    ['PUT', '/kept', { kept: true }],
    ['PUT', '/kept', { kept: false }],
    ['DELETE', ''],
    ['GET', '/preview'],
    ['GET', '/content'],
    ['HEAD', '/content'],
    ['GET', '/picture'],
  ])('is not there for %s …%s', async (method, path, body?: object) => {
    const [owner, stranger] = [await server.signUp(), await server.signUp()];
    const name = path === '/picture' ? 'shopfront.png' : 'founder-notes.md';
    const { id, ...file } = await addToLibrary(
      owner,
      new Uint8Array(readFileSync(join(fixtures, name))),
      name,
    );
    const call = (client: TestClient, at = id) =>
      client.fetch(`/api/library/${at}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
    expect((await call(stranger)).status).toBe(404);
    expect((await call(owner, randomUUID())).status).toBe(404);
    // Not by a use's id either.
    expect((await call(owner, file.file_id)).status).toBe(404);
    expect(await owner.json(`/api/library/${id}`)).toEqual({ id, ...file });
    expect((await stranger.json('/api/library')).files).toEqual([]);
    expect((await stranger.json(`/api/library?search=${name}`)).files).toEqual([]);
  });

  it('is not there while it is in a draft, not even for its owner', async () => {
    const member = await server.signUp();
    const { id: file_id } = (await (await member.upload(join(fixtures, 'founder-notes.md'))).json()) as any;
    const { rows } = await pool.query('select original_id from public.chat_files where id = $1', [file_id]);
    const at = `/api/library/${rows[0].original_id}`;
    for (const [path, method] of [
      ['', 'GET'],
      ['', 'DELETE'],
      ['/content', 'GET'],
      ['/preview', 'GET'],
    ] as const)
      expect((await member.fetch(at + path, { method })).status).toBe(404);
    expect((await rename(member, rows[0].original_id, 'other.md')).status).toBe(404);
    expect((await put(member, rows[0].original_id, true)).status).toBe(404);
    expect((await member.fetch(`/api/files/${file_id}`, { method: 'DELETE' })).status).toBe(204);
  });

  it('is not told without a token', async () => {
    const at = `/api/library/${randomUUID()}`;
    for (const [method, path] of [
      ['GET', '/api/library'],
      ['POST', '/api/library'],
      ['GET', at],
      ['PATCH', at],
      ['DELETE', at],
      ['PUT', `${at}/kept`],
      ['GET', `${at}/preview`],
      ['GET', `${at}/content`],
      ['GET', `${at}/picture`],
      ['GET', `/api/files/${randomUUID()}/picture`],
    ])
      expect((await fetch(server.url + path, { method })).status).toBe(401);
  });
});
