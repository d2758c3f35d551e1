import type { Responses } from 'openai/resources/responses/responses';
import { AppError } from '../errors.ts';
import type { ModelImage, ModelTurn } from './model.ts';

/** Of pictures of earlier messages so many go along again, the latest; each costs time and tokens. */
const most_earlier_images = 10;

/**
 * A turn's pictures as parts of the member's message, each after a line with its name: those of this message, and before
 * them the earlier ones that no conversation holds. Throws `unavailable` where a new one cannot be read; an earlier one
 * is then named and left out.
 */
export async function showImages(
  turn: Pick<ModelTurn, 'images' | 'history'>,
  signal: AbortSignal,
): Promise<Responses.ResponseInputContent[]> {
  // Where the history goes along, the conversation is new or there is none.
  const earlier = turn.history.length > 0 ? turn.images.filter(({ is_new }) => !is_new) : [];
  const shown = [...earlier.slice(-most_earlier_images), ...turn.images.filter(({ is_new }) => is_new)];
  const parts = await Promise.all(shown.map((image) => showImage(image, signal)));
  return parts.flat();
}

async function showImage(image: ModelImage, signal: AbortSignal): Promise<Responses.ResponseInputContent[]> {
  const name = JSON.stringify(image.file_name);
  const when = image.is_new ? 'given with this message' : 'given earlier in this chat';
  try {
    const image_url = await image.read(signal);
    return [
      { type: 'input_text', text: `[Picture ${name}, ${when}:]` },
      { type: 'input_image', image_url, detail: 'high' },
    ];
  } catch (cause) {
    signal.throwIfAborted();
    if (!image.is_new)
      return [{ type: 'input_text', text: `[Picture ${name}, ${when}, cannot be shown any more.]` }];
    throw new AppError(
      'unavailable',
      'A picture of this message could not be opened just now. The message was not counted; try again in a minute.',
      { cause },
    );
  }
}
