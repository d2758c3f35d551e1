import { describe, expect, test } from 'vitest';
import { parseCoachFile } from './coach-file.ts';

const source = `---
slug: tiny
name: Tiny coach
tagline: Small and whole.
description: For tests.
accent: "#1f6f54"
accent_dark: "#8fd6bb"
model: gpt-5-mini
plans: [free, pro]
starters: [One, Two, Three]
playbook:
  - slot: idea
    title: The idea
    question: What is it?
    advice: One is enough.
    example: This.
    easier: Guess.
    thin: More, please.
  - slot: points
    form: list
    title: The points
    question: Which?
    advice: Few.
    example: A, b, c.
    easier: One?
    thin: More, please.
deliverable:
  title: A page
  closing: Go.
  template: |
    ## {{idea.bare}}

    {{#points}}
    - {{item}}
    {{/points}}
---

You are a coach.
`;

function reasonFor(from: string, to: string) {
  expect(source).toContain(from);
  try {
    parseCoachFile('tiny.md', source.replace(from, to), ['free', 'pro']);
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
}

describe('a coach file', () => {
  test('is read with its instructions and defaults', () => {
    const coach = parseCoachFile('tiny.md', source);
    expect(coach).toMatchObject({ slug: 'tiny', instructions: 'You are a coach.' });
    expect(coach.playbook[0]).toMatchObject({ form: 'text', max_words: 40, may_be_question: false });
  });

  test('may come with Windows line ends and a byte order mark', () => {
    expect(parseCoachFile('tiny.md', `\uFEFF${source.replaceAll('\n', '\r\n')}`)).toEqual(
      parseCoachFile('tiny.md', source),
    );
  });

  test.each([
    [
      'no front matter',
      '---\nslug: tiny',
      'slug: tiny',
      'tiny.md, line 1: a coach file begins with a line "---".',
    ],
    [
      'an open front matter',
      '{{/points}}\n---',
      '{{/points}}',
      'tiny.md, line 1: the front matter has no closing line "---".',
    ],
    ['broken YAML', 'name: Tiny coach', 'name: [Tiny', /^tiny\.md, line \d+: invalid YAML, [^\n]+\.$/],
    [
      'a key given twice',
      'plans: [free, pro]',
      'plans: [free, pro]\nplans: [pro]',
      /^tiny\.md, line 10: invalid YAML, Map keys must be unique\.$/,
    ],
    [
      'a missing field',
      'tagline: Small and whole.\n',
      '',
      'tiny.md, line 1: the field "tagline" is missing.',
    ],
    [
      'a missing field of a step',
      '    question: Which?\n',
      '',
      'tiny.md, line 19: the field "playbook[2].question" is missing.',
    ],
    [
      'an unknown field',
      'plans: [free, pro]',
      'plans: [free, pro]\ncolour: red',
      'tiny.md, line 10: the field "colour" is not known.',
    ],
    [
      'an unknown field of a step',
      '    advice: Few.',
      '    advise: Few.',
      /^tiny\.md, line (19|23): the field "playbook\[2\]\.(advice|advise)" is (missing|not known)\.$/,
    ],
    [
      'a wrong plan',
      'plans: [free, pro]',
      'plans: free',
      'tiny.md, line 9: the field "plans" must be of the type array.',
    ],
    [
      'a plan that plans.yaml does not have',
      'plans: [free, pro]',
      'plans: [free, gold]',
      'tiny.md, line 9: there is no plan "gold" in plans.yaml, which has free, pro.',
    ],
    [
      'a wrong colour',
      'accent: "#1f6f54"',
      'accent: green',
      'tiny.md, line 6: the field "accent" must be a colour such as "#1f6f54".',
    ],
    [
      'a wrong type',
      'name: Tiny coach',
      'name: 7',
      'tiny.md, line 3: the field "name" must be of the type string.',
    ],
    [
      'an empty field',
      'name: Tiny coach',
      'name: ""',
      'tiny.md, line 3: the field "name" must not be empty.',
    ],
    [
      'two starters',
      '[One, Two, Three]',
      '[One, Two]',
      'tiny.md, line 10: the field "starters" must list three to five.',
    ],
    [
      'a slug that is not snake_case',
      'slug: tiny',
      'slug: Tiny-Coach',
      /^tiny\.md, line 2: the field "slug" must be snake_case/,
    ],
    [
      'an unknown sign',
      '    thin: More, please.\n  - slot',
      '    thin: More, please.\n    listen_for: [{ sign: charm }]\n  - slot',
      /^tiny\.md, line 19: the field "playbook\[1\]\.listen_for\[1\]\.sign" must be one of number, /,
    ],
    [
      'two steps of one slot',
      'slot: points',
      'slot: idea',
      'tiny.md, line 19: the slot "idea" has two steps.',
    ],
    [
      'a template slot without a step',
      '{{idea.bare}}',
      '{{hero}}',
      'tiny.md, line 31: in the template, the slot "hero" has no step in the playbook.',
    ],
    [
      'an item outside a list',
      '## {{idea.bare}}',
      '{{item}}',
      'tiny.md, line 31: in the template, {{item}} stands outside a list’s section.',
    ],
    [
      'an open section',
      '    {{/points}}\n',
      '',
      'tiny.md, line 33: in the template, the section {{#points}} is not closed.',
    ],
    [
      'an unknown form',
      '{{idea.bare}}',
      '{{idea.loud}}',
      /^tiny\.md, line 31: in the template, \{\{idea\.loud\}\} asks for an unknown form/,
    ],
    [
      'an empty body',
      'You are a coach.',
      '',
      'tiny.md, line 36: there are no instructions below the front matter.',
    ],
    [
      'limits that cross',
      '    thin: More, please.\n  - slot',
      '    thin: More, please.\n    min_words: 9\n    max_words: 3\n  - slot',
      'tiny.md, line 19: the field "playbook[1].min_words" must not exceed max_words.',
    ],
  ])('with %s is refused in one sentence with its line', (_, from, to, expected) => {
    const reason = reasonFor(from, to);
    if (typeof expected === 'string') expect(reason).toBe(expected);
    else expect(reason).toMatch(expected);
    expect(reason).not.toContain('\n');
  });
});
