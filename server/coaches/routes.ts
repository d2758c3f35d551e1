import { createRoute, z } from '@hono/zod-openapi';
import type { PlanCatalog } from '../billing/plans.ts';
import { createRouter, jsonResponse, problemResponse } from '../platform/routes.ts';
import type { Coach } from './coach-file.ts';

const coachSchema = z
  .object({
    slug: z.string(),
    name: z.string(),
    tagline: z.string(),
    description: z.string(),
    accent: z.string(),
    accent_dark: z.string(),
    plans: z.array(z.string()).openapi({ description: 'Whose members may work with it.' }),
    plan_titles: z
      .array(z.string())
      .openapi({ description: 'What these plans are called, the smallest first.' }),
    starters: z.array(z.string()),
    steps: z.array(z.string()).openapi({ description: 'The titles of the playbook’s steps.' }),
    deliverable: z.string().openapi({ description: 'What one walks away with.' }),
  })
  .openapi('Coach');

const listCoaches = createRoute({
  method: 'get',
  path: '/api/coaches',
  summary: 'The coaches',
  responses: {
    200: jsonResponse(z.object({ coaches: z.array(coachSchema) }), 'All coaches'),
    default: problemResponse,
  },
});

/** The routes of the coaches; they are public, so that one can look before signing up. */
export function coachRoutes({ coaches, plans: catalog }: { coaches: Coach[]; plans: PlanCatalog }) {
  const described = coaches.map(
    ({ slug, name, tagline, description, accent, accent_dark, plans, starters, playbook, deliverable }) => ({
      ...{ slug, name, tagline, description, accent, accent_dark, plans, starters },
      plan_titles: catalog.plans.filter((plan) => plans.includes(plan.slug)).map(({ title }) => title),
      steps: playbook.map((step) => step.title),
      deliverable: deliverable.title,
    }),
  );
  const routes = createRouter();
  routes.openapi(listCoaches, (c) => c.json({ coaches: described }, 200));
  return routes;
}
