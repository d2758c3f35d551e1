import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCoaches } from './load-coaches.ts';
import { makeTurn, startChat } from './practice/chat-fixture.ts';
import { createPracticeCoach } from './practice-coach.ts';

const coaches = await loadCoaches(join(import.meta.dirname, '../../coaches'));

const carouselAnswers = [
  'Most freelancers think raising prices loses clients, but silence about the reason is what loses them.',
  'My friend Jana, a freelance illustrator three years in, who quoted her 2022 price again last Tuesday',
  'Write the price email to your oldest client tonight, in ten minutes',
  'Pick a date one month ahead\nName the new price in the first sentence\nGive your oldest client a choice: less work, or the new price',
  'Jana raised hers by 15 percent in March and kept ten of eleven clients.',
  'Your best client already expects a higher price',
  'Save this for the evening you write the email.',
];
const storyAnswers = [
  'In the hospital corridor last March my father asked the nurse who I was.',
  'Blue plastic chairs in the corridor, ten past four. A vending machine hums, I hold two coffees and a form.',
  'I wanted him to sign the form before the office closed at five.',
  'He kept asking "Are you from the insurance?" and the nurse looked at the floor.',
  'If he did not sign I would have to put him in the state home, and he would wake up there alone.',
  'I put the form under the chair, gave him the coffee, and said "No, I am from the bakery."',
  'Now we have coffee every Thursday at ten past four. He still thinks I am from the bakery.',
];

async function walk(slug: string, messages: string[]) {
  const chat = startChat(coaches, slug);
  let last = '';
  const replies: string[] = [];
  for (const message of messages) {
    last = (await chat.send(message)).text;
    replies.push(last);
  }
  return { chat, replies, last };
}

