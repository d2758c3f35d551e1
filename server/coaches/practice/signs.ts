/** What a good answer shows, by name; coach files choose from these in `listen_for`. */
export const signNames = [
  'number',
  'person',
  'moment',
  'place',
  'contrast',
  'action',
  'speech',
  'self',
  'you',
  'tension',
  'concrete',
] as const;

type SignName = (typeof signNames)[number];

/** Whether a text shows a sign. `said`: the words that show it, or the weak words that stand in its place, if any. */
type SignReading = { shown: boolean; said: string | undefined };

const people =
  /\b(?:everyone|everybody|anyone|anybody|all (?:people|of them|kinds of)|people|the public|the masses|customers|clients|users|professionals|entrepreneurs|business owners|small businesses|businesses|companies|brands|creators|freelancers|founders|women|men|students)\b/i;
const abstractNouns =
  /\b(?:value|success|successful|growth|mindset|journey|engagement|quality|impact|innovation|passion|synergy|productivity|happiness|happy|potential|awareness|excellence|transformation|empowerment|confidence|motivation|inspiration|authenticity|visibility|fulfil?lment|balance|leadership|strategy|solutions?|(?:best|better) (?:version|life|person|results?)|next level|life lessons?|hard work|perseverance|resilience|never give up|believe in yourself|feel(?:ing)? (?:more|less|better|good|great)(?: \p{L}+)?|confident|inspired|motivated|important|(?:have |i )?learn(?:ed|t) that|taught me|lessons?|be(?:ing)? (?:a )?(?:good|better|great|happy|free|loved|accepted|respected|recogni[sz]ed)(?: \p{L}+)?)\b/iu;
