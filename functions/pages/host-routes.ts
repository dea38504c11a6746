import type { SignedRoute } from './call.ts';

export const HOST_ROUTES: readonly SignedRoute[] = [];
