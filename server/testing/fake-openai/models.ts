import { ApiError } from './api-error.ts';
import type { Route } from './route.ts';

const models = ['gpt-5', 'gpt-5-mini', 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4o', 'gpt-4o-mini', 'o4-mini'].map(
  (id) => ({
    id,
    object: 'model',
    created: 1_754_000_000,
    owned_by: 'system',
  }),
);

export function modelRoutes(): Route[] {
  return [
    { method: 'GET', path: '/v1/models', answer: () => ({ object: 'list', data: models }) },
    {
      method: 'GET',
      path: '/v1/models/:model',
      answer: ({ params }) => {
        const model = models.find(({ id }) => id === params.model);
        if (model) return model;
        throw new ApiError(404, `The model '${params.model}' does not exist`, {
          code: 'model_not_found',
          param: 'model',
        });
      },
    },
  ];
}
