import { describe, expect, test } from 'vitest';
import { operatorAddedMail } from '../../accounts/mails.ts';
import type { Mail } from './mail.ts';
import { renderMail } from './render-mail.ts';

const mail: Mail = {
  to: 'member@example.org',
  subject: 'Choose a new password',
  paragraphs: ['Somebody asked for a new password.', 'Two lines:\nthe second.'],
  action: { label: 'Choose a password', url: 'https://coach.example.org/reset?a=1&b=2' },
  footnote: 'If it was not you, do nothing.',
};

test('the text part says everything, with the address on a line of its own', () => {
  expect(renderMail(mail)).toMatchObject({
    to: 'member@example.org',
    subject: 'Choose a new password',
    text: `Somebody asked for a new password.

Two lines:
the second.

Choose a password:
https://coach.example.org/reset?a=1&b=2

If it was not you, do nothing.
`,
  });
});

test('the HTML part says the same, and shows the address that its button leads to', () => {
  const { html, text } = renderMail(mail);
  const words = html
    .replace(/^[\s\S]*<body/, '<body')
    .replace(/<br>/g, '\n')
    .replace(/<[^>]+>/g, '\n')
    .replaceAll('&amp;', '&');
  for (const line of text.split('\n').filter(Boolean)) expect(words).toContain(line.replace(/:$/, ''));
  expect(words).toContain('Two lines:\nthe second.');
  expect(html.match(/href="https:\/\/coach\.example\.org\/reset\?a=1&amp;b=2"/g)).toHaveLength(2);
});

test('only what there is is rendered', () => {
  const bare = renderMail({ to: 'a@example.org', subject: 'Hello', paragraphs: ['One.'] });
  expect(bare.text).toBe('One.\n');
  expect(bare.html).not.toMatch(/<a |undefined|false|null/);
});

describe('whatever a mail is made of', () => {
  const hostile =
    '</title></style><script>alert(1)</script><img src="https://example.org/seen.png" onerror=x>';
  const words: Mail = {
    to: 'member@example.org',
    subject: `Hello ${hostile}`,
    paragraphs: [hostile],
    action: { label: hostile, url: `https://example.org/?q=${hostile}"onmouseover="x` },
    footnote: hostile,
  };

  test('no part of it becomes markup', () => {
    const { html } = renderMail(words);
    expect(html).not.toMatch(/<script|<img|"onmouseover/);
    expect(html.match(/<\/title>/g)).toHaveLength(1);
    expect(html.match(/<\/style>/g)).toHaveLength(1);
  });

  test('nothing is fetched from anywhere when it is read', () => {
    expect(renderMail(words).html).not.toMatch(
      /<(img|link|script|iframe|object|video)\b|url\(|@import|@font-face/i,
    );
  });

  test.each(['\r\n', '\n', '\r', '\u2028', '\u0000', '\u0085'])(
    'a subject and a label stay on one line (%j)',
    (control) => {
      const { subject, text } = renderMail({
        ...mail,
        subject: `Hello${control}Bcc: everybody@example.org`,
        action: { label: `Open${control}it`, url: 'https://example.org/' },
      });
      expect(subject).toBe('Hello Bcc: everybody@example.org');
      expect(text).toContain('Open it:\n');
    },
  );

  test('control characters are dropped and every line break is one', () => {
    const { text } = renderMail({
      ...mail,
      paragraphs: ['One\r\ntwo\rthree\u2028four\u0007\u001b[31m\tfive'],
    });
    expect(text.startsWith('One\ntwo\nthree\nfour[31m\tfive\n')).toBe(true);
  });

  test('an endless subject is cut, between letters', () => {
    const { subject } = renderMail({ ...mail, subject: '🥖'.repeat(5_000) });
    expect([...subject]).toHaveLength(200);
    expect(subject.isWellFormed()).toBe(true);
    expect(subject.endsWith('🥖…')).toBe(true);
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', '/relative', ''])(
    'it leads to a web address or nowhere: %j is refused',
    (url) => {
      expect(() => renderMail({ ...mail, action: { label: 'Open', url } })).toThrow();
    },
  );
});

test('who becomes an operator reads where, and who can take it back', () => {
  const { subject, text } = renderMail(
    operatorAddedMail({ to: 'owner@example.org', site_url: 'https://coach.example.org' }),
  );
  expect(subject).toBe('You can now run coach.example.org');
  expect(text).toContain('owner@example.org');
  expect(text).toMatch(/Any other operator can take this back, and so can whoever runs the server/);
  expect(text).toContain('\nhttps://coach.example.org/\n');
});
