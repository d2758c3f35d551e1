import type { Coach, PlaybookStep } from './coach-file.ts';

const rendered = new WeakMap<Coach, string>();

/**
 * What a language model is told to be this coach: the file's instructions, its playbook, and the finished work's shape.
 * Put together once for each coach.
 */
export function coachInstructions(coach: Coach): string {
  const known = rendered.get(coach);
  if (known !== undefined) return known;
  const instructions = renderInstructions(coach);
  rendered.set(coach, instructions);
  return instructions;
}

function renderInstructions(coach: Coach): string {
  return [
    coach.instructions,
    '## Playbook',
    'The steps in their order. Skip what the member has already given. The questions and replies below show the tone; say them in your own words and in the member’s language.',
    ...coach.playbook.map(renderStep),
    `## The finished work: ${coach.deliverable.title}`,
    'Deliver exactly this shape in Markdown, filled with the member’s words. `{{name}}` stands for the answer to the step of that name, `{{#name}}…{{/name}}` is repeated for each item of a list and left out where there is none, `{{item.lead}}` and `{{item.rest}}` are an item’s first phrase and what follows it, `{{n}}` counts up, and `{{left_over}}` is what was good but did not fit. Never show the braces.',
    `<template>\n${coach.deliverable.template.trim()}\n</template>`,
  ].join('\n\n');
}

function renderStep(step: PlaybookStep, index: number): string {
  const limit =
    step.form === 'list'
      ? `${step.min_items} to ${step.max_items} items of at most ${step.max_words} words each`
      : `${step.min_words} to ${step.max_words} words`;
  const nudges = step.listen_for.flatMap(({ nudge }) => (nudge === undefined ? [] : [nudge]));
  return [
    `### ${index + 1}. ${step.title} (\`${step.slot}\`)`,
    `- Ask: ${oneLine(step.question)}`,
    `- Why it matters: ${oneLine(step.advice)}`,
    `- A good answer: ${step.example.trim().split('\n').join(' / ')}`,
    `- Length: ${limit}`,
    `- When the answer is thin: ${[step.thin, ...nudges].map(oneLine).join(' Or: ')}`,
    ...(step.too_long === undefined ? [] : [`- When it is too long: ${oneLine(step.too_long)}`]),
    `- When they are stuck: ${oneLine(step.easier)}`,
  ]
    .join('\n')
    .replaceAll('{{said}}', '(their phrase)')
    .replaceAll('{{count}}', '(the number)');
}

function oneLine(text: string) {
  return text.replace(/\s+/g, ' ').trim();
}
