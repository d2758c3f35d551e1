import { html } from 'hono/html';
import type { Mail } from './mail.ts';

export type RenderedMail = { to: string; subject: string; text: string; html: string };

const longest_subject = 200;

/** Both parts of a mail. Throws where the action's address is none that a mail may lead to. */
export function renderMail(mail: Mail): RenderedMail {
  const subject = singleLine(mail.subject);
  const content = {
    subject,
    paragraphs: mail.paragraphs.map(printable),
    action: mail.action && { label: singleLine(mail.action.label), url: webAddress(mail.action.url) },
    footnote: mail.footnote && printable(mail.footnote),
  };
  return { to: mail.to, subject, text: renderText(content), html: renderHtml(content) };
}

type Content = Omit<Mail, 'to'>;

function renderText({ paragraphs, action, footnote }: Content) {
  return `${[...paragraphs, action && `${action.label}:\n${action.url}`, footnote].filter(Boolean).join('\n\n')}\n`;
}

// Colours and fonts as in web/src/tokens.css, written out because a mail has no style sheet of ours. What the dark
// scheme changes stands in the head, because no inline style can ask for it; where a reader drops it, the mail is light.
const sans = "ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif";
const serif = "ui-serif,'Iowan Old Style',Charter,Georgia,serif";
const dark_styles = `@media (prefers-color-scheme: dark) {
  .page { background: #151814 !important; }
  .sheet { background: #1d211c !important; border-color: #333a33 !important; }
  .ink { color: #ebeae2 !important; }
  .muted { color: #a8ada2 !important; }
  .link { color: #93cdb0 !important; }
  .button { background: #2c6b51 !important; }
}`;

function renderHtml({ subject, paragraphs, action, footnote }: Content) {
  return `${html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${subject}</title>
<style>${dark_styles}</style>
</head>
<body class="page" style="margin:0;padding:0;background:#faf8f3">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:#faf8f3">
<tr><td align="center" style="padding:32px 16px">
<table role="presentation" class="sheet" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border:1px solid #e3ddd0;border-radius:12px">
<tr><td align="left" style="padding:28px 32px">
<p class="ink" style="margin:0 0 24px;font:400 19px/1.5 ${serif};color:#20251f">Touchline</p>
${paragraphs.map(
  (paragraph) =>
    html`<p class="ink" style="margin:0 0 16px;font:400 16px/1.6 ${sans};color:#20251f">${withBreaks(paragraph)}</p>
`,
)}${
  action &&
  html`<p style="margin:24px 0"><a class="button" href="${action.url}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:#1d4a38;color:#f6f4ec;font:600 16px/1.25 ${sans};text-decoration:none">${action.label}</a></p>
<p class="muted" style="margin:0 0 16px;font:400 13px/1.5 ${sans};color:#5b5f55">Or open this address:<br><a class="link" href="${action.url}" style="color:#1d5c43;word-break:break-all">${action.url}</a></p>
`
}${
  footnote &&
  html`<p class="muted" style="margin:24px 0 0;font:400 13px/1.5 ${sans};color:#5b5f55">${withBreaks(footnote)}</p>
`
}</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`}`;
}

function withBreaks(paragraph: string) {
  return paragraph.split('\n').map((line, at) => (at === 0 ? line : html`<br>${line}`));
}

/** Without control characters; every kind of line break is `\n`. */
function printable(words: string) {
  return words.replace(/\r\n?|[\u2028\u2029]/g, '\n').replace(/(?![\n\t])\p{Cc}/gu, '');
}

/** On one line, so that nothing in it can begin another header; cut where it is endless. */
function singleLine(words: string) {
  const line = words.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  const letters = [...line];
  return letters.length > longest_subject ? `${letters.slice(0, longest_subject - 1).join('')}…` : line;
}

function webAddress(address: string) {
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Error('a mail may lead to a web address only');
  return url.href;
}