describe('a whole walk', () => {
  test.each([
    ['carousel', carouselAnswers],
    ['storyteller', storyAnswers],
  ])('%s: seven good answers become the finished work, in the member’s own words', async (slug, answers) => {
    const { replies, last } = await walk(slug, ['hi', ...answers]);
    for (const [index, reply] of replies.slice(0, -1).entries()) {
      expect(reply).toContain(`### Step ${index + 1} of 7`);
    }
    expect(last).toContain('That is everything I need.');
    for (const line of answers.join('\n').split('\n'))
      expect(last).toContain(line.split(':')[0]!.replace(/\.$/, ''));
    expect(last).not.toContain('{{');
    expect(last).not.toContain('Still open');
    expect(last).not.toMatch(/\n{3}/);
  });

  test('slides are numbered in one row', async () => {
    const { last } = await walk('carousel', carouselAnswers);
    expect([...last.matchAll(/^### Slide (\d+)/gm)].map((match) => Number(match[1]))).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
    expect(last).toContain(
      '### Slide 5\n\n**Give your oldest client a choice**\n\nLess work, or the new price.',
    );
  });

  test('each reply asks one question and only the first says what answers', async () => {
    const { replies } = await walk('storyteller', ['hi', ...storyAnswers]);
    for (const reply of replies.slice(0, -1)) expect(reply.match(/^\*\*[^*]+[?.]\*\*$/gm)).toHaveLength(1);
    expect(replies.filter((reply) => reply.includes('not a language model'))).toEqual([replies[0]]);
  });

  test('the answer’s strongest phrase is given back with what is good about it', async () => {
    const { replies } = await walk('carousel', carouselAnswers);
    expect(replies[1]).toContain('Keep “My friend Jana”. It is one person you can write to.');
  });
});

describe('a thin answer', () => {
  test.each([
    ['a topic', 'pricing', '“pricing” is a topic, and a topic takes no side.'],
    [
      'an abstract noun',
      'Good content always brings value and growth to all of us',
      '“value” is a word that fits every post',
    ],
  ])('%s is pushed back once, by name, and the second answer is taken', async (_, thin, expected) => {
    const chat = startChat(coaches, 'carousel');
    await chat.send('hi');
    expect((await chat.send(thin)).text).toContain(expected);
    expect((await chat.send(thin)).text).toContain('### Step 2 of 7');
  });

  test('“everyone” is no reader', async () => {
    const { last } = await walk('carousel', [carouselAnswers[0]!, 'everyone who likes good design']);
    expect(last).toContain('“everyone” scrolls past everything.');
    expect(last).not.toContain('### Step 3');
  });

  test('a list that is too short is added to, not replaced', async () => {
    const { last } = await walk('carousel', [
      ...carouselAnswers.slice(0, 3),
      'Pick a date\nName the price',
      'Offer a choice',
    ]);
    expect(last).toContain('That makes three.');
  });

  test('a hook over its limit is sent back with its count', async () => {
    const { last } = await walk('carousel', [
      ...carouselAnswers.slice(0, 5),
      'Why your best clients are waiting for you to charge more money and what you can do about it',
    ]);
    expect(last).toContain('That is 19 words');
  });

  test('“I don’t know” gets a smaller question, and the second time the step stays open', async () => {
    const { replies } = await walk('carousel', ['hi', "I don't know", 'no idea']);
    expect(replies[1]).toContain('what advice in your field makes you shake your head');
    expect(replies[2]).toContain('### Step 2 of 7');
  });
});

describe('commands', () => {
  test('skip goes on, back returns with what was said, keep leaves it', async () => {
    const { replies } = await walk('carousel', [carouselAnswers[0]!, 'skip', 'back', 'back', 'keep']);
    expect(replies[1]).toContain('### Step 3 of 7');
    expect(replies[2]).toContain('Back to “The reader”');
    expect(replies[3]).toContain('You had: “Most freelancers think');
    expect(replies[4]).toContain('### Step 3 of 7');
  });

  test('a draft shows what there is and marks what is open', async () => {
    const { last } = await walk('carousel', [carouselAnswers[0]!, 'show me what we have']);
    expect(last).toContain('## Carousel: Most freelancers think');
    expect(last).toContain('_Still open: the hook_');
    expect(last).toContain('### Step 2 of 7');
  });

  test('start over forgets every answer', async () => {
    const { last } = await walk('carousel', [...carouselAnswers, 'start over', 'draft']);
    expect(last).toContain('Nothing of yours is in it yet.');
    expect(last).not.toContain('Jana');
  });

  test.each([
    [
      'slide 3: Choose the first of next month',
      'Choose the first of next month',
      'Pick a date one month ahead',
    ],
    [
      'change slide 3 to “Choose the first of next month”',
      'Choose the first of next month',
      'Pick a date one month ahead',
    ],
    [
      'hook: Nobody leaves over ten percent',
      '**Nobody leaves over ten percent**',
      'already expects a higher price',
    ],
    ['remove slide 4', 'Pick a date one month ahead', 'Name the new price in the first sentence'],
  ])('“%s” changes that part and nothing else', async (command, has, lacks) => {
    const { last } = await walk('carousel', [...carouselAnswers, command]);
    expect(last).toContain(has);
    expect(last).not.toContain(lacks);
    expect(last).toContain('**Give your oldest client a choice**');
  });

  test('a part that does not exist is named as missing', async () => {
    const { last } = await walk('carousel', [...carouselAnswers, 'change slide 12 to gone']);
    expect(last).toContain('There is no slide 12 yet. Your work runs from slide 1 to slide 7.');
  });

  test('shorter takes words away but neither the hook nor a claim’s second half', async () => {
    const { replies } = await walk('carousel', [...carouselAnswers, 'shorter']);
    const [before, after] = replies.slice(-2) as [string, string];
    expect(after).toMatch(/Tighter: \d+ words fewer\./);
    expect(after.length).toBeLessThan(before.length);
    expect(after).toContain('but silence about the reason is what loses them');
    expect(after).toContain('**Your best client already expects a higher price**');
  });

  test('with every step skipped there is no empty work', async () => {
    const { last } = await walk(
      'storyteller',
      Array.from({ length: 7 }, () => 'skip'),
    );
    expect(last).toContain('One answer is enough to begin');
    expect(last).toContain('### Step 1 of 7');
  });

  test('an answer may carry its label', async () => {
    const { last } = await walk('carousel', ['hi', `Idea: ${carouselAnswers[0]}`]);
    expect(last).toContain('### Step 2 of 7');
  });

  test('a question is not taken for an answer', async () => {
    const { last } = await walk('storyteller', ['hi', 'Why do you ask that?']);
    expect(last).toContain('Back to “The moment of change”');
  });
});

describe('a first message that holds much', () => {
  test('a told story fills the steps that it clearly answers', async () => {
    const { last } = await walk('storyteller', [
      'I was standing at the lectern, holding my notes, and the microphone was dead. I wanted to get through my three slides and go home. But the mayor shouted "Louder!" from the back row. Since then I never take notes on stage.',
    ]);
    expect(last).toContain('- **The scene:** “I was standing at the lectern');
    expect(last).toContain('- **The last image:** “Since then I never take notes on stage.”');
    expect(last).toContain('### Step 1 of 7');
  });

  test('a pasted draft with labels fills hook, points and last slide', async () => {
    const { last } = await walk('carousel', [
      'Slide 1: Nobody reads your second slide\nSlide 2: They read the first\nSlide 3: So promise there\nSlide 4: Then prove\nCTA: Save this before your next post',
    ]);
    expect(last).toContain('- **The points:** 3 of them');
    expect(last).toContain('- **The hook:** “Nobody reads your second slide”');
  });
});

describe('difficult messages', () => {
  test('Markdown and HTML of a message cannot become headings, links, images or tags', async () => {
    const hostile =
      '# HACKED\n<img src=x onerror=alert(1)> ![x](http://evil.com/a.png) [click](https://evil.com) most people trust https://evil.com, but [ref]: http://evil.com `code` <script>x</script> is not safe';
    const { replies } = await walk('carousel', [hostile, hostile, hostile, hostile, hostile, 'draft']);
    for (const reply of replies) {
      expect(reply).not.toMatch(/^#{1,6} (?:HACKED|click)/m);
      expect(reply).not.toMatch(/(?<!\\)<\w|https?:|(?<!\\)\]\(|!\[|www\./);
    }
  });

  test.each([
    ['an empty message', ''],
    ['a very long message', `${'Most people think a lot, but they are wrong. '.repeat(3000)}`],
    ['a very long word', 'x'.repeat(20_000)],
    ['Chinese', '大多数自由职业者认为涨价会失去客户，但真正失去客户的是沉默。'],
    ['Arabic', 'يعتقد معظم الناس أن رفع الأسعار يفقدهم العملاء لكن الصمت هو السبب'],
    ['German', 'Viele denken, höhere Preise kosten Kunden, aber in Wahrheit kostet sie das Schweigen.'],
    ['emoji only', '🙂🙂🙂'],
    ['regular expression signs', '$& $1 (.*)+ [^a] {{idea}} \\'],
  ])('%s gets a whole reply', async (_, message) => {
    const { chat, last } = await walk('carousel', [message]);
    expect(last).toContain('not a language model');
    const { text, events } = await chat.send(message);
    expect(text.length).toBeGreaterThan(20);
    expect(text.length).toBeLessThan(30_000);
    expect(events.at(-1)).toMatchObject({ type: 'end' });
  });

  test('an answer in another language is taken as it is', async () => {
    const german = 'Viele denken, höhere Preise kosten Kunden, aber in Wahrheit kostet sie das Schweigen.';
    const { replies, last } = await walk('carousel', [german, 'draft']);
    expect(replies[0]).toContain('I ask in English; your words stay in your language.');
    expect(last).toContain(german.slice(0, -1));
  });
});

describe('the stream', () => {
  test('the same chat gives the same reply', async () => {
    const one = await walk('carousel', carouselAnswers);
    const two = await walk('carousel', carouselAnswers);
    expect(one.replies).toEqual(two.replies);
  });

  test('ends with one end event that costs nothing', async () => {
    const { events } = await startChat(coaches, 'carousel').send('hi');
    expect(events.filter(({ type }) => type === 'end')).toEqual([
      {
        type: 'end',
        outcome: 'completed',
        usage: { input_tokens: 0, cached_tokens: 0, output_tokens: 0 },
        response_id: null,
      },
    ]);
    expect(events.at(-1)?.type).toBe('end');
  });

  test('the first word comes without the delay, the others after it', async () => {
    // The worker that thinks has to have started.
    await startChat(coaches, 'carousel').send('hi');
    const begin = (word_delay_ms: number) =>
      createPracticeCoach(coaches, { word_delay_ms })(makeTurn({}), new AbortController().signal);
    // Longer than a test may take.
    expect((await begin(600_000).next()).value).toEqual({ type: 'text', text: 'I ' });
    const stream = begin(500);
    await stream.next();
    const first_ms = performance.now();
    await stream.next();
    expect(performance.now() - first_ms).toBeGreaterThan(400);
    await stream.return();
  });

  test('aborting in the middle ends the stream with the signal’s reason', async () => {
    const controller = new AbortController();
    const stream = createPracticeCoach(coaches, { word_delay_ms: 1 })(makeTurn({}), controller.signal);
    await stream.next();
    const reason = new Error('stopped by the member');
    controller.abort(reason);
    await expect(stream.next()).rejects.toBe(reason);
  });

  test('a coach that is not there is an error of the model', async () => {
    const stream = createPracticeCoach(coaches)(
      makeTurn({ coach_slug: 'gone' }),
      new AbortController().signal,
    );
    await expect(stream.next()).rejects.toMatchObject({ code: 'model_misconfigured' });
  });
});
