/** What a member may say instead of an answer. */
export type Command =
  | {
      kind:
        | 'start_over'
        | 'skip'
        | 'back'
        | 'draft'
        | 'shorter'
        | 'help'
        | 'example'
        | 'unsure'
        | 'refuse_offer';
    }
  | { kind: 'small_talk'; thanks: boolean }
  | { kind: 'file_remark' }
  | { kind: 'use_offer'; which: 'first' | 'second' | 'both' }
  | { kind: 'change'; target: string; text: string }
  | { kind: 'remove'; target: string }
  | { kind: 'rewrite_wish'; target: string };

const patterns: [RegExp, Command][] = [
  [
    /^(?:let(?:'|’)?s )?(?:start|begin) (?:over|again|anew|from scratch)$|^restart$|^(?:a )?new one$|^from scratch$/,
    { kind: 'start_over' },
  ],
  [
    /^(?:let(?:'|’)?s )?(?:skip|pass)(?: (?:it|this|that|this one|this step|this question|the question))?$|^next(?: one| step| question)?$|^(?:keep|leave) (?:it|that|this)(?: as it is| open)?$|^keep$/,
    { kind: 'skip' },
  ],
  [
    /^(?:go |one step |step )?back(?: one(?: step)?)?$|^(?:the )?previous(?: one| step| question)?$/,
    { kind: 'back' },
  ],
  [
    /^(?:show (?:me )?)?(?:what (?:do )?we have|what we(?:'|’)ve got|what have we got)(?: so far)?$|^(?:show|see|give)(?: me)? (?:it|the (?:draft|outline|work|whole thing|result|story|carousel|beats)|my (?:draft|outline|story|carousel))(?: so far)?$|^(?:the )?draft$|^show draft$|^(?:just )?(?:write|finish|build) it$/,
    { kind: 'draft' },
  ],
  [
    /^(?:can you |could you |a bit |now )*(?:make (?:it|this|that|everything) )?(?:a bit |much |even )*(?:shorter|tighter|more concise)$|^(?:it is |it(?:'|’)s )?too long$|^(?:shorten|tighten)(?: it| this| that| everything)?$|^cut it(?: down)?$/,
    { kind: 'shorter' },
  ],
  [/^(?:help|commands|what can (?:you|i) (?:do|say)|how does this work)$/, { kind: 'help' }],
  [
    /^(?:(?:can you |could you |please )*(?:give|show) me )?(?:an |another |one more )?examples?$|^for example$|^like what$|^what do you mean$|^such as$/,
    { kind: 'example' },
  ],
  [
    /^(?:i )?(?:really )?(?:don(?:'|’)?t|do not) know(?: yet)?$|^(?:i(?:'|’)m |i am )?(?:not sure|stuck|unsure)(?: yet)?$|^no idea$|^i have no idea$|^idk$|^dunno$|^hm+$|^\?+$/,
    { kind: 'unsure' },
  ],
  [
    /^(?:yes|yep|yeah|sure|ok|okay|please|good|great)?(?:,? (?:please|yes|ok))?,? ?(?:use|take|add) (?:it|that|this|the quote)$|^(?:(?:yes|yeah|sure|okay),? )?(?:(?:use|take|add) )?(?:the |number )?(?:first|1)(?: one| quote)?$|^(?:yes|yep|yeah|sure|ok|okay|yes please|please do|do it)$/,
    { kind: 'use_offer', which: 'first' },
  ],
  [
    /^(?:(?:yes|yeah|sure|okay),? )?(?:(?:use|take|add) )?(?:the |number )?(?:second|2)(?: one| quote)?$/,
    { kind: 'use_offer', which: 'second' },
  ],
  [
    /^(?:(?:yes|yeah|sure|okay),? )?(?:(?:use|take|add) )?(?:both(?: of them)?|1 and 2)$/,
    { kind: 'use_offer', which: 'both' },
  ],
  [
    /^(?:no|nope|no thanks|no thank you|not (?:that|this)(?: one)?|don(?:'|’)t use (?:it|that)|rather not)$/,
    { kind: 'refuse_offer' },
  ],
  [
    /^(?:thanks|thank you|thx|cheers|perfect|great|lovely|wonderful|nice|i like it|love it|that(?:'|’)s (?:it|great|perfect|good)|done|good)(?: (?:a lot|so much|very much|thanks|thank you|that(?:'|’)s it))?$/,
    { kind: 'small_talk', thanks: true },
  ],
  [
    /^(?:hi|hello|hey|hallo|good (?:morning|afternoon|evening|day)|yo|ok|okay|let(?:'|’)?s (?:go|start|begin)|ready|i(?:'|’)m ready|start|begin|go|go on|continue)(?: (?:there|coach|again|then))?$/,
    { kind: 'small_talk', thanks: false },
  ],
  [
    /^(?:(?:so |ok |okay )*(?:here|this|that) (?:you (?:go|are)|it is|is (?:the|my|a|our) (?:[\p{L}-]+ )?(?:file|document|brief|pdf|notes?|report|draft))|here|see (?:the )?(?:attached|attachment|file|above)|(?:the |my )?(?:file|document|brief|notes|pdf)(?: is)?(?: attached| above)?|attached)$|^(?:please )?(?:use|read|look at|check|see) (?:the|my|this|that|these) (?:attached )?(?:files?|documents?|brief|pdf|notes|report)$/u,
    { kind: 'file_remark' },
  ],
];

const part = String.raw`(?:the |my )?((?:[\p{L}]+ )?\d{1,2}|[\p{L}][\p{L} ]{1,30}?)`;
const changeTo = new RegExp(
  String.raw`^(?:please )?(?:can you )?(?:change|set|replace|make|rewrite|update|turn) ${part} (?:to|with|into|read|say)\b:?\s*(.+)$`,
  'isu',
);
const labelled = /^(?:the |my )?((?:[\p{L}]+ )?\d{1,2}|[\p{L}][\p{L} ]{1,30}?)\s*(?::|=|->|→)\s*(.+)$/isu;
const removal = new RegExp(`^(?:please )?(?:remove|delete|drop|cut|take out) ${part}$`, 'isu');
const wish = new RegExp(
  `^(?:please )?(?:can you )?(?:improve|rewrite|rework|change|fix|sharpen|punch up|redo|shorten|make) ${part}(?: (?:shorter|better|punchier|stronger|sharper|more .+|less .+))?$`,
  'isu',
);

/**
 * The command in a plain text, or undefined for an answer. `isPart` tells whether words name a part of the work or a
 * step; "slide 3: …" is a change only then.
 */
export function parseCommand(text: string, isPart: (target: string) => boolean): Command | undefined {
  const said = text
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/(?<![\s.!?…])[\s.!?…]+$/, '')
    .replace(/^(?:please |ok,? )(?=\S)/i, '');
  const short = said.toLowerCase().replace(/,? please$/, '');
  if (/^\s*\?+\s*$/.test(text)) return { kind: 'unsure' };
  if (short.length <= 60) {
    const found = patterns.find(([pattern]) => pattern.test(short));
    if (found) return found[1];
  }
  const change = changeTo.exec(text.trim()) ?? labelled.exec(text.trim());
  if (change && isPart(change[1]!)) return { kind: 'change', target: change[1]!, text: unquote(change[2]!) };
  const removed = removal.exec(said);
  if (removed && isPart(removed[1]!)) return { kind: 'remove', target: removed[1]! };
  const wished = wish.exec(said);
  if (wished && isPart(wished[1]!)) return { kind: 'rewrite_wish', target: wished[1]! };
  return undefined;
}

/** Whether a plain text asks something, rather than answering. */
export function isQuestion(text: string): boolean {
  const said = text.trim();
  if (/[?？؟]\s*$/u.test(said) && said.length < 400) return true;
  return (
    /^(?:what|which|who|where|when|how|why|is there|are there|does|do|can you|could you|would you)\b[^.!]{0,160}$/i.test(
      said,
    ) && /\b(?:file|files|document|pdf|brief|notes|report|you|should i)\b/i.test(said)
  );
}

/** Whether a plain text tells the coach to do something with the member's files, rather than answering. */
export function isFileRequest(text: string): boolean {
  const orders =
    /^(?:please |can you |could you |now |i want you to |i(?:'|’)d like you to )*(?:make|use|read|take|look|find|search|summari[sz]e|check|turn|create|write|quote|show|tell|pull|get|go through|base)\b/i;
  return text.length < 300 && orders.test(text.trim()) && mentionsFiles(text);
}

/** Whether a plain text speaks of the member's files. */
export function mentionsFiles(text: string): boolean {
  return /\b(?:(?:my|the|this|that|our|attached|these|in) (?:[\p{L}]+ )?(?:files?|documents?|docs?|pdfs?|brief|briefing|notes|report|transcript|attachments?|upload)|attached|uploaded|\.(?:pdf|docx|md|txt)\b)/iu.test(
    text,
  );
}

function unquote(text: string) {
  return text
    .trim()
    .replace(/^["“„«](.+)["”“»]$/su, '$1')
    .trim();
}
