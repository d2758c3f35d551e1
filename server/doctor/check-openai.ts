import type { Coach } from '../coaches/coach-file.ts';
import type { Config } from '../platform/config.ts';
import { type Asked, ask } from './ask.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { good, note, wrong } = findingsAbout('openai');

/**
 * Whether OpenAI, or the compatible server, takes the key, has the coaches' models, and has conversations and vector
 * stores. For the third it makes an empty conversation and deletes it, which is free.
 */
export async function checkOpenAI(openai: Config['openai'], coaches: Coach[]): Promise<Finding[]> {
  if (!openai) return [note('OPENAI_API_KEY is not set: the practice coach answers.')];
  const isOpenAI = new URL(openai.base_url).hostname.endsWith('api.openai.com');
  const who = isOpenAI ? 'OpenAI' : 'The server of OPENAI_BASE_URL';
  const headers = { authorization: `Bearer ${openai.api_key}` };
  const [models, conversation, stores] = await Promise.all([
    ask(`${openai.base_url}/models`, headers),
    makeConversation(openai.base_url, headers),
    ask(`${openai.base_url}/vector_stores?limit=1`, headers),
  ]);

  if (models.status === undefined) {
    const where = isOpenAI ? 'the network' : 'the network and OPENAI_BASE_URL';
    return [wrong(`${who} cannot be reached (${models.failure}): check ${where}.`)];
  }
  if (models.status === 401) {
    const where = isOpenAI
      ? 'make a new key at https://platform.openai.com/api-keys and set it'
      : 'correct it';
    return [wrong(`${who} refuses OPENAI_API_KEY (401): ${where}.`)];
  }
  return [
    ...checkModels(models, who, openai.model, coaches),
    checkPart(conversation, who, 'conversations', "each chat's history goes along with every request"),
    checkPart(stores, who, 'vector stores', "Touchline searches the members' files itself"),
  ];
}

async function makeConversation(base_url: string, headers: Record<string, string>) {
  const made = await ask(`${base_url}/conversations`, headers, 'POST');
  const id = (made.status === 200 && (made.body as { id?: unknown } | undefined)?.id) || undefined;
  if (typeof id === 'string') {
    await ask(`${base_url}/conversations/${encodeURIComponent(id)}`, headers, 'DELETE');
  }
  return made;
}

function checkModels(
  models: Asked & { status: number },
  who: string,
  chosen: string | undefined,
  coaches: Coach[],
) {
  const list = (models.body as { data?: unknown } | undefined)?.data;
  if (models.status !== 200 || !Array.isArray(list)) {
    return [
      note(
        `${who} takes the key but does not list its models (${models.status}), so nothing tells whether it has those of the coaches: start a chat to see.`,
      ),
    ];
  }
  const ids = new Set(list.map((model) => model?.id));
  const findings = [good(`${who} takes the key.`)];
  if (chosen !== undefined) {
    const found = ids.has(chosen);
    return [
      ...findings,
      found
        ? good('It has the model that OPENAI_MODEL names.')
        : wrong(`It does not have the model that OPENAI_MODEL names: set one that this key may use.`),
    ];
  }
  const missing = coaches.filter((coach) => !ids.has(coach.model));
  if (missing.length === 0) return [...findings, good("It has the coaches' models.")];
  return [
    ...findings,
    ...missing.map((coach) =>
      wrong(
        `It does not have ${coach.model}, the model of ${coach.name}: set OPENAI_MODEL, or "model" in coaches/${coach.slug}.md, to one that this key may use.`,
      ),
    ),
  ];
}

function checkPart(answer: Asked, who: string, part: string, instead: string) {
  if (answer.status === 200) return good(`It has ${part}.`);
  if (answer.status === 404) return note(`${who} has no ${part}: ${instead}.`);
  if (answer.status === 401 || answer.status === 403) {
    return wrong(
      `The key may not use ${part} (${answer.status}): allow it where the key was made, or set OPENAI_API_KEY to one that may.`,
    );
  }
  const reason = answer.status ?? answer.failure;
  return wrong(`${who} does not serve ${part} at the moment (${reason}): try again in a minute.`);
}