const names =
  /(?<=[\p{Ll}\d,;:’'"“”)] )(?!(?:I|I'm|I’m|I've|I’ve|I'd|I’d|I'll|I’ll|Instagram|LinkedIn|TikTok|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|English|German|French|Spanish|CTA|AI|SEO|PDF|CEO)\b)\p{Lu}\p{Ll}{2,}/u;
const onePerson =
  /\b(?:(?:a|an|one|my|our|her|his)\s+(?:[\p{Ll}-]+\s+){0,3}(?:\p{Ll}+(?:er|or|ist|ian|ant|ent|eur|wife|woman|man|ee|yst)|boss|coach|nurse|friend|client|mother|father|mum|mom|dad|son|daughter|sister|brother|colleague|parent|chef|cook|student|freelance|husband|wife|child|girl|boy|neighbou?r|guide|artist|designer|clerk|founder|pharmacist|vet)\b|(?:someone|somebody|the person|a person|people|\p{Ll}+s)\s+(?:who|whose|that)\b|(?:she|he|her|him|his)\b)/iu;
const numberWords =
  /\d+(?:[.,]\d+)*\s?(?:%|percent|k\b|€|\$|£|hours?|minutes?|days?|weeks?|months?|years?|times|people|clients)?|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand|million|half|twice|double[ds]?|a third|a quarter|a dozen)\b/i;

const tests: Record<SignName, (text: string) => SignReading> = {
  number: (text) => find(text, numberWords),
  person: (text) => {
    const one =
      onePerson.exec(text) ??
      names.exec(text) ??
      /^\p{Lu}\p{Ll}{2,}(?=,| (?:is|was|who|has|said|and)\b)/u.exec(text);
    const group = people.exec(text);
    const everybody = group !== null && /^(?:every|any|all)/i.test(group[0]);
    const shown = one !== null && !(everybody && !names.test(text));
    return { shown, said: shown ? one[0] : group?.[0] };
  },
  moment: (text) =>
    find(
      text,
      /\b(?:(?:on |last |next |this |every |each )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?(?: (?:morning|afternoon|evening|night))?|(?:in |last |this |since )?(?:january|february|march|april|june|july|august|september|october|november|december)|(?:last|this|that|next|every|each|the same|one) (?:week|month|year|summer|winter|spring|autumn|fall|morning|evening|night|afternoon|day|time)|yesterday|tonight|this morning|at (?:\d{1,2}(?::\d{2})?|noon|midnight|dawn|night|breakfast|lunch|dinner)|in (?:19|20)\d{2}|the (?:day|morning|night|evening|moment|minute|second|week) (?:that|when|before|after|of|i|we|my|she|he|you|they)|before (?:every|the|your|you|my|lunch|breakfast|dinner)|during (?:the|my|her|his|a|your)|when (?:i|we|she|he|my|you|they)|two minutes|o['’]clock)\b/i,
    ),
  place: (text) =>
    find(
      text,
      /\b(?:(?:in|at|on|under|behind|beside|outside|inside|across|near|over|by|into|through) (?:the|a|an|my|our|her|his|their|your|row|room|line) ?(?:[\p{L}-]+)(?: [\p{L}-]+)?|(?:first|second|third|last|front|back) row|kitchen|hallway|corridor|car park|parking lot|airport|office|bus|train|classroom|hospital)\b/iu,
    ),
  contrast: (text) =>
    find(
      text,
      /(?:\b(?:but|yet|instead|except|although|though|however|until|rather than|not because|does not|doesn['’]t|do not|don['’]t|is not|isn['’]t|are not|aren['’]t|never|nobody|wrong|without|most people|more than|less than|less|fewer|only)\b)/i,
    ),
  action: (text) =>
    find(
      text,
      /(?:^|[.!?:,;]\s+|\b(?:to|can|will|could|should|and|then)\s+)(?:you\s+can\s+)?((?:save|send|share|comment|follow|write|reply|answer|book|try|download|tag|ask|dm|message|click|tell|pick|choose|name|give|say|call|email|mail|put|cut|stop|start|set|open|close|delete|remove|add|count|check|list|read|raise|offer|show|make|keep|use|quote|post|turn|drop|print|bookmark|forward|subscribe|sign|join|buy|visit|record|practi[sc]e|test|fix|plan|block|walk|talk|repeat|leave|find|let|do|draw|schedule|rewrite|publish|finish|decide|charge)\b)/i,
    ),
  speech: (text) => {
    const quoted = find(text, /["“„«][^"“”„«»\n]{2,120}["”“»]|(?<![\p{L}])‘[^‘’\n]{4,120}’/u);
    return quoted.shown
      ? quoted
      : find(text, /\b(?:said|asked|whispered|shouted|answered|told (?:me|us|him|her))\b/i);
  },
  self: (text) => find(text, /\b(?:I|my|me|we|our)\b/),
  you: (text) => find(text, /\b(?:you|your|yours)\b/i),
  tension: (text) =>
    find(
      text,
      /\?|\b(?:why|how|what|the (?:one|real|only|moment|reason|mistake|part|day|first|last)|until|before you|never|stop|nobody|secret(?:ly)?|waiting|cost(?:s|ing)?|lose|losing|lost|wrong|mistake|almost|nearly)\b|…/i,
    ),
  concrete: (text) => {
    const word = abstractNouns.exec(text);
    const exact = numberWords.test(text) || names.test(text) || tests.speech(text).shown;
    return word && !exact ? { shown: false, said: word[0] } : { shown: true, said: undefined };
  },
};

/** Whether a plain English text shows the sign. */
export function readSign(sign: SignName, text: string): SignReading {
  return tests[sign](text);
}

/** Whether a text is English enough for the signs to judge it; short texts in the Latin alphabet pass. */
export function looksEnglish(text: string): boolean {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  if (words.some((word) => /[^\p{Script=Latin}]/u.test(word))) return false;
  if (words.length < 5) return !/[äöüßñçøåłčšžœæ]/i.test(text);
  const common = words.filter((word) => englishWords.has(word)).length;
  return common / words.length >= 0.15;
}

const englishWords = new Set(
  'the a an and or but of to in on at for with from by is are was were be been i you he she it we they my your her his our their me him them this that not no do does did have has had what who when how why will can would could if so as than then there about more one up out'.split(
    ' ',
  ),
);

function find(text: string, pattern: RegExp): SignReading {
  const match = pattern.exec(text);
  return { shown: match !== null, said: match ? (match[1] ?? match[0]).trim() : undefined };
}
