import type { SignedRoute } from './call.ts';

export const OWNER_ROUTES: readonly SignedRoute[] = [];
