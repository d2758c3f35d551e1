import { z } from 'zod';
import { ApiError, badRequest, checkIdPrefix } from './api-error.ts';
import { newId, unixNow } from './ids.ts';
import { checkMessageParts, inputItemSchema, storedItems } from './input-items.ts';
import { itemListQuery, listPage } from './list-page.ts';
import { presentItem } from './response-object.ts';
import { type Double, parseQuery, type Route } from './route.ts';
import { includeSchema, metadataSchema } from './shared-schemas.ts';
import type { FakeOpenAIState, Item, StoredConversation } from './state.ts';
import { validate } from './validate.ts';

const createConversationSchema = z.strictObject({
  items: z.array(inputItemSchema).max(20).nullish(),
  metadata: metadataSchema.optional(),
});

const updateConversationSchema = z.strictObject({ metadata: metadataSchema });

const addItemsSchema = z.strictObject({ items: z.array(inputItemSchema).max(20) });

const includeQuery = { include: includeSchema.optional() };

export function conversationRoutes({ state }: Double): Route[] {
  const path = '/v1/conversations/:conversation_id';
  return [
    {
      method: 'POST',
      path: '/v1/conversations',
      answer: ({ body }) => conversationObject(createConversation(state, body.json ?? {})),
    },
    {
      method: 'GET',
      path,
      answer: ({ params }) => conversationObject(getConversation(state, params.conversation_id!)),
    },
    {
      method: 'POST',
      path,
      answer: ({ params, body }) => {
        const conversation = getConversation(state, params.conversation_id!);
        conversation.metadata = validate(updateConversationSchema, body.json ?? {}).metadata ?? {};
        return conversationObject(conversation);
      },
    },
    {
      method: 'DELETE',
      path,
      answer: ({ params }) => {
        const { id } = getConversation(state, params.conversation_id!);
        state.conversations.delete(id);
        return { id, object: 'conversation.deleted', deleted: true };
      },
    },
    {
      method: 'POST',
      path: `${path}/items`,
      answer: ({ params, query, body }) => {
        const conversation = getConversation(state, params.conversation_id!);
        const { include } = parseQuery(includeQuery, query);
        const added = addItems(conversation, body.json ?? {});
        return listPage(
          added.map((item) => presentItem(item, include ?? [])),
          { order: 'asc' },
          { limit: 20 },
        );
      },
    },
    {
      method: 'GET',
      path: `${path}/items`,
      answer: ({ params, query }) => {
        const { items } = getConversation(state, params.conversation_id!);
        const { include, ...page } = parseQuery({ ...itemListQuery, ...includeQuery }, query);
        return listPage(
          items.map((item) => presentItem(item, include ?? [])),
          page,
          { limit: 20 },
        );
      },
    },
    {
      method: 'GET',
      path: `${path}/items/:item_id`,
      answer: ({ params, query }) => {
        const { include } = parseQuery(includeQuery, query);
        return presentItem(
          getItem(getConversation(state, params.conversation_id!), params.item_id!),
          include ?? [],
        );
      },
    },
    {
      method: 'DELETE',
      path: `${path}/items/:item_id`,
      answer: ({ params }) => {
        const conversation = getConversation(state, params.conversation_id!);
        const item = getItem(conversation, params.item_id!);
        conversation.items = conversation.items.filter((one) => one !== item);
        return conversationObject(conversation);
      },
    },
  ];
}

function createConversation(state: FakeOpenAIState, body: unknown): StoredConversation {
  checkMessageParts((body as { items?: unknown }).items, 'items');
  const { items, metadata } = validate(createConversationSchema, body);
  const conversation: StoredConversation = {
    id: newId('conv'),
    created_at: unixNow(),
    metadata: metadata ?? {},
    items: storedItems(items ?? [], 'items', referenceRefused),
    running_response_id: null,
  };
  state.conversations.set(conversation.id, conversation);
  return conversation;
}

function addItems(conversation: StoredConversation, body: unknown): Item[] {
  checkMessageParts((body as { items?: unknown }).items, 'items');
  const { items } = validate(addItemsSchema, body);
  const added = storedItems(items, 'items', referenceRefused);
  const taken = added.find((item) => conversation.items.some((one) => one.id === item.id));
  if (taken)
    throw badRequest(`Item with id '${taken.id}' already exists in the conversation.`, null, 'items');
  conversation.items.push(...added);
  return added;
}

function referenceRefused(id: string): never {
  throw new ApiError(404, `Item with id '${id}' not found.`, { param: 'items' });
}

/** The conversation, or the 404 for one that does not exist (400 when the id is not a conversation's). */
export function getConversation(state: FakeOpenAIState, id: string, param = 'conversation_id') {
  checkIdPrefix(id, 'conv', param);
  const conversation = state.conversations.get(id);
  if (!conversation) throw new ApiError(404, `Conversation with id '${id}' not found.`);
  return conversation;
}

function getItem({ id, items }: StoredConversation, item_id: string): Item {
  const item = items.find((one) => one.id === item_id);
  if (!item) throw new ApiError(404, `Item with id '${item_id}' not found in conversation '${id}'.`);
  return item;
}

function conversationObject({ id, created_at, metadata }: StoredConversation) {
  return { id, object: 'conversation', created_at, metadata };
}
